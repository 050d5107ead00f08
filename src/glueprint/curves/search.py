"""The best of several descents of every curve, and how many of them agree. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import kernel
from glueprint.curves.between import least
from glueprint.curves.descent import Descent, descend
from glueprint.curves.logistic import BACK, FRONT, LN_SLOPE
from glueprint.curves.models.model import Flags, Floats, Rows
from glueprint.curves.problem import ROUNDING, Problem, Reach, rounding_of
from glueprint.curves.profile import OFFSET, STEPS, Profiles, Refit, profiles

__all__ = [
    "CONFIRMED",
    "FIRST",
    "Best",
    "best_of",
    "in_digits",
    "inverse_of",
    "profiled",
    "put",
    "rows_of",
    "thorough",
    "wider",
]

# Two descents ended at the same minimum if their sums of squares agree to this share.
SAME = 1e-6
# The general descent begins at so many starts of a model's own grid; machine code at so many, and at all of
# its grid where these disagree or did not converge.
STARTS, FIRST = 4, 3
# Scatter of further starts, in powers of ten to either side, and the share of them with another sign.
SPREADS = np.array([0.5, 1.0, 2.0, 4.0])
FLIPPED = 0.25
# Candidates looked at for every start that is followed.
CANDIDATES = 24
ROUNDS = 4
# So many starts must end at the lowest minimum before it counts as the lowest there is.
CONFIRMED = 3
SEED = 20240229
# How many heights of a curve its plateaus may lie away while a profile is sought.
MOST_HEIGHTS = 1e6
# How far in heights of the curve the far plateau is moved, and the logarithm of the slope, to look elsewhere.
ELSEWHERE = ((1.0, 1.5), (0.0, -1.5), (0.0, 3.0), (10.0, 0.0))


@dataclass(frozen=True)
class Best(Descent):
    """The best descents; alike, agreeing: (n,) how many of the `tried` starts ended at the same sum of
    squares, and how many of these converged."""

    alike: NDArray[np.int64]
    agreeing: NDArray[np.int64]
    tried: int

    @property
    def settled(self) -> Flags:
        """Converged, or several starts reached the same sum of squares on a ridge without end (a step between
        two doses, a plateau out of sight) (n,)."""
        return self.converged | (self.alike > 1)


Ends = TypeVar("Ends", bound=Descent)


def rows_of(ends: Ends, rows: Rows) -> Ends:
    """The same for some of the curves."""
    parts = {field.name: getattr(ends, field.name) for field in fields(ends)}
    return type(ends)(**{name: v[rows] if isinstance(v, np.ndarray) else v for name, v in parts.items()})


def put(ends: Descent, rows: Rows, part: Descent) -> None:
    """Write the results of some curves back in place."""
    for field in fields(ends):
        if isinstance(value := getattr(ends, field.name), np.ndarray):
            value[rows] = getattr(part, field.name)


def minimise(problem: Problem, start: Floats, rows: Rows) -> Descent:
    """Descents from start (k, p) of the curves `rows` (k,), by machine code where there is some."""
    if problem.fast:
        return kernel.minimise(problem, start, rows)
    options = {} if problem.between is None else {"iterations": STEPS}
    return _general(problem, start, rows, problem.free[rows], **options)


def _general(problem: Problem, start: Floats, rows: Rows, free: Flags, **options: Any) -> Descent:
    """Descents of values or of limits by the general path; free: (k, p)."""
    given, (low, high) = problem.between, (side[rows] for side in problem.limits())
    size = problem.size[rows]
    if given is None:
        return descend(
            lambda theta, which: problem.evaluate(theta, rows[which]),
            start, free, (low, high), size=size, **options,
        )  # fmt: skip
    begun = np.where(free, np.clip(start, low, high), start)
    return least(
        lambda theta, which: problem.curve(theta, rows[which]),
        given.rows(rows), begun, free, (low, high), size, **options,
    )  # fmt: skip


def refit_of(problem: Problem) -> Refit:
    """Refits with one parameter held, for profiles."""

    def by_hand(at: Floats, curves: Rows, held: Rows) -> tuple[Floats, Floats, Flags]:
        free = problem.free[curves].copy()
        free[np.arange(curves.size), held] = False
        end = _general(problem, at, curves, free, tolerance=OFFSET, iterations=STEPS)
        return end.theta, end.cost, np.asarray((end.at_bound & problem.reaching).any(axis=1))

    def by_machine(at: Floats, curves: Rows, held: Rows) -> tuple[Floats, Floats, Flags]:
        theta, cost = at.copy(), np.full(curves.size, np.inf)
        for place in np.unique(held).tolist():
            mine = held == place
            end = kernel.minimise(problem, at[mine], curves[mine], held=(place,))
            theta[mine], cost[mine] = end.theta, end.cost
        return theta, cost, np.zeros(curves.size, dtype=bool)

    return by_machine if problem.fast and (np.isnan(problem.pins).sum() > 1) else by_hand


def profiled(
    problem: Problem, theta: Floats, sought: Flags, heights: Floats, inverse: Floats | None = None
) -> Profiles:
    """Profiles of the parameters `sought` (p,) around theta (n, p); others as in `profile.profiles`."""
    others: list[Floats] = []
    if problem.logistic:
        problem, others = replace(problem, reach=in_digits(problem, theta)), _elsewhere(problem, theta)
    return profiles(
        refit_of(problem),
        theta,
        problem.free & sought,
        problem.limits(),
        heights=heights,
        inverse=inverse,
        follow=not problem.logistic,
        others=others,
    )


def in_digits(problem: Problem, theta: Floats) -> Reach:
    """Where refits may go: with plateaus further out their difference has no digits left for the responses,
    and rounding fits them better than any curve."""
    low, high = (side.copy() for side in problem.limits())
    ends = np.concatenate([problem.response, theta[:, :2]], axis=1)
    reach = MOST_HEIGHTS * (ends.max(axis=1) - ends.min(axis=1))[:, None]
    low[:, :2] = np.maximum(low[:, :2], ends.min(axis=1)[:, None] - reach)
    high[:, :2] = np.minimum(high[:, :2], ends.max(axis=1)[:, None] + reach)
    return low, high


def _elsewhere(problem: Problem, theta: Floats) -> list[Floats]:
    """Other starts (n, 5) for the refits of logistics: where a shallow curve, a steep one, or a far plateau
    out of sight fits as well, a refit from close by stays in its own valley."""
    height, found = theta[:, FRONT] - theta[:, BACK], []
    for share, steeper in ELSEWHERE:
        start = theta.copy()
        start[:, BACK] -= share * height
        start[:, LN_SLOPE] += steeper
        found.append(np.where(problem.free, start, theta))
    return found


def inverse_of(problem: Problem, theta: Floats, at_bound: Flags) -> Floats:
    """inv(J'J) (n, p, p); NaN where fixed, at a bound or unknown."""
    return (kernel.inverse if problem.fast else Problem.inverse)(problem, theta, at_bound)


def best_of(problem: Problem, starts: Floats) -> Best:
    """Descend from every start (s, n, p) and keep the lowest of each curve.

    A descent that converged is preferred to one that did not and is lower by rounding only; where one that
    did not converge is truly lower, the curve is not converged: something lies below the minimum found.
    """
    count, n, p = starts.shape
    end = minimise(problem, starts.reshape(count * n, p), np.tile(np.arange(n), count))
    cost, converged = end.cost.reshape(count, n), end.converged.reshape(count, n)
    chosen, same = _lowest(problem, cost, converged)
    best = rows_of(end, chosen * n + np.arange(n))
    return Best(**vars(best), alike=same.sum(axis=0), agreeing=(same & converged).sum(axis=0), tried=count)


def _lowest(problem: Problem, cost: Floats, converged: Flags) -> tuple[Rows, Flags]:
    """Which of several ends (s, n) to keep (n,), and which are at the same minimum (s, n)."""
    lowest = cost.min(axis=0)
    rounding = rounding_of(lowest, problem.size) + ROUNDING * problem.size
    same = cost <= lowest * (1.0 + SAME) + rounding
    # A ridge of a logistic creeps on by less than that, to where its end says more: rounding alone counts.
    near = cost <= lowest + rounding if problem.logistic else same
    return np.argmin(np.where(near & converged, -1.0, cost), axis=0), same


def thorough(problem: Problem) -> Best:
    """The best of a model's own starts: of the first few, and of all where these do not agree."""
    if not problem.logistic:
        return best_of(problem, problem.starts(STARTS))
    starts = kernel.starts(problem)
    best = best_of(problem, starts[:FIRST])
    rows = np.flatnonzero(~best.converged | (best.alike < FIRST))
    if rows.size:
        part = problem.rows(rows)
        put(best, rows, merged(part, rows_of(best, rows), best_of(part, starts[FIRST:, rows])))
    return best


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
        best = merged(problem, best, found)
        if (best.agreeing >= CONFIRMED).all():
            break
    return best


def merged(problem: Problem, one: Best, two: Best) -> Best:
    """The lower of two searches, curve by curve; agreeing starts add up where both found the same."""
    chosen, same = _lowest(problem, np.stack([one.cost, two.cost]), np.stack([one.converged, two.converged]))
    best, first = rows_of(two, np.arange(chosen.size)), np.flatnonzero(chosen == 0)
    put(best, first, rows_of(one, first))
    both = same.all(axis=0)
    best.alike[both], best.agreeing[both] = (one.alike + two.alike)[both], (one.agreeing + two.agreeing)[both]
    return replace(best, tried=one.tried + two.tried)


def scattered(problem: Problem, around: Floats, linear: tuple[int, ...], count: int, seed: int) -> Floats:
    """`count` starts (count, n, p) around (n, p), over decades of every parameter; linear ones are solved.

    Half of them are the lowest of many candidates, the others stay as chance made them: the lowest may all
    lie in one valley.
    """
    p, many = around.shape[1], CANDIDATES * count
    # It is slow to import, and few fits come here.
    from scipy.stats import qmc

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
