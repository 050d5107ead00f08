"""The tables of a trial as CSV files or one workbook, and back: the same values and types.

A table `columns` beside them says what each column is, since neither form does. Cells of text that a
spreadsheet would compute get an apostrophe before them.
Source: RFC 4180; of workbooks `runs.workbooks`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import polars as pl

from glueprint.boundary import Ended, Helper, Limits, read_plain
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.runs.store import write_file
from glueprint.runs.workbooks import MOST_ROWS, kind_of, quiet, workbook

__all__ = ["FORMS", "WORKBOOK", "check_form", "names_in", "read_spreadsheet", "write_spreadsheets"]

CSV, XLSX = "csv", "xlsx"
FORMS = (CSV, XLSX)
COLUMNS, WORKBOOK = "columns", "trial.xlsx"
TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "whole number": pl.Int64(),
    "true or false": pl.Boolean(),
}
LARGEST_BYTES = 500_000_000
READING = {"most_cells": 50_000_000, "most_bytes": 4 * LARGEST_BYTES}
LIMITS = Limits(seconds=600.0, memory_mb=8192)


def write_spreadsheets(tables: Mapping[str, pl.DataFrame], folder: Path, form: str) -> list[Path]:
    """Write tables to a folder: a CSV file each, or a sheet each of one workbook.

    form: one of FORMS.   Numbers are written to their last digit.
    Returns the files.
    Raises InputError GP-T082 (form), NotSupportedError GP-T099 (a table of more rows than a sheet has), and
    what `runs.store.write_file` raises.
    """
    check_form(form, FORMS, "tables")
    plain = {name: quiet(table) for name, table in tables.items()}
    plain[COLUMNS] = _described(tables)
    if form == CSV:
        written = {
            folder / f"{name}.csv": table.write_csv(quote_style="non_numeric")
            for name, table in plain.items()
        }
        for path, text in written.items():
            write_file(path, text)
        return list(written)
    for name, table in plain.items():
        if table.height >= MOST_ROWS:
            raise NotSupportedError(
                "GP-T099",
                f'table "{name}" has {table.height} rows',
                where=WORKBOOK,
                expected=f"at most {MOST_ROWS - 1}, what a sheet of a workbook holds",
                next_step="write CSV, or fewer replicates",
            )
    write_file(folder / WORKBOOK, workbook(plain))
    return [folder / WORKBOOK]


def _described(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What each column is, and what an empty cell of it means: nothing, or an empty text."""
    rows = [
        {
            "table": name,
            "column": column.name,
            "type": kind_of(column.dtype),
            "empty": "text" if column.dtype == pl.String and bool((column == "").any()) else "nothing",
        }
        for name, table in tables.items()
        for column in table
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("table", "column", "type", "empty"), pl.String))


def names_in(folder: Path) -> tuple[str, ...]:
    """The tables that `write_spreadsheets` left in a folder; none where there is no `columns`."""
    try:
        described = _cells(folder, COLUMNS)
    except InputError:
        return ()
    return tuple(described["table"].unique(maintain_order=True)) if "table" in described.columns else ()


def read_spreadsheet(folder: Path, name: str) -> pl.DataFrame:
    """A table that `write_spreadsheets` wrote, in either form, with the values and types that it had.

    Raises InputError GP-T098 for a table that is not there or not what `columns` says.
    """
    described = _cells(folder, COLUMNS)
    if not {"table", "column", "type", "empty"} <= set(described.columns):
        raise _unreadable(folder, COLUMNS, "a table without the columns table, column, type, empty")
    mine = described.filter(table=name)
    cells = _cells(folder, name)
    if mine["column"].to_list() != cells.columns or not set(mine["type"]) <= set(TYPES):
        raise _unreadable(folder, name, f'its columns are not those that "{COLUMNS}" says')
    try:
        columns = [_typed(cells[row["column"]], row) for row in mine.iter_rows(named=True)]
    except pl.exceptions.PolarsError as error:
        raise _unreadable(folder, name, str(error).splitlines()[0]) from error
    return pl.DataFrame(columns)


def _typed(cells: pl.Series, about: Mapping[str, str]) -> pl.Series:
    """A column of text as what it is."""
    kind = about["type"]
    if kind == "text":
        # The mark that `inert` set is taken off again.
        plain = cells.str.replace(r"^'([=+\-@\t\r\n])", "$1")
        return plain.replace("", None) if about["empty"] == "nothing" else plain.fill_null("")
    present = cells.replace("", None)
    if kind == "true or false":
        return present.str.to_lowercase().replace_strict(
            {"true": True, "false": False, "1": True, "0": False}, return_dtype=pl.Boolean
        )
    # A workbook holds whole numbers as fractions.
    return (present.str.replace(r"\.0$", "") if kind == "whole number" else present).cast(TYPES[kind])


def _cells(folder: Path, name: str) -> pl.DataFrame:
    """A table as text."""
    path = folder / f"{name}.csv"
    if path.is_file():
        try:
            table = pl.read_csv(read_plain(path, LARGEST_BYTES), infer_schema=False)
            return table.with_columns(pl.all().fill_null(""))
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise _unreadable(folder, name, str(error).splitlines()[0]) from error
    try:
        content = read_plain(folder / WORKBOOK, LARGEST_BYTES)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, name, f"neither {name}.csv nor {WORKBOOK} can be read") from error
    try:
        found, _ = _reader().ask(content, {"sheet": name[:31], **READING})
    except Ended as ended:
        raise _unreadable(folder, name, str(ended)) from ended
    if "rows" not in found:
        raise _unreadable(folder, name, str(next(iter(found.values()))))
    head, *rows = found["rows"] or [[]]
    return pl.DataFrame(rows, schema=dict.fromkeys(head, pl.String), orient="row")


@cache
def _reader() -> Helper:
    return Helper("glueprint.boundary.workbook:sheet", LIMITS)


def check_form(form: str, forms: Collection[str], what: str) -> None:
    """Refuse a form that is none of those `what` is written in.   Raises InputError GP-T082."""
    if form not in forms:
        raise InputError(
            "GP-T082",
            f'"{form}"{nearest(form, forms)}',
            where=f"form of the {what}",
            expected="one of " + ", ".join(forms),
            next_step="choose one of these forms",
        )


def _unreadable(folder: Path, name: str, reason: str) -> InputError:
    return InputError(
        "GP-T098",
        f'table "{name}" cannot be read: {reason}',
        where=str(folder),
        expected="what `glueprint trial tables` wrote, its columns as they were",
        next_step="write the tables again, or put the file back",
    )
