"""What many replicates say together: exact ends, and times that were not reached."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from glueprint.trials.analysis.intervals import existing, order_statistics, prediction_intervals


@pytest.mark.parametrize(
    ("n", "share"), [(39, 0.95), (79, 0.95), (199, 0.95), (200, 191 / 201), (20, 19 / 21)]
)
def test_one_more_value_lies_inside_with_the_share_that_is_told(n, share):
    """The ranks of n + 1 values are equally likely, so the share is (high rank - low rank)/(n + 1)."""
    _, low, high = order_statistics(np.random.default_rng(n).permutation(n) + 1.0)
    assert (high - low) / (n + 1) == pytest.approx(share)


def test_the_middle_of_times_and_of_what_was_not_reached():
    assert order_statistics(np.array([1.0, 3.0]))[0] == 2.0
    assert order_statistics(np.array([1.0, math.inf]))[0] == math.inf
    assert order_statistics(np.array([-math.inf, math.inf]))[0] == math.inf
    assert all(math.isnan(number) for number in order_statistics(np.empty(0)))


def endpoints():
    names = ("median_os", "median_response_months", "orr")
    return pl.DataFrame(
        {
            "trial": "t",
            "replicate": [1, 1, 1, 2, 2, 2],
            "arm": "A",
            "endpoint": [*names, *names],
            "value": [None, None, 40.0, 9.0, 1.5, 30.0],
            "unit": ["months", "months", "%", "months", "months", "%"],
            "n": [20, 0, 20, 20, 6, 20],
            "method": ["Kaplan-Meier, log-log", "responders", "Clopper-Pearson"] * 2,
        }
    )


def test_only_a_median_can_be_late():
    found = existing(endpoints())
    assert found.filter(endpoint="median_os").get_column("value").to_list() == [math.inf, 9.0]
    assert found.filter(endpoint="median_response_months").get_column("replicate").to_list() == [2]
    nobody = endpoints().with_columns(n=pl.lit(0))
    assert existing(nobody).filter(endpoint="median_os").get_column("replicate").to_list() == [2]


def test_a_row_per_endpoint():
    rows = {row["endpoint"]: row for row in prediction_intervals(endpoints()).to_dicts()}
    assert rows["orr"] == {
        "arm": "A", "endpoint": "orr", "unit": "%", "median": 35.0, "low": 30.0, "high": 40.0,
        "replicates": 2, "not_reached": 0,
    }  # fmt: skip
    assert (rows["median_os"]["low"], rows["median_os"]["high"]) == (9.0, None)
    assert rows["median_os"]["not_reached"] == 1
    assert rows["median_response_months"]["replicates"] == 1
