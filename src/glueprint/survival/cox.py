"""Cox's proportional hazards regression."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_level, as_matrix
from glueprint.survival.cox_data import CoxData, standardised
from glueprint.survival.influence import cluster_sums, hazards, score_residuals
from glueprint.survival.monotone import separating_direction
from glueprint.survival.newton import Maximum, maximise
from glueprint.survival.partial_likelihood import RiskSets, evaluate, independent_columns, risk_sets
from glueprint.survival.rows import Rows, as_rows, enough_clusters, no_overlap

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
    covariance: (p, p) of coefficients, from which the errors, interval, p-values and Wald's test come: the
    robust one if `robust`, else the naive one.   naive_covariance: (p, p) inverse of the information.
    robust_covariance: (p, p) of Lin and Wei, None unless `robust`.
    log_likelihood_null: at coefficients 0.   likelihood_ratio, wald, score: global tests; the first and the
    last are the model's.   robust_score: score test with the robust variance, None unless `robust`.
    n: patients: the distinct labels of `patient` if given, else rows.   rows: rows used.   left_out: rows of
    weight 0.   clusters: of the robust variance, None unless `robust`.   events: rows with the event.
    status: a key of ADVICE; `advice` is its text.   data: what residuals, curves and tests of the fit read.
    """

    coefficients: Floats
    std_error: Floats
    hazard_ratio: Floats
    interval: tuple[Floats, Floats]
    p_value: Floats
    covariance: Floats
    naive_covariance: Floats
    robust_covariance: Floats | None
    log_likelihood: float
    log_likelihood_null: float
    likelihood_ratio: ChiSquare
    wald: ChiSquare
    score: ChiSquare
    robust_score: ChiSquare | None
    n: int
    rows: int
    left_out: int
    clusters: int | None
    events: int
    iterations: int
    converged: bool
    status: str
    ties: str
    level: float
    data: CoxData = field(repr=False, compare=False)

    @property
    def robust(self) -> bool:
        """Whether the errors are robust."""
        return self.robust_covariance is not None

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
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    patient: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    robust: bool | None = None,
    level: float = 0.95,
) -> Cox:
    """Estimate hazard ratios by the maximum of the partial likelihood.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.
    covariates: (n,) or (n, p) numbers.   ties: "efron" or "breslow".   strata: (n,) labels or None.
    entry: (n,) < time, a row is at risk if entry < t <= time: delayed entry, or the start of a stretch over
    which the covariates of a patient held.   patient: (n,) labels, if patients have several rows.
    weights: (n,) >= 0; rows of weight 0 are left out and counted.
    cluster: (n,) labels of rows that belong together; `patient` if not given.
    robust: variance of Lin and Wei, summed within clusters. None is True with clusters, with weights that are
    no whole numbers, and for a patient with several events.
    Returns Cox; a likelihood without a finite maximum, or a covariate without information, is a status.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for options, GP-V008 for covariates not finite
    and missing labels, GP-V014 for entries, GP-V015 and GP-V016 for weights, GP-V017 for rows of one patient
    that overlap, GP-V018 for a single cluster.
    Source: Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Andersen and Gill 1982,
    doi:10.1214/aos/1176345976; Lin and Wei 1989, doi:10.1080/01621459.1989.10478874; equal to R survival's
    coxph at its limit.

    >>> found = cox([5, 8, 9, 12, 15], [1, 1, 0, 1, 1], [1, 0, 1, 0, 0])
    >>> found.status
    'ok'
    """
    rows = as_rows(time, event, entry, weights)
    x = as_matrix(covariates, rows.given)[rows.kept]
    level = as_level(level)
    if ties not in ("efron", "breslow"):
        raise InputError(
            "GP-V007",
            f"{ties!r} is not a method for ties",
            where="ties",
            expected='"efron" or "breslow"',
            next_step='use "efron" unless a comparison asks for Breslow',
        )
    labels, stratum = np.zeros(1, np.int64), np.zeros(rows.time.size, np.int64)
    if strata is not None:
        labels, stratum = rows.codes(strata, "strata")
    who = None if patient is None else rows.codes(patient, "patient")[1]
    if who is not None:
        no_overlap(rows, who, stratum)
    together = who if cluster is None else rows.codes(cluster, "cluster")[1]
    sums = _robust_wanted(robust, rows, who, together if cluster is not None else None)
    if sums and together is not None:
        enough_clusters(together)
    scaled, scale, centre = standardised(x, stratum)
    sets = risk_sets(rows.time, rows.event, scaled, stratum, ties, entry=rows.entry, weight=rows.weight)
    data = CoxData(rows, sets, scale, centre, labels, together)
    return _fit(data, sums, rows.time.size if who is None else int(who.max()) + 1, ties, level)


def _robust_wanted(robust: bool | None, rows: Rows, who: Integers | None, cluster: Integers | None) -> bool:
    """Whether the errors are to be robust, by R survival's rule where it is not said."""
    if robust is not None:
        if cluster is not None and not robust:
            raise InputError(
                "GP-V007",
                "clusters were given and robust is False",
                where="robust",
                expected="True or None with clusters: only the robust variance knows them",
                next_step="leave robust out, or cluster",
            )
        return bool(robust)
    several = who is not None and bool((np.bincount(who[rows.event], minlength=1) > 1).any())
    return cluster is not None or several or not rows.whole


