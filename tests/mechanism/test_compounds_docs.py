"""docs/compounds.md and docs/binding.md: examples run as printed, numbers are those of the files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from glueprint.cli.compound import app
from glueprint.mechanism import cards, compounds
from glueprint.mechanism.quantities import Role

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


def test_the_substrate_of_the_page_loads_and_acts_on_what_the_page_says(own):
    (rows,) = re.findall(r"```toml\n(.*?)```", (DOCS / "compounds.md").read_text(encoding="utf-8"), re.S)
    glue = own(rows)
    assert glue.rho("ZNF692", "myeloma", 10.0) == 5.0
    acts = cards.acts_on(glue)
    assert acts["substrates.ZNF692.cells.myeloma.capacity"] == cards.NOTHING
    assert acts["pharmacology.efficacy.ZNF692"] == "cells in culture that have ZNF692"


def test_a_template_is_written_once_and_never_over_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    assert CliRunner().invoke(app, ["template", str(path)]).exit_code == 0
    assert path.read_text(encoding="utf-8") == compounds.template()
    for where, code in ((path, "GP-M081"), (tmp_path / "nowhere" / "mine.toml", "GP-M082")):
        refused = CliRunner().invoke(app, ["template", str(where)]).exception
        assert str(refused).startswith(f"{code} {where}: ")


def test_a_shipped_file_is_printed_as_it_is():
    assert CliRunner().invoke(app, ["file", "pomalidomide"]).stdout == compounds.source("pomalidomide")


def test_the_roles_of_the_page_are_those_of_numbers():
    told = re.findall(
        r"^\| `(\w+)` \| (?:you|is|was|holds)", (DOCS / "compounds.md").read_text("utf-8"), re.M
    )
    assert sorted(told) == sorted(get_args(Role))
