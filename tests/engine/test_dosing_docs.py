"""The examples of docs/dosing.md run, in order, and print what the page says; its commands are taken."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glueprint.cli.model import app

PAGE = Path(__file__).parents[2] / "docs" / "dosing.md"
PK = """
  species gut = 0, central = 0;
  J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;
  ka = 1.2; CL := 8*WT/70; V = 70; WT = 70; D1 = 2; ALAG1 = 0.25; conc := central/V;
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_examples_print_what_the_page_says(folder):
    page = PAGE.read_text(encoding="utf-8")
    pairs = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, flags=re.DOTALL)
    assert len(pairs) == 3
    names: dict[str, object] = {}
    for code, want in pairs:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == want
    assert (folder / "made-up.csv").exists()


def test_commands_of_the_page_run(folder):
    for name in ("pk.ant", "theophylline.ant"):
        (folder / name).write_text(PK, encoding="utf-8")
    (folder / "made-up.csv").write_text("ID,TIME,AMT,WT\n1,0,320,79\n1,5,0,79\n", encoding="utf-8")
    (folder / "doses.txt").write_text("1 0 320 -2 .\n1 5 0 0 8.2\n", encoding="utf-8")
    lines = re.findall(r"^glueprint model (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        result = CliRunner().invoke(app, shlex.split(line), catch_exceptions=False)
        assert result.exit_code == 0, line
    assert (folder / "table.csv").exists()
