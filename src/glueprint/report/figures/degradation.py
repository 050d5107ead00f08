"""Fraction remaining over dose at each time and over time at each dose, and how the DC50 falls with
time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import altair as alt
import polars as pl

from glueprint.report import tables as contract
from glueprint.report.figures import theme

__all__ = ["degradation_curves"]

WIDTH, HEIGHT = 300, 230
READINGS = ("target", "compound", "experiment", "time_h", "dose_nm", "fraction_remaining", "relation")
CURVES = ("target", "compound", "experiment", "time_h", "dose_nm", "fitted")
POINTS = (
    "target",
    "compound",
    "time_h",
    "process",
    "dmax",
    "dc50_absolute_relation",
    "dc50_absolute_nm",
    "dc50_relative_relation",
    "dc50_relative_nm",
)
# Vehicle stands this factor left of the lowest dose.
VEHICLE_AT = 4.0
SHAPES = {"value": "circle", "below detection": "triangle-down", "above range": "triangle-up"}
KINDS = {"=": "value", "<": "below detection", ">": "above range"}
DEFINITIONS = {"absolute": theme.ARM_COLOURS[1], "relative": theme.ARM_COLOURS[0]}
# Both DC50s of a time stand side by side.
ASIDE = {"absolute": 1.05, "relative": 0.95}
# The end of the sequence is dark: late times and high doses.
DARKENING = ("#9ec5e8", "#5b9bd0", "#0b5c9e", "#083a63", "#041c30", "#000000")


def degradation_curves(tables: Mapping[str, pl.DataFrame]) -> alt.VConcatChart:
    """A row of three panels for every target and compound: dose, time, and DC50 against time.

    tables: readings, curves, points and excluded of `assays.degradation.Result`.
    Dots are readings (triangles: beyond detection; struck through: left out), lines the fit; arrows mark a
    DC50 that is only a limit.
    Raises InputError GP-P001 for a missing column.
    """
    for name, columns in (("readings", READINGS), ("curves", CURVES), ("points", POINTS)):
        contract.require(tables[name], columns, name)
    rows = []
    for target, compound in tables["points"].select("target", "compound").unique(maintain_order=True).rows():
        here = {
            name: tables[name].filter((pl.col("target") == target) & (pl.col("compound") == compound))
            for name in ("readings", "curves", "points")
        }
        mine = (pl.col("curve") == target) & pl.col("sample").is_in([compound, ""])
        here["excluded"] = theme.left_out(tables).filter(mine)
        rows.append(_row(here, " ".join(part for part in (target, compound) if part)))
    return theme.styled(alt.vconcat(*rows, spacing=34).resolve_scale(color="independent"))  # type: ignore[no-any-return]


def _row(tables: Mapping[str, pl.DataFrame], name: str) -> alt.HConcatChart:
    word = str(tables["points"]["process"][0])
    left = _dose_panel(tables).properties(
        width=WIDTH, height=HEIGHT, title=_title(name or "target", "over dose, a line a time")
    )
    middle = _time_panel(tables).properties(
        width=WIDTH, height=HEIGHT, title=_title(word.capitalize(), "over time, a line a dose")
    )
    right = _dc50_panel(tables["points"]).properties(
        width=WIDTH, height=HEIGHT, title=_title("DC50", "against time; arrows are limits")
    )
    row = alt.hconcat(left, middle, right, spacing=34)
    return cast("alt.HConcatChart", row.resolve_scale(color="independent", shape="independent"))


def _title(text: str, below: str) -> alt.TitleParams:
    return alt.TitleParams(text, subtitle=below, subtitleColor=theme.MUTED, offset=8)


def _dose_panel(tables: Mapping[str, pl.DataFrame]) -> alt.LayerChart:
    readings, curves = tables["readings"], tables["curves"]
    doses = [dose for dose in readings["dose_nm"].to_list() if dose > 0.0]
    vehicle = min(doses) / VEHICLE_AT
    domain = [vehicle / 1.6, max(doses) * 1.6]
    times = sorted(readings["time_h"].unique().to_list())
    colour = _sequence([f"{time:g} h" for time in times])
    dots = [
        {
            "x": row["dose_nm"] or vehicle,
            "y": row["fraction_remaining"],
            "series": f"{row['time_h']:g} h",
            "kind": KINDS[row["relation"]],
        }
        for row in readings.to_dicts()
    ]
    grid = sorted(set(_swept(curves, "time_h", times)))
    lines = [
        {"x": dose, "y": fitted, "series": f"{time:g} h", "part": experiment}
        for experiment, time, dose, fitted in grid
        if domain[0] <= dose <= domain[1]
    ]
    axis = theme.dose_axis("dose, nM", vehicle, domain, "vehicle")
    x = alt.X("x:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis)
    out = [
        {"x": row["x"] or vehicle, "y": row["value"]}
        for row in tables["excluded"].to_dicts()
        if row["x"] is not None and row["value"] is not None
    ]
    return _panel(lines, dots, x, colour, out)


def _time_panel(tables: Mapping[str, pl.DataFrame]) -> alt.LayerChart:
    readings, curves = tables["readings"], tables["curves"]
    doses = sorted(readings["dose_nm"].unique().to_list())
    names = ["vehicle" if dose == 0.0 else f"{dose:g} nM" for dose in doses]
    colour = _sequence(names)
    latest = float(max(readings["time_h"].to_list()))
    dots = [
        {
            "x": row["time_h"],
            "y": row["fraction_remaining"],
            "series": names[doses.index(row["dose_nm"])],
            "kind": KINDS[row["relation"]],
        }
        for row in readings.to_dicts()
    ]
    lines = [
        {"x": time, "y": fitted, "series": names[doses.index(dose)], "part": experiment}
        for experiment, dose, time, fitted in _swept(curves, "dose_nm", doses)
    ]
    ticks = theme.clock(latest, "hours")
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0.0, latest * 1.03], nice=False),
        axis=alt.Axis(title="time, h", values=ticks),
    )
    return _panel(lines, dots, x, colour)


def _swept(curves: pl.DataFrame, fixed: str, values: list[float]) -> list[tuple[str, float, float, float]]:
    """(experiment, fixed value, other value, fitted) of the lines at these fixed values; runs of 2 or more
    only."""
    other = "dose_nm" if fixed == "time_h" else "time_h"
    kept = curves.filter(pl.col(fixed).is_in(values))
    found = []
    for (experiment, value), group in kept.group_by(["experiment", fixed], maintain_order=True):
        line = group.unique(other).sort(other)
        found += [
            (str(experiment), float(str(value)), x, y)
            for x, y in zip(line[other], line["fitted"], strict=True)
        ]
    return found


def _panel(
    lines: list[dict[str, Any]],
    dots: list[dict[str, Any]],
    x: alt.X,
    colour: alt.Color,
    out: Iterable[Mapping[str, Any]] = (),
) -> alt.LayerChart:
    y = alt.Y("y:Q", axis=alt.Axis(title="fraction remaining", tickCount=6), scale=alt.Scale(zero=True))
    half = alt.Chart(theme.records([{"y": 0.5}])).mark_rule(color=theme.MUTED, strokeDash=[3, 3]).encode(y)
    shape = alt.Shape(
        "kind:N", scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())), legend=None
    )
    layers = [half]
    if lines:
        curve = alt.Chart(theme.records(lines)).mark_line(strokeWidth=1.5, clip=True)
        layers.append(curve.encode(x, y, color=colour, detail="part:N"))
    points = alt.Chart(theme.records(dots)).mark_point(size=34, filled=True, opacity=0.85)
    layers.append(points.encode(x, y, color=colour, shape=shape))
    layers += theme.struck(out, x, y)
    return theme.layered(*layers)


def _sequence(names: list[str]) -> alt.Color:
    """Light to dark in the order given."""
    count = max(len(names), 2)
    places = [round(i * (len(DARKENING) - 2) / (count - 1)) for i in range(len(names))]
    colours = [
        DARKENING[place] if len(names) <= len(DARKENING) else _blend(i / (count - 1))
        for i, place in enumerate(places)
    ]
    return alt.Color(
        "series:N",
        scale=alt.Scale(domain=names, range=colours),
        sort=names,
        legend=alt.Legend(title=None, orient="right", symbolType="circle", symbolOpacity=1.0),
    )


def _blend(share: float) -> str:
    light, dark = (0x9E, 0xC5, 0xE8), (0x04, 0x1C, 0x30)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(light, dark, strict=True))


def _dc50_panel(points: pl.DataFrame) -> alt.LayerChart:
    rows = [
        {
            "x": row["time_h"] * shift,
            "y": row[f"dc50_{name}_nm"],
            "definition": name,
            "relation": row[f"dc50_{name}_relation"],
            "low": row.get(f"dc50_{name}_low_nm"),
            "high": row.get(f"dc50_{name}_high_nm"),
        }
        for row in points.to_dicts()
        for name, shift in ASIDE.items()
        if row["time_h"] > 0.0
        and (row[f"dc50_{name}_nm"] is not None or row[f"dc50_{name}_relation"] == "between")
    ]
    ends = [row[key] for row in rows for key in ("y", "low", "high") if row[key] is not None]
    times = points.filter(pl.col("time_h") > 0.0)["time_h"].unique().sort().to_list()
    ticks = [mantissa * 10.0**power for power in range(-6, 9) for mantissa in (1.0, 3.0)]
    ends = ends or [1.0]
    domain = [min(ends) / 2.0, max(ends) * 2.0]
    axis = alt.Axis(title="DC50, nM", format="~g", values=[x for x in ticks if domain[0] <= x <= domain[1]])
    scale = alt.Scale(type="log", domain=domain, nice=False)
    x = alt.X(
        "x:Q",
        axis=alt.Axis(title="time, h", values=times, format="~g"),
        scale=alt.Scale(type="log", domain=[times[0] / 1.4, times[-1] * 1.4], nice=False),
    )
    y = alt.Y("y:Q", axis=axis, scale=scale)
    colour = alt.Color(
        "definition:N",
        scale=alt.Scale(domain=list(DEFINITIONS), range=list(DEFINITIONS.values())),
        legend=alt.Legend(title=None, orient="right", symbolType="circle"),
    )
    values = [row for row in rows if row["relation"] == "="]
    spans = [row for row in rows if row["relation"] in ("=", "between")]
    closed = [row for row in spans if row["low"] is not None and row["high"] is not None]
    bars = alt.Chart(theme.records(closed)).mark_rule(strokeWidth=1.3)
    dots = alt.Chart(theme.records(values)).mark_point(size=42, filled=True, opacity=1.0)
    layers = [
        bars.encode(x, alt.Y("low:Q", axis=axis, scale=scale), alt.Y2("high:Q"), color=colour),
        dots.encode(x, y, color=colour),
    ]
    for relation, arrow in (("<", "↓"), (">", "↑")):
        limits = [row for row in rows if row["relation"] == relation]
        if limits:
            marks = alt.Chart(theme.records(limits)).mark_text(text=arrow, fontSize=20)
            layers.append(marks.encode(x, y, color=colour))
    return theme.layered(*layers)
