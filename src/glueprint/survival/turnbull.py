"""The survival curve of events that are known only to lie between two times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_floats, place, same_shape

# Steps by self-consistency are cheap but slow near the end; Newton's take memory of spans times cells, so
# that thousands of different times are left to the former, with a wider gap.
EM_STEPS, EM_STEPS_ALONE, NEWTON_STEPS = 20, 5000, 50
NEWTON_ELEMENTS = 2_000_000
GAP, GAP_ALONE = 1e-9, 1e-4
# Weight of the row that keeps the masses of a Newton step at a sum of 1.
SUM_WEIGHT = 1e4


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
        if not 0 < probability < 1:
            raise InputError(
                "GP-V007",
                f"{probability!r} is not a probability",
                where="probability",
                expected="a number between 0 and 1, e.g. 0.5 for the median",
                next_step="write the median as 0.5",
            )
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
    Source: Turnbull 1976, doi:10.1111/j.2517-6161.1976.tb01597.x; maximised by his self-consistent steps and
    then by those of Wang 2007, doi:10.1111/j.1467-9868.2007.00583.x. Without intervals it is Kaplan-Meier's.
    """
    low, high = _intervals(left, right)
    cells_left, cells_right, first, last = _cells(low, high)
    spans, weight = np.unique(np.stack([first, last], axis=1), axis=0, return_counts=True)
    share = weight / low.size
    alone = spans.shape[0] * cells_left.size > NEWTON_ELEMENTS
    even = np.full(cells_left.size, 1.0 / cells_left.size)
    steps, enough = (EM_STEPS_ALONE, GAP_ALONE) if alone else (EM_STEPS, GAP)
    mass, gap = _self_consistent(spans, share, even, (steps, enough))
    if not alone:
        mass, gap = _newton(spans, share, mass)
    status = "ok" if gap <= enough else "not converged"
    return Turnbull(cells_left, cells_right, mass, int(low.size), gap, status)


def _intervals(left: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    low, high = as_floats(left, "left"), as_floats(right, "right")
    same_shape(high, low.shape, "right")
    good = np.isfinite(low) & (low >= 0) & (high >= low)
    if not good.all():
        index = (int(np.flatnonzero(~good)[0]),)
        raise InputError(
            "GP-V012",
            f"no event lies between {low[index]:g} and {high[index]:g}",
            where=place("left", index),
            expected="0 <= left <= right, left finite; right is inf for an event not seen",
            next_step="leave the patient out and count it, or correct its dates",
        )
    return low, high


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


def _gain(spans: Integers, share: Floats, mass: Floats) -> Floats:
    """(m,) gain of likelihood by mass in each cell; none is above 1 at the maximum."""
    total = np.concatenate([[0.0], np.cumsum(mass)])
    rate = share / (total[spans[:, 1]] - total[spans[:, 0]])
    cells = mass.size + 1
    steps = np.bincount(spans[:, 0], rate, cells) - np.bincount(spans[:, 1], rate, cells)
    return np.asarray(np.cumsum(steps)[:-1])


def _self_consistent(
    spans: Integers, share: Floats, mass: Floats, until: tuple[int, float]
) -> tuple[Floats, float]:
    """Turnbull's steps; until: how many at most, and the gap that is small enough."""
    steps, enough = until
    gap = math.inf
    for _ in range(steps):
        gain = _gain(spans, share, mass)
        gap = float(gain.max()) - 1.0
        if gap <= enough:
            break
        mass = mass * gain
        mass = mass / mass.sum()
    return mass, gap


def _newton(spans: Integers, share: Floats, mass: Floats) -> tuple[Floats, float]:
    """Constrained Newton steps: each the least-squares problem of the likelihood's second order."""
    cell = np.arange(mass.size)
    covers = ((cell >= spans[:, :1]) & (cell < spans[:, 1:])).astype(np.float64)
    root = np.sqrt(share)
    wanted = np.append(2.0 * root, SUM_WEIGHT)
    gap = math.inf
    for _ in range(NEWTON_STEPS):
        likelihood = covers @ mass
        slope = covers / likelihood[:, None]
        gap = float((share @ slope).max()) - 1.0
        if gap <= GAP:
            break
        rows = np.vstack([root[:, None] * slope, np.full(mass.size, SUM_WEIGHT)])
        target, _ = nnls(rows, wanted)
        mass = _uphill(covers, share, mass, target / target.sum())
    return mass, gap


def _uphill(covers: Floats, share: Floats, mass: Floats, target: Floats) -> Floats:
    """The longest halved step towards the target that does not lower the likelihood."""
    now = float(share @ np.log(covers @ mass))
    step = 1.0
    while step > 1e-9:
        new = mass + step * (target - mass)
        likelihood = covers @ new
        if (likelihood > 0).all() and float(share @ np.log(likelihood)) >= now:
            return np.asarray(new)
        step /= 2
    return mass
