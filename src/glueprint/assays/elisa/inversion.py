"""From signals back to concentrations, with intervals, and the range in which they are precise. Kernel:
arrays only.

Two errors are kept apart. The standard deviation of a concentration is sqrt(var(y) / m + g' V g) / |dy/dx|
(delta
method) and makes the precision profile. The interval of a result inverts the prediction band instead: it
holds every
concentration whose expected signal the measured mean does not contradict. Near a plateau it becomes
asymmetric or open,
where the delta method gives a symmetric interval that may reach below zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from glueprint.assays.elisa.calibration import Calibration
from glueprint.assays.elisa.shapes import Floats

__all__ = ["Range", "intervals", "precision", "profile_grid", "quantification_range", "sd_log"]

Rows = NDArray[np.intp]
Excess = Callable[[Floats, Rows], Floats]
GRID = 400
# How far outside the standards an interval may end, as a factor; beyond it is open.
REACH = 1e3
HALVINGS = 45


@dataclass(frozen=True)
class Range:
    """lloq, uloq: concentrations between which the CV stays below the limit; None where it never does."""

    lloq: float | None
    uloq: float | None


def precision(curve: Calibration, x: Floats, replicates: float) -> Floats:
    """Standard deviation (n,) of a concentration back-calculated from the mean of `replicates` wells at x
    (n,)."""
    y = curve.mean(x)
    variance = curve.well_variance(y) / replicates + curve.curve_variance(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(variance) / np.abs(curve.shape.steepness(curve.theta, x)))


def sd_log(curve: Calibration, x: Floats, replicates: Floats) -> tuple[Floats, Floats]:
    """Sampling variance (n,) of ln x and the curve's share of its gradient (n, p), so that errors can be
    joined.

    The covariance of two results on one curve is the product of their gradients with V.
    """
    y = curve.mean(x)
    steep = x * curve.shape.steepness(curve.theta, x)
    sampling = curve.well_variance(y) / replicates / steep**2
    return sampling, curve.shape.gradient(curve.theta, x) / steep[:, None]


def profile_grid(curve: Calibration) -> Floats:
    """Concentrations (n,), evenly spaced in the logarithm, from the lowest to the highest standard."""
    return np.geomspace(curve.lowest, curve.highest, GRID)


def quantification_range(curve: Calibration, replicates: float, cv_limit: float) -> Range:
    """The widest stretch between the lowest and the highest standard in which the CV stays below the limit.

    cv_limit: fraction.   Concentrations below the lowest or above the highest standard are never inside.
    Source: precision profile, O'Connell, Belanger and Haaland 1993, doi 10.1016/0169-7439(93)80008-6.
    """
    grid = profile_grid(curve)
    with np.errstate(invalid="ignore"):
        good = precision(curve, grid, replicates) / grid <= cv_limit
    edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(int), [0]])))
    if edges.size == 0:
        return Range(None, None)
    begins, ends = edges[::2], edges[1::2] - 1
    longest = int(np.argmax(ends - begins))
    first, last = int(begins[longest]), int(ends[longest])

    def edge(inside: int, outside: int) -> float:
        return _bisect(curve, (grid[inside], grid[outside]), replicates, cv_limit)

    lloq = float(grid[0]) if first == 0 else edge(first, first - 1)
    uloq = float(grid[-1]) if last == grid.size - 1 else edge(last, last + 1)
    return Range(lloq, uloq)


def _bisect(curve: Calibration, ends: tuple[float, float], replicates: float, cv_limit: float) -> float:
    inside, outside = ends
    for _ in range(HALVINGS):
        middle = float(np.sqrt(inside * outside))
        if float(precision(curve, np.array([middle]), replicates)[0]) / middle <= cv_limit:
            inside = middle
        else:
            outside = middle
    return inside


def intervals(curve: Calibration, mean: Floats, replicates: Floats, confidence: float) -> Floats:
    """Bounds (n, 2) of the concentrations behind mean signals (n,) of `replicates` (n,) wells each.

    mean: on the scale of the fit.   Returns 0 where the lower bound is open towards zero, inf where the upper
    is open.
    Source: inversion of the prediction band with the t quantile, docs/elisa.md.
    """
    quantile = float(student.ppf(0.5 + 0.5 * confidence, curve.dof))
    grid = np.geomspace(curve.lowest / REACH, curve.highest * REACH, GRID)
    ends = curve.mean(np.array([curve.lowest, curve.highest]))
    rising = float(np.sign(ends[1] - ends[0]))

    def distance(x: Floats, rows: Rows) -> Floats:
        """How many standard deviations the expected signal at x lies beyond the measured mean, positive above
        it."""
        y = curve.mean(x)
        spread = np.sqrt(curve.well_variance(y) / replicates[rows] + curve.curve_variance(x))
        return np.asarray(rising * (y - mean[rows]) / spread)

    y = curve.mean(grid)
    spread = np.sqrt(curve.well_variance(y) / replicates[:, None] + curve.curve_variance(grid))
    on_grid = rising * (y - mean[:, None]) / spread
    best = np.argmin(np.abs(on_grid), axis=1)
    low = _leaves(
        lambda x, rows: -distance(x, rows) - quantile,
        -on_grid[:, ::-1] - quantile,
        grid[::-1],
        GRID - 1 - best,
    )
    high = _leaves(lambda x, rows: distance(x, rows) - quantile, on_grid - quantile, grid, best)
    return np.stack([np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)], axis=1)


def _leaves(excess: Excess, on_grid: Floats, grid: Floats, start: Rows) -> Floats:
    """Where the excess first turns positive, walking along the grid from `start`; NaN where it never does."""
    found = np.full(start.size, np.nan)
    outside = (on_grid >= 0.0) & (np.arange(grid.size) >= start[:, None])
    rows = np.flatnonzero(outside.any(axis=1))
    place = np.argmax(outside[rows], axis=1)
    outer, inner = grid[place], grid[np.maximum(place - 1, 0)]
    for _ in range(HALVINGS):
        middle = np.sqrt(outer * inner)
        beyond = excess(middle, rows) >= 0.0
        outer, inner = np.where(beyond, middle, outer), np.where(beyond, inner, middle)
    found[rows] = outer
    return found
