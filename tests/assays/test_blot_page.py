"""The examples of docs/blot.md run, and its box file is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint.assays.blot import boxes

PAGE = (Path(__file__).parents[2] / "docs" / "blot.md").read_text("utf-8")


def example(language, nth=0):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)[nth]


def test_the_python_of_the_page_runs():
    names = {}
    exec(compile(example("python"), "blot.md", "exec"), names)
    fractions = names["result"].tables["bands"]["fraction_remaining"].to_list()
    assert fractions[2] == pytest.approx(0.5 / (1.1 / 1.05) ** 0.5, rel=0.02)


def test_the_parts_of_the_page_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(example("python", 1), "blot.md", "exec"), names)
    assert names["result"].tables["volumes"].group_by("membrane").len()["len"].to_list() == [5, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boxes-lower.toml", "boxes-upper.toml"]


def test_the_box_file_of_the_page_is_read():
    found = boxes.parse(example("toml"), "blot.md").checked((1650, 1200)).file
    assert [band.role for band in found.band] == ["target", "loading"]
    assert found.lane[1].dose_nm == 100.0
