"""Tutorials are walked: each command as a reader types it, in an empty folder, and what the page promises."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.app import app

DOCS = Path(__file__).parents[1] / "docs"


def typed(command):
    """What a command prints; `> FILE` writes it there."""
    words = shlex.split(command)
    assert words.pop(0) == "glueprint"
    target = None
    if ">" in words:
        words, target = words[: words.index(">")], words[-1]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"
    if target:
        Path(target).write_text(done.stdout, encoding="utf-8")
    return done.stdout


@pytest.fixture
def walked(tmp_path, monkeypatch):
    """`walked(page)`: each command of a page with what it printed."""
    monkeypatch.chdir(tmp_path)

    def walk(page):
        text = (DOCS / page).read_text("utf-8")
        blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        return {line[2:]: typed(line[2:]) for block in blocks for line in block.splitlines()}

    return walk


def test_the_biostatistician(walked):
    printed = walked("tutorial-biostatistician.md")
    plan, *_, from_adam, from_tables, sweep = printed.values()
    assert "162" in plan
    assert "167" in plan
    assert {path.stem for path in Path("adam").glob("*.csv")} == {
        "adsl",
        "adtte",
        "adrs",
        "adlb",
        "adae",
        "adex",
    }
    assert Path("adam/define.xml").is_file()
    assert pl.read_csv("tables/patients.csv", infer_schema_length=None).n_unique("replicate") == 3
    assert "Milestones" in from_tables
    assert "Restricted means" in from_tables
    assert "<svg" in Path("pfs.svg").read_text("utf-8")
    assert "4 mg (as written)" in sweep
    # The page says that both are the same trial.
    assert "Hazard ratios" in from_adam
    first, second = (payload(typed(f"{command} --json")) for command in list(printed)[-3:-1])
    for one, other in zip(first["groups"], second["groups"], strict=True):
        assert {**one, "unit": ""} == {**other, "unit": ""}
    assert first["hazard_ratios"] == second["hazard_ratios"]
