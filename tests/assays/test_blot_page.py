"""The examples of docs/blot.md run, and its box file is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint.assays.blot import boxes

PAGE = (Path(__file__).parents[2] / "docs" / "blot.md").read_text("utf-8")


def example(language):
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return text


def test_the_python_of_the_page_runs():
    names = {}
    exec(compile(example("python"), "blot.md", "exec"), names)
    fractions = names["result"].tables["bands"]["fraction_remaining"].to_list()
    assert fractions[2] == pytest.approx(0.5 / (1.1 / 1.05) ** 0.5, rel=0.02)


def test_the_box_file_of_the_page_is_read():
    found = boxes.parse(example("toml"), "blot.md").checked((1650, 1200)).file
    assert [band.role for band in found.band] == ["target", "loading"]
    assert found.lane[1].dose_nm == 100.0
