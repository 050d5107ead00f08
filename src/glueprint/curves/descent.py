"""A careful Levenberg-Marquardt for many small least-squares problems. Kernel: arrays in, arrays out.

The machine code (`kernel`) is made for speed on logistic curves; this one also walks curved valleys and says
"converged" only where the whole tangent space is orthogonal to the residuals. It works on orthogonal factors
and never forms the normal equations, which would halve the digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Descent", "Evaluate", "descend", "triangle"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]
Evaluate = Callable[[Floats, Rows], tuple[Floats, Floats]]

ITERATIONS = 400
# Converged: the share of the residuals that lies in the tangent space (relative offset, Bates and Watts 1981,
# doi 10.1080/00401706.1981.10486262). Estimates are then off by about this share of their standard error.
OFFSET = 1e-8
# Below this offset a step changes the cost by less than its rounding, so the offset itself must fall.
OFFSET_OF_COST = 1e-5
# The scale of a parameter follows its column down at this pace: never would stall on long ridges, at once
# would leap to infinity.
FORGET = 0.5
# A fall in cost by this share is more than rounding.
FALL = 1e-11
# Residuals within this many units in the last place of the data are rounding.
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
DAMPING_START, DAMPING_LEAST, DAMPING_MOST = 1e-3, 1e-15, 1e20


@dataclass(frozen=True)
class Descent:
    """Where a batch ended: theta (n, p), cost (n,) the sum of squares, converged (n,), at_bound (n, p)."""

    theta: Floats
    cost: Floats
    converged: Flags
    at_bound: Flags


@dataclass
class _State:
    theta: Floats
    cost: Floats
    factor: Floats
    damping: Floats
    growth: Floats
    scale: Floats


def triangle(residual: Floats, jacobian: Floats) -> Floats:
    """The triangular factor (k, p + 1, p + 1) of the Jacobian (k, m, p) with the residuals (k, m) as last
    column: its last column holds Q'r, and below it what no step can remove.
    """
    together = np.concatenate([jacobian, residual[..., None]], axis=2)
    missing = together.shape[2] - together.shape[1]
    if missing > 0:
        together = np.pad(together, ((0, 0), (0, missing), (0, 0)))
    together = np.where(np.isfinite(together), together, 0.0)
    return np.asarray(np.linalg.qr(together, mode="r"))


def descend(
    evaluate: Evaluate,
    start: Floats,
    free: Flags,
    bounds: tuple[Floats, Floats],
    *,
    size: Floats,
    tolerance: float = OFFSET,
    iterations: int = ITERATIONS,
) -> Descent:
    """Minimise the sum of squared residuals of every problem of a batch.

    evaluate: (theta, rows) -> residuals (k, m), Jacobian (k, m, p).   start: (n, p).   free: (n, p) which
    may move.   bounds: low and high (n, p).   size: (n,) sum of squares of the data.
    tolerance: the relative offset that counts as converged.   iterations: at most so many steps.
    A step into NaN counts as uphill.
    Source: Moré 1978, doi 10.1007/BFb0067700 (scaling, orthogonal factors); Nielsen 1999, IMM-REP-1999-05
    (damping).
    """
    low, high = bounds
    moved = np.flatnonzero(free.any(axis=0))
    if moved.size < start.shape[1]:
        return _some(
            evaluate, start, free, bounds, moved, size=size, tolerance=tolerance, iterations=iterations
        )
    theta = np.where(free, np.clip(start, low, high), start)
    rows: Rows = np.arange(theta.shape[0])
    residual, jacobian = evaluate(theta, rows)
    jacobian = np.where(free[:, None, :], jacobian, 0.0)
    n = rows.size
    state = _State(
        theta, _cost(residual), triangle(residual, jacobian), np.full(n, DAMPING_START), np.full(n, 2.0),
        np.zeros_like(theta),
    )  # fmt: skip
    converged = np.zeros(n, dtype=bool)
    rows = rows[np.isfinite(state.cost)]
    for _ in range(iterations):
        moving = free[rows] & ~_held(state, rows, low, high)
        offset, exact = _offset(state, rows, moving, size)
        converged[rows] = offset_done = (offset <= tolerance) | exact
        going = ~offset_done & (state.damping[rows] < DAMPING_MOST)
        rows, moving, offset = rows[going], moving[going], offset[going]
        if rows.size == 0:
            break
        _advance(evaluate, state, rows, (moving, free, low, high), offset)
    at_bound = free & ((state.theta <= low) | (state.theta >= high))
    return Descent(state.theta, state.cost, converged, at_bound)


def _some(
    evaluate: Evaluate, start: Floats, free: Flags, bounds: tuple[Floats, Floats], moved: Rows, **options: Any
) -> Descent:
    """The same where no row moves some of the parameters: these never enter the factors."""

    def inner(part: Floats, rows: Rows) -> tuple[Floats, Floats]:
        theta = start[rows].copy()
        theta[:, moved] = part
        residual, jacobian = evaluate(theta, rows)
        return residual, jacobian[:, :, moved]

    low, high = (bound[:, moved] for bound in bounds)
    end = descend(inner, start[:, moved], free[:, moved], (low, high), **options)
    theta, at_bound = start.copy(), np.zeros(start.shape, dtype=bool)
    theta[:, moved], at_bound[:, moved] = end.theta, end.at_bound
    return Descent(theta, end.cost, end.converged, at_bound)


def _advance(
    evaluate: Evaluate,
    state: _State,
    rows: Rows,
    limits: tuple[Flags, Flags, Floats, Floats],
    offset: Floats,
) -> None:
    """One damped step of every row, taken where it goes downhill."""
    moving, free, low, high = limits
    step, promised = _step(state, rows, moving)
    trial = state.theta[rows] + step
    trial = np.where(moving, np.clip(trial, low[rows], high[rows]), trial)
    residual, jacobian = evaluate(trial, rows)
    cost = _cost(residual)
    gain = state.cost[rows] - cost
    near = offset < OFFSET_OF_COST
    better = gain > 0.0
    consider = better | (near & (np.abs(gain) <= 1e-9 * state.cost[rows]))
    factor = state.factor[rows].copy()
    if consider.any():
        seen = np.where(free[rows[consider], None, :], jacobian[consider], 0.0)
        factor[consider] = triangle(residual[consider], seen)
    flatter = np.zeros(rows.size, dtype=bool)
    if near.any():
        flatter = _projected(factor, moving) < _projected(state.factor[rows], moving)
    taken = consider & np.where(near, flatter | (gain > FALL * state.cost[rows]), better)
    won = rows[taken]
    state.theta[won], state.cost[won], state.factor[won] = trial[taken], cost[taken], factor[taken]
    quality = np.where(promised > 0.0, gain / np.where(promised > 0.0, promised, 1.0), 0.0)
    quality = np.where(near, 1.0, np.where(np.isfinite(quality), quality, 0.0))
    shrink = np.maximum(1.0 / 10.0, 1.0 - (2.0 * np.clip(quality, -1.0, 1.0) - 1.0) ** 3)
    state.damping[rows] = np.where(
        taken, state.damping[rows] * shrink, state.damping[rows] * state.growth[rows]
    )
    state.growth[rows] = np.where(taken, 2.0, np.minimum(state.growth[rows] * 2.0, 64.0))
    np.maximum(state.damping, DAMPING_LEAST, out=state.damping)


def _step(state: _State, rows: Rows, moving: Flags) -> tuple[Floats, Floats]:
    """The damped step (k, p) and the fall in cost that the linear model promises (k,)."""
    p = moving.shape[1]
    upper = np.where(moving[:, None, :], state.factor[rows][:, :p, :p], 0.0)
    target = state.factor[rows][:, :p, p]
    norm = np.sqrt(np.einsum("nij,nij->nj", upper, upper))
    state.scale[rows] = np.maximum(state.scale[rows] * FORGET, norm)
    scale = np.where(state.scale[rows] > 0.0, state.scale[rows], 1.0)
    upper = upper / scale[:, None, :]
    root = np.sqrt(state.damping[rows])
    ridge = np.where(moving, root[:, None], 1.0)[:, :, None] * np.eye(p)
    stacked = np.concatenate(
        [np.concatenate([upper, ridge], axis=1), np.pad(target, ((0, 0), (0, p)))[..., None]], axis=2
    )
    damped = np.asarray(np.linalg.qr(stacked, mode="r"))
    diagonal = np.einsum("nii->ni", damped[:, :p, :p])
    sound = (np.abs(diagonal) > 0.0).all(axis=1) & np.isfinite(damped).all(axis=(1, 2))
    matrix = np.where(sound[:, None, None], damped[:, :p, :p], np.eye(p))
    scaled = -np.linalg.solve(matrix, damped[:, :p, p][..., None])[..., 0]
    scaled = np.where(moving & sound[:, None], scaled, 0.0)
    after = target + np.einsum("nij,nj->ni", upper, scaled)
    promised = np.einsum("ni,ni->n", target, target) - np.einsum("ni,ni->n", after, after)
    return scaled / scale, promised


def _offset(state: _State, rows: Rows, moving: Flags, size: Floats) -> tuple[Floats, Flags]:
    """The relative offset (k,), and whether the projected residual is already rounding."""
    projected = _projected(state.factor[rows], moving)
    cost = state.cost[rows]
    offset = np.sqrt(projected / np.where(cost > 0.0, cost, 1.0))
    return offset, np.asarray(projected <= ROUNDING**2 * size[rows])


def _projected(factor: Floats, moving: Flags) -> Floats:
    """The squared length of the residuals within the tangent space of the moving columns (k,)."""
    p = moving.shape[1]
    target = factor[:, :p, p]
    held = ~moving.all(axis=1)
    total = np.einsum("ni,ni->n", target, target)
    if held.any():
        reduced = np.where(moving[held][:, None, :], factor[held][:, :p, :p], 0.0)
        both = np.concatenate([reduced, target[held][..., None]], axis=2)
        # Columns of zero would otherwise take a share of the residuals with them: they go last.
        order = np.argsort(~moving[held], axis=1, kind="stable")
        order = np.concatenate([order, np.full((order.shape[0], 1), p)], axis=1)
        again = np.asarray(np.linalg.qr(np.take_along_axis(both, order[:, None, :], axis=2), mode="r"))
        inside = np.arange(p)[None, :] < moving[held].sum(axis=1)[:, None]
        total[held] = np.einsum("ni,ni->n", np.where(inside, again[:, :p, p], 0.0), again[:, :p, p])
    return np.asarray(total)


def _held(state: _State, rows: Rows, low: Floats, high: Floats) -> Flags:
    """Parameters at a bound that the descent would push further out."""
    theta = state.theta[rows]
    p = theta.shape[1]
    factor = state.factor[rows]
    gradient = np.einsum("nij,ni->nj", factor[:, :p, :p], factor[:, :p, p])
    return np.asarray(((theta <= low[rows]) & (gradient > 0.0)) | ((theta >= high[rows]) & (gradient < 0.0)))


def _cost(residual: Floats) -> Floats:
    cost = np.einsum("nm,nm->n", residual, residual)
    return np.where(np.isfinite(cost), cost, np.inf)
