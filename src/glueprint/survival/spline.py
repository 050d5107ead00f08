"""Royston and Parmar's flexible model: the log cumulative hazard as a smooth curve of log time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import (
    Flags,
    Floats,
    Integers,
    as_events,
    as_floats,
    as_level,
    as_matrix,
    as_probability,
    as_times,
    event_at_zero,
    same_shape,
)
from glueprint.survival.newton import Evaluated, climb
from glueprint.survival.partial_likelihood import independent_columns

ADVICE = {
    "ok": "",
    "aliased": "a covariate is constant or a sum of others; leave it out (it is NaN)",
    "not monotone": "the fitted cumulative hazard falls somewhere in the follow-up; use fewer knots",
    "no events": "no event was seen; nothing but a longer follow-up can tell its times",
    "no maximum": "the likelihood rises for ever: a covariate separates those with the event from those "
    "without; leave it out, or compare the groups by log_rank",
}
USABLE = ("ok", "aliased", "not monotone")
MOST_KNOTS = 8


@dataclass(frozen=True)
class Spline:
    """A fitted model log H(t) = s(log t) + coefficients . covariates; entries per covariate, (p,).

    coefficients: log hazard ratios; NaN for an aliased covariate.   interval: (low, high) of hazard_ratio.
    knots: (m + 2,) log times, the outermost at the first and last event.   gamma: (m + 2,) intercept, slope
    and one number per inner knot.   covariance: of gamma and then the coefficients.
    log_likelihood: of the times themselves.   status: a key of ADVICE; `advice` is its text.
    """

    coefficients: Floats
    std_error: Floats
    hazard_ratio: Floats
    interval: tuple[Floats, Floats]
    p_value: Floats
    knots: Floats
    gamma: Floats
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

    def survival(
        self, times: ArrayLike, covariates: ArrayLike | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Fraction without the event at the given times with its limits, each (k,), for one patient.

        times: > 0.   covariates: (p,), or None for a model without any.
        Limits are normal in log(-log S). Beyond the last knots the log cumulative hazard is a straight line.
        """
        wanted = np.atleast_1d(as_floats(times, "times", (0, 1)))
        centre, error = self._log_hazard(wanted, covariates)
        half = float(ndtri(0.5 + self.level / 2)) * error
        value, low, high = (np.exp(-np.exp(centre + shift)) for shift in (0.0, half, -half))
        return value, low, high

    def hazard(self, times: ArrayLike, covariates: ArrayLike | None = None) -> Floats:
        """Hazard per unit of time at the given times, (k,), for one patient's covariates, (p,)."""
        wanted = np.atleast_1d(as_floats(times, "times", (0, 1)))
        centre, _ = self._log_hazard(wanted, covariates)
        result: Floats = np.exp(centre) * (slopes(np.log(wanted), self.knots) @ self.gamma) / wanted
        return result

    def quantile(self, probability: float, covariates: ArrayLike | None = None) -> tuple[float, float, float]:
        """Time by which the fraction `probability` has had the event, with its limits, for one patient.

        Returns (time, low, high), limits normal on the log scale; NaN if the fitted curve never comes there.
        Raises InputError GP-V003 for the number of covariates, GP-V007 for the probability.
        """
        probability = as_probability(probability)
        target = math.log(-math.log1p(-probability))

        def above(y: float) -> float:
            return float(self._log_hazard(np.array([math.exp(y)]), covariates)[0][0]) - target

        width = max(1.0, float(np.ptp(self.knots)))
        low, high = float(self.knots[0]) - 20 * width, float(self.knots[-1]) + 20 * width
        if self.status not in ("ok", "aliased") or above(low) > 0 or above(high) < 0:
            return math.nan, math.nan, math.nan
        y = float(brentq(above, low, high, xtol=1e-13, rtol=1e-14))
        error = float(self._log_hazard(np.array([math.exp(y)]), covariates)[1][0])
        steepness = float(slopes(np.array([y]), self.knots)[0] @ self.gamma)
        half = float(ndtri(0.5 + self.level / 2)) * error / steepness
        return math.exp(y), math.exp(y - half), math.exp(y + half)

    def _log_hazard(self, times: Floats, covariates: ArrayLike | None) -> tuple[Floats, Floats]:
        """Log cumulative hazard and its standard error at the times, (k,)."""
        given = np.zeros(0) if covariates is None else as_floats(covariates, "covariates", (0, 1))
        x = np.atleast_1d(given)
        same_shape(x, self.coefficients.shape, "covariates")
        lever = np.column_stack([basis(np.log(times), self.knots), np.tile(x, (times.size, 1))])
        numbers = np.concatenate([self.gamma, self.coefficients])
        known = np.isfinite(numbers) | (self.status not in USABLE)
        lever, numbers = lever[:, known], numbers[known]
        covariance = self.covariance[np.ix_(known, known)]
        return lever @ numbers, np.sqrt(np.einsum("ki,ij,kj->k", lever, covariance, lever))


