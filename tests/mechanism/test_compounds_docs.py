"""docs/compounds.md and docs/binding.md: examples run as printed, numbers are those of the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint.mechanism import compounds

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["compounds", "binding"])
def test_python_examples_run(page):
    examples = re.findall(
        r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), flags=re.S
    )
    assert examples
    for example in examples:
        exec(compile(example, f"docs/{page}.md", "exec"), {})


@pytest.mark.parametrize("name", compounds.names())
def test_the_table_of_what_ships_is_that_of_the_files(name):
    (row,) = [
        line
        for line in (DOCS / "compounds.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| {name}")
    ]
    kd, efficacy = (cell.strip() for cell in row.split("|")[2:4])
    own = compounds.load(name).pharmacology
    assert kd.startswith(f"{own.kd_nm.typical:g}" if own.kd_nm else "missing")
    assert efficacy.startswith(f"{own.efficacy['IKZF1'].typical:g}" if own.efficacy else "missing")
    assert ("(S)" in row.split("|")[1]) == (own.form == "S")
