"""One fit of several curves that share parameters, with an interval for each curve's own, and the F test
between two such fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from glueprint.curves import request, search
from glueprint.curves.collapse import collapsed
from glueprint.curves.descent import Descent, descend
from glueprint.curves.evidence import f_test
from glueprint.curves.models.model import Flags, Floats, Model
from glueprint.curves.nest import Nest
from glueprint.curves.problem import Problem
from glueprint.curves.profile import by_descent, profiles
from glueprint.errors import InputError, nearest

__all__ = ["Comparison", "SharedFit", "compare", "fit_shared"]

STARTS = 4
# Shared parameters begin at these shares of what the curves say one by one.
QUANTILES = (0.5, 0.25, 0.75)
# Up to this many curves every profile refits all of them; beyond, the others enter by their curvature.
EXACT = 30
# A descent that did not converge must be lower by this factor to be preferred.
SAME = 1.0 + 1e-6


@dataclass(frozen=True)
class SharedFit:
    """n curves fitted at once; a shared parameter has the same value in every row.

    estimates, standard_errors, low, high: (n, p) natural units, in the order of `names`; profile intervals at
    `confidence`, open is infinite (0 below on a log10 scale), NaN where fixed or unknown.
    theta: (n, p) on the fitting scale.   curve_rss: (n,).   rss, points, dof: of all curves together.
    converged: of the whole.   reason: text with the remedy where it is not.
    intervals: "profile", "profile, others by curvature" (many curves), or "none".
    """

    model: Model
    shared: tuple[str, ...]
    estimates: Floats
    standard_errors: Floats
    low: Floats
    high: Floats
    theta: Floats
    curve_rss: Floats
    rss: float
    points: int
    parameters: int
    converged: bool
    reason: str
    intervals: str
    confidence: float
    problem: Problem

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters (p)."""
        return self.model.names

    @property
    def dof(self) -> int:
        """Points less parameters."""
        return self.points - self.parameters

    def __getitem__(self, name: str) -> Floats:
        """Estimates (n,) of a parameter by name."""
        return np.asarray(self.estimates[:, self.names.index(name)])

    def interval(self, name: str) -> Floats:
        """Profile interval (n, 2) of a parameter by name."""
        index = self.names.index(name)
        return np.stack([self.low[:, index], self.high[:, index]], axis=1)


@dataclass(frozen=True)
class Comparison:
    """Extra sum of squares of a restricted fit over a general one: F with its degrees of freedom, and p."""

    f: float
    extra: int
    dof: int
    p: float


def compare(restricted: SharedFit, general: SharedFit) -> Comparison:
    """F test of two fits of the same data, the restricted one sharing more: "is the EC50 the same?".

    Raises InputError GP-C028 if they are not fits of the same points, or share the same parameters.
    Source: Bates and Watts 1988, section 3.10, doi 10.1002/9780470316757.
    """
    same = restricted.problem.response.shape == general.problem.response.shape and np.array_equal(
        restricted.problem.root * restricted.problem.response, general.problem.root * general.problem.response
    )
    extra = general.parameters - restricted.parameters
    if not same or extra <= 0:
        raise InputError(
            "GP-C028", "the two fits cannot be compared",
            expected="fits of the same points, the first with fewer parameters",
            next_step="fit twice with fit_shared, once with more names in shared=",
        )  # fmt: skip
    dof = general.dof
    ratio, p = f_test(restricted.rss - general.rss, extra, general.rss, dof)
    return Comparison(float(ratio), extra, dof, float(p))


