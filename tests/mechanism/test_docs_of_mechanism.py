"""The examples of docs/mechanism.md run as printed."""

from __future__ import annotations

import re
from pathlib import Path

from glueprint.mechanism import Scenario, compounds, lines, models

PAGE = (Path(__file__).parents[2] / "docs" / "mechanism.md").read_text(encoding="utf-8")


def test_python_examples_run():
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    assert examples
    for example in examples:
        exec(compile(example, "docs/mechanism.md", "exec"), {})


def test_the_files_of_the_page_load(tmp_path):
    line, compound = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.S)
    path = tmp_path / "mine.toml"
    path.write_text(compound, encoding="utf-8")
    assert compounds.load(path).name == "mine"
    path.write_text(line, encoding="utf-8")
    assert lines.load(path).name == "mine"
    assert models.build("culture_myeloma", Scenario.of(line=path)).defaults["death_delay_h"] == 36.0
