"""One call for every fit: any model, many curves at once, parameters free, held or shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import batch, request, search, shared
from glueprint.curves.confined import Plateau, confine
from glueprint.curves.logistic import LOG10_DOSE
from glueprint.curves.models.model import Flags, Floats
from glueprint.curves.problem import ROUNDING, Problem
from glueprint.curves.profile import by_descent, profiles, threshold
from glueprint.curves.result import Fits
from glueprint.curves.robust import reweighted
from glueprint.curves.search import Best
from glueprint.curves.status import Status

__all__ = ["fit"]

STARTS = 4
# Curves in one pass of the general descent: large enough for numpy, small enough for memory.
CHUNK = 1000
# Below this ratio of the least to the largest singular value the data do not tell parameters apart.
SINGULAR = 1e-13
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
    (n, m), NaN: missing.   weights: shape of response, >= 0, relative.   fixed: values at which parameters
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
    GP-C024 (response, weight), GP-C025 (fixed, start, within, intervals, confidence, alpha), GP-C026
    (formula), GP-C027 (no starts), GP-C028 (shared).
    Source: own derivation, docs/curves.md and docs/regression.md.
    """
    for name, value in (("confidence", confidence), ("alpha", alpha)):
        request.share_of(name, value)
    chosen, ends = request.model_of(model, inputs, start), request.ends_of(within)
    problem = request.problem_of(chosen, inputs, response, weights, constants, fixed)
    request.starts_of(chosen, start)
    sought = request.sought_of(chosen, "all" if shared and intervals is True else intervals)
    asked = _Asked(sought, confidence, alpha, searches, ends)
    if shared:
        found = _together(problem, tuple(shared), asked)
    elif problem.logistic and start is None:
        found = _by_machine(problem, asked)
    else:
        found = _by_descent(problem, None if start is None else request.begun(problem, start), asked)
    sound = (found.status != Status.TOO_FEW_POINTS) & found.converged
    return replace(
        found,
        robust=reweighted(problem, np.nan_to_num(found.theta), sound) if robust else None,
        labels=request.labels_of(labels, found.rss.size),
    )


def _by_machine(problem: Problem, asked: _Asked) -> Fits:
    """Curves of the logistic family, by machine code."""
    data, pinned = problem.data, problem.pins
    block = batch.solve(data, pinned, asked.confidence, asked.sought)
    # That a plateau was held afterwards changes nothing about whether there is an effect.
    tested = problem.effect(block.rss)
    effect = tested[1] < asked.alpha
    wanted = (effect | (problem.dof == 0)) & (problem.distinct >= problem.moving)
    confined = confine(
        data, pinned, block, wanted, within=asked.within, confidence=asked.confidence, sought=asked.sought
    )
    block = confined.block
    status = np.full(block.rss.size, int(Status.FINE))
    with np.errstate(invalid="ignore"):
        half = block.theta[:, LOG10_DOSE]
        status[half < np.log10(data.lowest_dose)] = Status.BELOW_TESTED
        status[half > np.log10(data.highest_dose)] = Status.ABOVE_TESTED
    status[~block.converged] = Status.NOT_CONVERGED
    tried = np.full(block.rss.size, batch.FIRST)
    ended = {
        "converged": block.converged,
        "at_bound": block.at_bound,
        "agreeing": tried,
        "tried": batch.FIRST,
    }
    # A fit still creeping along a ridge of flat data is no better than the flat line: that is what matters.
    status[~effect] = Status.NO_EFFECT
    return _report(
        problem, block.theta, block.rss, (status, block.covariance, block.interval), asked,
        effect=tested, plateau=confined.plateau, reach=confined.reach, **ended,
    )  # fmt: skip


def _by_descent(problem: Problem, begun: Floats | None, asked: _Asked) -> Fits:
    """Curves of any other model, by the general descent."""
    parts = []
    for first in range(0, problem.response.shape[0], CHUNK):
        rows = np.arange(first, min(first + CHUNK, problem.response.shape[0]))
        parts.append(_searched(problem.rows(rows), None if begun is None else begun[:, rows], asked))
    arrays = {name: np.concatenate([getattr(part[0], name) for part in parts]) for name in search.ARRAYS}
    best = Best(**arrays, tried=parts[0][0].tried)
    variance = np.where(np.isfinite(best.cost), best.cost / np.maximum(problem.dof, 1), np.nan)
    covariance = inverse_of(problem, best) * variance[:, None, None]
    status = np.full(best.cost.size, int(Status.FINE))
    unknown = np.isnan(np.einsum("npp->np", covariance))
    status[best.at_bound.any(axis=1)] = Status.AT_BOUND
    status[(problem.free & ~best.at_bound & unknown).any(axis=1)] = Status.NOT_DETERMINED
    status[~best.converged] = Status.NOT_DETERMINED
    status[~best.converged & (best.agreeing > 0)] = Status.NOT_CONFIRMED
    status[~best.settled] = Status.NOT_CONVERGED
    # One parameter leaves no test: the flat line is then no simpler than the curve.
    free = problem.moving
    testable = (problem.dof > 0) & (free > (0 if problem.model.level else 1))
    status[~(problem.effect(best.cost)[1] < asked.alpha) & testable] = Status.NO_EFFECT
    ended = {name: getattr(best, name) for name in ("converged", "at_bound", "agreeing", "tried")}
    interval = np.concatenate([part[1] for part in parts])
    return _report(problem, best.theta, best.cost, (status, covariance, interval), asked, **ended)


