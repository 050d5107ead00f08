"""One mean over groups of units (experiments of donors, say) that scatter on both levels, with limits among
them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, stdtrit

from glueprint.errors import InputError
from glueprint.inference.mode import Floats
from glueprint.inference.nested_likelihood import Group, group_means, log_likelihood, restricted

__all__ = ["NestedEffects", "nested_effects"]

# The search in log tau: a wide grid, then finer ones around the best.
FIRST_GRID, GRID, ROUNDS = 17, 7, 13
# Smallest scatter looked at, as a share of the spread of the values; below it tau is called zero.
LEAST_SHARE, LARGEST_SHARE = 1e-5, 30.0
# How far from the mean the profile is followed, in spreads, before a bound is called open.
REACH = 40.0
# Each closes a bound in to 1 / 32 of the last bracket.
CLOSINGS = 5

Height = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class NestedEffects:
    """The mean of all groups and the scatter around it, on the scale of the estimates.

    mean: at the restricted likelihood's tau.   interval: profile likelihood, scaled so that equal groups
    without own error get the t interval exactly; infinite where open.
    tau_group, tau_unit: standard deviations between groups and between units of a group (0 without nesting).
    tau_interval: of tau_group, by the restricted likelihood.   i2: share of tau_group in the variance of a
    group's estimate, NaN where own errors are unknown.   prediction: for the mean of one more group.
    group_means, group_sd: (g,) every group's mean given everything.   groups, units: how many.
    """

    mean: float
    interval: tuple[float, float]
    tau_group: float
    tau_unit: float
    tau_interval: tuple[float, float]
    i2: float
    prediction: tuple[float, float]
    group_means: Floats
    group_sd: Floats
    groups: int
    units: int
    level: float


def nested_effects(
    low: ArrayLike, high: ArrayLike, standard_errors: ArrayLike, group: ArrayLike, *, level: float = 0.95
) -> NestedEffects:
    """Mean over groups with scatter between groups and between the units of a group, limits as limits.

    low, high: (k,) equal where a unit has a value; infinite on the open side of a limit.
    standard_errors: (k,) of each unit by itself, >= 0; 0 leaves its error to the scatter.
    group: (k,) labels of two or more groups. Without a group of several units there is one scatter only.
    Returns NestedEffects.
    Raises InputError GP-I003 (fewer than two values or groups, shapes), GP-I004 (level).
    Source: own derivation, docs/potencies.md; REML after Patterson and Thompson 1971,
    doi:10.1093/biomet/58.3.545; limits enter by their probability.
    """
    groups = _groups(low, high, standard_errors, group, level)
    values = np.concatenate([g.values for g in groups])
    spread = _spread(groups)
    nested = any(g.values.size + g.low.size > 1 for g in groups)
    box = np.log(spread * np.array([LEAST_SHARE, LARGEST_SHARE]))

    def taus(point: Floats) -> tuple[Floats, Floats]:
        """Lanes of log tau as tau, zero at the lower edge of the search."""
        tau = np.where(point <= box[0] + 1e-9, 0.0, np.exp(point))
        return tau[..., 0], tau[..., 1] if nested else np.zeros_like(tau[..., 0])

    dimensions = 2 if nested else 1
    best, _ = _search(lambda p, _: restricted(groups, *taus(p))[0], np.zeros(1), box, dimensions)
    tau_group, tau_unit = (float(tau[0]) for tau in taus(best))
    mean = float(restricted(groups, np.array([tau_group]), np.array([tau_unit]))[1][0])
    t = float(stdtrit(len(groups) - 1, 0.5 + level / 2))

    def height(means: Floats) -> Floats:
        return _search(lambda p, m: log_likelihood(groups, m, *taus(p)), means, box, dimensions)[1]

    drop = 0.5 * len(groups) * np.log1p(t**2 / (len(groups) - 1))
    interval = _cross(height, mean, drop, spread)
    half = 0.5 * (interval[1] - interval[0]) / t
    ahead = t * float(np.sqrt(tau_group**2 + half**2))
    means = group_means(groups, mean, tau_group, tau_unit)
    return NestedEffects(
        mean=mean, interval=interval, tau_group=tau_group, tau_unit=tau_unit,
        tau_interval=_tau_interval(groups, taus, box, dimensions, level),
        i2=_i2(groups, tau_group, tau_unit), prediction=(mean - ahead, mean + ahead),
        group_means=means[:, 0], group_sd=means[:, 1],
        groups=len(groups), units=values.size + sum(g.low.size for g in groups), level=level,
    )  # fmt: skip


def _groups(
    low: ArrayLike, high: ArrayLike, standard_errors: ArrayLike, group: ArrayLike, level: float
) -> tuple[Group, ...]:
    lower, upper, error = (np.asarray(a, dtype=np.float64) for a in (low, high, standard_errors))
    labels = np.asarray(group)
    fits = lower.ndim == 1 and lower.shape == upper.shape == error.shape == labels.shape
    sound = fits and bool(np.all(lower <= upper) & np.all(np.isfinite(error) & (error >= 0.0)))
    measured = lower == upper
    if not sound or int(measured.sum()) < 2 or np.unique(labels).size < 2:
        raise InputError(
            "GP-I003",
            f"{lower.size} units in {np.unique(labels).size} groups, {int(np.sum(measured))} with a value",
            where="low, high",
            expected="two or more values and groups; low <= high; errors finite and not negative",
            next_step="one value alone has no scatter to learn from: report it, or the limit, by itself",
        )
    if not 0.0 < level < 1.0:
        raise InputError(
            "GP-I004", f"level {level!r}", where="level", expected="a level between 0 and 1",
            next_step="use 0.95",
        )  # fmt: skip
    parts = []
    for label in dict.fromkeys(labels.tolist()):
        has, lacks = measured & (labels == label), ~measured & (labels == label)
        parts.append(Group(lower[has], error[has], lower[lacks], upper[lacks], error[lacks]))
    return tuple(parts)


def _spread(groups: tuple[Group, ...]) -> float:
    """The size of what could be scatter: of values, limits and own errors."""
    places = np.concatenate([np.concatenate([g.values, g.low, g.high]) for g in groups])
    errors = np.concatenate([np.concatenate([g.errors, g.limit_errors]) for g in groups])
    places = places[np.isfinite(places)]
    return float(max(np.ptp(places), errors.max(initial=0.0), 1e-9 * max(1.0, float(np.abs(places).max()))))


def _search(height: Height, means: Floats, box: Floats, dimensions: int) -> tuple[Floats, Floats]:
    """The best log taus (m, dimensions) for every mean (m,), and how high they are (m,)."""
    centre = np.full((means.size, dimensions), box.mean())
    reach, count = 0.5 * (box[1] - box[0]), FIRST_GRID
    best = np.full(means.size, -np.inf)
    for _ in range(ROUNDS):
        axis = np.linspace(-reach, reach, count)
        offsets = np.stack(np.meshgrid(*[axis] * dimensions, indexing="ij"), axis=-1).reshape(-1, dimensions)
        points = np.clip(centre[:, None, :] + offsets, box[0], box[1])
        heights = height(points, means[:, None])
        top = np.argmax(heights, axis=1)
        rows = np.arange(means.size)
        better = heights[rows, top] > best
        centre[better], best[better] = points[rows, top][better], heights[rows, top][better]
        reach, count = axis[1] - axis[0], GRID
    return centre, best


def _cross(
    height: Callable[[Floats], Floats], mean: float, drop: float, spread: float
) -> tuple[float, float]:
    """Where the profile has fallen by `drop` on either side of its top; infinite where it never does."""
    reach = spread * np.concatenate([[0.0], np.geomspace(1e-4, REACH, 80)])
    places = mean + np.concatenate([-reach[:0:-1], reach])
    heights = height(places)
    at = int(np.clip(np.argmax(heights), 1, places.size - 2))
    # The top lies between the neighbours of the highest place, and the profile is smooth there.
    top = float(height(np.linspace(places[at - 1], places[at + 1], 41)).max())
    bounds = []
    for sign in (-1.0, 1.0):
        order = np.argsort(sign * places)
        beyond = order[(sign * places[order] >= sign * places[at]) & (heights[order] < top - drop)]
        if beyond.size == 0:
            bounds.append(sign * np.inf)
            continue
        outer = float(places[beyond[0]])
        inner = float(places[beyond[0] - int(sign)])
        for _ in range(CLOSINGS):
            between = np.linspace(inner, outer, 33)
            # The first place beyond the drop; the ends are known to lie on either side of it.
            first = int(np.argmax(np.append(height(between[1:-1]) < top - drop, True))) + 1
            inner, outer = float(between[first - 1]), float(between[first])
        bounds.append(0.5 * (inner + outer))
    return bounds[0], bounds[1]


def _tau_interval(
    groups: tuple[Group, ...],
    taus: Callable[[Floats], tuple[Floats, Floats]],
    box: Floats,
    dimensions: int,
    level: float,
) -> tuple[float, float]:
    """Where the restricted likelihood, profiled over the other scatter, is within the chi-square drop."""
    axis = np.linspace(box[0], box[1], 241)

    def height(point: Floats, first: Floats) -> Floats:
        both = np.concatenate([np.broadcast_to(first[..., None], (*point.shape[:-1], 1)), point], axis=-1)
        return restricted(groups, *taus(both))[0]

    heights = (
        restricted(groups, *taus(axis[:, None]))[0] if dimensions == 1 else _search(height, axis, box, 1)[1]
    )
    inside = np.flatnonzero(heights >= heights.max() - 0.5 * float(chdtri(1, 1.0 - level)))
    low = 0.0 if inside[0] == 0 else float(np.exp(axis[inside[0]]))
    return low, float("inf") if inside[-1] == axis.size - 1 else float(np.exp(axis[inside[-1]]))


def _i2(groups: tuple[Group, ...], tau_group: float, tau_unit: float) -> float:
    """Share of tau_group^2 beside the typical variance of a group's own estimate.

    Source: Higgins and Thompson 2002, doi:10.1002/sim.1186, equation 9.
    """
    precision = np.array([np.sum(1.0 / (g.errors**2 + tau_unit**2)) if _known(g, tau_unit) else np.nan
                          for g in groups if g.values.size])  # fmt: skip
    if precision.size < 2 or not np.isfinite(precision).all():
        return float("nan")
    typical = (precision.size - 1) * precision.sum() / (precision.sum() ** 2 - (precision**2).sum())
    return float(tau_group**2 / (tau_group**2 + typical))


def _known(group: Group, tau_unit: float) -> bool:
    return bool(np.all(group.errors**2 + tau_unit**2 > 0.0))
