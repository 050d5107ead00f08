"""Fine and Gray's regression on the hazard of a cumulative incidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_codes, as_level, as_matrix, as_times
from glueprint.survival.competing import as_causes
from glueprint.survival.counts import tie
from glueprint.survival.newton import DECREMENT, MAX_ITERATIONS
from glueprint.survival.partial_likelihood import independent_columns

ADVICE = {
    "ok": "",
    "aliased": "a covariate is constant or a sum of others among those at risk; leave it out (it is NaN)",
    "no maximum": "the likelihood rises for ever: a covariate separates those with the cause from the rest; "
    "leave it out, or compare the groups by Gray's test",
}

# Part of the information at coefficients 0 below which a likelihood has no maximum: a ratio of about e^18.
FADED = 1e-8


@dataclass(frozen=True)
class FineGray:
    """A fitted regression; one entry per covariate, (p,), in the order given.

    coefficients: log subdistribution hazard ratio per unit of the covariate; NaN for one that is aliased.
    std_error, covariance (p, p): robust, with the estimated censoring taken into account.
    interval: (low, high) of hazard_ratio.   log_likelihood: partial, weighted; _null at coefficients 0.
    times, baseline: (m,) where the cause happened, and the cumulative subdistribution hazard there for a
    patient with all covariates 0; one stratum after the other, `stratum` (m,) its label (0 without strata).
    status: a key of ADVICE; `advice` is its text.
    """

    cause: int
    coefficients: Floats
    std_error: Floats
    hazard_ratio: Floats
    interval: tuple[Floats, Floats]
    p_value: Floats
    covariance: Floats
    log_likelihood: float
    log_likelihood_null: float
    times: Floats
    baseline: Floats
    stratum: NDArray[Any]
    n: int
    events: int
    competing: int
    status: str
    level: float

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the fit is in order."""
        return ADVICE[self.status]

    def incidence(self, covariates: ArrayLike) -> Floats:
        """Cumulative incidence of the cause at `times`, (m,), for one patient's covariates, (p,)."""
        x = as_matrix(np.atleast_2d(np.asarray(covariates, dtype=np.float64)), 1)[0]
        known = np.isfinite(self.coefficients)
        result: Floats = 1 - np.exp(-self.baseline * np.exp(x[known] @ self.coefficients[known]))
        return result


