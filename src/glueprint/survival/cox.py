"""Cox's proportional hazards regression."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import (
    Floats,
    Integers,
    as_codes,
    as_events,
    as_floats,
    as_level,
    as_times,
    place,
)
from glueprint.survival.counts import tie
from glueprint.survival.monotone import separating_direction
from glueprint.survival.newton import Maximum, maximise
from glueprint.survival.partial_likelihood import RiskSets, evaluate, independent_columns, risk_sets

ADVICE = {
    "ok": "",
    "monotone": "the likelihood rises for ever: a covariate separates the deaths from those at risk; "
    "report the likelihood-ratio or score test and the finite end of the interval, if there is one",
    "aliased": "a covariate is constant or a sum of others within every risk set; leave it out (it is NaN)",
    "no comparison": "no death had a choice of covariates in its risk set; nothing can be estimated",
    "not converged": "Newton's method did not settle; look for covariates of extreme range",
}
CONVERGED = ("ok", "aliased")


@dataclass(frozen=True)
class ChiSquare:
    """A chi-square test."""

    chi2: float
    df: int
    p_value: float


@dataclass(frozen=True)
class Cox:
    """A fitted regression; one entry per covariate, (p,), in the order given.

    coefficients: log hazard ratio per unit of the covariate.   interval: (low, high) of hazard_ratio.
    An entry is NaN for an aliased covariate and infinite for one that separates (status "monotone").
    covariance: (p, p) of coefficients.   log_likelihood_null: at coefficients 0.
    likelihood_ratio, wald, score: global tests.   status: a key of ADVICE; `advice` is its text.
    """

    coefficients: Floats
    std_error: Floats
    hazard_ratio: Floats
    interval: tuple[Floats, Floats]
    p_value: Floats
    covariance: Floats
    log_likelihood: float
    log_likelihood_null: float
    likelihood_ratio: ChiSquare
    wald: ChiSquare
    score: ChiSquare
    n: int
    events: int
    iterations: int
    converged: bool
    status: str
    ties: str
    level: float

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the fit is in order."""
        return ADVICE[self.status]


