"""General nonlinear regression of a batch of curves: estimates, errors, profile intervals, test, status."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import request, search
from glueprint.curves.evidence import f_test
from glueprint.curves.models.model import Flags, Floats, Given, Model
from glueprint.curves.problem import Problem
from glueprint.curves.profile import by_descent, profiles, threshold
from glueprint.curves.robust import Robust, reweighted
from glueprint.curves.search import Best
from glueprint.curves.status import Status

__all__ = ["Regression", "regress"]

STARTS = 4
# Curves in one pass: large enough for numpy, small enough for memory.
CHUNK = 1000
# Below this share of the data's sum of squares a residual is rounding, not effect.
ROUNDING = 1e-24
# Below this ratio of the least to the largest singular value the data do not tell parameters apart.
SINGULAR = 1e-13
# How often a fit is taken up again where its own profile finds something lower.
AGAIN = 3


TABLE = pl.Schema(
    {
        "curve": pl.Int64(),
        "parameter": pl.String(),
        "unit": pl.String(),
        "estimate": pl.Float64(),
        "standard_error": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "status": pl.String(),
    }
)


@dataclass(frozen=True)
class Regression:
    """A batch of n fitted curves of a model with p parameters; every array has one row a curve.

    estimates, standard_errors: (n, p) natural units, in the order of `names` (error NaN where fixed, at a
    bound or unknown).
    theta, covariance: (n, p), (n, p, p) on the fitting scale (log10 where the model says so).
    low, high: (n, p) profile interval at `confidence`, natural units; open is infinite (0 below for
    parameters on a log10 scale), NaN where unknown or fixed.
    rss: (n,) weighted residual sum of squares.   points, dof: (n,).   effect_f, effect_p: (n,) against the
    flat line.   status: (n,) `Status`; reasons: text with the remedy.   converged: (n,) whether a
    minimum was found, whatever else the status says.   at_bound: (n, p).
    agreeing: (n,) how many of the `tried` starts ended at the same minimum.
    robust: the Tukey fit beside it, where asked for.
    """

    model: Model
    estimates: Floats
    standard_errors: Floats
    theta: Floats
    covariance: Floats
    low: Floats
    high: Floats
    rss: Floats
    points: NDArray[np.int64]
    dof: NDArray[np.int64]
    effect_f: Floats
    effect_p: Floats
    status: NDArray[np.int64]
    reasons: tuple[str, ...]
    converged: Flags
    at_bound: Flags
    agreeing: NDArray[np.int64]
    tried: int
    confidence: float
    problem: Problem
    robust: Robust | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters (p)."""
        return self.model.names

    @property
    def fitted(self) -> Floats:
        """Fitted responses (n, m) at the points measured, NaN where missing."""
        return np.where(self.problem.root > 0.0, self.problem.curve(self.theta)[0], np.nan)

    def __getitem__(self, name: str) -> Floats:
        """Estimates (n,) of a parameter by name."""
        return np.asarray(self.estimates[:, self.names.index(name)])

    def interval(self, name: str) -> Floats:
        """Profile interval (n, 2) of a parameter by name, natural units."""
        index = self.names.index(name)
        return np.stack([self.low[:, index], self.high[:, index]], axis=1)

    def predict(self, inputs: request.Inputs) -> Floats:
        """Fitted responses (n, m) at other inputs, (m,) or (n, m), with the same constants."""
        if not isinstance(inputs, Mapping):
            inputs = {self.model.inputs[0]: inputs}
        n = self.rss.size
        values = np.broadcast_arrays(*(np.atleast_2d(np.asarray(v, float)) for v in inputs.values()))
        shape = (n, values[0].shape[1])
        given = {k: np.broadcast_to(v, shape) for k, v in zip(inputs, values, strict=True)}
        given |= {name: self.problem.given[name] for name in self.model.constants}
        return replace(self.problem, given=Given(given, np.ones(shape, bool))).curve(self.theta)[0]

    def table(self) -> pl.DataFrame:
        """One row a parameter of a curve, columns `TABLE`; infinite where an interval is open."""
        n, p = self.estimates.shape
        columns: dict[str, Any] = {
            "curve": np.repeat(np.arange(n), p),
            "parameter": list(self.names) * n,
            "unit": [one.unit for one in self.model.parameters] * n,
        }
        for name in ("estimate", "standard_error", "low", "high"):
            values = getattr(self, f"{name}s" if name in ("estimate", "standard_error") else name)
            columns[name] = values.ravel()
        columns["status"] = np.repeat([Status(code).name for code in self.status.tolist()], p)
        return pl.DataFrame(columns, schema=TABLE).with_columns(pl.col(pl.Float64).fill_nan(None))

    def __str__(self) -> str:
        lines = [f"{self.model.title}: {self.rss.size} curves"]
        for row in self.table().iter_rows(named=True):
            span = "" if row["low"] is None else f" ({row['low']:.4g} to {row['high']:.4g})"
            value = "none" if row["estimate"] is None else f"{row['estimate']:.4g}"
            lines.append(f"  {row['curve']} {row['parameter']} {value}{span} {row['unit']}".rstrip())
        return "\n".join(lines)

    def as_dict(self, curve: int = 0) -> dict[str, Any]:
        """One curve for tables and `--json`: each parameter with error and interval, and the figures."""
        parameters = {
            name: {
                "unit": self.model.parameters[i].unit,
                "estimate": float(self.estimates[curve, i]),
                "standard_error": float(self.standard_errors[curve, i]),
                "low": float(self.low[curve, i]),
                "high": float(self.high[curve, i]),
            }
            for i, name in enumerate(self.names)
        }
        return {
            "model": self.model.name,
            "status": Status(int(self.status[curve])).name.lower(),
            "reason": self.reasons[curve],
            "parameters": parameters,
            "rss": float(self.rss[curve]),
            "points": int(self.points[curve]),
            "dof": int(self.dof[curve]),
            "effect_p": float(self.effect_p[curve]),
            "confidence": self.confidence,
        }


