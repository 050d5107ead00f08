"""What a team asks of virtual trials, held against numbers that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from glueprint.study.glue import answers
from glueprint.study.glue.answers import Column
from glueprint.study.glue.project import SweepRequest

SEEN = SweepRequest(doses_mg=(1.0, 2.0, 4.0), orr_above_percent=30.0, neutropenia_limit_percent=50.0)


def column(dose_mg, orr, neutropenia, part="swept", months=None):
    rows = []
    for endpoint, values, unit, method in (
        ("orr", orr, "%", "Clopper-Pearson"),
        ("neutropenia_grade_3_4", neutropenia, "%", "Clopper-Pearson"),
        ("median_pfs", months or [4.0] * len(orr), "months", "Kaplan-Meier, log-log"),
    ):
        rows += [
            {"replicate": k, "endpoint": endpoint, "value": value, "unit": unit, "method": method, "n": 50}
            for k, value in enumerate(values, start=1)
        ]
    table = pl.DataFrame(rows, schema_overrides={"value": pl.Float64})
    return Column(part, f"glue {dose_mg:g} mg", dose_mg, "predicted", table)


def test_outcomes_are_medians_with_the_middle_of_the_trials():
    found = answers.outcomes([column(4.0, [10.0, 30.0, 20.0], [40.0, 50.0, 60.0], "planned")])
    orr = found.filter(pl.col("endpoint") == "orr").to_dicts()[0]
    assert (orr["value"], orr["low"], orr["high"], orr["replicates"]) == (20.0, 10.0, 30.0, 3)
    assert orr["label"] == "predicted"


def test_a_median_that_was_not_reached_is_counted_and_has_no_upper_end():
    found = answers.outcomes([column(4.0, [1.0] * 3, [1.0] * 3, months=[4.0, None, 6.0])])
    row = found.filter(pl.col("endpoint") == "median_pfs").to_dicts()[0]
    assert (row["value"], row["low"], row["high"], row["not_reached"]) == (6.0, 4.0, None, 1)


def test_the_difference_is_taken_trial_by_trial():
    # Both vary widely, but in step: the difference is always 5.
    base = [10.0, 50.0, 30.0]
    mine = column(4.0, [value + 5.0 for value in base], [50.0, 50.0, 50.0], "planned")
    found = answers.against(mine, column(4.0, base, [50.0, 40.0, 60.0], "reference"))
    orr, neutropenia = (
        found.filter(pl.col("endpoint") == name).to_dicts()[0]
        for name in (
            "orr",
            "neutropenia_grade_3_4",
        )
    )
    assert (orr["difference"], orr["low"], orr["high"], orr["share_higher"]) == (5.0, 5.0, 5.0, 1.0)
    assert neutropenia["share_higher"] == pytest.approx(0.5)


def test_odds_are_shares_of_trials_with_their_exact_interval():
    found = answers.odds([column(1.0, [20.0, 31.0, 40.0, 30.0], [50.0] * 4)], SEEN)
    orr, neutropenia = found.to_dicts()
    assert orr["share_above"] == 0.5  # 30 is not above 30
    assert (neutropenia["share_above"], neutropenia["low"]) == (0.0, 0.0)
    assert neutropenia["high"] == pytest.approx(1.0 - 0.025 ** (1 / 4))


def test_the_dose_of_a_limit_is_read_on_the_logarithm_between_two_doses():
    swept = [column(1.0, [20.0], [40.0]), column(4.0, [40.0], [60.0])]
    found = {row["endpoint"]: row for row in answers.limits(swept, SEEN).to_dicts()}
    # Half way from 20 to 40, and from 40 to 60: the geometric mean of the doses.
    assert found["orr"]["value"] == pytest.approx(2.0)
    assert found["neutropenia_grade_3_4"]["value"] == pytest.approx(2.0)
    assert found[""]["value"] == pytest.approx(1.0)


def test_rates_that_fall_with_dose_by_chance_are_made_to_rise():
    swept = [column(d, [orr], [10.0]) for d, orr in ((1.0, 10.0), (2.0, 40.0), (4.0, 20.0), (8.0, 50.0))]
    found = answers.limits(swept, SEEN).to_dicts()[0]
    # Pooled, both middle doses have 30, which is not above 30: the limit is passed beyond the second of them.
    assert found["value"] == pytest.approx(4.0)


def test_trials_outside_of_the_doses_are_counted_and_leave_an_end_open():
    swept = [column(1.0, [35.0, 10.0, 10.0], [10.0] * 3), column(2.0, [40.0, 40.0, 20.0], [60.0, 20.0, 20.0])]
    orr, neutropenia, window = answers.limits(swept, SEEN).to_dicts()
    assert (orr["share_below"], orr["share_beyond"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (orr["low"], orr["high"]) == (1.0, None)
    assert (neutropenia["value"], neutropenia["share_beyond"]) == (None, pytest.approx(2 / 3))
    # The third trial never responds: it has no window.
    assert window["share_below"] == pytest.approx(1 / 3)


def test_a_window_above_one_is_where_response_comes_first():
    swept = [
        column(d, [orr], [low])
        for d, orr, low in ((1.0, 40.0, 10.0), (10.0, 60.0, 50.0), (100.0, 70.0, 90.0))
    ]
    found = answers.limits(swept, SEEN).to_dicts()[-1]
    assert found["value"] == pytest.approx(10.0)
    assert math.isfinite(found["value"])
    assert np.isclose(found["share_beyond"], 0.0)


def test_designs_whose_trials_all_failed_have_no_odds_and_no_limits():
    empty = column(1.0, [1.0], [1.0])
    nobody = Column("swept", "glue 1 mg", 1.0, "predicted", empty.endpoints.clear())
    assert answers.odds([nobody], SEEN).is_empty()
    assert answers.limits([nobody], SEEN).is_empty()
    assert answers.outcomes([nobody]).is_empty()
    assert answers.against(nobody, nobody).is_empty()
