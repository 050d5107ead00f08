"""Layout files: TOML with blocks of wells, each field one value, a list, or a dilution series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field, FiniteFloat

from glueprint import documents
from glueprint.assays.concentrations import is_concentration, mixed_findings, unit_hint
from glueprint.assays.findings import Finding
from glueprint.assays.layout_wells import DIRECTIONS, Direction, Rectangle, Spread, rectangles
from glueprint.assays.plate import well_place
from glueprint.assays.readers.text import number
from glueprint.assays.wells import CONTENT, ROLES, Layout
from glueprint.documents import Codes, Document
from glueprint.errors import InputError, nearest

__all__ = ["KIND", "parse", "read"]

KIND = "glueprint-layout"
CODES = Codes(
    "GP-A030", "GP-A031", "GP-A032", "GP-A033", "see `glueprint assay layout --template elisa` for an example"
)
NUMBERS = tuple(name for name, kind in CONTENT.items() if kind == pl.Float64)
SERIES = ("start", "factor", "steps", "zero")
SPREAD = ("direction", "replicates", "each")
# Longer lists than a plate has wells are refused before they are spread.
MOST_VALUES = 1536


class Block(Document):
    """One `[[well]]`: a set of wells, and what is in them."""

    wells: str = Field(min_length=1)
    plate: str = ""
    direction: Direction = "down"
    replicates: int = Field(default=1, ge=1, le=48)
    each: int = Field(default=1, ge=1, le=48)
    role: Any = None
    sample: Any = None
    concentration: Any = None
    concentration_unit: str = ""
    dilution: Any = None
    donor: Any = None
    experiment: Any = None
    group: Any = None
    expected_low: Any = None
    expected_high: Any = None
    extra: dict[str, Any] = Field(default_factory=dict)


class LayoutFile(Document):
    """The whole file."""

    kind: Literal["glueprint-layout"]
    version: Literal[1]
    name: str = ""
    plate_wells: Literal[6, 12, 24, 48, 96, 384, 1536] = 96
    concentration_unit: str = ""
    adds: bool = False
    assay: dict[str, FiniteFloat] = Field(default_factory=dict)
    well: tuple[Block, ...] = Field(min_length=1)


def read(path: str | Path) -> Layout:
    """The layout in a TOML file.

    Raises InputError GP-A030 to GP-A039 and GP-A005, each with the file, the block and the field.
    """
    return _layout(documents.read(Path(path), CODES), str(path))


def parse(text: str, source: str) -> Layout:
    """The layout in the text of a TOML file; `source` is its name in messages; else as `read`."""
    return _layout(documents.parse(text, CODES, where=source), source)


def _layout(data: dict[str, Any], source: str) -> Layout:
    file = documents.validate(LayoutFile, data, CODES, where=source)
    wells: dict[tuple[str, str], dict[str, object]] = {}
    for nth, block in enumerate(file.well):
        where = f"{source}, well[{nth}]"
        for name, placed in _fields(block, file, where).items():
            _fill(wells, name, placed, (block.plate, where))
    findings = _numbered(file, wells, source)
    others = sorted({name for entry in wells.values() for name in entry} - set(CONTENT))
    rows = [_row(key, entry, others) for key, entry in sorted(wells.items(), key=_reading_order)]
    schema = {"plate": pl.String, "well": pl.String, **CONTENT, **dict.fromkeys(others, pl.String)}
    table = pl.DataFrame(rows, schema=schema)
    mixed = mixed_findings(table, source)
    if mixed:
        first = mixed[0]
        raise InputError(
            first.code, first.message, where=source, expected=first.expected, next_step=first.next_step
        )
    return Layout(source, table, findings, size=file.plate_wells, adds=file.adds, assay=file.assay)


def _numbered(
    file: LayoutFile, wells: dict[tuple[str, str], dict[str, object]], source: str
) -> tuple[Finding, ...]:
    """Samples that are said to be in replicate and have no names get numbers, so that replicates stay
    together."""
    count = 0
    for nth, block in enumerate(file.well):
        if block.role != "sample" or block.sample is not None or block.replicates * block.each == 1:
            continue
        spread = Spread(block.direction, block.replicates, block.each)
        for part in rectangles(block.wells, file.plate_wells, f"{source}, well[{nth}].wells"):
            lengths = spread.lengths(part)
            if not lengths or any("sample" in wells[block.plate, well] for well in part.wells()):
                continue
            names = [f"sample {count + n + 1}" for n in range(lengths[-1])]
            count += len(names)
            for well, name in spread.place(part, names).items():
                wells[block.plate, well]["sample"] = name
    if not count:
        return ()
    said = f"{count} samples without names are numbered in their replicates"
    return (
        Finding(
            "GP-A217", "note", said, source, "a list of samples", 'write sample = ["...", "..."] to name them'
        ),
    )


def _fields(block: Block, file: LayoutFile, where: str) -> dict[str, dict[str, object]]:
    """Every field of a block spread over its wells: name -> well -> value."""
    parts = rectangles(block.wells, file.plate_wells, f"{where}.wells")
    placed: dict[str, dict[str, object]] = {}
    for name in ("role", "sample", "concentration", "dilution", "donor", "experiment", "group"):
        value = getattr(block, name)
        if value is not None:
            placed[name] = _placed(value, name, (block, parts), f"{where}.{name}")
    for name in ("expected_low", "expected_high"):
        value = getattr(block, name)
        if value is not None:
            placed[name] = _placed(value, name, (block, parts), f"{where}.{name}")
    for name, value in block.extra.items():
        if name in (*CONTENT, "plate", "well", "channel", "value", "unit", "flag"):
            raise _bad(f'extra field "{name}" is a field of its own', f"{where}.extra.{name}", "another name")
        placed[name] = _placed(value, name, (block, parts), f"{where}.extra.{name}")
    for well, role in placed.get("role", {}).items():
        _check_role(str(role), f"{where}.role, well {well}")
    if "concentration" in placed:
        unit = block.concentration_unit or file.concentration_unit
        _check_unit(unit, where)
        placed["concentration_unit"] = dict.fromkeys(placed["concentration"], unit)
    elif block.concentration_unit:
        raise _bad(
            "a unit without a concentration", f"{where}.concentration_unit", "a concentration beside it"
        )
    return placed


def _check_role(role: str, where: str) -> None:
    if role not in ROLES:
        raise InputError(
            "GP-A034",
            f'no role "{role[:40]}"{nearest(role, ROLES)}',
            where=where,
            expected=f"one of {', '.join(ROLES)}",
            next_step="correct the role; docs/assays.md says what each is",
        )


def _check_unit(unit: str, where: str) -> None:
    if not unit or not is_concentration(unit):
        raise InputError(
            "GP-A038",
            f'"{unit}" is no unit of concentration{unit_hint(unit)}'
            if unit
            else "a concentration without a unit",
            where=f"{where}.concentration_unit",
            expected="a unit such as nM, ng/mL or IU/mL",
            next_step='write concentration_unit = "nM" in the block or at the head of the file',
        )


def _placed(
    value: object, name: str, block: tuple[Block, Sequence[Rectangle]], where: str
) -> dict[str, object]:
    """One field spread over the wells of its block."""
    settings, parts = block
    spread = Spread(settings.direction, settings.replicates, settings.each)
    if isinstance(value, Mapping):
        spread = _own_spread(value, spread, where)
    found: dict[str, object] = {}
    singles = all(part.rows == part.columns == 1 for part in parts)
    if isinstance(value, list) and singles and len(value) == len(parts) > 1:
        for part, item in zip(parts, value, strict=True):
            found |= dict.fromkeys(part.wells(), _value(item, name, where))
        return found
    for part in parts:
        if isinstance(value, list | Mapping):
            found |= spread.place(part, _listed(value, name, (part, spread), where))
        else:
            found |= dict.fromkeys(part.wells(), _value(value, name, where))
    return found


def _own_spread(value: Mapping[str, object], spread: Spread, where: str) -> Spread:
    """The direction and replicates that a field says for itself."""
    known = ("values", *SERIES, *SPREAD)
    for key in value:
        if key not in known:
            raise _bad(
                f'"{key[:40]}" is not known{nearest(key, known)}', where, f"some of {', '.join(known)}"
            )
    direction = value.get("direction", spread.direction)
    if direction not in DIRECTIONS:
        hint = nearest(str(direction), DIRECTIONS)
        raise _bad(f"direction {direction!r}{hint}", f"{where}.direction", f"one of {', '.join(DIRECTIONS)}")
    replicates = _count(value.get("replicates", spread.replicates), f"{where}.replicates")
    each = _count(value.get("each", spread.each), f"{where}.each")
    return Spread(next(known for known in DIRECTIONS if known == direction), replicates, each)


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_VALUES:
        raise _bad(f"{value!r}"[:60], where, "a whole number above 0")
    return value


def _listed(value: object, name: str, place: tuple[Rectangle, Spread], where: str) -> list[object]:
    """The values of a list or series, as many as one strip or all strips take."""
    part, spread = place
    lengths = spread.lengths(part)
    if isinstance(value, Mapping) and "values" not in value:
        if name not in ("concentration", "dilution"):
            raise _bad("a series is for concentrations and dilutions", where, "a value or a list")
        values = _series(value, lengths[0] if lengths else 1, where)
    else:
        listed = value["values"] if isinstance(value, Mapping) else value
        if not isinstance(listed, list) or len(listed) > MOST_VALUES:
            raise _bad(f"{str(listed)[:40]!r} is no list", f"{where}.values", "a list in [ ]")
        values = [_value(item, name, where) for item in listed]
    if len(values) not in lengths:
        run = f"running {spread.direction}, each in {spread.each} by {spread.replicates} wells"
        wanted = f"{' or '.join(map(str, lengths))} values" if lengths else "wells that divide evenly"
        raise InputError(
            "GP-A037",
            f"{len(values)} values for {part.rows} rows and {part.columns} columns",
            where=where,
            expected=f"{wanted}, {run}",
            next_step="correct the list, wells, direction or replicates (a decimal comma makes two values)",
        )
    return values


def _series(value: Mapping[str, object], along: int, where: str) -> list[object]:
    """start, start / factor, start / factor^2 ..., and zero at the end where that is asked for."""
    start, factor = (_value(value.get(key), "concentration", f"{where}.{key}") for key in ("start", "factor"))
    zero, steps = value.get("zero", False), value.get("steps")
    if not isinstance(zero, bool):
        raise _bad(f"zero {zero!r}", f"{where}.zero", "true or false")
    count = _count(along - int(zero) if steps is None else steps, f"{where}.steps")
    if not isinstance(start, float) or not isinstance(factor, float) or start <= 0.0 or factor <= 1.0:
        raise _bad(
            f"start {start}, factor {factor}",
            f"{where}.factor",
            'a start above 0 and a factor above 1 (3 is threefold); direction = "up" or "left" for rising',
        )
    values: list[object] = []
    for _ in range(count):
        values.append(start)
        start /= factor
    if values[-1] == 0.0:
        raise _bad("a series that falls to zero", where, "fewer steps or a smaller factor")
    return [*values, 0.0] if zero else values


def _value(value: object, name: str, where: str) -> object:
    """One value of a field, as a number or text."""
    if name not in NUMBERS:
        if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
            return str(value)
        raise _bad(f"{value!r}"[:60], where, "text in quotes")
    if isinstance(value, str):
        # A number in quotes is refused, and a decimal comma says so by its own code.
        number(value, where)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _bad(f"{value!r}"[:60], where, "a finite number without quotes")
    if value < 0.0 or (name == "dilution" and value == 0.0):
        raise _bad(f"{value!r}", where, "a number above 0" if name == "dilution" else "zero or more")
    return float(value)


def _fill(
    wells: dict[tuple[str, str], dict[str, object]],
    name: str,
    placed: dict[str, object],
    block: tuple[str, str],
) -> None:
    """Add one field; a block may add fields to the wells of another, and never says the same field again."""
    plate, where = block
    for well, value in placed.items():
        entry = wells.setdefault((plate, well), {})
        if name in entry:
            raise InputError(
                "GP-A036",
                f'well {well} has {name} "{entry[name]}" already, and now "{value}"',
                where=f"{where}.{name}",
                expected="every field of a well once",
                next_step="correct the wells of one of the blocks",
            )
        entry[name] = value


def _reading_order(item: tuple[tuple[str, str], object]) -> tuple[str, tuple[int, int]]:
    (plate, well), _ = item
    return plate, well_place(well)


def _row(key: tuple[str, str], entry: dict[str, object], others: Sequence[str]) -> dict[str, object]:
    row: dict[str, object] = {"plate": key[0], "well": key[1]}
    for name, kind in CONTENT.items():
        row[name] = entry.get(name, "" if kind is pl.String else 1.0 if name == "dilution" else None)
    return row | {name: entry.get(name, "") for name in others}


def _bad(what: str, where: str, expected: str) -> InputError:
    return InputError(
        "GP-A033",
        f"{what} cannot be used",
        where=where,
        expected=expected,
        next_step=f"correct the value; {CODES.help}",
    )
