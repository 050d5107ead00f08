"""Adjustments for patients who change treatment equal to R's arithmetic on twenty trials.

reference/switching.json holds R's numbers with the versions; reference/switching.R is the code that made them
from reference/switching_data.json, which reference/switching_data.py wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glueprint import survival
from glueprint.survival.switching.cohort import as_cohort
from glueprint.survival.switching.rpsft import _Test

HERE = Path(__file__).parent / "reference"
DATA = json.loads((HERE / "switching_data.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((HERE / "switching.json").read_text(encoding="utf-8"))
TRIALS, ROWS = DATA["trials"], DATA["rows"]


def arrays(columns):
    return {name: np.array(values, dtype=float) for name, values in columns.items()}


def is_both(trial):
    return bool((np.isfinite(trial["switch"]) & (trial["arm"] == 1)).any())


@pytest.mark.parametrize("name", TRIALS)
@pytest.mark.parametrize("recensor", [False, True])
def test_the_test_over_psi(name, recensor):
    trial = arrays(TRIALS[name])
    cohort = as_cohort(
        *(trial[key] for key in ("time", "event", "arm", "switch")),
        both_arms=is_both(trial),
        follow_up=trial["follow_up"] if recensor else None,
    )
    z = _Test(cohort, trial["strata"].astype(np.int64), (0.0, 0.0))(np.array(REFERENCE["tried"], float))
    theirs = np.array(REFERENCE["trials"][name]["z_recensored" if recensor else "z"], dtype=float)
    np.testing.assert_allclose(z, theirs, rtol=1e-10, atol=1e-12)


def fitted(name):
    trial = arrays(TRIALS[name])
    return survival.rpsft(
        *(trial[key] for key in ("time", "event", "arm", "switch")),
        both_arms=is_both(trial),
        follow_up=trial["follow_up"],
        strata=trial["strata"],
    )


@pytest.mark.parametrize("name", TRIALS)
def test_rank_preserving_model(name):
    found, theirs = fitted(name), REFERENCE["trials"][name]
    assert found.randomised.coefficients[0] == pytest.approx(theirs["randomised"][0], rel=1e-9)
    # The test is a step function; R's grid is five times as fine and may find another of its steps at zero.
    assert found.psi == pytest.approx(theirs["psi"], abs=5e-3)


def test_nearly_all_roots_are_the_same():
    same = [abs(fitted(name).psi - REFERENCE["trials"][name]["psi"]) < 1e-7 for name in TRIALS]
    assert sum(same) >= 19


@pytest.mark.parametrize("name", [name for name in TRIALS if not name.startswith("both")])
def test_hazard_ratio_without_switches(name):
    trial, theirs = arrays(TRIALS[name]), REFERENCE["trials"][name]
    columns = (trial[key] for key in ("time", "event", "arm", "switch"))
    cohort = as_cohort(*columns, follow_up=trial["follow_up"])
    lives = _Test(cohort, None, (0.0, 0.0)).without_switches(REFERENCE["tried"][2])
    fit = survival.cox(lives.time, lives.event, trial["arm"], strata=trial["strata"])
    assert fit.coefficients[0] == pytest.approx(theirs["adjusted"][0], abs=1e-9)


@pytest.mark.parametrize("name", [name for name in TRIALS if not name.startswith("both")])
@pytest.mark.parametrize("distribution", ["weibull", "lognormal", "loglogistic"])
def test_two_stages(name, distribution):
    trial = arrays(TRIALS[name])
    psi, error, log_ratio, naive = REFERENCE["trials"][name][distribution]
    found = survival.two_stage(
        *(trial[key] for key in ("time", "event", "arm", "switch", "baseline", "covariate")),
        follow_up=trial["follow_up"],
        strata=trial["strata"],
        distribution=distribution,
    )
    assert found.psi == pytest.approx(psi, abs=1e-8)
    assert found.model.std_error[1] == pytest.approx(error, rel=1e-7)
    assert np.log(found.hazard_ratio) == pytest.approx(log_ratio, abs=1e-8)
    width = np.log(found.interval[1] / found.interval[0]) / (2 * 1.959963984540054)
    assert width > naive


@pytest.mark.parametrize("name", ROWS)
def test_weights(name):
    rows, theirs = arrays(ROWS[name]), REFERENCE["rows"][name]
    columns = (rows[key] for key in ("entry", "time", "event", "arm", "switch", "patient", "covariate"))
    found = survival.ipcw(*columns)
    assert found.switching[0] == pytest.approx(theirs["switching"], abs=1e-9)
    assert found.largest == pytest.approx(theirs["largest"], rel=1e-9)
    assert np.log(found.hazard_ratio) == pytest.approx(theirs["adjusted"][0], abs=1e-9)
    assert found.fit.std_error[0] == pytest.approx(theirs["adjusted"][1], rel=1e-9)


POOLED = json.loads((HERE / "pooled.json").read_text(encoding="utf-8"))["rows"]


@pytest.mark.parametrize("name", ROWS)
def test_weights_of_a_pooled_logistic_model(name):
    rows, theirs = arrays(ROWS[name]), POOLED[name]
    columns = (rows[key] for key in ("entry", "time", "event", "arm", "switch", "patient", "covariate"))
    found = survival.ipcw(*columns, model="logistic")
    assert found.switching[0] == pytest.approx(theirs["switching"], abs=1e-8)
    assert found.largest == pytest.approx(theirs["largest"], rel=1e-8)
    assert np.log(found.hazard_ratio) == pytest.approx(theirs["adjusted"][0], abs=1e-8)
    assert found.fit.std_error[0] == pytest.approx(theirs["adjusted"][1], rel=1e-8)
