"""Parametric regression of the time to an event, seen, censored or known to lie between two times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import (
    Floats,
    Integers,
    as_events,
    as_floats,
    as_intervals,
    as_level,
    as_matrix,
    as_probability,
    as_times,
    event_at_zero,
    same_shape,
)
from glueprint.survival.locations import DISTRIBUTIONS, POINTS, Distribution, Observations, evaluate
from glueprint.survival.newton import Evaluated, Summit, climb
from glueprint.survival.partial_likelihood import independent_columns

ADVICE = {
    "ok": "",
    "aliased": "a covariate is constant or a sum of others; leave it out (it is NaN)",
    "no events": "no event was seen; nothing but a longer follow-up can tell its times",
    "no maximum": "the likelihood rises for ever: the events lie exactly on the model, or a covariate "
    "separates those with the event from those without; use fewer covariates or a non-parametric curve",
}

# Intervals narrower than this part of the spread of the log times are integrated, not subtracted.
NARROW = 0.05


@dataclass(frozen=True)
class Parametric:
    """A fitted model log t = coefficients . (1, covariates) + scale z; arrays (p + 1,), the intercept first.

    z is extreme-value (weibull, exponential), normal (lognormal) or logistic (loglogistic).
    A coefficient is a log ratio of times; NaN for an aliased covariate.   scale: 1 in "exponential".
    covariance: of the coefficients and, last, log scale (without it in "exponential").
    log_likelihood: of the times themselves.   status: a key of ADVICE; `advice` is its text.
    """

    distribution: str
    coefficients: Floats
    std_error: Floats
    low: Floats
    high: Floats
    p_value: Floats
    scale: float
    scale_low: float
    scale_high: float
    covariance: Floats
    log_likelihood: float
    aic: float
    n: int
    events: int
    status: str
    level: float

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the fit is in order."""
        return ADVICE[self.status]

    def quantile(self, probability: float, covariates: ArrayLike | None = None) -> tuple[float, float, float]:
        """Time by which the fraction `probability` has had the event, with its limits.

        probability: in (0, 1).   covariates: (p,) of one patient, or None for a model without any.
        Returns (time, low, high), limits normal on the log scale; NaN unless the status is "ok" or "aliased".
        Raises InputError GP-V003 for the number of covariates, GP-V007 for the probability.
        """
        probability = as_probability(probability)
        x = self._pattern(covariates)
        z = float(DISTRIBUTIONS[self.distribution].quantile(np.array(probability)))
        known = np.isfinite(self.coefficients)
        centre = float(x[known] @ self.coefficients[known]) + self.scale * z
        lever = np.where(known, x, 0.0)
        if self.distribution != "exponential":
            lever = np.append(lever, self.scale * z)
        error = math.sqrt(float(lever @ np.nan_to_num(self.covariance) @ lever))
        if self.status not in ("ok", "aliased"):
            return math.nan, math.nan, math.nan
        half = float(ndtri(0.5 + self.level / 2)) * error
        return math.exp(centre), math.exp(centre - half), math.exp(centre + half)

    def survival(self, times: ArrayLike, covariates: ArrayLike | None = None) -> Floats:
        """Fraction without the event at the given times, (k,), for one patient's covariates, (p,)."""
        wanted = as_floats(times, "times", (0, 1))
        x = self._pattern(covariates)
        known = np.isfinite(self.coefficients)
        centre = float(x[known] @ self.coefficients[known]) if self.status in ("ok", "aliased") else math.nan
        with np.errstate(divide="ignore"):
            z = (np.log(np.maximum(wanted, 0.0)) - centre) / self.scale
        upper = np.full_like(z, np.inf)
        return np.exp(DISTRIBUTIONS[self.distribution].log_between(z, upper))

    def _pattern(self, covariates: ArrayLike | None) -> Floats:
        given = np.zeros(0) if covariates is None else as_floats(covariates, "covariates", (0, 1))
        x = np.append(1.0, given)
        same_shape(x[1:], (self.coefficients.size - 1,), "covariates")
        return x


