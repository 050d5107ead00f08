"""Time courses: a typical patient with the band of the virtual patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import theme

__all__ = ["profile"]

WIDTH = 620
HEIGHT = 210
FAR_APART = 8.0
WRITTEN = {"1e9/L": "10⁹/L"}


def profile(
    profiles: pl.DataFrame,
    *,
    title: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.VConcatChart:
    """Lines over time with a 5-95 % band; series of one unit share a panel unless one would flatten another.

    profiles: rows of one profile: series, time_h or time_d, value, low, high, unit.
    colours: series -> colour.   Hours become days where the course is longer than a week.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(profiles, ("series", "value", "low", "high", "unit"), "profiles")
    rows, axis_title = _timed(profiles)
    series = list(dict.fromkeys(row["series"] for row in rows))
    colours = dict(colours or theme.series_colours(series))
    panels = [_panel(part, unit, colours, axis_title, interactive) for unit, part in _shared(rows)]
    chart = alt.vconcat(*panels, bounds="flush", spacing=74).resolve_scale(color="independent")
    if title:
        chart = chart.properties(title=title)
    return theme.styled(chart)  # type: ignore[no-any-return]


def _shared(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Panels as (heading, rows): per unit, or per series where the largest values of a unit lie far apart."""
    panels = []
    for unit in dict.fromkeys(row["unit"] for row in rows):
        part = [row for row in rows if row["unit"] == unit]
        highest: dict[str, float] = {}
        for row in part:
            highest[row["series"]] = max(highest.get(row["series"], 0.0), abs(row["value"] or 0.0))
        together = max(highest.values()) <= FAR_APART * min(highest.values())
        groups = [list(highest)] if together else [[name] for name in highest]
        heading = WRITTEN.get(unit, unit)
        panels += [(heading, [row for row in part if row["series"] in group]) for group in groups]
    return panels


def _timed(profiles: pl.DataFrame) -> tuple[list[dict[str, Any]], str]:
    """The rows with one time column, in hours for courses of up to a week, in days beyond."""
    if "time_d" in profiles.columns and profiles.get_column("time_d").null_count() < profiles.height:
        in_days = profiles.with_columns(pl.col("time_d").alias("time"))
        return in_days.drop_nulls("time").to_dicts(), "days"
    tables.require(profiles, ("time_h",), "profiles")
    timed = profiles.drop_nulls("time_h")
    longest = float(timed.get_column("time_h").max() or 0.0)  # type: ignore[arg-type]
    if longest > 24 * 7:
        return timed.with_columns((pl.col("time_h") / 24).alias("time")).to_dicts(), "days"
    return timed.with_columns(pl.col("time_h").alias("time")).to_dicts(), "hours"


def _panel(
    rows: Sequence[Mapping[str, Any]],
    unit: str,
    colours: Mapping[str, str],
    axis_title: str,
    interactive: bool,
) -> alt.LayerChart:
    shown = {name: colours[name] for name in dict.fromkeys(row["series"] for row in rows)}
    scale = alt.Scale(domain=list(shown), range=list(shown.values()))
    key = alt.Legend(
        orient="top",
        title=None,
        symbolType="stroke",
        symbolStrokeWidth=2,
        symbolOpacity=1,
        labelLimit=300,
        columnPadding=18,
        offset=8,
    )
    colour = alt.Color("series:N", scale=scale, legend=key)
    ends = [row["time"] for row in rows]
    x = alt.X(
        "time:Q",
        scale=alt.Scale(domain=[min(ends), max(ends)], nice=False),
        axis=alt.Axis(title=axis_title or None, titleAnchor="end", values=theme.clock(max(ends), axis_title)),
    )
    keep = ("series", "time", "value", "low", "high")
    slim = [{key: row[key] for key in keep} for row in rows]
    banded = [row for row in slim if row["low"] is not None and row["high"] is not None]
    y = alt.Y("value:Q", axis=alt.Axis(title=None), scale=alt.Scale(zero=True))
    line = alt.Chart(theme.records(slim)).mark_line(strokeWidth=1.8).encode(x, y, colour)
    layers: list[alt.Chart] = [line]
    if banded:
        band = alt.Chart(theme.records(banded)).mark_area(opacity=0.13)
        layers.insert(0, band.encode(x, alt.Y("low:Q", title=None), alt.Y2("high:Q"), colour))
    if interactive:
        layers.append(_pointer(slim, x, y, colour, unit))
    heading = alt.TitleParams(
        unit, fontSize=11, fontWeight="normal", color=theme.MUTED, frame="group", offset=6
    )
    chart = theme.layered(*layers)
    return chart.properties(width=WIDTH, height=HEIGHT, title=heading)


def _pointer(
    rows: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y, colour: alt.Color, unit: str
) -> alt.Chart:
    tooltip = [
        alt.Tooltip("series:N"),
        alt.Tooltip("time:Q", format=".2f"),
        alt.Tooltip("value:Q", title=f"typical, {unit}", format=".3g"),
        alt.Tooltip("low:Q", title="5 %", format=".3g"),
        alt.Tooltip("high:Q", title="95 %", format=".3g"),
    ]
    points = alt.Chart(theme.records(rows)).mark_circle(size=90, opacity=0)
    shown: alt.Chart = points.encode(x, y, colour, tooltip=tooltip)
    return shown
