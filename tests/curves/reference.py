"""The machine code of the fits again in numpy, written to be read: starts by a grid, Levenberg-Marquardt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glueprint.curves.descent import Descent
from glueprint.curves.kernel_llvm import (
    CREEPING,
    DAMPING_LEAST,
    DAMPING_MOST,
    DAMPING_START,
    DEAD,
    EASE,
    FLATTER,
    FULL_STEP,
    ITERATIONS,
    NEGLIGIBLE,
    ORTHOGONAL,
    ORTHOGONAL_AT_ROUNDING,
    PATIENCE,
    PERFECT,
    SETTLED,
    TIGHTEN,
)
from glueprint.curves.kernel_starts_llvm import ASYMMETRIES, DOSES, MARGIN, SEPARATE, SLOPES, STARTS
from glueprint.curves.logistic import (
    BACK,
    FRONT,
    LN_ASYMMETRY,
    LN_SLOPE,
    LOG10_DOSE,
    LOGARITHMS,
    Flags,
    Floats,
    Rows,
    curve,
    log10_shift,
    shift_slopes,
)
from glueprint.curves.problem import Problem, rounding_of

__all__ = ["curve_at", "minimise", "starts"]

Evaluate = Callable[[Floats, Rows], tuple[Floats, Floats]]


def starts(problem: Problem, **_: object) -> Floats:
    """As `kernel.starts`."""
    fixed = np.tile(problem.pins, (len(problem.response), 1))
    return grid(problem.log10_dose, problem.response, problem.weights, fixed, STARTS)


def minimise(
    problem: Problem, start: Floats, rows: Rows, *, held: tuple[int, ...] = (), **_: object
) -> Descent:
    """As `kernel.minimise`."""
    root = np.sqrt(problem.weights)
    free = np.isnan(problem.pins)
    free[list(held)] = False

    def evaluate(theta: Floats, jobs: Rows) -> tuple[Floats, Floats]:
        curves = rows[jobs]
        level = None if problem.level is None else problem.level[curves]
        y, jacobian = curve_at(theta, problem.log10_dose[curves], level)
        return root[curves] * (y - problem.response[curves]), root[curves][..., None] * jacobian

    low, high = (np.where(~free, start, bound[rows]) for bound in problem.limits())
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return descend(evaluate, start, free, (low, high), size=problem.size[rows], logarithms=LOGARITHMS)


def curve_at(theta: Floats, log10_dose: Floats, level: Floats | None) -> tuple[Floats, Floats]:
    """As `logistic.curve`, where the third parameter may be the log10 dose with a response `level` (n,): NaN
    where the plateaus do not enclose it."""
    if level is None:
        return curve(theta, log10_dose)
    moved = theta.copy()
    moved[:, LOG10_DOSE] -= log10_shift(theta, level)
    y, jacobian = curve(moved, log10_dose)
    return y, jacobian - jacobian[..., LOG10_DOSE, None] * shift_slopes(theta, level)[:, None, :]


def descend(
    evaluate: Evaluate,
    start: Floats,
    free: Flags,
    bounds: tuple[Floats, Floats],
    *,
    size: Floats,
    logarithms: tuple[int, ...] = (),
) -> Descent:
    """Minimise the sum of squared residuals of every problem of a batch.

    evaluate: (theta, rows) -> residuals (k, m), Jacobian (k, m, p).   start: (n, p).   free: (p,) which
    may move.
    bounds: low and high (n, p).   size: (n,) sum of squares of the data, against which a residual may vanish.
    logarithms: parameters of which a step of 1 is a factor.   A step into NaN counts as uphill.
    Source: Levenberg (1944), Marquardt (1963); damping after Nielsen (1999), IMM-REP-1999-05; convergence
    test after Moré (1978), doi 10.1007/BFb0067700.
    """
    low, high = bounds
    theta = np.clip(start, low, high)
    rows: Rows = np.arange(theta.shape[0])
    residual, jacobian = evaluate(theta, rows)
    cost = _cost(residual)
    gradient, hessian = _normal(residual, jacobian)
    damping = np.full(theta.shape[0], DAMPING_START)
    converged = np.zeros(theta.shape[0], dtype=bool)
    for turn in range(ITERATIONS):
        if rows.size == 0:
            break
        held = free & _held(theta[rows], gradient[rows], low[rows], high[rows])
        moving = free & ~held
        step, gain = _step(gradient[rows], hessian[rows], damping[rows], moving)
        trial = np.clip(theta[rows] + step, low[rows], high[rows])
        residual, jacobian = evaluate(trial, rows)
        trial_cost = _cost(residual)
        trial_gradient, trial_hessian = _normal(residual, jacobian)
        noise = rounding_of(cost[rows], size[rows])
        slant = _slant(gradient[rows], hessian[rows], moving)
        flatter = _slant(trial_gradient, hessian[rows], moving) < FLATTER * slant
        better = (trial_cost < cost[rows]) | ((trial_cost <= cost[rows] + noise) & flatter)
        factor = np.where(better, _eased(cost[rows] - trial_cost, gain, noise), TIGHTEN)
        won = rows[better]
        theta[won], cost[won] = trial[better], trial_cost[better]
        gradient[won], hessian[won] = trial_gradient[better], trial_hessian[better]
        before = damping[rows]
        damping[rows] = np.maximum(damping[rows] * factor, DAMPING_LEAST)
        alive = moving & ~_dead(hessian[rows], cost[rows], logarithms)
        cosine = _cosine(gradient[rows], hessian[rows], cost[rows], alive)
        exact = cost[rows] <= NEGLIGIBLE * size[rows]
        rounding = ~better & (gain <= noise) & (exact | (cosine < ORTHOGONAL_AT_ROUNDING))
        settled = held.any(axis=1) & (gain <= SETTLED * cost[rows]) & (before <= FULL_STEP)
        creeping = better & (gain <= CREEPING * cost[rows]) & (before <= FULL_STEP) & (turn >= PATIENCE)
        done = (cosine < ORTHOGONAL) | rounding | settled | creeping | (cost[rows] <= PERFECT * size[rows])
        converged[rows] = done
        rows = rows[~done & (damping[rows] < DAMPING_MOST)]
    at_bound = free & ((theta <= low) | (theta >= high))
    return Descent(theta, cost, converged, at_bound)


def _cost(residual: Floats) -> Floats:
    cost = np.einsum("nm,nm->n", residual, residual)
    return np.where(np.isnan(cost), np.inf, cost)


def _normal(residual: Floats, jacobian: Floats) -> tuple[Floats, Floats]:
    turned = jacobian.transpose(0, 2, 1)
    return (turned @ residual[..., None])[..., 0], turned @ jacobian


def _held(theta: Floats, gradient: Floats, low: Floats, high: Floats) -> Flags:
    """Parameters at a bound that the descent would push further out."""
    return np.asarray(((theta <= low) & (gradient > 0.0)) | ((theta >= high) & (gradient < 0.0)))


def _step(gradient: Floats, hessian: Floats, damping: Floats, moving: Flags) -> tuple[Floats, Floats]:
    """The damped step (k, p) and the fall in cost that the quadratic model expects of it (k,)."""
    diagonal = np.einsum("npp->np", hessian)
    scale = np.where(diagonal > 0.0, diagonal, 1.0)
    both = moving[:, :, None] & moving[:, None, :]
    matrix = np.where(both, hessian, 0.0)
    index = np.arange(matrix.shape[1])
    matrix[:, index, index] += np.where(moving, damping[:, None] * scale, 1.0)
    slope = np.where(moving, gradient, 0.0)
    step = -np.linalg.solve(matrix, slope[..., None])[..., 0]
    bend = np.einsum("np,npq,nq->n", step, np.where(both, hessian, 0.0), step)
    return step, -2.0 * np.einsum("np,np->n", slope, step) - bend


def _slant(gradient: Floats, hessian: Floats, moving: Flags) -> Floats:
    """The largest squared gradient of a moving parameter, in units of its own column (k,)."""
    diagonal = np.einsum("npp->np", hessian)
    share = gradient * gradient / np.where(diagonal > 0.0, diagonal, 1.0)
    return np.asarray(np.where(moving, share, 0.0).max(axis=1))


def _eased(fall: Floats, gain: Floats, noise: Floats) -> Floats:
    """What multiplies the damping after a step that lowers the cost by `fall` where `gain` was expected."""
    expected = gain > noise
    ratio = np.where(expected, fall / np.where(expected, gain, 1.0), 1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.maximum(1.0 - (2.0 * ratio - 1.0) ** 3, EASE))


def _dead(hessian: Floats, cost: Floats, logarithms: tuple[int, ...]) -> Flags:
    """Logarithmic parameters (k, p) that no residual depends on here."""
    dead = np.zeros(hessian.shape[:2], dtype=bool)
    for i in logarithms:
        dead[:, i] = hessian[:, i, i] <= DEAD * cost
    return dead


def _cosine(gradient: Floats, hessian: Floats, cost: Floats, moving: Flags) -> Floats:
    """The largest cosine between the residuals and a moving column of the Jacobian."""
    norm = np.sqrt(np.einsum("npp->np", hessian) * cost[:, None])
    cosine = np.abs(gradient) / np.where(norm > 0.0, norm, np.inf)
    return np.asarray(np.where(moving, cosine, 0.0).max(axis=1))


def grid(log10_dose: Floats, response: Floats, weights: Floats, fixed: Floats, count: int) -> Floats:
    """The `count` best starts of each curve, best first.

    log10_dose, response, weights: (n, m).   fixed: (n, 5), NaN where a parameter is free, the same ones in
    every curve.
    Returns (count, n, 5).   For each dose of the grid its best shape is kept, so starts differ in dose.
    """
    doses = _doses(log10_dose, weights, fixed[:, LOG10_DOSE])
    slopes = SLOPES if np.isnan(fixed[:, LN_SLOPE]).any() else (1.0,)
    asymmetries = ASYMMETRIES if np.isnan(fixed[:, LN_ASYMMETRY]).any() else (1.0,)
    shapes = [(np.log(slope), np.log(asymmetry)) for slope in slopes for asymmetry in asymmetries]
    found = np.empty((doses.shape[1], log10_dose.shape[0], 5))
    cost = np.full((doses.shape[1], log10_dose.shape[0]), np.inf)
    for i, half in enumerate(doses.T):
        for shape in shapes:
            ln_slope, ln_asymmetry = (
                np.where(np.isnan(fixed[:, at]), value, fixed[:, at])
                for at, value in zip((LN_SLOPE, LN_ASYMMETRY), shape, strict=True)
            )
            unit = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (half.size, 1))
            unit[:, LOG10_DOSE], unit[:, LN_SLOPE], unit[:, LN_ASYMMETRY] = half, ln_slope, ln_asymmetry
            in_front = curve(unit, log10_dose)[0]
            front, back = _plateaus(in_front, response, weights, fixed)
            miss = back[:, None] + (front - back)[:, None] * in_front - response
            rss = np.einsum("nm,nm,nm->n", weights, miss, miss)
            better = rss < cost[i]
            cost[i] = np.where(better, rss, cost[i])
            theta = np.stack([front, back, half, ln_slope, ln_asymmetry], axis=1)
            found[i] = np.where(better[:, None], theta, found[i])
    order = np.argsort(cost, axis=0, kind="stable")[:count]
    return np.take_along_axis(found, order[..., None], axis=0)


def _doses(log10_dose: Floats, weights: Floats, fixed: Floats) -> Floats:
    seen = (weights > 0.0) & np.isfinite(log10_dose)
    least = np.where(seen, log10_dose, np.inf).min(axis=1)
    most = np.where(seen, log10_dose, -np.inf).max(axis=1)
    least, most = np.where(np.isfinite(least), least, 0.0), np.where(np.isfinite(most), most, 0.0)
    share = np.linspace(0.0, 1.0, DOSES)
    grid = (least - MARGIN)[:, None] + (most - least + 2.0 * MARGIN)[:, None] * share
    return np.where(np.isnan(fixed)[:, None], grid, fixed[:, None])


def _plateaus(in_front: Floats, response: Floats, weights: Floats, fixed: Floats) -> tuple[Floats, Floats]:
    """Weighted least squares for the two plateaus, given how much each point lies in front; fixed ones
    stay."""
    in_back = 1.0 - in_front
    ff = np.einsum("nm,nm,nm->n", weights, in_front, in_front)
    bb = np.einsum("nm,nm,nm->n", weights, in_back, in_back)
    fb = np.einsum("nm,nm,nm->n", weights, in_front, in_back)
    fy = np.einsum("nm,nm,nm->n", weights, in_front, response)
    by = np.einsum("nm,nm,nm->n", weights, in_back, response)
    free_front, free_back = np.isnan(fixed[:, FRONT]), np.isnan(fixed[:, BACK])
    given_front, given_back = (
        np.where(free_front, 0.0, fixed[:, FRONT]),
        np.where(free_back, 0.0, fixed[:, BACK]),
    )
    determinant = ff * bb - fb * fb
    total = np.einsum("nm->n", weights)
    seen_front, seen_back = ff > SEPARATE * total, bb > SEPARATE * total
    solvable = (determinant > SEPARATE * ff * bb) & seen_front & seen_back
    safe = np.where(solvable, determinant, 1.0)
    mean = (fy + by) / np.where(total > 0.0, total, 1.0)
    front = np.where(solvable, (fy * bb - by * fb) / safe, mean)
    back = np.where(solvable, (by * ff - fy * fb) / safe, mean)
    alone_front = np.where(seen_front, (fy - given_back * fb) / np.where(seen_front, ff, 1.0), mean)
    alone_back = np.where(seen_back, (by - given_front * fb) / np.where(seen_back, bb, 1.0), mean)
    front = np.where(free_front, np.where(free_back, front, alone_front), given_front)
    back = np.where(free_back, np.where(free_front, back, alone_back), given_back)
    return front, back
