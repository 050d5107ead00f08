"""Maps of a plate as people draw them: grids of names, of doses, of roles in a workbook or text, or one line
a well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from glueprint.assays.concentrations import is_concentration, mixed_findings, unit_hint
from glueprint.assays.intake import amounts, shapes
from glueprint.assays.intake.grids import Grid, grids
from glueprint.assays.intake.headers import CONCENTRATIONS, Heading, parsed, unit_of
from glueprint.assays.intake.labels import is_vehicle, role_of
from glueprint.assays.intake.sheets import ZIP, Sheet, of_bytes
from glueprint.assays.layout_writing import ASSAY, ASSAY_HEAD
from glueprint.assays.plate import row_letters, well_place
from glueprint.assays.readers.text import number
from glueprint.assays.wells import CONTENT, ROLES, Layout
from glueprint.boundary import read_plain
from glueprint.errors import InputError, nearest

__all__ = ["ROLE_NAMES", "field_of", "is_number", "of_grids", "read", "role_in"]

MOST_BYTES = 64 * 1024 * 1024
# What the words of a table of cultures are on a plate, and the short names that plate programs use.
ON_PLATES = {
    "treated": "compound",
    "control": "vehicle",
    "blank": "blank",
    "time0": "time0",
    "unused": "empty",
}
ROLE_NAMES: Mapping[str, str] = {
    word: role
    for role, words in {
        "standard": "std|standard|standards|cal|calibrator",
        "sample": "unk|spl|unknown|sample|samples",
        "blank": "blk|blank",
        "control": "qc|ctl control",
        "stimulated": "lps|stim",
        "unstimulated": "unstim|no lps",
    }.items()
    for word in words.split("|")
}
FIELDS = {
    "dose": "concentration",
    "compound": "sample",
    "unnamed": "",
    "signal": "",
    "dose_unit": "concentration_unit",
}
# "Q1", "Quadrant 2": a map of one of the four plates of 96 that became one of 384.
QUADRANT = re.compile(r"(?<!\w)(?:q|quad|quadrant)[\s_-]*([1-4])(?!\d)[\s:,_-]*", re.IGNORECASE)
NUMBERED_STANDARD = re.compile(r"(std|standard|cal|calibrator|blk|blank|spl|unk)\s*[_ -]?\d*", re.IGNORECASE)


def read(path: str | Path) -> Layout:
    """The layout in a workbook or text file: what it says is added to what the plate's file says.

    Raises InputError GP-A158 (no table), GP-A218 (no map), GP-A038 (units), GP-A034 (roles), GP-A004 and
    GP-A005
    (numbers).
    """
    source = str(path)
    try:
        content = read_plain(path, MOST_BYTES)
    except OSError as error:
        raise InputError(
            "GP-A030",
            f"cannot open the file: {error.strerror or error}",
            where=source,
            next_step="check the path and the permissions",
        ) from error
    first = of_bytes(content, source)
    sheets = {first.name: first}
    if content.startswith(ZIP):
        sheets |= {name: of_bytes(content, source, name) for name in first.others}
    numbers = _assay(sheets.pop(ASSAY)) if ASSAY in sheets and _is_assay(sheets[ASSAY]) else {}
    first = next(iter(sheets.values()), first)
    return replace(_of_sheets(sheets, first, source), assay=numbers)


def _is_assay(sheet: Sheet) -> bool:
    return bool(sheet.rows) and sheet.rows[0][:2] == ASSAY_HEAD


def _assay(sheet: Sheet) -> dict[str, float]:
    """The numbers that hold for the whole plate, by name."""
    rows = zip(sheet.rows[1:], sheet.lines[1:], strict=True)
    read = [(row[0], number(row[1], f'sheet "{ASSAY}" row {line}')) for row, line in rows if row[0]]
    return {name: value for name, value in read if value is not None}


def _of_sheets(sheets: Mapping[str, Sheet], first: Sheet, source: str) -> Layout:
    """The layout of a workbook's sheets, the first of which holds a table where none holds a grid."""
    drawn = [(name, grid) for name, sheet in sheets.items() for grid in grids(sheet)[0]]
    if not drawn:
        return _of_table(first, source)
    fields: dict[str, Grid] = {}
    for sheet, drawn_grid in drawn:
        name, grid = _of_quadrant(sheet, drawn_grid)
        if any(parsed(title).ours == "signal" for title in (grid.title, name)):
            continue  # what was read, in a workbook that holds its map as well
        field = field_of(grid, name)
        if not grid.title and parsed(name).unit:
            grid = replace(grid, title=name)  # the sheet is its title
        before = fields.get(field, replace(grid, cells={}))
        if before.cells.keys() & grid.cells.keys():
            raise _no_map(source, f'two grids of "{field}", in rows {before.line} and {grid.line}')
        if before.title != grid.title:
            raise _no_map(source, f'"{before.title}" and "{grid.title}" as quadrants of one plate')
        fields[field] = replace(grid, cells={**before.cells, **grid.cells})
    return of_grids(fields, source)


