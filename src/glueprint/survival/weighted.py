"""Log-rank tests that weigh early or late events: Fleming-Harrington, their maximum, and a trend."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr

from glueprint.errors import InputError
from glueprint.survival._check import (
    Floats,
    Integers,
    as_floats,
    as_pair,
    place,
)
from glueprint.survival.counts import Counts
from glueprint.survival.log_rank import chi_square, expectation, grouped, log_rank, two_group_parts
from glueprint.survival.normal_slabs import probability

# The four weights (rho, gamma) of MaxCombo: all events alike, late, early and middle ones.
MAX_COMBO = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))


@dataclass(frozen=True)
class WeightedLogRank:
    """The test and its parts, one entry per group in the order of `groups`.

    observed, expected: weighted events, summed over strata.   variance: (groups, groups) of the difference.
    z: of groups[1] when there are two groups, negative if it has fewer events than expected; NaN otherwise.
    status: "ok", or "no comparison" with NaN, 0 and NaN in chi2, df and p_value.
    """

    groups: NDArray[Any]
    n: Integers
    rho: float
    gamma: float
    observed: Floats
    expected: Floats
    variance: Floats
    z: float
    chi2: float
    df: int
    p_value: float
    status: str


@dataclass(frozen=True)
class MaxCombo:
    """The largest of several weighted log-rank tests of two groups, with the price of having looked at all.

    weights: (k, 2) rho and gamma of each test.   z: (k,) of groups[1], NaN for a test without variance.
    correlation: (k, k) of the tests.   statistic: the largest |z|.   p_value: two-sided.
    one_sided_p_value: against groups[1] having fewer events.
    status: "ok", or "no comparison" with NaN in statistic and p-values.
    """

    groups: NDArray[Any]
    n: Integers
    weights: Floats
    z: Floats
    correlation: Floats
    statistic: float
    p_value: float
    one_sided_p_value: float
    status: str


@dataclass(frozen=True)
class Trend:
    """A test for hazards that rise or fall with the order of the groups; z > 0 if they rise."""

    groups: NDArray[Any]
    scores: Floats
    z: float
    chi2: float
    p_value: float
    status: str


def fleming_harrington(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    rho: float,
    gamma: float,
    *,
    strata: ArrayLike | None = None,
) -> WeightedLogRank:
    """Test whether the groups share one curve, with weight S^rho (1 - S)^gamma on each event time.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   group: (n,) labels.
    rho, gamma: >= 0; (0, 0) is the log-rank test, (1, 0) weighs early and (0, 1) late events.
    strata: (n,) labels, or None. S is the curve of all groups of the stratum just before the time.
    Returns WeightedLogRank.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 for one group, GP-V007 for weights, GP-V008 for
    missing labels.
    Source: Fleming and Harrington 1991, section 7.2; gamma = 0 is equal to R survival's survdiff(rho).
    """
    for name, value in (("rho", rho), ("gamma", gamma)):
        if not (math.isfinite(value) and value >= 0):
            raise InputError(
                "GP-V007",
                f"{value!r} is not an exponent of the weight",
                where=name,
                expected="a finite number, 0 or more",
                next_step="use 0 and 1: (1, 0) for early, (0, 1) for late, (1, 1) for middle differences",
            )
    groups, n, table = grouped(time, event, group, strata)
    weight = _weight(table, rho, gamma)
    observed = weight @ table.events
    expected, variance = expectation(table, weight)
    chi2, df = chi_square(observed, expected, variance)
    two = groups.size == 2 and df == 1
    return WeightedLogRank(
        groups=groups,
        n=n,
        rho=float(rho),
        gamma=float(gamma),
        observed=observed,
        expected=expected,
        variance=variance,
        z=float((observed - expected)[1] / math.sqrt(variance[1, 1])) if two else math.nan,
        chi2=chi2,
        df=df,
        p_value=float(chdtrc(df, chi2)) if df else math.nan,
        status="ok" if df else "no comparison",
    )


def max_combo(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, *, strata: ArrayLike | None = None
) -> MaxCombo:
    """Compare two groups by the largest of the tests with weights (0, 0), (0, 1), (1, 0) and (1, 1).

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   group: (n,) two labels.
    strata: (n,) labels, or None.
    Returns MaxCombo. The p-values come from the joint normal distribution of the four tests under equal
    hazards, integrated to 1e-14; a smaller one is kept between the smallest single p-value and their sum.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 for one group, GP-V008 for missing labels,
    GP-V020 for more than two groups.
    Source: Lee 2007, Comput. Stat. Data Anal. 51, 6557; Karrison 2016, Stata Journal 16, 678. Two
    weighted tests covary by the product of their weights times the hypergeometric variance.
    """
    groups, n, table = grouped(time, event, group, strata)
    as_pair(group, np.shape(group))
    weights = np.array(MAX_COMBO)
    each = np.stack([_weight(table, rho, gamma) for rho, gamma in weights])
    difference, variance = two_group_parts(table)
    score, covariance = each @ difference, (each * variance) @ each.T
    spread = np.sqrt(np.diag(covariance))
    used = spread > 1e-12 * max(1.0, float(spread.max()))
    scale = np.where(used, spread, np.nan)
    z, correlation = score / scale, covariance / np.outer(scale, scale)
    if not used.any():
        nan = math.nan
        return MaxCombo(groups, n, weights, z, correlation, nan, nan, nan, "no comparison")
    kept = correlation[np.ix_(used, used)]
    most, fewest = float(np.abs(z[used]).max()), float(z[used].min())
    both = _bounded(1 - probability(kept, -most, most), 2 * float(ndtr(-most)), kept.shape[0])
    one = _bounded(1 - probability(kept, fewest, math.inf), float(ndtr(fewest)), kept.shape[0])
    return MaxCombo(groups, n, weights, z, correlation, most, both, one, "ok")


def log_rank_trend(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    scores: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> Trend:
    """Log-rank test for hazards that rise or fall over ordered groups.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.
    group: (n,) labels; their sorted order is the order of the groups.
    scores: (groups,) numbers in that order, e.g. doses; None for 0, 1, 2, ...   strata: (n,) labels, or None.
    Returns Trend.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 for one group, GP-V008 for missing labels,
    GP-V021 for scores.
    Source: Tarone 1975, doi:10.1093/biomet/62.3.679.
    """
    test = log_rank(time, event, group, strata=strata)
    values = np.arange(test.groups.size, dtype=np.float64) if scores is None else as_floats(scores, "scores")
    finite = np.isfinite(values)
    if values.size != test.groups.size or not finite.all() or np.ptp(values) == 0:
        where = "scores" if finite.all() else place("scores", (int(np.argmin(finite)),))
        raise InputError(
            "GP-V021",
            f"{values.tolist()} are not scores of {test.groups.size} groups",
            where=where,
            expected="one finite number per group in sorted order, not all the same",
            next_step="pass e.g. the dose of each group, or leave scores out for 0, 1, 2, ...",
        )
    centred = values - values.mean()
    variance = float(centred @ test.variance @ centred)
    if test.status != "ok" or variance <= 1e-12 * float(centred @ centred):
        return Trend(test.groups, values, math.nan, math.nan, math.nan, "no comparison")
    z = float(centred @ (test.observed - test.expected)) / math.sqrt(variance)
    return Trend(test.groups, values, z, z**2, float(chdtrc(1, z**2)), "ok")


def _weight(table: Counts, rho: float, gamma: float) -> Floats:
    """S^rho (1 - S)^gamma of every row, with S of all groups of the stratum just before the time."""
    total, died = table.at_risk.sum(axis=1), table.events.sum(axis=1)
    factor = (total - died) / total
    before = np.empty(factor.size)
    edges = [0, *(np.flatnonzero(np.diff(table.block)) + 1).tolist(), factor.size]
    for begin, end in itertools.pairwise(edges):
        before[begin:end] = np.append(1.0, np.cumprod(factor[begin:end])[:-1])
    result: Floats = before**rho * (1 - before) ** gamma
    return result


def _bounded(p: float, single: float, tests: int) -> float:
    """A p-value of several tests lies between the smallest single one and their sum."""
    return float(min(max(p, single), tests * single, 1.0))