def _together(problem: Problem, names: tuple[str, ...], asked: _Asked) -> Fits:
    """Curves that share parameters, as one fit with one status."""
    found = shared.solve(problem, names, asked.sought, asked.confidence)
    status = np.full(found.rss.size, int(Status.FINE if found.converged else Status.NOT_CONVERGED))
    flags = np.full(found.rss.size, found.converged)
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
        hopeless = problem.distinct < problem.moving
        status[hopeless] = Status.TOO_FEW_POINTS
        ended["converged"] = ended["converged"] & ~hopeless
        for array in (theta, covariance, low, high, rss, effect_f, effect_p):
            array[hopeless] = np.nan
    fields: dict[str, Any] = {"dof": problem.dof, "plateau": np.full(rss.size, int(Plateau.SEEN))}
    if "reach" not in ended:
        fields["reach"] = problem.limits()
    return Fits(
        problem, theta, covariance, low, high, rss, status=status, effect_f=effect_f, effect_p=effect_p,
        confidence=asked.confidence, **{**fields, **ended},
    )  # fmt: skip


def _searched(problem: Problem, begun: Floats | None, asked: _Asked) -> tuple[Best, Floats]:
    """The best fits, and their intervals (n, p, 2) on the fitting scale."""

    def searched(part: Problem, starts: Floats) -> Best:
        # From the model's own grid as they are; from given ones with others around them, which must confirm.
        if begun is None:
            return search.best_of(part, starts)
        best = search.wider(part, starts, asked.searches)
        return replace(best, converged=best.converged & (best.agreeing >= search.CONFIRMED))

    best = searched(problem, problem.starts(STARTS) if begun is None else begun)
    interval = np.full((*best.theta.shape, 2), np.nan)
    todo = np.arange(best.cost.size)
    for _ in range(AGAIN if asked.sought.any() else 0):
        part, now = problem.rows(todo), search.rows_of(best, todo)
        cost = np.maximum(now.cost, ROUNDING * part.size)
        sound = now.settled & (part.distinct >= part.moving)
        leave = np.where(sound, threshold(cost, part.dof, asked.confidence), np.nan)
        found = profiles(
            by_descent(part.evaluate, part.free, part.limits(), part.size, part.reaching), now.theta,
            part.free & asked.sought, part.limits(), heights=np.stack([cost, leave], axis=1),
            inverse=inverse_of(part, now),
        )  # fmt: skip
        interval[todo] = found.intervals
        lower = np.flatnonzero(np.isfinite(found.better).all(axis=1))
        if lower.size == 0:
            break
        again = todo[lower]
        starts = np.stack([found.better[lower], best.theta[again]])
        search.put(best, again, searched(problem.rows(again), starts))
        todo = again
    return best, interval


def inverse_of(problem: Problem, best: Best) -> Floats:
    """inv(J'J) (n, p, p); NaN where fixed, at a bound or unknown."""
    p = best.theta.shape[1]
    moving = problem.free & ~best.at_bound
    upper = np.where(moving[:, None, :], best.factor[:, :p, :p], 0.0)
    norm = np.sqrt(np.einsum("nij,nij->nj", upper, upper))
    usable = moving & (norm > 0.0)
    scale = np.where(usable, norm, 1.0)
    # Fixed columns become unit columns of their own below, so that the rest is inverted as it is.
    apart = np.where(usable, 0.0, 1.0)[:, :, None] * np.eye(p)
    stacked = np.concatenate([upper / scale[:, None, :], apart], axis=1)
    _, size, turn = np.linalg.svd(stacked)
    sound = size[:, -1] > SINGULAR * size[:, 0]
    size = np.where(sound[:, None], size, 1.0)
    half = turn.transpose(0, 2, 1) / size[:, None, :]
    inverse = (half @ half.transpose(0, 2, 1)) / (scale[:, :, None] * scale[:, None, :])
    known = usable[:, :, None] & usable[:, None, :] & (sound & (problem.dof > 0))[:, None, None]
    return np.where(known, inverse, np.nan)
