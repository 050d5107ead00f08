"""The guide's numbers as a fit predicts them that never read their trial."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import references
from glueprint.study.left_out import PRIOR_ONLY, with_left_out

REFERENCE = references.load("pomalidomide")


def predicted(arm, endpoint, observed, middle, low, high, score=0.5):
    return {
        "trial": "mm002", "arm": arm, "endpoint": endpoint, "observed": observed, "predicted": middle,
        "low": low, "high": high, "log_score": score,
    }  # fmt: skip


TABLES = {
    "mm002": pl.DataFrame(
        [
            predicted("POM+LoDEX", "orr", 33.0, 30.0, 20.0, 40.0),
            predicted("POM+LoDEX", "orr", 29.2, 30.0, 20.0, 40.0, score=0.9),
            predicted("POM+LoDEX", "median_pfs", 4.2, 2.0, 1.0, 3.0),
            predicted("POM+LoDEX", "median_dor", 8.3, None, 5.0, None, score=None),
            predicted("POM", "orr", 18.0, 20.0, 10.0, 30.0),
        ]
    )
}
COMPARISON = pl.DataFrame(
    {
        "claim_id": ["G3-orr-pomdex", "G3-pfs-pomdex", "G3-dor-pomdex", "G3-orr-pom", "G4-pfs-p", None],
        "published_value": [29.2, 4.2, 7.0, 18.0, 0.001, 1.0],
    }
)


@pytest.fixture(scope="module")
def rows():
    return with_left_out(COMPARISON, REFERENCE, TABLES).rows(named=True)


def test_a_cell_has_the_prediction_of_the_fit_without_its_trial(rows):
    assert [row["left_out"] for row in rows] == [30.0, 2.0, None, 20.0, None, None]
    assert [row["left_out_verdict"] for row in rows[:3]] == ["inside", "outside", "inside"]
    # The score is that of the reading that the guide prints.
    assert rows[0]["left_out_score"] == 0.9


def test_another_reading_of_the_cell_is_compared_and_not_scored(rows):
    assert rows[2]["left_out_low"] == 5.0
    assert rows[2]["left_out_score"] is None


def test_an_arm_that_no_other_trial_has_is_prior_only_and_not_scored(rows):
    assert (rows[3]["left_out_verdict"], rows[3]["left_out_score"]) == (PRIOR_ONLY, None)


def test_p_values_and_rows_of_no_trial_have_none(rows):
    for row in rows[4:]:
        assert not any(row[name] for name in row if name.startswith("left_out"))


def test_without_such_fits_the_columns_are_empty():
    found = with_left_out(COMPARISON, REFERENCE, {})
    assert found["left_out_verdict"].null_count() == found.height
