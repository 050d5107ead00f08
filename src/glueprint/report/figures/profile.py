"""Time courses: the median of the virtual patients with their band."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import rows as reading
from glueprint.report import tables
from glueprint.report.figures import theme

__all__ = ["profile"]

WIDTH = 620
HEIGHT = 180
GAP = 60
FAR_APART = 8.0
ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def profile(
    profiles: pl.DataFrame,
    *,
    title: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.ConcatChart:
    """Time courses as small multiples, a panel per series: line and 5-95 % band.

    profiles: rows of one profile: series, time_h or time_d, value, low, high, unit.
    colours: series -> colour.   Hours become days where the course is longer than a week.
    Series of one unit share the vertical scale unless one would flatten another.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(profiles, ("series", "value", "low", "high", "unit"), "profiles")
    rows, time_unit = _timed(profiles)
    series = list(dict.fromkeys(row["series"] for row in rows))
    colours = dict(colours or theme.series_colours(series))
    ceilings = _ceilings(rows)
    width = WIDTH if len(series) == 1 else (WIDTH - GAP) // 2
    panels = [
        _panel(
            [row for row in rows if row["series"] == name],
            Look(colours[name], ceilings[name], width, time_unit, interactive),
        )
        for name in series
    ]
    chart = alt.concat(*panels, columns=2, bounds="flush", spacing={"row": 96, "column": GAP})
    if title:
        chart = chart.properties(title=title)
    return theme.styled(chart)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Look:
    """How one panel is drawn: colour, top of the vertical scale, width in pixels, unit of time."""

    colour: str
    ceiling: float
    width_px: int
    time_unit: str
    interactive: bool


def _ceilings(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The top of each series' vertical scale: shared within a unit where the largest values are near."""
    highest: dict[str, float] = {}
    units = {row["series"]: row["unit"] for row in rows}
    for row in rows:
        top = max(abs(value) for value in (row["value"], row["high"], 0.0) if value is not None)
        highest[row["series"]] = max(highest.get(row["series"], 0.0), top)
    ceilings = {}
    for name, unit in units.items():
        peers = [highest[other] for other in units if units[other] == unit]
        near = max(peers) <= FAR_APART * min(peers)
        ceilings[name] = _round_up(max(peers) if near else highest[name])
    return ceilings


def _round_up(value: float) -> float:
    """The next round number, so that the top of the scale carries a label; values within 1 % stay."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in ROUND if value <= step * power * 1.01)


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


def _panel(rows: Sequence[Mapping[str, Any]], look: Look) -> alt.LayerChart:
    name, unit = rows[0]["series"], reading.written(rows[0]["unit"])
    data = theme.records([{key: row[key] for key in ("time", "value", "low", "high")} for row in rows])
    ends = [row["time"] for row in rows]
    at_most = 13 if look.width_px == WIDTH else 7
    marks = theme.clock(max(ends), look.time_unit, at_most=at_most)
    x = alt.X(
        "time:Q",
        scale=alt.Scale(domain=[min(ends), max(ends)], nice=False),
        axis=alt.Axis(title=look.time_unit, titleAnchor="end", values=marks),
    )
    across: dict[str, Any] = {
        "scale": alt.Scale(domain=[0.0, look.ceiling], nice=False),
        "axis": alt.Axis(tickCount=5),
    }
    y = alt.Y("value:Q", title=None, **across)
    band = alt.Chart().mark_area(color=look.colour, opacity=0.15)
    line = alt.Chart().mark_line(color=look.colour, strokeWidth=1.8)
    layers = [band.encode(x, alt.Y("low:Q", title=None, **across), alt.Y2("high:Q")), line.encode(x, y)]
    if look.interactive:
        tooltip = [
            alt.Tooltip("time:Q", title=look.time_unit, format=".2f"),
            alt.Tooltip("value:Q", title=f"typical, {unit}", format=".3g"),
            alt.Tooltip("low:Q", title="5 %", format=".3g"),
            alt.Tooltip("high:Q", title="95 %", format=".3g"),
        ]
        layers.append(alt.Chart().mark_circle(size=90, opacity=0).encode(x, y, tooltip=tooltip))
    heading = alt.TitleParams(
        name,
        subtitle=unit,
        color=look.colour,
        subtitleColor=theme.MUTED,
        subtitleFontSize=11,
        frame="group",
        offset=8,
    )
    chart = theme.layered(*layers, data=data)
    return chart.properties(width=look.width_px, height=HEIGHT, title=heading)
