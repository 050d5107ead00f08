"""Predictions scored against closed forms: exact intervals, normal densities, widths in sampling units."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, ndtri
from scipy.stats import norm

from glueprint.calibration import prediction
from glueprint.calibration.observed import read_observed
from glueprint.errors import InputError

MANY = 3999  # so that 0.025 (n + 1) is whole


def normal_grid(n: int = MANY) -> np.ndarray:
    """Quantiles of the standard normal distribution: a sample without chance."""
    return ndtri((np.arange(n) + 0.5) / n)


def rows_of(values, endpoint="orr", unit="%", *, arm="A", n=100, events=40, method="Clopper-Pearson"):
    return pl.DataFrame(
        {
            "trial": "one",
            "replicate": np.arange(1, len(values) + 1),
            "arm": arm,
            "endpoint": endpoint,
            "value": pl.Series(values, dtype=pl.Float64, strict=False),
            "unit": unit,
            "n": n,
            "events": events,
            "method": method,
        }
    )


def months_of(values, endpoint="median_pfs", **about):
    return rows_of(values, endpoint, "months", method="Kaplan-Meier, log-log", **about)


def seen(endpoint="orr", value=30.0, arm="A", **more):
    return pl.DataFrame([{"arm": arm, "endpoint": endpoint, "value": value, **more}])


def one(endpoints, observed):
    (row,) = prediction.compare(endpoints, observed).to_dicts()
    return row


def test_the_interval_is_that_of_one_more_trial():
    # 39 values cut the line into 40 parts that are as likely as each other: 38 of them are inside.
    row = one(rows_of(np.arange(1.0, 40.0)), seen(value=7.0))
    assert (row["low"], row["predicted"], row["high"]) == (1.0, 20.0, 39.0)
    assert row["inside"]
    assert row["rank"] == pytest.approx(6.5 / 39)
    row = one(rows_of(np.arange(1.0, 80.0)), seen(value=1.5))
    assert (row["low"], row["high"], row["inside"]) == (2.0, 78.0, False)


def test_right_predictions_hold_the_observed_trial_in_95_of_100():
    rng = np.random.default_rng(20)
    trials = np.exp(0.3 * rng.standard_normal((1500, 80)))
    scored = [one(months_of(row[:79]), seen("median_pfs", row[79])) for row in trials]
    inside = np.mean([row["inside"] for row in scored])
    # Exactly 0.95; three standard errors of 1,500.
    assert inside == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 1500))
    ranks = np.array([row["rank"] for row in scored])
    assert ranks.mean() == pytest.approx(0.5, abs=3 / math.sqrt(12 * 1500))
    assert ranks.std() == pytest.approx(1 / math.sqrt(12), rel=0.06)


def test_the_log_score_is_a_normal_density_on_the_scale_of_the_endpoint():
    z = normal_grid()
    time = one(months_of(np.exp(1.0 + 0.2 * z)), seen("median_pfs", math.exp(1.3)))
    assert time["log_score"] == pytest.approx(norm.logpdf(1.3, 1.0, 0.2), abs=2e-3)
    ratio = one(
        rows_of(np.exp(-0.7 + 0.1 * z), "hr_pfs", "ratio", arm="A vs B"), seen("hr_pfs", 0.5, "A vs B")
    )
    assert ratio["log_score"] == pytest.approx(norm.logpdf(math.log(0.5), -0.7, 0.1), abs=2e-3)
    # Without the half patient the log odds are exact; with a million patients it does not count.
    rate = one(rows_of(100 * expit(-0.8 + 0.2 * z), n=10**6), seen(value=100 * expit(-0.5)))
    assert rate["log_score"] == pytest.approx(norm.logpdf(-0.5, -0.8, 0.2), abs=2e-3)
    apart = one(
        rows_of(-0.5 + 2.0 * z, "rmst_difference_os_12_months", "months", arm="A vs B"),
        seen("rmst_difference_os_12_months", -1.0, "A vs B"),
    )
    assert apart["log_score"] == pytest.approx(norm.logpdf(-1.0, -0.5, 2.0), abs=2e-3)


def test_a_sharper_right_prediction_scores_higher_and_a_sharp_wrong_one_lower():
    z = normal_grid()
    wide, sharp = (one(months_of(np.exp(s * z)), seen("median_pfs", 1.0)) for s in (0.4, 0.1))
    assert sharp["log_score"] - wide["log_score"] == pytest.approx(math.log(4), abs=1e-3)
    far_wide, far_sharp = (one(months_of(np.exp(s * z)), seen("median_pfs", 2.0)) for s in (0.4, 0.1))
    assert far_sharp["log_score"] < far_wide["log_score"]


@pytest.mark.parametrize(
    ("error", "endpoint", "unit", "observed", "value"),
    [
        # A rate of 25 % of 300: its log odds err by 1/sqrt(n p q).
        (1 / math.sqrt(300 * 0.25 * 0.75), "orr", "%", {"n": 300}, 25.0),
        # A median of 144 patients with exponential times: 1/(ln 2 sqrt n).
        (1 / (math.log(2) * 12), "median_pfs", "months", {"n": 144}, 4.0),
        # 100 events, two arms of one size: 2/sqrt(events).
        (0.2, "hr_pfs", "ratio", {"events": 100}, 0.5),
        # A printed interval wins over all of these.
        (math.log(4) / (2 * 1.959964), "hr_pfs", "ratio", {"low": 0.25, "high": 1.0, "events": 100}, 0.5),
        (math.log(4) / (2 * 1.959964), "median_pfs", "months", {"low": 2.0, "high": 8.0, "n": 9}, 4.0),
        (3 / (2 * 1.959964), "rmst_difference_os_12_months", "months", {"low": -1.0, "high": 2.0}, 0.5),
    ],
)
def test_the_width_is_in_units_of_the_observed_sampling_interval(error, endpoint, unit, observed, value):
    """What a trial of the same size varies by, and as much again that the model does not know: sqrt 2."""
    z = math.sqrt(2) * error * normal_grid()
    centre = {"%": lambda: 100 * expit(math.log(1 / 3) + z), "ratio": lambda: 0.5 * np.exp(z)}
    plain = "difference" in endpoint
    values = 0.5 + z if plain else centre.get(unit, lambda: 4.0 * np.exp(z))()
    arm = "A" if endpoint in ("orr", "median_pfs") else "A vs B"
    sizes = [rows_of(np.full(MANY, 30.0), arm=name, n=50) for name in ("A", "B")] if arm != "A" else []
    endpoints = pl.concat([rows_of(values, endpoint, unit, arm=arm), *sizes])
    row = one(endpoints, seen(endpoint, value, arm, **observed))
    assert row["width_ratio"] == pytest.approx(math.sqrt(2), rel=0.01)


def test_no_width_is_made_up_where_the_sampling_error_is_not_known():
    values = np.exp(0.1 * normal_grid(99))
    within = rows_of(values, "hr_os_cycle_3_progression", "ratio")
    assert one(within, seen("hr_os_cycle_3_progression", 1.0))["width_ratio"] is None
    weeks = rows_of(values, "time_to_first_reduction", "weeks", method="patients ever reduced")
    assert one(weeks, seen("time_to_first_reduction", 1.0, n=80))["width_ratio"] is None


def test_a_median_not_reached_lies_beyond_all_others():
    endpoints = months_of([*np.arange(1.0, 36.0), *[None] * 4], "median_os")
    row = one(endpoints, seen("median_os", 34.0))
    assert (row["low"], row["predicted"], row["high"]) == (1.0, 20.0, None)
    assert row["inside"]
    assert row["width_ratio"] is None
    assert row["note"] == "not reached in 4 of 39"
    assert row["rank"] == pytest.approx(33.5 / 39)


def test_a_number_that_a_replicate_has_not_is_no_late_time():
    values = [*np.arange(1.0, 36.0), *[None] * 4]
    nobody = rows_of(values, "median_response_months", "months", method="responders")
    row = one(nobody, seen("median_response_months", 2.0))
    assert (row["high"], row["replicates"], row["note"]) == (35.0, 35, "absent in 4 of 39")


def test_replicates_that_are_all_the_same_have_no_density():
    row = one(rows_of(np.full(40, 30.0)), seen(value=30.0))
    assert row["inside"]
    assert (row["rank"], row["log_score"]) == (0.5, None)


def test_rows_that_cannot_be_scored_say_why_and_count():
    endpoints = rows_of(np.arange(1.0, 40.0), arm="POM 4 mg")
    observed = pl.concat(
        [
            seen(arm="POM 4mg", trial="one"),
            seen("or", arm="POM 4 mg", trial="one"),
            seen(arm="POM 4 mg", trial="on"),
            seen(arm="POM 4 mg", trial="one"),
        ]
    )
    scores = prediction.compare(endpoints, observed, label="calibrated")
    notes = scores.get_column("note").to_list()
    assert notes[0] == 'no arm "POM 4mg" (did you mean "POM 4 mg"?); there are POM 4 mg'
    assert notes[1] == 'no endpoint "or" (did you mean "orr"?)'
    assert notes[2] == 'no trial "on" (did you mean "one"?); there are one'
    assert scores.get_column("label").unique().to_list() == ["calibrated"]
    total = prediction.total(scores)
    assert (total["rows"], total["scored"], total["inside"]) == (4, 1, 1)
    assert total["mean_log_score"] == scores.get_column("log_score")[3]


def test_the_sizes_behind_a_hazard_ratio_are_those_of_its_own_trial():
    ratio = rows_of(0.5 * np.exp(0.2 * normal_grid(399)), "hr_pfs", "ratio", arm="A vs B")
    sizes = [rows_of(np.full(399, 30.0), arm=name, n=50) for name in ("A", "B")]
    other = rows_of(np.full(399, 30.0), arm="A", n=5000).with_columns(trial=pl.lit("two"))
    asked = seen("hr_pfs", 0.5, "A vs B", events=100)
    alone = one(pl.concat([ratio, *sizes]), asked)
    assert one(pl.concat([ratio, *sizes, other]), asked)["width_ratio"] == alone["width_ratio"]


def refused(code, endpoints, observed):
    with pytest.raises(InputError) as caught:
        prediction.compare(endpoints, observed)
    assert caught.value.code == code
    return str(caught.value)


def test_columns_that_are_missing_or_strange():
    endpoints = rows_of(np.arange(1.0, 40.0))
    assert "no column value" in refused("GP-K020", endpoints, seen().drop("value"))
    assert "unknown column months" in refused("GP-K020", endpoints, seen(months=3))


def test_too_few_replicates():
    assert "38 replicates" in refused("GP-K021", rows_of(np.arange(1.0, 39.0)), seen())


@pytest.mark.parametrize(
    "row",
    [
        {"value": None},
        {"value": math.inf},
        {"value": 130.0},
        {"value": -1.0},
        {"low": 40.0, "high": 20.0},
        {"value": 31.0, "low": 10.0, "high": 30.0},
        {"n": -3},
        {"events": "many"},
        {"endpoint": "median_pfs", "value": 0.0},
        {"endpoint": "median_pfs", "low": -1.0},
    ],
)
def test_numbers_that_cannot_be(row):
    endpoints = pl.concat([rows_of(np.arange(1.0, 40.0)), months_of(np.arange(1.0, 40.0))])
    message = refused("GP-K022", endpoints, seen(**row))
    assert "observed, row 1" in message


def test_a_number_counts_once():
    endpoints = rows_of(np.arange(1.0, 40.0))
    both = pl.concat([seen(source="one"), seen(source="one")])
    assert "observed, row 2" in refused("GP-K022", endpoints, both)
    assert prediction.compare(endpoints, both.with_columns(source=pl.Series(["one", "another"]))).height == 2


def test_a_share_written_for_per_cent_is_told():
    endpoints = rows_of(np.arange(1.0, 40.0))
    notes = [prediction.compare(endpoints, seen(value=value))["note"][0] for value in (0.31, 31.0, 0.0)]
    assert ["share written for per cent" in note for note in notes] == [True, False, False]


def test_an_observed_file(tmp_path):
    path = tmp_path / "observed.csv"
    path.write_text("# from a paper\narm, endpoint,value,low,high\nA,orr,31,,\nA,median_pfs,4.0,3.6,4.7\n")
    table = read_observed(path)
    assert table.columns == ["arm", "endpoint", "value", "low", "high"]
    assert table.get_column("low").to_list() == [None, 3.6]
    for bad, content in (("none.csv", None), ("empty.csv", "")):
        if content is not None:
            (tmp_path / bad).write_text(content)
        with pytest.raises(InputError) as caught:
            read_observed(tmp_path / bad)
        assert caught.value.code == "GP-K023"
        assert bad in str(caught.value)
