"""The times at which switches on time change, for the patients of one call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.patients import Patients
from glueprint.engine.switches import Switches
from glueprint.engine.system import System
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["break_times"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

THIRDS = np.array([1 / 3, 1 / 2, 2 / 3])  # where a piece is looked at first: is it a line?
SAMPLES = 4096  # of a run, for a switch that is no line
LEAST_SAMPLES = 33  # of one piece
STRAIGHT = 1e-9  # of a piece's values: so far may the middle lie from the line
MOST_SAMPLES = 2**19  # of one piece
GOLDEN = 0.6180339887498949
BISECTIONS = 60
THIRDINGS = 45  # of a turn, which rounding hides within 1e-8 of the distance of two samples


def break_times(
    system: System, found: Switches, patients: Patients, rows: slice, until: Floats, most: int
) -> Floats:
    """Times (n, b) of each patient's switches; NaN fills short rows, and some lie outside the interval.

    until: (n,) ends.   most: about so many general switches are found for one patient, the earliest ones.
    """
    n = until.size
    known = [*found.times, *found.between]
    simple = np.stack(patients.values(known, rows), axis=1) if known else np.zeros((n, 0))
    if not found.general or not n:
        return simple
    graph = system.graph
    read = graph.leaves(found.general, "param")
    start = patients.time[rows]
    moved = patients.state[rows][:, list(found.moved)]
    key = np.column_stack([patients.params[rows][:, read], moved, simple, start, until])
    _, first, same = np.unique(key, axis=0, return_index=True, return_inverse=True)
    per_key = []
    for i in first:
        place = rows.start + int(i)
        leaves = patients.state[place], patients.params[place]
        per_key.append(_search(system, found, leaves, simple[i], (start[i], until[i]), most))
    width = max(times.size for times in per_key)
    table = np.full((len(per_key), width), np.nan)
    for row, times in zip(table, per_key, strict=True):
        row[: times.size] = times
    return np.concatenate([simple, table[same.reshape(-1)]], axis=1)


def _search(
    system: System,
    found: Switches,
    leaves: tuple[Floats, Floats],
    known: Floats,
    interval: tuple[float, float],
    most: int,
) -> Floats:
    """One patient's general switches, each looked for between those of its parts."""
    start, end = interval
    if not end > start:
        return np.zeros(0)
    edges, present = _edges(known, start, end), np.asarray(start)
    for node in found.general:

        def value(time: Floats, node: int = node) -> Floats:
            states, params = leaves
            result = evaluate(system.graph, [node], Leaves(states, params, present, middle=time))[0]
            return np.broadcast_to(np.asarray(result, dtype=np.float64), time.shape)

        roots = _roots(value, edges, node in found.curved, whole=node in found.rounded, most=most)
        edges = _edges(np.concatenate([edges, roots]), start, end)[: most + 2]
    return edges


def _edges(times: Floats, start: float, end: float) -> Floats:
    inside = times[(times > start) & (times < end)]
    return np.concatenate([[start], np.unique(inside), [end]])


def _roots(value: Function, edges: Floats, curved: bool, *, whole: bool, most: int) -> Floats:
    """Where a function passes 0 (or whole numbers) inside the pieces between edges."""
    left, length = edges[:-1], np.diff(edges)
    at = left[:, None] + THIRDS * length[:, None]
    v = value(at)
    size = np.abs(v).max(axis=1)
    with np.errstate(all="ignore"):
        straight = (not curved) & (np.abs(v[:, 1] - 0.5 * (v[:, 0] + v[:, 2])) <= STRAIGHT * size)
        slope = (v[:, 2] - v[:, 0]) / (at[:, 2] - at[:, 0])
    lines = straight & (slope != 0) & np.isfinite(slope)
    roots = [_line_roots(at[lines], v[lines], slope[lines], left[lines], length[lines], whole, most)]
    bent = np.flatnonzero(~straight & np.isfinite(size))
    if bent.size:
        roots.append(_bent_roots(value, left[bent], length[bent], whole=whole))
    return np.concatenate(roots)


def _line_roots(
    at: Floats, v: Floats, slope: Floats, left: Floats, length: Floats, whole: bool, most: int
) -> Floats:
    middle, height = at[:, 1], v[:, 1]
    if not whole:
        zero = middle - height / slope
        return zero[(zero > left) & (zero < left + length)]
    ends = np.sort(np.stack([height - 0.5 * length * slope, height + 0.5 * length * slope]), axis=0)
    first, last = np.floor(ends[0]), np.ceil(ends[1])
    counts = np.clip(last - first + 1, 0, most).astype(np.int64)
    piece = np.repeat(np.arange(left.size), counts)[:most]
    rank = np.concatenate([np.arange(count) for count in counts])[:most] if counts.size else np.zeros(0)
    rising = slope[piece] > 0
    level = np.where(rising, first[piece] + rank, last[piece] - rank)
    times: Floats = middle[piece] + (level - height[piece]) / slope[piece]
    return times[(times > left[piece]) & (times < left[piece] + length[piece])]


def _bent_roots(value: Function, left: Floats, length: Floats, *, whole: bool) -> Floats:
    """Changes of sign (or of the whole part) between samples, enclosed by bisection.

    Where a function turns round between samples, its turn is one more sample: it may touch another side.
    There are more samples until twice as many find no more turns.
    """
    share = np.ceil(SAMPLES * length / length.sum()).astype(np.int64)
    found = []
    for a, width, count in zip(left, length, np.maximum(share, LEAST_SAMPLES), strict=True):
        times, turns = _sampled(value, a, width, int(count))
        while times.size < MOST_SAMPLES:
            finer, more = _sampled(value, a, width, 2 * times.size)
            same = more.size == turns.size
            times, turns = finer, more
            if same:
                break
        times = np.sort(np.concatenate([times, turns]))
        side = _side(value(times), whole=whole)
        at = np.flatnonzero(side[1:] != side[:-1])
        low, high, before = times[at], times[at + 1], side[at]
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            same = _side(value(middle), whole=whole) == before
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        found.append(high)
    return np.concatenate(found)


def _sampled(value: Function, left: float, width: float, count: int) -> tuple[Floats, Floats]:
    """Sample times of a piece, and the times between them at which the function turns round."""
    # The ends themselves belong to the pieces beside. Even samples would be in step with what is periodic.
    place = np.linspace(0.0, 1.0, count)
    place[1:-1] += (np.modf(GOLDEN * np.arange(1, count - 1))[0] - 0.5) * 0.8 / (count - 1)
    times = left + width * (1e-12 + (1 - 2e-12) * place)
    v = value(times)
    with np.errstate(all="ignore"):
        step = np.sign(np.diff(v))
    turn = np.flatnonzero(step[1:] * step[:-1] < 0)
    low, high, up = times[turn], times[turn + 2], step[turn]
    for _ in range(THIRDINGS):
        one, other = low + (high - low) / 3, high - (high - low) / 3
        right = up * (value(other) - value(one)) > 0  # towards the turn
        low, high = np.where(right, one, low), np.where(right, high, other)
    return times, 0.5 * (low + high)


def _side(values: Floats, *, whole: bool) -> Floats:
    return np.floor(values) if whole else np.sign(values)
