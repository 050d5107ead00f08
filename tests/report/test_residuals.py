"""Residuals of an assay: readings less their curves at the same dose, and nothing where no curve is."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.report.figures import residuals


def tables(doses, values):
    keys = {"target": "IKZF1", "compound": "X", "experiment": "1", "time_h": 4.0}
    readings = pl.DataFrame(
        [
            {**keys, "dose_nm": dose, "fraction_remaining": value}
            for dose, value in zip(doses, values, strict=True)
        ]
    )
    curve = [{**keys, "dose_nm": dose, "fitted": fitted} for dose, fitted in ((1.0, 1.0), (100.0, 0.0))]
    return {"readings": readings, "curves": pl.DataFrame(curve)}


def test_a_residual_is_the_reading_less_the_curve_at_its_dose():
    found = residuals.table("degradation", tables([1.0, 10.0, 100.0], [0.9, 0.7, 0.1]))
    # The curve falls from 1 to 0 over two decades, so that at 10 nM it stands at one half.
    assert found["fitted"].to_list() == pytest.approx([1.0, 0.5, 0.0])
    assert found["residual"].to_list() == pytest.approx([-0.1, 0.2, 0.1])
    assert set(found["curve"]) == {"IKZF1, X, 1, 4.0"}


def test_what_no_curve_reaches_has_no_residual():
    found = residuals.table("degradation", tables([0.0, 0.5, 1000.0, 10.0], [1.0, 1.0, 0.0, None]))
    assert found.is_empty()
    assert residuals.table("elisa", {}).is_empty()
    with pytest.raises(InputError, match="GP-P005"):
        residuals.chart("elisa", {})
