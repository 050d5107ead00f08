"""Plates of one culture brought to one level: each is divided by its own control, above its own blank."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["levelled"]

Row = dict[str, Any]
# Wells that are on the level of the control; time zero has no control of its own.
LEVELLED = ("treated", "control")


def levelled(rows: list[Row], left_out: list[Row]) -> tuple[list[Row], list[Row], tuple[str, ...]]:
    """Raw signals of a culture as if all its plates had the mean control of all, and plates left as they are.

    rows: with plate, role and value.   left_out: rows that make no level and are brought to it.
    A plate without a control is left, and named; blanks are subtracted on their plate where it has any.
    """
    treated = {row["plate"] for row in rows if row["role"] == "treated"}
    if len(treated) < 2:
        return rows, left_out, ()
    means = {plate: _above_blank(rows, plate) for plate in dict.fromkeys(row["plate"] for row in rows)}
    known = {plate: control for plate, (_, control) in means.items() if control > 0.0}
    lost = tuple(sorted(treated - known.keys()))
    if lost or not known:
        return rows, left_out, lost
    common = float(
        np.mean([row["value"] - means[row["plate"]][0] for row in rows if row["role"] == "control"])
    )
    moved = [_moved(row, means[row["plate"]], common) for row in rows]
    # Of a plate with nothing else on it no level is known, and nothing can be drawn on it.
    beside = [
        _moved(row, means[row["plate"]], common) if row["plate"] in known else row | {"value": None}
        for row in left_out
    ]
    return moved, beside, ()


def _above_blank(rows: list[Row], plate: str) -> tuple[float, float]:
    """Mean blank of a plate (of all, where it has none), and mean control above it (0 for none)."""
    every = [row["value"] for row in rows if row["role"] == "blank"]
    own = [row["value"] for row in rows if row["role"] == "blank" and row["plate"] == plate]
    blank = float(np.mean(own or every)) if every else 0.0
    control = [row["value"] - blank for row in rows if row["role"] == "control" and row["plate"] == plate]
    return blank, float(np.mean(control)) if control else 0.0


def _moved(row: Row, level: tuple[float, float], common: float) -> Row:
    blank, control = level
    factor = common / control if row["role"] in LEVELLED else 1.0
    return row | {"value": (row["value"] - blank) * factor}
