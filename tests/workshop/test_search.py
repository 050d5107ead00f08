"""The search itself, on functions whose minima are known."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.workshop.objective import Cost
from glueprint.workshop.search import STATUSES, search


def cost(value, gradient, curvature):
    return Cost(value, gradient, curvature, ("",) * value.size)


def rosenbrock(z, _):
    """As least squares, r = (10 (y - x^2), 1 - x), with the curvature that scoring would have."""
    x, y = z.T
    r = np.stack([10 * (y - x**2), 1 - x], axis=1)
    J = np.zeros((x.size, 2, 2))
    J[:, 0, 0], J[:, 0, 1], J[:, 1, 0] = -20 * x, 10.0, -1.0
    return cost(0.5 * (r**2).sum(1), np.einsum("kij,ki->kj", J, r), np.einsum("kij,kil->kjl", J, J))


def test_minima_of_a_bent_valley_are_found_from_everywhere():
    rng = np.random.default_rng(1)
    box = np.full(2, -4.0), np.full(2, 4.0)
    found = search(rosenbrock, rng.uniform(-4, 4, (60, 2)), box)
    assert set(found.status) == {"converged"}
    np.testing.assert_allclose(found.scaled, 1.0, atol=1e-2)
    assert found.value.max() < 1e-5


def test_a_minimum_at_a_bound_is_that_of_the_box():
    """With y at most 0.25 the valley ends near x = 0.5: the root of 200 x (x^2 - y) + x - 1 = 0."""
    box = np.full(2, -4.0), np.array([4.0, 0.25])
    found = search(rosenbrock, np.array([[-1.0, -1.0], [2.0, 0.0], [0.0, 0.25]]), box)
    roots = np.roots([200.0, 0.0, 1.0 - 200.0 * 0.25, -1.0])
    x = roots[np.isreal(roots) & (roots.real > 0)].real[0]
    # A promised fall of 1e-6 at a curvature of 100 is 1.4e-4 of x.
    np.testing.assert_allclose(found.scaled, [[x, 0.25]] * 3, atol=1.5e-4)
    assert set(found.status) == {"converged"}


def test_what_may_not_move_stays():
    free = np.array([[True, False]] * 2)
    found = search(
        rosenbrock, np.array([[-1.0, 0.49], [3.0, 1.0]]), (np.full(2, -4.0), np.full(2, 4.0)), free=free
    )
    assert found.scaled[:, 1].tolist() == [0.49, 1.0]
    assert found.scaled[1, 0] == pytest.approx(1.0, abs=1e-3)


def test_searches_that_cannot_start_or_end_say_so():
    def walled(z, _):
        inside = z[:, 0] > 0
        made = cost(np.where(inside, 0.5 * (z[:, 0] - 1) ** 2, np.inf), z - 1.0, np.ones((len(z), 1, 1)))
        return Cost(
            made.value, made.gradient, made.curvature, tuple("" if fine else "a wall" for fine in inside)
        )

    box = np.array([-5.0]), np.array([5.0])
    found = search(walled, np.array([[-1.0], [4.0]]), box)
    assert found.status == ("failed", "converged")
    assert found.reasons == ("a wall", "")
    assert search(
        rosenbrock, np.array([[-3.0, 3.0]]), (np.full(2, -4.0), np.full(2, 4.0)), rounds=3
    ).status == ("rounds used up",)
    assert set(found.status) <= set(STATUSES)


def test_a_corner_is_reached_though_its_slope_is_never_0():
    def corner(z, _):
        away = np.abs(z[:, 0] - 0.3)
        return cost(away, np.sign(z - 0.3), (1.0 / np.maximum(away, 1e-4))[:, None, None])

    found = search(corner, np.array([[-3.0], [2.0]]), (np.array([-5.0]), np.array([5.0])))
    np.testing.assert_allclose(found.scaled, 0.3, atol=1e-3)
    assert set(found.status) <= {"converged", "flat"}
