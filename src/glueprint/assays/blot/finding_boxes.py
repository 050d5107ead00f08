"""Lanes and bands found in a straight picture: positions for a person to look at and correct."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, signal

from glueprint.assays.blot.background import MAD_TO_SD, snip
from glueprint.assays.blot.optical import shrunk

__all__ = ["Found", "find", "find_bands", "find_lanes"]

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
BAND_PROMINENCE, BAND_NOISE_SD, BAND_EDGE = 0.02, 8.0, 0.08
# Bands of neighbouring lanes are the same band when closer than this part of the distance between bands.
SAME_BAND = 0.6
# A row of bands must be seen in this part of the lanes.
SEEN_IN = 0.25


@dataclass(frozen=True)
class Found:
    """Lanes and rows of bands, in pixels of the straight picture, ends excluded.

    lanes: (left, right) from left to right.   bands: a row of bands from top to bottom, each with one
    (top, bottom) a lane.   placed: numbers from 1 of lanes without bands, put into gaps of whole lanes.
    """

    lanes: tuple[tuple[int, int], ...]
    bands: tuple[tuple[tuple[int, int], ...], ...]
    placed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Peak:
    """A band in one lane: its row, and how far it reaches up and down."""

    row: int
    up: int
    down: int


def find(values: Floats) -> Found:
    """Lanes, and in them rows of bands.

    values: (rows, columns), bright bands, straight.   Returns `Found`, empty where nothing stands out.
    Source: own derivation, docs/blot.md.
    """
    lanes, placed = _with_empty(find_lanes(values))
    return Found(lanes, find_bands(values, lanes), placed) if lanes else Found((), ())


def find_lanes(values: Floats) -> tuple[tuple[int, int], ...]:
    """Columns (left, right) of each lane: hills of the sharp signal summed down the picture.

    values: (rows, columns).
    """
    small, step = shrunk(values, LOOK_PX)
    window = max(3, round(_tallest(values.shape[0]) / step))
    smooth = ndimage.uniform_filter(small.astype(np.float64), (5, 3))
    sharp = smooth - snip(smooth.T, window).T
    # Specks are narrower than lanes; roots keep a weak lane beside a strong one.
    sharp = ndimage.median_filter(sharp, (1, 3))
    # Above an envelope noise has a level of its own; most of a picture is without bands.
    level = float(np.median(sharp))
    level += 2.0 * MAD_TO_SD * float(np.median(np.abs(sharp - level)))
    # Rows count by what they hold: the many without a band would only add noise.
    held = sharp.mean(axis=1)
    weight = np.maximum(held - np.median(held), 0.0)
    if not weight.sum() > 0.0:
        return ()
    hill = weight @ np.sqrt(np.maximum(sharp - level, 0.0)) / weight.sum()
    hill = ndimage.uniform_filter1d(hill, max(3, small.shape[1] // FINE_PART))
    if not hill.max() > 0.0:
        return ()
    if _noise(hill) > NOISY * float(hill.max()):
        hill = ndimage.uniform_filter1d(hill, max(3, small.shape[1] // COARSE_PART))
    edges = _hills(hill)
    lanes = [(left * step, right * step) for left, right in edges]
    return tuple(_widened(lanes, values.shape[1]))


def _tallest(rows: int) -> float:
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


def _with_empty(
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


def find_bands(values: Floats, lanes: tuple[tuple[int, int], ...]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Rows of bands: of one height in all lanes, each where its lane has it.

    values: (rows, columns).   A lane without a peak gets the row's place between its neighbours.
    """
    profiles = [np.asarray(values[:, left:right].mean(axis=1, dtype=np.float64)) for left, right in lanes]
    peaks = [_peaks(profile) for profile in profiles]
    tracks = _tracks(peaks)
    least = max(1, round(SEEN_IN * len(lanes)))
    kept = [track for track in tracks if len(track) >= least]
    rows = [_row(track, len(lanes)) for track in kept]
    rows.sort(key=lambda row: float(np.median([peak.row for peak in row])))
    return _boxes(rows, values.shape[0])


