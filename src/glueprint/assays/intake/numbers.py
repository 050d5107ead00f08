"""Cells of a table as numbers."""

from __future__ import annotations

import math
from typing import Any

from glueprint.errors import InputError

__all__ = ["finite", "is_number", "number"]


def finite(cell: object) -> float | None:
    """A cell as a finite number, None where it holds none."""
    try:
        found = float(str(cell))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def is_number(cell: str) -> bool:
    """Whether a cell is a number, perhaps of per cent, NaN among them; digits with underscores are none."""
    try:
        float(cell.removesuffix("%"))
    except ValueError:
        return False
    return "_" not in cell


def number(value: Any, row: int, column: str, code: str) -> float | None:
    """A finite number, or None for an empty cell.

    row: counted from 0.   Raises InputError with `code` for anything else.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(
            code,
            f'"{value}"',
            where=f'row {row + 1}, column "{column}"',
            expected="a finite number, or an empty cell",
            next_step="correct the value, or empty the cell to leave the well out",
        )
    return found
