"""Priors of covariate effects and of the scatter between trials; half of the sources are kept back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from glueprint.calibration.prognosis.contrasts import Contrast, contrasts, error_of_log_median, settings
from glueprint.evidence import Claims
from glueprint.inference import hierarchical_means
from glueprint.runs import streams

__all__ = ["Prognosis", "prognosis"]

WIDTH_95 = 1.959964


@dataclass(frozen=True)
class Prognosis:
    """What may shape the patient model, and what is kept to score it.

    contrasts: a row per contrast, with `use` "prior" or "withheld".   effects: a row per covariate and
    endpoint with the prior of one step in a population not seen; positive is worse.   trials: a row per
    endpoint, the standard deviation between trials of one regimen in the log of the median.
    """

    contrasts: pl.DataFrame
    effects: pl.DataFrame
    trials: pl.DataFrame


def prognosis(claims: Claims) -> Prognosis:
    """Contrasts split into those that shape priors and those withheld, and the priors.

    claims: the evidence.
    Returns Prognosis.
    Raises InputError GP-E001 for a claim that is not there.
    Source: own derivation, see docs/prognosis.md.
    """
    found = contrasts(claims)
    withheld = _withheld(found)
    used = [(c.covariate, c.source) not in withheld for c in found]
    effects = _effects([c for c, use in zip(found, used, strict=True) if use])
    table = pl.DataFrame(
        {
            "covariate": [c.covariate for c in found],
            "endpoint": [c.endpoint for c in found],
            "source": [c.source for c in found],
            "claims": [", ".join(c.claims) for c in found],
            "steps": [c.steps for c in found],
            "per_step": [c.per_step for c in found],
            "low": [c.per_step - WIDTH_95 * c.std_error for c in found],
            "high": [c.per_step + WIDTH_95 * c.std_error for c in found],
            "std_error": [c.std_error for c in found],
            "use": ["prior" if use else "withheld" for use in used],
            "why": [c.why for c in found],
        }
    )
    return Prognosis(table, effects, _trials(claims))


def _withheld(found: Sequence[Contrast]) -> set[tuple[str, str]]:
    """Covariate and source of what is kept back: half of the sources of each covariate, at random.

    A source goes as a whole, because its endpoints are of the same patients.
    """
    split, chosen = settings()["split"], set()
    for covariate in settings()["covariates"]:
        sources = sorted({c.source for c in found if c.covariate == covariate})
        purpose = f"calibration/prognosis/{covariate}"
        order = np.argsort(streams.uniforms(split["seed"], purpose, np.arange(len(sources)), 1)[:, 0])
        chosen |= {(covariate, sources[i]) for i in order[: len(sources) // 2]}
    return chosen


def _effects(used: Sequence[Contrast]) -> pl.DataFrame:
    scale, words = settings()["assumed"]["spread_of_effects"], settings()["covariates"]
    rows = []
    for covariate, endpoint in dict.fromkeys((c.covariate, c.endpoint) for c in used):
        of = [c for c in used if (c.covariate, c.endpoint) == (covariate, endpoint)]
        pooled = hierarchical_means(
            [c.per_step for c in of], [c.std_error for c in of], [0] * len(of), tau_scale=scale
        )
        mean, sd = float(pooled.means[0]), float(pooled.sds[0])
        rows.append(
            {
                "covariate": covariate,
                "endpoint": endpoint,
                "step": words[covariate],
                "contrasts": len(of),
                "mean": mean,
                "low": mean - WIDTH_95 * sd,
                "high": mean + WIDTH_95 * sd,
                "prior_sd": float(pooled.prediction_sds[0]),
                "tau": pooled.tau,
                "claims": ", ".join(name for c in of for name in c.claims),
            }
        )
    return pl.DataFrame(rows)


def _trials(claims: Claims) -> pl.DataFrame:
    """How much the median of one regimen differs between trials, one row per endpoint."""
    arms, rows = settings()["arms"], []
    for endpoint in dict.fromkeys(arm["endpoint"] for arm in arms):
        of = [arm for arm in arms if arm["endpoint"] == endpoint]
        regimens = list(dict.fromkeys(arm["regimen"] for arm in of))
        found = [claims[arm["claim"]] for arm in of]
        patients = [arm.get("n") or claim.n for arm, claim in zip(of, found, strict=True)]
        pooled = hierarchical_means(
            [math.log(claim.value or math.nan) for claim in found],
            [error_of_log_median(n or 0) for n in patients],
            [regimens.index(arm["regimen"]) for arm in of],
            tau_scale=settings()["assumed"]["spread_of_trials"],
        )
        low, high = pooled.tau_interval
        rows.append(
            {
                "endpoint": endpoint,
                "trials": len(of),
                "regimens": len(regimens),
                "tau": pooled.tau,
                "low": low,
                "high": high,
                "claims": ", ".join(claim.id for claim in found),
            }
        )
    return pl.DataFrame(rows)