def regress(
    model: request.AnyModel,
    inputs: request.Inputs,
    response: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    fixed: Mapping[str, ArrayLike | None] | None = None,
    start: Mapping[str, ArrayLike] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    intervals: bool = True,
    confidence: float = 0.95,
    robust: bool = False,
    alpha: float = 0.05,
    searches: int = 16,
) -> Regression:
    """Fit every curve of a batch to a model by weighted least squares.

    model: a name in `curves.models.MODELS`, a `Model`, a formula text, or a function of (theta, inputs).
    inputs: (m,) or (n, m) of the one input, or such arrays by name.   response: (m,) or (n, m), NaN: missing.
    weights: shape of response, >= 0, relative.   fixed: values at which parameters are held, one or (n,);
    None frees one that the model holds by default.   start: values by name, instead of the model's own grid.
    constants: by name, one or (n,).   intervals: profile intervals of every parameter.
    robust: also the Tukey fit, beside the plain one.   alpha: level of the effect test.
    searches: further starts, scattered about those given, in each of a few rounds; a minimum that fewer than
    three starts reach is not confirmed, and says so.
    Returns `Regression`; a curve that cannot be fitted has a status, never an exception.
    Raises InputError GP-C020 (model), GP-C021 (inputs), GP-C022 (constants), GP-C023 (an input's value),
    GP-C024 (response, weight), GP-C025 (fixed, start, confidence), GP-C026 (formula).
    Source: own derivation, docs/regression.md.
    """
    request.confidence_of(confidence)
    chosen = request.model_of(model, inputs, start)
    problem = request.problem_of(chosen, inputs, response, weights, constants, fixed)
    begun = request.begun(problem, start) if start is not None else None
    request.starts_of(chosen, start)
    parts = []
    for first in range(0, problem.response.shape[0], CHUNK):
        rows = np.arange(first, min(first + CHUNK, problem.response.shape[0]))
        own = None if begun is None else begun[:, rows]
        parts.append(_solve(problem.rows(rows), own, confidence if intervals else None, searches))
    best = Best(
        **{name: np.concatenate([getattr(part[0], name) for part in parts]) for name in search.ARRAYS},
        tried=parts[0][0].tried,
    )
    interval = np.concatenate([part[1] for part in parts])
    return _report(problem, best, interval, confidence, alpha=alpha, robust=robust)


