"""Tables drawn like a plate in any sheet: whole or in part, several below each other, with titles or
without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from glueprint.assays.intake.numbers import is_number
from glueprint.assays.intake.sheets import Sheet
from glueprint.assays.plate import SIZES, row_letters, well_name

__all__ = ["ENVISION", "Grid", "channel_of", "grids"]

LETTERS = re.compile(r"[A-Z]|A[A-F]", re.ASCII)
NUMBER = re.compile(r"0*([1-9]\d?)(?:\.0)?", re.ASCII)
# Beyond the first cell of its scale, a grid may have one more cell before its columns, as SoftMax does.
MOST_BEFORE = 2
FEWEST_COLUMNS = 2
# How an export in the plate format of PerkinElmer's EnVision begins.
ENVISION = "plate information"
# Lines that stand between the name of a reading and its grid.
NO_TITLE = re.compile(
    r"(?:actual )?temperature|(?:start|end) time|date\b|time:|(?:name |label:? ?)+label ?\d*$", re.IGNORECASE
)
MODE = re.compile(r"(?:read )?mode:?\s+(absorbance|luminescence|fluorescence)", re.IGNORECASE)
LIGHT = re.compile(r"(?:measurement |excitation |emission )?wavelength:?\s+(\d{3})\b", re.IGNORECASE)
READ = re.compile(r"(\d{3})(?:\s*/\s*\d+)?(?:\s*[,/-]\s*(\d{3}))?")
UNITS = {
    "OD": ("od", "abs", "absorbance", "a", "optical density"),
    "RLU": ("rlu", "lum", "luminescence", "ctg", "glo", "cps"),
    "RFU": ("rfu", "fluorescence", "fluo", "fl", "fi"),
    "mP": ("mp", "polarization", "polarisation", "fp"),
}
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}


@dataclass(frozen=True)
class Grid:
    """A table like a plate. title: the line above it, or the corner of its scale.   line: of its scale.

    cells: well -> text, only where the grid has a column and a row; empty cells too.
    """

    title: str
    line: int
    cells: Mapping[str, str]


def grids(sheet: Sheet) -> tuple[list[Grid], list[str]]:
    """The grids of a sheet, and the other lines that hold anything and are no title."""
    found, rest = list[Grid](), list[tuple[int, str]]()
    place, ended, rows = 0, 0, sheet.rows
    while place < len(rows):
        scale = _scale(rows[place])
        body = _body(rows, place + 1, scale[0]) if scale else []
        if not scale or not body:
            said = " ".join(cell for cell in rows[place] if cell)
            if said:
                rest.append((place, said))
            place += 1
            continue
        start, columns = scale
        corner = next((cell for cell in rows[place][:start] if cell and cell != "<>"), "")
        above = next(
            (text for at, text in reversed(rest) if at >= place - 3 and not NO_TITLE.match(text)), ""
        )
        if not above or LIGHT.match(above):
            above = _described(text for at, text in rest if at >= ended) or above
        if not corner and above:
            rest = [item for item in rest if item[0] < ended or item[1] != above]
        cells = {
            f"{letters}{column}": row[start + nth] if start + nth < len(row) else ""
            for letters, row in body
            for nth, column in enumerate(columns)
        }
        found.append(Grid(corner or above, sheet.lines[place], cells))
        place += 1 + len(body)
        ended = place
    if not found:
        bare = _bare(sheet)
        blocks = [bare] if bare else _envision(sheet)
        words = [text for _, text in rest if any(map(str.isalpha, text))]
        return blocks, [] if bare else words if blocks else [text for _, text in rest]
    return found, [text for _, text in rest]


def _described(lines: Iterable[str]) -> str:
    """What programs say of a reading in lines above it: "Mode Absorbance" and "Wavelength 450 nm"."""
    said = list(lines)
    found = (MODE.match(line) for line in said)
    mode = next((match[1] for match in found if match), "")
    light = [match[1] for match in map(LIGHT.match, said) if match]
    return f"{mode} {'/'.join(light[:2])}".strip() if mode else ""


def channel_of(title: str, nth: int = 0) -> tuple[str, str]:
    """Name and unit of what a title says was read: "OD450" is ("450", "OD"); "" where it says nothing."""
    lower = title.lower().replace("_", " ")
    words = re.findall(r"[a-zµ]+", lower)
    unit = next((UNIT_OF[word] for word in words if word in UNIT_OF), "")
    for name in ("parallel", "perpendicular"):
        if name in words:
            return name, unit or "RFU"
    light = READ.search(lower)
    if light and (unit in ("OD", "RFU") or "nm" in words or not words):
        return "-".join(part for part in light.groups() if part), unit
    if unit == "mP":
        return "mP", unit
    return (title.strip() or (f"grid {nth + 1}" if nth else "")), unit


def _scale(row: Sequence[str]) -> tuple[int, list[int]] | None:
    """Where the columns of a grid begin in a line, and their numbers, rising by one; None if it is no such
    line."""
    for start in range(1, MOST_BEFORE + 1):
        numbers = list[int]()
        for cell in row[start:]:
            match = NUMBER.fullmatch(cell)
            if not match or (numbers and int(match[1]) != numbers[-1] + 1):
                break
            numbers.append(int(match[1]))
        tail = [cell for cell in row[start + len(numbers) :] if cell]
        if (
            len(numbers) >= FEWEST_COLUMNS
            and len(tail) <= 1
            and numbers[-1] <= 48
            and not NUMBER.fullmatch(row[0])
        ):
            return start, numbers
    return None


def _body(rows: Sequence[Sequence[str]], place: int, start: int) -> list[tuple[str, Sequence[str]]]:
    """The lines under a scale that begin with rising letters of rows."""
    body = list[tuple[str, Sequence[str]]]()
    for row in rows[place:]:
        letters = next((cell.upper() for cell in row[:start] if cell), "")
        if not LETTERS.fullmatch(letters):
            break
        if body and (len(letters), letters) <= (len(body[-1][0]), body[-1][0]):
            break
        body.append((letters, row))
    return body


def _bare(sheet: Sheet) -> Grid | None:
    """A sheet that is nothing but a block of numbers as large as a plate."""
    return _block([row for row in sheet.rows if any(row)], "", sheet.lines[0] if sheet.lines else 1)


def _block(rows: Sequence[Sequence[str]], title: str, line: int) -> Grid | None:
    """Rows of numbers that are as many and as long as those of a plate."""
    width = max((len([*row]) for row in rows), default=0)
    if (len(rows), width) not in SIZES.values() or not all(is_number(cell) for row in rows for cell in row):
        return None
    cells = {f"{row_letters(i)}{j + 1}": cell for i, row in enumerate(rows) for j, cell in enumerate(row)}
    return Grid(title, line, cells) if all(map(well_name, cells)) else None


def _envision(sheet: Sheet) -> list[Grid]:
    """The plates of an EnVision export in plate format: bare numbers under "Results", named above."""
    if not sheet.rows or not [*sheet.rows[0], ""][0].lower().startswith(ENVISION):
        return []
    found, said = list[tuple[str, str, Grid]](), dict[str, str]()
    for place, row in enumerate(sheet.rows):
        head, below = [*row, ""][0].lower(), sheet.rows[place + 1 :]
        if head == "plate" and "Label" in row and below and "measured height" in " ".join(row).lower():
            said = dict(zip(row, below[0], strict=False))
        if head == "results":
            numbers = [[cell for cell in one if cell] for one in takewhile(any, below)]
            block = _block(numbers, said.get("Label", ""), sheet.lines[place])
            found += [(f"Plate {said.get('Plate', '1')}", said.get("Label", ""), block)] if block else []
    plates = len({plate for plate, _, _ in found}) > 1 and len({label for _, label, _ in found}) == 1
    return [replace(block, title=plate if plates else label) for plate, label, block in found]
