"""`glueprint assay elisa` on a file and a layout of our own: output, exit codes, tables and figure."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.app import app
from glueprint.errors import InputError

LAYOUT = """
kind = "glueprint-layout"
version = 1
name = "example"
plate_wells = 96
concentration_unit = "ng/mL"

[[well]]
wells = "A1:H2"
role = "standard"
replicates = 2
concentration = { start = 1000, factor = 3, zero = true }

[[well]]
wells = "A3:B4"
role = "sample"
replicates = 2
sample = ["one", "two"]
dilution = [10, 100]
"""


def standard(row):
    return 0.0 if row == 7 else 1000.0 / 3.0**row


@pytest.fixture
def files(tmp_path):
    """A tidy plate file with two wavelengths and its layout; samples hold 500 and 5000 ng/mL undiluted."""
    truth = {f"{'ABCDEFGH'[row]}{column}": standard(row) for row in range(8) for column in (1, 2)}
    truth |= {"A3": 50.0, "A4": 50.0, "B3": 50.0, "B4": 50.0}
    rng = np.random.default_rng(4)
    lines = ["plate,well,channel,value,unit"]
    for well, x in truth.items():
        od = 0.05 + 3.0 * x**1.1 / (x**1.1 + 200.0**1.1)
        lines += [
            f"p1,{well},450,{od * (1 + 0.01 * rng.standard_normal()) + 0.04:.4f},OD",
            f"p1,{well},650,0.0400,OD",
        ]
    plate, layout = tmp_path / "plate.csv", tmp_path / "layout.toml"
    plate.write_text("\n".join(lines) + "\n", encoding="utf-8")
    layout.write_text(LAYOUT, encoding="utf-8")
    return plate, layout


def run(*arguments):
    return CliRunner().invoke(app, ["assay", "elisa", *map(str, arguments)])


def test_json_has_everything(files, tmp_path):
    plate, layout = files
    done = run(
        plate, "--layout", layout, "--json", "--out", tmp_path / "out", "--figure", tmp_path / "plate.svg"
    )
    assert done.exit_code == 0, done.output
    found = payload(done.stdout)
    assert found["signal"] == "450 - 650"
    results = {row["sample"]: row for row in found["tables"]["samples"]}
    assert results["one"]["result"] == pytest.approx(500.0, rel=0.05)
    assert results["two"]["result"] == pytest.approx(5000.0, rel=0.05)
    assert results["one"]["low"] < 500.0 < results["one"]["high"]
    assert pl.read_csv(tmp_path / "out" / "samples.csv").height == 2
    assert (tmp_path / "plate.svg").read_text("utf-8").startswith("<svg")


def test_text_names_curve_quality_samples_and_findings(files):
    plate, layout = files
    done = run(plate, "--layout", layout)
    assert done.exit_code == 0, done.output
    for part in ("Standard curve of 450 - 650", "Quality", "Samples", "GP-A093"):
        assert part in done.stdout


def test_a_refusal_ends_with_one(files):
    plate, layout = files
    few = LAYOUT.replace('wells = "A1:H2"', 'wells = "A1:C2"').replace(", zero = true", "")
    layout.write_text(few, encoding="utf-8")
    done = run(plate, "--layout", layout)
    assert done.exit_code == 1
    assert "GP-A086" in done.stdout


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (("--channel", "405"), "GP-A081"),
        (("--model", "6pl"), "GP-A083"),
        (("--signal-range", "0.1"), "GP-A083"),
        (("--signal-range", "a,b"), "GP-A083"),
    ],
)
def test_what_cannot_be_used_is_an_input_error(files, option, code):
    plate, layout = files
    done = run(plate, "--layout", layout, *option)
    assert isinstance(done.exception, InputError)
    assert done.exception.code == code
