"""What of the evidence comes right without having been used: every fact computed, judged and classed."""

from __future__ import annotations

import polars as pl

from glueprint.experiments.fact_list import FACTS

__all__ = ["SCHEMA", "check"]

SCHEMA = pl.Schema(
    {
        "claim": pl.String(),
        "statement": pl.String(),
        "computed": pl.String(),
        "right": pl.Boolean(),
        "label": pl.String(),
        "counts": pl.Boolean(),
        "why": pl.String(),
    }
)


def check() -> pl.DataFrame:
    """Every fact with what was computed, whether it is right, and whether it counts as a prediction.

    Returns a frame with the columns of `SCHEMA`: claim ids, statement, computed, right, label ("predicted",
    "calibrated", "input", "by construction"), counts (only what is predicted) and why. Wrong ones and those
    that were used are listed as well.
    Source: evidence; docs/experiments.md, "Facts".
    """
    return pl.DataFrame([fact.row() for fact in FACTS], schema=SCHEMA)
