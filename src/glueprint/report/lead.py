"""The sentence at the top of the page: the first trial's main numbers, published beside computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from glueprint.report.estimates import Estimate, interval
from glueprint.report.guide import HAZARD_UNITS
from glueprint.report.tables import TrialTables

__all__ = ["lead"]

# (endpoint, of the first arm or of the comparison, words, decimals): what a reader of a trial asks first.
ASKED = (
    ("hr_pfs", "comparison", "the hazard ratio for progression or death", 2),
    ("hr_os", "comparison", "the hazard ratio for death", 2),
    ("median_pfs", "arm", "median progression-free survival with {arm}", 1),
    ("median_os", "arm", "median overall survival with {arm}", 1),
    ("orr", "arm", "the overall response rate with {arm}", 0),
)


def lead(comparison: pl.DataFrame, name: str, trial: TrialTables) -> str:
    """One sentence, or nothing where the comparison table does not say which row is which endpoint."""
    if any(column not in comparison.columns for column in ("trial", "arm", "endpoint")):
        return ""
    rows = comparison.filter((pl.col("trial") == name) & pl.col("computed").is_not_null())
    first, against = trial.arms[0], " vs ".join(trial.arms[:2])
    parts = []
    for endpoint, of, words, decimals in ASKED:
        arm = first if of == "arm" else against
        found = rows.filter((pl.col("endpoint") == endpoint) & (pl.col("arm") == arm)).to_dicts()
        if of == "comparison":
            found = [row for row in found if row["unit"] in HAZARD_UNITS]
        if found:
            parts.append(f"{words.format(arm=first)} is {_beside(found[0], decimals)}")
    if not parts:
        return ""
    listed = f"{'; '.join(parts[:-1])}; and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"In {trial.title}, {listed}."


def _beside(row: Mapping[str, Any], decimals: int) -> str:
    """ "0.52 (0.42–0.65), published 0.48 (0.39-0.60)"."""
    computed = interval(Estimate(row["computed"], row["computed_low"], row["computed_high"]), decimals)
    unit = "" if row["unit"] in HAZARD_UNITS else f"\u00a0{row['unit']}"
    return f"{computed}{unit} (published: {row['published']})"
