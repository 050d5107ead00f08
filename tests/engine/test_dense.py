"""Outputs between the ends of steps: they cost no steps, and are as right as the steps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings, Status, tableau
from glueprint.engine.dense_llvm import PLACES
from glueprint.engine.reference import ReferenceSolver

X = np.linspace(0.0, 1.0, 201)


def weights():
    """Of the method's stages in their plain form: alpha, alpha + gamma, b(x) of the interpolant."""
    gammas = np.linalg.inv(np.eye(tableau.STAGES) / tableau.GAMMA - tableau.C)
    alpha = tableau.A @ gammas
    last = tableau.A[-1] + np.eye(tableau.STAGES)[-1]
    k1, k2, k3 = np.array(tableau.DENSE)
    b = np.array([x * (last + (1 - x) * (k1 + x * (k2 + x * k3))) @ gammas for x in X])
    return alpha, alpha + gammas, b


def differentials(order):
    """Elementary differentials of an order, as (value at the stages, their factor)."""
    alpha, beta, _ = weights()
    one = np.ones(tableau.STAGES)
    a, b, ab = alpha @ one, beta @ one, alpha @ (beta @ one)
    return {
        1: [(one, 1)],
        2: [(b, 2)],
        3: [(a**2, 3), (beta @ b, 6)],
        4: [(a**3, 4), (a * ab, 8), (beta @ a**2, 12), (beta @ beta @ b, 24)],
        5: [
            (a**4, 5),
            (a**2 * ab, 10),
            (ab**2, 20),
            (a * (alpha @ a**2), 15),
            (a * (alpha @ beta @ b), 30),
            (beta @ a**3, 20),
            (beta @ (a * ab), 40),
            (beta @ beta @ a**2, 60),
            (beta @ beta @ beta @ b, 120),
        ],
    }[order]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_interpolant_has_order_four(order):
    _, _, b = weights()
    for value, factor in differentials(order):
        np.testing.assert_allclose(b @ value, X**order / factor, atol=1e-12)


def test_what_it_misses_tells_its_error_to_leading_order():
    _, _, b = weights()
    for value, factor in differentials(5):
        error = b @ value - X**5 / factor
        slope = np.gradient(error, X)
        seen = tableau.GAMMA * max(abs(np.interp(place, X, slope)) for place in PLACES)
        assert 0.35 <= seen / abs(error).max() <= 2.0


def one_step(rate, slope, by_time, start, h):
    """A step of a scalar equation: the interpolant's values at X, and what it misses at PLACES."""
    matrix = 1 / (h * tableau.GAMMA) - slope
    stages = []
    for i in range(tableau.STAGES):
        at = start + sum(tableau.A[i, j] * stages[j] for j in range(i))
        past = sum(tableau.C[i, j] * stages[j] for j in range(i)) / h
        right = rate(tableau.ALPHA[i] * h, at) + past + tableau.GAMMA_SUMS[i] * h * by_time
        stages.append(right / matrix)
    after = at + stages[-1]
    k1, k2, k3 = (sum(w * u for w, u in zip(row, stages, strict=True)) for row in tableau.DENSE)

    def value(x):
        return (1 - x) * start + x * (after + (1 - x) * (k1 + x * (k2 + x * k3)))

    def miss(x):
        width = 1e-5
        change = (value(x + width) - value(x - width)) / (2 * width)
        return abs((rate(x * h, value(x)) - change / h) / matrix)

    return value(X), max(miss(place) for place in PLACES)


@pytest.mark.parametrize("z", [-0.2, -1, -3, -8, -20, -200, -1e5, 0.5j, 1j, 2j, 3j, -1 + 2j])
def test_and_for_linear_equations_from_slow_to_fast(z):
    got, missed = one_step(lambda _, y: z * y, z, 0.0, 1.0 + 0j, 1.0)
    assert 0.35 <= missed / abs(got - np.exp(z * X)).max() <= 2.0


@pytest.mark.parametrize("fast", [-1.0, -5.0, -20.0, -100.0, -1e3, -1e5])
@pytest.mark.parametrize("h", [0.3, 1.0])
def test_and_for_a_fast_component_that_follows_a_slow_one(fast, h):
    """The error estimate of the step itself is a thousand times too small there."""
    at = 0.4

    def rate(t, y):
        return fast * (y - np.sin(at + t)) + np.cos(at + t)

    by_time = -fast * np.cos(at) - np.sin(at)
    got, missed = one_step(rate, fast, by_time, np.sin(at), h)
    assert 0.35 <= missed / abs(got - np.sin(at + X * h)).max() <= 2.0


@pytest.fixture(scope="module")
def chain():
    return engine.compile("A=1; B=0; A'=-0.5*A; B'=0.5*A-0.1*B; both := A + B;")


@pytest.mark.parametrize("accuracy", [1e-3, 1e-5, 1e-8])
def test_outputs_cost_no_steps_and_keep_the_accuracy(chain, accuracy):
    def run(count):
        times = np.linspace(0.0, 24.0, count + 1)
        settings = Settings(accuracy)
        return chain.ensemble(patients=1, settings=settings).simulate(times, outputs=["A", "B", "both"])

    few, many = run(4), run(2000)
    assert many.steps.sum() <= few.steps.sum() + 2
    a = np.exp(-0.5 * many.time_h)
    b = 1.25 * (np.exp(-0.1 * many.time_h) - a)
    np.testing.assert_allclose(many["A"][0], a, rtol=accuracy)
    np.testing.assert_allclose(many["B"][0], b, rtol=accuracy)
    np.testing.assert_allclose(many["both"][0], a + b, rtol=accuracy)


