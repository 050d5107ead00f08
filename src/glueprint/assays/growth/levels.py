"""Plates of one culture brought to one level: each is divided by its own control, above its own blank; and
controls that are not one."""

from __future__ import annotations

from typing import Any

import numpy as np

from glueprint.assays.findings import Finding

__all__ = ["levelled", "two_levels", "vehicles_apart"]

Row = dict[str, Any]
# Wells that are on the level of the control; time zero has no control of its own.
LEVELLED = ("treated", "control")
# Controls of two names differ by more than this share, and more than so many standard errors.
APART, ERRORS_APART = 0.15, 4.0
LEVELS_APART = 0.4


def levelled(rows: list[Row], left_out: list[Row]) -> tuple[list[Row], list[Row], tuple[str, ...]]:
    """Raw signals of a culture as if all its plates had the mean control of all, and plates left as they are.

    rows: with plate, role and value.   left_out: rows that make no level and are brought to it.
    A plate without a control is left, and named; blanks are subtracted on their plate where it has any.
    Where one plate holds all that was treated, controls of other plates are none of its own.
    """
    treated = {row["plate"] for row in rows if row["role"] == "treated"}
    if len(treated) < 2:
        own = [row for row in rows if row["role"] == "control" and row["plate"] in treated]
        if not own:
            others = any(row["role"] == "control" for row in rows)
            return rows, left_out, tuple(sorted(treated)) if others else ()
        return [row for row in rows if row["role"] != "control" or row["plate"] in treated], left_out, ()
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


def vehicles_apart(name: str, mine: list[Row]) -> list[Finding]:
    """A warning where controls of two names, such as DMSO and untreated, do not read the same."""
    values: dict[str, list[float]] = {}
    for row in mine:
        if row["role"] == "control" and row["vehicle"]:
            values.setdefault(row["vehicle"].lower().rstrip("0123456789 _-#"), []).append(row["value"])
    groups = {word: np.array(part) for word, part in values.items() if len(part) > 1}
    means = {word: float(part.mean()) for word, part in groups.items()}
    if len(means) < 2:
        return []
    high, low = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    error = sum(float(groups[word].var(ddof=1)) / groups[word].size for word in (high, low)) ** 0.5
    if means[high] - means[low] <= max(APART * abs(means[high]), ERRORS_APART * error):
        return []
    said = (
        f'the controls "{high}" read {means[high]:.4g} and "{low}" {means[low]:.4g}; all count as one control'
    )
    remedy = "leave out those that got no solvent: --exclude, or the role unused"
    return [Finding("GP-A221", "warning", said, name, "one control, with the solvent of the doses", remedy)]


def two_levels(name: str, mine: list[Row]) -> list[Finding]:
    """A warning where the controls of raw signals stand on two levels, as those of two plates or lines do."""
    values = np.sort([row["value"] for row in mine if row["role"] == "control"])
    if values.size < 4 or values[0] <= 0.0:
        return []
    at = 2 + int(np.argmax(np.diff(values)[1 : values.size - 2]))
    low, high = values[:at], values[at:]
    ratio, scatter = (
        float(high.mean() / low.mean()),
        max(float(part.std() / part.mean()) for part in (low, high)),
    )
    if ratio < 1.0 + max(LEVELS_APART, ERRORS_APART * scatter):
        return []
    said = f"the controls stand on two levels, {low.mean():.4g} and {high.mean():.4g}"
    remedy = "give plates, lines and experiments their labels in every row, controls included"
    return [Finding("GP-A221", "warning", said, name, "controls on one level", remedy)]
