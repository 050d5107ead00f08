"""A file of any spreadsheet as rows of text: encodings, separators, decimal marks, workbooks, Prism files."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from glueprint.assays.findings import Finding
from glueprint.assays.intake import prism
from glueprint.boundary import Ended, Helper, Limits, decoded, decoded_anyhow
from glueprint.errors import InputError, nearest

__all__ = ["Sheet", "names", "of_bytes", "of_text", "workbook"]

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "pipe"}
# Columns of a printout stand apart by two spaces and more.
APART = re.compile(r"(?<=\S) {2,}(?=\S)")
# What shows the separator: more lines tell nothing new.
LOOKED_AT = 60
# A plate with 1536 wells and its notes needs far less; what is larger is not opened.
MOST_CELLS, MOST_UNPACKED = 2_000_000, 256 * 1024 * 1024
LIMITS = Limits(seconds=30, memory_mb=1024)
MOST_PLACES = 6
COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(\.\d+)?")
# Written by people and word processors where a number wants a hyphen.
MINUS = re.compile(r"[\u2212\u2013](?=[\d.,])")
# Between thousands in French, Swedish or Polish: a space, one that does not break, or a narrow one.
SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f\u2009]\d{3})+(?:[.,]\d+)?")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)*")
DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
DECLARED = re.compile(r"\A(<\?xml[^>]*?)\s+encoding=[\"'][^\"'>]*[\"']")
POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d+")


@dataclass(frozen=True)
class Sheet:
    """Rows of cells, all as text, numbers with a decimal point.

    lines: where each row stands in the file, from 1.   how: what the file is, in words.   others: names of
    the sheets that were not read.   name: of this one.   marked: what a workbook hides or strikes through.
    """

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    how: str
    others: tuple[str, ...] = ()
    name: str = ""
    marked: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A warning of what is read although it is hidden or struck through."""
        if not self.marked:
            return ()
        remedy = "delete what does not count, or leave it out with --exclude; else show it"
        where = f'sheet "{self.name}"'
        return (Finding("GP-A225", "warning", f"{self.marked}: read all the same", where, "", remedy),)

    @property
    def whole(self) -> str:
        """What the file is, and which of its sheets were not read."""
        return self.how + (f"; other sheets not read: {', '.join(self.others[:6])}" if self.others else "")


def of_bytes(content: bytes, source: str, sheet: str | None = None) -> Sheet:
    """The sheet in the bytes of a text file, a workbook (xlsx) or a Prism file (pzfx).

    sheet: of a workbook or Prism file, None: the first that holds anything.   source: its name in messages.
    Raises InputError GP-A158 (no table), GP-A005 (a comma that may be decimal or thousands), GP-A215 (no such
    sheet), GP-A226 (formulas without values).
    """
    if content.startswith(ZIP):
        return workbook(content, source, sheet)
    if content.startswith(OLD_EXCEL):
        raise refusal(source, "an Excel file of before 2007 (xls)", "save it as xlsx or CSV")
    if (tables := _of_prism(content, source)) is not None:
        return _chosen(tables, source, sheet)
    if sheet is not None:
        raise _no_sheet(sheet, [], source)
    try:
        text, encoding = decoded_anyhow(content)
    except ValueError as error:
        raise refusal(source, str(error)) from error
    return of_text(text, source, encoding)


def names(content: bytes, source: str) -> tuple[str, ...]:
    """Names of all sheets of a workbook, or of all tables of a Prism file; none of a text.

    Raises InputError GP-A158 for a file that cannot be opened.
    """
    if content.startswith(ZIP):
        # A name that no sheet has asks for the names alone.
        budget = {"most_cells": MOST_CELLS, "most_bytes": MOST_UNPACKED, "sheet": ""}
        return tuple(_answer("glueprint.boundary.workbook:sheet", content, source, budget).get("unknown", ()))
    return tuple(name for name, _, _ in _of_prism(content, source) or ())


