"""What cannot be shown honestly is refused, by name."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.report import render, tables


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("comparison", "claim_id"),
        ("comparison", "label"),
        ("parameters", "role"),
        ("findings", "severity"),
        ("compounds", "smiles"),
        ("profiles", "unit"),
        ("profiles", "time_h"),
    ],
)
def test_a_missing_column_is_named_with_its_table(report_input, field, column):
    broken = dataclasses.replace(report_input, **{field: getattr(report_input, field).drop(column)})
    with pytest.raises(InputError, match=f'GP-P001 table "{field}": column "{column}" is missing') as caught:
        render(broken)
    assert column in caught.value.expected


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("patients", "best_change_pct"),
        ("endpoints", "p_value"),
        ("survival_curves", "at_risk"),
    ],
)
def test_a_missing_column_of_a_trial_is_named(report_input, mm003, table, column):
    broken = dataclasses.replace(mm003, **{table: getattr(mm003, table).drop(column)})
    with pytest.raises(InputError, match=f'GP-P001 table "mm003.{table}": column "{column}"'):
        tables.check(dataclasses.replace(report_input, trials={"mm003": broken}))


def test_a_misspelt_column_gets_a_hint(report_input):
    broken = report_input.comparison.rename({"published_low": "publishd_low"})
    with pytest.raises(InputError, match='did you mean "publish'):
        tables.require(broken, tables.COMPARISON, "comparison")


@pytest.mark.parametrize("label", ["Predicted", "fitted", "", None])
def test_only_known_labels_pass(report_input, label):
    odd = report_input.comparison.with_columns(
        pl.when(pl.int_range(pl.len()) == 2).then(pl.lit(label)).otherwise(pl.col("label")).alias("label")
    )
    with pytest.raises(InputError, match='GP-P002 table "comparison" row 3') as caught:
        render(dataclasses.replace(report_input, comparison=odd))
    assert caught.value.expected == "input, calibrated, predicted, extrapolated, assumed, not modelled yet"


def test_an_arm_that_the_trial_does_not_know_is_refused(report_input, mm003):
    broken = dataclasses.replace(mm003, arms=("POM+LoDEX", "HiDex"))
    with pytest.raises(InputError, match=r'GP-P003 .*arm "HiDEX"') as caught:
        tables.check(dataclasses.replace(report_input, trials={"mm003": broken}))
    assert 'did you mean "HiDex"' in caught.value.message
