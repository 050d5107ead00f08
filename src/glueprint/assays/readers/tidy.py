"""Plates in any sheet: one line a well under a header, or tables drawn like the plate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from glueprint.assays import layout_maps, tidy_table
from glueprint.assays.concentrations import bare_finding, mixed_findings
from glueprint.assays.findings import Finding
from glueprint.assays.intake import amounts, role_of, wide
from glueprint.assays.intake.grids import ENVISION, Grid, channel_of, grids
from glueprint.assays.intake.headers import parsed
from glueprint.assays.intake.sheets import Sheet, of_bytes
from glueprint.assays.layout_maps import ON_PLATES, ROLE_NAMES
from glueprint.assays.plate import Plate, well_name
from glueprint.assays.readers.gather import Gathered
from glueprint.assays.readers.reader import FunctionReader
from glueprint.assays.readers.text import cell, decode, not_a_table, number, peek, short
from glueprint.assays.wells import CONTENT, ROLES, Layout
from glueprint.errors import InputError

__all__ = ["READER", "content", "names_wells", "of_sheet", "parse"]

# Our columns of a plate and what else they are called.
NAMES: Mapping[str, tuple[str, ...]] = {
    "plate": ("plate", "plate id", "plate name", "plate number", "barcode", "plate barcode", "assay plate"),
    "well": ("well", "wells", "well id", "well position", "well positions", "position", "pos", "location"),
    "row": ("row", "well row"),
    "column": ("column", "col", "well column", "well col"),
    "value": ("value", "values", "reading", "result", "measurement"),
    "unit": ("unit", "units", "value unit"),
    "channel": ("channel", "wavelength", "read", "filter"),
    "flag": ("flag", "flags"),
    "role": ("role", "well type", "welltype", "type", "content"),
    "sample": ("sample", "sample name", "sample id"),
    "dilution": ("dilution", "dilution factor", "df"),
    "donor": ("donor", "donor id"),
    "group": ("group",),
}
# What a grid may say of its wells, by its title.
MAPPED = (*CONTENT, "dose", "compound", "line", "time_h", "doubling_time_h")
# A dilution of one in ten is the factor 10.
ONE_IN = re.compile(r"1\s*(?::|/|in|to)\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
PARTS = re.compile(r"1\s*\+\s*(\d+)")
# One in nine, or one part with nine, which is one in ten: nobody can tell.
EITHER = re.compile(r"1\s*:\s*(?:1|\d*9)")
OURS = {name: ours for ours, names in NAMES.items() for name in names}


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]

    def where(self, source: str, column: str) -> str:
        return f'{source} row {self.line}, column "{column}"'


def recognises(head: bytes, name: str) -> bool:
    """Whether the beginning holds a header with wells, or the scale of a grid."""
    text = peek(head)
    if "<GraphPadPrismFile" in text:
        return True
    if "\x00" in text or name.lower().endswith((".json", ".md", ".toml", ".xlsx", ".xlsm")):
        return False
    lines = text.splitlines()[:40]
    if lines and lines[0].lower().lstrip('"').startswith(ENVISION):
        return True
    for line, below in pairwise([*lines, ""]):
        cells = [item.strip().strip('"').lower() for item in line.split(max(",;\t", key=line.count))]
        known = {OURS.get(item.replace("_", " "), "") for item in cells}
        if len(cells) > 1 and (
            "well" in known or {"row", "column"} <= known or len(known & {"plate", "value", "unit"}) == 3
        ):
            return True
        # The corner of a grid may hold its title; a letter below it tells a grid from numbers.
        bare = cells[0] in ("", "<>") or below.lower().lstrip('"')[:1] == "a"
        if len(cells) > 2 and bare and cells[1:3] == ["1", "2"]:
            return True
    return False


def parse(content: bytes, source: str) -> Plate:
    """The plate in the bytes of a file; `source` names it in messages.

    Raises InputError GP-A002 (not a table), GP-A003 (missing column), GP-A004 (not a number), GP-A005
    (decimal comma), GP-A006 (bad or duplicate well), GP-A007 (units).
    """
    findings: list[Finding] = []
    if not content.startswith((b"PK", b"<")):
        _, findings = decode(content, source)
    with _as_plate():
        found = of_sheet(of_bytes(content, source), source)
    return Plate(source, "tidy", found.table, found.metadata, (*findings, *found.findings), found.layout)


def of_sheet(sheet: Sheet, source: str) -> Plate:
    """The plate of a sheet; else as `parse`."""
    drawn, rest = grids(sheet)
    with _as_plate():
        found = _of_grids(drawn, rest, sheet, source) if drawn else _of_table(sheet, source)
    return replace(found, findings=(*sheet.findings, *found.findings))


@contextmanager
def _as_plate() -> Iterator[None]:
    """What is no table at all is GP-A002 here, as for every reader of plates."""
    try:
        yield
    except InputError as error:
        if error.code != "GP-A158":
            raise
        raise not_a_table(error.where, error.message) from error


def _of_grids(drawn: Sequence[Grid], rest: Sequence[str], sheet: Sheet, source: str) -> Plate:
    """Every grid of numbers is a channel, or a plate where its title says so; titles of contents are a
    layout."""
    gathered, fields = Gathered(source), dict[str, Grid]()
    plates = [grid.title for grid in drawn if _is_plate_name(grid.title)]
    for nth, grid in enumerate(drawn):
        field = parsed(grid.title).ours or OURS.get(grid.title.lower(), "")
        worded = _is_worded(grid, f"{source} row {grid.line}")
        if len(drawn) > 1 and (field in MAPPED or worded):
            fields[layout_maps.field_of(grid) if worded else field] = grid
            continue
        plate = grid.title if grid.title in plates else ""
        channel, unit = ("", "") if plate else channel_of(grid.title, nth if len(drawn) > 1 else 0)
        for well, text in grid.cells.items():
            gathered.add((plate, well, channel), text, unit, where=f"row {grid.line}")
    if not gathered.rows:
        raise InputError(
            "GP-A003",
            "no grid of readings",
            where=source,
            expected="a grid whose title is no dose, compound or role; found "
            + ", ".join(grid.title for grid in drawn),
            next_step="name the grid for what was read, such as RLU or OD450",
        )
    findings = gathered.findings()
    if rest:
        said = f"{len(rest)} lines not read: {short(rest, most=4)}"
        findings.append(Finding("GP-A018", "note", said, source))
    layout = _drawn_layout(fields, source) if fields else None
    return Plate(source, "tidy", gathered.table(), {"read": sheet.whole}, tuple(findings), layout)


def _is_worded(grid: Grid, where: str) -> bool:
    """Whether a grid holds words, and neither numbers nor what readers write in place of one."""
    cells = [text for text in grid.cells.values() if text]
    if any(map(layout_maps.is_number, cells)):
        return False
    return any(cell(text, where).flag.startswith("error: ") for text in cells)


def _is_plate_name(title: str) -> bool:
    return title.lower().split()[:1] == ["plate"] and len(title.split()) > 1


def _drawn_layout(fields: Mapping[str, Grid], source: str) -> Layout:
    return layout_maps.of_grids(fields, source)


def _of_table(sheet: Sheet, source: str) -> Plate:
    table = tidy_table.of_sheet(sheet, source)
    header, rows = _records(table.frame, sheet, source)
    values = _value_columns(header, rows, source)
    _check_units(rows, source)
    gathered = Gathered(source)
    own = [
        name for name in header if name not in ("channel", "flag", "plate", "well", "value", "unit", *values)
    ]
    wells = [_well(row, source) for row in rows]
    for row, well in zip(rows, wells, strict=True):
        others = {name: row.cells[name] for name in own}
        for column in values:
            text, where = row.cells[column], row.where(source, column)
            if cell(text, where).flag.startswith("error: "):
                # Vendors write what they like in place of a number; in a file made by hand it is a slip.
                number(text, where)
            channel, unit = ("", "") if column == "value" else channel_of(column)
            key = (row.cells.get("plate", ""), well, row.cells.get("channel", "") or channel)
            gathered.add(key, text, row.cells.get("unit", unit), where=f"row {row.line}", others=others)
            said = row.cells.get("flag", "")
            if said and not text:
                gathered.rows[-1]["flag"] = said
    layout = _layout(header, rows, wells, source)
    return Plate(source, "tidy", gathered.table(), {"read": sheet.whole}, tuple(gathered.findings()), layout)


def _records(frame: pl.DataFrame, sheet: Sheet, source: str) -> tuple[list[str], list[_Row]]:
    """Header under our names, and rows with their line numbers."""
    names = {name: _ours(name) for name in frame.columns}
    taken = list(names.values())
    header = [
        ours if taken.count(ours) == 1 or ours == name.lower() else name for name, ours in names.items()
    ]
    repeated = [name for name in header if name.split(" #")[0] in (*NAMES, *CONTENT) and " #" in name]
    if len(set(header)) < len(header) or repeated:
        raise not_a_table(source, f"has empty or repeated column names: {', '.join(header)}")
    rows = []
    for nth, values in enumerate(frame.rows()):
        cells = dict(zip(header, ("" if v is None else v for v in values), strict=True))
        if "well" not in header and {"row", "column"} <= set(header):
            cells["well"] = f"{cells['row']}{cells['column']}"
        rows.append(_Row(_line(sheet, nth, frame.height), cells))
    if not rows:
        raise not_a_table(source, "has a header and no rows")
    units = {name: parsed(name).unit for name in names}
    dose = next((name for name, ours in names.items() if ours == "concentration" and units[name]), "")
    _one_unit(rows, units.get(dose, ""), source)
    base = next((parsed(name).base for name, ours in names.items() if ours == "concentration"), 0.0)
    for row in rows if base else ():
        amount = number(row.cells["concentration"], row.where(source, "concentration"), empty=True)
        if amount is not None:
            row.cells["concentration"] = f"{amounts.of_logarithm(amount, base):.12g}"
    if dose and "concentration_unit" not in header:
        header = [*header, "concentration_unit"]
        for row in rows:
            row.cells["concentration_unit"] = units[dose] if row.cells["concentration"] else ""
    if "well" not in header and "well" in rows[0].cells:
        header = [*(name for name in header if name not in ("row", "column")), "well"]
    if "well" not in header:
        raise InputError(
            "GP-A003",
            "no column well",
            where=source,
            expected="a column well (or row and column) and a column of values; found "
            + ", ".join(frame.columns),
            next_step="rename or add the column, or draw the values like a plate",
        )
    return header, rows


def _one_unit(rows: list[_Row], unit: str, source: str) -> None:
    """Raise InputError GP-A206 for a unit of concentrations in the header that a row contradicts."""
    for row in rows if unit else ():
        said = row.cells.get("concentration_unit", "")
        if said and row.cells.get("concentration") and amounts.usual(said) != unit:
            raise InputError(
                "GP-A206",
                f"concentrations in {unit} by the header and in {said} by the column concentration_unit",
                where=row.where(source, "concentration_unit"),
                expected="one unit",
                next_step="correct one of the two",
            )


def _line(sheet: Sheet, nth: int, height: int) -> int:
    """The line of the nth row of a table of `height` rows that ends a sheet."""
    filled = [line for row, line in zip(sheet.rows, sheet.lines, strict=True) if any(row)]
    return filled[len(filled) - height + nth]


def _ours(name: str) -> str:
    """Our name for a column of a plate, or its own."""
    small = " ".join(name.lower().replace("_", " ").split())
    if name.lower() in CONTENT or small in OURS:
        return name.lower() if name.lower() in CONTENT else OURS[small]
    heading = parsed(name)
    if heading.ours == "dose":
        return "concentration" if name.lower() != "dose_nm" else name
    return {"compound": "sample", "dose_unit": "concentration_unit"}.get(heading.ours, name)


def names_wells(columns: Iterable[str]) -> bool:
    """Whether one of these columns is of wells, under any of its names."""
    return any(_ours(name) == "well" for name in columns)


def _value_columns(header: list[str], rows: list[_Row], source: str) -> list[str]:
    """The columns of readings: value, or every column of numbers that is called nothing else."""
    if "value" in header:
        return ["value"]
    known = (*CONTENT, *NAMES)
    chosen = [
        name
        for name in header
        if name not in known
        and parsed(name).ours in ("", "signal", "unnamed")
        and wide.numeric(pl.Series([row.cells[name] for row in rows], dtype=pl.String))
    ]
    if not chosen:
        raise InputError(
            "GP-A003",
            "no column value",
            where=source,
            expected=f"a column value, or columns of numbers such as OD450; found {', '.join(header)}",
            next_step="rename or add the column",
        )
    return chosen


def _well(row: _Row, source: str) -> str:
    name = well_name(row.cells["well"]) or ""
    if not name:
        raise InputError(
            "GP-A006",
            f'well "{row.cells["well"][:40]}" is no well',
            where=row.where(source, "well"),
            expected="every well once a plate and channel, as a letter and a number such as A1 or H12",
            next_step="correct the well; replicates are wells of their own",
        )
    return name


def _check_units(rows: list[_Row], source: str) -> None:
    """One unit a channel, in every row of a file that has units."""
    first: dict[str, str] = {}
    for row in rows if "unit" in rows[0].cells else ():
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


def content(sheet: Sheet, source: str) -> list[dict[str, object]]:
    """What a table of one line a well says is in the wells; empty where it has no column of wells or
    contents."""
    with _as_plate():
        table = tidy_table.of_sheet(sheet, source)
        header, rows = _records(table.frame, sheet, source)
    if not set(header) & {"role", "sample", "concentration"}:
        return []
    found = _contents(header, rows, [_well(row, source) for row in rows], source)
    return [
        {name: value for name, value in entry.items() if value not in ("", None)} for entry in found.values()
    ]


def _layout(header: list[str], rows: list[_Row], wells: list[str], source: str) -> Layout | None:
    """The layout in the file's own columns; None without a column role, or doses that tell it."""
    if "role" not in header and not {"sample", "concentration"} <= set(header):
        return None
    found = _contents(header, rows, wells, source)
    for row, well in zip(rows, wells, strict=True):
        entry = found[row.cells.get("plate", ""), well]
        entry["role"] = _role(row.cells, entry["concentration"])
    others = _own_fields(header)
    schema = {"plate": pl.String, "well": pl.String, **CONTENT, **dict.fromkeys(others, pl.String)}
    table = pl.DataFrame(list(found.values()), schema=schema)
    return Layout(source, table, _unit_findings(table, source))


