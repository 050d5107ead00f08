"""The survival curve of events that are known only to lie between two times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glueprint.survival._check import (
    Floats,
    Integers,
    as_intervals,
    as_probability,
)
from glueprint.survival.masses import GAP, GAP_MANY, MANY, maximise


@dataclass(frozen=True)
class Turnbull:
    """Where the probability of the event lies: one entry per cell that can hold any, (m,), in the unit of the
    times.

    left, right: ends of the cell; the event lies after `left` and by `right`; equal for an exact time.
    mass: probability of the cell, unitless; how it lies inside is not known.
    gap: how far the largest gain by moving mass is from none; at 0 the likelihood is at its maximum.
    status: "ok", or "not converged".
    """

    left: Floats
    right: Floats
    mass: Floats
    n: int
    gap: float
    status: str

    def quantile(self, probability: float) -> tuple[float, float]:
        """Cell in which the fraction `probability` has had the event, as (left, right); right may be inf."""
        probability = as_probability(probability)
        cell = self._cell(probability)
        return float(self.left[cell]), float(self.right[cell])

    @property
    def median(self) -> float:
        """Median time with the mass spread evenly inside its cell, NaN where that cell has no end."""
        cell = self._cell(0.5)
        left, right = float(self.left[cell]), float(self.right[cell])
        if not math.isfinite(right):
            return math.nan
        before = float(self.mass[:cell].sum())
        return left + (right - left) * (0.5 - before) / float(self.mass[cell])

    def _cell(self, probability: float) -> int:
        held = np.flatnonzero(np.cumsum(self.mass) >= probability - 1e-12)
        return int(held[0]) if held.size else int(self.mass.size - 1)


def turnbull(left: ArrayLike, right: ArrayLike) -> Turnbull:
    """Non-parametric estimate of the distribution of interval-censored times.

    left: (n,) last time without the event, any unit, >= 0.   right: (n,) first time with it; inf for an event
    not seen, equal to `left` for one seen as it happened.
    Returns Turnbull.
    Raises InputError GP-V001 to GP-V003 for arrays, GP-V012 for times that are no interval.
    Source: Turnbull 1976, doi:10.1111/j.2517-6161.1976.tb01597.x; maximised as `masses` says. Without
    intervals it is Kaplan-Meier's.
    """
    low, high = as_intervals(left, right)
    cells_left, cells_right, first, last = _cells(low, high)
    spans, weight = np.unique(np.stack([first, last], axis=1), axis=0, return_counts=True)
    mass, gap = maximise(spans, weight / low.size, cells_left.size)
    status = "ok" if gap <= (GAP if cells_left.size <= MANY else GAP_MANY) else "not converged"
    return Turnbull(cells_left, cells_right, mass, int(low.size), gap, status)


def _cells(left: Floats, right: Floats) -> tuple[Floats, Floats, Integers, Integers]:
    """Innermost intervals, and for each patient the first cell and the one after the last of its own.

    At one time an exact event begins before intervals that end there, and they end before others begin.
    """
    n = left.size
    times = np.concatenate([left, right])
    kind = np.concatenate([np.where(left == right, 0, 2), np.ones(n, dtype=np.int64)])
    order = np.lexsort((kind, times))
    ends = kind[order] == 1
    begins = np.flatnonzero(~ends[:-1] & ends[1:])
    position = np.empty(2 * n, dtype=np.int64)
    position[order] = np.arange(2 * n)
    first = np.searchsorted(begins, position[:n])
    last = np.searchsorted(begins, position[n:])
    return times[order][begins], times[order][begins + 1], first, last
