"""Checked runs: what they report, and what they say where they cannot agree."""

from __future__ import annotations

import numpy as np
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import engine
from glueprint.cli.model import app
from glueprint.engine import Settings, Status
from glueprint.errors import InputError

LORENZ = "x=1; y=1; z=20; x'=10*(y-x); y'=x*(28-z)-y; z'=x*y-8/3*z;\n"
# A state that is pushed back wherever it goes: no step is short enough at the wall.
WALL = "y=1; y'=piecewise(-1, y>0.5, 1e9);\n"


@pytest.fixture
def call(tmp_path):
    def run(text, *args):
        path = tmp_path / "model.ant"
        path.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, ["simulate", str(path), *args], catch_exceptions=False)

    return run


def test_the_bound_holds_and_is_not_idle():
    model = engine.compile("x=0; y=1; x'=y; y'=-x;\n")
    times = np.linspace(0, 300, 31)
    run = engine.verified(model, times, patients=1, settings=Settings(accuracy=1e-6))
    error = np.abs(run["x"][0] - np.sin(times)) / np.maximum(np.abs(np.sin(times)), 1e-3)
    assert error.max() <= run.achieved[0] <= 1e-6
    assert run.achieved[0] < 1e4 * error.max()
    assert run.runs > 2


def test_equal_runs_are_not_called_exact():
    run = engine.verified(engine.compile("x=1; x'=0; y=2; y'=1;\n"), [0.0, 1.0], patients=1)
    assert 0 < run.achieved[0] <= 1e-5


def test_chaos_is_told():
    run = engine.verified(engine.compile(LORENZ), [0.0, 100.0], patients=1)
    assert run.status[0] == Status.ACCURACY_NOT_MET
    assert run.achieved[0] > 1e-5
    assert "finer runs do not agree" in run.reasons[0]


def test_every_patient_has_its_own_answer():
    model = engine.compile("x=1; x'=-k*x; k=1;\n")
    run = engine.verified(model, [0.0, 1.0], {"k": [1.0, np.nan, 2.0]})
    assert run.status.tolist() == [Status.OK, Status.BAD_START, Status.OK]
    assert np.isnan(run.achieved).tolist() == [False, True, False]


def test_the_command_checks_and_reports(call):
    out = call("x=1; x'=-x;\n", "--until", "2", "--every", "2")
    assert out.exit_code == 0
    assert "Largest relative error" in out.stdout
    told = payload(call("x=1; x'=-x;\n", "--until", "2", "--json").stdout)
    assert 0 < told["achieved_error"] <= 1e-5
    assert told["runs"] == 2
    assert "achieved_error" not in payload(
        call("x=1; x'=-x;\n", "--until", "2", "--json", "--no-verify").stdout
    )


def test_the_command_says_what_it_could_not_meet(call):
    out = call(LORENZ, "--until", "100", "--every", "100")
    assert out.exit_code == 1
    assert "The accuracy is not met: finer runs do not agree" in out.stdout


def test_smallest_and_longest_step_reach_the_solver(call):
    text = "x=1; x'=-x; y=1; y'=-2*y;\n"
    for option in (
        ["--smallest", "1e-6"],
        ["--smallest", "x=1e-6", "--smallest", "y=1e-9"],
        ["--max-step", "0.1"],
    ):
        assert call(text, "--until", "2", *option).exit_code == 0
    for option, code in (
        (["--smallest", "none"], "GP-N031"),
        (["--smallest", "-1"], "GP-N049"),
        (["--smallest", "z=1"], "GP-N010"),
        (["--max-step", "0"], "GP-N030"),
    ):
        with pytest.raises(InputError, match=code):
            call(text, "--until", "2", *option)
