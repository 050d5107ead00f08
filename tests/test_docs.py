"""README and docs are true: commands exist, examples run, links lead somewhere."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import typer.main

from glueprint import study
from glueprint.cli.app import app
from glueprint.cli.groups import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "reference"),
]
COMMAND = re.compile(r"(?:`|\$ )glueprint ([a-z]+)(?: ([a-z][a-z-]*))?")
LINK = re.compile(r"\]\((?!https?://)([\w./-]+\.\w+)")


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_on_the_page_exists(page):
    root = typer.main.get_command(app)
    for group, command in COMMAND.findall(page.read_text("utf-8")):
        assert group in root.commands, f"glueprint {group}"
        # `fit` and `survival` are commands themselves; what follows is a file.
        if command and group not in COMMANDS:
            assert command in root.commands[group].commands, f"glueprint {group} {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    missing = [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()]
    assert missing == []


def test_the_python_of_the_readme_runs():
    (example,) = blocks(ROOT / "README.md", "python")
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["result"].replicates == 3


def test_the_python_beside_r_runs():
    found = doctest.testfile(str(ROOT / "docs" / "from-r-survival.md"), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0


def test_the_python_beside_nonmem_prints_what_the_page_says(capsys):
    (example,), (printed,) = (blocks(ROOT / "docs" / "from-nonmem.md", word) for word in ("python", "text"))
    exec(compile(example, "docs/from-nonmem.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_the_study_file_of_the_docs_loads(tmp_path):
    (text,) = blocks(ROOT / "docs" / "studies.md", "toml")
    path = tmp_path / "my-study.toml"
    path.write_text(text)
    assert study.load(path).name == "my-study"
