"""Plates as tidy tables: one row a well, every number with its unit, every fault with its row and column."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glueprint.errors import EnvironmentProblemError, InputError

__all__ = ["REQUIRED", "Plate", "numbers", "parse_tidy", "read_tidy"]

REQUIRED = ("plate", "well", "value", "unit")
# Rows A to AF and columns 1 to 48 cover plates of 6 to 1536 wells.
WELL = re.compile(r"([A-Z]|A[A-F])0?([1-9]|[1-3]\d|4[0-8])")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Plate:
    """A plate file: `table` has plate, well, value (null where empty), unit and the file's other columns as
    text.

    `empty_wells` names the wells without a value, as "plate well"; they are kept in the table and counted
    here.
    """

    source: str
    table: pl.DataFrame
    empty_wells: tuple[str, ...]


def read_tidy(path: str | Path) -> Plate:
    """A tidy CSV file (comma, semicolon or tab; UTF-8 or UTF-16) with the columns `REQUIRED` and any others.

    Raises EnvironmentProblemError GP-A001 if the file cannot be opened, and what `parse_tidy` raises.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-A001",
            f"cannot open the file: {error.strerror or error}",
            where=str(path),
            next_step="check the path and the permissions",
        ) from error
    return parse_tidy(content, source=str(path))


def parse_tidy(content: bytes, *, source: str) -> Plate:
    """The plate in the bytes of a tidy CSV file; `source` is the name used in messages.

    Raises InputError GP-A002 (not a table), GP-A003 (missing column), GP-A004 (not a number), GP-A005
    (decimal
    comma), GP-A006 (bad or duplicate well), GP-A007 (units).
    """
    header, rows = _records(content, source)
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InputError(
            "GP-A003",
            f"no column {', '.join(missing)}",
            where=source,
            expected=f"the columns {', '.join(REQUIRED)}; found {', '.join(header)}",
            next_step="rename or add the column",
        )
    records = [dict(zip(header, row, strict=True)) for _, row in rows]
    lines = [line for line, _ in rows]
    wells = _wells(records, lines, source)
    values = [
        number(record["value"], f'{source} row {line}, column "value"', empty=True)
        for record, line in zip(records, lines, strict=True)
    ]
    _check_units(records, lines, source)
    others = [name for name in header if name not in REQUIRED]
    table = pl.DataFrame(
        {
            "plate": [record["plate"] for record in records],
            "well": wells,
            "value": pl.Series(values, dtype=pl.Float64),
            "unit": [record["unit"] for record in records],
            **{name: [record[name] for record in records] for name in others},
        }
    )
    empty = table.filter(pl.col("value").is_null())
    return Plate(
        source, table, tuple(f"{plate} {well}" for plate, well in empty.select("plate", "well").rows())
    )


def numbers(plate: Plate, column: str) -> pl.Series:
    """One of the plate's other columns as numbers, in the order of its table; null where empty.

    Raises InputError GP-A003 if there is no such column, GP-A004 or GP-A005 naming the well.
    """
    if column not in plate.table.columns:
        raise InputError(
            "GP-A003",
            f"no column {column}",
            where=plate.source,
            expected=f"one of {', '.join(plate.table.columns)}",
            next_step="add the column to the file",
        )
    wells = zip(plate.table["plate"], plate.table["well"], plate.table[column], strict=True)
    return pl.Series(
        column,
        [
            number(str(text), f'{plate.source} well {name} {well}, column "{column}"', empty=True)
            for name, well, text in wells
        ],
        dtype=pl.Float64,
    )


def number(text: str, where: str, *, empty: bool = False) -> float | None:
    """The finite number that a cell holds; None for an empty cell if `empty` allows it.

    Raises InputError GP-A005 for a decimal comma, GP-A004 for anything else that is no number.
    """
    cell = text.strip()
    if not cell and empty:
        return None
    if COMMA_NUMBER.fullmatch(cell):
        raise InputError(
            "GP-A005",
            f'"{cell}" has a decimal comma',
            where=where,
            expected='a decimal point, as in "1.25"',
            next_step="export with decimal points; a comma could also mean thousands, so it is not guessed",
        )
    try:
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            "GP-A004",
            f'"{cell}" is not a number',
            where=where,
            expected="a finite number, or an empty cell where nothing was measured",
            next_step="correct the cell, or empty it to leave the well out",
        )
    return value


def _records(content: bytes, source: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows with their line numbers; every row as long as the header."""
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _not_a_table(source, f"cannot be read as text with columns: {error}") from error
    if not lines:
        raise _not_a_table(source, "is empty")
    header = [name.strip() for name in lines[0][1]]
    if len(set(header)) < len(header) or "" in header:
        raise _not_a_table(source, f"has empty or repeated column names: {', '.join(header)}")
    if len(lines) == 1:
        raise _not_a_table(source, "has a header and no rows")
    for line, row in lines[1:]:
        if len(row) != len(header):
            hint = "; a decimal comma splits a cell in two" if len(row) > len(header) else ""
            raise _not_a_table(
                f"{source} row {line}", f"has {len(row)} cells under {len(header)} columns{hint}"
            )
    return header, lines[1:]


def _not_a_table(where: str, what: str) -> InputError:
    return InputError(
        "GP-A002",
        what,
        where=where,
        expected="a CSV file with one header line and one line a well",
        next_step="compare with the example in docs/assays.md",
    )


def _wells(records: list[dict[str, str]], lines: list[int], source: str) -> list[str]:
    """Well names without leading zeros (A01 is A1); each once on its plate."""
    seen: dict[tuple[str, str], int] = {}
    wells = []
    for record, line in zip(records, lines, strict=True):
        found = WELL.fullmatch(record["well"].strip().upper())
        name = f"{found[1]}{found[2]}" if found else ""
        before = seen.get((record["plate"], name))
        if not found or before is not None:
            what = f'well "{record["well"]}"'
            raise InputError(
                "GP-A006",
                f"{what} of plate {record['plate']} is already in row {before}"
                if found
                else f"{what} is no well",
                where=f'{source} row {line}, column "well"',
                expected="every well once a plate, as a letter and a number such as A1 or H12",
                next_step="correct the well; replicates are wells of their own",
            )
        seen[record["plate"], name] = line
        wells.append(name)
    return wells


def _check_units(records: list[dict[str, str]], lines: list[int], source: str) -> None:
    first = records[0]["unit"].strip()
    for record, line in zip(records, lines, strict=True):
        unit = record["unit"].strip()
        if not unit or unit != first:
            what = f'unit "{unit}" after "{first}"' if unit else "no unit"
            raise InputError(
                "GP-A007",
                what,
                where=f'{source} row {line}, column "unit"',
                expected="one and the same unit in every row of a file",
                next_step="convert the values, or split the file by unit; units are never guessed",
            )
