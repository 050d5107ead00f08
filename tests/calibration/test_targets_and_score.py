"""Which claims are targets, and the distance of a simulated trial from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from scipy import stats

from glueprint import survival
from glueprint.calibration import clinical_targets, score
from glueprint.calibration.score import (
    log_hazard_ratio_error,
    log_median_error,
    printed_log_error,
    rate_error,
)
from glueprint.errors import InputError


@dataclass(frozen=True)
class TrialClaim:
    id: str
    trial: str
    arm: str
    endpoint: str
    value: float | None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    unit: str = "%"
    subgroup: str = ""
    analysis: str = ""
    interval_kind: str = "ci95"
    quantity: str = ""
    compound: str = "pomalidomide"
    role: str = "calibration"


def months(*args, **kwargs):
    return TrialClaim(*args, **kwargs, unit="month")


SIZES = [
    TrialClaim("CL001", "MM-003", "pom-dex", "patients", 302.0, unit="count", role="input"),
    TrialClaim("CL002", "MM-003", "hidex", "patients", 153.0, unit="count", role="input"),
    TrialClaim("CL095", "MM-002", "pom-dex", "patients", 113.0, unit="count", role="input"),
    TrialClaim("CL096", "MM-002", "pom", "patients", 108.0, unit="count", role="input"),
]
CLAIMS = [
    TrialClaim("a", "MM-003", "pom-dex", "orr", 31.0, 302),
    months("b", "MM-003", "hidex", "median_pfs", 1.9, 153),
    TrialClaim("c", "MM-003", "pom-dex vs hidex", "hr_pfs", 0.45, 455, 0.35, 0.59, unit="1"),
    months("d", "MM-002", "pom", "median_os", 13.6, 108),
]


def test_every_calibration_claim_is_a_target_or_says_why_not():
    bad = [
        months("g", "MM-003", "hidex", "median_pfs", 1.1, 40, subgroup="del(17p)"),
        TrialClaim("h", "MM-003", "hidex", "neutropenia_any_grade", 4.5, 153, unit="week"),
        TrialClaim("i", "MM-009", "pom-dex", "orr", 30.0, 100),
        months("j", "MM-003", "hidex", "median_os", None),
        months("k", "MM-003", "", "median_os", 13.1, 302),
        months("l", "MM-003", "hidex", "hr_os", 0.7, 455),
        TrialClaim("m", "MM-003", "hidex", "median_os", 8.1, 153),
    ]
    left_alone = [
        months("n", "MM-003", "hidex", "median_os", 8.1, 153, role="context"),
        TrialClaim("o", "", "", "crbn_affinity", 264.0, unit="nM"),
    ]
    read = clinical_targets([*SIZES, *CLAIMS, *bad, *left_alone])
    assert [(t.claim_ids, t.trial, t.arm, t.endpoint, t.n) for t in read.targets] == [
        (("a",), "mm003", "POM+LoDEX", "orr", 302),
        (("b",), "mm003", "HiDEX", "median_pfs", 153),
        (("c",), "mm003", "POM+LoDEX vs HiDEX", "hr_pfs", 455),
        (("d",), "mm002", "POM", "median_os", 108),
    ]
    reasons = {e.claim_id: e.reason for e in read.excluded}
    assert set(reasons) == set("ghijklm")
    assert "subgroup" in reasons["g"]
    assert "no endpoint" in reasons["h"]
    assert "kept for prediction" in reasons["i"]
    assert "no value" in reasons["j"]
    assert "none named" in reasons["k"]
    assert reasons["l"] == "0.7 month is not a hazard ratio"
    assert reasons["m"] == "8.1 % is not a median"


def test_a_size_that_is_missing_or_of_the_whole_trial_becomes_that_of_the_arm():
    claims = [
        TrialClaim("a", "MM-002", "pom", "orr", 18.0, None),
        months("b", "MM-003", "hidex", "median_os", 8.1, 455),
    ]
    orr, os = clinical_targets([*SIZES, *claims]).targets
    assert (orr.n, orr.n_from) == (108, "arm")
    assert (os.n, os.n_from) == (153, "arm")
    (lost,) = clinical_targets(claims[:1]).excluded
    assert "how many patients" in lost.reason


def test_a_duration_of_response_is_of_the_responders():
    claims = [
        months("dor", "MM-002", "pom-dex", "median_dor", 8.3, 113, analysis="paper"),
        TrialClaim("label", "MM-002", "pom-dex", "orr", 29.2, 113, analysis="label"),
        TrialClaim("paper", "MM-002", "pom-dex", "orr", 33.0, 113, analysis="paper"),
        months("small", "MM-002", "pom-dex", "median_dor", 7.4, 33, analysis="label"),
    ]
    by_id = {t.claim_ids[0]: t for t in clinical_targets([*SIZES, *claims]).targets}
    assert (by_id["dor"].n, by_id["dor"].n_from) == (37, "responders")
    assert (by_id["small"].n, by_id["small"].n_from) == (33, "claim")


def test_one_number_printed_by_several_claims_is_one_target():
    claims = [
        months("guide", "MM-003", "pom-dex", "median_os", 12.4),
        months("label", "MM-003", "pom-dex", "median_os", 12.4, 302, 10.4, 15.3, analysis="final"),
        months("news", "MM-003", "pom-dex", "median_os", 12.7, 302),
    ]
    merged, other = clinical_targets([*SIZES, *claims]).targets
    assert merged.claim_ids == ("guide", "label")
    assert (merged.low, merged.high, merged.n_from, merged.analysis) == (10.4, 15.3, "claim", "final")
    assert other.claim_ids == ("news",)


def endpoints(*rows):
    """An endpoints table from (trial, arm, endpoint, values, n, events)."""
    return pl.DataFrame(
        [
            {
                "trial": trial,
                "replicate": r,
                "arm": arm,
                "endpoint": endpoint,
                "value": value,
                "n": n,
                "events": events,
            }
            for trial, arm, endpoint, values, n, events in rows
            for r, value in enumerate(values)
        ],
        schema_overrides={"value": pl.Float64},
    )


def test_z_of_a_rate_a_median_and_a_hazard_ratio():
    targets = clinical_targets(CLAIMS[:3]).targets
    table = endpoints(
        ("mm003", "POM+LoDEX", "orr", [25.0], 302, 75),
        ("mm003", "HiDEX", "median_pfs", [2.4], 153, 130),
        ("mm003", "POM+LoDEX vs HiDEX", "hr_pfs", [0.6], 455, 400),
    )
    found = score(targets, table)
    rate, median, ratio = found.rows
    two = math.sqrt(2)  # one replicate errs as much as the trial itself
    assert rate.z == pytest.approx(6 / (100 * math.sqrt(0.25 * 0.75 / 302) * two), rel=1e-12)
    assert median.z == pytest.approx(math.log(1.9 / 2.4) * math.log(2) * math.sqrt(153) / two, rel=1e-12)
    error = math.log(0.59 / 0.35) / (2 * stats.norm.ppf(0.975))
    assert ratio.z == pytest.approx(math.log(0.45 / 0.6) / (error * two), rel=1e-12)
    assert found.chi2 == pytest.approx(rate.z**2 + median.z**2 + ratio.z**2, rel=1e-12)
    assert found.effective == 3
    assert {row.label for row in found.rows} == {"calibrated"}


def test_many_replicates_leave_the_error_of_the_published_trial():
    target = clinical_targets(CLAIMS[:1]).targets
    table = endpoints(("mm003", "POM+LoDEX", "orr", [24.0, 25.0, 26.0] * 300, 302, 75))
    (row,) = score(target, table).rows
    assert row.simulated == 25
    assert row.replicates == 900
    assert row.std_error == pytest.approx(rate_error(25, 302) * math.sqrt(1 + 1 / 900), rel=1e-12)


def test_an_endpoint_read_twice_counts_once():
    twice = [CLAIMS[0], TrialClaim("a2", "MM-003", "pom-dex", "orr", 29.0, 302, analysis="label")]
    table = endpoints(("mm003", "POM+LoDEX", "orr", [30.0], 302, 90))
    found = score(clinical_targets(twice).targets, table)
    assert [row.weight for row in found.rows] == [0.5, 0.5]
    assert found.effective == 1
    assert found.chi2 == pytest.approx(sum(row.z**2 for row in found.rows) / 2)


def test_what_cannot_be_scored_is_listed():
    targets = clinical_targets([*CLAIMS[:2], *CLAIMS[3:4]]).targets
    table = endpoints(
        ("mm003", "HiDEX", "median_pfs", [None, None, 2.0], 153, 60),
        ("mm002", "POM", "median_os", [0.0], 108, 100),
    )
    found = score(targets, table)
    assert found.rows == ()
    reasons = {e.claim_id: e.reason for e in found.excluded}
    assert reasons["a"] == "not among the simulated endpoints"
    assert reasons["b"] == "not reached in half or more of 3 replicates"
    assert "no logarithm" in reasons["d"]


def test_a_median_not_reached_counts_as_late():
    (target,) = clinical_targets(CLAIMS[1:2]).targets
    table = endpoints(("mm003", "HiDEX", "median_pfs", [None, 2.5, 2.0], 153, 60))
    assert score([target], table).rows[0].simulated == 2.5


def test_without_a_printed_interval_the_events_give_the_error():
    claim = TrialClaim("h", "MM-002", "pom-dex vs pom", "hr_pfs", 0.68, 221, unit="1")
    rows = [
        ("mm002", "POM+LoDEX vs POM", "hr_pfs", [0.7], 221, 180),
        ("mm002", "POM+LoDEX", "orr", [30.0], 113, 33),
        ("mm002", "POM", "orr", [15.0], 108, 16),
    ]
    (row,) = score(clinical_targets([claim]).targets, endpoints(*rows)).rows
    assert row.std_error == pytest.approx(math.sqrt(2) * log_hazard_ratio_error(180, 113, 108), rel=1e-12)
    none = [("mm002", "POM+LoDEX vs POM", "hr_pfs", [0.7], 221, 0)]
    assert "no events" in score(clinical_targets([claim]).targets, endpoints(*none)).excluded[0].reason


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(InputError, match="GP-K002") as caught:
        score([], pl.DataFrame({"trial": ["mm003"]}))
    assert "endpoints table" in caught.value.expected


def test_sampling_errors_are_those_of_simulated_trials():
    rng = np.random.Generator(np.random.Philox(11))
    trials, first, second = 1500, 302, 153
    group = np.repeat([1, 0], [first, second])
    true = rng.exponential(1 / np.where(group, 0.9, 1.0), (trials, group.size))
    seen = np.ones_like(true)
    medians = survival.replicate_median(true, seen, included=group == 0)
    assert np.log(medians).std() == pytest.approx(log_median_error(second), rel=0.08)
    ratios = survival.replicate_cox(true, seen, group).coefficient
    assert ratios.std() == pytest.approx(log_hazard_ratio_error(455, first, second), rel=0.08)
    rates = 100 * rng.binomial(302, 0.31, 4000) / 302
    assert rates.std() == pytest.approx(rate_error(31, 302), rel=0.05)
    assert rate_error(0.0, 100) == rate_error(0.5, 100)
    assert printed_log_error(0.5, 2.0) == pytest.approx(math.log(4) / 3.919927969, rel=1e-8)
