"""Files of the pages: layouts as TOML and xlsx out and in, all tables of a project, hostile ones refused."""

from __future__ import annotations

import html
import io
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook
from tests.envelope import payload

from glueprint.assays import layout
from glueprint.cli.app import app
from glueprint.errors import InputError, NotSupportedError
from glueprint.runs.store import write_tables
from glueprint.study import glue
from glueprint.study.glue import exporting

PLATE = "/p/demo/plates/fp-1"
FORMS = ("toml", "xlsx")


def field_of(text, name):
    """The value of a hidden field, as the first form that has it says."""
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', text)[1])


def seen(browser, page=PLATE):
    text = browser.get(page).text
    return {name: field_of(text, name) for name in ("seen", "layout_seen")}


@pytest.fixture
def plate(demo):
    one = next(one for one in glue.load(demo).assay if one.name == "fp-1")
    return demo / one.layout


@pytest.mark.parametrize("ending", FORMS)
def test_a_layout_goes_out_and_comes_in_as_it_was(browser, plate, ending):
    before = layout.read(plate)
    sent = browser.get(f"{PLATE}/layout.{ending}")
    assert sent.headers["content-disposition"].endswith(f'"fp-1-layout.{ending}"')
    away = {
        "wells": "A1",
        "role": "empty",
        **seen(browser),
        "plate": field_of(browser.get(PLATE).text, "plate"),
    }
    assert browser.post(f"{PLATE}/layout", away).status == 303
    assert not layout.read(plate).table.equals(before.table)
    answer = browser.post(f"{PLATE}/layout/file", seen(browser), [("layout", f"l.{ending}", sent.body)])
    assert answer.status == 303, answer.text
    after = layout.read(plate)
    said = [name for name in before.table.columns if name in after.table.columns]
    assert after.table.select(said).equals(before.table.select(said))
    assert (dict(after.assay), after.size) == (dict(before.assay), before.size)


def test_a_map_drawn_by_hand_keeps_the_numbers_of_the_plate(browser, plate):
    numbers = dict(layout.read(plate).assay)
    assert numbers
    drawn = "well,role,sample\nA1,blank,\nA2,tracer_only,\n"
    assert (
        browser.post(f"{PLATE}/layout/file", seen(browser), [("layout", "m.csv", drawn.encode())]).status
        == 303
    )
    after = layout.read(plate)
    assert dict(after.assay) == numbers
    assert after.table["role"].to_list() == ["blank", "tracer_only"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("l.exe", b"x", "GP-B020"),
        ("l.toml", b"not = [toml", "GP-A031"),
        (
            "l.toml",
            b'kind = "glueprint-layout"\nversion = 1\n[[well]]\nwells = "A1"\nplate = "no"\nrole = "blank"\n',
            "GP-A042",
        ),
        ("../../l.xlsx", b"PK\x03\x04 not a zip", "GP-A"),
        ("l.xlsx", b"", "GP-B024"),
        ("l.csv", b"a,b\n1,2\n", "GP-A"),
    ],
)
def test_a_layout_that_is_none_leaves_the_one_that_is(browser, demo, plate, name, content, code):
    before, files = plate.read_bytes(), sorted(demo.rglob("*"))
    answer = browser.post(f"{PLATE}/layout/file", seen(browser), [("layout", name, content)])
    assert 400 <= answer.status < 500
    assert code in answer.text
    assert (plate.read_bytes(), sorted(demo.rglob("*"))) == (before, files)


def test_a_zip_bomb_as_a_layout_is_refused(browser, plate):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("xl/workbook.xml", b"0" * 300_000_000)
    assert len(content.getvalue()) < 1_000_000
    before = plate.read_bytes()
    answer = browser.post(f"{PLATE}/layout/file", seen(browser), [("layout", "l.xlsx", content.getvalue())])
    assert (answer.status, plate.read_bytes()) == (422, before)