def parametric(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    distribution: str = "weibull",
    level: float = 0.95,
) -> Parametric:
    """Fit a parametric model to times that were seen or censored.

    time: (n,) follow-up, any unit, > 0 where the event happened.   event: (n,) 1 event, 0 censored.
    covariates: (n,) or (n, p) numbers, or None.
    distribution: "weibull", "exponential", "lognormal" or "loglogistic".
    Returns Parametric; a likelihood without a maximum is a status.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for options, GP-V008 for covariates not finite,
    GP-V024 for an event at time 0.
    Source: Kalbfleisch and Prentice 2002, chapter 3; equal to R survival's survreg at its limit.
    """
    times = as_times(time)
    events = as_events(event, times.shape)
    at_zero = events & (times == 0)
    if at_zero.any():
        raise event_at_zero("time", int(np.argmax(at_zero)))
    return _fit(times, np.where(events, times, np.inf), covariates, distribution, level)


def parametric_between(
    left: ArrayLike,
    right: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    distribution: str = "weibull",
    level: float = 0.95,
) -> Parametric:
    """Fit a parametric model to events known to lie between two times.

    left, right: (n,) any unit, 0 <= left <= right. Equal: seen. left 0: it happened before right.
    right infinite: censored at left.   covariates, distribution, level: as in parametric.
    Returns Parametric.
    Raises InputError GP-V001 to GP-V003 for arrays, GP-V007 for options, GP-V008 for covariates not finite,
    GP-V012 for what is no interval, GP-V024 for an event at time 0.
    Source: as parametric; R's Surv(left, right, type = "interval2").
    """
    low, high = as_intervals(left, right)
    if (high == 0).any():
        raise event_at_zero("right", int(np.argmax(high == 0)))
    return _fit(low, high, covariates, distribution, level)


def _fit(
    left: Floats, right: Floats, covariates: ArrayLike | None, distribution: str, level: float
) -> Parametric:
    """Maximise on scaled columns and put the parts together on the user's scale."""
    level = as_level(level)
    if distribution not in DISTRIBUTIONS:
        raise InputError(
            "GP-V007",
            f"{distribution!r} is not a distribution",
            where="distribution",
            expected=", ".join(f'"{name}"' for name in sorted(DISTRIBUTIONS)),
            next_step='use "weibull" unless another is asked for',
        )
    kind = DISTRIBUTIONS[distribution]
    x = np.zeros((left.size, 0)) if covariates is None else as_matrix(covariates, left.size)
    columns = _columns(x)
    data, shift = _observations(left, right, columns.design)
    events = int(np.isfinite(right).sum())
    best = _climb(kind, data) if events else None
    if best is None:
        status = "no maximum" if events else "no events"
    else:
        status = "ok" if columns.kept.size == columns.total else "aliased"
    fitted = _Fitted(columns, best, shift, left.size, events, status)
    return _result(distribution, fitted, level)


@dataclass(frozen=True)
class _Columns:
    """The intercept and the covariates about their mean in units of their spread, those kept.

    design: (n, kept).   kept: positions among intercept and covariates.   back: (kept, kept) to the columns
    as they came.   total: columns in all.
    """

    design: Floats
    kept: Integers
    back: Floats
    total: int


def _columns(x: Floats) -> _Columns:
    centre, spread = x.mean(axis=0), x.std(axis=0)
    # A column that is constant but for rounding is a multiple of the intercept.
    flat = spread <= 1e-12 * np.maximum(np.abs(centre), 1e-300)
    scaled = np.where(flat, 0.0, (x - centre) / np.where(flat, 1.0, spread))
    design = np.column_stack([np.ones(x.shape[0]), scaled])
    kept = independent_columns(design.T @ design)
    covariates = kept[1:] - 1
    back = np.diag(np.append(1.0, 1 / spread[covariates]))
    back[0, 1:] = -centre[covariates] / spread[covariates]
    return _Columns(design[:, kept], kept, back, x.shape[1] + 1)


