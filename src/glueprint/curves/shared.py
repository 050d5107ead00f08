"""One fit of several curves that share parameters, with an interval for each curve's own, and the F test
between two such fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from glueprint.curves import search
from glueprint.curves.descent import Descent, descend
from glueprint.curves.evidence import Comparison, compared
from glueprint.curves.models.model import Flags, Floats, Rows
from glueprint.curves.nest import Nest
from glueprint.curves.problem import Problem
from glueprint.curves.profile import OFFSET, STEPS, profiles, threshold
from glueprint.curves.result import Fits
from glueprint.errors import InputError, nearest

__all__ = ["Together", "compare", "solve", "undetermined"]

STARTS = 4
# Shared parameters begin at these shares of what the curves say one by one.
QUANTILES = (0.5, 0.25, 0.75)
# Up to this many curves every profile refits all of them; beyond, the others enter by their curvature.
EXACT = 30
# A descent that did not converge must be lower by this factor to be preferred.
SAME = 1.0 + 1e-6
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Together:
    """n curves fitted at once, on the fitting scale: theta, at_bound (n, p), covariance (n, p, p) with the
    variances alone known, interval (n, p, 2); rss (n,), dof and converged of the whole; how: of the
    intervals."""

    theta: Floats
    covariance: Floats
    interval: Floats
    at_bound: Flags
    rss: Floats
    dof: int
    converged: bool
    how: str


def compare(restricted: Fits, general: Fits) -> Comparison:
    """F test and AICc of two fits of the same data, the restricted one sharing more: "is the EC50 the same?".

    Raises InputError GP-C028 if they are not fits of the same points, or share the same parameters.
    Source: Bates and Watts 1988, section 3.10, doi 10.1002/9780470316757.
    """
    before, after = restricted.problem, general.problem
    same = before.response.shape == after.response.shape and np.array_equal(
        before.weights * before.response, after.weights * after.response
    )
    extra = general.parameter_count - restricted.parameter_count
    if not same or extra <= 0:
        raise InputError(
            "GP-C028", "the two fits cannot be compared",
            expected="fits of the same points, the first with fewer parameters",
            next_step="fit twice with shared=, once with more names in it",
        )  # fmt: skip
    simple, full = ((float(np.sum(fits.rss)), fits.parameter_count) for fits in (restricted, general))
    return compared(simple, full, int(after.told.sum()))


def solve(problem: Problem, shared: Sequence[str], sought: Flags, confidence: float) -> Together:
    """Fit n curves at once; the parameters named in `shared` take one value for all of them.

    sought: (p,) which parameters get a profile interval.
    Raises InputError GP-C028 for an impossible choice of shared parameters.
    Source: own derivation, docs/regression.md.
    """
    places = _places(problem, shared)
    nest, end = _solve(problem, places)
    theta, moving = nest.inner(end.theta[0])
    residual, outer, follow = nest.parts(theta, moving)
    each = np.einsum("nm,nm->n", residual, residual)
    rss, (n, p) = float(each.sum()), theta.shape
    own = [i for i in range(p) if i not in places and problem.free[:, i].any()]
    dof = int(problem.points.sum()) - len(places) - len(own) * n
    nest = Nest(problem, places, theta)
    variances = _variances(nest, (outer, follow), moving, rss / max(dof, 1))
    covariance = np.full((n, p, p), np.nan)
    if dof > 0:
        covariance[:, np.arange(p), np.arange(p)] = variances
    interval, how, converged = np.full((n, p, 2), np.nan), "none", bool(end.converged[0])
    if sought.any() and dof > 0 and converged:
        rise = rss, float(threshold(np.array(rss), np.array(dof), confidence)), dof
        interval, how = _intervals(nest, np.sqrt(variances), rise, np.flatnonzero(sought).tolist())
    free = problem.free.copy()
    free[:, places] = False
    return Together(theta, covariance, interval, free & ~moving, each, dof, converged, how)


def undetermined(problem: Problem, shared: Sequence[int]) -> Flags:
    """Curves (n,) with fewer doses than parameters of their own, of which these say nothing."""
    own = ~np.isin(np.arange(problem.free.shape[1]), shared)
    return np.asarray(problem.distinct_doses < problem.free[:, own].sum(axis=1))


def _places(problem: Problem, shared: Sequence[str]) -> tuple[int, ...]:
    names = problem.model.names
    free = np.asarray(problem.free.all(axis=0))
    for name in shared:
        if name not in names or not free[names.index(name)]:
            hint = nearest(name, names)
            raise _refusal(f'cannot share "{name}"{hint}', [n for n, f in zip(names, free, strict=True) if f])
    if not shared or len(set(shared)) != len(shared):
        raise _refusal("shared= names no parameter, or one twice", list(names))
    return tuple(names.index(name) for name in shared)


def _refusal(message: str, names: list[str]) -> InputError:
    return InputError(
        "GP-C028", message, where="shared", expected="names of free parameters: " + ", ".join(names),
        next_step="correct shared=, or free the parameter with fixed={name: None}",
    )  # fmt: skip


def _solve(problem: Problem, places: tuple[int, ...]) -> tuple[Nest, Descent]:
    """The lowest of several descents, begun where the single curves point."""
    alone = search.best_of(problem, problem.starts(STARTS))
    told = alone.theta[alone.settled] if alone.settled.any() else alone.theta
    found: list[tuple[Nest, Descent]] = []
    for share in QUANTILES:
        values = np.quantile(told[:, places], share, axis=0)
        pinned = problem.pinned.copy()
        pinned[:, places] = values
        held = replace(problem, pinned=pinned)
        base = search.best_of(held, held.starts(STARTS)).theta
        nest = Nest(problem, places, base)
        low, high = nest.limits()
        free = np.ones((1, len(places)), dtype=bool)
        end = descend(nest.evaluate, values[None, :], free, (low, high), size=problem.size.sum()[None])
        found.append((nest, end))
    height = [float(end.cost[0]) * (1.0 if end.converged[0] else SAME) for _, end in found]
    return found[int(np.argmin(height))]


def _variances(nest: Nest, parts: tuple[Floats, Floats], moving: Flags, variance: float) -> Floats:
    """Variances (n, p) on the fitting scale: of the own parameters alone, and through the shared ones."""
    outer, follow = parts
    flat = outer.reshape(-1, outer.shape[2])
    norm = np.sqrt((flat**2).sum(axis=0))
    norm = np.where(norm > 0.0, norm, 1.0)
    of_shared = np.linalg.pinv((flat / norm).T @ (flat / norm)) / np.outer(norm, norm)
    _, jacobian = nest.problem.evaluate(nest.base, np.arange(nest.base.shape[0]))
    own = np.where(moving[:, None, :], jacobian, 0.0)
    scale = np.sqrt(np.einsum("nmp,nmp->np", own, own))
    dead = moving & (scale == 0.0)
    scale = np.where(scale > 0.0, scale, 1.0)
    unit = own / scale[:, None]
    inverse = np.linalg.pinv(unit.transpose(0, 2, 1) @ unit, hermitian=True)
    alone = np.einsum("npp->np", inverse) / scale**2
    total = alone + np.einsum("nps,st,npt->np", follow, of_shared, follow)
    total[:, nest.shared] = np.diag(of_shared)
    known = moving & ~dead
    known[:, nest.shared] = True
    return np.where(known, total * variance, np.nan)


def _intervals(
    nest: Nest, errors: Floats, rise: tuple[float, float, int], sought: list[int]
) -> tuple[Floats, str]:
    """Profile intervals (n, p, 2) on the fitting scale, and how they were made."""
    n, p = nest.base.shape
    found = np.full((n, p, 2), np.nan)
    for turn, place in enumerate(nest.shared):
        if place in sought:
            found[:, place] = _profile(nest, nest.base[0, nest.shared], turn, errors[0, place], rise)
    own = [i for i in sought if i not in nest.shared and nest.problem.free[:, i].any()]
    if n > EXACT:
        found[:, own] = _collapsed(nest, errors, rise, own)[:, own]
        return found, "profile, others by curvature"
    for curve, parameter in product(np.flatnonzero(~undetermined(nest.problem, nest.shared)).tolist(), own):
        best = np.append(nest.base[curve, nest.shared], nest.base[curve, parameter])
        beside, error = nest.beside(curve, parameter), errors[curve, parameter]
        found[curve, parameter] = _profile(beside, best, best.size - 1, error, rise)
    return found, "profile"


def _profile(
    nest: Nest, best: Floats, which: int, error: float, rise: tuple[float, float, int]
) -> tuple[float, float]:
    wanted = np.zeros((1, best.size), dtype=bool)
    wanted[0, which] = True
    inverse = np.full((1, best.size, best.size), np.nan)
    inverse[0, which, :] = inverse[0, :, which] = 0.0
    inverse[0, which, which] = error**2 * rise[2] / max(rise[0], TINY)
    size, ends = nest.problem.size.sum()[None], nest.limits()

    def refit(theta: Floats, rows: Rows, _: Rows) -> tuple[Floats, Floats, Flags]:
        end = descend(
            nest.evaluate, theta, ~wanted[rows], (ends[0][rows], ends[1][rows]), size=size[rows],
            tolerance=OFFSET, iterations=STEPS,
        )  # fmt: skip
        return end.theta, end.cost, np.zeros(rows.size, dtype=bool)

    found = profiles(refit, best[None, :], wanted, ends, heights=np.array([rise[:2]]), inverse=inverse)
    return float(found.intervals[0, which, 0]), float(found.intervals[0, which, 1])


def _collapsed(nest: Nest, errors: Floats, rise: tuple[float, float, int], own: list[int]) -> Floats:
    """Intervals (n, p, 2) on the fitting scale, all curves at once.

    Each curve is refitted in full; the others pull at the shared parameters by the curvature of their sum of
    squares at the best fit. With many curves these hardly move, so that the error is of third order in their
    step.   errors: (n, p).   rise: sum of squares at the fit and at the threshold, and degrees of freedom.
    own: parameters to profile.
    Source: own derivation, docs/regression.md.
    """
    n, p = nest.base.shape
    shared = nest.shared
    moving = nest.problem.free.copy()
    moving[:, shared] = False
    low, high = nest.problem.limits()
    residual, outer, _ = nest.parts(nest.base, moving & (nest.base > low) & (nest.base < high))
    each = np.einsum("nms,nmt->nst", outer, outer)
    pull = np.einsum("nms,nm->ns", outer, residual)
    # What all the others together would lose, as rows of a least-squares problem: |root (s - best) + off|^2.
    curvature = each.sum(axis=0) - each
    size, turn = np.linalg.eigh(curvature)
    root = np.sqrt(np.maximum(size, 0.0))[:, :, None] * turn.transpose(0, 2, 1)
    keep = np.sqrt(np.where(size > 0.0, size, np.inf))
    off = np.einsum("nts,nt->ns", turn, pull.sum(axis=0) - pull) / keep
    lines = np.zeros((n, len(shared), p))
    lines[:, :, shared] = root
    beside = replace(nest.problem, prior=(nest.base, lines, off), careful=True)
    start, _ = beside.evaluate(nest.base, np.arange(n))
    cost = np.einsum("nm,nm->n", start, start)
    inverse = np.full((n, p, p), np.nan)
    index = np.arange(p)
    inverse[:, index, index] = errors**2 * rise[2] / max(rise[0], TINY)
    heights = np.stack([cost, cost + rise[1] - rise[0]], axis=1)
    return search.profiled(beside, nest.base, np.isin(index, own), heights, inverse).intervals
