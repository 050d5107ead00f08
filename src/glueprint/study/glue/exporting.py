"""The tables of a project's result for spreadsheets: a CSV file each, or a sheet each of one workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.runs.store import read_table
from glueprint.runs.workbooks import MOST_ROWS, quiet, workbook
from glueprint.study.glue.project import load

__all__ = ["FORMS", "export", "table", "table_names"]

FORMS = ("csv", "xlsx")
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
PLACE = ("result", "tables")


def table_names(folder: str | Path) -> tuple[str, ...]:
    """Names of the tables of the last run, none before the first.   folder: of the project."""
    place = Path(folder).joinpath(*PLACE)
    there = place.glob("*.parquet") if place.is_dir() and not place.is_symlink() else ()
    return tuple(
        sorted(
            path.stem
            for path in there
            if path.is_file() and not path.is_symlink() and NAME.fullmatch(path.stem)
        )
    )


def table(folder: str | Path, name: str) -> pl.DataFrame:
    """One of `table_names`.   Raises InputError GP-S072."""
    names = table_names(folder)
    if name not in names:
        raise InputError(
            "GP-S072",
            f'no table "{name[:60]}"{nearest(name, names)}',
            where=str(folder),
            expected=", ".join(names)[:300] or "tables of a finished run",
            next_step="correct the name" if names else "run the project: `glueprint glue run FOLDER`",
        )
    return read_table(Path(folder).joinpath(*PLACE, f"{name}.parquet"), name)


def export(folder: str | Path, form: str = "csv") -> Mapping[str, bytes]:
    """All tables of the last run as files for spreadsheets: name -> content.

    form: one of FORMS.   No cell is one that a spreadsheet computes; numbers are written to their last digit.
    Raises InputError GP-S072 without a run, GP-S073 for another form; NotSupportedError GP-S074 for a table
    of more rows than a sheet has; what `load` raises for a folder that is no project.

    >>> from glueprint.study import glue
    >>> project = glue.new("mine", compound="GLX-2", smiles="O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1")
    >>> glue.table_names("mine")
    ()
    """
    if form not in FORMS:
        raise InputError(
            "GP-S073",
            f'"{form[:40]}"{nearest(form, FORMS)}',
            where="form of the tables",
            expected=" or ".join(FORMS),
            next_step="choose one of these",
        )
    project = load(folder)
    names = table_names(folder)
    if not names:
        table(folder, "findings")  # says that nothing was run
    tables = {name: quiet(table(folder, name)) for name in names}
    if form == "csv":
        return {
            f"{name}.csv": of.write_csv(quote_style="non_numeric").encode() for name, of in tables.items()
        }
    for name, of in tables.items():
        if of.height >= MOST_ROWS:
            raise NotSupportedError(
                "GP-S074",
                f'table "{name}" has {of.height} rows',
                where=str(folder),
                expected=f"at most {MOST_ROWS - 1}, what a sheet of a workbook holds",
                next_step="write CSV",
            )
    return {f"{project.compound}.xlsx": workbook(tables)}
