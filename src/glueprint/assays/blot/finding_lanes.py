"""Lanes found in a straight picture: hills of what stands sharply out, summed down all rows or some."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from glueprint.assays.blot.background import MAD_TO_SD, snip
from glueprint.assays.blot.optical import shrunk

__all__ = ["LANES_FOR_DISTANCE", "NEAR_WHOLE", "Sharp", "find_lanes", "sharp", "tallest", "with_empty"]

Floats = NDArray[Any]
LOOK_PX = 1200
# Tallest band that is taken for one: of the height of the picture, or of a cropped strip in pixels.
TALLEST_BAND, TALLEST_PX, TALLEST_OF_STRIP = 0.08, 80.0, 0.6
# A lane stands out by this much of the strongest and of the hills of noise; its edges are at half height.
LANE_PROMINENCE, LANE_NOISE_SD, LANE_EDGE = 0.12, 6.0, 0.5
# Smoothing across, in parts of the width: fine for narrow gaps, coarse where noise is above a part of all.
FINE_PART, COARSE_PART, NOISY = 300, 70, 0.01
# Gaps of whole lanes: so many lanes tell their distance, and a gap is so near to a whole number of it.
LANES_FOR_DISTANCE, NEAR_WHOLE = 4, 0.2
# Two hills with a valley above this part of the lower one are one lane with texture.
SHALLOW_VALLEY = 0.75
# Blur takes the edges of a lane beyond half height: widened by this part of its width.
WIDEN = 0.08


@dataclass(frozen=True)
class Sharp:
    """What stands sharply out of a picture, in blocks of `step` pixels each way.

    values: (rows, columns) above a wide lower envelope.   level: that of noise.   held: (rows,) what a row
    holds beyond the usual one.   columns: of the picture itself.
    """

    values: Floats
    level: float
    held: Floats
    step: int
    columns: int

    def lanes(self, first: int = 0, last: int | None = None) -> tuple[tuple[int, int], ...]:
        """Columns (left, right) of the lanes that the rows `first` to `last` (of blocks, excluded) show."""
        weight, part = self.held[first:last], self.values[first:last]
        if not weight.sum() > 0.0:
            return ()
        # Roots keep a weak lane beside a strong one; rows count by what they hold.
        hill = weight @ np.sqrt(np.maximum(part - self.level, 0.0)) / weight.sum()
        hill = ndimage.uniform_filter1d(hill, max(3, part.shape[1] // FINE_PART))
        if not hill.max() > 0.0:
            return ()
        if _noise(hill) > NOISY * float(hill.max()):
            hill = ndimage.uniform_filter1d(hill, max(3, part.shape[1] // COARSE_PART))
        edges = [(left * self.step, right * self.step) for left, right in _hills(hill)]
        return tuple(_widened(edges, self.columns))


def sharp(values: Floats) -> Sharp:
    """What stands sharply out of a picture (rows, columns)."""
    small, step = shrunk(values, LOOK_PX)
    window = max(3, round(tallest(values.shape[0]) / step))
    smooth = ndimage.uniform_filter(small.astype(np.float64), (5, 3))
    found = smooth - snip(smooth.T, window).T
    # Specks are narrower than lanes.
    found = ndimage.median_filter(found, (1, 3))
    # Above an envelope noise has a level of its own; most of a picture is without bands.
    level = float(np.median(found))
    level += 2.0 * MAD_TO_SD * float(np.median(np.abs(found - level)))
    # The many rows without a band would only add noise.
    held = found.mean(axis=1)
    return Sharp(found, level, np.maximum(held - np.median(held), 0.0), step, values.shape[1])


def find_lanes(values: Floats) -> tuple[tuple[int, int], ...]:
    """Columns (left, right) of each lane: hills of the sharp signal summed down the picture.

    values: (rows, columns).
    """
    return sharp(values).lanes()


def tallest(rows: int) -> float:
    """Rows of the tallest band in a picture of so many rows."""
    return max(TALLEST_BAND * rows, min(TALLEST_PX, TALLEST_OF_STRIP * rows))


def _hills(hill: Floats) -> list[tuple[float, float]]:
    """(left, right) of every hill, at half of its height over the valley beside it."""
    padded = np.concatenate([[0.0], hill, [0.0]])
    least = max(LANE_PROMINENCE * float(hill.max()), LANE_NOISE_SD * _noise(hill))
    tops, _ = signal.find_peaks(padded, prominence=least)
    tops = _merged(padded, [int(top) for top in tops])
    if not tops:
        return []
    valleys = [0]
    valleys += [a + int(np.argmin(padded[a:b])) for a, b in pairwise(tops)]
    valleys.append(len(padded) - 1)
    edges = []
    for left, top, right in zip(valleys, tops, valleys[1:], strict=False):
        here = padded[left : right + 1]
        height = float(np.median(here[here >= 0.5 * padded[top]]))
        ends = []
        for side in (padded[left : top + 1], padded[top : right + 1][::-1]):
            level = side[0] + LANE_EDGE * (height - side[0])
            ends.append(int(np.argmax(side >= level)))
        edges.append((left + ends[0] - 1.0, right - ends[1] + 0.0))
    widths = [right - left for left, right in edges]
    usual = float(np.median(widths))
    return [edge for edge, width in zip(edges, widths, strict=True) if width >= 0.4 * usual]


def _noise(hill: Floats) -> float:
    """Steps of neighbouring columns are noise but at the few edges of lanes: their scatter."""
    return MAD_TO_SD * float(np.median(np.abs(np.diff(hill))))


def _merged(hill: Floats, tops: list[int]) -> list[int]:
    """Tops without a real valley between them become one."""
    kept: list[int] = []
    for top in tops:
        if kept:
            valley = float(hill[kept[-1] : top].min())
            if valley > SHALLOW_VALLEY * min(hill[kept[-1]], hill[top]):
                kept[-1] = max(kept[-1], top, key=lambda place: hill[place])
                continue
        kept.append(top)
    return kept


def with_empty(
    lanes: tuple[tuple[int, int], ...],
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Lanes, with those that hold nothing put into gaps of whole lanes, and the numbers of these."""
    if len(lanes) < LANES_FOR_DISTANCE:
        return lanes, ()
    middles = np.array([0.5 * (left + right) for left, right in lanes])
    # The shortest distances are those of neighbours.
    distance = float(np.quantile(np.diff(middles), 0.25))
    width = float(np.median([right - left for left, right in lanes]))
    every: list[tuple[int, int]] = [lanes[0]]
    placed = []
    for (one, two), lane in zip(pairwise(middles.tolist()), lanes[1:], strict=True):
        gap = (two - one) / distance
        if round(gap) > 1 and abs(gap - round(gap)) <= NEAR_WHOLE:
            for nth in range(1, round(gap)):
                middle = one + (two - one) * nth / round(gap)
                every.append((round(middle - width / 2.0), round(middle + width / 2.0)))
                placed.append(len(every))
        every.append(lane)
    return tuple(every), tuple(placed)


def _widened(lanes: list[tuple[float, float]], columns: int) -> list[tuple[int, int]]:
    """Lanes a little wider, never into the next and never off the picture."""
    wide = []
    for i, (left, right) in enumerate(lanes):
        margin = WIDEN * (right - left)
        least = 0.0 if i == 0 else 0.5 * (lanes[i - 1][1] + left)
        most = columns if i == len(lanes) - 1 else 0.5 * (right + lanes[i + 1][0])
        wide.append((round(max(left - margin, least)), round(min(right + margin, most))))
    return [(left, right) for left, right in wide if right - left >= 3]
