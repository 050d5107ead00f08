"""The blot figure says what the tables say: a box a band, coloured by status, numbers that are fractions."""

from __future__ import annotations

import imagecodecs
import numpy as np
import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.report.figures.blot import blot, grey_png

ROWS = 60


@pytest.fixture
def tables():
    head = {"image": "blot", "band": "IKZF3", "top": 20, "bottom": 30}
    volumes = pl.DataFrame(
        [
            head | {"lane": 1, "left": 5, "right": 25, "status": "ok"},
            head | {"lane": 2, "left": 30, "right": 50, "status": "saturated"},
            head | {"lane": 3, "left": 55, "right": 75, "status": "below detection"},
            head | {"lane": 1, "left": 5, "right": 25, "status": "ok", "image": "reference"},
        ]
    )
    bands = pl.DataFrame(
        {"lane": [1, 2, 3], "target": ["IKZF3"] * 3, "fraction_remaining": [0.421, None, 0.034],
         "relation": ["=", "", "<"], "flags": ["", None, ""]}
    )  # fmt: skip
    profiles = pl.DataFrame(
        [
            {"image": "blot", "lane": lane, "row": row, "profile": 5.0 + lane, "base_line": 4.0}
            for lane in (1, 2, 3)
            for row in range(ROWS)
        ]
    )
    return {"volumes": volumes, "bands": bands, "profiles": profiles}


@pytest.fixture
def picture():
    return np.random.default_rng(1).normal(100.0, 5.0, (ROWS, 80)).astype(np.float32)


def rows_of(chart):
    return [row for values in chart.to_dict()["datasets"].values() for row in values]


def test_boxes_and_numbers_are_those_of_the_tables(tables, picture):
    rows = rows_of(blot(tables, picture))
    assert [row["status"] for row in rows if "status" in row] == ["ok", "saturated", "below detection"]
    texts = [row["text"] for row in rows if "text" in row]
    assert sorted(texts) == sorted(["1", "2", "3", "IKZF3", "0.42", "saturated", "<0.034"])
    # A profile and a base line a lane.
    assert sum("line" in row for row in rows) == 3 * 2 * ROWS


def test_without_ratios_there_are_no_numbers(tables, picture):
    texts = [
        row["text"]
        for row in rows_of(blot(tables | {"bands": tables["bands"].clear()}, picture))
        if "text" in row
    ]
    assert sorted(texts) == sorted(["1", "2", "3", "IKZF3", "saturated", "not seen"])


def test_the_second_picture_has_its_own_boxes(tables, picture):
    rows = rows_of(blot(tables, picture, image="reference"))
    assert [row["status"] for row in rows if "status" in row] == ["ok"]


def test_the_picture_is_dark_where_there_is_protein_and_untouched():
    ramp = np.tile(np.linspace(0.0, 900.0, 90, dtype=np.float32), (30, 1))
    before = ramp.copy()
    url = next(row["url"] for row in rows_of(blot(_empty(), ramp)) if "url" in row)
    import base64

    grey = imagecodecs.png_decode(base64.b64decode(url.partition(",")[2]))
    assert np.array_equal(ramp, before)
    assert grey.shape == (30, 90)
    assert (grey[0, 0], grey[0, -1]) == (255, 0)
    assert np.all(np.diff(grey[0].astype(int)) <= 0)


def _empty():
    schema = {
        "image": pl.String, "lane": pl.Int64, "band": pl.String, "top": pl.Int64, "bottom": pl.Int64,
        "left": pl.Int64, "right": pl.Int64, "status": pl.String,
    }  # fmt: skip
    profiles = {
        "image": pl.String,
        "lane": pl.Int64,
        "row": pl.Int64,
        "profile": pl.Float64,
        "base_line": pl.Float64,
    }
    return {
        "volumes": pl.DataFrame(schema=schema),
        "bands": pl.DataFrame(
            schema={
                "lane": pl.Int64,
                "flags": pl.String,
                "target": pl.String,
                "fraction_remaining": pl.Float64,
                "relation": pl.String,
            }
        ),
        "profiles": pl.DataFrame(schema=profiles),
    }


def test_a_png_is_read_as_it_was_written():
    pixels = np.random.default_rng(2).integers(0, 256, (17, 23)).astype(np.uint8)
    assert np.array_equal(imagecodecs.png_decode(grey_png(pixels)), pixels)


def test_the_figure_is_drawn_and_the_same_twice(tables, picture, tmp_path):
    assert figures.svg(blot(tables, picture)) == figures.svg(blot(tables, picture))
    assert figures.save(blot(tables, picture), tmp_path / "blot.png").stat().st_size > 10000


def test_a_table_that_is_another_is_refused(tables, picture):
    with pytest.raises(InputError, match="GP-P001"):
        blot(tables | {"volumes": tables["volumes"].drop("status")}, picture)
