"""Tecan Magellan xlsx exports: one line a well, one column a label, what was measured in the last lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from glueprint.assays.findings import Finding
from glueprint.assays.intake.sheets import Sheet, workbook
from glueprint.assays.plate import Plate, well_name
from glueprint.assays.readers import tidy
from glueprint.assays.readers.gather import MODE_UNITS, Gathered, each_once
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.text import not_a_table, short
from glueprint.errors import InputError

__all__ = ["READER", "parse"]

ZIP = b"PK\x03\x04"
HEADER = "Well positions"
MEASUREMENT = re.compile(r"Measurement (\d+):")
WAVELENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*nm")
LABEL = re.compile(r"Label\s*(\d+)", re.IGNORECASE)
# What follows the last measurement begins with one of these.
CLOSING = ("Meas. temperature", "Date")


def recognises(head: bytes, name: str) -> bool:
    """Whether the file is an Excel workbook; whether it is Magellan's shows when it is opened."""
    return head.startswith(ZIP) and name.lower().endswith((".xlsx", ".xlsm"))


def parse(content: bytes, source: str) -> Plate:
    """The plate of a Magellan workbook; a channel is the wavelength of its label, else the label. Any other
    workbook is read as `tidy` reads a sheet.

    Raises InputError GP-A002 (no workbook, or not Magellan's), GP-A006 (a well twice).
    """
    sheet = _sheet(content, source)
    rows = [list(row) for row in sheet.rows]
    top = next((place for place, row in enumerate(rows) if HEADER in row), None)
    if top is None:
        return tidy.of_sheet(sheet, source)
    at = rows[top].index(HEADER)
    # Wells come first, whatever their place in the file; what stands beyond the labels is no label.
    rows = [[row[at], *row[:at], *row[at + 1 :]] for row in rows]
    last = max(place for place, label in enumerate(rows[top]) if label)
    labels = rows[top][1 : 1 + last] if at == 0 else rows[top][1 : 1 + at]
    wells = [(place, row) for place, row in enumerate(rows) if well_name(row[0])]
    if not wells or not any(labels):
        raise not_a_table(source, "has no wells or no labels")
    notes = [row[0] or row[1] for row in rows[wells[-1][0] + 1 :] if row[0] or row[1]]
    metadata, measured = _metadata(notes)
    channels = [_channel(label, measured) for label in labels]
    once = iter(each_once([name for name, _ in channels if name]))
    channels = [(next(once) if name else "", unit) for name, unit in channels]
    gathered = Gathered(source)
    for place, row in wells:
        for (channel, unit), text in zip(channels, row[1:], strict=False):
            if channel:
                gathered.add(("", str(well_name(row[0])), channel), text, unit, where=f"row {place + 1}")
    findings = _unread(rows, (top, [place for place, _ in wells]), source)
    return Plate(
        source, "magellan", gathered.table(), metadata, (*sheet.findings, *findings, *gathered.findings())
    )


def _sheet(content: bytes, source: str) -> Sheet:
    try:
        return workbook(content, source)
    except InputError as error:
        if error.code != "GP-A158":
            raise
        raise not_a_table(source, f"cannot be read as a workbook: {error.message}") from error


def _metadata(notes: Sequence[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What the last lines say: of the file, and of each measurement by its number."""
    metadata: dict[str, str] = {}
    measured: dict[str, dict[str, str]] = {}
    current = metadata
    for note in notes:
        begin = MEASUREMENT.fullmatch(note)
        name, colon, value = (part.strip() for part in note.partition(":"))
        if begin:
            current = measured.setdefault(begin[1], {})
            continue
        if name.startswith(CLOSING):
            current = metadata
        # The letter of a drive is no name.
        key = name.lower() if colon and len(name) > 1 else "notes"
        said = value if key != "notes" else note
        current[key] = f"{current[key]}; {said}" if key in current else said
    for number, facts in measured.items():
        metadata |= {f"measurement {number} {name}": value for name, value in facts.items()}
    return metadata, measured


def _channel(label: str, measured: dict[str, dict[str, str]]) -> tuple[str, str]:
    """Name and unit of a column; Magellan numbers labels as it numbers measurements."""
    number = LABEL.fullmatch(label)
    facts = measured.get(number[1], {}) if number else {}
    wavelength = WAVELENGTH.fullmatch(facts.get("measurement wavelength", ""))
    unit = facts.get("unit") or MODE_UNITS.get(facts.get("measurement mode", "").lower(), "")
    return (wavelength[1] if wavelength else label), unit


def _unread(rows: list[list[str]], read: tuple[int, list[int]], source: str) -> list[Finding]:
    top, wells = read
    between = {*range(top + 1, wells[0])}
    lost = [
        place
        for place, row in enumerate(rows[: wells[-1]])
        if place != top and place not in wells and place not in between and any(row)
    ]
    # Times and temperatures stand in lines without a name in the first column.
    named = [place for place in sorted(between) if rows[place][0]]
    if not lost and not named:
        return []
    places = [*lost, *named]
    what = short(f'"{rows[place][0][:40]}" in row {place + 1}' for place in places)
    return [Finding("GP-A018", "warning", f"{len(places)} lines between the wells not read: {what}", source)]


READER = FunctionReader(
    "magellan", "Tecan Magellan workbook, or any other with a table of wells (xlsx)", recognises, parse
)
