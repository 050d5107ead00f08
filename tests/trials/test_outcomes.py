"""What a conducted trial says of its patients: readings, intervals, landmark and exposure fit together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.trials.protocol import MONTH_DAYS, SHARE, endpoints


@pytest.fixture(scope="module")
def result():
    return trials.run("mm003", replicates=1, seed=4, counterfactual=True)


@pytest.fixture(scope="module")
def patients(result):
    return result.patients.filter(pl.col("status") == 0)


def test_a_seen_progression_lies_in_its_interval(patients):
    event = patients.filter("pfs_event")
    assert (event["pfs_right_months"] == event["pfs_months"]).all()
    progressed = event.filter(pfs_cause="progression")
    assert (progressed["pfs_left_months"] < progressed["pfs_months"]).all()
    died = event.filter(pfs_cause="death")
    assert (died["pfs_left_months"] == died["pfs_months"]).all()
    free = patients.filter(~pl.col("pfs_event"))
    assert free["pfs_right_months"].null_count() == free.height
    assert (free["pfs_left_months"] == free["pfs_months"]).all()


def test_whoever_was_measured_after_baseline_has_a_change_the_first_progressors_too(result, patients):
    read = (pl.col("response") != "") & (pl.col("response") != "NE") & (pl.col("time_days") > 0)
    seen = result.visits.filter(read).join(patients.select("patient", "pfs_months"), on="patient")
    later = seen.filter(pl.col("time_days") / MONTH_DAYS <= pl.col("pfs_months") + 1e-9)["patient"].unique()
    measured = patients.filter(pl.col("patient").is_in(later.implode()))
    assert measured["best_change_pct"].null_count() == 0
    at_once = measured.filter(best_response="PD")
    assert at_once.height > 20
    assert (at_once["best_change_pct"] > 0).mean() > 0.5
    # What has no change was never measured again: nothing but clinical signs and the ends of follow-up.
    unseen = patients.filter(pl.col("best_change_pct").is_null())
    assert set(unseen["best_response"]) <= {"NE", "PD"}
    assert unseen.height < 0.1 * patients.height


def test_disease_is_assessed_between_the_two_ends_of_no_interval(result, patients):
    progressed = patients.filter(pfs_cause="progression")
    seen = result.visits.filter(pl.col("response") != "").join(progressed, on="patient", how="inner")
    month = seen["time_days"] / MONTH_DAYS
    inside = (month > seen["pfs_left_months"] + 1e-9) & (month < seen["pfs_right_months"] - 1e-9)
    assert not inside.any()


def test_the_committee_needs_a_reason_of_its_own(patients):
    # A progression that the investigator alone saw leaves no event, even where the patient died of it.
    unseen = patients.filter(~pl.col("pfs_committee_event") & pl.col("os_event"))
    assert unseen.height
    assert (unseen["pfs_cause"] == "progression").all()
    assert (patients["pfs_committee_months"] <= patients["os_months"] + 1e-9).all()


def test_the_two_readers_differ_in_some_patients_and_agree_in_most(patients):
    both = patients.filter(pl.col("pfs_event") & pl.col("pfs_committee_event"))
    same = both["pfs_months"] == both["pfs_committee_months"]
    assert 0.5 < same.mean() < 1.0
    responses = patients["best_response"] == patients["best_response_committee"]
    assert 0.5 < responses.mean() < 1.0


def test_states_at_cycle_3_agree_with_the_patients_course(patients):
    landmark = (2 * 28 + 3) / MONTH_DAYS
    known = patients.filter(pl.col("cycle_3_state") != "left")
    assert (known["os_months"] > landmark).all()
    responded = patients.filter(cycle_3_state="response")
    assert (responded["response_months"] <= landmark).all()
    progressed = patients.filter(cycle_3_state="progression")
    assert (progressed["pfs_months"] <= landmark).all()
    assert (progressed["pfs_cause"] == "progression").all()
    assert (patients.filter(cycle_3_state="stable")["pfs_months"] > landmark - 28 / MONTH_DAYS).all()


def test_first_holds_and_reductions_are_there_where_doses_were_held_and_reduced(patients):
    held, lowered = (
        patients["first_hold_months"].is_not_null(),
        patients["first_reduction_months"].is_not_null(),
    )
    assert (held == (patients["dose_holds"] > 0)).all()
    assert (lowered == (patients["dose_reductions"] > 0)).all()
    both = patients.filter(held & lowered)
    assert (both["first_hold_months"] < both["first_reduction_months"]).all()


def test_worst_grades_are_those_of_the_lowest_counts(patients):
    severe = patients["neutropenia_grade"] >= 3
    assert (severe == (patients["lowest_anc_1e9_per_l"] < 1.0).fill_null(value=False)).all()
    pneumonia = patients["pneumonia_months"].is_not_null()
    assert (pneumonia == (patients["pneumonia_grade"] == 3)).all()


def test_grades_by_version_4_are_the_trials_own_endpoints(result):
    grades = result.grades().filter(ctcae_version=4, grade="3-4", event="neutropenia")
    own = result.endpoints.filter(endpoint="neutropenia_grade_3_4")
    assert grades.sort("arm")["events"].to_list() == own.sort("arm")["events"].to_list()


def test_the_forest_repeats_the_trial_for_all_patients(result):
    forest = result.subgroups()
    for name in ("hr_pfs", "hr_os"):
        whole = forest.filter(factor="all patients", endpoint=name)["value"].item()
        assert whole == result.endpoints.filter(endpoint=name)["value"].item()
    assert {"sex", "age_y", "creatinine_clearance_ml_per_min", "cytogenetic_risk"} <= set(forest["factor"])


def test_without_later_therapy_nobody_has_another_fate_before_it_began(patients):
    same = patients.filter(pl.col("crossover_months").is_null())
    assert (same["os_without_later_months"] == same["os_months"]).all()
    later = patients.filter(pl.col("crossover_months").is_not_null())
    assert (later["os_without_later_months"] >= later["crossover_months"] - 29 / MONTH_DAYS).all()


def test_every_rate_is_a_share_of_the_arm(result):
    shares = [endpoint.name for endpoint in endpoints() if endpoint.kind == SHARE]
    rates = result.endpoints.filter(pl.col("endpoint").is_in(shares))
    sizes = {arm.name: arm.patients for arm in result.protocol.arms}
    assert rates["n"].to_list() == [sizes[arm] for arm in rates["arm"]]
    assert np.allclose(rates["value"], 100 * rates["events"] / rates["n"])
