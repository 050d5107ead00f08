"""Help pages name every command and import no science."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("arguments", [["--help"], ["trial", "--help"], ["assay", "--help"], ["glue"]])
def test_a_help_page_imports_no_science(arguments):
    code = (
        "import sys\nfrom glueprint.cli import app\n"
        "try:\n    app.outcome()\nexcept SystemExit:\n    pass\n"
        "print('modules', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.splitlines()[-1].split())
    assert "typer" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("group", groups.GROUPS)
def test_the_help_of_a_group_names_its_commands(group):
    shown = CliRunner().invoke(app, [group, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for name, what in groups.listing()[group].items():
        assert f" {name} " in shown.output
        assert what.split()[0] in shown.output
