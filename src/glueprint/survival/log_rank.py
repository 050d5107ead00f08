"""The log-rank test of two or more groups, stratified or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from glueprint.survival._check import (
    Floats,
    Integers,
    as_codes,
    as_events,
    as_times,
    single_group,
)
from glueprint.survival.counts import Counts, count, tie


@dataclass(frozen=True)
class LogRank:
    """The test and its parts, one entry per group in the order of `groups`.

    observed, expected: events, summed over strata.   variance: (groups, groups) of observed - expected.
    chi2, df, p_value: NaN, 0 and NaN when `status` is not "ok".
    status: "ok", or "no comparison" when no event happened while two groups were at risk.
    """

    groups: NDArray[Any]
    n: Integers
    observed: Floats
    expected: Floats
    variance: Floats
    chi2: float
    df: int
    p_value: float
    status: str


def log_rank(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, *, strata: ArrayLike | None = None
) -> LogRank:
    """Test whether the groups share one survival curve within every stratum.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.
    group: (n,) labels.   strata: (n,) labels, or None for one stratum.
    Returns LogRank.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 for one group, GP-V008 for missing labels.
    Source: Mantel 1966; Peto and Peto 1972, doi:10.2307/2344317. Equal to R survival's survdiff, which also
    leaves a group without expected events out of the degrees of freedom.

    >>> found = log_rank([5, 8, 9, 12, 15, 20], [1, 1, 0, 1, 1, 0], ["a", "a", "a", "b", "b", "b"])
    >>> round(found.p_value, 2)
    0.12
    """
    groups, n, table = grouped(time, event, group, strata)
    expected, variance = expectation(table)
    observed = table.events.sum(axis=0).astype(np.float64)
    chi2, df = chi_square(observed, expected, variance)
    return LogRank(
        groups=groups,
        n=n,
        observed=observed,
        expected=expected,
        variance=variance,
        chi2=chi2,
        df=df,
        p_value=float(chdtrc(df, chi2)) if df else math.nan,
        status="ok" if df else "no comparison",
    )


def grouped(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, strata: ArrayLike | None
) -> tuple[NDArray[Any], Integers, Counts]:
    """Labels, patients of each group and counts per stratum and time; arrays as in `log_rank`."""
    times = as_times(time)
    events = as_events(event, times.shape)
    groups, codes = as_codes(group, times.shape, "group")
    if groups.size < 2:
        raise single_group(groups[0].item())
    block = np.zeros_like(codes) if strata is None else as_codes(strata, times.shape, "strata")[1]
    n = np.bincount(codes, minlength=groups.size).astype(np.int64)
    return groups, n, count(tie(times), events, codes, groups.size, block)


def expectation(table: Counts, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Expected events (groups,) and hypergeometric covariance (groups, groups) over all rows.

    weight: (m,) of each row, or None where every row counts alike.
    """
    total = table.at_risk.sum(axis=1).astype(np.float64)
    died = table.events.sum(axis=1)
    share = table.at_risk / total[:, None]
    spread = died * (total - died) / np.maximum(total - 1, 1)
    if weight is None:
        expected = died @ share
    else:
        expected = (weight * died) @ share
        spread = weight**2 * spread
    weighted = share * spread[:, None]
    return expected, np.diag(weighted.sum(axis=0)) - weighted.T @ share


def chi_square(observed: Floats, expected: Floats, variance: Floats) -> tuple[float, int]:
    """Chi-square and degrees of freedom over the groups that could have had an event."""
    used = np.flatnonzero(expected > 0)[1:]
    # Two groups that were never at risk together cannot be compared, though each has its expected events.
    return quadratic_form((observed - expected)[used], variance[np.ix_(used, used)])


def quadratic_form(difference: Floats, covariance: Floats) -> tuple[float, int]:
    """Squared distance from 0 in units of a covariance (k, k), and the rank of this; NaN at rank 0."""
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True)) if difference.size else 0
    if rank == 0:
        return math.nan, 0
    if rank < difference.size:
        return float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference), rank
    return float(difference @ np.linalg.solve(covariance, difference)), rank


def two_group_parts(table: Counts) -> tuple[Floats, Floats]:
    """Observed less expected events of the second of two groups in every row, and their variance."""
    total = table.at_risk.sum(axis=1).astype(np.float64)
    died = table.events.sum(axis=1)
    share = table.at_risk[:, 1] / total
    variance = died * share * (1 - share) * (total - died) / np.maximum(total - 1, 1)
    return table.events[:, 1] - died * share, variance
