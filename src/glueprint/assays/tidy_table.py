"""A tidy table from a text file: comma, semicolon or tab, with a header."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from glueprint.boundary import read_text
from glueprint.errors import InputError, nearest

__all__ = ["read", "renamed"]

SEPARATORS = ("\t", ",", ";")
LARGEST_BYTES = 100_000_000


def read(path: str | Path) -> pl.DataFrame:
    """The table in a CSV or TSV file, all columns as text; empty cells are null.

    Raises InputError GP-A158 where there is no such table.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise _refusal(file, "larger than 100 MB")
        text = read_text(file)
    except OSError as error:
        raise _refusal(file, error.strerror or "cannot be opened") from error
    except ValueError as error:
        raise _refusal(file, str(error)) from error
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=header.count)
    if not header.count(separator) or "\0" in text:
        raise _refusal(file, "no table with two or more columns")
    try:
        table = pl.read_csv(
            text.encode(), separator=separator, infer_schema=False, null_values=["", "NA", "NaN", "nan"]
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _refusal(file, str(error).splitlines()[0]) from error
    table = table.rename({name: name.strip() for name in table.columns})
    return table.filter(~pl.all_horizontal(pl.all().is_null()))


def renamed(table: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """The table with columns under our names: {ours: theirs}.

    Raises InputError GP-A158 for a column that is not there.
    """
    for theirs in names.values():
        if theirs not in table.columns:
            raise InputError(
                "GP-A158",
                f'no column "{theirs}"{nearest(theirs, table.columns)}',
                where="--column",
                expected="one of " + ", ".join(table.columns),
                next_step="write --column OURS=THEIRS",
            )
    kept = table.drop([ours for ours, theirs in names.items() if ours in table.columns and ours != theirs])
    return kept.rename({theirs: ours for ours, theirs in names.items()})


def _refusal(file: Path, what: str) -> InputError:
    return InputError(
        "GP-A158",
        what,
        where=str(file),
        expected="a text file with a header and one row a reading, separated by commas, semicolons or tabs",
        next_step="export the table as CSV",
    )
