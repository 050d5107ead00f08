"""BMG MARS CSV exports: one table like a plate for each raw or computed block."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from glueprint.assays.plate import Plate
from glueprint.assays.readers.gather import MODE_UNITS, Gathered, incomplete, unread_finding
from glueprint.assays.readers.grid import LETTERS, is_cut, numbered
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.text import decode, not_a_table, peek
from glueprint.errors import NotSupportedError

__all__ = ["READER", "parse"]

RAW = re.compile(r"(blank corrected based on )?raw data\s*\((.+)\)", re.IGNORECASE)
TITLE = re.compile(r"(.+?)(?:\s*\(.*\))?")
BEYOND = re.compile(r"kinetic|well scan|spectrum|cycle", re.IGNORECASE)
Line = tuple[int, list[str]]


def recognises(head: bytes, _: str) -> bool:
    """Whether the file begins with the user, path and run number that MARS writes."""
    first = peek(head).lstrip().split("\n", 1)[0].lower()
    return first.lstrip('"').startswith("user:") and "test run no" in first


def parse(content: bytes, source: str) -> Plate:
    """The plate of a MARS CSV export; the channel of raw data is what stands in its parentheses.

    Raises InputError GP-A002 (not text, no table), GP-A005 (decimal comma), GP-A006 (a block twice),
    GP-A015 (cut off), NotSupportedError GP-A016 (kinetics, scans).
    """
    text, findings = decode(content, source)
    lines = _lines(text, source)
    scales = [place for place, (_, cells) in enumerate(lines) if numbered(cells)]
    if not scales:
        raise not_a_table(source, "has no table that begins with numbered columns")
    metadata, unread = _metadata(lines[: scales[0]])
    mode = TITLE.fullmatch(metadata.get("mode", ""))
    unit = MODE_UNITS.get(mode[1].strip().lower() if mode else "", "")
    gathered = Gathered(source)
    done = scales[0]
    for place in scales:
        title = _title(lines[:place])
        unread += [line for line in lines[done:place] if any(line[1]) and line[1][0] != title]
        done = _read_table(lines, place, gathered, (metadata.get("id1", ""), title, unit))
    unread += [line for line in lines[done:] if any(line[1])]
    findings += unread_finding(unread, source)
    notes = (*findings, *gathered.findings())
    return Plate(source, "mars", gathered.table(), metadata, notes)


def _lines(text: str, source: str) -> list[Line]:
    """All lines as cells, with their numbers; MARS separates by commas, or by semicolons where they are."""
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        return [(rows.line_num, [cell.strip() for cell in row] or [""]) for row in rows]
    except csv.Error as error:
        raise not_a_table(source, f"cannot be read as text with columns: {error}") from error


def _metadata(lines: Sequence[Line]) -> tuple[dict[str, str], list[Line]]:
    """What the head says as "Name: value", and the mode, which stands alone; the last line is a title."""
    metadata: dict[str, str] = {}
    unread = []
    titles = [line for line in lines if any(line[1])][-1:]
    for row, cells in lines:
        filled = [cell for cell in cells if cell]
        pairs = [cell.partition(":") for cell in filled if ":" in cell]
        for name, _, value in pairs:
            metadata[name.strip().lower()] = value.strip()
        if not pairs and filled and (row, cells) not in titles:
            if len(filled) == 1 and "mode" not in metadata:
                metadata["mode"] = filled[0]
            else:
                unread.append((row, cells))
    return metadata, unread


def _title(lines: Sequence[Line]) -> str:
    return next((cells[0] for _, cells in reversed(lines) if any(cells)), "")


def _read_table(lines: Sequence[Line], place: int, gathered: Gathered, block: tuple[str, str, str]) -> int:
    """Take the table whose scale is at `place`; `block` is plate, title and unit. Returns where it ends."""
    plate, title, unit = block
    where = f"{gathered.source} row {lines[place][0]}"
    if BEYOND.search(title):
        raise NotSupportedError(
            "GP-A016",
            f'block "{title[:60]}" is no endpoint',
            where=where,
            expected="an endpoint read",
            next_step="export an endpoint, or the reduced values as tidy CSV",
        )
    raw = RAW.fullmatch(title)
    channel = " ".join(raw[2].replace("/", "-").split()) if raw else title.lower()
    channel = f"blanked {channel}" if raw and raw[1] else channel
    columns = numbered(lines[place][1])
    letters: list[str] = []
    for row, cells in lines[place + 1 :]:
        if cells[0] not in LETTERS or (letters and LETTERS[cells[0]] != LETTERS[letters[-1]] + 1):
            break
        if any(cells[len(columns) + 1 :]):
            raise incomplete(
                f"{gathered.source} row {row}",
                f"row {cells[0]} has more cells than columns; a decimal comma splits a cell in two",
            )
        for column, text in zip(columns, [*cells[1:], *[""] * len(columns)], strict=False):
            gathered.add((plate, f"{cells[0]}{column}", channel), text, unit, where=f"row {row}")
        letters.append(cells[0])
    end = place + 1 + len(letters)
    follows = any(any(cells) for _, cells in lines[end:])
    if is_cut(letters, columns, follows=follows):
        raise incomplete(where, f"a table of {len(letters)} rows and {len(columns)} columns ends the file")
    return end


READER = FunctionReader("mars", "BMG MARS CSV export", recognises, parse)
