"""Measured points and fitted curves of a table, one colour a data set."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from glueprint.curves import Fits
from glueprint.curves.table_rows import WIDE, curve_rows, point_rows
from glueprint.report import tables as contract
from glueprint.report.figures import theme

__all__ = ["fitted_curves", "of_fits"]

POINTS = ("set", "x", "y", "outlier")
CURVES = ("set", "x", "fitted")
WIDTH, HEIGHT = 380, 240
# On a logarithmic axis x = 0 stands half a decade below the lowest.
ASIDE = 10.0**0.5
# How far the axis goes on past the outermost points.
EDGE = 1.3


def of_fits(fits: Fits) -> alt.LayerChart:
    """The points and curves of a fit, as `fits.plot()` draws them."""
    return fitted_curves(point_rows(fits), curve_rows(fits), x=fits.model.inputs[0], y="response")


def fitted_curves(
    points: pl.DataFrame, curves: pl.DataFrame, *, x: str = "x", y: str = "y"
) -> alt.LayerChart:
    """The points and the curves of `curves.fit_table`; outliers are hollow.

    points, curves: its tables of these names.   x, y: titles of the axes.
    Raises InputError GP-P001 for a missing column.
    """
    contract.require(points, POINTS, "points")
    contract.require(curves, CURVES, "curves")
    positive = points.filter(pl.col("x") > 0.0)["x"]
    low, high = (1.0, 1.0) if positive.is_empty() else (float(positive.min()), float(positive.max()))  # type: ignore[arg-type]
    logarithmic = high > WIDE * low and not points.filter(pl.col("x") < 0.0).height
    colours = theme.arm_colours(points["set"].to_list())
    several = len(colours) > 1
    place = _doses(x, low, high, bool((points["x"] == 0.0).any())) if logarithmic else alt.X("x:Q", title=x)
    height = alt.Y("y:Q", title=y, scale=alt.Scale(zero=False))
    legend = alt.Legend(title=None, orient="right", symbolType="circle") if several else None
    colour = alt.Color(
        "set:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=legend
    )
    rows: list[dict[str, Any]] = [
        row | {"x": row["x"] or (low / ASIDE if logarithmic else 0.0), "outlier": bool(row["outlier"])}
        for row in points.select(POINTS).to_dicts()
    ]
    layers = []
    lines = [{"set": row["set"], "x": row["x"], "y": row["fitted"]} for row in curves.to_dicts()]
    if lines:
        layers.append(
            alt.Chart(theme.records(lines)).mark_line(strokeWidth=1.4).encode(place, height, color=colour)
        )
    for outlier in (False, True):
        some = [row for row in rows if row["outlier"] is outlier]
        if some:
            marks = alt.Chart(theme.records(some)).mark_point(size=30, filled=not outlier, opacity=0.8)
            layers.append(marks.encode(place, height, color=colour))
    return theme.layered(*layers).properties(width=WIDTH, height=HEIGHT)


def _doses(title: str, low: float, high: float, zero: bool) -> alt.X:
    """x over its logarithm, a little wider than the doses; a dose of zero has a tick of its own."""
    aside = low / ASIDE
    domain = [(aside if zero else low) / EDGE, high * EDGE]
    axis = theme.dose_axis(title, aside, domain) if zero else alt.Axis(title=title, format="~g")
    return alt.X("x:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis)
