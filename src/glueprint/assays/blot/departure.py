"""Whether a base line leaves the background that a lane shows beside a band. Kernel: arrays in and out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.blot.background import row_noise

__all__ = ["TOLERATED", "departure"]

Floats = NDArray[Any]
Span = tuple[int, int]
# Flanks of a band in parts of its box: how far from it they begin, because bands have feet, and how long they
# are; never less than these rows.
AWAY, LONG, LEAST_AWAY, LEAST_LONG = 0.25, 0.5, 2, 4
# A flank is seen where this part of its rows belongs to no band.
SEEN = 0.5
# Standard errors of a flank's mean that are no departure.
NOISE_SD = 3.0
# This part of the height of a band, or of its limit of detection, may be background read wrongly.
TOLERATED = 0.12
# Where a line dives, the lane's usual level is farther above it under the band than beside it; above a smear
# it is not. By this factor.
DIVES = 1.2


def departure(profile: Floats, line: Floats, span: Span, others: Iterable[Span], height: float) -> float:
    """How far a base line leaves the background on both sides of a band, in its height; 0.0: it does not.

    profile, line: (rows,).   span: first and last row of the box, the last excluded.   others: those of the
    other bands of the lane.   height: of the band above the line, or what could be seen of it if more.
    On a side the line leaves the background where its rows stand off it by more than their noise. Where
    only one side does, as beside a smear or the foot of the next band, the line under the band must not lie
    below most empty rows of the lane by more than that, nor below the level between both sides.
    Source: own derivation, docs/blot.md, Base lines that leave the background.
    """
    if not height > 0.0:
        return 0.0
    top, bottom = span
    away = max(LEAST_AWAY, round(AWAY * (bottom - top)))
    long = max(LEAST_LONG, round(LONG * (bottom - top)))
    taken = np.zeros(profile.size, dtype=bool)
    for first, last in (span, *others):
        taken[max(first - away, 0) : max(last + away, 0)] = True
    single, above = row_noise(profile), profile - line
    local, levels = [], []
    for first, last in ((top - away - long, top - away), (bottom + away, bottom + away + long)):
        rows = np.arange(max(first, 0), min(last, profile.size))
        rows = rows[~taken[rows]]
        if rows.size < SEEN * long:
            return 0.0
        # What is seen on the far rows alone is the foot of the next band.
        near = rows[-(rows.size // 2) :] if last <= top else rows[: rows.size // 2]
        apart = _agreed(float(above[rows].mean()), float(above[near].mean()))
        levels.append(float(profile[near].mean()))
        noise = NOISE_SD * single / np.sqrt(rows.size)
        local.append(apart / height if abs(apart) > noise else 0.0)
    both = _agreed(*local)
    if abs(both) > TOLERATED:
        return both
    high, under = max(local), float(line[top:bottom].mean())
    if not high > TOLERATED:
        return 0.0
    usual = (float(np.median(profile[~taken])) - under) / height
    between = (float(np.mean(levels)) - under) / height
    return high if between > TOLERATED and usual > DIVES * high else 0.0


def _agreed(one: float, other: float) -> float:
    """What two looks agree on: the smaller where both lie on one side, else nothing."""
    return min(one, other, key=abs) if one * other > 0.0 else 0.0
