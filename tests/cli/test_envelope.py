"""One envelope for all JSON, tables in every form, and tables that fit a terminal."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from itertools import pairwise

import pytest
import typer.main
from rich.console import Console
from tests.envelope import envelope, payload, refusal

from glueprint.cli import app as application
from glueprint.cli import groups, output, tables

# They write a file for you to change, or print a file's own text.
WITHOUT = {
    "compound draw",
    "compound file",
    "compound template",
    "diagram draw",
    "serve",
    "synthesis export",
    "trial file",
    "trial rules file",
    "trial rules template",
    "trial template",
}
# Their `--format` is that of the files that they write or print.
OWN_FORMAT = {"synthesis plan", "trial export", "trial figures"}
# Commands that need no file and answer at once; the others are read as JSON where each is tested.
AT_ONCE = {
    "study list": [],
    "evidence table": ["guide-4"],
    "evidence show": ["G4-os-hr"],
    "evidence list": ["--topic", "pk"],
    "evidence conflicts": [],
    "experiment list": [],
    "assay readers": [],
    "assay design": ["degradation"],
    "trial list": [],
    "trial show": ["mm003"],
    "trial rules list": [],
    "trial design": ["--hazard-ratio", "0.7", "--median-months", "10", "--looks", "0.5,1"],
    "compound list": [],
    "compound show": ["pomalidomide"],
    "compound compare": ["thalidomide", "pomalidomide"],
    "compound check": ["pomalidomide"],
    "compound stability": ["thalidomide", "--hours", "8"],
    "compound numbers": ["lenalidomide"],
    "diagram list": [],
    "synthesis list": [],
    "synthesis show": ["F1"],
    "synthesis plan": ["A", "--grams", "10"],
}
TABLE = (("name", "says"), [("a", "=1+1"), ("b", "one | two")])


def walk(command, path):
    """Every command below `command` with its words."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from walk(inner, f"{path} {name}")
    else:
        yield path, {option for parameter in command.params for option in parameter.opts}


def every_command():
    root = typer.main.get_command(application.app)
    for name in (*groups.GROUPS, *groups.COMMANDS):
        command = groups._command(name) if name in groups.COMMANDS else root.commands[name]
        yield from walk(command, name)


def call(capsys, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["glueprint", *words])
    with pytest.raises(SystemExit) as ended:
        application.main()
    written = capsys.readouterr()
    return ended.value.code or 0, written.out, written.err


def test_every_command_has_json_or_a_reason():
    options = dict(every_command())
    assert {name for name, known in options.items() if "--json" not in known} == WITHOUT
    assert all("--format" in known for name, known in options.items() if name not in WITHOUT)


def test_every_command_refuses_as_json(capsys, monkeypatch):
    """A wrong word on the command line of each, refused before anything is done."""
    for name, options in every_command():
        if "--json" not in options:
            continue
        code, out, err = call(capsys, monkeypatch, *name.split(), "--no-such-option", "--json")
        error = refusal(err)
        assert (code, out, error["code"]) == (2, "", "GP-X007"), name
        assert error["where"].startswith(f"glueprint {name.split()[0]}")
        assert "--help" in error["next_step"]


@pytest.mark.parametrize("name", AT_ONCE)
def test_answers_have_the_envelope(capsys, monkeypatch, name):
    code, out, _ = call(capsys, monkeypatch, *name.split(), *AT_ONCE[name], "--json")
    assert code == 0
    read = envelope(out)
    assert read["schema"] == ".".join(("glueprint", *name.split()))
    assert read["version"] == 1
    assert read["data"]


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"], ["--format=json"]])
def test_json_is_a_format(capsys, monkeypatch, words):
    code, out, _ = call(capsys, monkeypatch, "study", "list", *words)
    assert (code, payload(out)[0]["name"]) == (0, "pomalidomide")
    _, _, err = call(capsys, monkeypatch, "study", "run", "pomalidomid", *words)
    assert refusal(err)["code"] == "GP-S001"


def test_findings_are_moved_and_not_copied(capsys):
    output.print_json({"a": 1, "findings": [{"code": "GP-E001"}]})
    read = envelope(capsys.readouterr().out)
    assert read["data"] == {"a": 1}
    assert read["findings"] == [{"code": "GP-E001"}]


