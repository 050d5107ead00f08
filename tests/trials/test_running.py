"""Whole virtual trials: determinism, tables that agree, no effect where there is none, failures counted."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.errors import EnvironmentProblemError
from glueprint.trials.analysis.tables import patients_table
from glueprint.trials.conduct import response
from glueprint.trials.conduct.conducting import conduct
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population
from glueprint.trials.protocol.document import FollowUp
from glueprint.trials.protocol.loading import protocol_from_text
from glueprint.trials.protocol.schedule import MONTH_DAYS
from glueprint.trials.result import TYPICAL

MM003 = trials.load_protocol("mm003")
ARMS = [arm.name for arm in MM003.arms]
NOTHING_MISSED = trials.ParameterDraws(("missed_dose_share",), np.array([[1e-12]]))


def small(protocol=MM003, sizes=(40, 20)):
    return protocol.model_copy(
        update={
            "arms": tuple(
                arm.model_copy(update={"patients": size})
                for arm, size in zip(protocol.arms, sizes, strict=True)
            )
        }
    )


@pytest.fixture(scope="module")
def result():
    return trials.run(MM003, replicates=2, seed=1)


def test_same_seed_same_bits(result):
    again = trials.run(MM003, replicates=2, seed=1)
    for name, table in result.tables().items():
        assert table.equals(again.tables()[name]), name


def test_workers_do_not_change_a_bit():
    one = trials.run(small(), replicates=3, seed=4)
    two = trials.run(small(), replicates=3, seed=4, workers=2)
    for name, table in one.tables().items():
        assert table.equals(two.tables()[name]), name


def test_a_replicate_does_not_depend_on_how_many_are_run(result):
    alone = trials.run(MM003, replicates=1, seed=1)
    assert alone.patients.equals(result.patients.filter(pl.col("replicate") == 1))


def test_another_seed_gives_other_patients():
    assert not trials.run(small(), seed=1).patients.equals(trials.run(small(), seed=2).patients)


def test_progress_rises_to_one():
    shares = []
    trials.run(small(), replicates=2, seed=1, progress=shares.append)
    assert shares[-1] == 1.0
    assert all(a <= b for a, b in pairwise(shares))


def test_every_patient_is_there_and_every_integration_succeeded(result):
    assert (
        result.patients.group_by("replicate", "arm").len().sort("replicate", "len")["len"].to_list()
        == [
            153,
            302,
        ]
        * 2
    )
    assert result.failed == 0
    assert result.summary()["failed"] == 0


def test_times_are_consistent(result):
    patients = result.patients
    assert (patients["pfs_months"] <= patients["os_months"] + 1e-9).all()
    assert (patients["pfs_true_months"] <= patients["os_months"] + 1e-9).all()
    assert (patients["os_months"] <= MM003.follow_up.maximum_months).all()
    seen = patients.filter(pl.col("dor_months").is_not_null())
    gap = (seen["response_months"] + seen["dor_months"] - seen["pfs_months"]).abs().max()
    assert gap < 1e-9
    assert set(seen["best_response"]) <= {"PR", "VGPR", "CR"}
    assert patients.filter(pl.col("best_response").is_in(["PR", "VGPR", "CR"])).height == seen.height


def test_a_death_without_progression_ends_progression_free_survival(result):
    died = result.patients.filter(pl.col("os_event") & (pl.col("off_treatment_reason") == "death"))
    assert died.height
    assert died["pfs_event"].all()
    assert (died["pfs_months"] - died["os_months"]).abs().max() < 1e-9


def test_progression_seen_online_is_that_of_the_response_kernel():
    stream = Stream(3, "mm003", 1)
    people = draw_population(MM003, stream)
    done = conduct(MM003, people, stream)
    marker = [[] for _ in range(people.size)]
    days = [[] for _ in range(people.size)]
    for log in done.visits:
        for row in np.flatnonzero(log.assessment & (log.line == 0)):
            marker[log.patient[row]].append(log.labs.m_protein_g_per_l[row])
            days[log.patient[row]].append(log.day[row])
    judged = 0
    for patient in range(people.size):
        found = response.progression(np.array([marker[patient]])).column[0]
        seen = done.ward.disease.seen_progression_day[patient]
        clinical = done.ward.disease.clinical_day[patient]
        if found >= 0 and not clinical < seen:
            judged += 1
            assert days[patient][found] == seen
        elif np.isinf(clinical):
            assert np.isinf(seen)
    assert judged > 100


def test_clinical_progression_is_seen_at_the_next_visit():
    stream = Stream(3, "mm003", 1)
    ward = conduct(MM003, draw_population(MM003, stream), stream).ward
    clinical = np.isfinite(ward.disease.clinical_day)
    noticed = np.where(
        np.isfinite(ward.disease.seen_progression_day),
        ward.disease.seen_progression_day,
        ward.follow_up.end_day,
    )
    longest = MM003.visits.then_every_days + 2 * MM003.visits.window_days
    assert clinical.any()
    assert (noticed[clinical] - ward.disease.clinical_day[clinical]).max() <= longest


def test_no_dose_is_given_while_held_and_less_is_given_after_a_reduction(result):
    visits = result.visits.filter(pl.col("arm") == ARMS[0])
    assert (visits.filter(pl.col("action").is_in(["hold", "held"]))["dose_mg"] == 0).all()
    assert set(visits.filter(pl.col("action") == "resume lower")["dose_mg"]) <= {3.0, 2.0, 1.0}
    assert visits.filter(pl.col("action") == "hold").height > 0
    held = result.patients.filter((pl.col("arm") == ARMS[0]) & (pl.col("dose_holds") > 0))
    assert held["relative_dose_intensity"].min() < 1
    # Without holds or reductions only forgotten doses are left out: 3 % of them.
    never = result.patients.filter(pl.col("arm") == ARMS[1])["relative_dose_intensity"]
    assert never.max() == 1
    assert never.mean() == pytest.approx(0.97, abs=0.01)


def test_label_visits_weekly_then_monthly(result):
    visits = result.visits.filter((pl.col("replicate") == 1) & (pl.col("period") == "treatment"))
    early = visits.filter(pl.col("time_days") < 56).group_by("patient").len()["len"]
    assert early.max() >= 8
    window = MM003.visits.window_days
    planned = [7 * week for week in range(9)] + [28 * month for month in range(3, 30)]
    quiet = visits.filter(pl.col("arm") == ARMS[1])["time_days"].to_numpy()
    off = np.abs(quiet[:, None] - np.array(planned)).min(axis=1)
    # Repeat samples a week after a suspected progression are the only visits outside the windows.
    assert (off <= window).mean() > 0.95


@pytest.mark.parametrize("number", [0, 1])
def test_what_follows_progression_begins_after_its_delay(result, number):
    plan = MM003.arms[number].after_progression
    mine = result.patients.filter(pl.col("arm") == ARMS[number])
    crossed = mine.filter(pl.col("crossover_months").is_not_null())
    assert crossed["pfs_event"].all()
    # Treatment that ended earlier, for toxicity, leaves a longer gap.
    crossed = crossed.filter(pl.col("off_treatment_reason") == "progression")
    delay = plan.delay_days / MONTH_DAYS
    assert (crossed["crossover_months"] - crossed["off_treatment_months"] - delay).abs().max() < 1e-9
    progressed = mine.filter(pl.col("off_treatment_reason") == "progression").height
    assert 0.5 * plan.share_of_progressed < crossed.height / progressed <= plan.share_of_progressed + 0.1


def test_identical_arms_have_no_effect():
    twin = MM003.arms[0]
    arms = (
        twin.model_copy(update={"name": "A", "patients": 150}),
        twin.model_copy(update={"name": "B", "patients": 100}),
    )
    plan = MM003.randomisation.model_copy(update={"ratio": (1, 1), "blocks_of": 4})
    result = trials.run(
        MM003.model_copy(update={"arms": arms, "randomisation": plan, "name": "null"}), replicates=5, seed=2
    )
    found = result.endpoints.filter(pl.col("endpoint") == "hr_pfs")
    # log HR has standard error 2/sqrt(events) ~ 0.17 a trial, 0.08 over five.
    assert abs(found["value"].log().mean()) < 0.25
    assert (found["p_value"] > 1e-3).all()


def test_a_patient_that_cannot_be_computed_is_counted_and_left_out():
    stream = Stream(1, "mm003", 1)
    done = conduct(small(), draw_population(small(), stream), stream)
    done.ward.follow_up.failure[3] = "the step became too small"
    table = patients_table(small(), done, 1)
    assert table.filter(pl.col("patient") == 3).select("status", "reason").row(0) == (
        1,
        "the step became too small",
    )
    assert (table["status"] != 0).sum() == 1


def test_tables_as_pandas_or_why_not(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EnvironmentProblemError, match="GP-N090"):
        result.to_pandas()

    class Frames:
        DataFrame = dict

    monkeypatch.setitem(sys.modules, "pandas", Frames)
    frames = result.to_pandas()
    assert list(frames) == list(result.tables())
    assert frames["endpoints"] == result.endpoints.to_dict(as_series=False)


def test_the_summary_has_what_a_trial_reports(result):
    summary = result.summary()
    assert summary["label"] == result.label == TYPICAL
    assert len(summary["replicates"]) == 2
    for part in (summary["replicates"][0]["arms"], summary["over_replicates"]):
        assert {"orr", "median_pfs", "median_os", "neutropenia_grade_3_4"} <= part[ARMS[0]].keys()
        assert {"hr_pfs", "hr_os"} <= part[f"{ARMS[0]} vs {ARMS[1]}"].keys()
    assert {"n", "low", "high", "p_value"} <= summary["replicates"][0]["arms"][ARMS[0]]["orr"].keys()


def test_a_trial_is_called_what_its_draws_are(result):
    """No name of a trial makes its numbers calibrated: what they were drawn from says so."""
    assert "without their uncertainty" in result.label
    assert trials.run(small(), seed=1).label == result.label
    drawn = trials.ParameterDraws(("growth_per_d",), np.array([[0.02]]), label="predicted")
    assert trials.run(small(), seed=1, draws=drawn).label == "predicted"


def test_the_template_runs():
    protocol = protocol_from_text(trials.template(), where="template")
    result = trials.run(small(protocol, (12, 12)), seed=1)
    assert result.patients.height == 24
    assert set(result.patients["arm"]) == {"POM 4 mg", "POM 2 mg"}


def test_one_arm_on_a_fixed_dose_and_one_follow_up():
    plan = protocol_from_text(trials.template(), where="template")
    drug = plan.arms[0].drugs[0].model_copy(update={"rules": "none", "dose_mg": 3.0})
    arm = plan.arms[0].model_copy(update={"patients": 16, "drugs": (drug,)})
    alone = plan.model_copy(
        update={
            "arms": (arm,),
            "randomisation": plan.randomisation.model_copy(update={"ratio": (1,)}),
            "follow_up": FollowUp(minimum_months=6, median_months=6, maximum_months=6, assumed="test"),
        }
    )
    result = trials.run(alone, seed=1, draws=NOTHING_MISSED)
    assert set(result.endpoints["arm"]) == {"POM 4 mg"}
    assert set(result.visits.filter(pl.col("period") == "treatment")["dose_mg"]) == {3.0}
    assert result.patients["os_months"].max() <= 6
    assert (result.patients["relative_dose_intensity"] == 1).all()


def test_arms_without_a_glue():
    plan = small(sizes=(10, 10))
    dex = plan.arms[1].model_copy(update={"after_progression": None})
    arms = (dex.model_copy(update={"name": "A"}), dex.model_copy(update={"name": "B"}))
    result = trials.run(plan.model_copy(update={"arms": arms}), seed=1)
    assert result.patients["crossover_months"].null_count() == 20
    assert (result.patients["dose_holds"] == 0).all()
