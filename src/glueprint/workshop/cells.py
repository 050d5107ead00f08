"""Tables of text as people write them: cells by the name of their column, each with its place."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from glueprint.boundary import read_text
from glueprint.errors import InputError, nearest

__all__ = ["Row", "number", "read_rows"]

MISSING = frozenset({"", "nan", "na", "."})


@dataclass(frozen=True)
class Row:
    """One row.   cells: by column, stripped.   file, line: where it stands."""

    cells: Mapping[str, str]
    file: str
    line: int

    def where(self, column: str = "") -> str:
        """Place of the row or of a cell, for messages."""
        return f"{self.file}, line {self.line}" + (f", column {column}" if column else "")

    def text(self, column: str, default: str = "") -> str:
        """A cell; `default` where the column or its content is missing."""
        found = self.cells.get(column, "")
        return default if found.lower() in MISSING else found

    def name(self, column: str) -> str:
        """A cell that must say something. Raises InputError GP-W010."""
        found = self.text(column)
        if not found:
            raise InputError(
                "GP-W010",
                f"{column} is empty",
                where=self.where(column),
                expected="a name",
                next_step="fill the cell",
            )
        return found

    def number(self, column: str, default: float | None = None) -> float:
        """A cell as a number; infinite is one. Raises InputError GP-W010."""
        found = self.text(column)
        if not found and default is not None:
            return default
        value = number(found)
        if value is None:
            raise InputError(
                "GP-W010",
                f'"{self.cells.get(column, "")}" is no number',
                where=self.where(column),
                expected="a number such as 12.5 or 3e-4",
                next_step="correct the cell, or take the row out",
            )
        return value

    def items(self, column: str) -> tuple[str, ...]:
        """A cell of several things with semicolons between."""
        found = self.text(column)
        return tuple(part.strip() for part in found.split(";")) if found else ()


def number(text: str) -> float | None:
    """A number that is not NaN, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value


def read_rows(path: Path, *, needs: tuple[str, ...], delimiter: str | None = None) -> list[Row]:
    """The rows of a table with a header.

    needs: columns that must be there.   delimiter: by default a tab in .tsv files, and else what the header
    has: a tab, a semicolon or a comma.
    Raises InputError GP-W001 (it cannot be read), GP-W012 (a column is missing, or there twice; a row is too
    short or too long).
    """
    try:
        lines = read_text(path).split("\n")
        between = delimiter or _delimiter(path, lines[0])
        rows = [(number, cells) for number, cells in _parsed(lines, between) if any(map(str.strip, cells))]
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            "GP-W001",
            f"cannot be read: {reason}",
            where=str(path),
            expected="a table of text with names of columns in its first line",
            next_step="check the path, and save the table as CSV or TSV in UTF-8",
        ) from error
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    for name in needs:
        if name not in header:
            raise _misshapen(f"it has no column {name}{nearest(name, header)}", str(path))
    found = []
    while (
        header and not header[-1] and all(not "".join(cells[len(header) - 1 :]).strip() for _, cells in rows)
    ):
        header.pop()  # tabs behind the last column, as spreadsheets leave them
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise _misshapen(f"column {twice[0]} is there twice", str(path))
    for line, cells in rows[1:]:
        if between == "\t":  # editors take away tabs at the end of a line: these cells are empty
            cells = [*cells, *[""] * (len(header) - len(cells))]
            cells = cells if "".join(cells[len(header) :]).strip() else cells[: len(header)]
        if len(cells) != len(header):
            raise _misshapen(
                f"{len(cells)} cells under {len(header)} names of columns", f"{path}, line {line}"
            )
        stripped = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        found.append(Row(stripped, str(path), line))
    return found


def _delimiter(path: Path, header: str) -> str:
    if path.suffix == ".tsv" or "\t" in header:
        return "\t"
    return ";" if ";" in header and "," not in header else ","


def _parsed(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    for cells in reader:
        yield reader.line_num, cells


def _misshapen(message: str, where: str) -> InputError:
    return InputError(
        "GP-W012",
        message,
        where=where,
        expected="a header, and in every row as many cells as it has names",
        next_step="correct the table; docs/workshop.md has the columns",
    )