def _own_fields(header: list[str]) -> list[str]:
    fixed = (*CONTENT, "plate", "well", "value", "unit", "channel", "flag")
    return [name for name in header if name not in fixed]


def _contents(
    header: list[str], rows: list[_Row], wells: list[str], source: str
) -> dict[tuple[str, str], dict[str, object]]:
    """The content of every (plate, well), each said once or alike."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    for row, well in zip(rows, wells, strict=True):
        plate = row.cells.get("plate", "")
        entry: dict[str, object] = {"plate": plate, "well": well}
        for name, kind in CONTENT.items():
            text = row.cells.get(name, "")
            text = _factor(text, row.where(source, name)) if name == "dilution" else text
            entry[name] = text if kind is pl.String else number(text, row.where(source, name), empty=True)
        entry["dilution"] = 1.0 if entry["dilution"] is None else entry["dilution"]
        entry |= {name: row.cells[name] for name in _own_fields(header)}
        before = found.setdefault((plate, well), entry)
        if any(before[name] != entry[name] for name in CONTENT):
            raise InputError(
                "GP-A006",
                f"well {well} of plate {plate} has another content than in its other channel",
                where=row.where(source, "role"),
                expected="the same role, sample and concentration in every channel of a well",
                next_step="correct the row",
            )
    return found


def _factor(text: str, where: str) -> str:
    """The factor in "1:10", "1/10" or "1 + 9"; else the cell.

    Raises InputError GP-A210 for "1:9" and "1:1".
    """
    if EITHER.fullmatch(text):
        raise InputError(
            "GP-A210",
            f'"{text}" may be a ratio of parts or one part in all',
            where=where,
            expected='the factor, such as 10, or "1 + 9"',
            next_step="write the factor: 10 for one part with nine",
        )
    one_in, parts = ONE_IN.fullmatch(text), PARTS.fullmatch(text)
    return one_in[1] if one_in else f"{1 + int(parts[1])}" if parts else text


def _role(cells: Mapping[str, str], dose: object) -> str:
    """The role that a row says, or that its sample and dose say where it has none."""
    said = cells.get("role", "").strip()
    if said or "role" in cells:
        known = ROLE_NAMES.get(said.lower()) or ON_PLATES.get(role_of(said) or "")
        return said if said in ROLES else said.lower() if said.lower() in ROLES else known or said
    by_name = role_of(cells.get("sample", ""))
    if by_name in ("blank", "control"):
        return ON_PLATES[by_name]
    return "compound" if dose else "vehicle" if dose == 0.0 else ""


def _unit_findings(table: pl.DataFrame, source: str) -> tuple[Finding, ...]:
    where = f'{source}, column "concentration_unit"'
    bare = table.filter(pl.col("concentration").is_not_null() & (pl.col("concentration_unit") == "")).height
    remedy = "fill the column concentration_unit; units are never guessed"
    return (*([bare_finding(bare, where, remedy)] if bare else []), *mixed_findings(table, where))


READER = FunctionReader(
    "tidy", "any table of wells: one line a well under a header, or drawn like the plate", recognises, parse
)