def royston_parmar(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    knots: int = 2,
    level: float = 0.95,
) -> Spline:
    """Fit proportional hazards over a smooth baseline.

    time: (n,) follow-up, any unit, > 0 where the event happened.   event: (n,) 1 event, 0 censored.
    covariates: (n,) or (n, p) numbers, or None.   knots: inner knots, 0 (Weibull) to 8, at even fractions of
    the log times of the events.
    Returns Spline; a likelihood without a maximum is a status.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for options, GP-V008 for covariates not finite,
    GP-V024 for an event at time 0.
    Source: Royston and Parmar 2002, doi:10.1002/sim.1203 (scale of the hazard). The likelihood is concave.
    """
    times = as_times(time)
    events = as_events(event, times.shape)
    x = np.zeros((times.size, 0)) if covariates is None else as_matrix(covariates, times.size)
    level = as_level(level)
    at_zero = events & (times == 0)
    if at_zero.any():
        raise event_at_zero("time", int(np.argmax(at_zero)))
    at = _knots(times[events], knots)
    if not events.any():
        return _result(None, at, x.shape[1], events, "no events", level)
    # A patient censored at time 0 has seen nothing.
    use = times > 0
    fitted = _fit(np.log(times[use]), events[use], x[use], at)
    status = "no maximum" if fitted is None else fitted.status
    return _result(fitted, at, x.shape[1], events, status, level)


def basis(y: Floats, knots: Floats) -> Floats:
    """The restricted cubic spline of log times, (k,) -> (k, knots): 1, y and one term per inner knot."""
    low, high = knots[0], knots[-1]
    inner = knots[1:-1]
    share = (high - inner) / (high - low) if inner.size else inner
    cubes = np.maximum(y[:, None] - inner, 0) ** 3
    cubes -= (
        share * np.maximum(y - low, 0)[:, None] ** 3 + (1 - share) * np.maximum(y - high, 0)[:, None] ** 3
    )
    return np.column_stack([np.ones(y.size), y, cubes])


def slopes(y: Floats, knots: Floats) -> Floats:
    """Derivative of `basis` by y, (k, knots)."""
    low, high = knots[0], knots[-1]
    inner = knots[1:-1]
    share = (high - inner) / (high - low) if inner.size else inner
    squares = np.maximum(y[:, None] - inner, 0) ** 2
    squares -= share * np.maximum(y - low, 0)[:, None] ** 2
    squares -= (1 - share) * np.maximum(y - high, 0)[:, None] ** 2
    return np.column_stack([np.zeros(y.size), np.ones(y.size), 3 * squares])


def _knots(event_times: Floats, inner: int) -> Floats:
    if not (isinstance(inner, int | np.integer) and 0 <= inner <= MOST_KNOTS):
        raise InputError(
            "GP-V007",
            f"{inner!r} is not a number of inner knots",
            where="knots",
            expected=f"a whole number from 0 to {MOST_KNOTS}",
            next_step="use 1 to 4; 0 is a Weibull model",
        )
    if not event_times.size:
        return np.full(inner + 2, np.nan)
    places = np.quantile(np.log(event_times), np.linspace(0, 1, inner + 2))
    if inner and (np.diff(places) <= 0).any():
        raise InputError(
            "GP-V007",
            f"{inner} inner knots fall on the same event times",
            where="knots",
            expected="more distinct event times than knots",
            next_step="use fewer knots, or parametric",
        )
    return places


