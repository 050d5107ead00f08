"""Modes and covariances of objectives whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.errors import InputError
from glueprint.inference import contraction, laplace, mode

PRECISION = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]])
CENTRE = np.array([1.0, -2.0, 300.0])


def normal(vectors):
    """Minus log density of a normal distribution, without its constant."""
    away = vectors - CENTRE
    return 0.5 * np.einsum("mi,ij,mj->m", away, PRECISION, away)


def rosenbrock(vectors):
    x, y = vectors.T
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


def test_the_mode_of_a_normal_is_its_centre():
    found = mode(normal, [0.0, 0.0, 250.0])
    assert found.converged
    np.testing.assert_allclose(found.values, CENTRE, rtol=1e-6)
    # One look at the start, then whole gradients of 2 * 3 + 1.
    assert (found.evaluations - 1) % 7 == 0
    assert not found.at_bound.any()


def test_the_mode_of_a_curved_valley():
    found = mode(rosenbrock, [-1.2, 1.0])
    np.testing.assert_allclose(found.values, [1, 1], rtol=1e-5)
    assert found.objective < 1e-9


def test_a_bound_that_holds_a_value_is_named():
    found = mode(normal, [0.0, 0.0, 250.0], [[-5, 5], [-1, 5], [200, 400]])
    assert found.at_bound.tolist() == [False, True, False]
    # With b held at -1 the other two are their conditional means.
    np.testing.assert_allclose(found.values, [1 - 1 / 4, -1, 300 + 0.5], rtol=1e-6)


def test_a_wall_turns_the_search_back():
    def walled(vectors):
        return np.where(vectors[:, 0] > 2, np.nan, (vectors[:, 0] - 1) ** 2)

    found = mode(walled, [-50.0])
    np.testing.assert_allclose(found.values, [1.0], atol=1e-5)


def test_laplace_of_a_normal_is_its_covariance():
    around = laplace(normal, CENTRE, scale=[1.0, 1.0, 1.0])
    assert around.status == "ok"
    np.testing.assert_allclose(around.hessian, PRECISION, atol=1e-6)
    np.testing.assert_allclose(around.covariance, np.linalg.inv(PRECISION), rtol=1e-6)
    np.testing.assert_allclose(around.sd, np.sqrt(np.diag(np.linalg.inv(PRECISION))), rtol=1e-6)
    np.testing.assert_allclose(np.diag(around.correlation), 1.0, rtol=1e-12)


def test_the_laplace_sd_of_a_rate_is_the_known_one():
    # 17 events in 50 hours: minus log likelihood 50 r - 17 log r has its mode at 0.34 and sd 0.34 / sqrt(17).
    around = laplace(lambda v: 50 * v[:, 0] - 17 * np.log(v[:, 0]), [0.34], scale=[0.1])
    assert around.sd[0] == pytest.approx(0.34 / np.sqrt(17), rel=1e-5)


def test_the_hessian_converges_at_second_order():
    def quartic(vectors):
        return vectors[:, 0] ** 4 + vectors[:, 0] ** 2

    # Exact second derivative at 1 is 14; central differences err by 2 h^2 with h = eps^(1/4) scale.
    errors = [laplace(quartic, [1.0], scale=[s]).hessian[0, 0] - 14 for s in (400.0, 200.0, 100.0)]
    ratios = np.array(errors[:-1]) / np.array(errors[1:])
    np.testing.assert_allclose(ratios, 4.0, rtol=0.02)


def test_a_direction_without_data_is_named_and_not_inverted():
    # Only the sum of the two is seen.
    around = laplace(lambda v: 0.5 * (v[:, 0] + v[:, 1] - 3) ** 2, [1.0, 2.0])
    assert around.status == "not a minimum"
    assert np.isnan(around.sd).all()
    along = around.flat / np.abs(around.flat).max()
    assert along.sum() == pytest.approx(0, abs=1e-4)


def test_contraction_is_the_share_of_variance_removed():
    np.testing.assert_allclose(contraction([1.0, 1.0, 2.0, 1.0], [0.0, 1.0, 1.0, 2.0]), [1, 0, 0.75, -3])
    assert np.isnan(contraction([1.0], [np.nan])).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: mode(normal, []),
        lambda: mode(normal, [0.0, np.nan, 1.0]),
        lambda: mode(normal, [0.0, 0.0, 0.0], [[-1, 1], [-1, 1]]),
        lambda: mode(normal, [0.0, 0.0, 0.0], [[1, 2], [-1, 1], [-1, 1]]),
        lambda: laplace(normal, CENTRE, scale=[1.0, 0.0, 1.0]),
        lambda: contraction([0.0], [1.0]),
        lambda: contraction([1.0, 1.0], [1.0]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == "GP-I001"


@pytest.mark.parametrize(
    "call",
    [
        lambda: mode(lambda v: np.full(len(v), np.nan), [0.0]),
        lambda: mode(lambda v: v.sum(), [0.0]),
        lambda: laplace(lambda v: np.where(v[:, 0] > 0, np.inf, 1.0), [0.0]),
    ],
)
def test_objectives_that_give_no_number_are_refused(call):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == "GP-I002"
