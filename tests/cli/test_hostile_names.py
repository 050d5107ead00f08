"""Names of somebody else's on the terminal and in CSV files: text, and nothing that is obeyed or computed."""

from __future__ import annotations

import contextvars
import csv
import importlib
import io
import sys

import polars as pl
import pytest
from tests.envelope import envelope, payload

from glueprint import study
from glueprint.boundary.spreadsheets import inert
from glueprint.boundary.text import shown
from glueprint.cli import app as application
from glueprint.cli import output

ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\u202etxt\r\x08[/bold] :smile:"
FORMULA = '=HYPERLINK("http://x","y")'
WELLS = "plate,well,value,unit,role,sample,concentration,concentration_unit\n"


def call(capsys, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["glueprint", *words])
    with pytest.raises(SystemExit) as ended:
        application.main()
    written = capsys.readouterr()
    return ended.value.code or 0, written.out, written.err


def plate(folder, sample, name="p.csv"):
    rows = [f"p1,A{c},0.{c},OD,sample,{sample},{c},nM\n" for c in range(1, 7)]
    path = folder / name
    path.write_text(WELLS + "".join(rows), encoding="utf-8", newline="")
    return path


def is_plain(text):
    return not set(text) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x202E)} - {"\n"}


def test_what_a_terminal_obeys_is_shown():
    assert shown(ESCAPES) == "\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\u202etxt\\x0d\\x08[/bold] :smile:"
    assert shown("Größe\tµM\n≤ 5") == "Größe\tµM\n≤ 5"


def test_tables_and_errors_show_text_only(capsys):
    output.print_table(ESCAPES, (ESCAPES,), [(ESCAPES,)])
    output.console.print(ESCAPES)
    output.progress_console.print(ESCAPES)
    output.print_json({ESCAPES: ESCAPES})
    written = capsys.readouterr()
    assert is_plain(written.out), written.out
    assert is_plain(written.err)
    assert "[/bold] :smile:" in written.out
    assert envelope(written.out[written.out.index("{") :])["data"] == {ESCAPES: ESCAPES}


def test_a_file_s_name_and_a_sample_are_shown(tmp_path, capsys, monkeypatch):
    name = ESCAPES.replace("/", "")
    file = plate(tmp_path, "\x1b[2J\x9b31m", f"{name}.csv")
    broken = tmp_path / f"{name}.toml"
    broken.write_text("[")
    said = ""
    for words in (
        ("assay", "plate", str(file)),
        ("trial", "run", str(broken)),
        ("study", "run", str(broken)),
    ):
        for extra in ((), ("--json",)):
            _, out, err = call(capsys, monkeypatch, *words, *extra)
            assert is_plain(out), out
            assert is_plain(err), err
            said += out + err
    assert "\\x1b]0;title" in said
    assert "\\u001b" in said


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        (FORMULA, f"'{FORMULA}"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1-cmd|' /C calc'!A0", "'+1-cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("-5.2", "-5.2"),
        ("+3e-4", "+3e-4"),
        ("-inf", "-inf"),
        ("-", "-"),
        ("pomalidomide", "pomalidomide"),
        ("", ""),
    ],
)
def test_cells_that_a_spreadsheet_would_compute(text, cell):
    assert inert(text) == cell


def cells(folder):
    return {
        cell
        for path in folder.rglob("*.csv")
        for row in csv.reader(io.StringIO(path.read_text("utf-8")))
        for cell in row
    }


def test_no_table_that_we_write_holds_a_formula(tmp_path, capsys, monkeypatch):
    from glueprint.cli.csv_files import csv_text
    from glueprint.cli.plates import write_tables

    table = pl.DataFrame({"=a": [FORMULA, None], "list": [[FORMULA], ["b", "c"]], "n": [-1.5, 2.0]})
    write_tables(tmp_path / "out", {"t": table})
    found = cells(tmp_path / "out")
    assert f"'{FORMULA}" in found
    assert {"-1.5", "b; c", "'=a"} <= found
    assert not [cell for cell in found if cell.startswith(("=", "@"))]
    assert csv_text(table).splitlines()[0] == "'=a,list,n"


def test_formulas_are_kept_where_that_is_asked_for(capsys, monkeypatch):
    from glueprint.cli.csv_files import csv_text

    table = pl.DataFrame({"sample": ["=1+1"]})
    told = []

    def written(*words):
        call(capsys, monkeypatch, *words, "study", "list")

    importlib.import_module("glueprint.cli.study")  # before the patch, or what Tab offers keeps it for good
    monkeypatch.setattr(study, "available", lambda: told.append(csv_text(table)) or ())
    contextvars.copy_context().run(written)
    contextvars.copy_context().run(written, "--keep-formulas")
    assert told == ["sample\n'=1+1\n", "sample\n=1+1\n"]


def test_the_root_command_has_that_option(capsys, monkeypatch):
    code, out, _ = call(capsys, monkeypatch, "--keep-formulas", "trial", "list", "--json")
    assert code == 0
    assert payload(out)


def test_the_option_holds_for_its_command_alone(capsys, monkeypatch):
    from glueprint.cli.csv_files import csv_text

    code, _, _ = call(capsys, monkeypatch, "--keep-formulas", "trial", "list", "--json")
    assert code == 0
    assert csv_text(pl.DataFrame({"sample": ["=1+1"]})) == "sample\n'=1+1\n"
