"""Draws of a protocol's distributions by inversion, so that a patient's draw needs nobody else's. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from glueprint.trials.protocol import Count, Levels, LogNormal, Normal

__all__ = ["correlate", "draw_level", "draw_quantity"]

Floats = NDArray[np.float64]


def draw_quantity(distribution: Normal | LogNormal | Count, uniform: Floats) -> Floats:
    """(n,) values of a distribution cut to its limits, in its own unit.

    uniform: (n,) in (0, 1).
    Source: inversion of the cut normal distribution, on the natural-log scale for log-normal kinds.
    """
    if isinstance(distribution, Normal):
        return _cut_normal(uniform, distribution.mean, distribution.sd, distribution.low, distribution.high)
    low, high = max(distribution.low, np.finfo(float).tiny), distribution.high
    if isinstance(distribution, Count):
        low, high = max(distribution.low - 0.5, np.finfo(float).tiny), distribution.high + 0.5
    middle, spread = np.log(distribution.median), distribution.log_sd
    values = np.exp(_cut_normal(uniform, middle, spread, np.log(low), np.log(high)))
    if isinstance(distribution, Count):
        return np.clip(np.rint(values), distribution.low, distribution.high)
    return values


def draw_level(distribution: Levels, uniform: Floats) -> NDArray[np.str_]:
    """(n,) names of levels, by their shares; uniform: (n,) in (0, 1)."""
    names = np.array(list(distribution.shares))
    edges = np.cumsum(list(distribution.shares.values()))[:-1]
    return np.asarray(names[np.searchsorted(edges, uniform, side="right")])


def correlate(uniform: Floats, correlation: Floats) -> Floats:
    """(n, k) uniform numbers whose normal scores have the correlation (k, k), from independent ones (n, k).

    A row depends on its own row alone; the first column stays as it is.
    Source: Gaussian copula by the Cholesky factor, Nelsen 2006, doi 10.1007/0-387-28678-0.
    """
    return np.asarray(ndtr(ndtri(uniform) @ np.linalg.cholesky(correlation).T))


def _cut_normal(uniform: Floats, mean: float, sd: float, low: float, high: float) -> Floats:
    first, last = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
    return np.asarray(np.clip(mean + sd * ndtri(first + uniform * (last - first)), low, high))
