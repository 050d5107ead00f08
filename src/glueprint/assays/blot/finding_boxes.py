"""Lanes and bands found in a straight picture: positions for a person to look at and correct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, signal

from glueprint.assays.blot.background import row_noise, snip
from glueprint.assays.blot.finding_lanes import Sharp, find_lanes, tallest, with_empty

__all__ = ["Found", "find", "find_bands"]

Floats = NDArray[Any]
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


def find(values: Floats, seen: Sharp | None = None) -> Found:
    """Lanes, and in them rows of bands.

    values: (rows, columns), bright bands, straight.   seen: what stands out of them, if it is known already.
    Returns `Found`, empty where nothing stands out.
    Source: own derivation, docs/blot.md.
    """
    lanes, placed = with_empty(find_lanes(values) if seen is None else seen.lanes())
    return Found(lanes, find_bands(values, lanes), placed) if lanes else Found((), ())


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
    net = smooth - snip(smooth, max(8, round(tallest(profile.size))))
    noise = row_noise(profile)
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
        if sum(reach) <= tallest(profile.size):
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
