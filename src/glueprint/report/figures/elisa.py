"""An ELISA plate: standard curve with standards and samples, precision profile, and inhibition per donor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from glueprint.report import tables as contract
from glueprint.report.figures import theme

__all__ = ["elisa_plate"]

WIDTH, HEIGHT, PROFILE_HEIGHT = 460, 260, 110
STANDARD, SAMPLE, LIMIT = theme.ARM_COLOURS[0], theme.ARM_COLOURS[1], theme.MUTED
# Where a zero concentration stands on a logarithmic axis: this factor left of the lowest value.
ZERO_AT = 2.5
BEYOND = 3.0
CV_TOP = 50.0
SMOOTH = 120


@dataclass(frozen=True)
class Axis:
    """The shared concentration axis of one plate: its ends, where zero stands, and the unit."""

    low: float
    high: float
    zero: float
    unit: str
    field: str = "x"

    def encoding(self, *, labels: bool, title: str) -> alt.X:
        """The logarithmic x channel; `labels` only on the lowest panel."""
        ticks = [
            10.0**power
            for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        ]
        ticks = [tick for tick in ticks if self.low <= tick <= self.high]
        # The tick of zero is not a tenth of anything: it is labelled by hand.
        near = f"abs(datum.value / {self.zero:g} - 1) < 0.01"
        axis = alt.Axis(
            title=f"{title}{f', {self.unit}' if self.unit else ''}" if labels else None,
            labels=labels,
            values=[self.zero, *[tick for tick in ticks if tick > self.zero * 1.5]],
            labelExpr=f"{near} ? '0' : format(datum.value, '~g')",
            tickCount=6,
        )
        return alt.X(
            f"{self.field}:Q",
            scale=alt.Scale(type="log", domain=[self.low, self.high], nice=False),
            axis=axis,
        )


def elisa_plate(tables: Mapping[str, pl.DataFrame], *, signal: str = "signal") -> alt.VConcatChart:
    """The tables of an ELISA result as one figure, a column of panels per plate and a row of donors below.

    tables: standards, dilutions, precision, ranges, inhibition, donors and excluded of `assays.elisa.Result`.
    signal: what the vertical axis shows.
    Samples in range are dots, limits open diamonds, standards that are left out struck through; grey
    marks what lies outside LLOQ to ULOQ.
    Raises InputError GP-P001 for a missing column.
    """
    contract.require(tables["precision"], ("plate", "concentration", "signal", "cv_percent"), "precision")
    panels = []
    for plate in tables["precision"]["plate"].unique(maintain_order=True):
        here = {
            name: table.filter(pl.col("plate") == plate)
            for name, table in tables.items()
            if "plate" in table.columns
        }
        here["excluded"] = theme.left_out(tables).filter(pl.col("curve") == plate)
        panels.append(_plate(here, str(plate), signal))
    donors = _donors(tables["inhibition"], tables["donors"])
    rows: list[Any] = [alt.hconcat(*panels, spacing=40)] if panels else []
    if donors is not None:
        rows.append(donors)
    chart = alt.vconcat(*rows, spacing=36).resolve_scale(color="independent", shape="independent")
    return theme.styled(chart)  # type: ignore[no-any-return]


def _plate(tables: Mapping[str, pl.DataFrame], plate: str, signal: str) -> alt.VConcatChart:
    standards, dilutions = tables["standards"], tables["dilutions"]
    limits = tables["ranges"].row(0, named=True)
    positive = [x for x in standards["nominal"].to_list() if x > 0.0]
    measured = [x for x in dilutions["concentration"].drop_nulls().to_list() if min(positive) / 3.0 < x]
    # Beyond this factor of the standards a concentration is no more than a limit: drawn at the edge.
    high = 1.25 * max([*positive, *(x for x in measured if x <= BEYOND * max(positive))])
    zero = min(positive) / ZERO_AT
    axis = Axis(zero / 1.25, high, zero, limits["unit"])
    title = alt.TitleParams(plate or "standard curve", offset=8)
    top = _curve(tables, axis, limits, signal).properties(width=WIDTH, height=HEIGHT, title=title)
    bottom = _profile(tables["precision"], axis, limits).properties(width=WIDTH, height=PROFILE_HEIGHT)
    return alt.vconcat(top, bottom, spacing=14)


def _curve(
    tables: Mapping[str, pl.DataFrame], axis: Axis, limits: Mapping[str, Any], signal: str
) -> alt.LayerChart:
    line = [{"x": row["concentration"], "y": row["signal"]} for row in tables["precision"].to_dicts()]
    known = [
        {
            "x": max(row["nominal"], axis.zero) if row["nominal"] > 0.0 else axis.zero,
            "y": row["signal"],
            "kind": "standard",
        }
        for row in tables["standards"].to_dicts()
        if row["signal"] is not None
    ]
    unknown = [
        {"x": min(max(row["concentration"] or 0.0, axis.zero), axis.high), "y": row["mean_signal"],
         "kind": "sample in range" if row["relation"] == "=" else "sample beyond a limit"}
        for row in tables["dilutions"].to_dicts()
        if row["mean_signal"] is not None and row["concentration"] is not None
    ]  # fmt: skip
    x = axis.encoding(labels=False, title="concentration")
    y = alt.Y("y:Q", axis=alt.Axis(title=signal, tickCount=6), scale=alt.Scale(zero=True))
    kinds = {"standard": STANDARD, "sample in range": SAMPLE, "sample beyond a limit": LIMIT}
    colour = alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=list(kinds.values())),
                       legend=alt.Legend(title=None, orient="top-left", offset=4))  # fmt: skip
    shape = alt.Shape(
        "kind:N", scale=alt.Scale(domain=list(kinds), range=["circle", "circle", "diamond"]), legend=None
    )
    curve = alt.Chart(theme.records(line)).mark_line(color=STANDARD, strokeWidth=1.6).encode(x, y)
    points = alt.Chart(theme.records([*unknown, *known])).mark_point(size=42, strokeWidth=1.4, opacity=0.9)
    out = [
        {"x": row["x"] or axis.zero, "y": row["value"]}
        for row in tables["excluded"].to_dicts()
        if row["role"] == "standard" and row["value"] is not None
    ]
    shown = points.encode(x, y, color=colour, shape=shape)
    return theme.layered(*_shading(axis, limits, x), curve, shown, *theme.struck(out, x, y))


def _profile(precision: pl.DataFrame, axis: Axis, limits: Mapping[str, Any]) -> alt.LayerChart:
    line = [
        {"x": row["concentration"], "y": row["cv_percent"]}
        for row in precision.to_dicts()
        if row["cv_percent"] is not None and row["cv_percent"] <= CV_TOP
    ]
    x = axis.encoding(labels=True, title="concentration")
    y = alt.Y("y:Q", axis=alt.Axis(title="CV of concentration, %", tickCount=4),
              scale=alt.Scale(domain=[0.0, CV_TOP], clamp=True))  # fmt: skip
    curve = alt.Chart(theme.records(line)).mark_line(color=theme.INK, strokeWidth=1.6).encode(x, y)
    level = alt.Chart(theme.records([{"y": limits["cv_limit_percent"]}]))
    rule = level.mark_rule(color=theme.MUTED, strokeDash=[3, 3]).encode(y)
    return theme.layered(*_shading(axis, limits, x), rule, curve)


def _shading(axis: Axis, limits: Mapping[str, Any], x: alt.X) -> list[alt.Chart]:
    """Grey over everything outside LLOQ to ULOQ; over all where there is no such range."""
    lloq, uloq = limits["lloq"], limits["uloq"]
    bands = [(axis.low, axis.high)] if lloq is None else [(axis.low, lloq), (uloq, axis.high)]
    rows = [{"x": low, "x2": high} for low, high in bands if low < high]
    return [alt.Chart(theme.records(rows)).mark_rect(color=theme.GRID, opacity=0.6).encode(x, alt.X2("x2:Q"))]


def _donors(inhibition: pl.DataFrame, donors: pl.DataFrame) -> alt.ConcatChart | None:
    """Per cent inhibition against dose, a panel per compound and a colour per donor."""
    used = inhibition.filter(pl.col("used") & pl.col("inhibition_percent").is_not_null())
    if used.is_empty():
        return None
    names = [_name(row) for row in donors.to_dicts()]
    colours = theme.arm_colours(names)
    panels = [
        _compound(used.filter(pl.col("sample") == sample), donors.filter(pl.col("sample") == sample), colours)
        for sample in used["sample"].unique(maintain_order=True)
    ]
    return alt.concat(*panels, columns=2, spacing=40)


def _compound(points: pl.DataFrame, donors: pl.DataFrame, colours: Mapping[str, str]) -> alt.LayerChart:
    doses = [x for x in points["dose_nm"].to_list() if x > 0.0]
    low, high = min(doses) / 1.4, max(doses) * 1.4
    dots = [
        {"x": row["dose_nm"], "y": row["inhibition_percent"], "low": row["low_percent"],
         "high": row["high_percent"],
         "donor": _name(row)}
        for row in points.to_dicts()
        if row["dose_nm"] > 0.0
    ]  # fmt: skip
    lines = [line for row in donors.to_dicts() for line in _line(row, low, high)]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [10.0**power for power in decades if low <= 10.0**power <= high]
    x = alt.X("x:Q", scale=alt.Scale(type="log", domain=[low, high], nice=False),
              axis=alt.Axis(title="dose, nM", values=ticks, format="~g"))  # fmt: skip
    y = alt.Y("y:Q", axis=alt.Axis(title="inhibition, %", tickCount=6))
    colour = alt.Color("donor:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                       legend=alt.Legend(title=None, orient="top-left"))  # fmt: skip
    layers = [
        alt.Chart(theme.records([{"y": level}])).mark_rule(color=theme.MUTED, strokeDash=[3, 3]).encode(y)
        for level in (50.0,)
    ]
    # Bars show what a censored well can be.
    censored = [dot for dot in dots if dot["high"] > dot["low"]]
    if censored:
        bars = alt.Chart(theme.records(censored)).mark_rule(strokeWidth=1.0)
        layers.append(bars.encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), color=colour))
    layers.append(alt.Chart(theme.records(dots)).mark_circle(size=36).encode(x, y, color=colour))
    if lines:
        layers.append(alt.Chart(theme.records(lines)).mark_line(strokeWidth=1.6).encode(x, y, color=colour))
    title = alt.TitleParams(points["sample"][0] or "compound", offset=8)
    return theme.layered(*layers).properties(width=WIDTH, height=HEIGHT, title=title)


def _line(row: Mapping[str, Any], low: float, high: float) -> list[dict[str, Any]]:
    """The fitted curve of one donor, where it has an IC50."""
    if row["relative_relation"] != "=":
        return []
    front, back = row["inhibition_at_zero_percent"], row["inhibition_at_infinity_percent"]
    dose = np.geomspace(low, high, SMOOTH)
    y = back + (front - back) / (1.0 + (dose / row["relative_ic50_nm"]) ** row["slope"])
    return [{"x": a, "y": b, "donor": _name(row)} for a, b in zip(dose.tolist(), y.tolist(), strict=True)]


def _name(row: Mapping[str, Any]) -> str:
    return " ".join(part for part in (row["donor"], row["experiment"]) if part)
