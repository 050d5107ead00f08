"""`glueprint assay degradation`, `design` and `growth`: tables in, tables, figures and findings out."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from tests.envelope import envelope, payload
from typer.testing import CliRunner

from glueprint.assays import degradation, growth, tidy_table
from glueprint.cli import assay
from glueprint.errors import InputError
from glueprint.report.figures.degradation import degradation_curves
from glueprint.report.figures.growth import growth_curves

RUN = CliRunner()


@pytest.fixture
def blot(tmp_path):
    truth = degradation.Kinetics(0.1, 1.2, 60.0)
    dose, time = (part.ravel() for part in np.meshgrid((0.0, 0.0, 10.0, 100.0, 1000.0), (1.0, 6.0, 24.0)))
    noise = np.exp(0.05 * np.random.default_rng(1).normal(size=dose.size))
    table = pl.DataFrame(
        {"conc": dose, "time_h": time, "fraction_remaining": truth.remaining(dose, time) * noise}
    )
    path = tmp_path / "blot.csv"
    table.with_columns(target=pl.lit("IKZF1")).write_csv(path)
    return path


@pytest.fixture
def wells(tmp_path):
    dose = np.array([0.0, 0.0, *np.geomspace(0.001, 10.0, 9)])
    tables = []
    for line, ec50 in (("MM.1S", 0.1), ("OPM2", 3.0)):
        values = 1.0 - 0.8 * dose / (dose + ec50)
        tables.append(pl.DataFrame({"cell_line": [line] * dose.size, "dose": dose, "viability": values}))
    table = pl.concat(tables).with_columns(
        dose_unit=pl.lit("uM"), time_h=pl.lit(72.0), doubling_time_h=pl.lit(30.0)
    )
    path = tmp_path / "wells.tsv"
    table.write_csv(path, separator="\t")
    return path


def test_degradation_prints_writes_and_draws(blot, tmp_path):
    out, figure = tmp_path / "out", tmp_path / "figure.svg"
    asked = ["degradation", str(blot), "--column", "dose_nm=conc", "--out", str(out), "--figure", str(figure)]
    found = RUN.invoke(assay.app, asked)
    assert found.exit_code == 0, found.output
    assert "Loss at each time" in found.output
    assert "GP-A152" in found.output
    assert {path.stem for path in out.iterdir()} == {
        "points",
        "experiments",
        "rates",
        "arms",
        "readings",
        "curves",
        "suspects",
        "excluded",
        "quality",
        "findings",
    }
    assert "vehicle" in figure.read_text()
    answer = payload(
        RUN.invoke(assay.app, ["degradation", str(blot), "--column", "dose_nm=conc", "--json"]).output
    )
    table = tidy_table.renamed(tidy_table.read(blot), {"dose_nm": "conc"})
    assert answer["tables"]["points"][1]["dmax"] == pytest.approx(degradation.analyse(table).at(6.0).dmax)


def test_a_refusal_ends_with_1(blot):
    single = pl.read_csv(blot).filter(pl.col("time_h") == 6.0)
    single.write_csv(blot)
    asked = ["degradation", str(blot), "--column", "dose_nm=conc", "--method", "joint"]
    assert RUN.invoke(assay.app, asked).exit_code == 1


def test_design_prints_a_table_and_a_suggestion():
    found = RUN.invoke(assay.app, ["design", "degradation", "--k-max", "2.4", "--ec50", "264"])
    assert found.exit_code == 0, found.output
    assert "best further dose: 10 nM" in found.output
    answer = envelope(RUN.invoke(assay.app, ["design", "degradation", "--json"]).output)["data"]
    assert set(answer) == {"expected", "suggested", "advice"}
    for wrong in (["design", "elisa"], ["design", "degradation", "--doses", "a,b"]):
        with pytest.raises(InputError, match="GP-A140"):
            RUN.invoke(assay.app, wrong, catch_exceptions=False)


def test_growth_prints_writes_and_draws(wells, tmp_path):
    out, figure = tmp_path / "out", tmp_path / "figure.svg"
    found = RUN.invoke(assay.app, ["growth", str(wells), "--out", str(out), "--figure", str(figure)])
    assert found.exit_code == 0, found.output
    assert "Growth-rate inhibition" in found.output
    table = pl.read_csv(out / "potencies.csv")
    value = table.filter((pl.col("line") == "OPM2") & (pl.col("definition") == "relative IC50"))["value"][0]
    assert value == pytest.approx(3000.0, rel=1e-4)
    assert "MM.1S" in figure.read_text()
    answer = payload(RUN.invoke(assay.app, ["growth", str(wells), "--json"]).output)
    assert set(answer["tables"]) == {
        "wells",
        "curves",
        "growth_rate",
        "potencies",
        "fitted",
        "suspects",
        "excluded",
    }


@pytest.mark.parametrize(
    "content", [b"", b"a\n1\n", b"\xff\xfe\x00", b"a,b\n1,2,3\n", b'a,b\n"1,2\n3,4,5,6\n', b"a,b\0\n1,2\n"]
)
def test_files_that_are_no_table(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match="GP-A158"):
        tidy_table.read(path)


def test_a_missing_file_and_unknown_columns(tmp_path, blot):
    with pytest.raises(InputError, match="GP-A158"):
        tidy_table.read(tmp_path / "none.csv")
    for wrong in ("dose_nm=dose", "dose_nm"):
        with pytest.raises(InputError, match="GP-A158"):
            RUN.invoke(assay.app, ["degradation", str(blot), "--column", wrong], catch_exceptions=False)


def test_damaged_tables_never_end_in_a_traceback(blot, wells):
    draw, codes = np.random.default_rng(7), []
    for path, run in ((blot, degradation.analyse), (wells, growth.analyse)):
        content = path.read_bytes()
        for _ in range(25):
            spoilt = bytearray(content)
            for place in draw.integers(0, len(spoilt), 3):
                spoilt[place] = draw.choice(list(b"0,.-x\t\n<e9"))
            path.write_bytes(bytes(spoilt))
            try:
                run(tidy_table.read(path))
            except InputError as error:
                codes.append(error.code)
    assert codes
    assert all(code.startswith("GP-A") for code in codes)


def test_figures_show_limits_hooks_and_many_doses():
    truth = degradation.Kinetics(0.1, 1.2, 5.0)
    dose, time = (part.ravel() for part in np.meshgrid((0.0, *np.geomspace(10.0, 1e4, 8)), (1.0, 24.0)))
    table = pl.DataFrame({"dose_nm": dose, "time_h": time, "fraction_remaining": truth.remaining(dose, time)})
    text = json.dumps(degradation_curves(degradation.analyse(table).tables).to_dict())
    assert "\\u2193" in text
    flat = pl.DataFrame(
        {"dose_nm": [0.0, 0.0, 1.0, 10.0, 100.0, 1000.0], "viability": [1.0, 0.98, 1.0, 0.97, 1.01, 1.0]}
    )
    text = json.dumps(growth_curves(growth.analyse(flat).tables).to_dict())
    assert "\\u2192" in text