def test_a_step_can_still_end_at_every_output(chain):
    settings = Settings(stop_at_outputs=True)
    run = chain.ensemble(patients=1, settings=settings).simulate(np.linspace(0.0, 24.0, 501))
    assert run.steps[0, 0] >= 500


def test_the_plain_solver_does_the_same():
    model = engine.compile("""
      A=1; B=0; C=0; X=1e8;
      A'=-0.5*A; B'=piecewise(1, time<3, 0) + 0.5*A - 0.1*B; C'=1e3*(sin(time) - C);
      X'=piecewise(-1.5, time<12, 0.75)*X;
    """)
    plain = dataclasses.replace(model, solver=ReferenceSolver(model.system))
    times = np.sort([*np.linspace(0.0, 24.0, 301), 3.01, 12.0001])
    for settings in (Settings(), Settings.coarse(1e-4)):
        one, other = (
            which.ensemble({"A": [1.0, 2.0, 3.0]}, settings=settings).simulate(times)
            for which in (model, plain)
        )
        assert one.steps.tolist() == other.steps.tolist()
        np.testing.assert_allclose(one.values, other.values, rtol=1e-5, atol=1e-12)


def test_fast_components_do_not_wander_between_steps():
    """Steps grow long because their ends are right; inside, the interpolant would be off by per cents."""
    model = engine.compile("y=0; y'=-1e6*(y - sin(time)) + cos(time);")
    times = np.linspace(0.0, 10.0, 1001)
    run = model.ensemble(patients=1).simulate(times, outputs=["y"])
    want = np.sin(times)
    assert np.max(np.abs(run["y"][0] - want) / np.maximum(np.abs(want), 1e-2)) < 1e-5
    assert run.steps.sum() < 150


def test_deep_falls_are_right_at_every_output():
    model = engine.compile("N=1e12; N' = piecewise(-1.5, time<24, 0.75)*N;")
    times = np.linspace(0.0, 48.0, 961)
    run = model.ensemble(patients=1).simulate(times, outputs=["N"])
    want = 1e12 * np.exp(np.where(times < 24, -1.5 * times, -36 + 0.75 * (times - 24)))
    np.testing.assert_allclose(run["N"][0], want, rtol=1e-5)


def test_before_a_dose_and_after_an_event():
    model = engine.compile("species G=0; G->; G; F=0; F'=0; E: at (time >= 2): F = F + 1;")
    doses = Doses.every_patient(1, [1.0, 2.0], "G", 10.0)
    run = model.ensemble(patients=1).simulate([0.5, 1.0, 1.5, 2.0, 2.5], doses, ["G", "F"])
    np.testing.assert_allclose(run["G"][0, :3], [0, 0, 10 * np.exp(-0.5)], rtol=1e-5)
    np.testing.assert_allclose(run["F"][0], [0, 0, 0, 1, 1])
    falling = engine.compile("y=1; y'=-y; F=0; F'=0; E: at (y < 0.5): F = 1;")
    times = np.array([0.1, 0.6, np.log(2) - 1e-4, np.log(2) + 1e-4, 0.8])
    assert falling.ensemble(patients=1).simulate(times, outputs=["F"])["F"][0].tolist() == [0, 0, 0, 1, 1]


def test_nothing_is_given_after_a_failure():
    model = engine.compile("y=1; y'=y^2; twice := 2*y;")  # a pole at 1
    for outputs in (["y"], ["y", "twice"]):
        run = model.ensemble({"y": [1.0, 0.1]}).simulate(np.linspace(0.0, 2.0, 41), outputs=outputs)
        assert run.status[0] != Status.OK
        assert run.status[1] == Status.OK
        seen = np.isfinite(run[outputs[-1]][0])
        assert seen[:19].all()
        assert not seen[21:].any()
        np.testing.assert_allclose(run["y"][0, :19], 1 / (1 - run.time_h[:19]), rtol=1e-3)
        assert np.isfinite(run.values[1]).all()


def test_patients_from_different_times_and_beside_others(chain):
    times = np.linspace(5.0, 20.0, 301)[::2]
    starts = np.array([0.0, 1.3, 5.0, 4.999])
    together = chain.ensemble(patients=4)
    together.advance(starts)
    run = together.simulate(times)
    for i, start in enumerate(starts):
        alone = chain.ensemble(patients=1)
        alone.advance(start)
        assert np.array_equal(alone.simulate(times).values[0], run.values[i])


def test_amounts_by_a_volume_of_the_patients_own():
    model = engine.compile("compartment V=2; species S in V; S=10; S->; 0.1*S;")
    run = model.ensemble({"V": [2.0, 4.0]}).simulate([0.0, 1.0, 2.0], outputs=["S"])
    want = 10.0 * np.exp(-0.1 * np.outer([1 / 2, 1 / 4], run.time_h))
    np.testing.assert_allclose(run["S"], want, rtol=1e-5)
