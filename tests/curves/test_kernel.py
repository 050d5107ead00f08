"""The machine code of the fits against the numpy reference, SciPy, and the symmetries a fit must have."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from tests.curves import reference

from glueprint import curves
from glueprint.curves import formula, kernel, logistic, search
from glueprint.curves.models import MODELS, Given
from glueprint.curves.problem import Problem
from glueprint.curves.profile import threshold
from glueprint.curves.status import Status
from glueprint.formulas.compiler import host
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate

FREE = np.nan
PINNED = {
    "4pl": [FREE, FREE, FREE, FREE, 0.0],
    "3pl": [FREE, FREE, FREE, 0.0, 0.0],
    "5pl": [FREE, FREE, FREE, FREE, FREE],
    "hill": [0.0, FREE, FREE, FREE, 0.0],
    "fixed front and back": [1.0, 0.1, FREE, FREE, 0.0],
    "fixed front": [1.0, FREE, FREE, FREE, 0.0],
    "fixed back": [FREE, 0.1, FREE, FREE, FREE],
    "fixed asymmetry": [FREE, FREE, FREE, FREE, np.log(0.4)],
    "fixed slope and asymmetry": [FREE, FREE, FREE, np.log(2.0), np.log(3.0)],
}


def simulated(n, seed, *, sd=0.04, points=12, asymmetry=0.3):
    """Doses with a zero, and responses of five-parameter curves with noise."""
    rng = np.random.default_rng(seed)
    dose = np.concatenate([[0.0], 10.0 ** np.linspace(-0.5, 4.0, points - 1)])
    theta = np.stack(
        [
            rng.normal(1.0, 0.1, n),
            rng.uniform(0.0, 0.4, n),
            rng.uniform(0.3, 3.2, n),
            rng.normal(0.0, 0.3, n),
            rng.normal(0.0, asymmetry, n),
        ],
        axis=1,
    )
    with np.errstate(divide="ignore"):
        clean, _ = logistic.curve(theta, np.broadcast_to(np.log10(dose), (n, points)))
    return dose, clean + rng.normal(0.0, sd, clean.shape)


@pytest.fixture(params=list(PINNED))
def pinned(request):
    return np.array(PINNED[request.param])


def problem_of(dose, response, pinned, level=None):
    used = np.ones(response.shape, dtype=bool)
    given = Given({"dose": np.broadcast_to(dose, response.shape)}, used)
    fixed = np.broadcast_to(np.asarray(pinned), (len(response), 5))
    return Problem(MODELS["5pl"], given, response, used.astype(float), fixed, level=level)


def dose_interval(problem, theta, rss):
    heights = np.stack([rss, threshold(rss, problem.dof, 0.95)], axis=1)
    return search.profiled(problem, theta, np.arange(5) == 2, heights).intervals[:, 2]


@pytest.mark.parametrize("level", [False, True])
def test_the_formula_is_the_curve_and_its_slopes_are_derivatives(pinned, level):
    variant = kernel.variant(pinned, level=level)
    written = formula.write(variant)
    theta = np.array([[1.1, 0.05, 1.4, 0.3, 0.0 if variant.symmetric else -0.7]])
    doses = np.array([[-np.inf, -2.0, 1.0, 1.5, 2.0, 9.0]])
    response, jacobian = reference.curve_at(theta, doses, np.array([0.4]) if level else None)
    leaves = Leaves(np.append(theta, 0.4), doses[0][:, None], np.zeros(6))
    got = evaluate(written.graph, [written.response, *written.slopes], leaves)
    np.testing.assert_allclose(got[0], response[0], rtol=1e-12, atol=1e-13)
    for slope, parameter in zip(got[1:], variant.free, strict=True):
        np.testing.assert_allclose(slope, jacobian[0, :, parameter], rtol=1e-9, atol=1e-12)
    # At finite doses away from the clipping the graph's own derivative says the same.
    inner = Leaves(np.append(theta, 0.4), doses[0][1:, None], np.zeros(5))
    own = [Differentiator(written.graph, written.graph.state(i))(written.response) for i in variant.free]
    by_graph = evaluate(written.graph, own, inner)
    for slope, parameter in zip(by_graph, variant.free, strict=True):
        np.testing.assert_allclose(
            np.broadcast_to(slope, 5), jacobian[0, 1:, parameter], rtol=1e-8, atol=1e-10
        )


def test_starts_are_those_of_the_reference(pinned):
    dose, response = simulated(37, seed=1)
    task = problem_of(dose, response, pinned)
    machine, plain = kernel.starts(task), reference.starts(task)
    # Starts of nearly the same cost may change places; the best one stands.
    np.testing.assert_allclose(machine[0], plain[0], rtol=1e-6, atol=1e-8)


def test_fits_are_those_of_the_reference(pinned):
    dose, response = simulated(60, seed=2)
    task = problem_of(dose, response, pinned)
    start = reference.starts(task)[0]
    rows = np.arange(60)
    machine = kernel.minimise(task, start, rows)
    plain = reference.minimise(task, start, rows)
    both = machine.converged & plain.converged
    assert both.mean() > 0.9
    np.testing.assert_allclose(machine.cost[both], plain.cost[both], rtol=1e-8)
    certain = both & ~machine.at_bound.any(axis=1) & ~plain.at_bound.any(axis=1)
    fitted = [logistic.curve(end.theta, task.log10_dose)[0][certain] for end in (machine, plain)]
    np.testing.assert_allclose(*fitted, atol=1e-5)


def test_the_fits_of_a_held_dose_at_a_level_are_those_of_the_reference(monkeypatch):
    dose, response = simulated(20, seed=3, asymmetry=0.0)
    pinned = np.array(PINNED["4pl"])
    fits = curves.fit("4pl", dose, response, intervals=False)
    level = 0.5 * (fits.front + fits.back) + 0.1
    theta = fits.theta.copy()
    theta[:, 2] += logistic.log10_shift(theta, level)
    task = problem_of(dose, response, pinned, level)
    machine = dose_interval(task, theta, fits.rss)
    monkeypatch.setattr(kernel, "minimise", reference.minimise)
    plain = dose_interval(task, theta, fits.rss)
    np.testing.assert_allclose(machine, plain, atol=1e-6)


def test_whole_batches_agree_with_the_reference(monkeypatch):
    dose, response = simulated(80, seed=4, asymmetry=0.0)
    machine = curves.fit("4pl", dose, response)
    for name in ("starts", "minimise"):
        monkeypatch.setattr(kernel, name, getattr(reference, name))
    monkeypatch.setattr(kernel, "inverse", Problem.inverse)
    plain = curves.fit("4pl", dose, response)
    np.testing.assert_allclose(machine.rss, plain.rss, rtol=1e-7)
    ends = [np.log10(fits.interval("ec50")) for fits in (machine, plain)]
    np.testing.assert_allclose(*ends, atol=1e-5)
    np.testing.assert_allclose(machine.covariance, plain.covariance, rtol=1e-4, equal_nan=True)


def test_the_optimum_is_that_of_scipy_from_many_starts():
    """scipy.optimize.least_squares, method lm, from six starts a curve: none finds anything lower."""
    dose, response = simulated(40, seed=5, asymmetry=0.0)
    fits = curves.fit("4pl", dose, response, intervals=False)
    log10_dose = fits.problem.log10_dose[:1]

    def miss(p, y):
        theta = np.array([[*p, 0.0]])
        return logistic.curve(theta, log10_dose)[0][0] - y

    with np.errstate(over="ignore", under="ignore"):
        for i, y in enumerate(response):
            lowest = min(
                2.0 * least_squares(miss, [y[0], y[-1], half, slope], method="lm", args=(y,), xtol=1e-14).cost
                for half in (0.5, 1.5, 3.0)
                for slope in (-0.3, 1.0)
            )
            assert fits.rss[i] <= lowest * (1.0 + 1e-6)


@pytest.mark.parametrize("model", ["4pl", "5pl"])
@pytest.mark.parametrize("sd", [0.04, 0.5])
def test_what_is_called_converged_cannot_be_improved(model, sd):
    dose, response = simulated(150, seed=6, sd=sd)
    fits = curves.fit(model, dose, response, intervals=False)
    data = fits.problem
    names = np.arange(5 if model == "5pl" else 4)
    low, high = data.limits()
    block = search.thorough(data)
    assert block.converged.mean() > 0.85
    for i in np.flatnonzero(block.converged)[:40]:

        def miss(p, i=i):
            theta = block.theta[[i]].copy()
            theta[0, names] = p
            return logistic.curve(theta, data.log10_dose[[i]])[0][0] - response[i]

        begun = np.clip(block.theta[i, names], low[i, names] + 1e-9, high[i, names] - 1e-9)
        with np.errstate(over="ignore", under="ignore"):
            found = least_squares(
                miss, begun, bounds=(low[i, names], high[i, names]), xtol=1e-15, ftol=1e-15, gtol=1e-15
            )
        assert 2.0 * found.cost >= block.cost[i] * (1.0 - 1e-6)


def test_results_are_the_same_bits_whatever_the_batch_and_the_order():
    dose, response = simulated(43, seed=7, sd=0.2)
    together = curves.fit("4pl", dose, response)
    order = np.random.default_rng(8).permutation(43)
    shuffled = curves.fit("4pl", dose, response[order])
    for name in ("estimates", "covariance", "rss", "low", "high", "effect_p"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(together, name)[order])
    for i in (0, 20, 42):
        alone = curves.fit("4pl", dose, response[i])
        for name in ("estimates", "covariance", "rss", "low", "high"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i])


def test_a_dose_row_for_all_and_one_for_each_are_the_same():
    dose, response = simulated(9, seed=9)
    shared = curves.fit("4pl", dose, response)
    apart = curves.fit("4pl", np.tile(dose, (9, 1)), response, weights=np.ones_like(response))
    np.testing.assert_array_equal(shared.estimates, apart.estimates)


def test_missing_points_and_weights_of_zero_are_the_same_nothing():
    dose, response = simulated(11, seed=10)
    holed, weights = response.copy(), np.ones_like(response)
    holed[:, 3], weights[:, 3] = np.nan, 0.0
    missing, weightless = curves.fit("4pl", dose, holed), curves.fit("4pl", dose, response, weights=weights)
    np.testing.assert_array_equal(missing.estimates, weightless.estimates)
    np.testing.assert_array_equal(missing.points, 11)


def test_a_zero_dose_is_the_front_plateau_exactly():
    dose, response = simulated(5, seed=11)
    fits = curves.fit("5pl", dose, response, intervals=False)
    np.testing.assert_array_equal(fits.predict([0.0])[:, 0], fits.front)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shift=st.floats(-6.0, 6.0),
    stretch=st.floats(-4.0, 4.0),
    model=st.sampled_from(["4pl", "3pl", "5pl", "hill"]),
)
def test_units_move_and_stretch_the_fit_and_order_of_points_is_nothing(seed, shift, stretch, model):
    dose, response = simulated(4, seed, sd=0.02)
    order = np.random.default_rng(seed).permutation(dose.size)
    plain = curves.fit(model, dose, response, intervals=False)
    moved = curves.fit(
        model, dose[order] * 10.0**shift, (response * 10.0**stretch)[:, order], intervals=False
    )
    fine = (plain.status == Status.FINE) & (moved.status == Status.FINE)
    np.testing.assert_allclose(moved.rss, plain.rss * 10.0 ** (2.0 * stretch), rtol=1e-5)
    certain = fine & (np.sqrt(plain.covariance[:, 2, 2]) < 0.3)
    np.testing.assert_allclose(moved.log10_ec50[certain], plain.log10_ec50[certain] + shift, atol=2e-4)
    np.testing.assert_allclose(moved.slope[certain], plain.slope[certain], rtol=2e-3)


@pytest.mark.parametrize("width", [2, 4])
def test_a_narrower_processor_finds_the_same_bits(width, monkeypatch):
    """Lanes do not know how many they are."""
    if width > host().width:
        pytest.skip("this processor has no vectors of that width")
    dose, response = simulated(21, seed=12)
    wide = curves.fit("5pl", dose, response)
    for name in ("starts", "minimise"):
        monkeypatch.setattr(kernel, name, partial(getattr(kernel, name), width=width))
    narrow = curves.fit("5pl", dose, response)
    np.testing.assert_array_equal(narrow.theta, wide.theta)
    np.testing.assert_array_equal(narrow.interval("ec50"), wide.interval("ec50"))


def test_an_empty_batch_and_curves_without_points_have_a_status_or_nothing():
    assert curves.fit("4pl", [1.0, 10.0], np.empty((0, 2))).estimates.shape == (0, 5)
    fits = curves.fit("4pl", [1.0, 10.0, 100.0], np.full((2, 3), np.nan))
    assert fits.status.tolist() == [Status.TOO_FEW_POINTS] * 2
    assert fits.reasons[0].startswith("fewer distinct doses")
