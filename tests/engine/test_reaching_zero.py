"""What reaches 0 in finite time is 0 from then on, and what saturates has no slope."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings, Status
from glueprint.engine.reference import ReferenceSolver

ASKED = Settings().accuracy
EMPTIES = {
    "taken away at a rate": ("X=10; X'=-piecewise(1, X>0, 0);", 10.0, lambda t: np.maximum(10 - t, 0)),
    "a vessel": ("X=4; X'=-sqrt(X);", 4.0, lambda t: np.maximum(2 - t / 2, 0) ** 2),
    "a vessel with a guard": ("X=4; X'=-sqrt(max(X, 0));", 4.0, lambda t: np.maximum(2 - t / 2, 0) ** 2),
    "a power": ("X=1; X'=-X^0.6;", 2.5, lambda t: np.maximum(1 - 0.4 * t, 0) ** 2.5),
    # What is left of rounding would grow from here on.
    "a population": (
        "X=1; X'=0.5*X - piecewise(5, X>0, 0);",
        2 * np.log(10 / 9),
        lambda t: np.maximum(10 - 9 * np.exp(t / 2), 0),
    ),
}


@pytest.mark.parametrize("name", EMPTIES)
@pytest.mark.parametrize("solver", ["compiled", "reference"])
def test_a_state_that_reaches_zero_stays_there(name, solver):
    text, end, truth = EMPTIES[name]
    model = engine.compile(text)
    if solver == "reference":
        model = dataclasses.replace(model, solver=ReferenceSolver(model.system))
    times = end * np.array([0.2, 0.5, 0.9, 1.1, 2.0, 40.0])
    run = engine.verified(model, times, outputs=["X"], patients=1)
    assert run.status[0] == Status.OK, run.reasons
    np.testing.assert_allclose(run["X"][0, :3], truth(times[:3]), rtol=ASKED)
    assert not run["X"][0, 3:].any()


def test_what_is_taken_from_one_arrives_in_the_other():
    model = engine.compile("species A=3, B=0; J1: A->B; piecewise(1, A>0, 0); J2: B->; 0.5*B;")
    times = np.array([1.0, 2.9, 3.1, 10.0])
    run = engine.verified(model, times, patients=1)
    assert run.status[0] == Status.OK, run.reasons
    held = np.minimum(times, 3.0)
    np.testing.assert_allclose(run["A"][0], 3.0 - held, rtol=ASKED, atol=1e-12)
    want = 2 * (np.exp(-0.5 * (times - held)) - np.exp(-0.5 * times))
    np.testing.assert_allclose(run["B"][0], want, rtol=ASKED)


def test_a_dose_that_is_used_up():
    model = engine.compile("species X=0; X' = -piecewise(2, X>0, 0);")
    run = engine.verified(
        model, [6.0, 9.0, 13.0, 40.0], doses=Doses.regimen(0, 7.0, "X", 10.0), outputs=["X"], patients=1
    )
    assert run.status[0] == Status.OK, run.reasons
    np.testing.assert_allclose(run["X"][0], [0.0, 6.0, 0.0, 0.0], rtol=ASKED)


def test_a_pole_is_not_crossed():
    run = engine.compile("y=1; y'=y*y;").ensemble(patients=1).simulate([0.5, 2.0], outputs=["y"])
    assert run.status[0] in (Status.NOT_FINITE, Status.STEP_TOO_SMALL)


@pytest.mark.parametrize(
    ("rate", "want"),
    [
        ("1/(1 + exp(-1e4*(time - 77)))", 23.0),
        ("1/(exp((time - 40)/0.01) + 1)", 40.0),
        ("1 - 1/(1 + exp(10*C))", 70.0),
    ],
)
def test_a_rate_that_saturates(rate, want):
    model = engine.compile(f"C=-30; C'=1; X=0; X'={rate};")
    run = engine.verified(model, [0.0, 100.0], outputs=["X"], patients=1)
    assert run.status[0] == Status.OK, run.reasons
    assert run["X"][0, -1] == pytest.approx(want, rel=ASKED)


def test_a_rate_that_has_saturated_on_the_plain_solver():
    model = engine.compile("C=72; C'=1; X=0; X'=1 - 1/(1 + exp(10*C));")
    model = dataclasses.replace(model, solver=ReferenceSolver(model.system))
    run = model.ensemble(patients=1).simulate([2.0], outputs=["X"])
    assert run["X"][0, 0] == pytest.approx(2.0, rel=ASKED)


def test_an_effect_of_what_is_not_there_yet():
    """EC50/C is infinite before the first dose, and the effect 0."""
    text = "species C=0; C'=-0.3*C; E := 1/(1 + (2/C)^2); R=0; R'=E;"
    run = engine.verified(
        engine.compile(text), [5.0, 25.0], doses=Doses.regimen(0, 5.0, "C", 10.0), outputs=["R"], patients=1
    )
    assert run.status[0] == Status.OK, run.reasons
    # dR/dC = -C / (0.3 (C^2 + 4)), from 10 to 10 exp(-6).
    last = 10 * np.exp(-6.0)
    want = np.log((100 + 4) / (last**2 + 4)) / 0.6
    np.testing.assert_allclose(run["R"][0], [0.0, want], rtol=ASKED)
