"""The ELISA figure says what the tables say: limits shaded, samples apart from standards, a line a donor."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from glueprint.assays import elisa
from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.report.figures.elisa import elisa_plate

LEVELS = (0.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
DOSES = (1.0, 10.0, 100.0, 1000.0, 10000.0)


def od(x):
    return 0.06 + 2.9 / (1.0 + (300.0 / np.maximum(x, 1e-12)) ** 1.1)


@pytest.fixture(scope="module")
def result():
    rows = [("standard", f"S{x:g}", "", x, x) for x in LEVELS for _ in range(2)]
    rows += [("sample", "in range", "", None, 80.0)] * 2 + [("sample", "beyond", "", None, 3000.0)] * 2
    for donor, half in (("d1", 50.0), ("d2", 200.0)):
        rows += [("stimulated", "LPS", donor, None, 700.0)] * 3 + [
            ("unstimulated", "none", donor, None, 20.0)
        ] * 3
        rows += [
            ("compound", "glue", donor, x, 20.0 + 680.0 / (1.0 + x / half)) for x in DOSES for _ in range(2)
        ]
    value = od(np.array([row[4] for row in rows])) * (
        1.0 + 0.01 * np.random.default_rng(2).standard_normal(len(rows))
    )
    table = pl.DataFrame(
        {
            "well": [f"{'ABCDEF'[i // 24]}{i % 24 + 1}" for i in range(len(rows))],
            "value": value,
            "role": [row[0] for row in rows],
            "sample": [row[1] for row in rows],
            "donor": [row[2] for row in rows],
            "concentration": pl.Series([row[3] for row in rows], dtype=pl.Float64),
            "concentration_unit": ["pg/mL" if row[0] == "standard" else "nM" for row in rows],
            "viability_percent": 98.0,
        }
    )
    return elisa.analyse(table, elisa.Settings(model="4pl"))


def test_the_chart_holds_what_the_tables_say(result):
    # `to_dict` checks the chart against the schema.
    chart = elisa_plate(result.tables, signal=result.signal).to_dict()
    rows = [row for values in chart["datasets"].values() for row in values]
    kinds = [row["kind"] for row in rows if "kind" in row]
    assert kinds.count("standard") == 12
    assert kinds.count("sample beyond a limit") >= 1
    uloq = result.tables["ranges"]["uloq"][0]
    assert any(row.get("x") == pytest.approx(uloq, rel=1e-4) and "x2" in row for row in rows)
    assert {row["donor"] for row in rows if "donor" in row} == {"d1", "d2"}
    # A curve a donor and a point a well: 120 and 10 each.
    assert sum("donor" in row for row in rows) == 2 * (120 + 10)


def test_the_figure_is_drawn_and_the_same_twice(result, tmp_path):
    chart = elisa_plate(result.tables, signal=result.signal)
    assert figures.svg(chart) == figures.svg(elisa_plate(result.tables, signal=result.signal))
    assert figures.save(chart, tmp_path / "plate.png").stat().st_size > 20000


def test_a_plate_without_donors_or_range_is_drawn_too(result):
    tables = dict(result.tables)
    tables["inhibition"], tables["donors"] = tables["inhibition"].clear(), tables["donors"].clear()
    tables["ranges"] = tables["ranges"].with_columns(
        lloq=pl.lit(None, pl.Float64), uloq=pl.lit(None, pl.Float64)
    )
    assert "donor" not in json.dumps(elisa_plate(tables).to_dict())


def test_a_table_that_is_another_is_refused(result):
    with pytest.raises(InputError, match="GP-P001"):
        elisa_plate(dict(result.tables) | {"precision": result.tables["precision"].drop("signal")})