def fine_gray(
    time: ArrayLike,
    cause: ArrayLike,
    covariates: ArrayLike,
    *,
    of: int = 1,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> FineGray:
    """Regress the cumulative incidence of one cause on covariates.

    time: (n,) follow-up, any unit, >= 0.   cause: (n,) whole numbers, 0 censored, 1, 2, ... causes.
    covariates: (n,) or (n, p) numbers.   of: the cause that is regressed.   strata: (n,) labels, or None: a
    baseline and a curve of the censoring for each.
    Returns FineGray. Patients with another cause stay at risk with the weight of still being uncensored,
    from the Kaplan-Meier curve of the censoring of their stratum.
    Raises InputError GP-V001 to GP-V004 for arrays, GP-V007 for the level, GP-V008 for covariates not finite
    and missing labels, GP-V011 for the causes, GP-V023 for a cause that nobody had.
    Source: Fine and Gray 1999, doi:10.1080/01621459.1999.10474144; strata: Zhou et al. 2011,
    doi:10.1111/j.1541-0420.2010.01493.x (regular stratification); equal to R cmprsk's crr at its limit, with
    Breslow's likelihood for ties.
    """
    times = as_times(time)
    causes, codes = as_causes(cause, times.shape)
    x = as_matrix(covariates, times.size)
    level = as_level(level)
    kind = _kind(causes, codes, of)
    # Only differences of covariates count; the mean costs digits.
    centre, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    labels, block = np.zeros(1, np.int64), np.zeros(times.size, np.int64)
    if strata is not None:
        labels, block = as_codes(strata, times.shape, "strata")
    tied, scaled = tie(times), (x - centre) / scale
    whole = [_prepare(tied[use], kind[use], scaled[use]) for use in _members(block)]
    null = _sums(whole, np.zeros(x.shape[1]))
    kept = independent_columns(null.information)
    data = [replace(part, covariates=part.covariates[:, kept]) for part in whole]
    best, settled = _climb(data)
    beta, covariance = np.full(scale.size, np.nan), np.full((scale.size, scale.size), np.nan)
    status = ("ok" if kept.size == scale.size else "aliased") if settled else "no maximum"
    if settled:
        beta[kept] = best.beta / scale[kept]
        covariance[np.ix_(kept, kept)] = _robust(data, best) / np.outer(scale[kept], scale[kept])
    std_error = np.sqrt(np.diag(covariance))
    half = float(ndtri(0.5 + level / 2)) * std_error
    at_zero = math.exp(-float(centre[kept] @ beta[kept])) if settled else math.nan
    curves = [
        np.cumsum(part.own / at.total)[part.own > 0] * at_zero
        for part, at in zip(data, best.each, strict=True)
    ]
    return FineGray(
        cause=int(of),
        coefficients=beta,
        std_error=std_error,
        hazard_ratio=np.exp(beta),
        interval=(np.exp(beta - half), np.exp(beta + half)),
        p_value=2 * ndtr(-np.abs(beta / std_error)),
        covariance=covariance,
        log_likelihood=best.log_likelihood if settled else math.nan,
        log_likelihood_null=null.log_likelihood,
        times=np.concatenate([part.time[part.own > 0] for part in data]),
        baseline=np.concatenate(curves),
        stratum=np.repeat(labels, [int((part.own > 0).sum()) for part in data]),
        n=times.size,
        events=int((kind == 1).sum()),
        competing=int((kind == 2).sum()),
        status=status,
        level=level,
    )


def _members(block: Integers) -> list[Integers]:
    """The patients of each stratum."""
    return [np.flatnonzero(block == code) for code in range(int(block.max()) + 1)]


def _kind(causes: Integers, codes: Integers, of: int) -> Integers:
    """0 censored, 1 the cause that is regressed, 2 any other, (n,)."""
    if of not in causes:
        raise InputError(
            "GP-V023",
            f"nobody had cause {of!r}",
            where="of",
            expected=f"one of the causes {', '.join(str(c) for c in causes)}",
            next_step="pass the number of a cause that happened",
        )
    return np.where(codes == 0, 0, np.where(causes[codes - 1] == of, 1, 2))


@dataclass(frozen=True)
class _Data:
    """Patients (n,) with `row`, the place of their time among the distinct ones, and what these hold, (m,).

    own: events of the cause.   censored: patients.   at_risk: patients.
    uncensored: chance of not having been censored before the time.
    """

    covariates: Floats
    row: Integers
    had_own: Flags
    had_other: Flags
    was_censored: Flags
    time: Floats
    own: Floats
    censored: Floats
    at_risk: Floats
    uncensored: Floats


@dataclass(frozen=True)
class _Part:
    """The weighted likelihood of one stratum at beta; total, mean: of the risk sets, (m,) and (m, p)."""

    log_likelihood: float
    gradient: Floats
    information: Floats
    total: Floats
    mean: Floats


@dataclass(frozen=True)
class _Sums:
    """The weighted likelihood at beta, the sum of that of each stratum."""

    beta: Floats
    log_likelihood: float
    gradient: Floats
    information: Floats
    each: tuple[_Part, ...]


def _prepare(time: Floats, kind: Integers, covariates: Floats) -> _Data:
    distinct, row = np.unique(time, return_inverse=True)
    row = row.reshape(-1).astype(np.int64)
    m = distinct.size
    leaving = np.bincount(row, minlength=m)
    at_risk = np.cumsum(leaving[::-1])[::-1].astype(np.float64)
    censored = np.bincount(row[kind == 0], minlength=m).astype(np.float64)
    uncensored = np.append(1.0, np.cumprod(1 - censored / at_risk)[:-1])
    own = np.bincount(row[kind == 1], minlength=m).astype(np.float64)
    flags = (kind == 1, kind == 2, kind == 0)
    return _Data(covariates, row, *flags, distinct, own, censored, at_risk, uncensored)


def _by_row(data: _Data, values: Floats, members: Flags | None = None) -> Floats:
    """Sum of `values` (n, ...) over the patients of each distinct time, (m, ...)."""
    total = np.zeros((data.time.size, *values.shape[1:]))
    use = slice(None) if members is None else members
    np.add.at(total, data.row[use], values[use])
    return total


def _left_before(data: _Data, values: Floats) -> Floats:
    """Sum over those with another cause before each time, over their chance of being uncensored, (m, ...)."""
    weight = data.uncensored[data.row].reshape(-1, *[1] * (values.ndim - 1))
    gone = np.cumsum(_by_row(data, values / weight, data.had_other), axis=0)
    return np.concatenate([np.zeros_like(gone[:1]), gone[:-1]])


def _weighted(data: _Data, values: Floats) -> Floats:
    """Sum over the risk set of the subdistribution at each time, (m, ...)."""
    present = np.cumsum(_by_row(data, values)[::-1], axis=0)[::-1]
    share = data.uncensored.reshape(-1, *[1] * (values.ndim - 1))
    result: Floats = present + share * _left_before(data, values)
    return result


def _sums(data: Sequence[_Data], beta: Floats) -> _Sums:
    each = tuple(_part(one, beta) for one in data)
    value = sum(one.log_likelihood for one in each)
    gradient = np.sum([one.gradient for one in each], axis=0)
    information = np.sum([one.information for one in each], axis=0)
    return _Sums(beta, value, gradient, information, each)


def _part(data: _Data, beta: Floats) -> _Part:
    x = data.covariates
    linear = x @ beta
    top = float(linear.max())
    size = np.exp(linear - top)
    total = _weighted(data, size)
    mean = _weighted(data, size[:, None] * x) / total[:, None]
    square = _weighted(data, size[:, None, None] * x[:, :, None] * x[:, None, :]) / total[:, None, None]
    spread = square - mean[:, :, None] * mean[:, None, :]
    value = float(linear[data.had_own].sum() - (data.own * (np.log(total) + top)).sum())
    gradient = x[data.had_own].sum(axis=0) - data.own @ mean
    information = np.einsum("m,mij->ij", data.own, spread)
    return _Part(value, gradient, information, total * math.exp(top), mean)


def _climb(data: Sequence[_Data]) -> tuple[_Sums, bool]:
    """Newton's method with halved steps; whether it came to a maximum."""
    here = _sums(data, np.zeros(data[0].covariates.shape[1]))
    if not here.beta.size:
        return here, True
    flattest = float(np.linalg.eigvalsh(here.information)[0])
    for _ in range(MAX_ITERATIONS):
        try:
            step = np.linalg.solve(here.information, here.gradient)
        except np.linalg.LinAlgError:
            return here, False
        decrement = float(here.gradient @ step)
        for _ in range(30):
            trial = _sums(data, here.beta + step)
            if trial.log_likelihood >= here.log_likelihood - 1e-12 * max(1.0, abs(here.log_likelihood)):
                break
            step = step / 2
        here = trial
        # On the way to infinity the information fades with e^-beta; at a maximum it does not.
        if float(np.linalg.eigvalsh(here.information)[0]) < FADED * flattest:
            return here, False
        if abs(decrement) < DECREMENT:
            return here, True
    return here, False


def _robust(data: Sequence[_Data], at: _Sums) -> Floats:
    """Sandwich variance (p, p): each patient's part in the score, and in the estimate of the censoring."""
    scores = [_scores(part, own, at.beta) for part, own in zip(data, at.each, strict=True)]
    bread = np.linalg.inv(at.information)
    result: Floats = bread @ sum(one.T @ one for one in scores) @ bread
    return result


def _scores(data: _Data, at: _Part, beta: Floats) -> Floats:
    """Of each patient of a stratum, (n, p)."""
    x, row = data.covariates, data.row
    size = np.exp(x @ beta)
    hazard = data.own / at.total
    so_far, mean_so_far = np.cumsum(hazard), np.cumsum(at.mean * hazard[:, None], axis=0)
    kept = hazard * data.uncensored
    still, mean_still = np.cumsum(kept), np.cumsum(at.mean * kept[:, None], axis=0)
    own = np.where(data.had_own[:, None], x - at.mean[row], 0.0)
    own -= size[:, None] * (x * so_far[row][:, None] - mean_so_far[row])
    weight = (size / data.uncensored[row])[:, None]
    later = weight * (x * (still[-1] - still[row])[:, None] - (mean_still[-1] - mean_still[row]))
    own -= np.where(data.had_other[:, None], later, 0.0)
    # From each censoring on, the weights of all with another cause before it hang on the censoring curve.
    from_now = (still[-1] - still + kept)[:, None]
    mean_from_now = mean_still[-1] - mean_still + at.mean * kept[:, None]
    pull = _left_before(data, size[:, None] * x) * from_now
    pull -= _left_before(data, size)[:, None] * mean_from_now
    pull /= data.at_risk[:, None]
    compensator = np.cumsum(pull * (data.censored / data.at_risk)[:, None], axis=0)
    own += np.where(data.was_censored[:, None], pull[row], 0.0) - compensator[row]
    return own