def _solve(
    problem: Problem, begun: Floats | None, confidence: float | None, searches: int
) -> tuple[Best, Floats]:
    """The best fits, and their intervals (n, p, 2) on the fitting scale."""
    best = _search(problem, problem.starts(STARTS) if begun is None else begun, searches, begun is not None)
    interval = np.full((*best.theta.shape, 2), np.nan)
    if confidence is None:
        return best, interval
    todo = np.arange(best.cost.size)
    for _ in range(AGAIN):
        part, now = problem.rows(todo), search.rows_of(best, todo)
        found = profiles(
            by_descent(part.evaluate, part.free, part.limits(), part.size, part.reaching), now.theta,
            part.free, part.limits(), heights=_heights(part, now, confidence), inverse=inverse_of(part, now),
        )  # fmt: skip
        interval[todo] = found.intervals
        lower = np.flatnonzero(np.isfinite(found.better).all(axis=1))
        if lower.size == 0:
            break
        again = todo[lower]
        starts = np.stack([found.better[lower], best.theta[again]])
        search.put(best, again, _search(problem.rows(again), starts, searches, begun is not None))
        todo = again
    return best, interval


def _search(problem: Problem, starts: Floats, searches: int, given: bool) -> Best:
    """The best fits from starts (s, n, p): from the model's own grid as they are, from given ones with others
    around them, which must confirm what was found."""
    if not given:
        return search.best_of(problem, starts)
    best = search.wider(problem, starts, searches)
    return replace(best, converged=best.converged & (best.agreeing >= search.CONFIRMED))


def _heights(problem: Problem, best: Best, confidence: float) -> Floats:
    """Sum of squares at the fit and at the threshold (n, 2), NaN where there is no interval."""
    sound = best.settled & (_distinct(problem) >= problem.free.sum(axis=1))
    cost = np.maximum(best.cost, ROUNDING * problem.size)
    leave = threshold(cost, _dof(problem), confidence)
    return np.stack([cost, np.where(sound, leave, np.nan)], axis=1)


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
    known = usable[:, :, None] & usable[:, None, :] & (sound & (_dof(problem) > 0))[:, None, None]
    return np.where(known, inverse, np.nan)


def _report(
    problem: Problem, best: Best, interval: Floats, confidence: float, *, alpha: float, robust: bool
) -> Regression:
    variance = np.where(np.isfinite(best.cost), best.cost / np.maximum(_dof(problem), 1), np.nan)
    covariance = inverse_of(problem, best) * variance[:, None, None]
    ratio, p_value = effect(problem, best.cost)
    status = _status(problem, best, covariance, p_value < alpha)
    natural = problem.natural(best.theta)
    errors = np.sqrt(np.einsum("npp->np", covariance)) * problem.slope(natural)
    with np.errstate(over="ignore"):
        low, high = problem.natural(interval[..., 0]), problem.natural(interval[..., 1])
    hopeless = status == Status.TOO_FEW_POINTS
    rss = best.cost.copy()
    for array in (natural, errors, covariance, low, high, rss, ratio, p_value):
        array[hopeless] = np.nan
    return Regression(
        model=problem.model,
        estimates=natural,
        standard_errors=errors,
        theta=np.where(hopeless[:, None], np.nan, best.theta),
        covariance=covariance,
        low=low,
        high=high,
        rss=rss,
        points=_points(problem),
        dof=_dof(problem),
        effect_f=ratio,
        effect_p=p_value,
        status=status,
        reasons=tuple(_reason(problem.model, int(s), b) for s, b in zip(status, best.at_bound, strict=True)),
        converged=best.converged & ~hopeless,
        at_bound=best.at_bound,
        agreeing=best.agreeing,
        tried=best.tried,
        confidence=confidence,
        problem=problem,
        robust=reweighted(problem, best.theta, ~hopeless & best.converged) if robust else None,
    )


