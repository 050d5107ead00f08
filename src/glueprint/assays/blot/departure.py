"""Whether a base line leaves the background that a lane shows beside a band. Kernel: arrays in and out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.blot.background import MAD_TO_SD

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
    top, bottom = span
    away = max(LEAST_AWAY, round(AWAY * (bottom - top)))
    long = max(LEAST_LONG, round(LONG * (bottom - top)))
    taken = np.zeros(profile.size, dtype=bool)
    for first, last in (span, *others):
        taken[max(first - away, 0) : max(last + away, 0)] = True
    # Differences of neighbouring rows know nothing of slow waves, which are what is looked for.
    single = MAD_TO_SD * float(np.median(np.abs(np.diff(profile)))) / np.sqrt(2.0)
    local, levels = [], []
    for first, last in ((top - away - long, top - away), (bottom + away, bottom + away + long)):
        rows = np.arange(max(first, 0), min(last, profile.size))
        rows = rows[~taken[rows]]
        if rows.size < SEEN * long:
            continue
        whole = float((profile - line)[rows].mean())
        # What is seen on the far rows alone is the foot of the next band.
        near = rows[-(rows.size // 2) :] if last <= top else rows[: rows.size // 2]
        close = float((profile - line)[near].mean())
        apart = min(whole, close, key=abs) if whole * close > 0.0 else 0.0
        levels.append(float(profile[near].mean()))
        noise = NOISE_SD * single / np.sqrt(rows.size)
        local.append(apart / height if abs(apart) > noise else 0.0)
    if len(local) < 2 or not height > 0.0:
        return 0.0
    low, high = sorted(local)
    if low > TOLERATED or high < -TOLERATED:
        return low if low > TOLERATED else high
    usual = (float(np.median(profile[~taken])) - float(line[top:bottom].mean())) / height
    under = (float(np.mean(levels)) - float(line[top:bottom].mean())) / height
    return high if high > TOLERATED and under > TOLERATED and usual > DIVES * high else 0.0
