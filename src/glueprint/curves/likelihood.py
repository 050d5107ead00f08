"""Profile-likelihood intervals of every parameter of a batch of curves. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glueprint.curves.descent import Evaluate, Flags, Floats, Rows, descend

__all__ = ["Profiles", "profiles"]

ROUNDS = 60
# How near the square root of the rise in cost must come to its threshold (as a share of it).
CLOSE = 1e-6
# A refit on the way need not be better than this: costs are then right to the square of it.
OFFSET = 1e-5
# Refits begin close by; one that has not ended by then creeps along a ridge where the cost is flat.
STEPS = 60
# A parameter without limit is followed this many multiples of the first step before its profile counts as
# open.
FAR = 1e6
BETTER = 1e-6


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


def profiles(
    evaluate: Evaluate,
    best: Floats,
    free: Flags,
    bounds: tuple[Floats, Floats],
    *,
    heights: Floats,
    covariance: Floats,
    size: Floats,
    wanted: Flags | None = None,
    reaching: Flags | None = None,
) -> Profiles:
    """Where the profile of each free parameter crosses the threshold on either side of the best fit.

    best, free: (n, p).   bounds: low and high (n, p), where the search ends.   heights: (n, 2) sum of squares
    at the fit and at the threshold, NaN for no interval.   covariance: (n, p, p) times the degrees of freedom
    (inv(J'J) rss), NaN where unknown.
    wanted: (n, p) parameters to profile, all free ones by default.   reaching: (p,) whose bounds are only how
    far the search looks: a profile that runs into one before it crosses is open.
    Source: Bates and Watts 1988, section 6.1, doi 10.1002/9780470316757.
    """
    tasks = _begin(best, free if wanted is None else free & wanted, bounds, heights)
    intervals = np.full((*best.shape, 2), np.nan)
    better = np.full(best.shape, np.nan)
    lowest = heights[:, 0] * (1.0 - BETTER)
    slopes, first = _tangents(best, covariance, heights, tasks)
    start = best[tasks.curve, tasks.parameter]
    tasks.limit = np.where(np.isfinite(tasks.limit), tasks.limit, start + tasks.sign * FAR * first)
    for turn in range(ROUNDS):
        index = np.flatnonzero(~tasks.done)
        if index.size == 0:
            break
        position = _next(tasks, index, best, first, turn)
        theta = _predict(tasks, index, position, best, slopes)
        held = free[tasks.curve[index]].copy()
        held[np.arange(index.size), tasks.parameter[index]] = False
        curve = tasks.curve[index]
        end = descend(
            lambda part, which, curve=curve: evaluate(part, curve[which]),  # type: ignore[misc]
            theta, held, (bounds[0][curve], bounds[1][curve]), size=size[curve], tolerance=OFFSET,
            iterations=STEPS,
        )  # fmt: skip
        below = end.cost < lowest[curve]
        for row in np.flatnonzero(below):
            if end.cost[row] < lowest[curve[row]]:
                lowest[curve[row]], better[curve[row]] = end.cost[row], end.theta[row]
        stopped = end.at_bound & (False if reaching is None else reaching) & held
        _sort_in(tasks, index, position, end.theta, _height(end.cost, heights[curve]))
        inside = end.cost <= heights[curve, 1]
        tasks.near_bound[index[inside]] = stopped[inside].any(axis=1)
    side = (tasks.sign > 0.0).astype(int)
    middle = np.where(np.isfinite(tasks.far), 0.5 * (tasks.near + tasks.far), tasks.sign * np.inf)
    crossing = np.where(np.abs(tasks.far_height) < np.abs(tasks.near_height), tasks.far, tasks.near)
    close = np.minimum(np.abs(tasks.far_height), np.abs(tasks.near_height)) <= 10.0 * CLOSE
    found = np.where(tasks.opened | tasks.near_bound, tasks.sign * np.inf, np.where(close, crossing, middle))
    intervals[tasks.curve, tasks.parameter, side] = found
    return Profiles(intervals, better)


def _begin(best: Floats, free: Flags, bounds: tuple[Floats, Floats], heights: Floats) -> _Tasks:
    sound = np.isfinite(heights).all(axis=1) & (heights[:, 1] > heights[:, 0])
    curve, parameter = (np.repeat(part, 2) for part in np.nonzero(free & sound[:, None]))
    sign = np.tile([-1.0, 1.0], curve.size // 2)
    limit = np.where(sign < 0.0, bounds[0][curve, parameter], bounds[1][curve, parameter])
    count = curve.size
    start = best[curve, parameter]
    return _Tasks(
        curve, parameter, sign, limit,
        near=start.copy(), near_height=np.full(count, -1.0), near_theta=best[curve].copy(),
        far=np.full(count, np.inf), far_height=np.full(count, np.inf), far_theta=best[curve].copy(),
        near_bound=np.zeros(count, bool), last_out=np.zeros(count, bool), done=sign * (limit - start) <= 0.0,
        opened=sign * (limit - start) <= 0.0,
    )  # fmt: skip


def _tangents(best: Floats, covariance: Floats, heights: Floats, tasks: _Tasks) -> tuple[Floats, Floats]:
    """How the other parameters follow a held one (k, p), and a first step (k,) from the linear theory."""
    k = np.arange(tasks.curve.size)
    column = covariance[tasks.curve, :, tasks.parameter]
    variance = column[k, tasks.parameter]
    known = np.isfinite(variance) & (variance > 0.0)
    slopes = np.where(known[:, None], column / np.where(known, variance, 1.0)[:, None], 0.0)
    # The threshold is rss (1 + t^2 / dof), so t standard errors are the root of rise times inv(J'J) rss.
    rise = heights[tasks.curve, 1] / heights[tasks.curve, 0] - 1.0
    fallback = 0.1 * (np.abs(best[tasks.curve, tasks.parameter]) + 0.1)
    linear = np.sqrt(np.where(known, variance, 0.0) * np.where(np.isfinite(rise), rise, 0.0))
    return np.nan_to_num(slopes), np.where(linear > 0.0, linear, fallback)


def _next(tasks: _Tasks, index: Rows, best: Floats, first: Floats, turn: int) -> Floats:
    """The next value of the held parameter: outward until outside, then between."""
    centre = best[tasks.curve[index], tasks.parameter[index]]
    near, far = tasks.near[index], tasks.far[index]
    low, high = tasks.near_height[index], tasks.far_height[index]
    gone = np.abs(near - centre)
    share = 1.0 + low
    with np.errstate(all="ignore"):
        grow = np.clip(1.02 / share, 1.2, 4.0)
        outward = np.where(gone > 0.0, gone * np.where(np.isfinite(grow), grow, 4.0), first[index])
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
    theta = np.where(np.isfinite(theta), theta, tasks.near_theta[index])
    theta[k, parameter] = position
    return theta


def _sort_in(tasks: _Tasks, index: Rows, position: Floats, theta: Floats, height: Floats) -> None:
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
    tasks.done[index] = ended | (np.abs(height) <= CLOSE) | tight


def _height(cost: Floats, heights: Floats) -> Floats:
    """Square root of the rise in cost over that of the threshold, less 1: 0 at the end of the interval."""
    rise = np.maximum(cost - heights[:, 0], 0.0)
    return np.asarray(np.sqrt(rise / (heights[:, 1] - heights[:, 0])) - 1.0)
