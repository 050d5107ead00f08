"""The mark of files that nobody measured: what says inside that it is simulated stays said in every
analysis."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from glueprint.assays.findings import Finding

__all__ = ["COLUMN", "of_metadata", "of_table", "of_text"]

COLUMN = "simulated"
# Words by which a file says that it is not.
NO = ("", "no", "false", "0", "none")
# Longer marks are cut in a finding.
MOST = 120


def of_text(said: str, where: str) -> list[Finding]:
    """The finding GP-A054 for what a file says of being simulated; none for nothing or "no"."""
    return [] if said.strip().lower() in NO else [_finding(said.strip(), where)]


def of_metadata(metadata: Mapping[str, str], where: str) -> list[Finding]:
    """The same for the entry `simulated` of what a file says about itself, in any case of letters."""
    said = next((text for name, text in metadata.items() if name.strip().lower() == COLUMN), "")
    return of_text(said, where)


def of_table(table: pl.DataFrame, where: str = "") -> list[Finding]:
    """The same for a table with the column `simulated`; one finding for all rows, and how many they are."""
    if COLUMN not in table.columns:
        return []
    said = table[COLUMN].cast(pl.String).fill_null("").str.strip_chars()
    marked = said.filter(~said.str.to_lowercase().is_in(NO))
    if marked.is_empty():
        return []
    share = "" if marked.len() == table.height else f"{marked.len()} of {table.height} rows: "
    place = f'{where}, column "{COLUMN}"' if where else f'column "{COLUMN}"'
    return [_finding(marked[0], place, share)]


def _finding(said: str, where: str, share: str = "") -> Finding:
    return Finding(
        "GP-A054",
        "note",
        f'{share}simulated, not measured: "{said[:MOST]}"',
        where,
        next_step="never report these numbers as measurements",
    )