def cox(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    ties: str = "efron",
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Cox:
    """Estimate hazard ratios by the maximum of the partial likelihood.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.
    covariates: (n,) or (n, p) numbers.   ties: "efron" or "breslow".   strata: (n,) labels or None.
    Returns Cox; a likelihood without a finite maximum, or a covariate without information, is a status.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for options, GP-V008 for covariates not finite.
    Source: Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; equal to R survival's coxph at its limit.
    """
    times = as_times(time)
    events = as_events(event, times.shape)
    x = _matrix(covariates, times.size)
    level = as_level(level)
    if ties not in ("efron", "breslow"):
        raise InputError(
            "GP-V007",
            f"{ties!r} is not a method for ties",
            where="ties",
            expected='"efron" or "breslow"',
            next_step='use "efron" unless a comparison asks for Breslow',
        )
    stratum = np.zeros(times.size, np.int64) if strata is None else as_codes(strata, times.shape, "strata")[1]
    scaled, scale = _standardised(x, stratum)
    return _fit(risk_sets(tie(times), events, scaled, stratum, ties), scale, ties, level)


def _matrix(covariates: ArrayLike, n: int) -> Floats:
    x = as_floats(covariates, "covariates", (1, 2))
    x = x[:, None] if x.ndim == 1 else x
    if x.shape[0] != n:
        raise InputError(
            "GP-V003",
            f"{x.shape[0]} rows for {n} times",
            where="covariates",
            expected="one row per patient",
            next_step="take all columns from the same rows of one table",
        )
    bad = np.argwhere(~np.isfinite(x))
    if bad.size:
        raise InputError(
            "GP-V008",
            f"{x[tuple(bad[0])]} is not a covariate value",
            where=place("covariates", tuple(bad[0])),
            expected="a finite number for every patient",
            next_step="leave the patient out and count it, or impute the value",
        )
    return x


def _standardised(x: Floats, stratum: Integers) -> tuple[Floats, Floats]:
    """Covariates about the mean of their stratum in units of their spread, and the units.

    Only differences within a stratum enter the likelihood, so no digits are spent on those between strata.
    """
    totals = np.zeros((int(stratum.max()) + 1, x.shape[1]))
    np.add.at(totals, stratum, x)
    centred = x - (totals / np.bincount(stratum)[:, None])[stratum]
    spread = centred.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    return centred / scale, scale


def _fit(sets: RiskSets, scale: Floats, ties: str, level: float) -> Cox:
    """Maximise on scaled covariates and put the parts together on the user's scale."""
    p = scale.size
    zero = evaluate(sets, np.zeros(p))
    kept = independent_columns(zero[2]) if sets.first.size else np.array([], dtype=np.int64)
    use = replace(sets, covariates=sets.covariates[:, kept])
    best = Maximum(np.zeros(0), zero[0], np.zeros((0, 0)), 0, True)
    status, signs = "no comparison", np.zeros(0)  # +1 or -1 for a covariate that runs to infinity
    if kept.size:
        best = maximise(use)
        status, signs = _verdict(use, best, kept.size < p)
    beta, covariance = np.full(p, np.nan), np.full((p, p), np.nan)
    beta[kept] = best.beta / scale[kept]
    beta[kept[signs != 0]] = np.copysign(np.inf, signs[signs != 0])
    wald = np.nan
    if status in CONVERGED:
        covariance[np.ix_(kept, kept)] = np.linalg.inv(best.information) / np.outer(scale[kept], scale[kept])
        wald = float(best.beta @ best.information @ best.beta)
    gradient, information = zero[1][kept], zero[2][np.ix_(kept, kept)]
    score = float(gradient @ np.linalg.solve(information, gradient)) if kept.size else np.nan
    std_error = np.sqrt(np.diag(covariance))
    half = ndtri(0.5 + level / 2) * std_error
    with np.errstate(over="ignore"):
        ratio, interval = np.exp(beta), (np.exp(beta - half), np.exp(beta + half))
    if status == "monotone" and p == 1:
        interval = _one_sided(use, best, scale, level)
    return Cox(
        coefficients=beta,
        std_error=std_error,
        hazard_ratio=ratio,
        interval=interval,
        p_value=2 * ndtr(-np.abs(beta / std_error)),
        covariance=covariance,
        log_likelihood=best.log_likelihood,
        log_likelihood_null=zero[0],
        likelihood_ratio=_test(2 * (best.log_likelihood - zero[0]), kept.size),
        wald=_test(wald, kept.size),
        score=_test(score, kept.size),
        n=sets.died.size,
        events=int(sets.died.sum()),
        iterations=best.iterations,
        converged=status in CONVERGED,
        status=status,
        ties=ties,
        level=level,
    )


def _verdict(sets: RiskSets, best: Maximum, aliased: bool) -> tuple[str, Floats]:
    """Status of the fit and the signs of the covariates that run to infinity."""
    nowhere = np.zeros(best.beta.size)
    # A sound fit settles in fewer than ten steps, so the exact but slower answer is asked for only then.
    if not best.settled or best.iterations > 12 or np.abs(best.beta).max() > 12:
        direction = separating_direction(sets)
        if direction is not None:
            return "monotone", np.sign(direction)
        if not best.settled:
            return "not converged", nowhere
    return ("aliased" if aliased else "ok"), nowhere


def _one_sided(sets: RiskSets, best: Maximum, scale: Floats, level: float) -> tuple[Floats, Floats]:
    """Profile-likelihood interval of a hazard ratio that has no finite estimate: one end is open."""
    sign = float(np.sign(best.beta[0]))
    target = best.log_likelihood - float(ndtri(0.5 + level / 2)) ** 2 / 2

    def above(size: float) -> float:
        return evaluate(sets, np.array([sign * size]))[0] - target

    low = -1.0
    while above(low) > 0:
        low *= 2
    end = np.exp(np.array([sign * brentq(above, low, abs(best.beta[0]), xtol=1e-12)]) / scale)
    open_end = np.array([np.inf if sign > 0 else 0.0])
    return (end, open_end) if sign > 0 else (open_end, end)


def _test(chi2: float, df: int) -> ChiSquare:
    return ChiSquare(chi2 if df else float("nan"), int(df), float(chdtrc(df, chi2)) if df else float("nan"))
