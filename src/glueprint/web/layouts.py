"""Layouts as pages change them: content of chosen wells, written as a layout file that people can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.assays import layout
from glueprint.assays.plate import SIZES, well_name, well_place
from glueprint.assays.wells import CONTENT, ROLES
from glueprint.web.refusals import refused

__all__ = ["DIRECTIONS", "changed", "chosen_wells", "size_of"]

TEXTS = ("role", "sample", "concentration_unit", "donor", "experiment", "group")
NUMBERS = ("concentration", "dilution", "expected_low", "expected_high")
DIRECTIONS = ("right", "left", "down", "up")
MOST_WELLS = 1536


def chosen_wells(text: str, size: int) -> list[str]:
    """Wells of a selection, "A1,A2,B3".   Raises RefusedError GP-B023 where it names none."""
    rows, columns = SIZES[size]
    names = [well_name(part) for part in text.split(",")[: MOST_WELLS + 1] if part.strip()]
    if not names or len(names) > MOST_WELLS or None in names:
        raise _no_wells(text)
    found = [str(name) for name in dict.fromkeys(names)]
    if any(row >= rows or column >= columns for row, column in map(well_place, found)):
        raise _no_wells(text)
    return found


def _no_wells(text: str) -> Exception:
    return refused(
        "GP-B023",
        f'"{text[:40]}" names no wells of this plate',
        "wells such as A1,A2,B3",
        "choose wells",
        where="wells",
    )


def changed(
    table: pl.DataFrame,
    wells: Sequence[str],
    fields: Mapping[str, Any],
    series: tuple[float, float, str] | None,
    *,
    plate: str = "",
) -> pl.DataFrame:
    """A layout's table with other content in some wells.

    fields: column -> value for all of them; a role "" takes the wells out of the layout.
    series: start, factor and direction; the concentration falls by the factor from one line of the chosen
    wells to the next in that direction.   plate: whose wells; where the layout says nothing of it alone, what
    it says of every plate is changed.
    Raises RefusedError GP-B023 for a role or a series that is none.
    """
    role = fields.get("role")
    if role and role not in ROLES:
        raise refused("GP-B023", f'no role "{role}"', ", ".join(ROLES), "choose one", where="role")
    mine = plate if plate in table["plate"].to_list() else ""
    rows = {row["well"]: row for row in table.to_dicts() if row["plate"] == mine}
    kept = [row for row in table.to_dicts() if row["plate"] != mine]
    doses = _series(wells, series) if series else {}
    for well in wells:
        if role == "":
            rows.pop(well, None)
            continue
        usual = {name: "" if kind is pl.String else layout.USUAL.get(name) for name, kind in CONTENT.items()}
        others = {name: "" for name in table.columns if name not in ("plate", "well", *CONTENT)}
        row = rows.setdefault(well, {"plate": mine, "well": well, **usual, **others})
        row |= {name: value for name, value in fields.items() if value is not None}
        row |= {"concentration": doses[well]} if well in doses else {}
    every = sorted([*rows.values(), *kept], key=lambda row: (row["plate"], well_place(row["well"])))
    return pl.DataFrame(every, schema=table.schema)


def _series(wells: Sequence[str], series: tuple[float, float, str]) -> dict[str, float]:
    start, factor, direction = series
    if not 0.0 < start < 1e12 or not 1.0 < factor <= 1e6 or direction not in DIRECTIONS:
        raise refused(
            "GP-B023",
            f"start {start:g}, factor {factor:g}",
            "a start above 0, a factor above 1",
            "correct them",
            where="series",
        )
    axis = 1 if direction in ("right", "left") else 0
    lines = sorted({well_place(well)[axis] for well in wells}, reverse=direction in ("left", "up"))
    return {well: start / factor ** lines.index(well_place(well)[axis]) for well in wells}


def size_of(path: Path | None, wells: Sequence[str]) -> int:
    """Wells of the plate that a layout says, or the smallest that holds these."""
    if path is not None and (said := layout.read(path).size):
        return said
    places = [well_place(well) for well in wells]
    return next(
        size
        for size, (rows, columns) in SIZES.items()
        if size >= 96 and all(r < rows and c < columns for r, c in places)
    )
