"""Cox's partial likelihood with its gradient and information, by cumulative sums over sorted patients."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glueprint.survival._check import Flags, Floats, Integers
from glueprint.survival.risk_tree import RiskTree, risk_tree


@dataclass(frozen=True)
class RiskSets:
    """Rows sorted by stratum and time, and one entry per death with the risk set it belongs to.

    covariates: (n, p) sorted.   died: (n,) sorted.   time: (n,) sorted.
    order: (n,) position of each in the arrays given.
    strata: (strata + 1,) where each stratum begins, and the end.
    first: (deaths,) position of the first row that is still there at the death.
    last: (deaths,) one after the last row of its stratum.   tied: (deaths,) which tied set of deaths.
    share: (deaths,) part of the tied deaths that has left already: 0 for Breslow, l/d for Efron.
    weight: (n,) sorted, or None.   mean_weight: (deaths,) of the tied set, or None.
    tree: RiskTree of the rows over the tied sets of deaths; None if all are at risk from the start.
    """

    covariates: Floats
    died: Flags
    time: Floats
    order: Integers
    strata: Integers
    first: Integers
    last: Integers
    tied: Integers
    share: Floats
    weight: Floats | None
    mean_weight: Floats | None
    tree: RiskTree | None

    @property
    def unit(self) -> float:
        """The mean weight: what one row counts, for tolerances."""
        return 1.0 if self.weight is None else float(self.weight.mean())

    def tied_sum(self, values: Floats) -> Floats:
        """Sums of values (deaths, ...) over each tied set of deaths, (sets, ...)."""
        total: Floats = np.add.reduceat(values, self._begins, axis=0)
        return total

    @cached_property
    def _begins(self) -> Integers:
        """(sets,) the first death of each tied set."""
        return np.flatnonzero(np.append(True, np.diff(self.tied) != 0))

    @cached_property
    def leaves(self) -> bool:
        """Whether tied deaths leave one after another (`share`)."""
        return bool(self.share.any())


def risk_sets(
    time: Floats,
    event: Flags,
    covariates: Floats,
    stratum: Integers,
    ties: str,
    *,
    entry: Floats | None = None,
    weight: Floats | None = None,
) -> RiskSets:
    """Sort the rows and lay out the risk set of every death.

    time, event, stratum: (n,), ties in time exact.   covariates: (n, p).   ties: "efron" or "breslow".
    entry: (n,) < time, a row is at risk after it, or None.   weight: (n,) > 0, or None.
    Returns RiskSets.
    Source: Efron 1977, doi:10.1080/01621459.1977.10480613; Breslow 1974, doi:10.2307/2529620. With weights
    each of d tied deaths counts their mean weight, as in R survival's coxph.
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
    w = None if weight is None else weight[order]
    mean = None if w is None else (np.bincount(tied, w[died], size.size) / size)[tied]
    tree = None if entry is None else _tree(t, entry[order], s, died, tied)
    return RiskSets(covariates[order], died, t, order, strata, first, last, tied, share, w, mean, tree)


def _tree(time: Floats, entry: Floats, stratum: Integers, died: Flags, tied: Integers) -> RiskTree:
    """Where rows fall between the deaths, by one whole number for stratum and time together."""
    n = time.size
    values, rank = np.unique(np.concatenate([time, entry]), return_inverse=True)
    key = np.tile(stratum, 2) * values.size + rank.reshape(-1)
    deaths = key[:n][died]
    since = np.searchsorted(deaths, key[n:], side="right")
    until = np.searchsorted(deaths, key[:n], side="right")
    sets = int(tied.max(initial=-1)) + 1
    # The tied set of each death, and one more for rows that enter after the last.
    which = np.append(tied, sets)
    return risk_tree(which[since], which[until], sets)


def evaluate(sets: RiskSets, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, gradient (p,) and information (p, p) at beta (p,)."""
    x, died = sets.covariates, sets.died
    linear, weight = relative_risk(sets, beta)
    s0 = at_risk_sum(sets, weight)
    s1 = at_risk_sum(sets, weight[:, None] * x)
    s2 = at_risk_sum(sets, weight[:, None, None] * x[:, :, None] * x[:, None, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = s1 / s0[:, None]
        spread = s2 / s0[:, None, None] - mean[:, :, None] * mean[:, None, :]
        if sets.weight is None or sets.mean_weight is None:
            log_likelihood = float(linear[died].sum() - np.log(s0).sum())
            return log_likelihood, (x[died] - mean).sum(axis=0), spread.sum(axis=0)
        own, shared = sets.weight[died], sets.mean_weight
        log_likelihood = float(own @ linear[died] - shared @ np.log(s0))
    return log_likelihood, own @ x[died] - shared @ mean, np.tensordot(shared, spread, 1)


def relative_risk(sets: RiskSets, beta: Floats) -> tuple[Floats, Floats]:
    """Linear predictor less its largest in the stratum, (n,), and its exponential times the weight, (n,)."""
    linear = sets.covariates @ beta
    # Only ratios within a stratum count; the shift keeps exp from overflowing.
    linear = linear - np.repeat(np.maximum.reduceat(linear, sets.strata[:-1]), np.diff(sets.strata))
    risk = np.exp(linear)
    return linear, risk if sets.weight is None else sets.weight * risk


def at_risk_sum(sets: RiskSets, values: Floats) -> Floats:
    """Sum of `values` over each death's risk set less the share of the tied deaths gone, (deaths, ...)."""
    if sets.tree is None:
        total = _tails(values, sets.strata)[sets.first]
    else:
        total = sets.tree.sums(values)[sets.tied]
    if sets.leaves:
        together = sets.tied_sum(values[sets.died])[sets.tied]
        total = total - sets.share.reshape(-1, *[1] * (values.ndim - 1)) * together
    return total


def _tails(values: Floats, strata: Integers) -> Floats:
    """Sum of each row's value and all that follow it in its stratum."""
    # Summed stratum by stratum: a difference of sums over all of them would lose the small risk sets.
    after = np.empty_like(values)
    for begin, end in itertools.pairwise(strata.tolist()):
        after[begin:end] = np.cumsum(values[begin:end][::-1], axis=0)[::-1]
    return after


def deaths_met(sets: RiskSets, values: Floats) -> Floats:
    """Sum of `values` (deaths, ...) over the deaths at whose time each row is at risk, (n, ...)."""
    if sets.tree is not None:
        if not sets.first.size:
            return np.zeros((sets.died.size, *values.shape[1:]))
        return sets.tree.over(sets.tied_sum(values))
    # A row met all deaths of its stratum that came no later; summed stratum by stratum as in _tails.
    until = np.searchsorted(sets.first, np.arange(sets.died.size), side="right")
    begins = np.searchsorted(sets.first, sets.strata)
    met = np.zeros((sets.died.size, *values.shape[1:]))
    for k, (begin, end) in enumerate(itertools.pairwise(begins.tolist())):
        rows = slice(sets.strata[k], sets.strata[k + 1])
        total = np.cumsum(values[begin:end], axis=0)
        met[rows] = np.concatenate([np.zeros((1, *values.shape[1:])), total])[until[rows] - begin]
    return met


def independent_columns(information: Floats, unit: float = 1.0) -> Integers:
    """Positions of the columns that add information beyond the columns before them.

    information: (p, p) at beta = 0 of covariates scaled to unit spread.   unit: mean weight of a row.
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
        if own > 1e-11 * unit * information.shape[0] and rest > 1e-11 * own:
            kept.append(column)
    return np.array(kept, dtype=np.int64)
