"""A robust fit beside the plain one: Tukey's biweight, and which points it holds for outliers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr

from glueprint.curves.models.model import Flags, Floats, Rows
from glueprint.curves.problem import Problem
from glueprint.curves.search import minimise

__all__ = ["Robust", "reweighted"]

# 95 % efficiency for normal errors (Beaton and Tukey 1974, doi 10.1080/00401706.1974.10489171).
TUKEY = 4.685
# Huber's constant of the same efficiency, for the first rounds, which must not lose their way.
HUBER = 1.345
ROUNDS_OF_HUBER, ROUNDS = 10, 50
SETTLED = 1e-8
# False discovery rate of the outlier flags (Motulsky and Brown 2006, doi 10.1186/1471-2105-7-123).
DISCOVERY = 0.01
# Share of normal deviates within one standard deviation.
WITHIN = 68.27


@dataclass(frozen=True)
class Robust:
    """The Tukey fit of n curves by m points with p parameters, to be read beside the plain fit.

    estimates: (n, p) natural units, NaN where the plain fit failed.   theta: (n, p) on the fitting scale.
    scale: (n,) robust standard deviation of the weighted residuals.   weights: (n, m) from 0 (ignored) to 1.
    outliers: (n, m) flags at a false discovery rate of 1 %.   converged: (n,).
    """

    estimates: Floats
    theta: Floats
    scale: Floats
    weights: Floats
    outliers: Flags
    converged: Flags


def reweighted(problem: Problem, plain: Floats, sound: Flags) -> Robust:
    """Iteratively reweighted least squares from the plain fit: Huber's weights first, then Tukey's.

    plain: (n, p) on the fitting scale.   sound: (n,) which curves to fit.
    Source: Beaton and Tukey 1974; scale and flags after Motulsky and Brown 2006.
    """
    theta, used = plain.copy(), problem.weights > 0.0
    weights = np.ones_like(problem.response)
    converged = np.zeros(plain.shape[0], dtype=bool)
    rows = np.flatnonzero(sound)
    scale = np.full(plain.shape[0], np.nan)
    for turn in range(ROUNDS):
        if rows.size == 0:
            break
        residual = problem.evaluate(theta[rows], rows)[0]
        scale[rows] = _scale(problem, residual, rows)
        share = np.abs(residual) / np.maximum(scale[rows], np.finfo(float).tiny)[:, None]
        early = turn < ROUNDS_OF_HUBER
        weights[rows] = np.minimum(1.0, HUBER / np.maximum(share, HUBER)) if early else _biweight(share)
        # Machine code is for plain fits: here valleys are curved.
        weighted = replace(problem, weights=problem.weights * weights, careful=True)
        end = minimise(weighted, theta[rows], rows)
        moved = np.abs(end.theta - theta[rows]).max(axis=1) <= SETTLED * (1.0 + np.abs(end.theta).max(axis=1))
        theta[rows] = end.theta
        converged[rows] = moved & end.converged & (turn > ROUNDS_OF_HUBER)
        rows = rows[~converged[rows]]
    outliers = _flags(problem, problem.evaluate(theta, np.arange(len(theta)))[0], scale) & sound[:, None]
    theta = np.where(sound[:, None], theta, np.nan)
    weights = np.where(used & sound[:, None], weights, np.nan)
    return Robust(problem.natural(theta), theta, scale, weights, outliers, converged & sound)


def _biweight(share: Floats) -> Floats:
    return np.asarray(np.where(share < TUKEY, (1.0 - np.minimum(share / TUKEY, 1.0) ** 2) ** 2, 0.0))


def _scale(problem: Problem, residual: Floats, rows: Rows) -> Floats:
    """Robust standard deviation (k,): the 68.27th percentile of |residual|, corrected for the parameters."""
    used = problem.weights[rows] > 0.0
    points = used.sum(axis=1)
    dof = np.maximum(points - problem.free[rows].sum(axis=1), 1)
    level = np.nanpercentile(np.where(used, np.abs(residual), np.nan), WITHIN, axis=1)
    floor = 1e-12 * np.sqrt(problem.size[rows] / np.maximum(points, 1))
    return np.asarray(np.maximum(level * points / dof, floor))


def _flags(problem: Problem, residual: Floats, scale: Floats) -> Flags:
    """Outliers (n, m) by Benjamini and Hochberg's step-up rule over the points of each curve."""
    used = problem.weights > 0.0
    dof = np.maximum(used.sum(axis=1) - problem.free.sum(axis=1), 1)
    p = 2.0 * stdtr(dof[:, None], -np.abs(residual) / scale[:, None])
    p = np.where(used & np.isfinite(p), p, 2.0)
    ordered = np.sort(p, axis=1)
    rank = np.arange(1, p.shape[1] + 1)
    passed = ordered <= DISCOVERY * rank / np.maximum(used.sum(axis=1), 1)[:, None]
    cut = np.where(passed, ordered, -1.0).max(axis=1)
    return np.asarray(p <= cut[:, None])
