"""Layouts are written as TOML and as xlsx, and read back as they were."""

from __future__ import annotations

import polars as pl
import pytest
from tests.envelope import payload

from glueprint.assays import layout
from glueprint.assays.wells import CONTENT, Layout
from glueprint.cli.app import app
from glueprint.errors import InputError

SCHEMA = {"plate": pl.String, "well": pl.String, **CONTENT, "batch": pl.String}
ROW = {"plate": "", "dilution": 1.0, **dict.fromkeys((n for n, k in SCHEMA.items() if k == pl.String), "")}


def made(*rows, **about):
    return Layout("mine", pl.DataFrame([ROW | row for row in rows], schema=SCHEMA), **about)


def same(back, original):
    names = [name for name in original.table.columns if name in back.table.columns]
    lost = [name for name in original.table.columns if name not in names]
    assert all(original.table[name].is_in(["", None]).all() for name in lost), lost
    keys = ["plate", "well"]
    assert back.table.select(names).sort(keys).equals(original.table.select(names).sort(keys))
    assert dict(back.assay) == dict(original.assay)


@pytest.mark.parametrize("kind", layout.TEMPLATES)
def test_every_template_comes_back_from_both(kind, tmp_path):
    original = layout.parse(layout.template(kind, 96), kind)
    back = layout.parse(layout.text(original), "text")
    same(back, original)
    assert (back.size, back.adds) == (original.size, original.adds)
    (tmp_path / "l.xlsx").write_bytes(layout.workbook(original))
    same(layout.read(tmp_path / "l.xlsx"), original)


ODD = made(
    {"well": "A1", "role": "compound", "sample": "=1+1", "concentration": 0.1 + 0.2,
     "concentration_unit": "nM"},
    {"well": "P24", "role": "control", "sample": 'say "x", \\ \U0001f9ea', "expected_low": 1.0,
     "batch": "b-1"},
    {"well": "B1", "plate": "second", "role": "blank"},
    size=384,
    assay={"protein_nm": 12.5, "g_factor": 1.0},
)  # fmt: skip


def test_odd_text_numbers_and_plates_come_back(tmp_path):
    same(layout.parse(layout.text(ODD), "text"), ODD)
    (tmp_path / "l.xlsx").write_bytes(layout.workbook(ODD))
    same(layout.read(tmp_path / "l.xlsx"), ODD)
    assert layout.workbook(ODD) == layout.workbook(ODD)


def test_what_adds_to_the_plates_own_file_still_does():
    assert layout.parse(layout.text(made({"well": "A1", "role": "blank"}, adds=True)), "x").adds


@pytest.mark.parametrize("ending", ["toml", "xlsx"])
def test_the_command_writes_what_python_writes(ending, printed, tmp_path):
    source, target = tmp_path / "in.toml", tmp_path / f"out.{ending}"
    source.write_text(layout.template("fp", 96))
    said = payload(printed(app, "assay", "layout", str(source), "--write", str(target), "--json"))
    assert said["written"] == str(target)
    found = layout.read(source)
    content = layout.text(found).encode() if ending == "toml" else layout.workbook(found)
    assert target.read_bytes() == content


def test_another_form_is_refused(printed, tmp_path):
    source = tmp_path / "in.toml"
    source.write_text(layout.template("fp", 96))
    with pytest.raises(InputError) as refusal:
        printed(app, "assay", "layout", str(source), "--write", str(tmp_path / "out.ods"))
    assert refusal.value.code == "GP-A251"
    assert not (tmp_path / "out.ods").exists()
