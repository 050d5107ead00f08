"""Profile-likelihood intervals of every kind of fit: where a refitted cost crosses its threshold. Kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from glueprint.curves.descent import Flags, Floats, Rows

__all__ = ["OFFSET", "SHORT", "STEPS", "Profiles", "Refit", "profiles", "threshold"]

ROUNDS = 60
# How near the square root of the rise in cost must come to its threshold (as a share of it), by default.
CLOSE = 1e-6
# A refit on the way need not be better than this: costs are then right to the square of it.
OFFSET = 1e-5
# Refits begin close by; one that has not ended by then creeps along a ridge where the cost is flat.
STEPS = 60
# No first step is shorter than this share of a parameter: data without scatter have no other scale.
LEAST = 1e-6
# A parameter without limit is followed this many multiples of the first step before its profile counts as
# open.
FAR = 1e6
BETTER = 1e-6
# Refits that begin at the last one inside take shorter steps, and reach no further than twice as far at once.
SHORT = 0.25
# A crossing is looked at again this share of the way out from the fit, at most so many times.
BEYOND, CHECKS = 0.05, 3
# Between these heights on either side of a bound a profile has jumped: its refits lost the valley.
JUMP = 0.05

# (theta (k, p) with one parameter of each held where it is, curves (k,), which parameter (k,)) -> refitted
# theta, its cost (k,), and where it ended at a bound that is only how far the data let one look (k,).
Refit = Callable[[Floats, Rows, Rows], tuple[Floats, Floats, Flags]]


@dataclass(frozen=True)
class Profiles:
    """intervals: (n, p, 2), infinite where open, NaN where none was asked for.
    better: (n, p) the lowest point met, NaN where none lies below the fit: the fit was not the best.
    """

    intervals: Floats
    better: Floats


@dataclass
class _Tasks:
    """One row a side of a parameter of a curve; `near` is inside, `far` outside the interval."""

    curve: Rows
    parameter: Rows
    sign: Floats
    limit: Floats
    near: Floats
    near_height: Floats
    near_theta: Floats
    far: Floats
    far_height: Floats
    far_theta: Floats
    near_bound: Flags
    last_out: Flags
    done: Flags
    opened: Flags
    checked: Flags


def threshold(rss: Floats, dof: NDArray[np.int64], confidence: float) -> Floats:
    """The sum of squares (n,) at which the profile leaves the interval; NaN without degrees of freedom.

    Source: Bates and Watts (1988), section 6.1: RSS (1 + t^2 / dof), t with dof degrees of freedom.
    """
    spare = np.maximum(dof, 1)
    quantile = stdtrit(spare, 0.5 + 0.5 * confidence)
    return np.where(np.asarray(dof) > 0, rss * (1.0 + quantile**2 / spare), np.nan)


def profiles(
    refit: Refit, best: Floats, wanted: Flags, bounds: tuple[Floats, Floats], *, heights: Floats,
    inverse: Floats | None = None, follow: bool = True, close: float = CLOSE, others: Sequence[Floats] = (),
) -> Profiles:  # fmt: skip
    """Where the profile of each wanted parameter crosses the threshold on either side of the best fit.

    best, wanted: (n, p).   bounds: low and high (n, p), where the search ends.   heights: (n, 2) cost at the
    fit and at the threshold, NaN for no interval.   inverse: (n, p, p) inv(J'J) of the cost, for the first
    steps; NaN where unknown.   follow: refits begin where the other parameters probably are; else at the last
    refit inside.   close: how near the root of the rise must come to its threshold, as a share.
    others: (n, p) each, further starts from which a refit beyond a crossing must end outside, too.
    A profile whose refits run into the end of what the data can show is open, and so is one that jumps.
    Source: Bates and Watts 1988, section 6.1, doi 10.1002/9780470316757.
    """
    tasks = _begin(best, wanted, bounds, heights)
    intervals, better = np.full((*best.shape, 2), np.nan), np.full(best.shape, np.nan)
    lowest = heights[:, 0] - BETTER * np.abs(heights[:, 0])
    slopes, first = _tangents(best, inverse, heights, tasks)
    first = first if follow else SHORT * first
    start = best[tasks.curve, tasks.parameter]
    tasks.limit = np.where(np.isfinite(tasks.limit), tasks.limit, start + tasks.sign * FAR * first)
    for turn in range((1 + CHECKS * bool(others)) * ROUNDS):
        index = np.flatnonzero(~tasks.done)
        if index.size == 0 or (turn and turn % ROUNDS == 0):
            index = _reopened(refit, tasks, best, heights, others)
        if index.size == 0:
            break
        position = _next(tasks, index, best, first, turn, 4.0 if follow else 2.0)
        curve, parameter = tasks.curve[index], tasks.parameter[index]
        theta = _predict(tasks, index, position, best, slopes) if follow else tasks.near_theta[index]
        theta[np.arange(index.size), parameter] = position
        ends, cost, stopped = refit(theta, curve, parameter)
        for row in np.flatnonzero(cost < lowest[curve]):
            if cost[row] < lowest[curve[row]]:
                lowest[curve[row]], better[curve[row]] = cost[row], ends[row]
        _sort_in(tasks, index, position, ends, _height(cost, heights[curve]), close)
        inside = cost <= heights[curve, 1]
        tasks.near_bound[index[inside]] = stopped[inside]
    side = (tasks.sign > 0.0).astype(int)
    middle = np.where(np.isfinite(tasks.far), 0.5 * (tasks.near + tasks.far), tasks.sign * np.inf)
    crossing = np.where(np.abs(tasks.far_height) < np.abs(tasks.near_height), tasks.far, tasks.near)
    met = np.minimum(np.abs(tasks.far_height), np.abs(tasks.near_height)) <= 10.0 * close
    moved = np.abs(tasks.near - start) > 1e-9 * (1.0 + np.abs(start))
    jumped = moved & ~met & (tasks.near_height < -JUMP) & (tasks.far_height > JUMP)
    opened = tasks.opened | tasks.near_bound | jumped
    found = np.where(opened, tasks.sign * np.inf, np.where(met, crossing, middle))
    intervals[tasks.curve, tasks.parameter, side] = found
    return Profiles(intervals, better)


def _reopened(refit: Refit, tasks: _Tasks, best: Floats, heights: Floats, others: Sequence[Floats]) -> Rows:
    """Tasks whose crossing another start does not find: their search goes on from there."""
    checked = np.flatnonzero(np.isfinite(tasks.far) & ~tasks.opened & ~tasks.checked)
    tasks.checked[checked] = True
    curve, parameter = tasks.curve[checked], tasks.parameter[checked]
    start = best[curve, parameter]
    position = tasks.far[checked] + BEYOND * (tasks.far[checked] - start)
    position = tasks.sign[checked] * np.minimum(
        tasks.sign[checked] * position, tasks.sign[checked] * tasks.limit[checked]
    )
    found: list[Rows] = []
    for theta in others:
        at = theta[curve].copy()
        at[np.arange(curve.size), parameter] = position
        ends, cost, stopped = refit(at, curve, parameter)
        inside = np.flatnonzero(cost < heights[curve, 1])
        mine = checked[inside]
        tasks.near[mine], tasks.near_theta[mine] = position[inside], ends[inside]
        tasks.near_height[mine] = _height(cost[inside], heights[curve[inside]])
        tasks.near_bound[mine] = stopped[inside]
        tasks.far[mine], tasks.far_height[mine] = np.inf, np.inf
        tasks.opened[mine] = position[inside] == tasks.limit[mine]
        tasks.done[mine], tasks.checked[mine] = tasks.opened[mine], False
        found.append(mine)
    every = np.unique(np.concatenate(found)) if found else checked[:0]
    return every[~tasks.done[every]]


def _begin(best: Floats, wanted: Flags, bounds: tuple[Floats, Floats], heights: Floats) -> _Tasks:
    sound = np.isfinite(heights).all(axis=1) & (heights[:, 1] > heights[:, 0]) & np.isfinite(best).all(axis=1)
    curve, parameter = (np.repeat(part, 2) for part in np.nonzero(wanted & sound[:, None]))
    sign = np.tile([-1.0, 1.0], curve.size // 2)
    limit = np.where(sign < 0.0, bounds[0][curve, parameter], bounds[1][curve, parameter])
    count = curve.size
    start = best[curve, parameter]
    return _Tasks(
        curve, parameter, sign, limit,
        near=start.copy(), near_height=np.full(count, -1.0), near_theta=best[curve].copy(),
        far=np.full(count, np.inf), far_height=np.full(count, np.inf), far_theta=best[curve].copy(),
        near_bound=np.zeros(count, bool), last_out=np.zeros(count, bool), done=sign * (limit - start) <= 0.0,
        opened=sign * (limit - start) <= 0.0, checked=np.zeros(count, bool),
    )  # fmt: skip


def _tangents(best: Floats, inverse: Floats | None, heights: Floats, tasks: _Tasks) -> tuple[Floats, Floats]:
    """How the other parameters follow a held one (k, p), and a first step (k,) from the linear theory."""
    if inverse is None:
        inverse = np.full((*best.shape, best.shape[1]), np.nan)
    column = inverse[tasks.curve, :, tasks.parameter]
    variance = column[np.arange(tasks.curve.size), tasks.parameter]
    known = np.isfinite(variance) & (variance > 0.0)
    slopes = np.where(known[:, None], column / np.where(known, variance, 1.0)[:, None], 0.0)
    # Where the cost is a parabola the threshold is met at the root of its rise times inv(J'J).
    rise = heights[tasks.curve, 1] - heights[tasks.curve, 0]
    linear = np.sqrt(np.where(known, variance, 0.0) * rise)
    fallback = 0.1 * (np.abs(best[tasks.curve, tasks.parameter]) + 0.1)
    return np.nan_to_num(slopes), np.where(linear > 0.0, np.maximum(linear, LEAST * fallback), fallback)


def _next(tasks: _Tasks, index: Rows, best: Floats, first: Floats, turn: int, most: float) -> Floats:
    """The next value of the held parameter: outward until outside, then between."""
    centre = best[tasks.curve[index], tasks.parameter[index]]
    near, far = tasks.near[index], tasks.far[index]
    low, high = tasks.near_height[index], tasks.far_height[index]
    gone = np.abs(near - centre)
    share = 1.0 + low
    with np.errstate(all="ignore"):
        grow = np.clip(1.02 / share, 1.2, most)
        outward = np.where(gone > 0.0, gone * np.where(np.isfinite(grow), grow, most), first[index])
        outward = centre + tasks.sign[index] * outward
        outward = tasks.sign[index] * np.minimum(
            tasks.sign[index] * outward, tasks.sign[index] * tasks.limit[index]
        )
        cut = np.where(np.isfinite(high), -low / (high - low), 0.5)
        cut = np.clip(np.where(turn % 6 == 5, 0.5, cut), 0.002, 0.998)
        between = near + cut * (far - near)
    return np.where(np.isfinite(far), between, outward)


def _predict(tasks: _Tasks, index: Rows, position: Floats, best: Floats, slopes: Floats) -> Floats:
    """Where the other parameters probably are: along the tangent first, along the chord of two refits
    later."""
    k = np.arange(index.size)
    centre = best[tasks.curve[index]]
    parameter = tasks.parameter[index]
    start = centre[k, parameter]
    near, far = tasks.near[index], tasks.far[index]
    tangent = centre + slopes[index] * (position - start)[:, None]
    with np.errstate(all="ignore"):
        reach = ((position - start) / (near - start))[:, None]
        outward = centre + np.minimum(reach, 2.0) * (tasks.near_theta[index] - centre)
        cut = ((position - near) / (far - near))[:, None]
        between = tasks.near_theta[index] + cut * (tasks.far_theta[index] - tasks.near_theta[index])
    theta = np.where((near == start)[:, None], tangent, outward)
    theta = np.where(np.isfinite(far)[:, None] & (near != start)[:, None], between, theta)
    return np.where(np.isfinite(theta), theta, tasks.near_theta[index])


def _sort_in(
    tasks: _Tasks, index: Rows, position: Floats, theta: Floats, height: Floats, close: float
) -> None:
    out = height > 0.0
    away, home = index[out], index[~out]
    # Illinois rule: a side that stays put twice counts half, so that both sides close in.
    again_out, again_in = tasks.last_out[away] & np.isfinite(tasks.far[away]), ~tasks.last_out[home]
    tasks.near_height[away] *= np.where(again_out, 0.5, 1.0)
    bracketed = np.isfinite(tasks.far[home])
    tasks.far_height[home] *= np.where(again_in & bracketed, 0.5, 1.0)
    tasks.far[away], tasks.far_height[away], tasks.far_theta[away] = position[out], height[out], theta[out]
    tasks.near[home], tasks.near_height[home] = position[~out], height[~out]
    tasks.near_theta[home] = theta[~out]
    tasks.last_out[away], tasks.last_out[home] = True, False
    ended = ~out & (tasks.sign[index] * (position - tasks.limit[index]) >= 0.0)
    tasks.opened[index[ended]] = True
    width = np.abs(tasks.far[index] - tasks.near[index])
    tight = width <= 1e-12 * np.abs(position)
    tasks.done[index] = ended | (np.abs(height) <= close) | tight


def _height(cost: Floats, heights: Floats) -> Floats:
    """Square root of the rise in cost over that of the threshold, less 1: 0 at the end of the interval."""
    rise = np.maximum(cost - heights[:, 0], 0.0)
    return np.asarray(np.sqrt(rise / (heights[:, 1] - heights[:, 0])) - 1.0)
