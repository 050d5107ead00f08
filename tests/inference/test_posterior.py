"""Draws from posteriors whose moments are known."""

from __future__ import annotations

import numpy as np
import pytest
from emcee.autocorr import integrated_time

from glueprint.errors import InputError
from glueprint.inference import autocorrelation_time, sample, split_r_hat

COVARIANCE = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.2], [0.0, 0.2, 4.0]])
MEAN = np.array([3.0, -1.0, 10.0])
# A banana: the first coordinate is normal, the second is normal about a parabola of the first.
BEND, FIRST_SD = 0.5, 2.0


def normal(vectors):
    away = vectors - MEAN
    return 0.5 * np.einsum("mi,ij,mj->m", away, np.linalg.inv(COVARIANCE), away)


def banana(vectors):
    x, y = vectors.T
    return 0.5 * (x / FIRST_SD) ** 2 + 0.5 * (y - BEND * (x**2 - FIRST_SD**2)) ** 2


def starts_about(point, *, ensembles=2, walkers=32, seed=1):
    rng = np.random.default_rng(seed)
    return np.asarray(point) + rng.normal(size=(ensembles, walkers, len(point)))


def within(found, truth, spread, effective, errors=5.0):
    """Whether a mean lies within so many Monte Carlo standard errors of the truth."""
    return np.all(np.abs(found - truth) < errors * spread / np.sqrt(effective))


def test_a_normal_comes_back_with_its_moments():
    found = sample(normal, starts_about([0.0, 0.0, 0.0]), steps=1500, seed=3)
    assert found.status == "ok"
    assert found.draws.shape == (2, 1000, 32, 3)
    sd = np.sqrt(np.diag(COVARIANCE))
    assert within(found.flat.mean(axis=0), MEAN, sd, found.effective)
    # The variance of a normal variance is 2 sigma^4 / n.
    assert within(found.flat.var(axis=0), sd**2, np.sqrt(2) * sd**2, found.effective)
    np.testing.assert_allclose(np.corrcoef(found.flat.T)[0, 1], 0.9, atol=0.02)
    assert found.r_hat.max() < 1.02
    assert found.evaluations == 2 * 32 * (1500 + 2)


def test_a_banana_comes_back_with_its_moments():
    found = sample(banana, starts_about([0.0, 0.0]), steps=8000, seed=5)
    assert found.status == "ok"
    x, y = found.flat.T
    # E y = 0; var y = 1 + BEND^2 var(x^2) = 1 + 2 BEND^2 FIRST_SD^4; cov(x^2, y) = BEND var(x^2).
    spread = np.sqrt(1 + 2 * BEND**2 * FIRST_SD**4)
    assert within(x.mean(), 0.0, FIRST_SD, found.effective[0])
    assert within(y.mean(), 0.0, spread, found.effective[1])
    assert x.var() == pytest.approx(FIRST_SD**2, rel=0.1)
    assert y.var() == pytest.approx(spread**2, rel=0.2)
    assert np.cov(x**2, y)[0, 1] == pytest.approx(2 * BEND * FIRST_SD**4, rel=0.2)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    runs = [sample(normal, starts_about(MEAN), steps=30, seed=seed).draws for seed in (7, 7, 8)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_ensembles_do_not_depend_on_their_neighbours():
    starts = starts_about(MEAN, ensembles=3)
    together, alone = (sample(normal, s, steps=20, seed=7).draws for s in (starts, starts[:1]))
    np.testing.assert_array_equal(together[0], alone[0])


def test_progress_is_told_after_every_step():
    told = []
    sample(normal, starts_about(MEAN), steps=6, warm_up=1, seed=1, progress=lambda *at: told.append(at))
    assert told == [(done, 12) for done in range(1, 13)]


def test_ensembles_caught_in_two_valleys_are_no_posterior():
    def two_valleys(vectors):
        return 0.5 * (np.minimum((vectors - 40.0) ** 2, (vectors + 40.0) ** 2) / 0.01)[:, 0]

    starts = np.stack([starts_about([centre], ensembles=1)[0] for centre in (-40.0, 40.0)])
    found = sample(two_valleys, starts, steps=400, seed=1)
    assert found.status == "not converged"
    assert "take more steps" in found.reason
    assert found.r_hat[0] > 10


def test_too_few_steps_are_said():
    found = sample(normal, starts_about(MEAN), steps=12, seed=1)
    assert found.status == "not converged"
    assert "autocorrelation times" in found.reason


def test_walkers_that_cannot_move_are_stuck():
    width = 1e-9

    def needle(vectors):
        return np.where(np.abs(vectors - np.round(vectors, 1)).max(axis=1) < width, 0.0, np.inf)

    starts = np.round(starts_about(MEAN), 1)
    found = sample(needle, starts, steps=20, seed=1)
    assert found.status == "stuck"
    assert "closer to the mode" in found.reason


def test_what_is_not_a_number_is_out_of_reach():
    def half(vectors):
        return np.where(vectors[:, 0] > 0, normal(vectors), np.nan)

    starts = starts_about(MEAN, seed=2)
    starts[..., 0] = np.abs(starts[..., 0]) + 0.1
    found = sample(half, starts, steps=100, seed=1)
    assert found.flat[:, 0].min() > 0


def test_r_hat_of_independent_draws_is_one_and_of_shifted_ones_is_not():
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(2, 1000, 10, 2))
    np.testing.assert_allclose(split_r_hat(draws), 1.0, atol=1e-3)
    shifted = draws + np.array([0.0, 1.0]).reshape(2, 1, 1, 1)
    # Four halves with means 0, 1, 0, 1 and unit variance: R-hat^2 = 1 + 1/3.
    np.testing.assert_allclose(split_r_hat(shifted), np.sqrt(4 / 3), rtol=0.02)


def test_autocorrelation_time_of_a_known_process():
    # AR(1): tau = (1 + phi)/(1 - phi).
    rng, phi = np.random.default_rng(4), 0.8
    x = np.zeros((1, 20000, 20, 1))
    for k in range(1, x.shape[1]):
        x[:, k] = phi * x[:, k - 1] + rng.normal(size=x[:, k].shape)
    assert autocorrelation_time(x)[0] == pytest.approx(9.0, rel=0.1)
    # Parity with emcee 3.1.6, autocorr.integrated_time.
    assert autocorrelation_time(x)[0] == pytest.approx(integrated_time(x[0], tol=0)[0], rel=1e-9)


@pytest.mark.parametrize(
    "starts",
    [
        np.zeros((8, 3)),
        np.full((1, 8, 3), np.nan),
        np.random.default_rng(1).normal(size=(1, 4, 3)),
        np.random.default_rng(1).normal(size=(1, 9, 3)),
        np.ones((1, 8, 3)),
    ],
)
def test_starts_that_cannot_be_used(starts):
    with pytest.raises(InputError, match="GP-I005") as caught:
        sample(normal, starts, steps=100, seed=1)
    assert caught.value.next_step


@pytest.mark.parametrize("options", [{"steps": 3}, {"steps": 20, "warm_up": 18}, {"steps": 20, "seed": -1}])
def test_options_that_cannot_be_used(options):
    with pytest.raises(InputError, match="GP-I005"):
        sample(normal, starts_about(MEAN), **{"seed": 1, **options})


def test_a_start_out_of_reach():
    with pytest.raises(InputError, match="not finite at a start"):
        sample(lambda v: np.full(v.shape[0], np.inf), starts_about(MEAN), steps=20, seed=1)
    with pytest.raises(InputError, match="GP-I002"):
        sample(lambda v: v, starts_about(MEAN), steps=20, seed=1)
