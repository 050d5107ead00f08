"""`glueprint assay`: any plate from the command line, layouts drawn and written, findings never hidden."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload, refusal

from glueprint.assays import layout, readers
from glueprint.cli import app as application

OWN = Path(__file__).parents[1] / "assays" / "data"
EXAMPLES = sorted(path.name for path in OWN.iterdir())


@pytest.fixture
def call(capsys, monkeypatch):
    """Exit code, standard output, standard error of one call."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["glueprint", "assay", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            application.main()
        written = capsys.readouterr()
        return ended.value.code or 0, written.out, written.err

    return run


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_shown_and_given_as_json(call, name):
    code, out, err = call("plate", OWN / name)
    assert (code, err) == (0, "")
    first, _, rest = out.partition("\n")
    assert first.startswith(f"{name}: read by ")
    assert rest.startswith("Channels (")
    found = payload(call("plate", OWN / name, "--json")[1])
    assert {"source", "reader", "metadata", "channels", "flags", "quality", "positions", "findings"} <= set(
        found
    )
    for finding in found["findings"]:
        assert finding["code"] in out


WELLS = "Compound;Dose (µM);RLU\nDMSO;0;10100\nDMSO;0;9900\nGlue;0,1;8000\nGlue;1;4200\nGlue;10;2200\n"


def test_a_file_is_read_without_an_analysis(call, tmp_path):
    path, saved = tmp_path / "w.csv", tmp_path / "tidy.csv"
    path.write_bytes(WELLS.encode("cp1252"))
    code, out, err = call("read", path, "--save", saved)
    assert (code, err) == (0, "")
    assert out.startswith(
        "w.csv: semicolon-separated Windows-1252 text with decimal commas, 5 rows; raw signal"
    )
    assert "1 curve of 3 doses, 2 control wells" in out
    assert saved.read_text("utf-8").splitlines()[:2] == ["compound,dose,signal,dose_unit", "DMSO,0,10100,uM"]
    found = payload(call("read", path, "--json")[1])
    assert (found["kind"], found["response"]) == ("table", "signal")
    assert found["curves"] == [{"compound": "Glue", "doses": 3, "wells": 3}]
    # What was saved is read as the same.
    again = payload(call("read", saved, "--json")[1])
    assert again["rows"] == found["rows"]


def test_a_plate_is_read_without_an_analysis_and_saved(call, tmp_path):
    saved = tmp_path / "tidy.csv"
    code, out, _ = call("read", OWN / "softmax_plate.txt", "--save", saved)
    assert code == 0
    assert out.startswith("softmax_plate.txt: read by softmax; 96 wells of 1 plate; 450 (OD), 650 (OD); ")
    rows = payload(call("read", OWN / "softmax_plate.txt", "--json")[1])["rows"]
    again = payload(call("read", saved, "--json")[1])
    assert again["kind"] == "plate"
    assert [(row["well"], row["value"], row["role"]) for row in again["rows"]] == [
        (row["well"], row["value"], row["role"]) for row in rows
    ]


def test_what_would_be_refused_is_refused_when_it_is_read(call, tmp_path):
    path = tmp_path / "w.csv"
    path.write_text("dose_nm,viability_percent\n0,1.01\n10,0.9\n100,0.5\n1000,0.1\n")
    code, _, err = call("read", path)
    assert code == 2
    assert err.startswith("GP-A201")


def test_the_line_comes_before_any_number(call, tmp_path):
    path = tmp_path / "w.csv"
    path.write_text(WELLS, "utf-8")
    out = call("growth", path)[1]
    assert out.startswith("w.csv: semicolon-separated UTF-8 text with decimal commas")


def test_a_layout_gives_quality_numbers(call, tmp_path):
    path = tmp_path / "l.toml"
    path.write_text(
        'kind = "glueprint-layout"\nversion = 1\nplate_wells = 24\n'
        '[[well]]\nwells = "A"\nrole = "positive"\n[[well]]\nwells = "B"\nrole = "negative"\n'
    )
    code, out, _ = call("plate", OWN / "mars.csv", "--layout", path)
    assert code == 0
    assert "robust Z' of positive and negative" in out
    assert "12 measured wells are not in the layout" in out


