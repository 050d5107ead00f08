"""A table with a header, from text in any encoding, a workbook or a Prism file."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import wide
from glueprint.assays.intake.headers import CONCENTRATIONS, PER_CENT, parsed, unit_of
from glueprint.assays.intake.labels import is_vehicle, listed, role_of
from glueprint.assays.intake.numbers import is_number
from glueprint.assays.intake.sheets import Sheet, of_bytes, refusal
from glueprint.boundary import read_plain
from glueprint.errors import InputError, nearest

__all__ = ["Table", "of_sheet", "read", "renamed", "whole"]

LARGEST_BYTES = 100_000_000
# Columns that are what they are called, whatever stands above them.
OWN_NAMES = listed("dose|dose_unit|time_h|doubling_time_h|line|compound|experiment|replicate|role|target")
# What stands in the head of a file, as in "User: NN"; and an amount with its unit.
NOTE = re.compile(r"[A-Za-z][\w /.]*:(?: .*|\s*[^\s\d].*)?")
AMOUNT = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\s*([^\d\s]+)")
FEWEST_ACROSS = 3
NOTHING = ("", "NA", "NaN", "nan", "N/A", "n/a", "#N/A", "NULL", "n.d.", "ND")


@dataclass(frozen=True)
class Table:
    """A table, all columns as text with null for nothing, and what it was read as.

    above: lines over the header that are no part of it.   others, findings: of the sheet.
    """

    frame: pl.DataFrame
    how: str
    above: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(path: str | Path, sheet: str | None = None) -> pl.DataFrame:
    """The table in a file, all columns as text; empty cells are null.

    Raises InputError GP-A158 where there is no such table, and as `intake.sheets.of_bytes`.
    """
    return whole(path, sheet).frame


def whole(path: str | Path, sheet: str | None = None) -> Table:
    """The table in a file with what it was read as; else as `read`."""
    file = Path(path)
    try:
        content = read_plain(file, LARGEST_BYTES + 1)
    except OSError as error:
        raise refusal(str(file), error.strerror or "cannot be opened", "check the path") from error
    if len(content) > LARGEST_BYTES:
        raise refusal(str(file), "larger than 100 MB", "check that it is the right file")
    return of_sheet(of_bytes(content, str(file), sheet), str(file))


def of_sheet(sheet: Sheet, source: str) -> Table:
    """The table of a sheet: the header is the first line that is as full as most.

    Raises InputError GP-A158 for no such line, a single column, or a line longer than the header.
    """
    sheet = _upright(_stacked(sheet))
    first = _header(sheet)
    if first is None:
        raise refusal(source, "no table with two or more columns")
    first += _names_below(sheet, first)
    groups = _groups(sheet, first)
    body = sheet.rows[first + 1 :]
    units = body[0] if body and _are_units(body[0]) else ()
    body = body[1:] if units else body
    header = [
        f"{name} ({unit.strip('()[]')})" if unit else name
        for name, unit in zip_longest(_named(_grouped(sheet.rows[first], groups), body), units, fillvalue="")
    ]
    for line, row in zip(sheet.lines[-len(body) :] if body else (), body, strict=True):
        if any(row[len(header) :]):
            said = f"{len(row)} cells under {len(header)} columns; a decimal comma splits a cell in two"
            raise refusal(f"{source} row {line}", said, "correct the line")
    _no_sections(body, sheet.lines[len(sheet.lines) - len(body) :], source)
    rows = [_padded(row, header) for row in body]
    columns = {
        name: [None if row[place] in NOTHING else row[place] for row in rows]
        for place, name in enumerate(header)
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String))
    frame = _without_per_cent(frame.filter(~pl.all_horizontal(pl.all().is_null())))
    titles = sheet.rows[: first - bool(groups and any(sheet.rows[first - 1][1:]))]
    above = tuple(" ".join(filter(None, row)) for row in titles if any(row))
    kept = [name for name in frame.columns if name or frame[name].null_count() < frame.height]
    return Table(frame.select(kept), sheet.how, above, sheet.others, sheet.findings)


def _stacked(sheet: Sheet) -> Sheet:
    """Tables of one header below each other, each under a line that names it, as one table with those names
    before every row."""
    first = _header(sheet)
    if first is None:
        return sheet
    head = sheet.rows[first]
    starts = [place for place, row in enumerate(sheet.rows) if row == head]
    titles = [_title(sheet.rows[max(start - 3, 0) : start]) for start in starts]
    if len(starts) < 2 or not all(titles) or len({*titles}) < len(titles):
        return sheet
    keys = {title.partition(":")[0].strip() for title in titles if ":" in title}
    said = [title.partition(":")[2].strip() if keys else title for title in titles]
    key = keys.pop() if len(keys) == 1 else ""
    named = key if parsed(key).ours in OWN_NAMES else "time_h" if all(map(wide.hours, said)) else "compound"
    if named in head or any(parsed(cell).ours == parsed(named).ours for cell in head) or not all(said):
        return sheet
    kept = [place for place in range(first) if sheet.rows[place][:1] != (titles[0],)]
    rows, places = [sheet.rows[place] for place in kept] + [(named, *head)], [*kept, first]
    name = said[0]
    for place in range(first + 1, len(sheet.rows)):
        row = sheet.rows[place]
        lone = next(filter(None, row), "") if sum(map(bool, row)) == 1 else ""
        if lone in titles:
            name = said[titles.index(lone)]
        elif lone and _is_word(lone):
            return sheet  # it may say something of the rows below it
        elif any(row) and row != head:
            rows.append((wide.hours(name) if named == "time_h" else name, *row))
            places.append(place)
    how = f"{sheet.how}, {len(starts)} tables below each other"
    return replace(sheet, rows=tuple(rows), lines=tuple(sheet.lines[place] for place in places), how=how)


def _title(above: tuple[tuple[str, ...], ...]) -> str:
    """The lone word of the last line that holds anything; "" where it holds more."""
    said = next((row for row in reversed(above) if any(row)), ())
    return said[0] if sum(map(bool, said)) == 1 and _is_word(said[0]) else ""


def _header(sheet: Sheet) -> int | None:
    """Which row is the header: the first that is as full as most, or the one before where that holds numbers.

    A name that stands once over several columns leaves its row emptier.
    """
    filled = [sum(bool(cell) for cell in row) for row in sheet.rows]
    usual = Counter(count for count in filled if count > 1).most_common(1)
    least = max(2.0, 0.6 * usual[0][0]) if usual else math.inf
    first = next(
        (n for n, count in enumerate(filled) if count >= least and not _are_notes(sheet.rows[n])), None
    )
    if first and filled[first - 1] > 1 and all(map(is_number, filter(None, sheet.rows[first]))):
        return first - 1
    return first


def _are_notes(row: tuple[str, ...]) -> bool:
    """Whether a line is of notes such as "User: NN", "Date: 30.11.2026" and no header."""
    said = [cell for cell in row if cell]
    return 2 * sum(bool(NOTE.fullmatch(cell)) for cell in said) > len(said)


def _upright(sheet: Sheet) -> Sheet:
    """The sheet with its doses below each other where they run across: names of curves come first in the
    lines."""
    first = _header(sheet)
    if first is None:
        return sheet
    name, *across = sheet.rows[first]
    across = across[: max((n + 1 for n, cell in enumerate(across) if cell), default=0)]
    body = [row for row in sheet.rows[first + 1 :] if any(row)]
    amounts = [AMOUNT.fullmatch(cell) for cell in across]
    units = sum(bool(found and unit_of(found[1]) in CONCENTRATIONS.values()) for found in amounts)
    # Beside the doses stand the vehicle, blanks and controls of full effect, by name.
    others = [not is_number(cell) and bool(is_vehicle(cell) or role_of(cell)) for cell in across]
    numbers = sum(map(is_number, across))
    said = units >= FEWEST_ACROSS and units + sum(others) >= len(across)
    named = parsed(name).ours == "dose" and numbers >= FEWEST_ACROSS and numbers + sum(others) >= len(across)
    labels = [row[0] for row in body]
    if not labels or not (said or (named and all(map(_is_word, labels)))):
        return sheet
    hours = parsed(name).unit if parsed(name).ours == "time_h" else ""
    header = (name if named else "dose", *(f"{label} {hours}".strip() for label in labels))
    columns = list(zip_longest(across, *(row[1 : len(across) + 1] for row in body), fillvalue=""))
    if any(other and not is_vehicle(cell) for other, cell in zip(others, across, strict=True)):
        header = (*header, "role")
        columns = [
            ("" if other else cells[0], *cells[1:], cells[0] if other else "")
            for other, cells in zip(others, columns, strict=True)
        ]
    rows = (*sheet.rows[:first], header, *columns)
    lines = (*sheet.lines[:first], *[sheet.lines[first]] * (len(rows) - first))
    return replace(sheet, rows=rows, lines=lines, how=f"{sheet.how}, its doses across")


def _no_sections(body: tuple[tuple[str, ...], ...], lines: tuple[int, ...], source: str) -> None:
    """Raise InputError GP-A158 for a line of one word above further rows: what it says of them would be
    lost."""
    words = [place for place, row in enumerate(body) if sum(map(bool, row)) == 1 and any(map(_is_word, row))]
    filled = [place for place, row in enumerate(body) if sum(map(bool, row)) > 1]
    for place in words:
        if filled and place < filled[-1]:
            said = " ".join(filter(None, body[place]))
            raise refusal(
                f"{source} row {lines[place]}",
                f'"{said[:60]}" stands alone within the table; it may name the rows below it',
                "write it into a column of its own, before every row that it names, or take the line out",
            )


def _is_word(cell: str) -> bool:
    return any(map(str.isalpha, cell)) and not is_number(cell)


def _names_below(sheet: Sheet, first: int) -> bool:
    """Whether the names of the columns stand one line below what seems to be the header: there the doses are
    named."""
    rows = sheet.rows[first : first + 3]
    if len(rows) < 3:
        return False
    doses = [any(map(_names_doses, row)) for row in rows]
    return doses[:2] == [False, True] and any(map(is_number, filter(None, rows[2])))


def _names_doses(cell: str) -> bool:
    """Whether a cell is the name of a column of doses, and no single letter that may be one."""
    return not is_number(cell) and len(cell) > 2 and parsed(cell).ours == "dose"


def _groups(sheet: Sheet, first: int) -> tuple[str, ...]:
    """What stands above each column in the line over the header, a name once over several columns; empty if
    nothing.

    A cell over the first column alone is a title, and one of all columns where it names their response.
    """
    title = next((row for row in reversed(sheet.rows[max(first - 3, 0) : first]) if any(row)), ())
    if any(title[:1]) and not any(title[1:]) and _response(title[0]):
        return (title[0],) * len(sheet.rows[first])
    if not first or not any(sheet.rows[first - 1][1:]) or _are_notes(sheet.rows[first - 1]):
        return ()
    width = max(place + 1 for row in sheet.rows[first:] for place, cell in enumerate(row) if cell)
    names, last = list[str](), ""
    for cell in sheet.rows[first - 1][:width]:
        last = cell or last
        names.append(last)
    return tuple(names)


def _grouped(header: tuple[str, ...], groups: tuple[str, ...]) -> tuple[str, ...]:
    """The header with the name of its group before every column that says no more than which replicate it
    is."""
    grouped = []
    for name, group in zip_longest(header, groups, fillvalue=""):
        generic = parsed(name).ours not in OWN_NAMES and not (_response(name) and _response(group))
        grouped.append(f"{group} {name}".strip() if generic and (name or group) else name)
    return tuple(grouped)


def _response(text: str) -> str:
    return wide.response_of(parsed(text).ours, per_cent=False)


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


def _named(cells: tuple[str, ...], body: tuple[tuple[str, ...], ...]) -> list[str]:
    """Column names, each once: a name again, or none over numbers beside numbers, is the next of its kind."""
    width = max((place + 1 for place, cell in enumerate(cells) if cell), default=0)
    longest = max((place + 1 for row in body for place, cell in enumerate(row) if cell), default=0)
    last, seen, names = "", Counter[str](), list[str]()
    for place in range(max(width, min(longest, len(cells)))):
        cell = " ".join(cells[place].split()) if place < len(cells) else ""
        if not cell and last and not parsed(last).ours and _numbers(body, place):
            cell = last
        last = cell
        seen[cell] += 1
        names.append(cell if seen[cell] == 1 else f"{cell} #{seen[cell]}")
    return names


def _numbers(body: tuple[tuple[str, ...], ...], place: int) -> bool:
    cells = [row[place].removesuffix("%") if place < len(row) else "" for row in body]
    return wide.numeric(pl.Series(cells, dtype=pl.String))


def _are_units(row: tuple[str, ...]) -> bool:
    """Whether a line under the header names units and nothing else."""
    said = [cell for cell in row if cell]
    return len(said) > 0 and all(
        unit_of(cell.strip("()[]")) or cell.strip("()[]").lower() in PER_CENT for cell in said
    )


def _padded(row: tuple[str, ...], header: list[str]) -> list[str]:
    return [*row, *[""] * len(header)][: len(header)]


def _without_per_cent(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns whose cells all end in % as numbers, with the sign in their name."""
    signed = [
        name
        for name in frame.columns
        if frame[name].null_count() < frame.height
        and frame[name].drop_nulls().str.contains(r"^[+-]?[\d.]+\s*%$").all()
    ]
    stripped = frame.with_columns(pl.col(name).str.strip_suffix("%").str.strip_chars() for name in signed)
    return stripped.rename({name: name if parsed(name).per_cent else f"{name} (%)" for name in signed})
