"""Help pages name every command and import no science."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from glueprint.cli import groups
from glueprint.cli.app import app

# What takes seconds to import; no help page of a group needs any of it.
HEAVY = {"numpy", "scipy", "polars", "pint", "libsbml", "antimony", "rdkit", "altair", "duckdb"}


def test_the_listing_says_what_the_commands_say():
    """After a change of a command or its help: make listing."""
    assert json.loads(groups.LISTING.read_text("utf-8")) == groups.listing()


# Shows one help page after the other, and says after each how many modules there are by now.
SHOW = """
import sys
from glueprint.cli import app
for words in (["--version"], ["--help"], *([name, "--help"] for name in sys.argv[1:])):
    try:
        app.app(words, prog_name="glueprint")
    except SystemExit as done:
        assert not done.code, words
    print("modules", len(sys.modules), *words)
print("packages", *{name.split(".")[0] for name in sys.modules})
"""
# 242, 243 and 340 by measurement, of which 200 are not ours; a room or a library more is hundreds.
MOST = {"--version": 300, "--help": 300}
MOST_OF_ALL = 440


def test_help_pages_import_no_science():
    """The root's, every group's and those of commands that stand for themselves, in one process."""
    command = [sys.executable, "-c", SHOW, *groups.GROUPS, *groups.COMMANDS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    modules = {
        words: int(n) for _, n, words in (line.split(None, 2) for line in lines if line[:8] == "modules ")
    }
    assert len(modules) == 2 + len(groups.GROUPS) + len(groups.COMMANDS)
    assert all(modules[page] <= most for page, most in MOST.items()), modules
    assert max(modules.values()) <= MOST_OF_ALL, modules
    imported = set(lines[-1].split())
    assert "typer" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("group", groups.GROUPS)
def test_the_help_of_a_group_names_its_commands(group):
    shown = CliRunner().invoke(app, [group, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for name, what in groups.listing()[group].items():
        assert f" {name} " in shown.output
        assert what.split()[0] in shown.output


# As bash asks (https://typer.tiangolo.com, "CLI Option autocompletion"), in a process of its own.
TAB = """
import contextlib, io, json, os, sys
from glueprint.cli.app import app
os.environ["_GLUEPRINT_COMPLETE"] = "complete_bash"
told = {}
for words in sys.argv[1:]:
    os.environ |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        app([], prog_name="glueprint")
    told[words] = out.getvalue().split()
print(json.dumps(told))
"""
OFFERED = {
    "glueprint tri": {"trial"},
    "glueprint surv": {"survival"},
    "glueprint trial sh": {"show"},
    "glueprint trial show mm00": {"mm002", "mm003"},
    "glueprint study run poma": {"pomalidomide"},
    "glueprint evidence show BIN-00": {"BIN-001", "BIN-002"},
    "glueprint compound show pomal": {"pomalidomide"},
    "glueprint trial rules show pomalidomide-us": {"pomalidomide-us-label"},
}


@pytest.fixture(scope="module")
def told_by_tab():
    command = [sys.executable, "-c", TAB, *OFFERED]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("words", OFFERED)
def test_tab_offers_commands_and_names(told_by_tab, words):
    told = told_by_tab[words]
    assert OFFERED[words] <= set(told)
    assert all(word.startswith(words.split()[-1]) for word in told)


def test_tab_after_a_group_imports_no_science():
    asked = {"_GLUEPRINT_COMPLETE": "complete_bash", "COMP_WORDS": "glueprint trial sho", "COMP_CWORD": "2"}
    code = SHOW.split("for words")[0] + (
        "try:\n    app.app(prog_name='glueprint')\nfinally:\n    print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **asked}
    )
    offered, *_, modules = done.stdout.splitlines()
    assert offered == "show"
    assert not {name.split(".")[0] for name in modules.split()} & HEAVY


def test_rooms_import_no_distributions_before_they_need_them():
    """scipy.stats is slow to import, in each of the processes that a command or a test starts."""
    show = "import sys, glueprint.trials, glueprint.workshop; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