@dataclass(frozen=True)
class _Fit:
    """Numbers (q,) of the spline and the covariates kept among all columns, at the maximum."""

    numbers: Floats
    covariance: Floats
    kept: Integers
    log_likelihood: float
    status: str


def _fit(y: Floats, event: Flags, x: Floats, knots: Floats) -> _Fit | None:
    """Maximise over columns made orthogonal, and back."""
    spline = basis(y, knots)
    design = np.column_stack([spline, x])
    slope = np.column_stack([slopes(y, knots), np.zeros_like(x)])
    centred = design - np.append(0.0, design[:, 1:].mean(axis=0))
    spread = np.sqrt((centred**2).mean(axis=0))
    # A column that is constant but for rounding is a multiple of the intercept.
    spread = np.where(spread > 1e-12 * np.abs(design).max(axis=0), spread, np.inf)
    scaled = centred / spread
    kept = independent_columns(scaled.T @ scaled)
    # Orthogonal columns: the spline's own are all but sums of one another.
    upper = np.linalg.qr(design[:, kept])[1]
    turn = np.linalg.inv(upper) * math.sqrt(y.size)
    columns, steep = design[:, kept] @ turn, slope[:, kept] @ turn
    start = np.zeros(kept.size)
    start[0], start[1] = math.log(event.sum()) - math.log(np.exp(y - y.max()).sum()) - y.max(), 1.0
    begin: Floats = np.linalg.solve(turn, start).astype(np.float64)
    best = climb(lambda theta: _likelihood(columns, steep[event], event, theta), begin)
    if best is None:
        return None
    numbers = turn @ best.theta
    rising = np.concatenate([slopes(y, knots), slopes(knots, knots)]) @ numbers[: knots.size] > 0
    status = "not monotone" if not rising.all() else "ok" if kept.size == design.shape[1] else "aliased"
    covariance = turn @ np.linalg.inv(best.information) @ turn.T
    return _Fit(numbers, covariance, kept, best.log_likelihood - float(y[event].sum()), status)


def _likelihood(columns: Floats, steep: Floats, event: Flags, theta: Floats) -> Evaluated | None:
    """Log-likelihood of log times, gradient and information; None where an event has a negative hazard."""
    slope = steep @ theta
    if not (slope > 0).all():
        return None
    linear = columns @ theta
    with np.errstate(over="ignore"):
        hazard = np.exp(linear)
    if not np.isfinite(hazard).all():
        return None
    ratio = steep / slope[:, None]
    value = float(np.log(slope).sum() + linear[event].sum() - hazard.sum())
    gradient = ratio.sum(axis=0) + columns[event].sum(axis=0) - hazard @ columns
    return value, gradient, ratio.T @ ratio + (columns.T * hazard) @ columns


def _result(
    fitted: _Fit | None, knots: Floats, covariates: int, event: Flags, status: str, level: float
) -> Spline:
    total = knots.size + covariates
    numbers, covariance = np.full(total, np.nan), np.full((total, total), np.nan)
    value, free = math.nan, total
    if fitted is not None:
        kept = fitted.kept
        numbers[kept], covariance[np.ix_(kept, kept)] = fitted.numbers, fitted.covariance
        value, free = fitted.log_likelihood, kept.size
    beta = numbers[knots.size :]
    error = np.sqrt(np.diag(covariance))[knots.size :]
    half = float(ndtri(0.5 + level / 2)) * error
    return Spline(
        coefficients=beta,
        std_error=error,
        hazard_ratio=np.exp(beta),
        interval=(np.exp(beta - half), np.exp(beta + half)),
        p_value=2 * ndtr(-np.abs(beta / error)),
        knots=knots,
        gamma=numbers[: knots.size],
        covariance=covariance,
        log_likelihood=value,
        aic=2 * free - 2 * value,
        n=event.size,
        events=int(event.sum()),
        status=status,
        level=level,
    )
