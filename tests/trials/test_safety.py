"""Worst grades by version of the CTCAE from hand-made counts (evidence SAF104 to SAF116)."""

from __future__ import annotations

import polars as pl

from glueprint.trials import load_protocol
from glueprint.trials.analysis.safety import grades_table

MM003 = load_protocol("mm003")
ARM = MM003.arms[0].name
PATIENTS = pl.DataFrame(
    {
        "trial": "mm003",
        "replicate": 1,
        "arm": ARM,
        "status": [0, 0, 0, 0, 1],
        "lowest_anc_1e9_per_l": [0.45, 0.9, 1.8, None, 0.05],
        "lowest_platelets_1e9_per_l": [24.0, 49.0, 200.0, None, 10.0],
        "lowest_haemoglobin_g_per_dl": [7.9, 9.0, 13.0, None, 5.0],
        "pneumonia_grade": [3, 0, 0, 0, 3],
    }
)
TABLE = grades_table(MM003, PATIENTS)


def count(event, version, grade):
    found = TABLE.filter(
        (pl.col("arm") == ARM)
        & (pl.col("event") == event)
        & pl.col("ctcae_version").eq_missing(pl.lit(version, pl.Int64))
        & (pl.col("grade") == grade)
    )
    return found["events"].to_list()


def test_version_6_counts_fewer_neutropenias_from_the_same_counts():
    assert [count("neutropenia", version, "3-4") for version in (4, 5, 6)] == [[2], [2], [1]]
    assert [count("neutropenia", version, "4") for version in (4, 5, 6)] == [[1], [1], [0]]
    assert [count("neutropenia", version, "1-4") for version in (4, 6)] == [[3], [2]]


def test_patients_without_a_count_and_failed_ones():
    assert TABLE.filter(pl.col("arm") == ARM)["n"].unique().to_list() == [4]
    assert count("thrombocytopenia", 4, "3-4") == [2]
    assert count("thrombocytopenia", 4, "4") == [1]


def test_anaemia_has_no_laboratory_grade_4():
    assert count("anaemia", 4, "3-4") == [1]
    assert count("anaemia", 4, "4") == []


def test_pneumonia_stands_apart_from_the_laboratory():
    assert count("pneumonia", None, "3-4") == [1]
    assert TABLE.filter(pl.col("basis") == "clinical")["event"].unique().to_list() == ["pneumonia"]
    assert set(TABLE.filter(pl.col("basis") == "laboratory")["ctcae_version"]) == {4, 5, 6}
