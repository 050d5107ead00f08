"""How much of the planned dose patients took, against their response and their neutrophils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme
from glueprint.report.figures.waterfall import CEILING, PARTIAL
from glueprint.survival import clopper_pearson

__all__ = ["QUARTERS", "exposure_response", "quarters"]

PATIENTS = ("arm", "patient", "relative_dose_intensity", "best_change_pct", "neutropenia_grade")
QUARTERS = 4
# An arm with fewer patients than this is one group.
FEWEST = 40
HEIGHT = 240
GAP = 84
SHIFT = 5
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
SEVERE = 3


def exposure_response(
    patients: pl.DataFrame,
    *,
    arms: Sequence[str],
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.VConcatChart:
    """Relative dose intensity against best change of M-protein, and against neutropenia of grade 3 or 4.

    patients: one replicate of the table `patients`. Points: patients; the larger marks: median of each
    quarter of an arm by dose intensity, and its share with neutropenia, with exact 95 % limits.
    No cause and effect: neutropenia lowers the dose, and who progresses early has had no time to miss any.
    Raises InputError GP-P001 for a missing column, GP-P005 without a treated patient.
    """
    tables.require(patients, PATIENTS, "patients")
    colours = dict(colours or theme.arm_colours(arms))
    usable = patients.filter(pl.col("status") == 0) if "status" in patients.columns else patients
    usable = usable.filter(pl.col("arm").is_in(list(arms)) & pl.col("relative_dose_intensity").is_finite())
    if usable.is_empty():
        raise panels.nothing("exposure-response", "no patient with a dose", "treated patients with status 0")
    drawn = [arm for arm in arms if usable.filter(pl.col("arm") == arm).height]
    hues = {arm: colours[arm] for arm in drawn}
    grouped = quarters(usable).filter(pl.col("arm").is_in(drawn))
    lowest = float(usable.get_column("relative_dose_intensity").min() or 0.0) * 100.0  # type: ignore[arg-type]
    highest = float(usable.get_column("relative_dose_intensity").max() or 1.0) * 100.0  # type: ignore[arg-type]
    across: dict[str, Any] = {
        "scale": alt.Scale(domain=[np.floor(lowest / 10.0) * 10.0, max(100.0, highest)], nice=False),
        "axis": alt.Axis(title="Relative dose intensity, % of planned", tickCount=5),
    }
    width = panels.panel_width(("", ""), gap=GAP)
    parts = [
        _response(usable, grouped, hues, across, interactive).properties(width=width, height=HEIGHT),
        _neutropenia(grouped, hues, across, interactive).properties(width=width, height=HEIGHT),
    ]
    items = [
        (arm, {"shape": _shape(place), "fill": colour, "strokeWidth": 0, "size": 60})
        for place, (arm, colour) in enumerate(hues.items())
    ]
    return panels.beside(parts, below=panels.key(items), title=title, note=note, gap=GAP)


def quarters(patients: pl.DataFrame) -> pl.DataFrame:
    """Each arm in four groups of like size by dose intensity; arms of fewer than 40 patients in one.

    Patients of the same intensity are never parted: a group may be larger then, and the next missing.
    patients: with a finite relative_dose_intensity.
    Returns arm, quarter, patients, intensity_pct (median), change_pct with change_low and change_high
    (median and quartiles of the best change), severe (neutropenia of grade 3 or 4), share_pct, low, high.
    """
    size = pl.len().over("arm")
    rank = pl.col("relative_dose_intensity").rank("min").over("arm") - 1
    groups = pl.when(size >= FEWEST).then(QUARTERS).otherwise(1)
    change = pl.col("best_change_pct").drop_nulls()
    table = (
        patients.with_columns(quarter=(rank * groups / size).floor().cast(pl.Int64) + 1)
        .group_by("arm", "quarter", maintain_order=True)
        .agg(
            patients=pl.len().cast(pl.Int64),
            intensity_pct=100.0 * pl.col("relative_dose_intensity").median(),
            change_pct=change.median(),
            change_low=change.quantile(0.25, "linear"),
            change_high=change.quantile(0.75, "linear"),
            severe=(pl.col("neutropenia_grade") >= SEVERE).sum().cast(pl.Int64),
        )
        .sort("arm", "quarter")
    )
    found = clopper_pearson(table.get_column("severe").to_numpy(), table.get_column("patients").to_numpy())
    return table.with_columns(
        share_pct=100.0 * pl.col("severe") / pl.col("patients"),
        low=pl.Series(100.0 * np.asarray(found.low)),
        high=pl.Series(100.0 * np.asarray(found.high)),
    )


def _response(
    patients: pl.DataFrame,
    grouped: pl.DataFrame,
    colours: Mapping[str, str],
    across: Mapping[str, Any],
    interactive: bool,
) -> alt.LayerChart:
    measured = patients.filter(pl.col("best_change_pct").is_not_null())
    rows = [
        {
            "arm": row["arm"],
            "patient": row["patient"],
            "intensity": 100.0 * row["relative_dose_intensity"],
            "change": min(row["best_change_pct"], CEILING),
        }
        for row in measured.select("arm", "patient", "relative_dose_intensity", "best_change_pct").to_dicts()
    ]
    axis = alt.Axis(
        values=[-100, PARTIAL, 0, CEILING],
        labelExpr="replace(datum.value, '-', '−') + ' %'",
        title="Best change of M-protein",
        grid=True,
    )
    y = alt.Y("change:Q", scale=alt.Scale(domain=[-100, CEILING]), axis=axis)
    colour = theme.arm_colour(colours)
    x = alt.X("intensity:Q", **across)
    points = alt.Chart(theme.records(rows)).mark_circle(size=13, opacity=0.32).encode(x, y, colour)
    if interactive:
        points = points.encode(tooltip=[alt.Tooltip("patient:N"), alt.Tooltip("change:Q", format=".0f")])
    groups = [
        {"arm": row["arm"], "intensity": row["intensity_pct"], "change": row["change_pct"],
         "low": row["change_low"], "high": min(row["change_high"], CEILING)}
        for row in grouped.to_dicts()
        if row["change_pct"] is not None
    ]  # fmt: skip
    layers = [points]
    for arm, shift, mark in _looks(colours):
        mine = theme.records([row for row in groups if row["arm"] == arm])
        bar = alt.Chart(mine).mark_rule(strokeWidth=1.6, xOffset=shift)
        middle = alt.Chart(mine).mark_point(opacity=1, xOffset=shift, **mark)
        low = alt.Y("low:Q", scale=alt.Scale(domain=[-100, CEILING]), axis=axis)
        layers += [bar.encode(x, low, alt.Y2("high:Q"), colour), middle.encode(x, y)]
    return theme.layered(*layers)


def _neutropenia(
    grouped: pl.DataFrame, colours: Mapping[str, str], across: Mapping[str, Any], interactive: bool
) -> alt.LayerChart:
    axis = alt.Axis(
        values=[0, 25, 50, 75, 100], labelExpr="datum.value + ' %'", title="Patients with neutropenia 3 or 4"
    )
    scale = alt.Scale(domain=[0, 100])
    x = alt.X("intensity:Q", **across)
    y = alt.Y("share:Q", scale=scale, axis=axis)
    layers: list[alt.Chart] = []
    for arm, shift, mark in _looks(colours):
        rows = theme.records(
            [
                {"arm": arm, "intensity": row["intensity_pct"], "share": row["share_pct"], "low": row["low"],
                 "high": row["high"], "said": f"{row['severe']} of {row['patients']}"}
                for row in grouped.filter(pl.col("arm") == arm).to_dicts()
            ]
        )  # fmt: skip
        look: dict[str, Any] = {"color": colours[arm], "xOffset": shift}
        low = alt.Y("low:Q", scale=scale, axis=axis)
        bar = alt.Chart(rows).mark_rule(strokeWidth=1.6, **look)
        line = alt.Chart(rows).mark_line(strokeWidth=0.8, opacity=0.6, **look)
        point = alt.Chart(rows).mark_point(opacity=1, xOffset=shift, **mark)
        dots = point.encode(x, y)
        if interactive:
            dots = dots.encode(tooltip=[alt.Tooltip("arm:N"), alt.Tooltip("said:N", title="patients")])
        layers += [line.encode(x, y), bar.encode(x, low, alt.Y2("high:Q")), dots]
    return theme.layered(*layers)


def _shape(place: int) -> str:
    """The mark of an arm, which tells arms apart in a print without colour."""
    return SHAPES[place % len(SHAPES)]


def _looks(colours: Mapping[str, str]) -> list[tuple[str, float, dict[str, Any]]]:
    """Arms a little beside each other, so that one does not hide another, and the marks of each."""
    middle = (len(colours) - 1) / 2
    return [
        (
            arm,
            SHIFT * (place - middle),
            {"shape": _shape(place), "fill": colour, "stroke": theme.PAPER, "strokeWidth": 1, "size": 60},
        )
        for place, (arm, colour) in enumerate(colours.items())
    ]
