"""Tables as CSV that no spreadsheet computes."""

from __future__ import annotations

import polars as pl

from glueprint.boundary import inert
from glueprint.cli.choices import keep_formulas

__all__ = ["csv_text", "inert_table"]


def inert_table(table: pl.DataFrame) -> pl.DataFrame:
    """`table` with lists as text, and an apostrophe before every text that a spreadsheet would compute.

    `glueprint --keep-formulas ...` leaves the text as it is.
    """
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    flat = table.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in lists)
    if keep_formulas.get():
        return flat
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    quiet = flat.with_columns(pl.col(name).map_elements(inert, return_dtype=pl.String) for name in texts)
    return quiet.rename({name: inert(name) for name in quiet.columns})


def csv_text(table: pl.DataFrame) -> str:
    """`table` as the text of a CSV file, see `inert_table`."""
    return inert_table(table).write_csv()