def of_text(text: str, source: str, encoding: str = "UTF-8") -> Sheet:
    """The sheet in a text whose lines have cells between tabs, semicolons or commas; else as `of_bytes`."""
    text = _parted(text)
    separator = _separator(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        read = [(reader.line_num, tuple(_plain(cell) for cell in row)) for row in reader]
    except csv.Error as error:
        raise refusal(source, str(error)) from error
    rows, decimal = _pointed([row for _, row in read], separator, source)
    how = f"{SEPARATORS[separator]}-separated {encoding} text{decimal}"
    return Sheet(tuple(rows), tuple(line for line, _ in read), how)


def workbook(content: bytes, source: str, sheet: str | None = None) -> Sheet:
    """A sheet of a workbook; else as `of_bytes`."""
    budget = {"most_cells": MOST_CELLS, "most_bytes": MOST_UNPACKED, "sheet": sheet}
    found = _answer("glueprint.boundary.workbook:sheet", content, source, budget)
    if "unknown" in found:
        raise _no_sheet(str(sheet), found["unknown"], source)
    if "large" in found:
        raise refusal(source, f"has {found['large']}")
    if found["marks"]["formulas"]:
        said = f"formulas without a value in {_listed(found['marks']['formulas'])}"
        remedy = "open it in a spreadsheet program, which computes them, and save it"
        raise InputError("GP-A226", said, where=source, expected="a value in every cell", next_step=remedy)
    rows, decimal = _pointed([tuple(map(_plain, row)) for row in found["rows"]], ",", source)
    others = tuple(name for name in found["sheets"] if name != found["sheet"])
    how = f'sheet "{found["sheet"]}" of a workbook{decimal}'
    return Sheet(
        tuple(rows), tuple(range(1, len(rows) + 1)), how, others, found["sheet"], _marked(found["marks"])
    )


def _marked(marks: Mapping[str, Sequence[str]]) -> str:
    """What is hidden and what is struck through, in words."""
    hidden = [f"{name} {_listed(marks[name])}" for name in ("rows", "columns") if marks[name]]
    parts = [f"{' and '.join(hidden)} hidden"] if hidden else []
    return "; ".join([*parts, *([f"{_listed(marks['struck'])} struck through"] if marks["struck"] else [])])


def _listed(places: Sequence[str]) -> str:
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return ", ".join(places[:MOST_PLACES]) + more


def refusal(source: str, what: str, next_step: str = "export the table as CSV or xlsx") -> InputError:
    """The error for a file that no table can be read from."""
    return InputError(
        "GP-A158",
        what,
        where=source,
        expected="a header and one row a reading: text with commas, semicolons or tabs, xlsx, or pzfx",
        next_step=next_step,
    )


def _chosen(
    tables: Sequence[tuple[str, list[tuple[str, ...]], int]], source: str, sheet: str | None
) -> Sheet:
    """The table of a Prism file that is asked for, or the first."""
    names = [name for name, _, _ in tables]
    if not tables:
        raise refusal(source, "a Prism file without a table of numbers")
    if sheet is not None and sheet not in names:
        raise _no_sheet(sheet, names, source)
    name, rows, excluded = next(table for table in tables if sheet in (None, table[0]))
    others = tuple(other for other in names if other != name)
    how = f'table "{name}" of a Prism file'
    if excluded:
        how += f" ({excluded} value{'s' if excluded > 1 else ''} excluded in Prism left out)"
    return Sheet(tuple(rows), tuple(range(1, len(rows) + 1)), how, others, name)


def _of_prism(content: bytes, source: str) -> list[tuple[str, list[tuple[str, ...]], int]] | None:
    """The tables of a Prism file, also of one that an editor saved as UTF-16; None for another file."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        with suppress(ValueError):
            # Its first line may still say UTF-8, or says UTF-16, which it no longer is.
            content = DECLARED.sub(r"\1", decoded(content)).encode()
    if prism.MARK not in content[:4000]:
        return None
    return prism.tables(_answer("glueprint.boundary.markup:tree", content, source))


def _answer(
    function: str, content: bytes, source: str, options: dict[str, Any] | None = None
) -> dict[str, Any]:
    try:
        found, _ = _helper(function).ask(content, options or {"root": prism.ROOT})
    except Ended as ended:
        raise refusal(source, f"cannot be opened: {ended}") from ended
    if "unreadable" in found:
        raise refusal(source, f"cannot be opened: {found['unreadable']}")
    return found


@cache
def _helper(function: str) -> Helper:
    return Helper(function, LIMITS)


def _no_sheet(sheet: str, names: Sequence[str], source: str) -> InputError:
    return InputError(
        "GP-A215",
        f'no sheet "{sheet[:60]}"{nearest(sheet, names)}',
        where=source,
        expected="one of " + ", ".join(names) if names else "a workbook or a Prism file",
        next_step="correct --sheet, or leave it out for the first",
    )


def _parted(text: str) -> str:
    """Columns that only spaces tell apart, as a printout has them, with tabs between."""
    lines = [line for line in text.splitlines()[:LOOKED_AT] if line.strip()]
    apart = sum(bool(APART.search(line)) and not set(line) & set(SEPARATORS) for line in lines)
    return APART.sub("\t", text) if len(lines) > 1 and apart == len(lines) else text


def _separator(text: str) -> str:
    """The separator of most lines; of several, a tab before a semicolon before a comma, which may be
    decimal."""
    lines = [line for line in text.splitlines()[: 10 * LOOKED_AT] if line.strip()][:LOOKED_AT]
    for separator in ("\t", ";", "|"):
        if sum(separator in line for line in lines) > 0.5 * len(lines):
            return separator
    return max(("\t", ";", ",", "|"), key=lambda one: (sum(one in line for line in lines), one == ","))


def _pointed(rows: list[tuple[str, ...]], separator: str, source: str) -> tuple[list[tuple[str, ...]], str]:
    """The rows with decimal points in every number, and what was changed, in words.

    Raises InputError GP-A005 where a comma may be decimal or separate thousands.
    """
    cells = [cell for row in rows for cell in row if "," in cell]
    commas = [cell for cell in cells if COMMA.fullmatch(cell)]
    grouped = [cell for cell in cells if THOUSANDS.fullmatch(cell)]
    certain = [cell for cell in grouped if cell.count(",") > 1 or "." in cell]
    decimal = [cell for cell in commas if cell not in grouped] + [c for c in cells if POINTED.fullmatch(c)]
    if not commas and not certain and not decimal:
        _no_dots_between_thousands(rows, separator, source)
        return rows, ""
    if not certain and (decimal or separator == ";"):
        points = next((cell for row in rows for cell in row if POINT.fullmatch(cell)), "")
        if not points:
            return [tuple(_with_point(cell) for cell in row) for row in rows], " with decimal commas"
        raise _ambiguous(commas[0] if commas else decimal[0], f'beside "{points}"', source)
    if certain and not decimal:
        dropped = [tuple(c.replace(",", "") if THOUSANDS.fullmatch(c) else c for c in row) for row in rows]
        return dropped, " with commas between thousands"
    raise _ambiguous((decimal or commas)[0], f'beside "{certain[0]}"' if certain else "", source)


def _plain(cell: str) -> str:
    cell = "".join(cell.split()) if SPACED.fullmatch(cell.strip()) else cell
    return MINUS.sub("-", cell.strip(), count=1) if cell.strip()[:1] in ("\u2212", "\u2013") else cell.strip()


def _no_dots_between_thousands(rows: list[tuple[str, ...]], separator: str, source: str) -> None:
    """Raise InputError GP-A005 for a column with 100, 300, 1.000: no decimals are written for the large
    numbers alone."""
    for place in range(max(map(len, rows), default=0)):
        cells = [row[place] for row in rows if place < len(row) and NUMBER.fullmatch(row[place])]
        dotted = [cell for cell in cells if "." in cell]
        # A table drawn like a plate has the number of the column above it.
        whole_numbers = {cell for cell in cells if "." not in cell} - {"0", f"{place}", f"{place - 1}"}
        if not dotted or not all(map(DOTTED.fullmatch, dotted)) or any(cell[0] == "-" for cell in dotted):
            continue  # logarithms are below zero, readings and doses are not
        several = [cell for cell in dotted if cell.count(".") > 1]
        mixed = any(cell.endswith("0") for cell in dotted) and bool(whole_numbers)
        whole = separator == ";" and all(cell.endswith("000") for cell in dotted)
        if several or mixed or whole:
            said = f'"{(several or dotted)[0]}" may have a point between thousands, or a decimal one'
            raise InputError(
                "GP-A005",
                said,
                where=f"{source}, column {place + 1}",
                expected="numbers without marks between thousands",
                next_step="export without a separator of thousands; it is not guessed",
            )


def _with_point(cell: str) -> str:
    if POINTED.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    return cell.replace(",", ".") if COMMA.fullmatch(cell) else cell


def _ambiguous(cell: str, beside: str, source: str) -> InputError:
    return InputError(
        "GP-A005",
        f'"{cell}" {beside}'.strip() + " may have a decimal comma, or a comma between thousands",
        where=source,
        expected="one decimal mark, as in 1.25, or semicolons between cells with decimal commas",
        next_step="export with decimal points; a comma that may mean both is not guessed",
    )
