"""Levenberg-Marquardt for many small least-squares problems at once. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from glueprint.curves.logistic import Evaluate, Floats, Rows

__all__ = ["Minimum", "minimise", "rounding_of"]

Flags = NDArray[np.bool_]

ITERATIONS = 400
# Converged: every free column of the Jacobian is orthogonal to the residuals to this cosine (MINPACK's
# gtol test).
ORTHOGONAL = 1e-9
# Looser, where rounding already stops the descent: no step lowers the cost by more than one unit in the
# last place.
ORTHOGONAL_AT_ROUNDING = 1e-4
# Where rounding hides the descent, a step counts if it brings the squared gradient down to this share.
FLATTER = 0.25
# At a bound (a step between two doses, a plateau out of sight) other columns may die: there the cost decides,
# but only of a step that the damping does not shorten.
SETTLED, FULL_STEP = 1e-10, 1e-3
# A logarithmic parameter is dead where moving it by 1 changes no residual by more than this share of the cost
# allows: the cost cannot fall by more than 2e-6 of itself, so its direction is not asked for.
DEAD = 1e-12
# On a ridge (a step between two doses fits with any steeper slope) the parameters creep for ever: there, too,
# the cost decides, once a fit has had time to converge.
CREEPING, PATIENCE = 1e-11, 40
PERFECT = 1e-28
# Residuals below 1e-8 of the data are rounding themselves: their direction says nothing.
NEGLIGIBLE = 1e-16
# The damping follows the ratio of the fall in cost to the fall expected (Nielsen 1999, IMM-REP-1999-05): a
# step that overshoots a curved valley is taken, but the next one is shorter.
EASE, TIGHTEN = 0.1, 4.0
DAMPING_START, DAMPING_LEAST, DAMPING_MOST = 1e-3, 1e-12, 1e14


@dataclass(frozen=True)
class Minimum:
    """Where a batch ended: theta (n, p), cost (n,) the sum of squares, converged and at_bound (n, p)
    flags."""

    theta: Floats
    cost: Floats
    converged: Flags
    at_bound: Flags
    hessian: Floats

    def rows(self, which: Rows) -> Minimum:
        """Copies of some of the problems."""
        return Minimum(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def put(self, rows: Rows, other: Minimum) -> None:
        """Replace some of the problems, in place."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


def minimise(
    evaluate: Evaluate,
    start: Floats,
    free: Flags,
    bounds: tuple[Floats, Floats],
    *,
    size: Floats,
    logarithms: tuple[int, ...] = (),
) -> Minimum:
    """Minimise the sum of squared residuals of every problem of a batch.

    evaluate: (theta, rows) -> residuals (k, m), Jacobian (k, m, p).   start: (n, p).   free: (p,) which
    may move.
    bounds: low and high (n, p).   size: (n,) sum of squares of the data, against which a residual may vanish.
    logarithms: parameters of which a step of 1 is a factor.   A step into NaN counts as uphill.
    Returns `Minimum`; `hessian` is J'J (n, p, p) at the end.
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
    return Minimum(theta, cost, converged, at_bound, hessian)


def _cost(residual: Floats) -> Floats:
    cost = np.einsum("nm,nm->n", residual, residual)
    return np.where(np.isnan(cost), np.inf, cost)


def rounding_of(cost: Floats, size: Floats) -> Floats:
    """How far rounding alone moves the cost: residuals carry the rounding of the data they are taken from.

    Source: own derivation: d(r'r) = 2 r'dr with |dr| <= eps |y|, and the rounding of the sum itself.
    """
    return np.asarray(4.0 * np.finfo(float).eps * (cost + np.sqrt(cost * size)))


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
