"""Cox's partial likelihood with its gradient and information, by cumulative sums over sorted patients."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from glueprint.survival._check import Flags, Floats, Integers


@dataclass(frozen=True)
class RiskSets:
    """Patients sorted by stratum and time, and one row per death with the risk set it belongs to.

    covariates: (n, p) sorted.   died: (n,) sorted.
    strata: (strata + 1,) where each stratum begins, and the end.
    first: (deaths,) position of the first patient of the death's risk set.
    last: (deaths,) one after the last patient of its stratum.   tied: (deaths,) which tied set of deaths.
    share: (deaths,) part of the tied deaths that has left already: 0 for Breslow, l/d for Efron.
    """

    covariates: Floats
    died: Flags
    strata: Integers
    first: Integers
    last: Integers
    tied: Integers
    share: Floats


def risk_sets(time: Floats, event: Flags, covariates: Floats, stratum: Integers, ties: str) -> RiskSets:
    """Sort the patients and lay out the risk set of every death.

    time, event, stratum: (n,), ties in time exact.   covariates: (n, p).   ties: "efron" or "breslow".
    Returns RiskSets.
    Source: Efron 1977, doi:10.1080/01621459.1977.10480613; Breslow 1974, doi:10.2307/2529620.
    """
    order = np.lexsort((time, stratum))
    t, s, died = time[order], stratum[order], event[order]
    new_stratum = np.append(True, np.diff(s) != 0)
    new_time = new_stratum | np.append(True, np.diff(t) != 0)
    first = np.maximum.accumulate(np.where(new_time, np.arange(t.size), 0))[died]
    strata = np.append(np.flatnonzero(new_stratum), t.size)
    last = strata[np.cumsum(new_stratum)[died]]
    _, tied, size = np.unique(first, return_inverse=True, return_counts=True)
    tied = tied.reshape(first.shape)
    begin = np.cumsum(size) - size
    earlier = np.arange(first.size) - begin[tied]
    share = earlier / size[tied] if ties == "efron" else np.zeros(first.size)
    return RiskSets(covariates[order], died, strata, first, last, tied, share)


def evaluate(sets: RiskSets, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, gradient (p,) and information (p, p) at beta (p,)."""
    x, died = sets.covariates, sets.died
    linear = x @ beta
    # Only ratios within a stratum count; the shift keeps exp from overflowing.
    linear = linear - np.repeat(np.maximum.reduceat(linear, sets.strata[:-1]), np.diff(sets.strata))
    weight = np.exp(linear)
    s0 = _at_risk(sets, weight)
    s1 = _at_risk(sets, weight[:, None] * x)
    s2 = _at_risk(sets, weight[:, None, None] * x[:, :, None] * x[:, None, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = s1 / s0[:, None]
        spread = s2 / s0[:, None, None] - mean[:, :, None] * mean[:, None, :]
        log_likelihood = float(linear[died].sum() - np.log(s0).sum())
    return log_likelihood, (x[died] - mean).sum(axis=0), spread.sum(axis=0)


def _at_risk(sets: RiskSets, values: Floats) -> Floats:
    """Sum of `values` over each death's risk set less the share of the tied deaths gone, (deaths, ...)."""
    # Summed stratum by stratum: a difference of sums over all of them would lose the small risk sets.
    after = np.empty_like(values)
    for begin, end in itertools.pairwise(sets.strata.tolist()):
        after[begin:end] = np.cumsum(values[begin:end][::-1], axis=0)[::-1]
    total: Floats = after[sets.first]
    if sets.share.any():
        dead = values[sets.died]
        begins = np.flatnonzero(np.append(True, np.diff(sets.tied) != 0))
        together = np.add.reduceat(dead, begins, axis=0)[sets.tied]
        total = total - sets.share.reshape(-1, *[1] * (values.ndim - 1)) * together
    return total


def independent_columns(information: Floats) -> Integers:
    """Positions of the columns that add information beyond the columns before them.

    information: (p, p) at beta = 0 of covariates scaled to unit spread.
    Returns positions, ascending; a column left out is constant or a sum of others within the risk sets.
    Source: Cholesky factorisation with the columns in the order given.
    """
    kept: list[int] = []
    for column in range(information.shape[0]):
        own = information[column, column]
        rest = own
        if kept:
            cross = information[np.ix_(kept, [column])]
            rest = own - float((cross.T @ np.linalg.solve(information[np.ix_(kept, kept)], cross))[0, 0])
        # 1e-11 of the column's own information is rounding; R survival uses 1.8e-12.
        if own > 1e-11 * information.shape[0] and rest > 1e-11 * own:
            kept.append(column)
    return np.array(kept, dtype=np.int64)
