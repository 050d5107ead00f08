"""Counts at each distinct time: the common ground of every non-parametric estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glueprint.survival._check import Flags, Floats, Integers

# R survival calls two times equal within this distance, absolute or relative to the mean (its `timefix`);
# without it, 6 months written as 182.625 / 30.4375 may be two times.
TIE_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True)
class Counts:
    """One row per block (a stratum or a replicate) and distinct time, in that order.

    block, time: (m,).   at_risk, events, censored: (m, groups) patients; at risk means just before the time.
    """

    block: Integers
    time: Floats
    at_risk: Integers
    events: Integers
    censored: Integers


def count(time: Floats, event: Flags, group: Integers, groups: int, block: Integers) -> Counts:
    """Patients at risk, with the event and censored, at each distinct time of each block.

    time, event, group, block: (n,); group codes run from 0 to groups - 1; ties are exact (see `tie`).
    Returns Counts.
    Source: definition; a patient censored at the time of an event is at risk for it.
    """
    order = np.lexsort((time, block))
    sorted_time, sorted_block = time[order], block[order]
    new = np.empty(time.size, dtype=np.bool_)
    new[0] = True
    new[1:] = (np.diff(sorted_time) != 0) | (np.diff(sorted_block) != 0)
    starts = np.flatnonzero(new)
    sorted_event, sorted_group = event[order], group[order]
    events = np.empty((starts.size, groups), dtype=np.int64)
    leaving = np.empty_like(events)
    for g in range(groups):
        member = sorted_group == g
        leaving[:, g] = np.add.reduceat(member.astype(np.int64), starts)
        events[:, g] = np.add.reduceat((member & sorted_event).astype(np.int64), starts)
    row_block = sorted_block[starts]
    return Counts(row_block, sorted_time[starts], _remaining(leaving, row_block), events, leaving - events)


def _remaining(leaving: Integers, block: Integers) -> Integers:
    """Patients of the block not yet gone before each row."""
    gone = np.cumsum(leaving, axis=0)
    last = np.flatnonzero(np.append(np.diff(block) != 0, True))
    which = np.searchsorted(last, np.arange(block.size))
    return gone[last[which]] - gone + leaving


def tie(time: Floats) -> Floats:
    """Times with those that differ only by rounding made equal to the smallest of them.

    time: (n,) or (replicates, n), any unit, finite; each replicate is tied by itself.
    Returns the same shape.
    Source: the rule of R survival's `timefix`, a distance of sqrt(machine epsilon).
    """
    rows = np.atleast_2d(time)
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    gaps = np.diff(ordered, axis=1)
    if not ((gaps > 0) & (gaps <= TIE_TOLERANCE * np.maximum(1.0, ordered[:, -1:]))).any():
        return time
    distinct = np.concatenate([np.ones((rows.shape[0], 1), dtype=np.bool_), gaps > 0], axis=1)
    mean = (ordered * distinct).sum(axis=1, keepdims=True) / distinct.sum(axis=1, keepdims=True)
    starts = distinct.copy()
    starts[:, 1:] &= gaps > TIE_TOLERANCE * np.maximum(1.0, mean)
    # Carry the smallest time of each run to the right: positions of the starts only ever grow.
    first = np.maximum.accumulate(np.where(starts, np.arange(rows.shape[1]), 0), axis=1)
    tied = np.empty_like(rows)
    np.put_along_axis(tied, order, np.take_along_axis(ordered, first, axis=1), axis=1)
    return tied.reshape(time.shape)
