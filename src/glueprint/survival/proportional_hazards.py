"""Is the hazard ratio the same at all times? The score test of Grambsch and Therneau."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers
from glueprint.survival.cox import ChiSquare, Cox, chi_square, estimated
from glueprint.survival.exposure import exposure
from glueprint.survival.influence import hazards, schoenfeld_residuals
from glueprint.survival.partial_likelihood import RiskSets, at_risk_sum, relative_risk
from glueprint.survival.rows import Rows

TRANSFORMS = ("km", "identity", "log", "rank")
ADVICE = {
    "ok": "",
    "no comparison": "the transform tells too few deaths apart for a trend in time; try another one",
}


@dataclass(frozen=True)
class ProportionalHazards:
    """Tests of a coefficient that changes with g(t) against one that does not; one entry per covariate, (p,).

    chi2, p_value: with one degree of freedom; NaN for an aliased covariate and where no trend can be told.
    together: the test of all covariates at once.   transform: the g.   times, transformed: (deaths,) t and
    g(t) about its mean, in time order within strata.   status: a key of ADVICE; `advice` is its text.
    """

    chi2: Floats
    p_value: Floats
    together: ChiSquare
    transform: str
    times: Floats
    transformed: Floats
    status: str

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when every test stands."""
        return ADVICE[self.status]


def proportional_hazards(fit: Cox, *, transform: str = "km") -> ProportionalHazards:
    """Score test of x g(t) beside each covariate x of a fit, one by one and together.

    fit: Cox.   transform: g(t), "km" (1 - S(t-)), "identity", "log" or "rank" of the times.
    Returns ProportionalHazards.
    Raises InputError GP-V007 for the transform, GP-V019 for a fit without finite estimates.
    Source: Grambsch and Therneau 1994, doi:10.1093/biomet/81.3.515, as the score test of the model with
    x g(t) added, for which the information at each death is kept apart. Equal to R survival's cox.zph since
    version 3.0 (terms = FALSE): weights, entry and strata enter the test, but the curve of "km" and the ranks
    are those of the rows without their weights and strata.
    """
    beta = estimated(fit, "test of proportional hazards")
    sets = fit.data.sets
    g = _transformed(fit.data.rows, sets, transform)
    kept = np.flatnonzero(~np.isnan(fit.coefficients))
    score, information = _added(fit.data.of(kept), beta[kept], g)
    k = kept.size
    chi2 = np.full(beta.size, np.nan)
    for j in range(k):
        chi2[kept[j]] = _score_test(score, information, np.array([j]))
    together = _score_test(score, information, np.arange(k))
    told = not (math.isnan(together) or np.isnan(chi2[kept]).any())
    return ProportionalHazards(
        chi2=chi2,
        p_value=np.where(np.isnan(chi2), np.nan, chdtrc(1, np.nan_to_num(chi2))),
        together=chi_square(together, 0 if math.isnan(together) else k),
        transform=transform,
        times=sets.time[sets.died],
        transformed=g,
        status="ok" if told else "no comparison",
    )


def _transformed(rows: Rows, sets: RiskSets, transform: str) -> Floats:
    """g(t) of each death about its mean, (deaths,), in the order of the risk sets."""
    if transform not in TRANSFORMS:
        raise InputError(
            "GP-V007",
            f"{transform!r} is not a transform of time",
            where="transform",
            expected="one of " + ", ".join(f'"{name}"' for name in TRANSFORMS),
            next_step='use "km" unless a comparison asks for another',
        )
    time = rows.time
    if transform == "km":
        table = exposure(Rows(time, rows.event, rows.entry, None, rows.kept, rows.given))
        survival = np.cumprod((table.at_risk - table.events) / table.at_risk)
        g = 1 - np.append(1.0, survival)[table.last]
    elif transform == "rank":
        # It is slow to import, which who asks for no ranks need not pay.
        from scipy.stats import rankdata

        g = rankdata(time)
    elif transform == "identity":
        g = time
    else:
        if (time[rows.event] == 0).any():
            raise InputError(
                "GP-V007",
                "an event at time 0 has no logarithm",
                where="transform",
                expected='"km", "identity" or "rank" for these times',
                next_step='use "km"',
            )
        g = np.log(np.where(rows.event, time, 1.0))
    g = g[sets.order[sets.died]]
    centred: Floats = g - g.mean()
    return centred


def _added(sets: RiskSets, beta: Floats, g: Floats) -> tuple[Floats, Floats]:
    """Score of x g(t), (k,), and the information of x and x g(t) together, (2, 2, k, k)."""
    x = sets.covariates
    at = hazards(sets, beta)
    _, risk = relative_risk(sets, beta)
    total = at_risk_sum(sets, risk)
    square = at_risk_sum(sets, risk[:, None, None] * x[:, :, None] * x[:, None, :])
    spread = square / total[:, None, None] - at.mean[:, :, None] * at.mean[:, None, :]
    shared = np.ones(g.size) if sets.mean_weight is None else sets.mean_weight
    own = np.ones(g.size) if sets.weight is None else sets.weight[sets.died]
    plain, once, twice = (np.tensordot(shared * g**power, spread, 1) for power in range(3))
    # The mean over the tied set, by its mean weight, is the mean of the risk sets its deaths met.
    score = (own * g) @ schoenfeld_residuals(sets, at)
    return score, np.array([[plain, once], [once, twice]])


def _score_test(score: Floats, information: Floats, columns: Integers) -> float:
    """Score statistic of some of the added terms; NaN where their information is not of full rank."""
    plain, once, twice = information[0, 0], information[0, 1][:, columns], information[1, 1]
    left = twice[np.ix_(columns, columns)] - once.T @ np.linalg.solve(plain, once)
    size = np.sqrt(np.diag(twice)[columns])
    if not (size > 0).all() or np.linalg.eigvalsh(left / np.outer(size, size)).min() < 1e-11:
        return math.nan
    return float(score[columns] @ np.linalg.solve(left, score[columns]))
