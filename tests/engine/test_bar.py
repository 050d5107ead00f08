"""The bar: at the default accuracy every model is right within ten times what was asked, or says so."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Settings, Status

sys.path.insert(0, str(Path(__file__).parent))
from bar_models import CASES, truth_of

ASKED = Settings().accuracy
# Without a check a run keeps the error of each step; these gather it (docs/engine.md, "Accuracy").
OSCILLATORS = {
    "Lotka and Volterra",
    "repressilator",
    "FitzHugh and Nagumo",
    "Brusselator",
    "van der Pol, 1",
    "ring modulator",
}
GATHER = OSCILLATORS | {"swings over twenty logs", "growth to a pole"}


@pytest.fixture(scope="module")
def compiled():
    found = {}

    def of(case):
        if case.name not in found:
            found[case.name] = engine.compile(case.text)
        return found[case.name]

    return of


def error_of(run, truth):
    """Largest relative error; values below a thousandth of an output's largest are compared with that."""
    worst = 0.0
    for name, want in truth.items():
        size = np.maximum(np.abs(want), 1e-3 * np.abs(want).max() + 1e-300)
        worst = max(worst, float(np.max(np.abs(run[name][0] - want) / size)))
    return worst


def test_the_bar_is_wide():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_checked_runs_are_right_or_say_so(case, compiled):
    truth = truth_of(case)
    settings = Settings(smallest=case.smallest)
    run = engine.verified(compiled(case), case.times, outputs=list(truth), patients=1, settings=settings)
    assert run.status[0] == Status.OK, run.reasons
    assert run.achieved[0] <= ASKED
    assert error_of(run, truth) <= 10 * ASKED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_single_runs_are_right(case, compiled):
    truth = truth_of(case)
    ensemble = compiled(case).ensemble(patients=1, settings=Settings(smallest=case.smallest))
    run = ensemble.simulate(case.times, outputs=list(truth))
    assert run.status[0] == Status.OK, run.reasons
    assert error_of(run, truth) <= (1000 if case.name in GATHER else 10) * ASKED


@pytest.mark.parametrize("case", [case for case in CASES if case.smallest], ids=lambda case: case.name)
def test_what_rounding_hides_is_told(case, compiled):
    """Without `smallest` the run says that it does not get on, and what to do."""
    run = compiled(case).ensemble(patients=1).simulate(case.times)
    assert run.status.tolist() == [Status.STEP_TOO_SMALL]
    assert "larger `smallest`" in run.reasons[0]


@pytest.mark.parametrize("start", [0.5, 6.0, 24.0, 168.0])
@pytest.mark.parametrize("width", [0.25, 1.0, 24.0])
@pytest.mark.parametrize("accuracy", [1e-3, 1e-9])
def test_infusions_into_an_empty_compartment_at_any_accuracy(start, width, accuracy):
    model = engine.compile("X=0; X' = piecewise(40, time>=on && time<off, 0) - 0.05*X; on=1; off=2;\n")
    times = [0.0, start, start + width, start + width + 50.0]
    ensemble = model.ensemble({"on": start, "off": start + width}, settings=Settings(accuracy=accuracy))
    run = ensemble.simulate(times, outputs=["X"])
    end = 40 / 0.05 * -np.expm1(-0.05 * width)
    assert run.status[0] == Status.OK
    np.testing.assert_allclose(run["X"][0, 2:], [end, end * np.exp(-2.5)], rtol=10 * accuracy)


def test_deep_falls_keep_every_digit():
    """Not only what comes back: the bottom itself is right, far below a thousandth of the top."""
    model = engine.compile("N=1e12; N' = piecewise(-1.5, time<24, 0.75)*N;\n")
    run = model.ensemble(patients=1).simulate([0.0, 8.0, 16.0, 24.0], outputs=["N"])
    np.testing.assert_allclose(run["N"][0], 1e12 * np.exp(-1.5 * run.time_h), rtol=1e-5)


def test_what_is_called_small_costs_fewer_steps():
    model = engine.compile("species A=1e-6; A->; 3*A; compartment V=1; species B in V=1; B->; 5*B;\n")

    def run(smallest):
        return model.ensemble(patients=1, settings=Settings(smallest=smallest)).simulate([0.0, 20.0])

    assert run(0.0)["A"][0, 1] == pytest.approx(1e-6 * np.exp(-60), rel=1e-4)
    assert run({"A": 1e-9, "B": 1e-9}).steps[0, 0] < 0.6 * run(0.0).steps[0, 0]


def test_a_longest_step_is_kept():
    model = engine.compile("y=1; y'=-1e-6*y;\n")
    ensemble = model.ensemble(patients=1, settings=Settings(longest_step=0.5))
    assert ensemble.simulate([0.0, 100.0]).steps[0, 0] >= 200
