"""Residuals of a fitted regression, in the order of the rows given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glueprint.survival._check import Floats, Integers
from glueprint.survival.cox import Cox, estimated
from glueprint.survival.influence import (
    hazards,
    martingale_residuals,
    schoenfeld_residuals,
    score_residuals,
)


@dataclass(frozen=True)
class CoxResiduals:
    """Residuals by row, (n, ...), NaN for rows of weight 0, and by death, (deaths, ...).

    martingale: (n,) events less expected events.   score: (n, p) part of the row in the gradient.
    dfbeta: (n, p) approximate change of the coefficients when the row is left out, its weight included.
    schoenfeld: (deaths, p) covariates less their mean over the risk set, in time order within strata.
    scaled_schoenfeld: (deaths, p) the same as an estimate of the coefficient at the time of the death.
    death_row, death_time: (deaths,) row and time of each death.
    Columns of aliased covariates are NaN in dfbeta and scaled_schoenfeld.
    """

    martingale: Floats
    score: Floats
    dfbeta: Floats
    schoenfeld: Floats
    scaled_schoenfeld: Floats
    death_row: Integers
    death_time: Floats


def cox_residuals(fit: Cox) -> CoxResiduals:
    """Martingale, score, dfbeta and Schoenfeld residuals of a fit.

    fit: Cox.
    Returns CoxResiduals.
    Raises InputError GP-V019 for a fit without finite estimates.
    Source: Therneau and Grambsch 2000, Modeling Survival Data, chapters 4, 6 and 7; equal to R survival's
    residuals of a coxph, scaled by the naive covariance.
    """
    beta = estimated(fit, "residuals")
    data, sets = fit.data, fit.data.sets
    at = hazards(sets, beta)
    score = data.as_given(score_residuals(sets, at) * data.scale)
    weight = np.ones(sets.died.size) if sets.weight is None else sets.weight
    schoenfeld = schoenfeld_residuals(sets, at) * data.scale
    kept = np.flatnonzero(~np.isnan(fit.coefficients))
    naive = fit.naive_covariance[np.ix_(kept, kept)]
    dfbeta = np.full(score.shape, np.nan)
    dfbeta[:, kept] = score[:, kept] @ naive * data.as_given(weight)[:, None]
    scaled = np.full(schoenfeld.shape, np.nan)
    scaled[:, kept] = schoenfeld[:, kept] @ naive * schoenfeld.shape[0] + fit.coefficients[kept]
    return CoxResiduals(
        martingale=data.as_given(martingale_residuals(sets, at)),
        score=score,
        dfbeta=dfbeta,
        schoenfeld=schoenfeld,
        scaled_schoenfeld=scaled,
        death_row=data.rows.kept[sets.order[sets.died]],
        death_time=sets.time[sets.died],
    )
