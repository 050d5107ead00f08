"""The guide's five tables, each number beside what Glueprint computes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report.estimates import number
from glueprint.report.tables import LABELS

__all__ = ["TITLES", "Cell", "GuideTable", "Tally", "guide_tables", "tally"]

TITLES = {
    1: "Cereblon binding affinity and cellular potency",
    2: "Inhibition of TNF-α",
    3: "Efficacy in the phase II trial MM-002",
    4: "Efficacy in the phase III trial MM-003",
    5: "Common grade 3 and 4 adverse events in MM-003, pomalidomide arm",
}
# The strip beside each number runs from a quarter to four times the published value.
STRIP_REACH = 4.0
HAZARD_UNITS = frozenset({"ratio", "hazard ratio", "1"})
PRINTED = 0  # inputs are shown with the digits they were given


@dataclass(frozen=True)
class Strip:
    """Computed over published on a logarithmic strip: places from 0 (a quarter) to 1 (four times)."""

    place: float
    low: float | None
    high: float | None
    ratio: float
    outside: bool


@dataclass(frozen=True)
class Cell:
    """One number of the guide as a table row."""

    row: str
    span: int
    column: str
    arm: str
    published: str
    computed: str
    interval: str
    label: str
    how: str
    note: str
    claim_id: str
    strip: Strip | None


@dataclass(frozen=True)
class GuideTable:
    """One of the five tables; `has_columns` says whether the guide's table has several value columns."""

    number: int
    title: str
    cells: tuple[Cell, ...]
    has_columns: bool


@dataclass(frozen=True)
class Tally:
    """How many numbers carry which label, and how many computed intervals hold the published value."""

    total: int
    by_label: Mapping[str, int]
    tested: int
    held: int


def guide_tables(comparison: pl.DataFrame) -> list[GuideTable]:
    """The tables in the guide's order, rows as given; equal neighbouring row names share one cell."""
    tables = []
    for table in sorted(comparison.get_column("guide_table").unique().to_list()):
        rows = comparison.filter(pl.col("guide_table") == table).to_dicts()
        cells = tuple(_cell(row, _span(rows, place)) for place, row in enumerate(rows))
        titled = TITLES.get(table, "")
        tables.append(GuideTable(table, titled, cells, any(row["column"] for row in rows)))
    return tables


def tally(comparison: pl.DataFrame) -> Tally:
    """Count labels, and intervals of calibrated and predicted numbers that hold the published value."""
    counts = {label: comparison.filter(pl.col("label") == label).height for label in LABELS}
    tested = comparison.filter(
        pl.col("label").is_in(["calibrated", "predicted"])
        & pl.col("published_value").is_not_null()
        & pl.col("computed_low").is_not_null()
        & pl.col("computed_high").is_not_null()
    )
    held = tested.filter(
        pl.col("published_value").is_between(pl.col("computed_low"), pl.col("computed_high"))
    )
    return Tally(comparison.height, counts, tested.height, held.height)


def _span(rows: list[dict[str, Any]], place: int) -> int:
    """How many rows from `place` on share its name; 0 where an earlier row already covers it."""
    name = rows[place]["row"]
    if place and rows[place - 1]["row"] == name:
        return 0
    span = 1
    while place + span < len(rows) and rows[place + span]["row"] == name:
        span += 1
    return span


def _cell(row: Mapping[str, Any], span: int) -> Cell:
    unit = str(row["unit"] or "")
    digits = 3 if row["label"] != "input" else PRINTED
    computed = "" if row["computed"] is None else f"{number(row['computed'], digits)}{_unit(unit)}"
    interval = ""
    if row["computed_low"] is not None and row["computed_high"] is not None:
        interval = f"{number(row['computed_low'])}–{number(row['computed_high'])}"
    return Cell(
        row=str(row["row"]),
        span=span,
        column=str(row["column"] or ""),
        arm=str(row.get("arm") or ""),
        published=str(row["published"] or ""),
        computed=computed,
        interval=interval,
        label=str(row["label"]),
        how=str(row["how"] or ""),
        note=str(row["note"] or ""),
        claim_id=str(row["claim_id"] or ""),
        strip=_strip(row),
    )


def _unit(unit: str) -> str:
    return "" if unit == "" or unit in HAZARD_UNITS else f"\u00a0{unit}"


def _strip(row: Mapping[str, Any]) -> Strip | None:
    published, computed = row["published_value"], row["computed"]
    if not published or not computed or published <= 0 or computed <= 0 or row["label"] == "input":
        return None
    ratio = computed / published

    def place(value: float | None) -> float | None:
        if value is None or value <= 0:
            return None
        span = math.log(value / published) / math.log(STRIP_REACH)
        return min(1.0, max(0.0, (span + 1) / 2))

    middle = place(computed)
    outside = not 1 / STRIP_REACH <= ratio <= STRIP_REACH
    return Strip(middle or 0.0, place(row["computed_low"]), place(row["computed_high"]), ratio, outside)
