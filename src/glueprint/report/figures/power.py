"""Power of a design over the size of its trial, with the error it has where there is no effect."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme

__all__ = ["power"]

COLUMNS = ("patients", "truth", "power_percent", "low", "high")
HEIGHT = 240


def power(rows: pl.DataFrame, *, interactive: bool = False) -> alt.LayerChart:
    """Share of simulated trials that show a benefit, a line for each truth, with Monte Carlo limits.

    rows: columns COLUMNS, as the table of `trials.operating`, percent.
    Raises InputError GP-P001 for a missing column, GP-P005 without a row.
    """
    tables.require(rows, COLUMNS, "operating characteristics")
    if rows.is_empty():
        raise panels.nothing("power", "no size", "a design at one size or more")
    data = theme.records(rows.select(COLUMNS).to_dicts())
    truths = rows["truth"].unique(maintain_order=True).to_list()
    colours = [theme.ARM_COLOURS[0], *[theme.MUTED] * (len(truths) - 1)]
    x = alt.X("patients:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title="Patients", grid=False))
    y: dict[str, Any] = {
        "scale": alt.Scale(domain=[0, 100]),
        "axis": alt.Axis(title="Trials that show a benefit, %", values=[0, 20, 40, 60, 80, 90, 100]),
    }
    colour = alt.Color(
        "truth:N",
        scale=alt.Scale(domain=truths, range=colours),
        legend=alt.Legend(title=None, orient="top"),
    )
    base = alt.Chart(data)
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(
        x, alt.Y("power_percent:Q", **y), color=colour
    )
    if interactive:
        shown = [alt.Tooltip(f"{name}:Q", format=".3g") for name in COLUMNS[2:]]
        dots = dots.encode(tooltip=["truth:N", "patients:Q", *shown])
    chart = theme.layered(
        base.mark_area(opacity=0.18).encode(x, alt.Y("low:Q", **y), alt.Y2("high:Q"), color=colour),
        base.mark_line(strokeWidth=2).encode(x, alt.Y("power_percent:Q", **y), color=colour),
        dots,
    )
    return chart.properties(width=panels.panel_width(("power",)), height=HEIGHT)
