"""The examples of docs/polarization.md run as printed, and its table is what the formulas give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint.assays.polarization import conversions

PAGE = (Path(__file__).parents[2] / "docs" / "polarization.md").read_text(encoding="utf-8")


def test_python_examples_run(capsys):
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "docs/polarization.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "Ki (exact) = 15" in shown
    assert "GP-A065" in shown
    assert "Kd (exact) = 2 nM" in shown


def test_the_table_of_wrong_ki_values_is_true():
    rows = re.findall(r"^\| (\d[\d.]*) \| " + r"([\d.]+) \| " * 5 + r"([\d.]+) \|$", PAGE, flags=re.M)
    assert len(rows) == 7
    for row in rows:
        protein, tracer, kd, ki, ic50, read, factor = map(float, row)
        plate = conversions.at_half(protein, tracer, kd)
        exact = conversions.exact_ic50(ki, plate)
        assert exact == pytest.approx(ic50, abs=0.06)
        wrong = conversions.cheng_prusoff(exact, tracer, kd)
        assert wrong == pytest.approx(read, abs=0.06)
        assert wrong / ki == pytest.approx(factor, rel=0.01)