@dataclass(frozen=True)
class _Spread:
    """Covariances of the scaled coefficients kept, (k, k), and the two tests that use them."""

    naive: Floats
    robust: Floats | None
    wald: float
    robust_score: float


def _fit(data: CoxData, robust: bool, patients: int, ties: str, level: float) -> Cox:
    """Maximise on scaled covariates and put the parts together on the user's scale."""
    sets, scale, p = data.sets, data.scale, data.scale.size
    zero = evaluate(sets, np.zeros(p))
    nothing = np.array([], dtype=np.int64)
    kept = independent_columns(zero[2], sets.unit) if sets.first.size else nothing
    use = data.of(kept)
    best = Maximum(np.zeros(0), zero[0], np.zeros((0, 0)), 0, True)
    status, signs = "no comparison", np.zeros(0)  # +1 or -1 for a covariate that runs to infinity
    if kept.size:
        best = maximise(use, zero if kept.size == p else None)
        status, signs = _verdict(use, best, kept.size < p)
    beta = np.full(p, np.nan)
    beta[kept] = best.beta / scale[kept]
    beta[kept[signs != 0]] = np.copysign(np.inf, signs[signs != 0])
    spread = _spread(data, use, best, status, robust)
    naive = _on_scale(spread.naive, kept, scale)
    robust_covariance = None if spread.robust is None else _on_scale(spread.robust, kept, scale)
    covariance = naive if robust_covariance is None else robust_covariance
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
        naive_covariance=naive,
        robust_covariance=robust_covariance,
        log_likelihood=best.log_likelihood,
        log_likelihood_null=zero[0],
        likelihood_ratio=chi_square(2 * (best.log_likelihood - zero[0]), kept.size),
        wald=chi_square(spread.wald, kept.size),
        score=chi_square(score, kept.size),
        robust_score=chi_square(spread.robust_score, kept.size) if robust else None,
        n=patients,
        rows=sets.died.size,
        left_out=data.rows.left_out,
        clusters=int(data.clusters().max()) + 1 if robust else None,
        events=int(sets.died.sum()),
        iterations=best.iterations,
        converged=status in CONVERGED,
        status=status,
        ties=ties,
        level=level,
        data=data,
    )


def _on_scale(covariance: Floats, kept: Integers, scale: Floats) -> Floats:
    """A covariance of the scaled coefficients kept on the user's scale, (p, p), NaN for the others."""
    whole = np.full((scale.size, scale.size), np.nan)
    whole[np.ix_(kept, kept)] = covariance / np.outer(scale[kept], scale[kept])
    return whole


def _spread(data: CoxData, use: RiskSets, best: Maximum, status: str, robust: bool) -> _Spread:
    """Covariances and tests of a fit; NaN where the likelihood has no finite maximum."""
    k = best.beta.size
    found = status in CONVERGED
    naive = np.full((k, k), np.nan)
    if found:
        naive = np.linalg.inv(best.information).astype(np.float64)
    wald = float(best.beta @ best.information @ best.beta) if found else np.nan
    if not robust:
        return _Spread(naive, None, wald, np.nan)
    start = _cluster_scores(data, use, np.zeros(k)) if k else np.zeros((1, 0))
    robust_score = _quadratic(start.T @ start, start.sum(axis=0))
    if not found:
        return _Spread(naive, naive, np.nan, robust_score)
    moved = _cluster_scores(data, use, best.beta) @ naive
    return _Spread(naive, moved.T @ moved, _quadratic(moved.T @ moved, best.beta), robust_score)


def _cluster_scores(data: CoxData, use: RiskSets, beta: Floats) -> Floats:
    """Weighted score residuals summed by cluster, (clusters, k)."""
    scores = score_residuals(use, hazards(use, beta))
    weighted = scores if use.weight is None else use.weight[:, None] * scores
    return cluster_sums(weighted, data.clusters())


def _quadratic(variance: Floats, values: Floats) -> float:
    """values' variance^-1 values; NaN if fewer clusters than covariates leave the variance singular."""
    if not values.size or np.linalg.matrix_rank(variance, hermitian=True) < values.size:
        return np.nan
    return float(values @ np.linalg.solve(variance, values))


def estimated(fit: Cox, what: str) -> Floats:
    """Coefficients of the scaled covariates, (p,), 0 where aliased; raises GP-V019 if there are none."""
    if fit.status not in CONVERGED:
        raise InputError(
            "GP-V019",
            f'a fit of status "{fit.status}" has no {what}',
            where="fit",
            expected='a fit of status "ok" or "aliased"',
            next_step=fit.advice,
        )
    return np.nan_to_num(fit.coefficients * fit.data.scale)


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


def chi_square(chi2: float, df: int) -> ChiSquare:
    """A test with its p-value; NaN without degrees of freedom."""
    return ChiSquare(chi2 if df else float("nan"), int(df), float(chdtrc(df, chi2)) if df else float("nan"))
