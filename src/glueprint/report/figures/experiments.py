"""Experiments: points as the assay reads them, lines of the model, published values as open diamonds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from glueprint.experiments import Experiment, Panel
from glueprint.report.figures import theme

__all__ = ["experiment"]

WIDTH, HEIGHT = 300, 230
PANELS_A_ROW = 3
# Between the plots themselves: room for the axis and its title.
SPACING = 84
# Where vehicle stands on a logarithmic axis: this factor left of the lowest dose.
ZERO_AT = 3.0
# Colours of series that have an order (levels, folds, times), from least to most.
FIRST, LAST = (0xB9, 0xD3, 0xE8), (0x08, 0x30, 0x5C)
LEGEND_COLUMNS = 4
X_TITLES: Mapping[str, str] = {"dose": "dose, nM", "time": "hours", "days": "days", "level": "cereblon left"}
HINT = "points: the assay; lines: the model"
PUBLISHED = "open diamonds: published"
# Points that lie on their line hide nothing when they are small.
POINT, DIAMOND = 26, 90
DASHED = [5, 4]
# Lines nearer than this cannot be told apart.
SAME = 2e-3


def experiment(found: Experiment) -> alt.VConcatChart:
    """The panels of an experiment as one figure.

    found: what `experiments.run` gives.
    Dose axes are logarithmic with vehicle at 0; every panel has the legend of its series below.
    """
    panels = [_panel(panel) for panel in found.panels]
    rows = [
        alt.hconcat(*panels[first : first + PANELS_A_ROW], spacing=SPACING, bounds="flush").resolve_scale(
            color="independent"
        )
        for first in range(0, len(panels), PANELS_A_ROW)
    ]
    hint = "; ".join((HINT, PUBLISHED) if any(p.marks for p in found.panels) else (HINT,))
    title = alt.TitleParams(
        f"{found.title}: {found.compound}",
        subtitle=hint,
        subtitleColor=theme.MUTED,
        offset=12,
        anchor="start",
    )
    chart = alt.vconcat(*rows, spacing=32, title=title)
    return theme.styled(chart)  # type: ignore[no-any-return]


def _panel(panel: Panel) -> alt.LayerChart:
    names = list(dict.fromkeys([*panel.lines["series"].to_list(), *panel.points["series"].to_list()]))
    colour = _colour(names)
    zero = _zero(panel)
    x, y = _x(panel, zero), _y(panel)
    layers: list[alt.Chart] = []
    hidden = _hidden(panel.lines)
    for names_of_look, dash in ((set(names) - hidden, [1, 0]), (hidden, DASHED)):
        of_look = panel.lines.filter(pl.col("series").is_in(list(names_of_look)))
        if of_look.height:
            lines = alt.Chart(theme.records(_rows(of_look, zero, panel)))
            look = lines.mark_line(strokeWidth=1.7, clip=True, strokeDash=dash)
            layers.append(look.encode(x, y, color=colour, detail="series:N"))
    points = alt.Chart(theme.records(_rows(panel.points, zero, panel)))
    layers.append(points.mark_point(size=POINT, filled=True, opacity=0.85).encode(x, y, color=colour))
    if panel.marks:
        floor = 0.0 if panel.y_zero and not panel.y_log else _extremes(panel)[0]
        marks = [
            {"series": series, "x": value, "y": floor, "claim": claim} for series, value, claim in panel.marks
        ]
        diamonds = alt.Chart(theme.records(marks)).mark_point(
            shape="diamond", size=DIAMOND, fill=theme.PAPER, strokeWidth=1.8, opacity=1.0
        )
        layers.append(diamonds.encode(x, y, color=colour))
    heading = alt.TitleParams(panel.title, fontWeight="normal", offset=6)
    return theme.layered(*layers).properties(width=WIDTH, height=HEIGHT, title=heading)


def _hidden(lines: pl.DataFrame) -> set[str]:
    """Series that lie on an earlier one: they are dashed, so that both are seen."""
    curves = {name: part["y"].to_numpy() for (name,), part in lines.group_by("series", maintain_order=True)}
    found: set[str] = set()
    for place, (name, y) in enumerate(curves.items()):
        earlier = [other for other in list(curves.values())[:place] if other.size == y.size]
        if any(np.allclose(y, other, rtol=SAME, atol=SAME) for other in earlier):
            found.add(str(name))
    return found


def _extremes(panel: Panel) -> tuple[float, float]:
    """Lowest and highest y of points and lines."""
    y = pl.concat([panel.points["y"], panel.lines["y"]])
    y = y.filter(y.is_finite() & (y > 0.0)) if panel.y_log else y.filter(y.is_finite())
    return float(y.min()), float(y.max())  # type: ignore[arg-type]


def _zero(panel: Panel) -> float:
    """Where a dose or level of 0 stands on the logarithmic axis."""
    both = pl.concat([panel.points["x"], panel.lines["x"]])
    positive = both.filter(both > 0.0)
    return float(positive.min()) / ZERO_AT if positive.len() else 1.0  # type: ignore[arg-type]


def _rows(table: pl.DataFrame, zero: float, panel: Panel) -> list[dict[str, Any]]:
    """Rows to draw: zero doses at their place, nothing below zero on a logarithmic axis of y."""
    rows = table.filter(pl.col("y").is_finite() & ((pl.col("y") > 0.0) | pl.lit(not panel.y_log)))
    if panel.x == "dose":
        rows = rows.with_columns(x=pl.when(pl.col("x") <= 0.0).then(zero).otherwise(pl.col("x")))
    return rows.to_dicts()


def _x(panel: Panel, zero: float) -> alt.X:
    title = X_TITLES[panel.x]
    if panel.x != "dose":
        axis = alt.Axis(title=title, tickCount=6)
        if panel.x == "level":
            axis = alt.Axis(title=title, tickCount=6, format=".0%")
        return alt.X("x:Q", scale=alt.Scale(nice=False, zero=True), axis=axis)
    xs = [*panel.points["x"].to_list(), *(mark[1] for mark in panel.marks)]
    high, lowest = max(xs), min(value for value in xs if value > 0.0)
    has_vehicle = any(value <= 0.0 for value in xs)
    low = zero / 1.2 if has_vehicle else lowest / 1.3
    powers = range(math.ceil(math.log10(lowest) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    ticks = [*([zero] if has_vehicle else []), *(10.0**power for power in powers)]
    near = f"abs(datum.value / {zero:.6g} - 1) < 0.02"
    plain = "datum.value < 1000 ? format(datum.value, '~g') : format(datum.value, '~s')"
    axis = alt.Axis(title=title, values=ticks, labelExpr=f"{near} ? '0' : {plain}", labelOverlap=False)
    return alt.X("x:Q", scale=alt.Scale(type="log", domain=[low, high * 1.2], nice=False), axis=axis)


def _y(panel: Panel) -> alt.Y:
    if not panel.y_log:
        scale = alt.Scale(zero=panel.y_zero, nice=True)
        return alt.Y("y:Q", scale=scale, axis=alt.Axis(title=panel.y_title, tickCount=5))
    low, high = _extremes(panel)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**power for power in powers for step in (1, 3)]
    axis = alt.Axis(title=panel.y_title, values=[tick for tick in ticks if low <= tick <= high], format="~g")
    return alt.Y("y:Q", scale=alt.Scale(type="log", nice=False), axis=axis)


def _colour(names: Sequence[str]) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=_colours(names))
    legend = alt.Legend(
        title=None, orient="bottom", columns=LEGEND_COLUMNS, symbolType="circle", offset=4, labelLimit=140
    )
    return alt.Color("series:N", scale=scale, legend=legend if len(names) > 1 else None)


def _colours(names: Sequence[str]) -> list[str]:
    """A ramp for series that begin with a number, and so have an order; else one colour each."""
    if len(names) > 1 and all(name[:1].isdigit() for name in names):
        steps = [place / (len(names) - 1) for place in range(len(names))]
        mixed = [[round(a + (b - a) * s) for a, b in zip(FIRST, LAST, strict=True)] for s in steps]
        return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in mixed]
    palette = (*theme.ARM_COLOURS, *theme.SERIES_COLOURS[-1:], theme.MUTED)
    return [palette[place % len(palette)] for place in range(len(names))]