def _of_quadrant(sheet: str, grid: Grid) -> tuple[str, Grid]:
    """The name of a sheet and its grid, where a map says which quarter of a plate of 384 it is: wells of four
    plates of 96 alternate along rows and columns."""
    found = [QUADRANT.search(text) for text in (grid.title, sheet)]
    number = next((int(one[1]) - 1 for one in found if one), None)
    if number is None:
        return sheet, grid
    name, title = (" ".join(QUADRANT.sub(" ", text).split()) for text in (sheet, grid.title))
    cells = {}
    for well, text in grid.cells.items():
        row, column = well_place(well)
        cells[f"{row_letters(2 * row + number // 2)}{2 * column + number % 2 + 1}"] = text
    return name, replace(grid, title=title, cells=cells)


def of_grids(fields: Mapping[str, Grid], source: str) -> Layout:
    """The layout of grids by what each holds: role, sample, concentration, or any other field."""
    wells: dict[str, dict[str, object]] = {}
    for name, grid in fields.items():
        field = FIELDS.get(name, name)
        title = parsed(grid.title) if field == "concentration" else Heading("", "")
        for well, text in grid.cells.items():
            if text:
                where = f"{source} row {grid.line}, well {well}"
                amount = amounts.AMOUNT.fullmatch(text) if field == "concentration" else None
                if amount and unit_of(amount[2]) in CONCENTRATIONS.values():
                    wells.setdefault(well, {}).update(_said(amount, title.unit, where))
                    continue
                value = _value(field, text, where)
                # A word for no compound is a dose of 0 in any scale.
                if title.base and isinstance(value, float) and not text[0].isalpha():
                    value = amounts.of_logarithm(value, title.base)
                wells.setdefault(well, {})[field] = value
                if title.unit:
                    wells[well]["concentration_unit"] = title.unit
    for entry in wells.values():
        _from_name(entry)
    if any(entry.get("concentration") and "concentration_unit" not in entry for entry in wells.values()):
        raise _no_unit(source)
    return _layout([{"plate": "", "well": well, **entry} for well, entry in wells.items()], source)


def _said(amount: re.Match[str], unit: str, where: str) -> dict[str, object]:
    """The dose and the unit of a cell such as "10 nM", under a title of no other unit."""
    own = unit_of(amount[2])
    if unit and unit != own:
        raise InputError(
            "GP-A206",
            f'"{amount[0]}" under a title that says {unit}',
            where=where,
            expected="one unit in a map",
            next_step="correct the title of the grid, or its cells",
        )
    return {"concentration": float(amount[1]), "concentration_unit": own}


def role_in(text: str) -> str:
    """The role of a plate that a word means; "" for nothing.

    Raises InputError GP-A034 for a word that is no role.
    """
    small = " ".join(text.lower().split())
    found = small.replace(" ", "_") if small.replace(" ", "_") in ROLES else ROLE_NAMES.get(small)
    found = found or ON_PLATES.get(role_of(small) or "")
    if small and not found:
        raise InputError(
            "GP-A034",
            f'no role "{text[:40]}"{nearest(small, ROLES)}',
            expected=f"one of {', '.join(ROLES)}",
            next_step="correct the role; docs/assays.md says what each is",
        )
    return found or ""


