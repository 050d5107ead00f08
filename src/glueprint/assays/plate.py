"""Plates as tidy tables: one row a well and channel, every number with the unit that its file names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.wells import MEASURED, Layout
from glueprint.errors import InputError, nearest

__all__ = [
    "MASKED",
    "REFERENCE",
    "SIZES",
    "Plate",
    "channel",
    "measured",
    "plate_shape",
    "row_letters",
    "well_name",
    "well_place",
]

# Rows and columns of the plates that are made.
SIZES = MappingProxyType(
    {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24), 1536: (32, 48)}
)
WELL = re.compile(r"([A-Z]|A[A-F])0{0,2}([1-9]|[1-3]\d|4[0-8])")
# Flag of a well that somebody masked in the vendor's program; its value, where the file has it, is kept.
MASKED = "masked"
# What the vendor's own program computed for a well, as its file prints it.
REFERENCE = MappingProxyType(dict.fromkeys(("plate", "well", "group", "sample", "name", "value"), pl.String))


def _no_reference() -> pl.DataFrame:
    return pl.DataFrame(schema=dict(REFERENCE))


@dataclass(frozen=True)
class Plate:
    """What one file holds: `table` has plate, well, channel, value, unit, flag, then the file's other columns
    as text.

    value is null where the flag says why ("above_range", "below_range", "missing", "error: ..."); unit is ""
    where the file names none.   metadata: what the file says about itself.
    layout: what the file says is in the wells, if it does.   reference: the vendor's own results, for
    comparison.
    """

    source: str
    reader: str
    table: pl.DataFrame
    metadata: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    layout: Layout | None = None
    reference: pl.DataFrame = field(default_factory=_no_reference)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the file."""
        return tuple(self.table["channel"].unique(maintain_order=True))

    @property
    def plates(self) -> tuple[str, ...]:
        """Names of the plates, in the order of the file."""
        return tuple(self.table["plate"].unique(maintain_order=True))


def channel(table: pl.DataFrame, name: str | None = None, *, source: str = "") -> pl.DataFrame:
    """The rows of one channel; None takes the only one.

    Raises InputError GP-A020 if there is no such channel, or if there are several and none is named.
    """
    have = tuple(table["channel"].unique(maintain_order=True))
    if name is None and len(have) == 1:
        return table
    if name is None or name not in have:
        raise InputError(
            "GP-A020",
            f"{len(have)} channels and none is named"
            if name is None
            else f'no channel "{name}"{nearest(name, have)}',
            where=source,
            expected=f"one of {', '.join(have)}" if have else "a plate with a channel",
            next_step="name the channel as the file does",
        )
    return table.filter(pl.col("channel") == name)


def well_name(text: str) -> str | None:
    """A well as a letter and a number without leading zeros (a01 is A1); None if it is no well."""
    found = WELL.fullmatch(text.strip().upper()) if text.isascii() else None
    return f"{found[1]}{found[2]}" if found else None


def well_place(well: str) -> tuple[int, int]:
    """Row and column of a well named by `well_name`, both from 0."""
    letters = well.rstrip("0123456789")
    row = ord(letters[-1]) - ord("A") + (26 if len(letters) == 2 else 0)
    return row, int(well[len(letters) :]) - 1


def plate_shape(places: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Rows and columns of the smallest plate that has wells at all these rows and columns, from 0."""
    rows, columns = (max((place[axis] for place in places), default=0) + 1 for axis in (0, 1))
    return next(shape for shape in SIZES.values() if shape[0] >= rows and shape[1] >= columns)


def row_letters(row: int) -> str:
    """The letters of a row counted from 0: A to Z, then AA to AF."""
    return chr(ord("A") + row) if row < 26 else f"A{chr(ord('A') + row - 26)}"


def measured(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows of a reader as a table: the columns of `MEASURED` first, then further ones as text."""
    others = list(dict.fromkeys(name for row in rows for name in row if name not in MEASURED))
    schema = {**MEASURED, **dict.fromkeys(others, pl.String)}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
