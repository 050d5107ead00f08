"""One look for all figures: ink, greys, one colour per arm, and the Vega-Lite configuration.

Colours are written as fixed tokens. The page maps each token to a CSS variable, so a figure drawn once
follows the light, the dark and the printed page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import altair as alt
import polars as pl

__all__ = [
    "ARM_COLOURS",
    "GRID",
    "INK",
    "MUTED",
    "PAPER",
    "SERIES_COLOURS",
    "arm_colours",
    "configuration",
    "left_out",
    "records",
    "series_colours",
    "struck",
    "styled",
]

INK = "#1c1b19"
MUTED = "#6b6862"
GRID = "#e3dfd6"
PAPER = "#fffffe"
# Told apart by people with any colour-vision deficiency (after Okabe and Ito 2008, darkened for print).
ARM_COLOURS = ("#0b5c9e", "#c4520f", "#14795b", "#8a4a94", "#7d6a12", "#b23a52")
# Time courses take the other end of the palette first: a substance or a cell is not an arm.
SERIES_COLOURS = ("#8a4a94", "#7d6a12", "#b23a52", "#3f6b7d")

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans Condensed, sans-serif"
DIGITS = 5
# Columns of the table `excluded` of every assay.
EXCLUDED = ("where", "curve", "role", "sample", "x", "value", "reason")


def arm_colours(arms: Iterable[str]) -> dict[str, str]:
    """One colour per arm, by order of first appearance; the palette repeats after six."""
    unique = list(dict.fromkeys(arms))
    return {arm: ARM_COLOURS[place % len(ARM_COLOURS)] for place, arm in enumerate(unique)}


def series_colours(series: Iterable[str]) -> dict[str, str]:
    """One colour per series of a time course, by order of first appearance."""
    unique = list(dict.fromkeys(series))
    return {name: SERIES_COLOURS[place % len(SERIES_COLOURS)] for place, name in enumerate(unique)}


def arm_colour(colours: Mapping[str, str]) -> alt.Color:
    """The colour channel for column "arm", without a legend: arms are labelled where they are drawn."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color("arm:N", scale=scale, legend=None)


class Rows(alt.InlineData):
    """Chart data that nobody changes, so that layers, panels and copies of a chart share it.

    Altair copies a chart and its data at every step of putting it together: most of the time a report took.
    The rows are not checked one by one against the schema; the tests check whole charts.
    """

    _class_is_valid_at_instantiation = False

    def __deepcopy__(self, _: Any = None) -> Rows:
        return self


def records(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Rows as chart data; floats cut to five significant digits, finer than any screen; NaN becomes null."""

    def cut(value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None

    return Rows(values=[{key: cut(value) for key, value in row.items()} for row in rows])


def ticks(highest: float, *, at_most: int = 9) -> list[float]:
    """Even steps that suit months, cycles, days and years, from 0 to `highest`, at most `at_most` of them."""
    whole = (1, 2, 3, 4, 6, 12, 24, 36, 60, 120, 180, 360, 720)
    for step in (0.25, 0.5, *whole) if highest < 2 else whole:
        if highest / step <= at_most - 1:
            return [float(step * place) for place in range(int(highest // step) + 1)]
    return [0.0, float(highest)]


def clock(highest: float, unit: str, *, at_most: int = 13) -> list[float]:
    """Tick marks where people look: every 3, 6, 12 or 24 hours, or every 1, 7, 14 or 28 days."""
    steps = (1, 3, 6, 12, 24) if unit == "hours" else (1, 7, 14, 28, 56, 112, 364)
    step = next((step for step in steps if highest / step <= at_most - 1), steps[-1])
    return [float(step * place) for place in range(int(highest // step) + 1)]


def dose_axis(title: str, aside: float, domain: Sequence[float], zero: str = "0") -> alt.Axis:
    """A logarithmic axis of doses whose tick at `aside`, where a dose of zero is drawn, reads `zero`."""
    powers = range(math.floor(math.log10(domain[0])), math.ceil(math.log10(domain[1])) + 1)
    values = [10.0**power for power in powers if aside * 2.0 < 10.0**power <= domain[1]]
    near = f"abs(datum.value / {aside:g} - 1) < 0.01"
    return alt.Axis(
        title=title, values=[aside, *values], labelExpr=f"{near} ? '{zero}' : format(datum.value, '~g')"
    )


def label_values(names: Sequence[str], colours: Mapping[str, str], otherwise: str = INK) -> str:
    """A Vega expression that gives an axis label the colour of its arm."""
    branches = "".join(f"datum.label === {_quoted(name)} ? '{colours[name]}' : " for name in names)
    return f"{branches}'{otherwise}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def configuration() -> dict[str, Any]:
    """The Vega-Lite configuration shared by all figures."""
    axis = {
        "labelColor": MUTED, "titleColor": MUTED, "tickColor": MUTED, "domainColor": MUTED,
        "gridColor": GRID, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
        "labelFont": FONT, "titleFont": FONT, "tickSize": 4, "titlePadding": 8,
    }  # fmt: skip
    return {
        "background": PAPER,
        "font": FONT,
        "padding": {"left": 14, "right": 6, "top": 4, "bottom": 4},
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False, "labelFlush": False},
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
        "title": {"color": INK, "fontSize": 12, "fontWeight": 600, "anchor": "start", "font": FONT},
        "header": {"labelColor": INK, "labelFontSize": 12, "labelFontWeight": 600, "titleColor": MUTED},
        "legend": {"labelColor": INK, "titleColor": MUTED, "labelFontSize": 11, "titleFontSize": 11},
        "text": {"color": INK, "font": FONT, "fontSize": 11},
        "aria": False,
        "concat": {"spacing": 10},
    }


def layered(*layers: alt.Chart, data: alt.InlineData | None = None) -> alt.LayerChart:
    """Charts on top of each other; altair's own type allows facets, which our figures have none of."""
    return cast("alt.LayerChart", alt.layer(*layers) if data is None else alt.layer(*layers, data=data))


def left_out(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The table of what an analysis left out; empty where a result has none."""
    return tables.get("excluded", pl.DataFrame(schema=dict.fromkeys(EXCLUDED, pl.String)))


def struck(rows: Iterable[Mapping[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Open circles with a stroke through them, for what was left out; none where nothing was."""
    every = list(rows)
    if not every:
        return []
    base = alt.Chart(records(every))
    stroke: dict[str, Any] = {"color": MUTED, "strokeWidth": 1.4, "opacity": 0.9}
    return [
        base.mark_point(shape="circle", size=42, filled=False, **stroke).encode(x, y),
        base.mark_point(shape="stroke", size=220, angle=135, **stroke).encode(x, y),
    ]


def styled(chart: Any) -> Any:
    """A chart just built, with the shared configuration."""
    chart.config = _checked_configuration()
    return chart


@cache
def _checked_configuration() -> alt.Config:
    """The configuration, checked against the schema once: that costs as much as drawing a figure."""
    return alt.Config(**configuration())
