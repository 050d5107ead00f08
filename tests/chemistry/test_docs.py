"""The examples of docs/chemistry.md run and print what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glueprint.chemistry import plan, routes
from glueprint.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "chemistry.md").read_text("utf-8")
PAGES = [PAGE, *((DOCS / name).read_text("utf-8") for name in ("cereblon-binders.md", "synthesis.md"))]
EXAMPLES = re.findall(r"```python\n(.*?)```", "\n".join(PAGES), re.DOTALL)
COMMANDS = re.findall(r"^glueprint (.+)$", "\n".join(PAGES), re.MULTILINE)


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_run_and_print_what_they_say(code, capsys):
    exec(compile(code, "docs/chemistry.md", "exec"), {})
    printed = capsys.readouterr().out
    for said in re.findall(r"print\(.*\)\s+# (.+)$|^# (.+)$", code, re.MULTILINE):
        assert "".join(said).removesuffix(" ...") in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.output


def test_there_are_examples_and_commands():
    assert len(EXAMPLES) >= 9
    assert len(COMMANDS) >= 14


def test_the_route_file_holds(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    (route,) = routes.read(path)
    assert routes.check(route).holds
    assert plan(route, 1.0).table["grams"][-1] == pytest.approx(1.0)


def test_every_route_is_in_the_table():
    named = set(re.findall(r"[A-Z]\d?", " ".join(re.findall(r"^\| ([A-Z][^|]*)\|", PAGE, re.MULTILINE))))
    assert {name[0] for name in routes.available()} <= {name[0] for name in named}
