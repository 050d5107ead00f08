"""Who is at risk at each distinct time, with delayed entry and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.survival._check import Floats, Integers
from glueprint.survival.rows import Rows

# Whole numbers of patients where no weights are given, sums of weights where they are.
Numbers = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Exposure:
    """One entry per distinct time at which a row ends, (m,).

    at_risk: just before the time.   events, censored: at the time.   All three are sums of weights.
    first: (n,) of each row, the first of the times at which it is at risk.   last: (n,) the time it ends.
    gaps: (k, 2) from and to when nobody is at risk though rows enter later.
    """

    time: Floats
    at_risk: Numbers
    events: Numbers
    censored: Numbers
    first: Integers
    last: Integers
    gaps: Floats


def exposure(rows: Rows) -> Exposure:
    """Numbers at risk, with the event and censored.

    rows: Rows of n rows.
    Returns Exposure.
    Source: definition; a row is at risk at t if entry < t <= time.
    """
    time, last = np.unique(rows.time, return_inverse=True)
    last = last.reshape(-1).astype(np.int64)
    first = np.zeros_like(last)
    if rows.entry is not None:
        first = np.searchsorted(time, rows.entry, side="right").astype(np.int64)
    m = time.size
    patients = _patients_at_risk(np.bincount(first, minlength=m), np.bincount(last, minlength=m))
    died = np.bincount(last[rows.event], minlength=m)
    gaps = _gaps(rows, time, patients - np.bincount(last, minlength=m))
    if rows.weight is None:
        left = np.bincount(last[~rows.event], minlength=m)
        return Exposure(time, patients, died, left, first, last, gaps)
    w = rows.weight
    events, censored = _weight(last, rows.event * w, m), _weight(last, ~rows.event * w, m)
    at_risk = _weight_at_risk(_weight(first, w, m), _weight(last, w, m))
    # Where all at risk have the event the two are one sum, and rounding must not leave a rest of it.
    return Exposure(time, np.where(patients == died, events, at_risk), events, censored, first, last, gaps)


def _patients_at_risk(entering: Integers, leaving: Integers) -> Integers:
    """Those who have entered less those who have left before."""
    return (np.cumsum(entering) - np.cumsum(leaving) + leaving).astype(np.int64)


def _weight(step: Integers, weight: Floats, m: int) -> Floats:
    """Sum of weights at each of m times."""
    return np.bincount(step, weight, m).astype(np.float64)


def _weight_at_risk(entering: Floats, leaving: Floats) -> Floats:
    """The weight that leaves at the time or later less the weight that enters after it."""
    # Extended precision where the machine has it: the difference of two sums may be small.
    here, later = (np.cumsum(part[::-1], dtype=np.longdouble)[::-1] for part in (leaving, entering))
    weight: Floats = (here - np.append(later[1:], 0)).astype(np.float64)
    return weight


def _gaps(rows: Rows, time: Floats, after: Numbers) -> Floats:
    """From when to when nobody is under observation, between the first entry and the last time.

    after: (m,) rows at risk at each time that do not end at it.
    """
    if rows.entry is None:
        return np.zeros((0, 2))
    starts = np.sort(rows.entry)
    # At risk just after t: those of `after`, and those whose entry is t itself.
    here = np.searchsorted(starts, time, side="right") > np.searchsorted(starts, time, side="left")
    empty = np.flatnonzero((after == 0) & ~here)
    empty = empty[empty < time.size - 1]
    return np.column_stack([time[empty], starts[np.searchsorted(starts, time[empty], side="right")]])