def field_of(grid: Grid, sheet: str = "") -> str:
    """What a grid holds: by its title, by the name of its sheet, else by its cells."""
    for title in (grid.title, sheet):
        small = " ".join(title.lower().replace("_", " ").split())
        named = small.replace(" ", "_").removesuffix("_factor")
        if named in CONTENT or small in ("roles", "role"):
            return "role" if small == "roles" else named
        ours = parsed(title).ours
        if small in ("names", "samples", "compounds", "layout", "map", "plate map"):
            break
        if ours in ("dose", "compound", "line", "experiment", "time_h", "doubling_time_h", "role"):
            return ours
    texts = [text for text in grid.cells.values() if text]
    if texts and all(is_number(text) for text in texts):
        return "dose"
    roles = [text for text in texts if _is_role(text)]
    return "role" if texts and len(roles) == len(texts) and len(set(roles)) > 1 else "compound"


def _is_role(text: str) -> bool:
    try:
        return bool(role_in(text))
    except InputError:
        return False


def is_number(text: str) -> bool:
    """Whether a cell of a grid is an amount or a reading of zero or more, and no word."""
    try:
        return float(text) >= 0.0
    except ValueError:
        return False


def _value(field: str, text: str, where: str) -> object:
    if CONTENT.get(field) == pl.Float64:
        return (
            0.0
            if field == "concentration" and text[0].isalpha() and is_vehicle(text)
            else number(text, where)
        )
    return role_in(text) if field == "role" else text


def _from_name(entry: dict[str, object]) -> None:
    """What a name says beside the name: a dose, a vehicle, a blank, a standard."""
    name = str(entry.get("sample", ""))
    dosed = shapes.DOSED.fullmatch(name)
    if dosed and "concentration" not in entry and unit_of(dosed[3]) in CONCENTRATIONS.values():
        entry |= {
            "sample": dosed[1],
            "concentration": float(dosed[2]),
            "concentration_unit": unit_of(dosed[3]),
        }
        name = dosed[1]
    if entry.get("role"):
        return
    known = NUMBERED_STANDARD.fullmatch(name)
    said = role_of(name) if name else None
    if known:
        entry["role"] = ROLE_NAMES.get(known[1].lower(), "")
    elif said in ("control", "blank", "time0"):
        entry |= {"role": ON_PLATES[said], "sample": ""}
    elif "concentration" in entry:
        entry["role"] = "compound" if entry["concentration"] else "vehicle"
    elif name:
        entry["role"] = "sample"


def _of_table(sheet: Sheet, source: str) -> Layout:
    """One line a well, with the columns of a layout."""
    from glueprint.assays.readers import tidy

    rows = tidy.content(sheet, source)
    if not rows:
        raise _no_map(source, "neither a grid of letters and numbers nor a column well beside what is in it")
    for entry in rows:
        _from_name(entry)
    if any(entry.get("concentration") is not None and not entry.get("concentration_unit") for entry in rows):
        raise _no_unit(source)
    return _layout(rows, source)


def _layout(rows: list[dict[str, object]], source: str) -> Layout:
    others = list(
        dict.fromkeys(name for row in rows for name in row if name not in (*CONTENT, "plate", "well"))
    )
    schema = {"plate": pl.String, "well": pl.String, **CONTENT, **dict.fromkeys(others, pl.String)}
    defaults = {
        name: "" if kind == pl.String else 1.0 if name == "dilution" else None
        for name, kind in schema.items()
    }
    table = pl.DataFrame(
        [{name: row.get(name, defaults[name]) for name in schema} for row in rows], schema=schema
    )
    table = table.with_columns(pl.col("dilution").fill_null(1.0), pl.col(pl.String).fill_null(""))
    for unit in table["concentration_unit"].unique().to_list():
        if unit and not is_concentration(unit):
            raise InputError(
                "GP-A038",
                f'"{unit}" is no unit of concentration{unit_hint(unit)}',
                where=source,
                expected="a unit such as nM, ng/mL or IU/mL",
                next_step="correct the unit",
            )
    return Layout(source, table, tuple(mixed_findings(table, source)), adds=True)


def _no_unit(source: str) -> InputError:
    return InputError(
        "GP-A038",
        "concentrations without a unit",
        where=source,
        expected="a unit in the title of the grid or the header, such as dose (nM)",
        next_step='write "dose (nM)" above the grid, or a column concentration_unit',
    )


def _no_map(source: str, what: str) -> InputError:
    return InputError(
        "GP-A218",
        what,
        where=source,
        expected="grids like the plate, each with a title such as compound, dose (nM) or role",
        next_step="draw the map, or write a layout: `glueprint assay layout --template growth`",
    )