def _observations(left: Floats, right: Floats, design: Floats) -> tuple[Observations, float]:
    """Log times about their mean, and that mean."""
    with np.errstate(divide="ignore"):
        low, high = np.log(left), np.log(right)
    ends = np.concatenate([low, high])
    known = ends[np.isfinite(ends)]
    shift, spread = (float(known.mean()), float(known.std())) if known.size else (0.0, 0.0)
    exact = left == right
    narrow = ~exact & (high - low < NARROW * spread)
    constant = float(np.log((high - low)[narrow]).sum()) - float(low[exact].sum())
    low, high = low - shift, high - shift
    middle, half = (low[narrow] + high[narrow]) / 2, (high[narrow] - low[narrow]) / 2
    nodes = middle[:, None] + half[:, None] * POINTS
    wide = ~(exact | narrow)
    observations = Observations(
        low[exact], design[exact], low[wide], high[wide], design[wide], nodes, design[narrow], constant
    )
    return observations, shift


def _climb(kind: Distribution, data: Observations) -> Summit | None:
    """The maximum in (delta, gamma) of the scaled columns; None if there is none."""
    ends = np.concatenate([data.exact, data.low, data.high, data.nodes.ravel()])
    spread = float(ends[np.isfinite(ends)].std())
    theta = np.zeros(data.design.shape[1] + (0 if kind.fixed_scale else 1))
    if not kind.fixed_scale:
        theta[-1] = 1 / spread if spread > 0 else 1.0

    def inside(theta: Floats) -> Evaluated | None:
        if not kind.fixed_scale and theta[-1] <= 0:
            return None
        found = evaluate(kind, data, theta)
        return found if np.isfinite(found[0]) else None

    return climb(inside, theta)


@dataclass(frozen=True)
class _Fitted:
    """What a result is made of: columns, the maximum if there is one, the mean log time taken away."""

    columns: _Columns
    best: Summit | None
    shift: float
    n: int
    events: int
    status: str


def _result(distribution: str, fitted: _Fitted, level: float) -> Parametric:
    """From (delta, gamma) of scaled columns to (beta, log scale) of the columns as they came."""
    fixed, columns, best = DISTRIBUTIONS[distribution].fixed_scale, fitted.columns, fitted.best
    total, k = columns.total, columns.kept.size
    beta, sigma, value = np.full(total, np.nan), 1.0 if fixed else math.nan, math.nan
    covariance = np.full((total + (not fixed), total + (not fixed)), np.nan)
    if best is not None:
        sigma = 1.0 if fixed else 1 / float(best.theta[k])
        scaled = best.theta[:k] * sigma
        beta[columns.kept] = columns.back @ scaled
        beta[0] += fitted.shift
        lever = np.eye(best.theta.size)
        lever[:k, :k] = columns.back * sigma
        if not fixed:
            lever[:k, k] = -columns.back @ scaled * sigma
            lever[k, k] = -sigma
        where = columns.kept if fixed else np.append(columns.kept, total)
        covariance[np.ix_(where, where)] = lever @ np.linalg.inv(best.information) @ lever.T
        value = float(best.log_likelihood)
    std_error = np.sqrt(np.diag(covariance))
    z = float(ndtri(0.5 + level / 2))
    spread = math.exp(z * float(std_error[-1])) if not fixed else 1.0
    return Parametric(
        distribution=distribution,
        coefficients=beta,
        std_error=std_error[:total],
        low=beta - z * std_error[:total],
        high=beta + z * std_error[:total],
        p_value=2 * ndtr(-np.abs(beta / std_error[:total])),
        scale=sigma,
        scale_low=sigma / spread,
        scale_high=sigma * spread,
        covariance=covariance,
        log_likelihood=value,
        aic=2 * (k + (not fixed)) - 2 * value,
        n=fitted.n,
        events=fitted.events,
        status=fitted.status,
        level=level,
    )
