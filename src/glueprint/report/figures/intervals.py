"""Published summaries of trials beside what the model expects of them, and of a trial of that size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme
from glueprint.trials import MEDIAN, Reported, row_of

__all__ = ["COLUMNS", "predicted_and_observed"]

COLUMNS = (
    "trial", "arm", "endpoint", "unit", "published", "expected", "expected_low", "expected_high", "trial_low",
    "trial_high", "inside", "label",
)  # fmt: skip
WIDTH = 360
ROW = 20
RATIO = "ratio"
# How a unit is written beside the axis.
UNITS: Mapping[str, str] = {"%": "% of patients", RATIO: "hazard ratio"}


def predicted_and_observed(
    summaries: pl.DataFrame,
    *,
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.VConcatChart:
    """A row per published summary: open diamond as published, thick bar the model's 95 %, thin bar where 95
    of 100 trials of that size fall; a filled diamond lies outside the thin bar.

    summaries: of a ClinicalPosterior, columns COLUMNS.
    colours: arm -> colour.   Each row says how it is labelled, if not all rows are labelled alike.
    Raises InputError GP-P001 for a missing column, GP-P005 without a summary.
    """
    tables.require(summaries, COLUMNS, "summaries")
    if summaries.is_empty():
        raise panels.nothing("predicted and observed", "no summary", "the summaries of a posterior")
    arms = [arm for arm in summaries.get_column("arm").to_list() if " vs " not in arm]
    hues = dict(colours or theme.arm_colours(arms))
    labels = summaries.get_column("label").unique(maintain_order=True).to_list()
    given = summaries.to_dicts()
    several = len({row["trial"] for row in given}) > 1
    places = list(dict.fromkeys(row["endpoint"] for row in given))
    given.sort(key=lambda row: places.index(row["endpoint"]))
    parts = []
    for unit in dict.fromkeys(map(_unit, given)):
        rows = [
            _row(row, hues, several=several, labelled=len(labels) > 1) for row in given if _unit(row) == unit
        ]
        parts.append(_panel(rows, unit, logarithmic=unit == UNITS[RATIO], interactive=interactive))
    items: list[tuple[str, Mapping[str, Any]]] = [
        ("published", {"shape": "diamond", "fill": theme.PAPER, "stroke": theme.INK, "strokeWidth": 1.4}),
        ("published, outside", {"shape": "diamond", "fill": theme.INK, "stroke": theme.INK}),
        ("thick: expected, 95 %", {"shape": "stroke", "stroke": theme.MUTED, "strokeWidth": 5, "size": 120}),
        (
            "thin: one trial, 95 %",
            {"shape": "stroke", "stroke": theme.MUTED, "strokeWidth": 1.2, "size": 120},
        ),
    ]
    chart = alt.vconcat(*parts, spacing=14)
    whole = alt.vconcat(chart, panels.key(items, width=WIDTH), spacing=14)
    if title:
        about = note if len(labels) > 1 or not labels else f"{note}; {labels[0]}".lstrip("; ")
        whole = whole.properties(title=panels.heading(title, about))
    return theme.styled(whole)  # type: ignore[no-any-return]


def _unit(row: Mapping[str, Any]) -> str:
    return UNITS.get(row["unit"], str(row["unit"]))


def _short(row: Reported) -> str:
    """In a figure a median is told by its unit."""
    return row.endpoint.short if row.summary == MEDIAN and row.endpoint.short else row.short


def _row(row: Mapping[str, Any], hues: Mapping[str, str], *, several: bool, labelled: bool) -> dict[str, Any]:
    known = row_of(str(row["endpoint"]))
    words = _short(known) if known else str(row["endpoint"]).replace("_", " ")
    name = f"{words}, {row['arm']}"
    if several:
        name += f" ({row['trial']})"
    if labelled:
        name += f" [{row['label']}]"
    numbers = ("published", "expected", "expected_low", "expected_high", "trial_low", "trial_high")
    return {
        "name": name,
        "colour": hues.get(row["arm"], theme.INK),
        "fill": theme.PAPER if row["inside"] else theme.INK,
        **{field: row[field] for field in numbers},
    }


def _panel(
    rows: Sequence[Mapping[str, Any]], unit: str, *, logarithmic: bool, interactive: bool
) -> alt.LayerChart:
    if logarithmic:
        ends = [row[name] for row in rows for name in ("trial_low", "trial_high", "published")]
        scale = alt.Scale(type="log", domain=[min(ends) / 1.1, max(ends) * 1.1], nice=False)
    else:
        scale = alt.Scale(zero=True, nice=True)
    across: dict[str, Any] = {"scale": scale, "axis": alt.Axis(title=unit, grid=True, tickCount=6)}
    names = alt.Axis(title=None, labelLimit=330, labelColor=theme.INK, grid=False)
    order = list(dict.fromkeys(row["name"] for row in rows))
    y = alt.Y("name:N", sort=order, axis=names, scale=alt.Scale(padding=0))
    colour = alt.Color("colour:N", scale=None)
    layers = []
    for start, end, width in (("trial_low", "trial_high", 1.2), ("expected_low", "expected_high", 5.0)):
        bar = alt.Chart().mark_rule(strokeWidth=width)
        layers.append(bar.encode(alt.X(f"{start}:Q", **across), alt.X2(f"{end}:Q"), y, colour))
    point = alt.Chart().mark_point(shape="diamond", size=58, strokeWidth=1.4, stroke=theme.INK, opacity=1)
    dots = point.encode(alt.X("published:Q", **across), y, fill=alt.Fill("fill:N", scale=None))
    if interactive:
        shown = ("published", "expected", "trial_low", "trial_high")
        dots = dots.encode(tooltip=[alt.Tooltip(f"{name}:Q", format=".3g") for name in shown])
    chart = theme.layered(*layers, dots, data=theme.records(rows))
    return chart.properties(width=WIDTH, height=alt.Step(ROW))
