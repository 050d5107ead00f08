"""Gray's test: do groups share the incidence of one cause when other causes compete?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_codes, as_times, single_group
from glueprint.survival.competing import as_causes
from glueprint.survival.counts import Counts, count, tie
from glueprint.survival.log_rank import quadratic_form


@dataclass(frozen=True)
class Gray:
    """The test for each cause, one row per entry of `causes`.

    n: (groups,) patients.   score: (causes, groups) weighted events beyond those expected.
    variance: (causes, groups, groups) of score.   chi2, df, p_value, status: (causes,); status is "ok", or
    "no comparison" with NaN, 0 and NaN.
    """

    causes: Integers
    groups: NDArray[Any]
    n: Integers
    rho: float
    score: Floats
    variance: Floats
    chi2: Floats
    df: Integers
    p_value: Floats
    status: NDArray[np.str_]


def gray(
    time: ArrayLike,
    cause: ArrayLike,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> Gray:
    """Compare the cumulative incidence of each cause between groups.

    time: (n,) follow-up, any unit, >= 0.   cause: (n,) whole numbers, 0 censored, 1, 2, ... causes.
    group: (n,) labels.   strata: (n,) labels, or None.
    rho: power of (1 - incidence) that weighs the times; 0 weighs them alike, more weighs early ones.
    Returns Gray.
    Raises InputError GP-V001 to GP-V004 for arrays, GP-V006 for one group, GP-V007 for rho, GP-V008 for
    missing labels, GP-V011 for the causes.
    Source: Gray 1988, doi:10.1214/aos/1176350951; equal to R cmprsk's cuminc, with its corrections for ties.
    """
    times = as_times(time)
    causes, codes = as_causes(cause, times.shape)
    groups, member = as_codes(group, times.shape, "group")
    if groups.size < 2:
        raise single_group(groups[0].item())
    if not math.isfinite(rho):
        raise InputError(
            "GP-V007",
            f"{rho!r} is not a power of the weight",
            where="rho",
            expected="a finite number",
            next_step="use 0 unless a comparison asks for another",
        )
    block = np.zeros_like(member) if strata is None else as_codes(strata, times.shape, "strata")[1]
    tied = tie(times)
    score = np.zeros((causes.size, groups.size))
    variance = np.zeros((causes.size, groups.size, groups.size))
    for k in range(causes.size):
        for stratum in range(int(block.max()) + 1):
            use = block == stratum
            # 0 censored, 1 this cause, 2 any other, for each group by itself.
            kind = np.where(codes[use] == 0, 0, np.where(codes[use] == k + 1, 1, 2))
            s, v = _one_stratum(tied[use], kind, member[use], groups.size, rho)
            score[k] += s
            variance[k] += v
    parts = [_chi_square(score[k], variance[k]) for k in range(causes.size)]
    chi2 = np.array([part[0] for part in parts])
    df = np.array([part[1] for part in parts], dtype=np.int64)
    return Gray(
        causes=causes,
        groups=groups,
        n=np.bincount(member, minlength=groups.size).astype(np.int64),
        rho=float(rho),
        score=score,
        variance=variance,
        chi2=chi2,
        df=df,
        p_value=np.where(df > 0, chdtrc(np.maximum(df, 1), chi2), np.nan),
        status=np.where(df > 0, "ok", "no comparison"),
    )


@dataclass(frozen=True)
class _Incidence:
    """What a time contributes, at the times with any event: (m, groups) before and after it, and totals (m,).

    survival: event-free fraction.   own: incidence of the cause.   weight: at_risk / survival before.
    """

    at_risk: Floats
    own_events: Floats
    other_events: Floats
    survival_before: Floats
    survival_after: Floats
    own_before: Floats
    weight: Floats
    pooled_before: Floats
    pooled_after: Floats


def _one_stratum(
    time: Floats, kind: Integers, group: Integers, groups: int, rho: float
) -> tuple[Floats, Floats]:
    """Score (groups,) and its variance (groups, groups) in one stratum."""
    zeros = np.zeros(time.size, dtype=np.int64)
    table = count(time, kind > 0, group + groups * (kind == 2), 2 * groups, zeros)
    parts = _incidence(table, groups)
    if not parts.at_risk.size:
        return np.zeros(groups), np.zeros((groups, groups))
    total = parts.weight.sum(axis=1)
    died = parts.own_events.sum(axis=1)
    # The pooled incidence may pass 1 once a group is gone; then a power of what is left has no meaning.
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = (1 - parts.pooled_before) ** rho
        hazard = died / (total * (1 - parts.pooled_before))
    if not (np.isfinite(bend).all() and np.isfinite(hazard).all()):
        return np.full(groups, np.nan), np.full((groups, groups), np.nan)
    # Expected share of a group: its patients who have not had the cause, as if none left by another.
    free = parts.weight * (1 - parts.own_before)
    share = free / free.sum(axis=1, keepdims=True)
    score = (bend[:, None] * (parts.own_events - died[:, None] * share)).sum(axis=0)
    fraction = parts.weight / total[:, None]
    # a[t, i, j]: how the score of group i moves with the hazard of group j; c its running integral.
    a = bend[:, None, None] * (
        np.einsum("ti,ij->tij", parts.weight, np.eye(groups))
        - parts.weight[:, :, None] * fraction[:, None, :]
    )
    c = np.cumsum(a * hazard[:, None, None], axis=0)
    return score, _variance(parts, a, c, died, total)


def _incidence(table: Counts, groups: int) -> _Incidence:
    """The curves of every group and of all together, at the times with any event and two groups at risk."""
    own_columns, other_columns = slice(0, groups), slice(groups, 2 * groups)
    everyone = table.at_risk[:, own_columns] + table.at_risk[:, other_columns]
    # A time with one group left compares nothing.
    some = (table.events.sum(axis=1) > 0) & ((everyone > 0).sum(axis=1) > 1)
    at_risk = everyone[some].astype(np.float64)
    own = table.events[some, own_columns].astype(np.float64)
    other = table.events[some, other_columns].astype(np.float64)
    present = at_risk > 0
    number = np.where(present, at_risk, 1.0)
    after = np.cumprod(np.where(present, (at_risk - own - other) / number, 1.0), axis=0).astype(np.float64)
    before = np.vstack([np.ones(groups), after[:-1]])
    incidence = np.cumsum(before * own / number, axis=0)
    incidence_before = np.vstack([np.zeros(groups), incidence[:-1]])
    weight = np.where(present, at_risk / np.where(present, before, 1.0), 0.0)
    pooled = np.cumsum(own.sum(axis=1) / weight.sum(axis=1))
    return _Incidence(
        at_risk,
        own,
        other,
        before,
        after,
        incidence_before,
        weight,
        np.append(0.0, pooled[:-1]),
        pooled,
    )


def _variance(parts: _Incidence, a: Floats, c: Floats, died: Floats, total: Floats) -> Floats:
    """Variance of the score from the martingales of the cause and of the others in every group."""
    present = parts.at_risk > 0
    number = np.where(present, parts.at_risk, 1.0)
    alive = parts.survival_after > 0
    left = (1 - parts.pooled_after)[:, None] / np.where(alive, parts.survival_after, 1.0)
    tail = c[-1]
    # The cause itself: hazard as all groups together have it, with a correction for several at one time.
    fall = np.where(alive, 1 - left, 1.0)
    several = np.maximum(total[:, None] * parts.survival_before - 1, 1e-300)
    correction = np.where(died[:, None] > 1, 1 - (died[:, None] - 1) / several, 1.0)
    own = np.where(present, correction * parts.survival_before * died[:, None] / (total[:, None] * number), 0)
    effect = a - fall[:, None, :] * (c - tail)
    variance = np.einsum("tik,tjk,tk->ij", effect, effect, own)
    # The others: hazard of the group itself.
    count_other = np.where(alive, parts.other_events, 0.0)
    correction = np.where(count_other > 1, 1 - (count_other - 1) / np.maximum(number - 1, 1), 1.0)
    other = correction * parts.survival_before**2 * count_other / number**2
    effect = left[:, None, :] * (c - tail)
    variance += np.einsum("tik,tjk,tk->ij", effect, effect, other)
    result: Floats = variance
    return result


def _chi_square(score: Floats, variance: Floats) -> tuple[float, int]:
    """Statistic and degrees of freedom without the last group, whose score follows from the others."""
    covariance, s = variance[:-1, :-1], score[:-1]
    if not (np.isfinite(covariance).all() and np.isfinite(s).all()):
        return math.nan, 0
    return quadratic_form(s, covariance)