def test_a_figure_is_written(call, tmp_path):
    path = tmp_path / "p.svg"
    code, _, _ = call("plate", OWN / "softmax_line.txt", "--figure", path)
    assert code == 0
    assert path.read_text("utf-8").startswith("<svg")


def test_a_correction_is_told_or_refused(call):
    code, _, err = call("plate", OWN / "mars.csv", "--correct", 1)
    assert code == 2
    assert err.startswith("GP-A053")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("plate", OWN / "none.csv"), "GP-A001"),
        (("plate", OWN / "mars.csv", "--reader", "softmax"), "GP-A002"),
        (("plate", OWN / "mars.csv", "--layout", OWN / "none.toml"), "GP-A030"),
        (("layout",), "GP-A048"),
        (("layout", "x.toml", "--template", "fp"), "GP-A048"),
        (("layout", OWN / "mars.csv"), "GP-A049"),
        (("layout", "--template", "fpp"), "GP-A040"),
    ],
)
def test_unusable_input_ends_with_2_and_its_code(call, words, code):
    ended, out, err = call(*words)
    assert (ended, out) == (2, "")
    assert err.startswith(code)
    assert refusal(call(*words, "--json")[2])["code"] == code


@pytest.mark.parametrize("kind", layout.TEMPLATES)
def test_a_template_is_a_file_that_can_be_shown(call, tmp_path, kind):
    code, out, _ = call("layout", "--template", kind, "--wells", 384)
    assert (code, out) == (0, layout.template(kind, 384))
    path = tmp_path / "l.toml"
    path.write_text(out)
    assert call("layout", path, "--show")[1] == layout.draw(layout.read(path)) + "\n"
    assert len(payload(call("layout", path, "--json")[1])["wells"]) == layout.read(path).table.height


def test_the_layout_of_a_vendor_file_is_shown(call):
    code, out, _ = call("layout", OWN / "gen5_absorbance.txt", "--show")
    assert code == 0
    assert out.splitlines()[0] == 'plate "Plate 1"'
    assert "GP-A038 warning" in out


def test_the_readers_are_listed(call):
    assert "SoftMax Pro" in call("readers")[1]
    found = payload(call("readers", "--json")[1])
    assert "tidy" in [reader["name"] for reader in found["readers"]]


def test_a_corrected_plate_is_saved_and_read_back(call, tmp_path):
    rng = np.random.default_rng(1)
    rows = ["plate,well,value,unit,role,sample,concentration,concentration_unit"]
    for i in range(96):
        row, column = divmod(i, 12)
        tilt = 1.0 + 0.3 * column / 11.0
        role = "vehicle" if (row + column) % 3 == 0 else "compound"
        value = 1000.0 * tilt * (1.0 if role == "vehicle" else 0.5) * (1.0 + 0.01 * rng.standard_normal())
        content = "vehicle,,0,nM" if role == "vehicle" else "compound,x,10,nM"
        rows.append(f"p,{'ABCDEFGH'[row]}{column + 1},{value:.2f},RLU,{content}")
    plate, saved = tmp_path / "plate.csv", tmp_path / "corrected.csv"
    plate.write_text("\n".join(rows) + "\n", encoding="utf-8")
    _, said, _ = call("plate", plate, "--correct", 1, "--save", saved, "--exclude", "A1=bubble")
    assert "GP-A052 warning" in said
    assert "GP-A241 note" in said
    table = layout.apply(readers.read(saved)).table
    kept = table.filter(pl.col("exclude") != "bubble")
    for role, level in (("vehicle", 1.0), ("compound", 0.5)):
        values = kept.filter(pl.col("role") == role)["value"].to_numpy()
        assert values.std() / values.mean() < 0.02
        assert values.mean() / kept.filter(pl.col("role") == "vehicle")["value"].mean() == pytest.approx(
            level, rel=0.02
        )
    assert table.filter(pl.col("exclude") == "bubble")["well"].to_list() == ["A1"]