def test_the_second_tab_that_loads_a_layout_is_told(browser, plate):
    old = seen(browser)
    content = plate.read_bytes()
    assert (
        browser.post(f"{PLATE}/layout/file", old, [("layout", "l.toml", content + b"\n# x\n")]).status == 303
    )
    plate.write_bytes(content)
    plate.write_bytes(content + b"# by hand\n")
    assert browser.post(f"{PLATE}/layout/file", old, [("layout", "l.toml", content)]).status == 409


def test_a_layout_in_a_spreadsheet_becomes_one_that_the_page_changes(browser, demo, plate):
    book = layout.workbook(layout.read(plate))
    (demo / "raw" / "fp" / "map.xlsx").write_bytes(book)
    text = (demo / "glue.toml").read_text("utf-8")
    named = plate.relative_to(demo).as_posix()
    assert named in text
    (demo / "glue.toml").write_text(text.replace(named, "raw/fp/map.xlsx"), "utf-8")
    fields = {
        "wells": "A1",
        "role": "blank",
        **seen(browser),
        "plate": field_of(browser.get(PLATE).text, "plate"),
    }
    answer = browser.post(f"{PLATE}/layout", fields)
    assert answer.status == 303, answer.text
    one = next(one for one in glue.load(demo).assay if one.name == "fp-1")
    assert one.layout == "raw/fp-1/layout.toml"
    assert layout.read(demo / one.layout).table.filter(well="A1")["role"].to_list() == ["blank"]
    assert (demo / "raw" / "fp" / "map.xlsx").read_bytes() == book


@pytest.fixture
def tables(demo):
    tables = {
        "findings": pl.DataFrame({"code": ["GP-S033"], "message": ["=1+1"]}),
        "numbers": pl.DataFrame({"x": [0.1 + 0.2, None], "many": [["a", "b"], []]}),
    }
    write_tables(demo / "result" / "tables", tables)
    return tables


def test_all_tables_are_the_same_three_times(browser, demo, tables, printed, tmp_path):
    book = browser.get("/p/demo/tables.xlsx")
    assert book.body == next(iter(glue.export(demo, "xlsx").values()))
    said = payload(
        printed(app, "glue", "tables", str(demo), "--out", str(tmp_path), "--format", "xlsx", "--json")
    )
    assert [Path(name).read_bytes() for name in said["files"]] == [book.body]
    opened = CalamineWorkbook.from_filelike(io.BytesIO(book.body))
    assert opened.sheet_names == ["findings", "numbers"]
    assert opened.get_sheet_by_name("numbers").to_python() == [["x", "many"], [0.1 + 0.2, "a; b"], ["", ""]]
    assert opened.get_sheet_by_name("findings").to_python()[1] == ["GP-S033", "'=1+1"]
    with zipfile.ZipFile(io.BytesIO(browser.get("/p/demo/tables.zip").body)) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    assert files == dict(glue.export(demo, "csv"))
    assert sorted(files) == ["findings.csv", "numbers.csv"]


def test_tables_that_are_not_there_are_said(browser, demo, tables, printed, tmp_path):
    assert browser.get("/p/demo/tables.exe").status == 404
    with pytest.raises(InputError, match="no table") as refusal:
        glue.table(demo, "number")
    assert (refusal.value.code, "numbers" in str(refusal.value)) == ("GP-S072", True)
    with pytest.raises(InputError) as refusal:
        printed(app, "glue", "tables", str(demo), "--out", str(tmp_path), "--format", "ods")
    assert refusal.value.code == "GP-S073"
    (demo / "result" / "tables" / "leads-out.parquet").symlink_to("/etc/passwd")
    assert "leads-out" not in glue.table_names(demo)


def test_before_a_run_there_are_none(browser, demo):
    answer = browser.get("/p/demo/tables.xlsx")
    assert (answer.status, "GP-S072" in answer.text) == (404, True)


def test_a_sheet_that_would_be_too_long_is_refused(demo, tables, monkeypatch):
    monkeypatch.setattr(exporting, "MOST_ROWS", 2)
    with pytest.raises(NotSupportedError) as refusal:
        glue.export(demo, "xlsx")
    assert refusal.value.code == "GP-S074"
    assert set(glue.export(demo, "csv")) == {"findings.csv", "numbers.csv"}