def effect(problem: Problem, rss: Floats) -> tuple[Floats, Floats]:
    """F test of the curve against the flat line: F (n,) and p (n,), NaN without freedom.

    Where the model's level without effect is fixed, the flat line is that level; else it is the mean.
    """
    model, weight = problem.model, problem.root**2
    total = weight.sum(axis=1)
    mean = np.einsum("nm,nm->n", weight, problem.response) / np.where(total > 0.0, total, 1.0)
    free = problem.free
    at = model.names.index(model.level) if model.level else -1
    held = ~free[:, at] if model.level else np.zeros(rss.size, bool)
    level = np.where(held, problem.natural(np.where(free, 0.0, problem.pinned))[:, at], mean)
    miss = problem.root * (problem.response - level[:, None])
    flat = np.einsum("nm,nm->n", miss, miss)
    dof, extra = _dof(problem), free.sum(axis=1) - np.where(held, 0, 1)
    return f_test(flat - rss, extra, rss, dof, none=flat <= ROUNDING * problem.size)


def _status(problem: Problem, best: Best, covariance: Floats, effective: Flags) -> NDArray[np.int64]:
    """The gravest status of every curve (n,)."""
    parameters, points = problem.free.sum(axis=1), _points(problem)
    status = np.full(best.cost.size, int(Status.FINE))
    moving = problem.free & ~best.at_bound
    unknown = np.isnan(np.einsum("npp->np", covariance))
    status[best.at_bound.any(axis=1)] = Status.AT_BOUND
    status[(moving & unknown).any(axis=1)] = Status.NOT_DETERMINED
    status[~best.converged] = Status.NOT_DETERMINED
    status[~best.converged & (best.agreeing > 0)] = Status.NOT_CONFIRMED
    status[~best.settled] = Status.NOT_CONVERGED
    # One parameter leaves no test: the flat line is then no simpler than the curve.
    testable = (points > parameters) & (parameters > (0 if problem.model.level else 1))
    status[~effective & testable] = Status.NO_EFFECT
    none_left = (points == parameters) & best.converged
    status[none_left] = Status.NO_DEGREES
    status[_distinct(problem) < parameters] = Status.TOO_FEW_POINTS
    return status


def _reason(model: Model, status: int, at_bound: Flags) -> str:
    text = Status(status).text
    if status == Status.AT_BOUND:
        names = ", ".join(name for name, bound in zip(model.names, at_bound, strict=True) if bound)
        return f"{names} {text}"
    return text


def _points(problem: Problem) -> NDArray[np.int64]:
    return np.asarray((problem.root > 0.0).sum(axis=1))


def _dof(problem: Problem) -> NDArray[np.int64]:
    return np.asarray(_points(problem) - problem.free.sum(axis=1))


def _distinct(problem: Problem) -> NDArray[np.int64]:
    """How many different places (all inputs together) were measured (n,)."""
    used = problem.root > 0.0
    place = np.zeros(used.shape)
    for turn, name in enumerate(problem.model.inputs):
        value = np.where(used, np.broadcast_to(problem.given[name], used.shape), np.nan)
        # Irrational weights keep different pairs of inputs apart.
        place = place * np.pi + value * (1.0 + turn / math.e)
    ordered = np.sort(place, axis=1)
    return np.asarray((np.diff(ordered, axis=1) > 0.0).sum(axis=1) + used.any(axis=1))
