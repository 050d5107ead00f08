"""What a sheet of a workbook shows and its cells do not say: hidden rows and columns, cells struck through,
formulas that were never computed. Called where it may crash."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

__all__ = ["marks"]

# Names may have a prefix, as in <x:row>.
ROW = re.compile(r"<(?:\w+:)?row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row>)", re.DOTALL)
CELL = re.compile(r"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
COLUMN = re.compile(r"<(?:\w+:)?col\b([^>]*)>")
HOLDS = re.compile(r"<(?:\w+:)?(?:v|is)[ >]")
FORMULA = re.compile(r"<(?:\w+:)?f[ />]")
SHEET = re.compile(r"<(?:\w+:)?sheet\b([^>]*)>")
RELATION = re.compile(r"<(?:\w+:)?Relationship\b([^>]*)>")
FONT = re.compile(r"<(?:\w+:)?font(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?font>)", re.DOTALL)
STRUCK = re.compile(r"<(?:\w+:)?strike(?:\s+val=\"(?:1|true)\")?\s*/?>")
STYLES = re.compile(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
STYLE = re.compile(r"<(?:\w+:)?xf\b([^>]*)>")
ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
TRUE = ("1", "true")
MOST_COLUMNS = 16384


def marks(packed: zipfile.ZipFile, sheet: str) -> dict[str, list[str]]:
    """Names of what holds something and is hidden ("rows", "columns"), struck through ("struck") or a formula
    without a value ("formulas"); all empty for a workbook of another make.

    Raises KeyError and ValueError for one that is damaged.
    """
    found: dict[str, list[str]] = {"rows": [], "columns": [], "struck": [], "formulas": []}
    text = _text(packed, _place(packed, sheet))
    struck = _struck(packed)
    columns = {
        _letters(nth)
        for one in map(_attributes, COLUMN.findall(text))
        if one.get("hidden") in TRUE
        for nth in range(int(one["min"]), min(int(one["max"]), MOST_COLUMNS) + 1)
    }
    hidden = set[str]()
    for about, cells in ROW.findall(text):
        row, full = _attributes(about), False
        for which, inside in _cells(cells):
            place = which.get("r", "")
            if FORMULA.search(inside) and not HOLDS.search(inside):
                found["formulas"].append(place)
            elif HOLDS.search(inside):
                full = True
                hidden |= {place.rstrip("0123456789")} & columns
                if which.get("s") in struck:
                    found["struck"].append(place)
        if full and row.get("hidden") in TRUE:
            found["rows"].append(row.get("r", ""))
    found["columns"] = sorted(hidden)
    return found


def _cells(row: str) -> Iterator[tuple[dict[str, str], str]]:
    return ((_attributes(about), inside) for about, inside in CELL.findall(row))


def _text(packed: zipfile.ZipFile, part: str) -> str:
    """A part of a package; "" for none."""
    return packed.read(part).decode(errors="replace") if part in packed.namelist() else ""


def _place(packed: zipfile.ZipFile, sheet: str) -> str:
    """Where the sheet of a name lies in its package; "" where that is not said."""
    sheets = map(_attributes, SHEET.findall(_text(packed, "xl/workbook.xml")))
    about = next((one for one in sheets if one.get("name") == sheet), {})
    key = next((value for name, value in about.items() if name.endswith(":id")), "")
    relations = map(_attributes, RELATION.findall(_text(packed, "xl/_rels/workbook.xml.rels")))
    target = next((one.get("Target", "") for one in relations if one.get("Id") == key), "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _struck(packed: zipfile.ZipFile) -> set[str]:
    """The numbers of the styles whose font is struck through."""
    text = _text(packed, "xl/styles.xml")
    styles = STYLES.search(text)
    fonts = {str(n) for n, font in enumerate(FONT.findall(text)) if STRUCK.search(font)}
    every = map(_attributes, STYLE.findall(styles[0] if styles else ""))
    return {str(n) for n, one in enumerate(every) if one.get("fontId") in fonts}


def _attributes(text: str) -> dict[str, str]:
    found = {name: one or other for name, one, other in ATTRIBUTE.findall(text)}
    for entity, letter in ENTITIES.items():
        found = {name: value.replace(entity, letter) for name, value in found.items()}
    return found


def _letters(nth: int) -> str:
    """The letters of a column, counted from 1."""
    return _letters((nth - 1) // 26) + chr(65 + (nth - 1) % 26) if nth else ""
