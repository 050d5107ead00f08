"""One call for every fit: any model, many curves at once, parameters free, held or shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import request, search, shared
from glueprint.curves.confined import Confined, Plateau, confine
from glueprint.curves.evidence import turns
from glueprint.curves.logistic import LOG10_DOSE
from glueprint.curves.models.model import Flags, Floats
from glueprint.curves.problem import ROUNDING, Problem
from glueprint.curves.profile import threshold
from glueprint.curves.result import Fits
from glueprint.curves.robust import reweighted
from glueprint.curves.search import Best
from glueprint.curves.status import Status

__all__ = ["fit"]

# Curves in one pass of the general descent: large enough for numpy, small enough for memory.
CHUNK = 1000
# How often a fit is taken up again where its own profile finds something lower.
AGAIN = 3
Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class _Asked:
    """What is asked of a fit: parameters (p,) that get an interval, its confidence, the level of the effect
    test, how many further starts are tried, and the responses that are possible."""

    sought: Flags
    confidence: float
    alpha: float
    searches: int
    within: Ends


def fit(
    model: request.AnyModel,
    inputs: request.Inputs,
    response: ArrayLike,
    *,
    upper: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    fixed: Mapping[str, ArrayLike | None] | None = None,
    shared: Sequence[str] = (),
    constants: Mapping[str, ArrayLike] | None = None,
    start: Mapping[str, ArrayLike] | None = None,
    within: Ends = (None, None),
    intervals: request.Intervals = True,
    confidence: float = 0.95,
    alpha: float = 0.05,
    robust: bool = False,
    searches: int = 16,
    labels: Sequence[str] | None = None,
) -> Fits:
    """Fit every curve of a batch to a model by weighted least squares.

    model: a name in `curves.MODELS`, a `Model`, a formula text, or a function of (theta, inputs).
    inputs: (m,) or (n, m) of the one input, such as doses, or such arrays by name.   response: (m,) or
    (n, m), NaN: missing.   upper: shape of response, the upper end where a response is only known to lie
    between two: -inf and 5 is "< 5", 60000 and inf "> 60000"; NaN, or the response itself: a value.
    weights: shape of response, >= 0, relative.   fixed: values at which parameters
    are held, one or (n,); None frees one that the model holds by default.   shared: parameters with one value
    for all curves.   constants: by name, one or (n,).   start: values by name, instead of the model's grid.
    within: of a logistic, least and largest response that are possible, such as (0, None) for a viability; a
    plateau that the doses do not show is held there, and `plateau` says so.
    intervals: profile intervals; True: of the EC50 of a logistic, of every parameter of other models and of
    shared fits; "all", or names.   alpha: level of the effect test.   robust: also the Tukey fit.
    searches: further starts, scattered about those given, in each of a few rounds; a minimum that fewer than
    three starts reach is not confirmed, and says so.   labels: names of the curves.
    Returns `Fits`; a curve that cannot be fitted has a status, never an exception.
    Raises InputError GP-C020 (model), GP-C021 (inputs), GP-C022 (constants), GP-C023 (an input's value),
    GP-C024 (response, upper, weight), GP-C025 (fixed, start, within, intervals, confidence, alpha), GP-C026
    (formula), GP-C027 (no starts), GP-C028 (shared); NotSupportedError GP-C029 (limits in such a fit).
    Source: own derivation, docs/curves.md and docs/regression.md.

    >>> dose = [1.0, 10.0, 100.0, 1000.0, 10000.0]
    >>> found = fit("4pl", dose, [98.0, 91.0, 52.0, 12.0, 4.0])
    >>> ec50 = found.to_table().filter(parameter="ec50").get_column("estimate").item()
    >>> 90 < ec50 < 120
    True
    """
    for name, value in (("confidence", confidence), ("alpha", alpha)):
        request.share_of(name, value)
    chosen, ends = request.model_of(model, inputs, start), request.ends_of(within)
    problem = request.problem_of(chosen, inputs, (response, upper), weights, constants, fixed)
    request.starts_of(chosen, start)
    sought = request.sought_of(chosen, "all" if shared and intervals is True else intervals)
    asked = _Asked(sought, confidence, alpha, searches, ends)
    if problem.between is not None and (shared or robust):
        request.refuse_limits("shared parameters" if shared else "a robust fit")
    if shared:
        found = _together(problem, tuple(shared), asked)
    elif start is None:
        found = _alone(problem, None, asked)
    else:
        # Given starts may lie anywhere: they ask for the descent that walks curved valleys.
        begun = request.begun(problem, start)
        request.refuse_undefined(problem, begun)
        found = replace(_alone(replace(problem, careful=True), begun, asked), problem=problem)
    sound = (found.status != Status.TOO_FEW_POINTS) & found.converged
    return replace(
        found,
        robust=reweighted(problem, np.nan_to_num(found.theta), sound) if robust else None,
        labels=request.labels_of(labels, found.rss.size),
    )


def _alone(problem: Problem, begun: Floats | None, asked: _Asked) -> Fits:
    """Every curve by itself, from its own starts or from those given."""
    n = problem.response.shape[0]
    if n > CHUNK and not problem.fast:
        chunks = [slice(first, first + CHUNK) for first in range(0, n, CHUNK)]
        parts = [_alone(problem.rows(i), None if begun is None else begun[:, i], asked) for i in chunks]
        return _joined(problem, parts)
    best = _searched(problem, begun, asked)
    found = Confined(best, problem.limits(), np.full(n, int(Plateau.SEEN)))
    tested = problem.effect(best.cost)
    if problem.logistic:
        # That a plateau was held afterwards changes nothing about whether there is an effect.
        wanted = (tested[1] < asked.alpha) | (problem.dof == 0)
        found = confine(problem, best, wanted & (problem.distinct_doses >= problem.moving), asked.within)
        interval = _profiled(replace(problem, reach=found.reach), best, asked)[0]
    else:
        interval = _intervals(problem, begun, best, asked)
        tested = problem.effect(best.cost)
    known = (problem.dof > 0) & ~(problem.constant & problem.logistic)
    variance = np.where(known, best.cost / np.maximum(problem.dof, 1), np.nan)
    covariance = search.inverse_of(problem, best.theta, best.at_bound) * variance[:, None, None]
    status = _status(problem, best, np.isfinite(np.einsum("npp->np", covariance)))
    # A fit still creeping along a ridge of flat data is no better than the flat line: that is what matters.
    # One parameter leaves no test: the flat line is then no simpler than the curve.
    testable = (problem.dof > 0) & (problem.moving > (0 if problem.model.level else 1))
    flat = ~(tested[1] < asked.alpha) & testable
    status[flat] = Status.NO_EFFECT
    if problem.logistic:
        rows = np.flatnonzero(flat)
        if problem.between is not None:
            rows = rows[~problem.between.held[rows].any(axis=1)]
        told = turns(problem.log10_dose[rows], problem.response[rows], problem.weights[rows])
        status[rows[told]] = Status.TURNS
    ended = {name: getattr(best, name) for name in ("converged", "at_bound", "agreeing", "tried")}
    return _report(
        problem, best.theta, best.cost, (status, covariance, interval), asked, effect=tested,
        plateau=found.plateau, reach=found.reach, **ended,
    )  # fmt: skip


def _status(problem: Problem, best: Best, known: Flags) -> NDArray[np.int64]:
    """What the descents say (n,).   known: (n, p) parameters whose error is known."""
    status = np.full(best.cost.size, int(Status.FINE))
    if problem.logistic:
        with np.errstate(invalid="ignore"):
            status[best.theta[:, LOG10_DOSE] < np.log10(problem.lowest_dose)] = Status.BELOW_TESTED
            status[best.theta[:, LOG10_DOSE] > np.log10(problem.highest_dose)] = Status.ABOVE_TESTED
        status[~best.converged] = Status.NOT_CONVERGED
        return status
    status[best.at_bound.any(axis=1)] = Status.AT_BOUND
    status[(problem.free & ~best.at_bound & ~known).any(axis=1)] = Status.NOT_DETERMINED
    status[~best.converged] = Status.NOT_DETERMINED
    status[~best.converged & (best.agreeing > 0)] = Status.NOT_CONFIRMED
    status[~best.settled] = Status.NOT_CONVERGED
    return status


def _together(problem: Problem, names: tuple[str, ...], asked: _Asked) -> Fits:
    """Curves that share parameters, as one fit with one status."""
    found = shared.solve(problem, names, asked.sought, asked.confidence)
    status = np.full(found.rss.size, int(Status.FINE if found.converged else Status.NOT_CONVERGED))
    flags = np.full(found.rss.size, found.converged)
    own = ~np.isin(problem.model.names, names)
    few = shared.undetermined(problem, np.flatnonzero(~own).tolist())
    status[few & found.converged] = Status.TOO_FEW_POINTS
    found.covariance[np.ix_(few, own, own)] = np.nan
    return _report(
        problem, found.theta, found.rss, (status, found.covariance, found.interval), asked, shared=names,
        converged=flags, at_bound=found.at_bound, agreeing=flags.astype(int), tried=len(shared.QUANTILES),
        dof=np.full(found.rss.size, found.dof), intervals=found.how,
    )  # fmt: skip


def _report(
    problem: Problem,
    theta: Floats,
    rss: Floats,
    said: tuple[NDArray[np.int64], Floats, Floats],
    asked: _Asked,
    **ended: Any,
) -> Fits:
    """The result; said: status, covariance and intervals on the fitting scale; ended: further
    fields."""
    status, covariance, interval = said
    effect_f, effect_p = ended.pop("effect", None) or problem.effect(rss)
    low, high = np.full_like(theta, np.nan), np.full_like(theta, np.nan)
    if asked.sought.any():
        with np.errstate(over="ignore"):
            low, high = (problem.natural(interval[..., side]) for side in (0, 1))
    theta, rss = theta.copy(), rss.copy()
    if not ended.get("shared"):
        exact = problem.dof == 0
        status[exact & ended["converged"]] = Status.NO_DEGREES
        status[exact & problem.model.fast & ~ended["converged"]] = Status.NOT_CONVERGED
        hopeless = (problem.distinct_doses < problem.moving) | ((problem.told == 0) & (problem.points > 0))
        status[hopeless] = Status.TOO_FEW_POINTS
        ended["converged"] = ended["converged"] & ~hopeless
        for array in (theta, covariance, low, high, rss, effect_f, effect_p):
            array[hopeless] = np.nan
    others: dict[str, Any] = {"dof": problem.dof, "plateau": np.full(rss.size, int(Plateau.SEEN))}
    if "reach" not in ended:
        others["reach"] = problem.limits()
    return Fits(
        problem, theta, covariance, low, high, rss, status=status, effect_f=effect_f, effect_p=effect_p,
        confidence=asked.confidence, **{**others, **ended},
    )  # fmt: skip


def _searched(problem: Problem, begun: Floats | None, asked: _Asked) -> Best:
    """The best fits, from the model's own grid, or from given starts with others around them."""
    if begun is None:
        return search.thorough(problem)
    best = search.wider(problem, begun, asked.searches)
    return replace(best, converged=best.converged & (best.agreeing >= search.CONFIRMED))


def _profiled(problem: Problem, best: Best, asked: _Asked) -> tuple[Floats, Floats]:
    """Intervals (n, p, 2) on the fitting scale, and the lowest points met (n, p), NaN where none is lower."""
    if not asked.sought.any():
        return np.full((*best.theta.shape, 2), np.nan), np.full(best.theta.shape, np.nan)
    cost, leave = best.cost, threshold(best.cost, problem.dof, asked.confidence)
    if not problem.logistic:
        cost = np.maximum(best.cost, ROUNDING * problem.size)
        sound = best.settled & (problem.distinct_doses >= problem.moving)
        leave = np.where(sound, threshold(cost, problem.dof, asked.confidence), np.nan)
    # Of a constant nothing is determined, and rounding would draw the profile.
    heights = np.stack([cost, np.where(problem.constant, np.nan, leave)], axis=1)
    inverse = search.inverse_of(problem, best.theta, best.at_bound)
    found = search.profiled(problem, best.theta, asked.sought, heights, inverse)
    return found.intervals, found.better


def _intervals(problem: Problem, begun: Floats | None, best: Best, asked: _Asked) -> Floats:
    """Intervals as `_profiled`; a fit below which a profile found something is taken up again, in place."""
    interval = np.full((*best.theta.shape, 2), np.nan)
    todo = np.arange(best.cost.size)
    for _ in range(AGAIN):
        part = problem.rows(todo)
        interval[todo], better = _profiled(part, search.rows_of(best, todo), asked)
        lower = np.flatnonzero(np.isfinite(better).all(axis=1))
        if lower.size == 0:
            break
        todo, starts = todo[lower], np.stack([better[lower], best.theta[todo[lower]]])
        part = problem.rows(todo)
        again = search.best_of(part, starts) if begun is None else _searched(part, starts, asked)
        search.put(best, todo, again)
    return interval


def _joined(problem: Problem, parts: list[Fits]) -> Fits:
    """One result of the fits of parts of a problem."""
    arrays: dict[str, Any] = {}
    for field in fields(Fits):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            arrays[field.name] = np.concatenate(values)
    low, high = (np.concatenate([part.reach[side] for part in parts]) for side in (0, 1))
    return replace(parts[0], problem=problem, reach=(low, high), **arrays)
