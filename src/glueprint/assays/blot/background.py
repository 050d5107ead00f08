"""Background under bands: the base line of a lane profile, the gaps beside the lane, or the rim around a
band; and how it scatters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["base_line", "beside", "empty_rows", "rim", "row_noise", "snip", "spread"]

Floats = NDArray[Any]
# Median absolute deviation to standard deviation of a normal distribution.
MAD_TO_SD = 1.4826
SMOOTH_ROWS = 5
# Rows further than this above the base line hold a band.
BAND_SD = 3.0
ROUNDS = 8
# Gaps beside a lane: kept off the blurred edges of lanes and near the lane, in parts of its width; never
# fewer columns than this; and how many rows are averaged.
GAP_MARGIN, GAP_WIDTH, LEAST_GAP, GAP_ROWS = 0.1, 0.4, 3, 9
# Fewer background windows than this cannot show a scatter.
LEAST_WINDOWS = 8


def snip(profile: Floats, half_window: int) -> Floats:
    """The lower envelope of profiles: peaks narrower than the window are clipped, largest window first.

    profile: (..., rows).   half_window: rows.   Returns the same shape.
    Source: Ryan et al. 1988, doi 10.1016/0168-583X(88)90063-8, without its logarithms; decreasing windows
    after Morhac et al. 1997, doi 10.1016/S0168-9002(97)01023-1.
    """
    level = np.array(profile, dtype=np.float64)
    rows = level.shape[-1]
    for step in range(min(half_window, (rows - 1) // 2), 0, -1):
        middle = level[..., step : rows - step]
        chord = 0.5 * (level[..., : rows - 2 * step] + level[..., 2 * step :])
        level[..., step : rows - step] = np.minimum(middle, chord)
    return level


def base_line(profile: Floats, half_window: int) -> Floats:
    """The base line of one lane profile, through the middle of the background's noise.

    profile: (rows,) mean over the lane's width.   half_window: rows, wider than half of the widest band.
    Returns (rows,).   Source: `snip` of the smoothed profile, raised by the median of the empty rows: an
    envelope alone runs below the noise and would give every empty place a volume.
    """
    envelope = snip(ndimage.uniform_filter1d(profile.astype(np.float64), SMOOTH_ROWS), half_window)
    empty = empty_rows(profile, envelope)
    return envelope + float(np.median((profile - envelope)[empty])) if empty.any() else envelope


def beside(values: Floats, lane: tuple[int, int], others: Iterable[tuple[int, int]]) -> Floats:
    """The background of each row of a lane from the gaps on both sides, where nothing was loaded.

    values: (rows, columns).   lane: left, right, the end excluded.   others: the same of all other lanes.
    Returns (rows,): medians over the columns of each gap, their mean, averaged over `GAP_ROWS` rows; NaN
    where neither side has a gap wide enough.   Source: own derivation, docs/blot.md.
    """
    left, right = lane
    margin, most = round(GAP_MARGIN * (right - left)), round(GAP_WIDTH * (right - left))
    ends = [0, *(end + margin for _, end in others if end <= left)]
    starts = [values.shape[1], *(start - margin for start, _ in others if start >= right)]
    near, far = left - margin, right + margin
    gaps = [(max(near - most, *ends), near), (far, min(far + most, *starts))]
    sides = [np.median(values[:, first:last], axis=1) for first, last in gaps if last - first >= LEAST_GAP]
    if not sides:
        return np.full(values.shape[0], np.nan)
    smooth: Floats = ndimage.uniform_filter1d(np.mean(sides, axis=0, dtype=np.float64), GAP_ROWS)
    return smooth


def row_noise(profile: Floats) -> float:
    """Noise of one row, from differences of neighbours, which know nothing of slow waves."""
    return float(MAD_TO_SD * float(np.median(np.abs(np.diff(profile)))) / np.sqrt(2.0))


def empty_rows(profile: Floats, line: Floats) -> NDArray[np.bool_]:
    """(rows,) True where no band stands: clipped at `BAND_SD` of what remains, until nothing changes."""
    above = profile - line
    empty = np.ones(above.shape, dtype=bool)
    # Half of the differences of neighbouring rows are noise even inside bands: a first, local scale.
    scale = row_noise(above)
    middle = float(np.quantile(above, 0.2))
    for _ in range(ROUNDS):
        now = np.abs(above - middle) <= BAND_SD * max(scale, 1e-12)
        if not now.any() or (now == empty).all():
            break
        empty = now
        middle = float(np.median(above[empty]))
        scale = max(scale, MAD_TO_SD * float(np.median(np.abs(above[empty] - middle))))
    return empty


def spread(residual: Floats, empty: NDArray[np.bool_], rows: int) -> float:
    """The standard deviation of a sum of the background over `rows` neighbouring rows.

    residual: (n,) profile less its base line.   empty: (n,) rows without a band.
    Returns NaN without two empty rows. From sums over the empty places of the lane, so that slow waves of the
    background count; from single rows where there are too few such places.
    """
    if empty.sum() < 2:
        return float("nan")
    single = MAD_TO_SD * float(np.median(np.abs(residual[empty] - np.median(residual[empty]))))
    independent = single * np.sqrt(rows)
    sums = np.convolve(np.where(empty, residual, 0.0), np.ones(rows), mode="valid")
    whole = np.convolve(empty, np.ones(rows), mode="valid") > rows - 0.5
    if whole.sum() < LEAST_WINDOWS * rows:
        return float(independent)
    found = sums[whole]
    return float(max(independent, MAD_TO_SD * np.median(np.abs(found - np.median(found)))))


def rim(values: Floats, box: tuple[int, int, int, int], width: int) -> Floats:
    """The pixels of a rim around a box, cut at the edges of the picture.

    values: (rows, columns).   box: top, bottom, left, right, the ends excluded.   Returns (n,).
    """
    top, bottom, left, right = box
    rows, columns = values.shape
    upper, lower = max(top - width, 0), min(bottom + width, rows)
    first, last = max(left - width, 0), min(right + width, columns)
    parts = (
        values[upper:top, first:last],
        values[bottom:lower, first:last],
        values[top:bottom, first:left],
        values[top:bottom, right:last],
    )
    return np.concatenate([part.ravel() for part in parts])