def test_a_table_as_csv_and_markdown(capsys, monkeypatch):
    code, out, err = call(capsys, monkeypatch, "diagram", "list", "--format", "csv")
    rows = list(csv.reader(io.StringIO(out)))
    assert (code, rows[0]) == (0, ["name", "title"])
    assert "Diagrams" in err
    _, out, _ = call(capsys, monkeypatch, "diagram", "list", "--format", "md")
    assert out.startswith("**Diagrams**\n\n| name | title |\n| --- | --- |\n")


def test_what_is_said_beside_a_table_for_programs_is_no_row(capsys, monkeypatch):
    words = ["synthesis", "plan", "A", "--grams", "10"]
    _, plain, _ = call(capsys, monkeypatch, "compound", "show", "pomalidomide")
    code, out, err = call(capsys, monkeypatch, "compound", "show", "pomalidomide", "--format", "csv")
    assert code == 0
    assert "teratogen" in plain
    assert "teratogen" in err
    assert "teratogen" not in out
    # The next command in the same process prints for people again.
    assert "┃" in call(capsys, monkeypatch, *words)[1]


def test_an_unknown_format_is_refused_with_the_nearest(capsys, monkeypatch):
    code, _, err = call(capsys, monkeypatch, "diagram", "list", "--format", "cvs")
    assert code == 2
    assert 'did you mean "csv"' in " ".join(err.replace("│", " ").split())


def test_csv_is_inert_unless_formulas_are_kept():
    columns, rows = TABLE
    assert tables.as_csv(columns, rows, keep_formulas=False) == "name,says\na,'=1+1\nb,one | two\n"
    assert "a,=1+1\n" in tables.as_csv(columns, rows, keep_formulas=True)


def test_markdown_cells_have_no_borders_of_their_own():
    assert tables.as_markdown("", *TABLE).splitlines()[-1] == "| b | one \\| two |"


def drawn(columns, rows, width):
    console = Console(width=width, file=io.StringIO(), highlight=False)
    for table in tables.drawn("Title", columns, rows, width):
        console.print(table)
    return console.file.getvalue().splitlines()


COLUMNS = ("identifier", "what it says of the patients", "concentration", "remarks", "pharmacokinetics")
ROWS = [
    (f"CLAIM-{n:03}", "several words, of which none is broken", "12.5 ng/mL", "seen", "two parts")
    for n in range(3)
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 1000])
def test_tables_fit_and_wrap_between_words(width):
    lines = drawn(COLUMNS, ROWS, width)
    assert max(map(len, lines)) <= width
    words = set(" ".join(lines).replace("│", " ").replace("┃", " ").split())
    assert {word for cell in (*COLUMNS, *ROWS[0]) for word in cell.split()} <= words


def test_columns_without_room_follow_below_with_the_first_repeated():
    blocks = [numbers for numbers, _ in tables.blocks(COLUMNS, ROWS, 60)]
    assert blocks[0][0] == 0
    assert all(block[0] == 0 for block in blocks)
    assert sorted({number for block in blocks for number in block}) == list(range(5))
    assert all(a[-1] < b[1] for a, b in pairwise(blocks))
    assert any("Title, continued" in line for line in drawn(COLUMNS, ROWS, 60))


def test_rows_are_whole_where_there_is_room():
    assert sum("CLAIM-" in line for line in drawn(COLUMNS, ROWS, 1000)) == 3
    assert len(drawn(COLUMNS, ROWS, 1000)) == 8


SHOW_TABLE = """
from glueprint.cli import output
output.print_table("", ("id", *"abcdefgh"), [("CL1", *["several words"] * 7, "one " * 30)])
output.console.print("sentence " * 30)
"""


@pytest.mark.parametrize(
    ("columns", "width", "sentences"), [(None, 120, 1), ("60", 60, 5), ("1000", 1000, 1)]
)
def test_a_table_in_a_pipe_fits_and_a_sentence_is_whole(columns, width, sentences):
    where = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    where |= {} if columns is None else {"COLUMNS": columns}
    done = subprocess.run(
        [sys.executable, "-c", SHOW_TABLE], env=where, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    table = [line for line in lines if "sentence" not in line]
    assert max(map(len, table)) <= width
    assert len(lines) - len(table) == sentences
    words = " ".join(table).replace("│", " ").split()
    assert words.count("one") == 30
    assert words.count("several") == words.count("words") == 7
    # Whole rows need 180 cells: where there is less, the row continues.
    assert (len(table) == 5) is (width == 1000), table
