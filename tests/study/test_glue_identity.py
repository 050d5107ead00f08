"""Pomalidomide measured as if it were new, with itself as reference, comes out in patients as itself."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from benchmarks.glue_identity import Pair, compared, measured, new_trials, reference_trials
from benchmarks.glue_outcomes import ENDPOINTS

PATIENTS, REPLICATES, SEED = 30, 24, 1
ERRORS = (0.03, 0.2, 0.6)


@pytest.fixture(scope="module")
def reference():
    return reference_trials(REPLICATES, PATIENTS, SEED)


@pytest.fixture(scope="module")
def rows(reference):
    """What is compared, by the error of the measured numbers."""
    beside, old = reference
    return {
        error: compared(Pair(new_trials(measured(error), beside, PATIENTS, SEED), old), PATIENTS)
        for error in ERRORS
    }


def test_a_ratio_of_one_is_the_references_trial_to_the_last_patient(reference):
    beside, old = reference
    found = measured(0.05)
    exact = [name for name in found.draws.columns if name == "kd_ratio" or name.startswith("efficacy:")]
    known = replace(found, draws=found.draws.with_columns(pl.lit(1.0).alias(name) for name in exact))
    few = replace(beside, values=beside.values[:4])
    new = new_trials(known, few, PATIENTS, SEED)
    assert all(new[name].tolist() == old[name][:4].tolist() for name in ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_centre_is_the_references(rows, endpoint):
    assert rows[ERRORS[0]][endpoint]["centre_ratio"] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_width_is_the_references_and_what_the_measured_ratio_moves(rows, endpoint):
    # With the smallest error a patient or two differ in a few trials: their number says what chance may do.
    for error in ERRORS:
        row = rows[error][endpoint]
        free = row["variance_by_chance"]
        assert row["sd_new"] ** 2 == pytest.approx(row["sd_explained"] ** 2, abs=free)
    assert rows[ERRORS[2]][endpoint]["sd_new"] > 0.97 * rows[ERRORS[2]][endpoint]["sd_reference"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_wider_measurement_gives_a_wider_trial(rows, endpoint):
    """Trial by trial, as the same patients leave chance out; the SD of all trials is in the benchmark."""
    moved = [rows[error][endpoint]["sd_of_difference"] for error in ERRORS]
    assert 0.0 < moved[0] < moved[1] < moved[2]
