"""Profile-likelihood intervals for the log dose of a batch of curves. Kernel: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from glueprint.curves.logistic import LOG10_DOSE, Floats, Rows

__all__ = ["FitAt", "interval", "threshold"]

REFINEMENTS = 40
TOLERANCE = 1e-7
FIRST_STEP = 0.01

FitAt = Callable[[Floats, Floats, Rows], tuple[Floats, Floats]]


def threshold(rss: Floats, dof: NDArray[np.int64], confidence: float) -> Floats:
    """The sum of squares (n,) at which the profile leaves the interval; NaN without degrees of freedom.

    Source: Bates and Watts (1988), section 6.1: RSS (1 + t^2 / dof), t with dof degrees of freedom.
    """
    quantile = student.ppf(0.5 + 0.5 * confidence, np.where(dof > 0, dof, 1))
    return np.where(dof > 0, rss * (1.0 + quantile**2 / np.where(dof > 0, dof, 1)), np.nan)


def interval(fit_at: FitAt, best: Floats, heights: Floats, limits: Floats) -> Floats:
    """Where the profile of the log10 dose crosses the threshold on either side of the best fit.

    fit_at: (theta (k, 5), log10 dose (k,), rows (k,)) -> refitted theta and cost with the dose held.
    best: (n, 5).   heights: (n, 2) sum of squares at the best fit and at the threshold; NaN: no interval.
    limits: (n, 2) log10 doses at which the search ends.
    Returns (n, 2) log10 dose; -inf or inf where the profile does not cross before the limit, NaN where
    none is asked.
    """
    found = np.full((best.shape[0], 2), np.nan)
    rows: Rows = np.flatnonzero(np.isfinite(heights).all(axis=1) & np.isfinite(best).all(axis=1))
    if rows.size == 0:
        return found
    for side, sign in enumerate((-1.0, 1.0)):
        found[rows, side] = _cross(fit_at, best[rows], (rows, sign, limits[rows, side]), heights[rows])
    return found


def _cross(fit_at: FitAt, best: Floats, place: tuple[Rows, float, Floats], heights: Floats) -> Floats:
    """Step outward, doubling, until the cost exceeds the threshold; then close in.

    heights: (n, 2) cost at the best fit and at the threshold.   place: rows, side, limit (n,).
    """
    rows, sign, limit = place
    centre, theta = best[:, LOG10_DOSE], best.copy()
    inner, outer = centre.copy(), centre.copy()
    inner_height, outer_height = -np.sqrt(heights[:, 1] - heights[:, 0]), np.zeros_like(centre)
    reach, opened = FIRST_STEP, np.zeros(centre.size, dtype=bool)
    index = np.arange(centre.size)
    while index.size:
        position = centre[index] + sign * reach
        beyond = sign * (position - limit[index]) >= 0.0
        position = np.where(beyond, limit[index], position)
        ends, cost = fit_at(theta[index], position, rows[index])
        height = _height(cost, heights[index])
        crossed = height > 0.0
        outer[index[crossed]], outer_height[index[crossed]] = position[crossed], height[crossed]
        inside = index[~crossed]
        inner[inside], inner_height[inside] = position[~crossed], height[~crossed]
        theta[inside] = ends[~crossed]
        opened[index[beyond & ~crossed]] = True
        index = index[~crossed & ~beyond]
        reach *= 2.0
    bracket = _Bracket(inner, outer, inner_height, outer_height)
    return np.where(opened, sign * np.inf, _close(fit_at, theta, bracket, (rows, heights, ~opened)))


@dataclass
class _Bracket:
    inner: Floats
    outer: Floats
    inner_height: Floats
    outer_height: Floats


def _close(
    fit_at: FitAt, theta: Floats, bracket: _Bracket, task: tuple[Rows, Floats, NDArray[np.bool_]]
) -> Floats:
    """Regula falsi with the Illinois rule on the root of the rise in cost, which is nearly linear in the
    dose."""
    rows, heights, closing = task
    for step in range(REFINEMENTS):
        index = np.flatnonzero(closing & (np.abs(bracket.outer - bracket.inner) > TOLERANCE))
        if index.size == 0:
            break
        near, far = bracket.inner[index], bracket.outer[index]
        low, high = bracket.inner_height[index], bracket.outer_height[index]
        share = np.where(
            np.isfinite(high) & (step % 4 != 3), -low / np.where(high > low, high - low, 1.0), 0.5
        )
        position = near + np.clip(share, 0.02, 0.98) * (far - near)
        ends, cost = fit_at(theta[index], position, rows[index])
        height = _height(cost, heights[index])
        out = height > 0.0
        moved_out, moved_in = index[out], index[~out]
        bracket.outer[moved_out], bracket.outer_height[moved_out] = position[out], height[out]
        bracket.inner_height[moved_out] *= 0.5
        bracket.inner[moved_in], bracket.inner_height[moved_in] = position[~out], height[~out]
        bracket.outer_height[moved_in] *= 0.5
        theta[moved_in] = ends[~out]
    return 0.5 * (bracket.inner + bracket.outer)


def _height(cost: Floats, heights: Floats) -> Floats:
    rise = np.maximum(cost - heights[:, 0], 0.0)
    return np.asarray(np.sqrt(rise) - np.sqrt(heights[:, 1] - heights[:, 0]))
