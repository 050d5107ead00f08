"""Tidy CSV: one line a well, with the columns plate, well, value and unit, and any others."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import polars as pl

from glueprint.assays.concentrations import bare_finding, mixed_findings
from glueprint.assays.findings import Finding
from glueprint.assays.plate import Plate, well_name
from glueprint.assays.readers.gather import Gathered
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.text import cell, decode, not_a_table, number, peek
from glueprint.assays.wells import CONTENT, Layout
from glueprint.errors import InputError

__all__ = ["READER", "REQUIRED", "parse"]

REQUIRED = ("plate", "well", "value", "unit")
# A file that has all but one of them is meant to be tidy, and is better refused for what it lacks.
ENOUGH = len(REQUIRED) - 1


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]

    def where(self, source: str, column: str) -> str:
        return f'{source} row {self.line}, column "{column}"'


def recognises(head: bytes, _: str) -> bool:
    """Whether the first line is a header with the tidy columns."""
    text = peek(head)
    first = next((line for line in text.splitlines() if line.strip()), "")
    names = {name.strip().strip('"').lower() for name in first.split(_delimiter(first))}
    return len(names & set(REQUIRED)) >= ENOUGH and "\x00" not in text


def parse(content: bytes, source: str) -> Plate:
    """The plate in the bytes of a tidy CSV file (comma, semicolon or tab); `source` names it in messages.

    Raises InputError GP-A002 (not a table), GP-A003 (missing column), GP-A004 (not a number), GP-A005
    (decimal comma), GP-A006 (bad or duplicate well), GP-A007 (units).
    """
    text, findings = decode(content, source)
    header, rows = _records(text, source)
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InputError(
            "GP-A003",
            f"no column {', '.join(missing)}",
            where=source,
            expected=f"the columns {', '.join(REQUIRED)}; found {', '.join(header)}",
            next_step="rename or add the column",
        )
    wells = _wells(rows, source)
    _check_units(rows, source)
    gathered = Gathered(source)
    own = [name for name in header if name not in ("channel", "flag", *REQUIRED)]
    for row, well in zip(rows, wells, strict=True):
        text, where = row.cells["value"], row.where(source, "value")
        if cell(text, where).flag.startswith("error: "):
            # Vendors write what they like in place of a number; in a file made by hand it is a slip.
            number(text, where)
        key = (row.cells["plate"], well, row.cells.get("channel", ""))
        others = {name: row.cells[name] for name in own}
        gathered.add(key, text, row.cells["unit"], where=f"row {row.line}", others=others)
        said = row.cells.get("flag", "")
        if said and not text:
            gathered.rows[-1]["flag"] = said
    layout = _layout(header, rows, wells, source)
    return Plate(source, "tidy", gathered.table(), findings=(*findings, *gathered.findings()), layout=layout)


def _records(text: str, source: str) -> tuple[list[str], list[_Row]]:
    """Header and rows with their line numbers; every row as long as the header."""
    try:
        first = text.partition("\n")[0]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first), strict=True)
        lines = [(reader.line_num, row) for row in reader if any(item.strip() for item in row)]
    except csv.Error as error:
        raise not_a_table(source, f"cannot be read as text with columns: {error}") from error
    header = [name.strip() for name in lines[0][1]] if lines else []
    if len(set(header)) < len(header) or "" in header:
        raise not_a_table(source, f"has empty or repeated column names: {', '.join(header)}")
    if len(lines) < 2:
        raise not_a_table(source, "has a header and no rows")
    for line, row in lines[1:]:
        if len(row) != len(header):
            hint = "; a decimal comma splits a cell in two" if len(row) > len(header) else ""
            raise not_a_table(
                f"{source} row {line}", f"has {len(row)} cells under {len(header)} columns{hint}"
            )
    return header, [
        _Row(line, dict(zip(header, (item.strip() for item in row), strict=True))) for line, row in lines[1:]
    ]


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _wells(rows: list[_Row], source: str) -> list[str]:
    """Well names without leading zeros (A01 is A1); each once a plate and channel."""
    seen: dict[tuple[str, str, str], int] = {}
    wells = []
    for row in rows:
        written, plate = row.cells["well"], row.cells["plate"]
        name = well_name(written) or ""
        key = (plate, name, row.cells.get("channel", ""))
        before = seen.get(key)
        if not name or before is not None:
            what = f'well "{written[:40]}"'
            raise InputError(
                "GP-A006",
                f"{what} of plate {plate} is already in row {before}" if name else f"{what} is no well",
                where=row.where(source, "well"),
                expected="every well once a plate and channel, as a letter and a number such as A1 or H12",
                next_step="correct the well; replicates are wells of their own",
            )
        seen[key] = row.line
        wells.append(name)
    return wells


def _check_units(rows: list[_Row], source: str) -> None:
    """One unit a channel, in every row."""
    first: dict[str, str] = {}
    for row in rows:
        unit = row.cells["unit"]
        before = first.setdefault(row.cells.get("channel", ""), unit)
        if not unit or unit != before:
            raise InputError(
                "GP-A007",
                f'unit "{unit}" after "{before}"' if unit else "no unit",
                where=row.where(source, "unit"),
                expected="one and the same unit in every row of a channel",
                next_step="convert the values, or split the file by unit; units are never guessed",
            )


def _layout(header: list[str], rows: list[_Row], wells: list[str], source: str) -> Layout | None:
    """The layout in the file's own columns; None without a column `role`."""
    if "role" not in header:
        return None
    others = [name for name in header if name not in (*CONTENT, *REQUIRED, "channel", "flag")]
    found: dict[tuple[str, str], dict[str, object]] = {}
    for row, well in zip(rows, wells, strict=True):
        entry: dict[str, object] = {"plate": row.cells["plate"], "well": well}
        for name, kind in CONTENT.items():
            text = row.cells.get(name, "")
            entry[name] = text if kind is pl.String else number(text, row.where(source, name), empty=True)
        entry["dilution"] = 1.0 if entry["dilution"] is None else entry["dilution"]
        entry |= {name: row.cells[name] for name in others}
        before = found.setdefault((row.cells["plate"], well), entry)
        if any(before[name] != entry[name] for name in CONTENT):
            raise InputError(
                "GP-A006",
                f"well {well} of plate {row.cells['plate']} has another content than in its other channel",
                where=row.where(source, "role"),
                expected="the same role, sample and concentration in every channel of a well",
                next_step="correct the row",
            )
    schema = {"plate": pl.String, "well": pl.String, **CONTENT, **dict.fromkeys(others, pl.String)}
    table = pl.DataFrame(list(found.values()), schema=schema)
    return Layout(source, table, _unit_findings(table, source))


def _unit_findings(table: pl.DataFrame, source: str) -> tuple[Finding, ...]:
    where = f'{source}, column "concentration_unit"'
    bare = table.filter(pl.col("concentration").is_not_null() & (pl.col("concentration_unit") == "")).height
    remedy = "fill the column concentration_unit; units are never guessed"
    return (*([bare_finding(bare, where, remedy)] if bare else []), *mixed_findings(table, where))


READER = FunctionReader("tidy", "tidy CSV: plate, well, value, unit and other columns", recognises, parse)
