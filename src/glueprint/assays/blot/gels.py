"""Whether lanes found in a whole picture are those that its rows of bands show: not so in a scan of several
gels, or where finding failed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from glueprint.assays.blot.finding_lanes import LANES_FOR_DISTANCE, NEAR_WHOLE, Sharp, tallest
from glueprint.assays.findings import Finding
from glueprint.errors import InputError

__all__ = ["agreed", "gaps"]

Floats = NDArray[Any]
Lanes = tuple[tuple[int, int], ...]
# Rows of the picture that belong together: they hold this part of the fullest, and hills this prominent part.
HELD, PROMINENT = 0.05, 0.04
# A lane of some rows is one of the picture where their middles are this close, in widths of the narrower, and
# neither is wider than the other by more than this factor: bands of one lane differ in width, not in place.
SAME, WIDER = 0.3, 2.0
# This part of the lanes of a row of bands may lie elsewhere, and one of this many: a torn lane, a stain.
ASTRAY, ONE_OF = 0.2, 3
# A gap this many times the distance of lanes, and not near a whole number of it, is none of a comb.
WIDE_GAP = 1.5
# A single hill wider than this part of the picture is a bar between gels, not a lane.
BAR = 0.5


def agreed(found: Sharp, rows: int, lanes: Lanes, source: str) -> None:
    """Nothing, if every row of bands has its lanes where the whole picture has them.

    found: what stands out of a picture of so many rows.   lanes: (left, right) found in all rows together.
    Raises InputError GP-A233 with the lanes of every row, and with parts of the picture that agree.
    Source: own derivation, docs/blot.md.
    """
    strips = [(first, last, found.lanes(first, last)) for first, last in _strips(found)]
    strips = [strip for strip in strips if strip[2] and not _bar(strip[2], found.columns)]
    if all(_fits(own, lanes) for _, _, own in strips):
        return
    parts = _parts(strips, found.step, (rows, found.columns))
    several = len(parts) > 1
    shown = ", ".join(str(len(own)) for _, _, own in strips)
    what = "several gels in one picture? " if several else "lanes were not found reliably: "
    crops = " ".join(f"--crop {top}:{bottom},{left}:{right}" for top, bottom, left, right in parts)
    raise InputError(
        "GP-A233",
        f"{what}{len(lanes)} lanes in the whole picture, and {shown} at other places in its rows of bands",
        where=source,
        expected="rows of bands that share their lanes",
        next_step=(
            f"read the gels one by one: {crops}"
            if several
            else "crop to one gel with --crop TOP:BOTTOM,LEFT:RIGHT"
        )
        + "; or draw lanes and bands in a box file (--boxes)",
    )


def gaps(lanes: Lanes, source: str) -> list[Finding]:
    """A warning for gaps that are neither a lane's nor a number of whole ones: gels side by side."""
    if len(lanes) < LANES_FOR_DISTANCE:
        return []
    middles = np.array([0.5 * (left + right) for left, right in lanes])
    apart = np.diff(middles) / float(np.quantile(np.diff(middles), 0.25))
    odd = [i for i, gap in enumerate(apart.tolist()) if gap > WIDE_GAP and abs(gap - round(gap)) > NEAR_WHOLE]
    if not odd:
        return []
    where = ", ".join(f"{i + 1} and {i + 2} ({apart[i]:.1f} lane distances)" for i in odd)
    said = f"gaps between lanes that no number of lanes fills: {where}; several gels side by side?"
    remedy = "lanes are compared within one membrane only: crop to each gel with --crop TOP:BOTTOM,LEFT:RIGHT"
    return [Finding("GP-A233", "warning", said, source, "lanes of one comb", remedy)]


def _strips(found: Sharp) -> list[tuple[int, int]]:
    """Rows of blocks (first, last excluded) that hold one row of bands each."""
    held = ndimage.gaussian_filter1d(found.held, 1.5)
    padded = np.concatenate([[0.0], held, [0.0]])
    tops, _ = signal.find_peaks(padded, prominence=PROMINENT * float(padded.max()))
    strips = []
    reach = max(2, round(0.5 * tallest(found.held.size)))
    for nth, top in enumerate(tops.tolist()):
        first, last = max(top - reach, 0), min(top + reach + 1, padded.size)
        if nth > 0:
            before = tops[nth - 1]
            first = max(first, before + int(np.argmin(padded[before:top])))
        if nth < len(tops) - 1:
            last = min(last, top + int(np.argmin(padded[top : tops[nth + 1]])))
        if padded[top] >= HELD * padded.max() and last - first > 1:
            strips.append((max(first - 1, 0), min(last - 1, held.size)))
    return strips


def _fits(own: Lanes, lanes: Lanes) -> bool:
    """Whether but few lanes of a row of bands lie elsewhere."""
    astray = sum(not any(_same(one, other) for other in lanes) for one in own)
    return astray <= max(ASTRAY * len(own), 1 if len(own) >= ONE_OF else 0)


def _same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    narrow, wide = sorted((one[1] - one[0], other[1] - other[0]))
    apart = abs(sum(one) - sum(other)) / 2.0
    return wide <= WIDER * narrow and apart <= SAME * narrow


def _bar(own: Lanes, columns: int) -> bool:
    return len(own) == 1 and own[0][1] - own[0][0] > BAR * columns


def _parts(
    strips: list[tuple[int, int, Lanes]], step: int, shape: tuple[int, ...]
) -> list[tuple[int, int, int, int]]:
    """Parts of the picture (top, bottom, left, right) whose neighbouring rows of bands share their lanes."""
    groups: list[list[tuple[int, int, Lanes]]] = []
    for strip in strips:
        if groups and all(_fits(strip[2], own) or _fits(own, strip[2]) for _, _, own in groups[-1]):
            groups[-1].append(strip)
        else:
            groups.append([strip])
    cuts = [step * (above[-1][1] + below[0][0]) // 2 for above, below in pairwise(groups)]
    ends = [0, *cuts, shape[0]]
    return [(top, bottom, 0, shape[1]) for top, bottom in pairwise(ends)]
