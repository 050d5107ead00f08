"""At a glance: the first trial's main numbers at the top of the page, beside what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report import rows as reading
from glueprint.report.estimates import Estimate, interval
from glueprint.report.tables import TrialTables
from glueprint.trials import MEDIAN, RATE, RATIO, asked_first

__all__ = ["Glance", "at_a_glance"]

# Decimals by how an endpoint is summarised.
DECIMALS: Mapping[str, int] = {RATIO: 2, MEDIAN: 1, RATE: 0}


@dataclass(frozen=True)
class Glance:
    """One line at the top: what, computed with interval, as published (if there is a guide), label."""

    what: str
    computed: str
    published: str
    label: str


def at_a_glance(comparison: pl.DataFrame | None, name: str, trial: TrialTables) -> list[Glance]:
    """The lines of one trial, from the comparison or, without one, from the trial's headlines; empty where
    neither says which row is which endpoint."""
    rows = _alone(trial) if comparison is None else comparison
    if any(column not in rows.columns for column in ("trial", "arm", "endpoint")):
        return []
    rows = rows.filter(pl.col("computed").is_not_null())
    rows = rows if comparison is None else rows.filter(pl.col("trial") == name)
    first, against = trial.arms[0], " vs ".join(trial.arms[:2])
    lines = []
    for asked in asked_first():
        compared = asked.summary == RATIO
        arm = against if compared else first
        found = rows.filter((pl.col("endpoint") == asked.name) & (pl.col("arm") == arm)).to_dicts()
        if compared:
            found = [row for row in found if reading.is_ratio(row)]
        words = asked.label if compared else f"{asked.label}, {first}"
        lines += [_glance(row, words, DECIMALS[asked.summary]) for row in found[:1]]
    return lines


def _alone(trial: TrialTables) -> pl.DataFrame:
    """The headlines of a trial in the columns of a comparison, with nothing published."""
    if trial.headlines is None:
        return pl.DataFrame()
    return trial.headlines.with_columns(trial=pl.lit(""), column=pl.lit(""), published=pl.lit(""))


def _glance(row: Mapping[str, Any], what: str, decimals: int) -> Glance:
    computed = interval(Estimate(row["computed"], row["computed_low"], row["computed_high"]), decimals)
    unit = reading.written(row["unit"])
    return Glance(what, f"{computed}\u00a0{unit}".strip(), str(row["published"]), str(row["label"]))
