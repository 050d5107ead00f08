"""The best of several descents of every curve, and how many of them agree. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from glueprint.curves.descent import descend
from glueprint.curves.models.model import Flags, Floats, Rows
from glueprint.curves.problem import Problem

__all__ = ["ARRAYS", "Best", "best_of", "linear_parameters", "put", "rows_of", "scattered", "wider"]

# Two descents ended at the same minimum if their sums of squares agree to this share.
SAME = 1e-6
# Scatter of further starts, as powers of ten (or, on the log scale, steps of one).
SPREAD = 2.0
SEED = 20240229
ARRAYS = ("theta", "cost", "converged", "at_bound", "factor", "agreeing")


@dataclass(frozen=True)
class Best:
    """theta (n, p), cost, converged (n,), at_bound (n, p), factor (n, p + 1, p + 1) of the best descents;
    agreeing: (n,) how many of the `tried` starts ended there.
    """

    theta: Floats
    cost: Floats
    converged: Flags
    at_bound: Flags
    factor: Floats
    agreeing: NDArray[np.int64]
    tried: int


def best_of(problem: Problem, starts: Floats) -> Best:
    """Descend from every start (s, n, p) and keep the lowest of each curve.

    A descent that converged is preferred to one that did not and is lower by rounding only; where one that
    did not converge is truly lower, the curve is not converged: something lies below the minimum found.
    """
    count, n, p = starts.shape
    low, high = problem.limits()
    end = descend(
        lambda theta, rows: problem.evaluate(theta, rows % n),
        starts.reshape(count * n, p),
        np.tile(problem.free, (count, 1)),
        (np.tile(low, (count, 1)), np.tile(high, (count, 1))),
        size=np.tile(problem.size, count),
    )
    cost, converged = end.cost.reshape(count, n), end.converged.reshape(count, n)
    lowest = cost.min(axis=0)
    rounding = 1e-24 * problem.size
    same = cost <= lowest * (1.0 + SAME) + rounding
    level = np.where(same & converged, cost, np.where(same, cost * (1.0 + SAME) + 2.0 * rounding, np.inf))
    chosen = np.argmin(level, axis=0) * n + np.arange(n)
    return Best(
        end.theta[chosen], end.cost[chosen], end.converged[chosen], end.at_bound[chosen], end.factor[chosen],
        (same & converged).sum(axis=0), count,
    )  # fmt: skip


def wider(problem: Problem, begun: Floats, count: int) -> Best:
    """The best of starts (s, n, p) and of `count` more, scattered about them and about what they found."""
    first = best_of(problem, begun)
    if count == 0:
        return first
    linear = linear_parameters(problem, begun[0])
    more = [scattered(problem, begun[0], linear, count), scattered(problem, first.theta, linear, count)]
    return best_of(problem, np.concatenate([begun, first.theta[None], *more]))


def scattered(problem: Problem, around: Floats, linear: tuple[int, ...], count: int) -> Floats:
    """`count` starts (count, n, p) around (n, p), over decades of every parameter; linear ones are solved."""
    p = around.shape[1]
    points = 2.0 * qmc.Halton(d=2 * p, scramble=True, rng=np.random.default_rng(SEED)).random(count) - 1.0
    power, sign = points[:, None, :p], points[:, None, p:]
    logarithmic = problem.logarithmic
    moved = np.where(
        logarithmic,
        around + SPREAD * power,
        around * 10.0 ** (SPREAD * power * np.abs(power)) * np.where(sign < -0.8, -1.0, 1.0),
    )
    moved = np.where((around == 0.0) & ~logarithmic, power, moved)
    moved = np.where(problem.free, moved, around)
    low, high = problem.limits()
    return np.stack([problem.solve_linear(np.clip(theta, low, high), linear) for theta in moved])


def linear_parameters(problem: Problem, theta: Floats) -> tuple[int, ...]:
    """Parameters in which the response is linear: declared, or found because their derivatives stay the same
    when they move, together, to other values."""
    declared = tuple(i for i, parameter in enumerate(problem.model.parameters) if parameter.linear)
    if declared:
        return declared
    found: list[int] = []
    moved = np.where(theta == 0.0, 0.7, theta * 1.7)
    _, here = problem.curve(theta)
    for i, parameter in enumerate(problem.model.parameters):
        together = [*found, i]
        other = theta.copy()
        other[:, together] = moved[:, together]
        _, there = problem.curve(other)
        a, b = here[..., together], there[..., together]
        if parameter.scale == "linear" and np.allclose(a, b, rtol=1e-10, atol=0.0, equal_nan=False):
            found.append(i)
    return tuple(found)


def rows_of(best: Best, rows: Rows) -> Best:
    """The same for some of the curves."""
    return Best(**{name: getattr(best, name)[rows] for name in ARRAYS}, tried=best.tried)


def put(best: Best, rows: Rows, part: Best) -> None:
    """Write the results of some curves back in place."""
    for name in ARRAYS:
        getattr(best, name)[rows] = getattr(part, name)
