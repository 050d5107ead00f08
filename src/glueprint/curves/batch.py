"""The least-squares work on a block of curves: best fit, errors, profile and effect test. Kernel: arrays
only."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as fisher

from glueprint.curves import profile
from glueprint.curves.data import Data
from glueprint.curves.levenberg import Flags, minimise
from glueprint.curves.logistic import FRONT, LN_SLOPE, LOG10_DOSE, Evaluate, Floats, residuals
from glueprint.curves.starts import starts

__all__ = ["Block", "effect", "mean", "profile_interval", "solve"]

SLOPE_LEAST, SLOPE_MOST = 0.05, 50.0
# How far outside the tested doses the fit and the profile may look, in log10 dose.
REACH = 4.0
STARTS = 3
# Curves in one pass: large enough for numpy, small enough for the processor's cache.
CHUNK = 2000
# Below this share of the data's sum of squares a residual is rounding, not effect.
ROUNDING = 1e-24


@dataclass(frozen=True)
class Block:
    """theta: (n, 4) in `logistic.NAMES`.   covariance: (n, 4, 4) of theta.   rss, converged: (n,).
    interval: (n, 2) of the log10 EC50, NaN where none was asked for.
    """

    theta: Floats
    covariance: Floats
    rss: Floats
    converged: Flags
    interval: Floats


def solve(data: Data, pinned: Floats, confidence: float | None) -> Block:
    """The best of several fits of every curve, with its profile interval.

    pinned: (4,) values of fixed parameters, NaN where free.   confidence: of the interval, None for none.
    Returns `Block`; the covariance is inv(J'J) rss / dof, NaN for fixed parameters, at bounds and on ridges.
    """
    parts = [data.rows(slice(i, i + CHUNK)) for i in range(0, data.response.shape[0], CHUNK)]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        blocks = [_solve(part, pinned, confidence) for part in parts]
    return Block(*(np.concatenate([getattr(block, f.name) for block in blocks]) for f in fields(Block)))


def _solve(data: Data, pinned: Floats, confidence: float | None) -> Block:
    n, free = data.response.shape[0], np.isnan(pinned)
    fixed = np.tile(pinned, (n, 1))
    low, high = _bounds(data)
    evaluate = residuals(data.log10_dose, data.response, data.weights)
    begun = starts(data.log10_dose, data.response, data.weights, fixed, STARTS)
    count = begun.shape[0]
    ended = minimise(
        lambda theta, rows: evaluate(theta, rows % n),
        begun.reshape(count * n, 4),
        free,
        (np.tile(low, (count, 1)), np.tile(high, (count, 1))),
        size=np.tile(_size(data), count),
    )
    cost = ended.cost.reshape(count, n)
    best = np.argmin(cost, axis=0) * n + np.arange(n)
    hessian = _weighted_hessian(evaluate, ended.theta[best])
    dof = data.points - int(free.sum())
    covariance = _covariance(hessian, free & ~ended.at_bound[best], ended.cost[best], dof)
    theta, interval = ended.theta[best], np.full((n, 2), np.nan)
    if confidence is not None:
        interval = profile_interval(data, pinned, theta, confidence)
    return Block(theta, covariance, ended.cost[best], ended.converged[best], interval)


def profile_interval(
    data: Data, pinned: Floats, theta: Floats, confidence: float, level: Floats | None = None
) -> Floats:
    """Profile interval (n, 2) of the log10 dose at `level` (None: the EC50) around the best fit `theta`
    (n, 4)."""
    free = np.isnan(pinned)
    evaluate = residuals(data.log10_dose, data.response, data.weights, level)
    start, _ = evaluate(theta, np.arange(theta.shape[0]))
    rss = np.einsum("nm,nm->n", start, start)
    leave = profile.threshold(rss, data.points - int(free.sum()), confidence)
    heights = np.stack([rss, leave], axis=1)
    return profile.interval(evaluate, theta, free, heights, _bounds(data), size=_size(data))


def effect(data: Data, rss: Floats, pinned: Floats) -> tuple[Floats, Floats]:
    """F test of the curve against the flat line at the front plateau: F (n,) and p (n,), NaN without
    freedom."""
    free = np.isnan(pinned)
    level = mean(data)
    flat_level = level if free[FRONT] else np.full_like(level, pinned[FRONT])
    miss = data.response - flat_level[:, None]
    flat = np.einsum("nm,nm,nm->n", data.weights, miss, miss)
    size = _size(data)
    dof = data.points - int(free.sum())
    extra = int(free.sum()) - int(free[FRONT])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.maximum(flat - rss, 0.0) / extra / (rss / dof)
    # Exactly flat data leave 0 / 0, or one rounding over another.
    ratio = np.where(flat <= ROUNDING * size, 0.0, ratio)
    ratio = np.where(dof > 0, ratio, np.nan)
    return ratio, np.asarray(fisher.sf(ratio, extra, np.maximum(dof, 1)))


def mean(data: Data) -> Floats:
    """The weighted mean response (n,), which is the best flat line; 0 without points."""
    total = np.einsum("nm->n", data.weights)
    return np.asarray(np.einsum("nm,nm->n", data.weights, data.response) / np.where(total > 0.0, total, 1.0))


def _size(data: Data) -> Floats:
    return np.asarray(np.einsum("nm,nm,nm->n", data.weights, data.response, data.response))


def _bounds(data: Data) -> tuple[Floats, Floats]:
    n = data.response.shape[0]
    low, high = np.full((n, 4), -np.inf), np.full((n, 4), np.inf)
    low[:, LOG10_DOSE] = np.nan_to_num(np.log10(data.lowest_dose)) - REACH
    high[:, LOG10_DOSE] = np.nan_to_num(np.log10(data.highest_dose)) + REACH
    low[:, LN_SLOPE], high[:, LN_SLOPE] = np.log(SLOPE_LEAST), np.log(SLOPE_MOST)
    return low, high


def _weighted_hessian(evaluate: Evaluate, theta: Floats) -> Floats:
    _, jacobian = evaluate(theta, np.arange(theta.shape[0]))
    return np.asarray(jacobian.transpose(0, 2, 1) @ jacobian)


def _covariance(hessian: Floats, moving: Flags, rss: Floats, dof: NDArray[np.int64]) -> Floats:
    both = moving[:, :, None] & moving[:, None, :]
    scale = np.sqrt(np.einsum("npp->np", hessian))
    usable = moving & (scale > 0.0)
    scale = np.where(usable, scale, 1.0)
    identity = np.eye(hessian.shape[1])
    correlation = np.where(both, hessian, identity) / (scale[:, :, None] * scale[:, None, :])
    correlation = np.where(np.isfinite(correlation), correlation, identity)
    least = np.linalg.eigvalsh(correlation)[:, 0]
    sound = (least > 1e-13) & (dof > 0)
    inverse = np.linalg.inv(np.where(sound[:, None, None], correlation, identity))
    variance = (rss / np.maximum(dof, 1))[:, None, None]
    covariance = inverse / (scale[:, :, None] * scale[:, None, :]) * variance
    known = usable[:, :, None] & usable[:, None, :] & sound[:, None, None]
    return np.where(known, covariance, np.nan)
