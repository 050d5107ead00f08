"""Residuals of Cox's regression: what each row and each death says against the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glueprint.survival._check import Floats, Integers
from glueprint.survival.partial_likelihood import RiskSets, at_risk_sum, deaths_met, relative_risk


@dataclass(frozen=True)
class Hazards:
    """One entry per death, (deaths,), at some coefficients.

    size: hazard of a row whose relative risk is 1.   spread: its variance.
    mean: (deaths, p) covariates over the risk set, each row by its relative risk.
    risk: (n,) relative risk of each sorted row, against `largest`, (n,), the largest log risk of its stratum.
    """

    size: Floats
    spread: Floats
    mean: Floats
    risk: Floats
    largest: Floats


def hazards(sets: RiskSets, beta: Floats) -> Hazards:
    """The hazard at each death and the mean covariates of its risk set.

    beta: (p,).   Returns Hazards.
    Source: Breslow 1974; Efron 1977: of d tied deaths each meets a risk set from which l/d of them are gone.
    """
    linear, weighted = relative_risk(sets, beta)
    total = at_risk_sum(sets, weighted)
    mean = at_risk_sum(sets, weighted[:, None] * sets.covariates) / total[:, None]
    size = (1.0 if sets.mean_weight is None else sets.mean_weight) / total
    return Hazards(size, size / total, mean, np.exp(linear), sets.covariates @ beta - linear)


def martingale_residuals(sets: RiskSets, at: Hazards) -> Floats:
    """Events less expected events of each sorted row, (n,).

    Source: Therneau, Grambsch and Fleming 1990, doi:10.1093/biomet/77.1.147.
    """
    return sets.died - at.risk * _met(sets, at.size)


def score_residuals(sets: RiskSets, at: Hazards) -> Floats:
    """Each sorted row's part in the gradient, without its weight, (n, p).

    Source: Lin and Wei 1989, doi:10.1080/01621459.1989.10478874, with Efron's shares in ties as R survival's
    residuals(type = "score").
    """
    x = sets.covariates
    expected = x * _met(sets, at.size)[:, None] - _met(sets, at.size[:, None] * at.mean)
    own = np.zeros_like(x)
    own[sets.died] = schoenfeld_residuals(sets, at)
    return own - at.risk[:, None] * expected


def schoenfeld_residuals(sets: RiskSets, at: Hazards) -> Floats:
    """Covariates of each that died less their mean over the risk set, (deaths, p).

    Source: Schoenfeld 1982, doi:10.1093/biomet/69.1.239; tied deaths share the mean of their Efron means.
    """
    count = np.bincount(sets.tied)
    mean = sets.tied_sum(at.mean) / count[:, None]
    return sets.covariates[sets.died] - mean[sets.tied]


def cluster_sums(values: Floats, cluster: Integers) -> Floats:
    """Sums of rows (n, p) by cluster code, (clusters, p)."""
    total = np.zeros((int(cluster.max()) + 1, values.shape[1]))
    for column in range(values.shape[1]):
        total[:, column] = np.bincount(cluster, values[:, column], total.shape[0])
    return total


def _met(sets: RiskSets, values: Floats) -> Floats:
    """Sum of values (deaths, ...) over the deaths each row was at risk for, (n, ...).

    A row that dies meets of its own tied deaths only the shares in which it is still there.
    """
    met = deaths_met(sets, values)
    if sets.leaves:
        missed = sets.tied_sum(sets.share.reshape(-1, *[1] * (values.ndim - 1)) * values)
        met[sets.died] -= missed[sets.tied]
    return met
