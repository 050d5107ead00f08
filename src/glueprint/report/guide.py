"""A guide's tables, each number beside what Glueprint computes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report import rows as reading
from glueprint.report.estimates import number, p_number
from glueprint.report.tables import LABELS

__all__ = ["Cell", "GuideTable", "Strip", "Tally", "guide_tables", "strip_of", "tally"]

# The strip beside each number runs from a quarter to four times the published value.
STRIP_REACH = 4.0
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
    """One number of the guide as a table row; span 0: an earlier row already shows the name."""

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
    left_out: str = ""
    left_out_interval: str = ""
    left_out_verdict: str = ""


@dataclass(frozen=True)
class GuideTable:
    """One of the tables.

    has_columns: the guide's table has several value columns.
    how: the one line that holds for all computed numbers, then left out of the rows; empty where they differ.
    has_how: rows say how or carry a note.   has_strips: some row can be set against its published value.
    has_left_out: some row was predicted by a fit that had not read it, or its trial.
    """

    number: int
    title: str
    cells: tuple[Cell, ...]
    has_columns: bool
    how: str
    has_how: bool
    has_strips: bool
    has_left_out: bool = False


@dataclass(frozen=True)
class Tally:
    """How many numbers carry which label, and how many computed intervals hold the published value."""

    total: int
    by_label: Mapping[str, int]
    tested: int
    held: int


def guide_tables(comparison: pl.DataFrame, titles: Mapping[int, str] | None = None) -> list[GuideTable]:
    """The tables in the guide's order, rows as given; equal neighbouring row names share one cell.

    titles: of the tables by number.
    """
    tables = []
    for table in sorted(comparison.get_column("guide_table").unique().to_list()):
        rows = reading.with_units(comparison.filter(pl.col("guide_table") == table).to_dicts())
        hows = {row["how"] for row in rows if row["how"]}
        shared = hows.pop() if len(hows) == 1 else ""
        cells = tuple(_cell(row, _span(rows, place), shared) for place, row in enumerate(rows))
        has_columns = len({row["column"] for row in rows}) > 1
        has_how = any(cell.how or cell.note for cell in cells)
        has_strips = any(cell.strip for cell in cells)
        has_left_out = any(cell.left_out_verdict for cell in cells)
        title = (titles or {}).get(table, "")
        tables.append(GuideTable(table, title, cells, has_columns, shared, has_how, has_strips, has_left_out))
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
    kept = [row for row in tested.to_dicts() if not reading.is_p_value(row)]
    held = [row for row in kept if row["computed_low"] <= row["published_value"] <= row["computed_high"]]
    return Tally(comparison.height, counts, len(kept), len(held))


def _span(rows: list[dict[str, Any]], place: int) -> int:
    """How many rows from `place` on share its name; 0 where an earlier row already covers it."""
    name = rows[place]["row"]
    if place and rows[place - 1]["row"] == name:
        return 0
    span = 1
    while place + span < len(rows) and rows[place + span]["row"] == name:
        span += 1
    return span


def _cell(row: Mapping[str, Any], span: int, shared_how: str) -> Cell:
    computed, interval = _numbers(row)
    how = str(row["how"] or "")
    return Cell(
        row=str(row["row"]),
        span=span,
        column=str(row["column"] or ""),
        arm=str(row.get("arm") or ""),
        published=str(row["published"] or ""),
        computed=computed,
        interval=interval,
        label=str(row["label"]),
        how="" if how == shared_how else how,
        note=str(row["note"] or ""),
        claim_id=str(row["claim_id"] or ""),
        strip=_strip(row),
        **_left_out(row),
    )


def _left_out(row: Mapping[str, Any]) -> dict[str, str]:
    """What a fit without the row's trial predicts, as text; empty where there is none."""
    verdict = row.get("left_out_verdict") or ""
    if not verdict:
        return {}
    value, low, high, score = (row[f"left_out{name}"] for name in ("", "_low", "_high", "_score"))
    if value is None and low is None and high is None:
        return {"left_out": "–", "left_out_verdict": verdict}
    scored = "" if score is None else f", score {score:.1f}".replace("-", "−")
    return {
        "left_out": "not reached" if value is None else number(value),
        "left_out_interval": f"{number(low)}–{'not reached' if high is None else number(high)}",
        "left_out_verdict": f"{verdict}{scored}",
    }


def _numbers(row: Mapping[str, Any]) -> tuple[str, str]:
    """The computed number and its interval as text."""
    value, low, high = (row[name] for name in ("computed", "computed_low", "computed_high"))
    if value is None:
        return "", ""
    if reading.is_p_value(row):
        return p_number(value), f"{p_number(low)} to {p_number(high)}" if low is not None else ""
    unit = reading.written(row["unit"])
    text = number(value, PRINTED if row["label"] == "input" else 3)
    interval = f"{number(low)}–{number(high)}" if low is not None and high is not None else ""
    return f"{text}\u00a0{unit}" if unit else text, interval


def _strip(row: Mapping[str, Any]) -> Strip | None:
    if reading.is_p_value(row) or row["label"] == "input":
        return None
    return strip_of(row["published_value"], row["computed"], row["computed_low"], row["computed_high"])


def strip_of(
    beside: float | None, value: float | None, low: float | None, high: float | None
) -> Strip | None:
    """A number over the one beside it on a logarithmic strip; None where either is no number above zero."""
    if not beside or not value or beside <= 0 or value <= 0:
        return None
    ratio = value / beside

    def place(number: float | None) -> float | None:
        if number is None or number <= 0:
            return None
        span = math.log(number / beside) / math.log(STRIP_REACH)
        return min(1.0, max(0.0, (span + 1) / 2))

    outside = not 1 / STRIP_REACH <= ratio <= STRIP_REACH
    return Strip(place(value) or 0.0, place(low), place(high), ratio, outside)
