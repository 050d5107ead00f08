"""Sets of wells as people write them, and how lists and dilution series spread over them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from glueprint.assays.plate import SIZES, row_letters, well_place
from glueprint.errors import InputError

__all__ = ["DIRECTIONS", "Direction", "Rectangle", "Spread", "rectangles"]

Direction = Literal["down", "up", "right", "left"]
DIRECTIONS: tuple[Direction, ...] = ("down", "up", "right", "left")
CORNER = re.compile(r"([A-Z]{1,2})?(?:0*([1-9]\d?))?", re.ASCII)
# More than the wells of any plate, so that a long text is refused before it is taken apart.
MOST_PARTS = 1536


@dataclass(frozen=True)
class Rectangle:
    """Wells from row and column to last row and last column, all counted from 0 and included."""

    row: int
    column: int
    last_row: int
    last_column: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.last_row - self.row + 1

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.last_column - self.column + 1

    def wells(self) -> Iterator[str]:
        """Names of the wells, row by row."""
        for row in range(self.row, self.last_row + 1):
            for column in range(self.column, self.last_column + 1):
                yield f"{row_letters(row)}{column + 1}"


@dataclass(frozen=True)
class Spread:
    """How a list runs along `direction`: `each` wells in a row and `replicates` side by side get one value.

    A strip is as long as the rectangle and `replicates` wide; at its end the list goes on in the next strip.
    """

    direction: Direction
    replicates: int
    each: int = 1

    def lengths(self, where: Rectangle) -> tuple[int, ...]:
        """How many values fill one strip, and how many fill all; empty if the wells do not divide so."""
        along, across = self._sides(where)
        if along % self.each:
            return ()
        one = along // self.each
        whole = one * (across // self.replicates)
        return (one,) if across % self.replicates or whole == one else (one, whole)

    def place(self, where: Rectangle, values: Sequence[object]) -> dict[str, object]:
        """The value of each well; a list as long as one strip is the same in every strip."""
        along, _ = self._sides(where)
        one = along // self.each
        found = {}
        for row in range(where.rows):
            for column in range(where.columns):
                step, side = (row, column) if self.direction in ("down", "up") else (column, row)
                if self.direction in ("up", "left"):
                    step = along - 1 - step
                nth = step // self.each
                if len(values) > one:
                    nth += one * (side // self.replicates)
                found[f"{row_letters(where.row + row)}{where.column + column + 1}"] = values[nth]
        return found

    def _sides(self, where: Rectangle) -> tuple[int, int]:
        vertical = self.direction in ("down", "up")
        return (where.rows, where.columns) if vertical else (where.columns, where.rows)


def rectangles(text: str, size: int, where: str) -> tuple[Rectangle, ...]:
    """The wells that `text` names: "A1:B6", "C3", "A" or "A:C" (rows), "1:2" (columns), "all", with commas.

    Raises InputError GP-A035 if it cannot be read or leaves the plate of `size` wells.
    """
    parts = [part.strip() for part in text.split(",", MOST_PARTS)]
    return tuple(_rectangle(part, size, where) for part in parts)


def _rectangle(text: str, size: int, where: str) -> Rectangle:
    rows, columns = SIZES[size]
    plain = text.upper().replace("-", ":").replace("–", ":").replace(" ", "")
    if plain == "ALL":
        return Rectangle(0, 0, rows - 1, columns - 1)
    ends = plain.split(":")
    corners = [CORNER.fullmatch(end) for end in ends]
    first, last = corners[0], corners[-1]
    if len(ends) > 2 or not first or not last or not ends[0] or (not first[1]) != (not last[1]):
        raise _not_wells(text, where, "is no set of wells")
    if (not first[2]) != (not last[2]) or (len(first[1] or "") == 2 and first[1][0] != "A"):
        raise _not_wells(text, where, "is no set of wells")
    top, bottom = (well_place(f"{end[1]}1")[0] if end[1] else None for end in (first, last))
    left, right = (int(end[2]) - 1 if end[2] else None for end in (first, last))
    found = Rectangle(
        top if top is not None else 0,
        left if left is not None else 0,
        bottom if bottom is not None else rows - 1,
        right if right is not None else columns - 1,
    )
    if found.last_row >= rows or found.last_column >= columns:
        raise _not_wells(
            text, where, f"leaves the plate of {size} wells, which ends at {row_letters(rows - 1)}{columns}"
        )
    if found.rows < 1 or found.columns < 1:
        raise _not_wells(text, where, "ends before it begins")
    return found


def _not_wells(text: str, where: str, what: str) -> InputError:
    return InputError(
        "GP-A035",
        f'"{text[:40]}" {what}',
        where=where,
        expected='wells such as "A1:B6", "C3", rows "A:C", columns "1:2", "all", or several with commas',
        next_step="correct the wells, or the plate size at the head of the file",
    )
