"""The band in which one more trial's curve lies: order statistics of the others, as far as all are known."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.report.figures import kaplan_meier, predictive_band, svg


def curves(replicates, *, end=(10.0, 0.2)):
    """Trial k stands at 1 - k/100 from month 1 on, and ends at `end`."""
    steps = [
        {"replicate": k, "arm": "A", "time_months": time, "survival": height, "low": height, "high": height,
         "at_risk": 10, "events": 1, "censored": 0}
        for k in range(1, replicates + 1)
        for time, height in ((1.0, 1.0 - k / 100), end)
    ]  # fmt: skip
    return pl.DataFrame(steps)


def test_the_band_is_the_second_smallest_and_largest_of_seventy_nine():
    # 80 * 0.025 is 2: between the second and the last but one of 79 one more lies with 95 %.
    found = predictive_band(curves(79), [0.5, 1.0, 5.0])
    assert found["time"].to_list() == [0.5, 1.0, 5.0]
    assert found.row(0)[2:5] == (1.0, 1.0, 1.0)
    for row in found.rows()[1:]:
        assert row[2:5] == pytest.approx((1 - 78 / 100, 1 - 40 / 100, 1 - 2 / 100))
    assert set(found["replicates"]) == {79}


def test_too_few_trials_have_no_band_and_none_goes_on_beyond_its_follow_up():
    assert predictive_band(curves(38)).is_empty()
    assert predictive_band(curves(39), [9.0, 11.0])["time"].to_list() == [9.0]
    # Where all are dead a curve stays at 0.
    dead = predictive_band(curves(39, end=(10.0, 0.0)), [11.0])
    assert dead.row(0)[2:5] == (0.0, 0.0, 0.0)


def test_the_figure_draws_the_band_in_place_of_other_trials_and_what_was_observed():
    many = curves(39)
    seen = pl.DataFrame({"arm": ["A"], "time": [5.0], "survival": [0.4]})
    drawn = kaplan_meier(many, arms=("A",), title="PFS", band=predictive_band(many), observed=seen)
    text = svg(drawn)
    assert text != svg(kaplan_meier(many, arms=("A",), title="PFS"))
    marks = str(drawn.to_dict(validate=False))
    assert "'middle'" in marks
    assert "'shape': 'circle'" in marks
