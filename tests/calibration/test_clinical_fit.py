"""The clinical fit against a simulator whose truth is known: it needs no trial and no mechanism."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.calibration.clinical.fitting import Effort, Fit, fit
from glueprint.calibration.clinical.likelihood import rough_variance
from glueprint.calibration.clinical.searching import search
from glueprint.calibration.clinical.summaries import Summary
from glueprint.runs import streams

EFFORT = Effort(generations=6, offspring=16, rounds=(150, 200), steps=500)
SIZE = 3
SUMMARIES = (
    Summary("one", "A", "orr", "rate", (30.0,), ("X1",), 300),
    Summary("one", "A", "median_pfs", "median", (4.0,), ("X2",), 300),
    Summary("two", "B", "orr", "rate", (20.0, 24.0), ("X3", "X4"), 100),
    Summary("two", "B", "median_os", "median", (13.0,), ("X5",), 100),
)
SCATTER = np.array([0.13, 0.08, 0.22, 0.14])


def expected(z: np.ndarray) -> np.ndarray:
    """Bent a little, so that a plane would not do; the third coordinate is hardly seen."""
    rate = -0.8 + 0.4 * z[:, 0] + 0.05 * z[:, 0] ** 2
    pfs = np.log(4.0) + 0.25 * z[:, 0] + 0.2 * z[:, 1] - 0.03 * z[:, 0] * z[:, 1]
    other = rate - 0.4
    survival = np.log(13.0) + 0.3 * z[:, 1] + 0.02 * z[:, 2]
    return np.stack([rate, pfs, other, survival], axis=1)


def simulator(z: np.ndarray, seeds: np.ndarray, told: object) -> np.ndarray:
    noise = np.stack([streams.normals(int(seed), "test trial", np.arange(1), 4)[0] for seed in seeds])
    return expected(z) + SCATTER * noise


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(SUMMARIES, simulator, np.zeros(SIZE), effort=EFFORT, seed=1)


def exact(found: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean and spread by brute force on a grid, with the true surface and scatter."""
    axis = np.linspace(-3.5, 3.5, 61)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    wanted = np.array([np.mean([s.scaled(v) for v in s.readings]) for s in SUMMARIES])
    readings = np.array([0.0, 0.0, np.var([SUMMARIES[2].scaled(v) for v in (20.0, 24.0)], ddof=1) / 2, 0.0])
    cost = ((wanted - expected(grid)) ** 2 / (SCATTER**2 + readings)).sum(axis=1) + (grid**2).sum(axis=1)
    weight = np.exp(-0.5 * (cost - cost.min()))
    weight /= weight.sum()
    mean = weight @ grid
    return mean, np.sqrt(weight @ (grid - mean) ** 2)


def test_the_posterior_is_the_exact_one(found: Fit) -> None:
    mean, spread = exact(found)
    draws = found.posterior.flat
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 0.3 * spread)
    np.testing.assert_allclose(draws.std(axis=0), spread, rtol=0.25)


def test_a_parameter_that_nothing_speaks_to_keeps_its_prior(found: Fit) -> None:
    assert 0.85 < found.posterior.flat[:, 2].std() < 1.1


def test_scatter_is_that_of_the_simulator_and_trials_are_apart(found: Fit) -> None:
    np.testing.assert_allclose(np.sqrt(np.diag(found.surface.covariance)), SCATTER, rtol=0.2)
    assert np.all(found.likelihood.covariance[:2, 2:] == 0.0)


def test_the_same_seed_gives_the_same_bits(found: Fit) -> None:
    again = fit(SUMMARIES, simulator, np.zeros(SIZE), effort=EFFORT, seed=1)
    assert np.array_equal(found.posterior.flat, again.posterior.flat)
    other = fit(SUMMARIES, simulator, np.zeros(SIZE), effort=EFFORT, seed=2)
    assert not np.array_equal(found.posterior.flat, other.posterior.flat)


def test_the_search_finds_the_least_cost() -> None:
    target = np.array([0.4, -0.2, 0.1, 0.3])

    def cost(z: np.ndarray) -> np.ndarray:
        return ((z - target) ** 2 * np.array([1.0, 4.0, 9.0, 100.0])).sum(axis=1)

    found = search(cost, np.zeros(4), generations=80, offspring=12, seed=3)
    np.testing.assert_allclose(found.z, target, atol=1e-3)


def test_without_a_generation_the_start_is_the_mode() -> None:
    start = np.array([0.5, -0.5])
    found = search(lambda z: (z**2).sum(axis=1), start, generations=0, offspring=0, seed=1)
    assert (found.cost, found.history) == (0.5, (0.5,))
    assert found.z is start


def test_readings_that_disagree_widen_the_variance() -> None:
    both = rough_variance(SUMMARIES)[2]
    one = rough_variance((Summary("two", "B", "orr", "rate", (22.0,), ("X3",), 100),))[0]
    assert both > one
