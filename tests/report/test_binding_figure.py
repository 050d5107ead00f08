"""The binding figure: a panel a compound, what it marks, and what it needs."""

from __future__ import annotations

import json

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.report.figures.binding import binding_curves


def well(role, dose, anisotropy, intensity, **more):
    return {
        "plate": "p1", "role": role, "sample": "glue" if role == "competitor" else "",
        "concentration_nm": dose, "anisotropy": anisotropy, "intensity": intensity, "note": "",
    } | more  # fmt: skip


def potency(kind, definition, relation, value, low, high, sample="glue"):
    return {
        "plate": "p1", "sample": sample, "kind": kind, "definition": definition, "relation": relation,
        "value_nm": value, "low_nm": low, "high_nm": high,
    }  # fmt: skip


@pytest.fixture
def tables():
    doses = [1.0, 10.0, 100.0, 1000.0]
    wells = [well("competitor", dose, 0.2 - 0.04 * i, 900.0 + 20.0 * i) for i, dose in enumerate(doses)]
    wells += [well("tracer_only", None, 0.05, 1000.0), well("tracer_protein", None, 0.2, 900.0)]
    curve = [
        {"plate": "p1", "sample": "glue", "dose_nm": dose, "anisotropy": 0.2, "low": 0.19, "high": 0.21}
        for dose in doses
    ]
    found = [
        potency("Ki", "exact", "=", 40.0, 30.0, 55.0),
        potency("IC50", "relative", "=", 77.0, 70.0, 88.0),
        potency("IC50", "absolute", "=", 90.0, 80.0, 100.0),
    ]
    return {
        "wells": pl.DataFrame(wells, infer_schema_length=None),
        "curves": pl.DataFrame(curve),
        "potencies": pl.DataFrame(found, infer_schema_length=None),
    }


def text(chart):
    return json.dumps(chart.to_dict())


def test_a_panel_shows_numbers_marks_and_light(tables):
    drawn = text(binding_curves(tables))
    assert "Ki 40 nM (30 to 55) · IC50 (absolute) 90 nM (80 to 100)" in drawn.encode().decode(
        "unicode_escape"
    )
    for word in ("glue, p1", "anisotropy", "total light", '"Ki"', '"IC50"', "compound, nM"):
        assert word in drawn
    assert "77" not in drawn
    assert "<svg" in figures.svg(binding_curves(tables))


def test_a_limit_is_written_as_one(tables):
    limit = pl.DataFrame([potency("Ki", "exact", "<", 5.0, None, 5.0)])
    assert "Ki < 5 nM" in text(binding_curves({**tables, "potencies": limit}))


def test_a_refused_ki_is_said(tables):
    rows = [
        potency("Ki", "exact", "none", None, None, None),
        potency("IC50", "absolute", ">", 9.0, 9.0, None),
    ]
    refused = pl.DataFrame(rows, infer_schema_length=None)
    drawn = text(binding_curves({**tables, "potencies": refused, "curves": tables["curves"].clear()}))
    assert "no Ki" in drawn
    assert "IC50 (absolute) > 9 nM" in drawn


def test_mp_alone_have_no_panel_of_light(tables):
    dark = tables["wells"].with_columns(intensity=pl.lit(None, pl.Float64))
    assert "total light" not in text(binding_curves({**tables, "wells": dark}))


def test_a_titration_has_its_hyperbola_beside_it(tables):
    wells = tables["wells"].with_columns(
        role=pl.col("role").replace("competitor", "tracer_protein"), sample=pl.lit("")
    )
    curve = pl.concat(
        [
            tables["curves"].with_columns(sample=pl.lit(name))
            for name in ("tracer titration", "tracer titration, hyperbola")
        ]
    )
    kd = pl.DataFrame([potency("Kd", "exact", "=", 40.0, 30.0, 55.0, "tracer titration")])
    drawn = text(binding_curves({"wells": wells, "curves": curve, "potencies": kd}))
    assert "Titration of the tracer, p1" in drawn
    assert '"strokeDash": [2, 2]' in drawn
    assert "protein, nM" in drawn


def test_wells_left_out_are_not_drawn(tables):
    rows = [*tables["wells"].to_dicts(), well("competitor", 1.0, 0.123, 900.0, note="reader: above_range")]
    more = {**tables, "wells": pl.DataFrame(rows, infer_schema_length=None)}
    assert "0.123" not in text(binding_curves(more))


def test_a_missing_column_is_refused(tables):
    with pytest.raises(InputError, match="GP-P001"):
        binding_curves({**tables, "wells": tables["wells"].drop("intensity")})
