"""The guide's five tables, put together again from the claims."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from glueprint.errors import InputError, nearest
from glueprint.evidence.claim import Claim

__all__ = ["TITLES", "layout", "table"]

TITLES = {
    "guide-1": "Cereblon binding and cellular potency",
    "guide-2": "Inhibition of TNF-alpha",
    "guide-3": "Efficacy in MM-002",
    "guide-4": "Efficacy in MM-003",
    "guide-5": "Grade 3/4 adverse events in MM-003",
}
SCHEMA = {
    "row": pl.String,
    "column": pl.String,
    "printed": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval_kind": pl.String,
    "unit": pl.String,
    "system": pl.String,
    "n": pl.Int64,
    "source": pl.String,
    "claim_id": pl.String,
}


def table(claims: Sequence[Claim], name: str) -> pl.DataFrame:
    """One guide table as a long frame: a row for each cell, in the guide's order.

    Raises InputError GP-E002 if there is no such table.
    """
    if name not in TITLES:
        raise InputError(
            "GP-E002",
            f'no table "{name}"{nearest(name, TITLES)}',
            expected=", ".join(TITLES),
            next_step="choose one of these tables",
        )
    rows = []
    for claim in claims:
        where, _, place = claim.guide.partition("|")
        if where != name:
            continue
        row, _, column = place.partition("|")
        cell = {"row": row, "column": column, "printed": claim.said, "claim_id": claim.id}
        same = ("value", "low", "high", "interval_kind", "unit", "system", "n", "source")
        rows.append(cell | {key: getattr(claim, key) for key in same})
    return pl.DataFrame(rows, schema=SCHEMA)


def layout(cells: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The headers and rows of a guide table as the guide prints it, the claim ids in the last column."""
    columns = cells.get_column("column").unique(maintain_order=True).to_list()
    rows = []
    for name in cells.get_column("row").unique(maintain_order=True):
        here = cells.filter(pl.col("row") == name)
        said = dict(zip(here["column"], here["printed"], strict=True))
        rows.append([name, *(said.get(column, "-") for column in columns), "\n".join(here["claim_id"])])
    return ["", *columns, "claims"], rows
