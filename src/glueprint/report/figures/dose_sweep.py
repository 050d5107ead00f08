"""Response beside neutropenia over the doses of a glue, with the reference at its own dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme
from glueprint.trials import label_of

__all__ = ["dose_sweep"]

COLUMNS = ("part", "arm", "dose_mg", "endpoint", "value", "low", "high")
DRAWN = ("orr", "neutropenia_grade_3_4")
REFERENCE, PLANNED = "reference", "planned"
HEIGHT = 210


def dose_sweep(
    outcomes: pl.DataFrame, *, limits: Mapping[str, float] | None = None, interactive: bool = False
) -> alt.VConcatChart:
    """Two panels over dose: median of the virtual trials with their middle 95 %.

    outcomes: columns COLUMNS; part "planned", "swept" or "reference", whose value is the grey line and band.
    limits: endpoint -> per cent, drawn dashed.
    Raises InputError GP-P001 for a missing column, GP-P005 without a dose.
    """
    tables.require(outcomes, COLUMNS, "outcomes")
    rows = outcomes.filter(pl.col("endpoint").is_in(DRAWN) & pl.col("value").is_not_null())
    swept = rows.filter(pl.col("part") != REFERENCE).sort("dose_mg")
    if swept.is_empty():
        raise panels.nothing("dose sweep", "no dose", "outcomes of a glue at one dose or more")
    width = panels.panel_width(DRAWN, gap=panels.GAP)
    drawn = [
        _panel(
            swept.filter(pl.col("endpoint") == endpoint),
            rows.filter((pl.col("endpoint") == endpoint) & (pl.col("part") == REFERENCE)),
            (f"{label_of(endpoint)}, %", (limits or {}).get(endpoint), width),
            interactive=interactive,
        )
        for endpoint in DRAWN
    ]
    return panels.beside(drawn)


def _panel(
    swept: pl.DataFrame, beside: pl.DataFrame, about: tuple[str, float | None, int], *, interactive: bool
) -> alt.LayerChart:
    title, limit, width = about
    colour = theme.ARM_COLOURS[0]
    doses = swept.get_column("dose_mg").to_list()
    edges = [doses[0] / 1.25, doses[-1] * 1.25]
    x = alt.X(
        "dose_mg:Q",
        scale=alt.Scale(type="log", domain=edges, nice=False),
        axis=alt.Axis(title="Dose, mg", values=doses, format="~g", grid=False),
    )
    y: dict[str, Any] = {
        "scale": alt.Scale(domain=[0, 100]),
        "axis": alt.Axis(title=None, values=[0, 25, 50, 75, 100]),
    }
    data = theme.records(swept.to_dicts())
    layers = []
    if beside.height:
        layers += _reference(beside.to_dicts()[0], edges, x, y)
    base = alt.Chart(data)
    layers.append(base.mark_area(opacity=0.18, color=colour).encode(x, alt.Y("low:Q", **y), alt.Y2("high:Q")))
    layers.append(base.mark_line(color=colour, strokeWidth=2).encode(x, alt.Y("value:Q", **y)))
    dots = base.mark_point(size=64, filled=True, opacity=1, stroke=colour, strokeWidth=1.6).encode(
        x,
        alt.Y("value:Q", **y),
        fill=alt.condition(f"datum.part === '{PLANNED}'", alt.value(colour), alt.value(theme.PAPER)),
    )
    if interactive:
        shown = ("value", "low", "high")
        dots = dots.encode(tooltip=["arm:N", *(alt.Tooltip(f"{name}:Q", format=".3g") for name in shown)])
    layers.append(dots)
    if limit is not None:
        rule = alt.Chart(theme.records([{"limit": limit}])).mark_rule(
            color=theme.INK, strokeDash=[5, 4], strokeWidth=1
        )
        layers.append(rule.encode(alt.Y("limit:Q", **y)))
    chart = theme.layered(*layers)
    return chart.properties(
        width=width, height=HEIGHT, title=panels.panel_title(title, theme.INK, width=width)
    )


def _reference(row: Mapping[str, Any], edges: list[float], x: alt.X, y: Mapping[str, Any]) -> list[alt.Chart]:
    """The reference at its own dose: a grey band and line over all doses."""
    ends = [{"dose_mg": dose, **{name: row[name] for name in ("value", "low", "high")}} for dose in edges]
    base = alt.Chart(theme.records(ends))
    return [
        base.mark_area(opacity=0.14, color=theme.MUTED).encode(x, alt.Y("low:Q", **y), alt.Y2("high:Q")),
        base.mark_line(color=theme.MUTED, strokeWidth=1.4).encode(x, alt.Y("value:Q", **y)),
    ]
