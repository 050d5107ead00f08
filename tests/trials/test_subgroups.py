"""Subgroups against the survival kernels and formulae by hand, and trials without an interaction."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from glueprint.survival import cox
from glueprint.trials import load_protocol
from glueprint.trials.analysis.subgroups import subgroups_table

MM003 = load_protocol("mm003")
FIRST, SECOND = (arm.name for arm in MM003.arms)


def trial_patients(seed=1, n=400, interaction=0.0):
    """Patients whose hazard of progression depends on arm, and on sex within the arm."""
    rng = np.random.default_rng(seed)
    treated = np.arange(n) % 3 < 2
    female = rng.uniform(size=n) < 0.5
    hazard = 0.3 * np.exp(-0.7 * treated + interaction * treated * female + 0.3 * female)
    pfs, cut = rng.exponential(1 / hazard), rng.uniform(3, 12, n)
    response = np.where(rng.uniform(size=n) < np.where(treated, 0.35, 0.12), "PR", "SD")
    return pl.DataFrame(
        {
            "trial": "mm003",
            "replicate": 1,
            "arm": np.where(treated, FIRST, SECOND),
            "status": (np.arange(n) % 50 == 0).astype(np.int64),
            "stratum": 0,
            "sex": np.where(female, "female", "male"),
            "age_y": rng.integers(40, 86, n).astype(float),
            "creatinine_clearance_ml_per_min": rng.uniform(30, 120, n),
            "prior_lines": rng.integers(2, 8, n).astype(float),
            "iss_stage": rng.integers(1, 4, n).astype(float),
            "cytogenetic_risk": "standard",
            "best_response": response,
            "pfs_months": np.minimum(pfs, cut),
            "pfs_event": pfs <= cut,
            "os_months": np.minimum(3 * pfs, cut),
            "os_event": 3 * pfs <= cut,
        }
    )


PATIENTS = trial_patients()
USABLE = PATIENTS.filter(pl.col("status") == 0)
TABLE = subgroups_table(MM003, PATIENTS)


def rows(factor, endpoint, table=TABLE):
    return table.filter((pl.col("factor") == factor) & (pl.col("endpoint") == endpoint))


def test_levels_are_named_in_order_and_hold_everybody_once():
    hazard = rows("age_y", "hr_pfs")
    assert hazard["level"].to_list() == ["<65", "65 to <75", ">=75"]
    assert hazard["n"].sum() == USABLE.height
    assert rows("iss_stage", "hr_os")["level"].to_list() == ["1", "2", "3"]
    assert hazard["n"].to_list()[1] == USABLE.filter(pl.col("age_y").is_between(65, 75, closed="left")).height


def test_a_factor_with_one_level_or_none_is_left_out():
    assert not rows("cytogenetic_risk", "hr_pfs").height
    assert not rows("disease_population", "hr_pfs").height


@pytest.mark.parametrize("sex", ["female", "male"])
def test_hazard_ratios_within_a_level_are_those_of_its_patients_alone(sex):
    part = USABLE.filter(pl.col("sex") == sex)
    treated = (part["arm"] == FIRST).to_numpy().astype(float)
    ratio = cox(part["pfs_months"].to_numpy(), part["pfs_event"].to_numpy(), treated).hazard_ratio[0]
    found = rows("sex", "hr_pfs").filter(pl.col("level") == sex)
    assert found["value"].item() == ratio
    assert found["arm"].item() == f"{FIRST} vs {SECOND}"


def test_response_of_each_arm_is_a_count_with_an_exact_interval():
    part = USABLE.filter((pl.col("sex") == "male") & (pl.col("arm") == SECOND))
    count = part.filter(pl.col("best_response") == "PR").height
    found = rows("sex", "orr").filter((pl.col("level") == "male") & (pl.col("arm") == SECOND))
    exact = stats.binomtest(count, part.height).proportion_ci(method="exact")
    assert found["low"].item() == pytest.approx(100 * exact.low)
    assert found["high"].item() == pytest.approx(100 * exact.high)


def test_woolfs_test_of_one_odds_ratio_by_hand():
    logs, weights = [], []
    for level in ("female", "male"):
        part = USABLE.filter(pl.col("sex") == level)
        treated, yes = (part["arm"] == FIRST).to_numpy(), (part["best_response"] == "PR").to_numpy()
        table = np.array([[(yes & side).sum(), (~yes & side).sum()] for side in (treated, ~treated)]) + 0.5
        logs.append(np.log(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0])))
        weights.append(1 / (1 / table).sum())
    # Two levels: the statistic is the squared difference over the sum of the variances.
    chi2 = (logs[0] - logs[1]) ** 2 / (1 / weights[0] + 1 / weights[1])
    found = rows("sex", "orr_odds_ratio")["p_interaction"]
    assert found.to_list() == pytest.approx([stats.chi2.sf(chi2, 1)] * 2)


def test_an_interaction_that_is_there_is_found_and_one_that_is_not_is_as_rare_as_it_should():
    there = subgroups_table(MM003, trial_patients(seed=2, interaction=1.5))
    assert rows("sex", "hr_pfs", there)["p_interaction"][0] < 1e-3
    p_values = [
        rows("sex", "hr_pfs", subgroups_table(MM003, trial_patients(seed, n=200)))["p_interaction"][0]
        for seed in range(100, 160)
    ]
    # 60 trials without interaction: a uniform p value; the limit is that of the exact test at 1e-3.
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


def test_one_arm_has_no_comparison():
    alone = MM003.model_copy(update={"arms": MM003.arms[:1]})
    table = subgroups_table(alone, PATIENTS.filter(pl.col("arm") == FIRST))
    assert table["endpoint"].unique().to_list() == ["orr"]


def test_a_level_without_events_or_without_one_arm_is_empty_and_no_error():
    few = PATIENTS.with_columns(
        pfs_event=pl.col("pfs_event") & (pl.col("sex") == "male"),
        best_response=pl.when(pl.col("sex") == "male").then(pl.col("best_response")).otherwise(pl.lit("SD")),
    ).filter((pl.col("age_y") < 75) | (pl.col("arm") == FIRST))
    table = subgroups_table(MM003, few)
    assert rows("sex", "hr_pfs", table).filter(pl.col("level") == "female")["value"].item() is None
    assert rows("age_y", "hr_pfs", table).filter(pl.col("level") == ">=75")["value"].item() is None
