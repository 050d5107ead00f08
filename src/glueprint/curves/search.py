"""The best of several descents of every curve, and how many of them agree. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from glueprint.curves.descent import descend
from glueprint.curves.models.model import Flags, Floats, Rows
from glueprint.curves.problem import Problem

__all__ = [
    "ARRAYS",
    "CONFIRMED",
    "Best",
    "best_of",
    "linear_parameters",
    "merged",
    "put",
    "rows_of",
    "scattered",
    "wider",
]

# Two descents ended at the same minimum if their sums of squares agree to this share.
SAME = 1e-6
# Scatter of further starts, in powers of ten to either side, and the share of them with another sign.
SPREADS = np.array([0.5, 1.0, 2.0, 4.0])
FLIPPED = 0.25
# Candidates looked at for every start that is followed.
CANDIDATES = 24
ROUNDS = 4
# So many starts must end at the lowest minimum before it counts as the lowest there is.
CONFIRMED = 3
SEED = 20240229
ARRAYS = ("theta", "cost", "converged", "settled", "at_bound", "factor", "agreeing")


@dataclass(frozen=True)
class Best:
    """theta (n, p), cost, converged (n,), at_bound (n, p), factor (n, p + 1, p + 1) of the best descents;
    agreeing: (n,) how many of the `tried` starts converged there.
    settled: (n,) converged, or several starts reached the same sum of squares on a ridge without end (a step
    between two doses, a plateau out of sight).
    """

    theta: Floats
    cost: Floats
    converged: Flags
    settled: Flags
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
        end.theta[chosen], end.cost[chosen], end.converged[chosen],
        end.converged[chosen] | (same.sum(axis=0) > 1), end.at_bound[chosen], end.factor[chosen],
        (same & converged).sum(axis=0), count,
    )  # fmt: skip


def wider(problem: Problem, begun: Floats, count: int) -> Best:
    """The best of starts (s, n, p) and of more, scattered about them and about what they found.

    count: starts in each of up to `ROUNDS` rounds, which end when `CONFIRMED` starts agree on the lowest
    minimum; 0 takes the given starts alone.
    """
    best = best_of(problem, begun)
    if count == 0:
        return best
    linear = linear_parameters(problem, begun[0])
    for turn in range(ROUNDS):
        around = [begun[0], best.theta]
        more = [
            scattered(problem, centre, linear, count, SEED + 2 * turn + i) for i, centre in enumerate(around)
        ]
        found = best_of(problem, np.concatenate([best.theta[None], *more]))
        best = merged(best, found)
        if (best.agreeing >= CONFIRMED).all():
            break
    return best


def merged(one: Best, two: Best) -> Best:
    """The lower of two searches, curve by curve; agreeing starts add up where both found the same."""
    lower, higher = np.minimum(one.cost, two.cost), np.maximum(one.cost, two.cost)
    same = higher <= lower * (1.0 + SAME)
    # The second search began at the end of the first, which must not count twice.
    together = one.agreeing + np.maximum(two.agreeing - one.converged, 0)
    first = np.where(same, one.converged & ~two.converged, one.cost < two.cost)
    parts = {
        name: np.where(
            first.reshape(-1, *[1] * (getattr(one, name).ndim - 1)), getattr(one, name), getattr(two, name)
        )
        for name in ARRAYS
    }
    parts["agreeing"] = np.where(same, together, parts["agreeing"])
    return Best(**parts, tried=one.tried + two.tried - 1)


def scattered(problem: Problem, around: Floats, linear: tuple[int, ...], count: int, seed: int) -> Floats:
    """`count` starts (count, n, p) around (n, p), over decades of every parameter; linear ones are solved.

    Half of them are the lowest of many candidates, the others stay as chance made them: the lowest may all
    lie in one valley.
    """
    p, many = around.shape[1], CANDIDATES * count
    points = qmc.Halton(d=2 * p + 1, scramble=True, rng=np.random.default_rng(seed)).random(many)
    spread = SPREADS[np.minimum((points[:, -1] * SPREADS.size).astype(int), SPREADS.size - 1)]
    power = (spread[:, None] * (2.0 * points[:, :p] - 1.0))[:, None, :]
    sign = np.where(points[:, None, p : 2 * p] < FLIPPED, -1.0, 1.0)
    logarithmic = problem.logarithmic
    moved = np.where(logarithmic, around + power, around * 10.0**power * sign)
    moved = np.where((around == 0.0) & ~logarithmic, power, moved)
    moved = np.where(problem.free, moved, around)
    moved = np.clip(moved, *problem.limits())
    lowest = problem.ranked(moved, linear, count - count // 2)
    others = np.stack([problem.solve_linear(theta, linear) for theta in moved[: count // 2]])
    return np.concatenate([lowest, others])


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
