"""At a glance: the first trial's main numbers at the top of the page, published beside computed."""

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
    """One line at the top: what, computed with interval, as published, and the label."""

    what: str
    computed: str
    published: str
    label: str


def at_a_glance(comparison: pl.DataFrame, name: str, trial: TrialTables) -> list[Glance]:
    """The lines of one trial; empty where the comparison does not say which row is which endpoint."""
    if any(column not in comparison.columns for column in ("trial", "arm", "endpoint")):
        return []
    rows = comparison.filter((pl.col("trial") == name) & pl.col("computed").is_not_null())
    first, against = trial.arms[0], " vs ".join(trial.arms[:2])
    lines = []
    for endpoint, of, words, decimals in ASKED:
        arm = first if of == "arm" else against
        found = rows.filter((pl.col("endpoint") == endpoint) & (pl.col("arm") == arm)).to_dicts()
        if of == "comparison":
            found = [row for row in found if reading.is_ratio(row)]
        lines += [_glance(row, words.format(arm=first), decimals) for row in found[:1]]
    return lines


def _glance(row: Mapping[str, Any], what: str, decimals: int) -> Glance:
    computed = interval(Estimate(row["computed"], row["computed_low"], row["computed_high"]), decimals)
    unit = reading.written(row["unit"])
    return Glance(what, f"{computed}\u00a0{unit}".strip(), str(row["published"]), str(row["label"]))
