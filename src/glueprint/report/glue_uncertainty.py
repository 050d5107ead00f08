"""Where the uncertainty of a glue's trial comes from, and the next experiment, as texts for its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report.glue_tables import TITLES
from glueprint.trials import label_of, reported

__all__ = ["Grid", "next_experiments", "sources"]

SOURCES: Mapping[str, str] = {
    "assays": "Affinity and efficacies: your assays",
    "pharmacokinetics": "Pharmacokinetics",
    "patients": "What is not known of patients, and the chance that both arms share",
    "chance": "Chance of a trial of this size, of one arm",
}


@dataclass(frozen=True)
class Grid:
    """Texts by row and outcome: heads of the outcomes, and rows of a name and a cell each."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def sources(table: pl.DataFrame | None) -> Grid | None:
    """Share of each outcome's variance that would go if a source were known; its total where that is more."""
    if table is None or table.is_empty():
        return None
    found = {(row["source"], row["endpoint"]): row for row in table.to_dicts()}
    endpoints = _endpoints(table)
    rows = [
        (words, tuple(_share(found[source, end]) for end in endpoints)) for source, words in SOURCES.items()
    ]
    return Grid(_heads(endpoints), tuple(rows))


def _share(row: Mapping[str, Any]) -> str:
    first, low, high = (100.0 * row[name] for name in ("first_order", "first_order_low", "first_order_high"))
    text = f"{first:.0f}\u00a0% ({low:.0f}–{high:.0f})"
    total = 100.0 * row["total"]
    # An interaction worth a word: what is beyond the interval of the source alone.
    return f"{text}, {total:.0f}\u00a0% in all" if total > high + 1.0 else text


def next_experiments(table: pl.DataFrame | None) -> Grid | None:
    """By how much each experiment is expected to lower the assays' part of the variance, the best first."""
    if table is None or table.is_empty():
        return None
    endpoints = _endpoints(table)
    cells: dict[str, dict[str, float]] = {}
    for row in table.to_dicts():
        cells.setdefault(_name(row), {})[row["endpoint"]] = 100.0 * row["of_compound"]
    order = sorted(cells, key=lambda name: -max(cells[name].values()))
    rows = [(name, tuple(f"{cells[name][end]:.0f}\u00a0%" for end in endpoints)) for name in order]
    return Grid(_heads(endpoints), tuple(rows))


def _name(row: Mapping[str, Any]) -> str:
    kind = TITLES.get(row["assay"], row["assay"])
    about = f"{kind}: {row['experiment']}" if row["experiment"] else f"{kind}, which is not there yet"
    return f"{about}; {row['what']}"


def _endpoints(table: pl.DataFrame) -> list[str]:
    """Those of the table, in the order of every table of the page."""
    return [end for end in reported() if end in table.get_column("endpoint")]


def _heads(endpoints: Sequence[str]) -> tuple[str, ...]:
    return tuple(label_of(end) for end in endpoints)
