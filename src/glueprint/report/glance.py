"""At a glance: the first trial's main numbers at the top of the page, beside what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report import rows as reading
from glueprint.report.estimates import Estimate, interval
from glueprint.report.tables import TrialTables

__all__ = ["Glance", "at_a_glance"]

# (endpoint, of the first arm or of the comparison, words, decimals): what a reader of a trial asks first.
ASKED = (
    ("hr_pfs", "comparison", "Hazard ratio, progression or death", 2),
    ("hr_os", "comparison", "Hazard ratio, death", 2),
    ("median_pfs", "arm", "Median progression-free survival, {arm}", 1),
    ("median_os", "arm", "Median overall survival, {arm}", 1),
    ("orr", "arm", "Overall response rate, {arm}", 0),
)


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
    for endpoint, of, words, decimals in ASKED:
        arm = first if of == "arm" else against
        found = rows.filter((pl.col("endpoint") == endpoint) & (pl.col("arm") == arm)).to_dicts()
        if of == "comparison":
            found = [row for row in found if reading.is_ratio(row)]
        lines += [_glance(row, words.format(arm=first), decimals) for row in found[:1]]
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
