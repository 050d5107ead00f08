"""Endpoints against hand counts, the survival kernels and scipy."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from glueprint.survival import cox, cumulative_incidence, kaplan_meier, log_rank, rmst
from glueprint.trials import load_protocol
from glueprint.trials.analysis.endpoints import endpoints_table, survival_curves_table
from glueprint.trials.protocol import content_of, label_of, reported

MM003 = load_protocol("mm003")
ARMS = [arm.name for arm in MM003.arms]


def made_up_patients(n=120, seed=1):
    """Patients with known times; every tenth failed, and must not count."""
    rng = np.random.default_rng(seed)
    arm = np.where(np.arange(n) % 3 < 2, ARMS[0], ARMS[1])
    pfs = rng.exponential(np.where(arm == ARMS[0], 5.0, 2.5))
    survival = pfs + rng.exponential(8.0, n)
    cut = rng.uniform(4, 20, n)
    response = rng.choice(["CR", "VGPR", "PR", "MR", "SD", "PD", "NE"], n)
    responder = np.isin(response, ["CR", "VGPR", "PR"])
    later = np.minimum(pfs + 1, cut)
    return pl.DataFrame(
        {
            "trial": "mm003",
            "replicate": 1,
            "arm": arm,
            "status": (np.arange(n) % 10 == 0).astype(np.int64),
            "stratum": np.arange(n) % 4,
            "best_response": response,
            "response_months": np.where(responder, 1.0, None).astype(float),
            "dor_months": np.where(responder, np.minimum(pfs, cut), np.nan),
            "dor_event": responder & (pfs <= cut),
            "pfs_months": np.minimum(pfs, cut),
            "pfs_event": pfs <= cut,
            "pfs_cause": np.where(pfs <= cut, rng.choice(["progression", "death"], n, p=[0.8, 0.2]), ""),
            "pfs_left_months": np.where(pfs <= cut, 0.8 * pfs, cut),
            "pfs_right_months": np.where(pfs <= cut, pfs, np.nan),
            "pfs_committee_months": later,
            "pfs_committee_event": pfs + 1 <= cut,
            "best_response_committee": rng.permutation(response),
            "cycle_3_state": rng.choice(["left", "progression", "stable", "response"], n),
            "os_months": np.minimum(survival, cut),
            "os_event": survival <= cut,
            "neutropenia_grade": rng.integers(0, 5, n),
            "anaemia_grade": rng.integers(0, 4, n),
            "thrombocytopenia_grade": rng.integers(0, 5, n),
            "pneumonia_grade": np.where(rng.uniform(size=n) < 0.1, 3, 0),
            "pneumonia_months": np.where(rng.uniform(size=n) < 0.2, 0.3 * np.minimum(pfs, cut), np.nan),
            "first_hold_months": np.where(rng.uniform(size=n) < 0.5, 0.2 * pfs, np.nan),
            "first_reduction_months": np.where(rng.uniform(size=n) < 0.3, 0.3 * pfs, np.nan),
            "days_on_drug": rng.integers(1, 300, n),
            "off_treatment_months": np.where(pfs <= cut, np.minimum(pfs, cut), np.nan),
            "dose_holds": rng.integers(0, 3, n),
            "dose_reductions": rng.integers(0, 2, n),
            "off_treatment_reason": rng.choice(["", "progression", "toxicity"], n),
            "crossover_months": np.where(rng.uniform(size=n) < 0.2, 6.0, np.nan),
            "relative_dose_intensity": rng.uniform(0.5, 1, n),
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


PATIENTS = made_up_patients()
USABLE = PATIENTS.filter(pl.col("status") == 0)
TABLE = endpoints_table(MM003, PATIENTS)


def of(arm, endpoint):
    return TABLE.row(by_predicate=(pl.col("arm") == arm) & (pl.col("endpoint") == endpoint), named=True)


def times(frame, name):
    return frame[f"{name}_months"].to_numpy(), frame[f"{name}_event"].to_numpy()


@pytest.mark.parametrize("arm", ARMS)
def test_response_rate_is_a_count_with_scipys_exact_interval(arm):
    part = USABLE.filter(pl.col("arm") == arm)
    count = part.filter(pl.col("best_response").is_in(["CR", "VGPR", "PR"])).height
    row = of(arm, "orr")
    exact = stats.binomtest(count, part.height).proportion_ci(method="exact")
    assert (row["events"], row["n"], row["unit"]) == (count, part.height, "%")
    assert row["value"] == pytest.approx(100 * count / part.height)
    assert (row["low"], row["high"]) == pytest.approx((100 * exact.low, 100 * exact.high), rel=1e-9)


@pytest.mark.parametrize("name", ["pfs", "os"])
@pytest.mark.parametrize("arm", ARMS)
def test_medians_are_those_of_the_survival_kernel(arm, name):
    curve = kaplan_meier(*times(USABLE.filter(pl.col("arm") == arm), name))
    row = of(arm, f"median_{name}")
    got = [math.nan if row[key] is None else row[key] for key in ("value", "low", "high")]
    assert got == pytest.approx([curve.median, *curve.median_interval], nan_ok=True)


@pytest.mark.parametrize("name", ["pfs", "os"])
@pytest.mark.parametrize("stratified", [False, True])
def test_hazard_ratios_are_those_of_the_survival_kernel(name, stratified):
    time, event = times(USABLE, name)
    first = (USABLE["arm"] == ARMS[0]).to_numpy().astype(float)
    strata = USABLE["stratum"].to_numpy() if stratified else None
    row = of(" vs ".join(ARMS), f"hr_{name}_stratified" if stratified else f"hr_{name}")
    assert row["value"] == cox(time, event, first, strata=strata).hazard_ratio[0]
    assert row["p_value"] == log_rank(time, event, first, strata=strata).p_value
    assert row["low"] < row["value"] < row["high"]


def test_a_better_first_arm_has_a_hazard_ratio_below_one():
    assert of(" vs ".join(ARMS), "hr_pfs")["value"] < 1


def test_odds_ratio_by_hand():
    counts = [
        (
            (part := USABLE.filter(pl.col("arm") == arm))
            .filter(pl.col("best_response").is_in(["CR", "VGPR", "PR"]))
            .height,
            part.height,
        )
        for arm in ARMS
    ]
    (a, n), (c, m) = counts
    row = of(" vs ".join(ARMS), "orr_odds_ratio")
    assert row["value"] == pytest.approx(a * (m - c) / (c * (n - a)))
    assert row["p_value"] == pytest.approx(stats.fisher_exact([[a, n - a], [c, m - c]]).pvalue)


def test_every_endpoint_is_named_and_unknown_names_do_not_appear():
    without = {name for name, row in reported().items() if row.endpoint.optional}
    assert {"median_os_without_later", "hr_pfs2", "infection_grade_3_4"} <= without
    assert set(TABLE["endpoint"]) == set(reported()) - without
    # The registry says in which unit each row is.
    units = TABLE.select("endpoint", "unit").unique()
    assert dict(units.iter_rows()) == {name: reported()[name].unit for name in units["endpoint"]}
    assert TABLE.null_count()["method"].item() == 0


def test_no_responder_and_no_event_give_empty_cells_and_no_error():
    nobody = PATIENTS.with_columns(
        best_response=pl.lit("SD"),
        response_months=pl.lit(None, pl.Float64),
        dor_months=pl.lit(None, pl.Float64),
        dor_event=pl.lit(False),
        os_event=pl.lit(False),
    )
    table = endpoints_table(MM003, nobody)
    empty = ["median_response_months", "median_dor", "median_os", "hr_os", "hr_os_cycle_3_progression"]
    values = table.filter(pl.col("endpoint").is_in(empty))["value"]
    assert values.null_count() == values.len() == 9


def test_curves_are_those_of_the_survival_kernel():
    curves = survival_curves_table(MM003, PATIENTS)
    part = curves.filter((pl.col("arm") == ARMS[1]) & (pl.col("endpoint") == "pfs"))
    curve = kaplan_meier(*times(USABLE.filter(pl.col("arm") == ARMS[1]), "pfs"))
    assert part["time_months"].to_list() == curve.times.tolist()
    assert part["survival"].to_list() == curve.survival.tolist()
    assert part["at_risk"].to_list() == curve.at_risk.tolist()
    assert set(curves["endpoint"]) == {"pfs", "pfs_committee", "os", "dor", "ttp", "ttnt"}


@pytest.mark.parametrize("arm", ARMS)
def test_the_response_split_holds_everybody_once(arm):
    split = [
        "complete_response",
        "very_good_partial_response",
        "partial_response",
        "minimal_response",
        "stable_disease",
        "progressive_disease",
        "not_evaluable",
    ]
    assert sum(of(arm, name)["events"] for name in split) == of(arm, "orr")["n"]
    assert sum(of(arm, name)["events"] for name in split[:3]) == of(arm, "orr")["events"]


@pytest.mark.parametrize("month", [6, 12])
@pytest.mark.parametrize("name", ["pfs", "os"])
def test_survival_at_a_month_is_the_curve_there(name, month):
    curve = kaplan_meier(*times(USABLE.filter(pl.col("arm") == ARMS[0]), name))
    step = np.searchsorted(curve.times, month, side="right") - 1
    row = of(ARMS[0], f"{name}_at_{month}_months")
    expected = [100 * curve.survival[step], 100 * curve.low[step], 100 * curve.high[step]]
    assert [row["value"], row["low"], row["high"]] == pytest.approx(expected)


def test_curves_are_read_at_the_months_of_the_protocol():
    plan = MM003.model_copy(update={"landmark_months": (3.0, 7.5, 18.0)})
    table = endpoints_table(plan, PATIENTS)
    landmarks = set(table["endpoint"].filter(table["endpoint"].str.contains("_at_")))
    months = ("3", "7.5", "18")
    assert landmarks == {f"{name}_at_{month}_months" for name in ("pfs", "os") for month in months}
    part = USABLE.filter(pl.col("arm") == ARMS[0])
    share = kaplan_meier(*times(part, "os")).at([7.5])[0]
    row = table.filter(arm=ARMS[0], endpoint="os_at_7.5_months")
    assert row["value"].item() == pytest.approx(100 * share)
    assert label_of("os_at_7.5_months") == "Overall survival at 7.5 months"
    # What is read off the curves decides nobody's fate: the trial stays the one that it is.
    assert content_of(plan) == content_of(MM003)


def test_restricted_means_and_their_difference():
    one, other = (rmst(*times(USABLE.filter(pl.col("arm") == arm), "os"), 12.0) for arm in ARMS)
    assert of(ARMS[0], "rmst_os_12_months")["value"] == pytest.approx(one.value)
    row = of(" vs ".join(ARMS), "rmst_difference_os_12_months")
    spread = math.hypot(one.std_error, other.std_error)
    assert row["value"] == pytest.approx(one.value - other.value)
    assert row["high"] - row["low"] == pytest.approx(2 * stats.norm.ppf(0.975) * spread)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(row["value"]) / spread))


def test_a_mean_beyond_follow_up_is_empty():
    short = PATIENTS.with_columns(pl.col("os_months", "pfs_months").clip(0, 11))
    table = endpoints_table(MM003, short.with_columns(os_event=pl.lit(False)))
    assert table.filter(pl.col("endpoint").str.starts_with("rmst_os"))["value"].null_count() == 2
    assert table.filter(pl.col("endpoint") == "os_at_12_months")["value"].null_count() == 2


def test_competing_causes_are_those_of_the_survival_kernel():
    part = USABLE.filter(pl.col("arm") == ARMS[0])
    cause = part["pfs_cause"].replace_strict({"": 0, "progression": 1, "death": 2}).to_numpy()
    found = cumulative_incidence(part["pfs_months"].to_numpy(), cause)
    step = np.searchsorted(found.times, 6.0, side="right") - 1
    for column, name in enumerate(("progression", "death_without_progression")):
        row = of(ARMS[0], f"{name}_by_6_months")
        assert row["value"] == pytest.approx(100 * found.incidence[step, column])
        assert row["events"] == (cause == column + 1).sum()


def test_pneumonia_competes_with_the_end_of_the_time_at_risk():
    # Four patients at risk; one has pneumonia at 1 month, after one left treatment at 0.05 + 28 days.
    few = PATIENTS.filter(pl.col("status") == 0).head(4)
    few = few.with_columns(
        arm=pl.lit(ARMS[0]),
        os_months=pl.lit(8.0),
        os_event=pl.lit(False),
        pneumonia_months=pl.Series([1.0, None, None, None]),
        off_treatment_months=pl.Series([None, 0.05, None, None]),
    )
    table = endpoints_table(MM003, few)
    row = table.row(
        by_predicate=(pl.col("arm") == ARMS[0]) & (pl.col("endpoint") == "pneumonia_by_6_months"), named=True
    )
    assert row["value"] == pytest.approx(25.0)
    assert row["events"] == 1


@pytest.mark.parametrize("state", ["response", "progression"])
def test_survival_by_state_at_cycle_3_is_against_stable_disease(state):
    part = USABLE.filter((pl.col("arm") == ARMS[0]) & pl.col("cycle_3_state").is_in([state, "stable"]))
    ratio = cox(*times(part, "os"), (part["cycle_3_state"] == state).to_numpy().astype(float))
    assert of(ARMS[0], f"hr_os_cycle_3_{state}")["value"] == ratio.hazard_ratio[0]
    alone = part.filter(pl.col("cycle_3_state") == state)
    assert of(ARMS[0], f"median_os_cycle_3_{state}")["value"] == kaplan_meier(*times(alone, "os")).median


def test_patients_who_improve_after_cycle_3():
    stable = USABLE.filter((pl.col("arm") == ARMS[1]) & (pl.col("cycle_3_state") == "stable"))
    row = of(ARMS[1], "cycle_3_stable_improved_by_cycle_7")
    improved = stable.filter(pl.col("response_months") <= (6 * 28 + 3) / 30.4375).height
    assert (row["events"], row["n"]) == (improved, stable.height)


def test_times_to_the_first_hold_are_weeks_among_those_held():
    part = USABLE.filter(pl.col("arm") == ARMS[0])["first_hold_months"].drop_nulls()
    row = of(ARMS[0], "time_to_first_interruption")
    assert row["value"] == pytest.approx(part.median() * 30.4375 / 7)
    assert (row["unit"], row["n"]) == ("weeks", part.len())


def test_the_interval_median_lies_before_the_one_by_visits():
    row = of(ARMS[0], "median_pfs_interval")
    assert 0.7 * of(ARMS[0], "median_pfs")["value"] < row["value"] < of(ARMS[0], "median_pfs")["value"]
    assert row["events"] == of(ARMS[0], "median_pfs")["events"]
    assert (row["low"], row["interval_kind"]) == (None, "")


def test_treatment_that_goes_on_is_censored():
    part = USABLE.filter(pl.col("arm") == ARMS[0])
    off = part["off_treatment_months"]
    months = np.where(off.is_null(), part["os_months"], off.fill_null(np.inf))
    row = of(ARMS[0], "median_treatment")
    assert row["value"] == pytest.approx(kaplan_meier(months, off.is_not_null().to_numpy()).median)


def test_survival_without_later_therapy_is_reported_where_it_was_run():
    assert not TABLE.filter(pl.col("endpoint").str.contains("without_later")).height
    lived = PATIENTS.with_columns(
        os_without_later_months=pl.col("pfs_months"), os_without_later_event=pl.col("pfs_event")
    )
    table = endpoints_table(MM003, lived)
    medians = table.filter(pl.col("endpoint").is_in(["median_pfs", "median_os_without_later"]))
    assert medians.filter(pl.col("arm") == ARMS[0])["value"].n_unique() == 1
    assert "os_without_later" in survival_curves_table(MM003, lived)["endpoint"]


def test_an_arm_without_a_usable_patient_is_empty_and_no_error():
    table = endpoints_table(
        MM003,
        PATIENTS.with_columns(status=pl.when(pl.col("arm") == ARMS[1]).then(1).otherwise(pl.col("status"))),
    )
    alone = table.filter(pl.col("arm") == ARMS[1])
    assert set(alone["n"]) == {0}
    assert alone["value"].null_count() == alone.height
    assert table.filter(pl.col("endpoint") == "hr_os")["value"].item() is None


def test_time_to_progression_censors_deaths_without_one():
    part = USABLE.filter(pl.col("arm") == ARMS[0])
    progressed = (part["pfs_cause"] == "progression").to_numpy()
    assert 0 < progressed.sum() < part["pfs_event"].sum()
    curve = kaplan_meier(part["pfs_months"].to_numpy(), progressed)
    assert of(ARMS[0], "median_ttp")["value"] == pytest.approx(curve.median, nan_ok=True)
    assert of(ARMS[0], "median_ttp")["events"] == progressed.sum()
    first = (USABLE["arm"] == ARMS[0]).to_numpy().astype(float)
    every = (USABLE["pfs_cause"] == "progression").to_numpy()
    ratio = cox(USABLE["pfs_months"].to_numpy(), every, first).hazard_ratio[0]
    assert of(" vs ".join(ARMS), "hr_ttp")["value"] == ratio
