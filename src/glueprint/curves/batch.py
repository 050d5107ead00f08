"""The least-squares work on a batch of curves: best fit, errors, profile and effect test. Kernel: arrays
only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import kernel, profile
from glueprint.curves.data import Data
from glueprint.curves.kernel import Minimum, Task, rounding_of
from glueprint.curves.logistic import (
    BACK,
    FRONT,
    LN_ASYMMETRY,
    LN_SLOPE,
    LOG10_DOSE,
    Flags,
    Floats,
    Rows,
    residuals,
)

__all__ = [
    "Block",
    "Reach",
    "edge_of_profile",
    "profile_interval",
    "reach_of",
    "solve",
]

# Least and largest parameters (n, 5) that a fit may take.
Reach = tuple[Floats, Floats]

SLOPE_LEAST, SLOPE_MOST = 0.05, 50.0
ASYMMETRY_LEAST, ASYMMETRY_MOST = 0.02, 50.0
# How far outside the tested doses the fit and the profile may look, in log10 dose.
REACH = 4.0
# Every curve is fitted from this many starts, and from all where these end at costs that differ by more than
# this share.
FIRST, SAME = 3, 1e-6
# Slopes from which a curve through a level at the edge of the tested doses is looked for.
EDGE_SLOPES = (1.0, 4.0, 16.0)
# Which parameters get an interval: none of them, or the dose alone.
NOTHING: Flags = np.zeros(5, dtype=bool)
DOSE: Flags = np.arange(5) == LOG10_DOSE


@dataclass(frozen=True)
class Block:
    """theta: (n, 5) in `logistic.NAMES`.   covariance: (n, 5, 5) of theta.   rss, converged: (n,).
    at_bound: (n, 5).   interval: (n, 5, 2) of theta, NaN where none was asked for.
    """

    theta: Floats
    covariance: Floats
    rss: Floats
    converged: Flags
    at_bound: Flags
    interval: Floats


def solve(
    data: Data,
    pinned: Floats,
    confidence: float,
    sought: Flags = NOTHING,
    *,
    reach: Reach | None = None,
) -> Block:
    """The best of several fits of every curve, with its profile intervals.

    pinned: (5,) values of fixed parameters, NaN where free.   confidence: of the intervals.   sought: (5,)
    parameters that get one.   reach: where the fit may go, by default `reach_of` the data.
    Returns `Block`; the covariance is inv(J'J) rss / dof, NaN for fixed parameters, at bounds and on ridges.
    """
    task = Task(data, pinned, reach or reach_of(data))
    free, ended = task.free, _best_of_starts(task)
    inverse = kernel.inverse(task, ended.theta, free & ~ended.at_bound)
    dof = data.points - int(free.sum())
    variance = np.where(dof > 0, ended.cost / np.maximum(dof, 1), np.nan)
    interval = np.full((*ended.theta.shape, 2), np.nan)
    if sought.any():
        interval = profile_interval(task, ended.theta, confidence, sought=sought & free, inverse=inverse)
    covariance = inverse * variance[:, None, None]
    return Block(ended.theta, covariance, ended.cost, ended.converged, ended.at_bound, interval)


def _best_of_starts(task: Task) -> Minimum:
    """The best end (n,) of the first starts; of all starts where these disagree or did not converge."""
    begun = kernel.starts(task)
    n = begun.shape[1]
    index: NDArray[np.intp] = np.arange(n)
    ended, cost, best = _from_starts(task, begun[:FIRST], index)
    found = ended.rows(best * n + index)
    spread = cost.max(axis=0) - cost.min(axis=0)
    doubtful = ~found.converged | ~(spread <= SAME * found.cost + rounding_of(found.cost, task.data.size))
    rows = np.flatnonzero(doubtful)
    if rows.size == 0:
        return found
    more, _, best = _from_starts(task, begun[FIRST:, rows], rows)
    more = more.rows(best * rows.size + np.arange(rows.size))
    pair = np.stack([found.cost[rows], more.cost]), np.stack([found.converged[rows], more.converged])
    better = _best(*pair, task.data.size[rows]) == 1
    found.put(rows[better], more.rows(np.flatnonzero(better)))
    return found


def _from_starts(
    task: Task, begun: Floats, rows: NDArray[np.intp]
) -> tuple[Minimum, Floats, NDArray[np.intp]]:
    """All ends from `begun` (starts, k, 5), their costs (starts, k), and which start was best (k,)."""
    count = begun.shape[0]
    ended = kernel.minimise(task, begun.reshape(count * rows.size, begun.shape[2]), np.tile(rows, count))
    cost = ended.cost.reshape(count, rows.size)
    return ended, cost, _best(cost, ended.converged.reshape(count, rows.size), task.data.size[rows])


def _best(cost: Floats, converged: Flags, size: Floats) -> NDArray[np.intp]:
    """The start (n,) that ended lowest, of (starts, n); one that converged where only rounding parts them."""
    least = cost.min(axis=0)
    as_low = cost <= least + rounding_of(least, size)
    return np.asarray(np.argmin(np.where(as_low & converged, -1.0, cost), axis=0))


def profile_interval(
    task: Task, theta: Floats, confidence: float, *, sought: Flags = DOSE, inverse: Floats | None = None
) -> Floats:
    """Profile intervals (n, 5, 2) around the best fit `theta` (n, 5); the third parameter may be the log10
    dose at a level.

    sought: (5,) which parameters.   inverse: (n, 5, 5) inv(J'J), for the first steps; NaN where unknown.
    """
    data = task.data
    evaluate = residuals(data.log10_dose, data.response, data.weights, task.level)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        start, _ = evaluate(theta, np.arange(theta.shape[0]))
        rss = np.einsum("nm,nm->n", start, start)
    leave = profile.threshold(rss, data.points - int(task.free.sum()), confidence)
    return _crossings(task, theta, np.stack([rss, leave], axis=1), task.bounds, sought, inverse)


def _crossings(
    task: Task, theta: Floats, heights: Floats, limits: Reach, sought: Flags, inverse: Floats | None
) -> Floats:
    """Where the profiles leave the interval (n, 5, 2)."""

    def refit(at: Floats, curves: Rows, held: Rows) -> tuple[Floats, Floats, Flags]:
        theta, cost = at.copy(), np.full(curves.size, np.inf)
        for place in np.unique(held).tolist():
            mine = held == place
            end = kernel.minimise(replace(task, held=(place,)), at[mine], curves[mine])
            theta[mine], cost[mine] = end.theta, end.cost
        return theta, cost, np.zeros(curves.size, dtype=bool)

    wanted = np.broadcast_to(sought, theta.shape)
    found = profile.profiles(refit, theta, wanted, limits, heights=heights, inverse=inverse, follow=False)
    return found.intervals


def edge_of_profile(task: Task, theta: Floats, heights: Floats, side: int) -> Floats:
    """How far (n,) the log10 dose at a level may lie within the tested doses, where the best curve never
    meets it there.

    theta: (n, 5) plateaus and shapes to begin with.   heights: (n, 2) sum of squares of the best curve and
    at the threshold.   side: 0 looks down from the highest dose, 1 up from the lowest.
    Returns the edge of the tested doses where even that lies beyond the threshold, infinite where nothing
    within them does.
    """
    edge = np.log10(task.data.highest_dose if side == 0 else task.data.lowest_dose)
    level = np.asarray(task.level)
    begun = np.tile(theta, (len(EDGE_SLOPES), 1, 1))
    begun[..., LOG10_DOSE] = edge
    # The plateaus must enclose the level, or there is no curve to begin with.
    outer, inner = (FRONT, BACK) if side == 0 else (BACK, FRONT)
    above = np.where(theta[:, outer] != level, theta[:, outer] - level, 1.0)
    beyond = level - np.where((theta[:, inner] - level) * above < 0.0, level - theta[:, inner], above)
    low, high = (bound[:, inner] for bound in task.bounds)
    begun[..., outer], begun[..., inner] = level + above, np.clip(beyond, low, high)
    if LN_SLOPE in np.flatnonzero(task.free):
        begun[..., LN_SLOPE] = np.log(EDGE_SLOPES)[:, None]
    n = edge.size
    rows = np.tile(np.arange(n), len(EDGE_SLOPES))
    ends = kernel.minimise(replace(task, held=(LOG10_DOSE,)), begun.reshape(-1, begun.shape[2]), rows)
    cost = np.where(np.isfinite(ends.cost), ends.cost, np.inf).reshape(-1, n)
    limits = tuple(bound.copy() for bound in task.bounds)
    limits[1 - side][:, LOG10_DOSE] = edge
    best = ends.theta[np.argmin(cost, axis=0) * n + np.arange(n)]
    found = _crossings(task, best, heights, (limits[0], limits[1]), DOSE, None)[:, LOG10_DOSE, side]
    return np.where(cost.min(axis=0) > heights[:, 1], edge, found)


def reach_of(data: Data) -> Reach:
    """Where a fit may go: four decades beyond the tested doses, with any plateaus."""
    n = data.response.shape[0]
    low, high = np.full((n, 5), -np.inf), np.full((n, 5), np.inf)
    low[:, LOG10_DOSE] = np.nan_to_num(np.log10(data.lowest_dose)) - REACH
    high[:, LOG10_DOSE] = np.nan_to_num(np.log10(data.highest_dose)) + REACH
    low[:, LN_SLOPE], high[:, LN_SLOPE] = np.log(SLOPE_LEAST), np.log(SLOPE_MOST)
    low[:, LN_ASYMMETRY], high[:, LN_ASYMMETRY] = np.log(ASYMMETRY_LEAST), np.log(ASYMMETRY_MOST)
    return low, high