def _peaks(profile: Floats) -> list[Peak]:
    """The bands of a lane profile, down to a small part of its strongest and well above its noise."""
    smooth = ndimage.gaussian_filter1d(profile, 1.5)
    net = smooth - snip(smooth, max(8, round(_tallest(profile.size))))
    noise = MAD_TO_SD * float(np.median(np.abs(np.diff(profile)))) / np.sqrt(2.0)
    # Smoothing by 1.5 rows leaves 0.43 of the noise of independent rows.
    least = max(BAND_PROMINENCE * float(net.max()), 0.43 * BAND_NOISE_SD * noise, 1e-9)
    tops, shape = signal.find_peaks(net, prominence=least, width=2)
    found = []
    for i, top in enumerate(tops.tolist()):
        left, right = int(shape["left_bases"][i]), int(shape["right_bases"][i])
        if i > 0:
            left = max(left, tops[i - 1] + int(np.argmin(net[tops[i - 1] : top])))
        if i < len(tops) - 1:
            right = min(right, top + int(np.argmin(net[top : tops[i + 1]])))
        up, down = net[left : top + 1][::-1], net[top : right + 1]
        reach = [_reach(side, BAND_EDGE * float(net[top])) for side in (up, down)]
        # What is taller than any band is a step or a cloud of the background.
        if sum(reach) <= _tallest(profile.size):
            found.append(Peak(int(top), max(reach[0], 2), max(reach[1], 2)))
    return found


def _reach(side: Floats, level: float) -> int:
    """How many rows a band goes on before it falls below the level, or before its valley."""
    below = side < level
    return int(np.argmax(below)) if below.any() else side.size - 1


def _tracks(peaks: list[list[Peak]]) -> list[dict[int, Peak]]:
    """Peaks of neighbouring lanes joined into rows: lane number -> peak. Begins at the fullest lane."""
    start = max(range(len(peaks)), key=lambda lane: len(peaks[lane]))
    tracks: list[dict[int, Peak]] = [{start: peak} for peak in peaks[start]]
    for lane in [*range(start + 1, len(peaks)), *range(start - 1, -1, -1)]:
        toward = -1 if lane > start else 1
        _joined(tracks, peaks[lane], lane, toward)
    return tracks


def _joined(tracks: list[dict[int, Peak]], peaks: list[Peak], lane: int, toward: int) -> None:
    """Give each peak of a lane to the nearest row, or let it begin one."""
    if not peaks:
        return
    places = np.array([_last(track, lane, toward) for track in tracks])
    own = np.array([peak.row for peak in peaks])
    taken: set[int] = set()
    if places.size:
        distance = np.abs(places[:, None] - own[None, :]).astype(float)
        order = np.sort(places)
        between = float(np.diff(order).min()) if order.size > 1 else np.inf
        reach = np.array([min(max(SAME_BAND * _gap(order, place), 0.3 * between), 40.0) for place in places])
        cost = np.where(distance <= reach[:, None], distance, 1e6)
        for track, peak in zip(*optimize.linear_sum_assignment(cost), strict=True):
            if cost[track, peak] < 1e6:
                tracks[track][lane] = peaks[peak]
                taken.add(int(peak))
    tracks.extend({lane: peak} for i, peak in enumerate(peaks) if i not in taken)


def _last(track: dict[int, Peak], lane: int, toward: int) -> int:
    """The row of a track in the nearest lane on the side from which we come."""
    lanes = sorted(track, key=lambda other: (other - lane) * toward <= 0 or abs(other - lane))
    return track[lanes[0]].row


def _gap(order: Floats, place: int) -> float:
    others = order[order != place]
    return float(np.abs(others - place).min()) if others.size else 60.0


def _row(track: dict[int, Peak], lanes: int) -> list[Peak]:
    """One peak a lane, all of the height that is usual in this row."""
    up = int(np.ceil(np.median([peak.up for peak in track.values()])))
    down = int(np.ceil(np.median([peak.down for peak in track.values()])))
    seen = sorted(track)
    where = np.interp(np.arange(lanes), seen, [track[lane].row for lane in seen])
    return [Peak(round(row), up, down) for row in where]


def _boxes(rows: list[list[Peak]], height: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """(top, bottom) of every peak; what reaches into the next band is cut between the two."""
    boxes = [[[max(p.row - p.up, 0), min(p.row + p.down + 1, height)] for p in row] for row in rows]
    for i in range(len(rows) - 1):
        for lane, (above, below) in enumerate(zip(rows[i], rows[i + 1], strict=True)):
            upper, lower = boxes[i][lane], boxes[i + 1][lane]
            if upper[1] > lower[0]:
                middle = (upper[1] + lower[0]) // 2
                cut = max(min(max(middle, above.row + 1), below.row), upper[0] + 1)
                upper[1] = lower[0] = cut
                lower[1] = max(lower[1], cut + 1)
    # Rows of bands that cross between lanes can push the last one off the picture; it is no row then.
    inside = [row for row in boxes if all(bottom <= height for _, bottom in row)]
    return tuple(tuple((top, bottom) for top, bottom in row) for row in inside)
