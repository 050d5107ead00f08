"""Tables for spreadsheets: CSV that none of them computes."""

from __future__ import annotations

import polars as pl

from glueprint.boundary import inert

__all__ = ["csv"]


def csv(table: pl.DataFrame) -> str:
    """A table as CSV, lists as text, and an apostrophe before every text that begins like a formula."""
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    flat = table.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in lists)
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    quiet = flat.with_columns(pl.col(name).map_elements(inert, return_dtype=pl.String) for name in texts)
    return quiet.rename({name: inert(name) for name in quiet.columns}).write_csv()
