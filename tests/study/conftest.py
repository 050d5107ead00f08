"""Small projects for the tests of a glue's line: a table of quantities, a made-up glue with few patients."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint.study import glue

SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"
ROWS = (
    "GLX-1,ki,,200,150,267,nM",
    "pomalidomide,ki,,250,188,333,nM",
    "GLX-1,rate_max_over_k_deg,IKZF1,20,15,27,",
    "pomalidomide,rate_max_over_k_deg,IKZF1,21,16,28,",
)
HEAD = "compound,quantity,target,value,low,high,unit"
PK = """
kind = "glueprint-pk"
version = 1
fraction_unbound = { typical = 0.5, unit = "dimensionless", role = "measured", why = "own dialysis" }

[pk]
compartments = 1
lag_h = { typical = 0.2, unit = "h", role = "assumed", why = "as the class" }
absorption_per_h = { typical = 1.0, unit = "1/h", role = "measured", why = "own study" }
clearance_l_per_h = { typical = 8.0, unit = "L/h", role = "measured", why = "own study" }
central_l = { typical = 70.0, unit = "L", role = "measured", why = "own study" }
"""


def _table_project(folder: Path, rows=ROWS, more: str = "") -> Path:
    """A project with one table of quantities; `more` is added to its file."""
    glue.new(folder, compound="GLX-1", smiles=SMILES)
    (folder / "raw/table/measured.csv").write_text("\n".join((HEAD, *rows)) + "\n")
    entry = '[[assay]]\nname = "table-1"\nkind = "table"\nfiles = ["raw/table/measured.csv"]\n'
    path = folder / "glue.toml"
    path.write_text(f"{path.read_text()}\n{entry}\n{more}")
    return folder


def _small(folder: Path, *, patients: int = 10, sweep: bool = False) -> Path:
    """The project of a made-up glue with few patients, and without its sweep: the line, not its precision."""
    path = folder / "glue.toml"
    text = re.sub(r"patients = 100.*", f"patients = {patients}", path.read_text())
    text = re.sub(r"replicates = 60.*", "replicates = 39", text)
    path.write_text(text if sweep else text.split("[sweep]")[0])
    return folder


@pytest.fixture(scope="session")
def smiles():
    return SMILES


@pytest.fixture(scope="session")
def own_pk():
    return PK


@pytest.fixture(scope="session")
def table_project():
    return _table_project


@pytest.fixture(scope="session")
def small():
    return _small
