"""The check inside the evidence: rows of the calibration trials that a fit never reads, predicted.

A fit to the arms leaves out hazard ratios between them, survival by the state at cycle 3 and subgroups; a fit
to one trial leaves out all that was published of the others. They say whether the model has understood more
than it was told.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any

import polars as pl

from glueprint import references, trials
from glueprint.calibration.clinical.parameters import TRIALS
from glueprint.calibration.clinical.result import ClinicalPosterior
from glueprint.calibration.prediction import compare
from glueprint.calibration.targets import clinical_targets
from glueprint.evidence import Claim
from glueprint.trials import TrialResult

__all__ = ["check", "left_out_rows", "observed_rows"]


def observed_rows(claims: Iterable[Claim]) -> pl.DataFrame:
    """Held-out claims as observed summaries: trial, arm, endpoint, value, low, high, n, source."""
    wanted, reference = _settings()["rows"], references.default()
    rows = []
    for claim in claims:
        if claim.id not in wanted or claim.value is None:
            continue
        about = wanted[claim.id]
        rows.append(
            {
                "trial": reference.trials[claim.trial],
                "arm": reference.arm(claim.arm),
                "endpoint": _name(about["endpoint"], about.get("factor"), about.get("level")),
                "value": float(claim.value),
                "low": claim.low if claim.interval_kind == "ci95" else None,
                "high": claim.high if claim.interval_kind == "ci95" else None,
                # Of a level of a factor the claim gives no size; that of the simulated level stands in.
                "n": None if "factor" in about else claim.n,
                "source": claim.id,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"low": pl.Float64, "high": pl.Float64, "n": pl.Int64})


def left_out_rows(claims: Iterable[Claim], scope: str) -> pl.DataFrame:
    """All targets of the trials that a fit to the trial `scope` never reads, in the columns of
    `observed_rows`."""
    rows = [
        {
            "trial": target.trial,
            "arm": target.arm,
            "endpoint": target.endpoint,
            "value": target.value,
            "low": target.low,
            "high": target.high,
            "n": target.n,
            "source": ", ".join(target.claim_ids),
        }
        for target in clinical_targets(claims).targets
        if target.trial != scope
    ]
    return pl.DataFrame(rows, schema_overrides={"low": pl.Float64, "high": pl.Float64, "n": pl.Int64})


def check(
    found: ClinicalPosterior, claims: Iterable[Claim], *, replicates: int, seed: int = 1, workers: int = 1
) -> pl.DataFrame:
    """Held-out rows beside their predictions with draws of a posterior, as `prediction.compare`.

    claims: with the rows; their trials are run.   replicates: virtual trials of each, every one with
    parameters of its own.   seed: same seed, same bits, whatever the workers (processes).
    Raises what `trials.run` and `prediction.compare` raise.
    """
    alone = found.scope in TRIALS
    observed = left_out_rows(claims, found.scope) if alone else observed_rows(claims)
    runs = [
        trials.run(
            name,
            replicates,
            seed,
            workers=workers,
            draws=found.for_trial(name, count=replicates, seed=seed),
            counterfactual=not alone,
        )
        for name in sorted(set(observed.get_column("trial")))
    ]
    tables = [run.endpoints for run in runs] + ([] if alone else [_subgroups(run) for run in runs])
    return compare(pl.concat(tables, how="diagonal"), observed)


def _subgroups(run: TrialResult) -> pl.DataFrame:
    """The subgroups that held-out rows speak of, as endpoints with the level in their names."""
    wanted = {
        (about["factor"], about["level"]) for about in _settings()["rows"].values() if "factor" in about
    }
    table = run.subgroups()
    parts = [
        table.filter((pl.col("factor") == factor) & (pl.col("level") == level)).with_columns(
            endpoint=pl.col("endpoint") + pl.lit(_name("", factor, level))
        )
        for factor, level in sorted(wanted)
    ]
    return pl.concat(parts).select([c for c in run.endpoints.columns if c in table.columns])


def _name(endpoint: str, factor: str | None, level: str | None) -> str:
    return endpoint if factor is None else f"{endpoint} ({factor} {level})"


@lru_cache(maxsize=1)
def _settings() -> dict[str, Any]:
    text = (files("glueprint.calibration") / "data" / "clinical_held_out.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