def fit_shared(
    model: request.AnyModel,
    inputs: request.Inputs,
    response: ArrayLike,
    *,
    shared: Sequence[str],
    weights: ArrayLike | None = None,
    fixed: Mapping[str, ArrayLike | None] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    intervals: bool = True,
    confidence: float = 0.95,
) -> SharedFit:
    """Fit n curves at once; the parameters named in `shared` take one value for all of them.

    inputs, response, weights, fixed, constants: as in `regress`.   shared: names, at least one.
    intervals: profile intervals of every parameter of every curve.
    Returns `SharedFit`.
    Raises InputError as `regress`, and GP-C028 for an impossible choice of shared parameters.
    Source: own derivation, docs/regression.md.
    """
    chosen = request.model_of(model, inputs, None)
    problem = request.problem_of(chosen, inputs, response, weights, constants, fixed)
    request.confidence_of(confidence)
    request.starts_of(chosen, None)
    places = _places(problem, shared)
    nest, end = _solve(problem, places)
    theta, moving = nest.inner(end.theta[0])
    residual, outer, follow = nest.parts(theta, moving)
    curve_rss = np.einsum("nm,nm->n", residual, residual)
    rss = float(curve_rss.sum())
    points = int((problem.root > 0.0).sum())
    own = [i for i in range(theta.shape[1]) if i not in places and problem.free[:, i].any()]
    parameters = len(places) + len(own) * theta.shape[0]
    nest = Nest(problem, places, theta)
    errors = np.sqrt(_variances(nest, (outer, follow), moving, rss / max(points - parameters, 1)))
    low, high, how = np.full_like(theta, np.nan), np.full_like(theta, np.nan), "none"
    if intervals and points > parameters and bool(end.converged[0]):
        low, high, how = _intervals(nest, errors, _threshold(rss, points - parameters, confidence))
    natural = problem.natural(theta)
    return SharedFit(
        model=chosen,
        shared=tuple(shared),
        estimates=natural,
        standard_errors=errors * problem.slope(natural)
        if points > parameters
        else np.full_like(errors, np.nan),
        low=problem.natural(low),
        high=problem.natural(high),
        theta=theta,
        curve_rss=curve_rss,
        rss=rss,
        points=points,
        parameters=parameters,
        converged=bool(end.converged[0]),
        reason="" if end.converged[0] else "the fit did not converge; share fewer parameters or fix some",
        intervals=how,
        confidence=confidence,
        problem=problem,
    )


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
        held = Problem(problem.model, problem.given, problem.response, problem.root, pinned)
        base = search.best_of(held, held.starts(STARTS)).theta
        nest = Nest(problem, places, base)
        low, high = nest.limits()
        free = np.ones((1, len(places)), dtype=bool)
        end = descend(nest.evaluate, values[None, :], free, (low, high), size=problem.size.sum()[None])
        found.append((nest, end))
    height = [float(end.cost[0]) * (1.0 if end.converged[0] else SAME) for _, end in found]
    return found[int(np.argmin(height))]


def _threshold(rss: float, dof: int, confidence: float) -> tuple[float, float, int]:
    quantile = float(student.ppf(0.5 + 0.5 * confidence, dof))
    return rss, rss * (1.0 + quantile**2 / dof), dof


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


def _intervals(nest: Nest, errors: Floats, rise: tuple[float, float, int]) -> tuple[Floats, Floats, str]:
    """Profile intervals (n, p) on the fitting scale, and how they were made."""
    n, p = nest.base.shape
    low, high = np.full((n, p), np.nan), np.full((n, p), np.nan)
    for turn, place in enumerate(nest.shared):
        found = _profile(nest, nest.base[0, nest.shared], turn, errors[0, place], rise)
        low[:, place], high[:, place] = found
    own = [i for i in range(p) if i not in nest.shared and nest.problem.free[:, i].any()]
    if n > EXACT:
        both = collapsed(nest, errors, rise, own)
        low[:, own], high[:, own] = both[:, own, 0], both[:, own, 1]
        return low, high, "profile, others by curvature"
    for curve in range(n):
        for parameter in own:
            beside = nest.beside(curve, parameter)
            best = np.append(nest.base[curve, nest.shared], nest.base[curve, parameter])
            error = errors[curve, parameter]
            low[curve, parameter], high[curve, parameter] = _profile(beside, best, best.size - 1, error, rise)
    return low, high, "profile"


def _profile(
    nest: Nest, best: Floats, which: int, error: float, rise: tuple[float, float, int]
) -> tuple[float, float]:
    wanted = np.zeros((1, best.size), dtype=bool)
    wanted[0, which] = True
    inverse = np.full((1, best.size, best.size), np.nan)
    inverse[0, which, :] = inverse[0, :, which] = 0.0
    inverse[0, which, which] = error**2 * rise[2] / max(rise[0], np.finfo(float).tiny)
    size = nest.problem.size.sum()[None]
    found = profiles(
        by_descent(nest.evaluate, np.ones_like(wanted), nest.limits(), size), best[None, :], wanted,
        nest.limits(), heights=np.array([rise[:2]]), inverse=inverse,
    )  # fmt: skip
    return float(found.intervals[0, which, 0]), float(found.intervals[0, which, 1])
