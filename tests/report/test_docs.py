"""The example of docs/report.md runs, and its lists are the code's lists."""

from __future__ import annotations

import re
from pathlib import Path

from glueprint.report import figures, tables
from glueprint.report.summaries import survival
from glueprint.report.tables import LABELS

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text("utf-8")


def test_the_example_runs():
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 1
    exec(compile(examples[0], "docs/report.md", "exec"), {})


def test_every_figure_and_required_column_is_listed():
    for name in set(figures.__all__) - {"svg"}:
        assert f"`{name}`" in PAGE or f"figures.{name}" in PAGE, name
    required = (*tables.COMPARISON, *tables.PROFILES, *tables.PARAMETERS, *tables.FINDINGS, *tables.COMPOUNDS)
    for column in (*required, *tables.HELD_OUT, *LABELS, *survival()):
        assert f"`{column}`" in PAGE, column
