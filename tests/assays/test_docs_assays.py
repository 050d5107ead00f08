"""The examples of docs/assays.md run and load as they stand, and the page names every role and template."""

from __future__ import annotations

import re
from pathlib import Path

from glueprint.assays import layout
from glueprint.assays.wells import ROLES

PAGE = (Path(__file__).parents[2] / "docs" / "assays.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_python_runs_from_top_to_bottom(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(compile(block, "docs/assays.md", "exec"), names)
    said = capsys.readouterr().out
    assert "GP-A017 warning" in said
    assert "<growth: " in said
    assert (tmp_path / "cultures.svg").read_text("utf-8").startswith("<svg")
    assert names["wells"].table.height == 2


def test_the_layout_loads():
    (text,) = blocks("toml")
    assert layout.parse(text, "docs").table.height == 96


def test_every_role_and_template_is_on_the_page():
    assert [
        name for name in (*ROLES, *layout.TEMPLATES) if f"`{name}`" not in PAGE and f" {name}`" not in PAGE
    ] == []
