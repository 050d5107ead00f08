"""Each patient's way through the trial as one lane: treatment, response, progression, what followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme

__all__ = ["COLUMNS", "swimmer"]

COLUMNS = (
    "arm", "patient", "os_months", "os_event", "off_treatment_months", "crossover_months", "response_months",
    "pfs_months", "pfs_cause",
)  # fmt: skip
MOST = 40
LANE = 9
BAR = 0.62
# What is marked on a lane: where it is, what it means, how it looks.
MARKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "response_months": (
        "response begins",
        {"shape": "circle", "fill": theme.PAPER, "stroke": theme.INK, "strokeWidth": 1.2, "size": 26},
    ),
    "progressed_months": (
        "progression",
        {"shape": "diamond", "fill": theme.INK, "stroke": theme.INK, "strokeWidth": 0.5, "size": 34},
    ),
    "crossover_months": (
        "next treatment",
        {"shape": "stroke", "angle": 90, "stroke": theme.INK, "strokeWidth": 1.8, "size": 60},
    ),
    "death_months": (
        "death",
        {"shape": "cross", "angle": 45, "fill": theme.INK, "strokeWidth": 0, "size": 42},
    ),
    "alive_months": (
        "alive at the last contact",
        {"shape": "triangle-right", "fill": theme.MUTED, "strokeWidth": 0, "size": 30},
    ),
}


def swimmer(
    patients: pl.DataFrame,
    *,
    arms: Sequence[str],
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    most: int = MOST,
    interactive: bool = False,
) -> alt.VConcatChart:
    """A lane per patient: a bar for the first treatment, a line while followed, marks for what happened.

    patients: rows of one replicate of the table `patients`; those that could not be computed are not drawn.
    most: lanes of an arm; of more patients as many are drawn, evenly spaced by time on treatment.
    Raises InputError GP-P001 for a missing column, GP-P005 without patients.
    """
    tables.require(patients, COLUMNS, "patients")
    colours = dict(colours or theme.arm_colours(arms))
    usable = patients.filter(pl.col("status") == 0) if "status" in patients.columns else patients
    lanes = {arm: _lanes(usable.filter(pl.col("arm") == arm), most) for arm in arms}
    drawn = [arm for arm in arms if lanes[arm].height]
    if not drawn:
        raise panels.nothing("swimmer", "no patient could be computed", "patients with status 0")
    highest = max(float(lanes[arm].get_column("os_months").max() or 1.0) for arm in drawn)  # type: ignore[arg-type]
    width = panels.panel_width(drawn)
    parts = []
    for arm in drawn:
        whole = usable.filter(pl.col("arm") == arm).height
        shown = f"{lanes[arm].height} of {whole} patients"
        panel = _panel(lanes[arm], colours[arm], highest, interactive)
        parts.append(
            panel.properties(
                width=width,
                height=LANE * min(most, whole),
                title=panels.panel_title(arm, colours[arm], shown, width=width),
            )
        )
    items: list[tuple[str, Mapping[str, Any]]] = [
        ("first treatment", {"shape": "square", "fill": theme.MUTED, "strokeWidth": 0, "size": 70}),
        *MARKS.values(),
    ]
    return panels.beside(parts, below=panels.key(items), title=title, note=note)


def _lanes(patients: pl.DataFrame, most: int) -> pl.DataFrame:
    """The patients to draw, longest treatment first, with where each mark stands."""
    off = pl.min_horizontal("off_treatment_months", "os_months").fill_null(pl.col("os_months"))
    progressed = pl.when(pl.col("pfs_cause") == "progression").then("pfs_months")
    events = patients.with_columns(
        off_months=off,
        progressed_months=progressed,
        death_months=pl.when("os_event").then("os_months"),
        alive_months=pl.when(~pl.col("os_event")).then("os_months"),
    )
    ordered = events.sort("off_months", "os_months", "patient", descending=[True, True, False])
    return panels.evenly(ordered, most).with_row_index("place")


def _panel(lanes: pl.DataFrame, colour: str, highest: float, interactive: bool) -> alt.LayerChart:
    marks = theme.ticks(highest, at_most=6)
    scale = alt.Scale(domain=[0.0, max(highest, marks[-1])], nice=False)
    across: dict[str, Any] = {
        "scale": scale,
        "axis": alt.Axis(values=marks, format="d", title="Months since randomisation"),
    }
    lane = alt.Scale(domain=[lanes.height, 0], nice=False, zero=False)
    keep = ("place", "patient", "off_months", "os_months", *MARKS)
    rows = [
        {**row, "middle": row["place"] + 0.5, "low": row["place"] + 0.5 - BAR / 2, "zero": 0.0,
         "high": row["place"] + 0.5 + BAR / 2}
        for row in lanes.select(keep).to_dicts()
    ]  # fmt: skip
    y = alt.Y("middle:Q", scale=lane, axis=None)
    bar = alt.Chart().mark_rect(color=colour, opacity=0.55, strokeWidth=0)
    low = alt.Y("low:Q", scale=lane, axis=None)
    bars = bar.encode(alt.X("zero:Q", **across), alt.X2("off_months:Q"), low, alt.Y2("high:Q"))
    if interactive:
        bars = bars.encode(
            tooltip=[
                alt.Tooltip("patient:N"),
                alt.Tooltip("off_months:Q", title="months on treatment", format=".1f"),
                alt.Tooltip("os_months:Q", title="months followed", format=".1f"),
            ]
        )
    line = alt.Chart().mark_rule(color=theme.MUTED, strokeWidth=0.7)
    layers = [bars, line.encode(alt.X("off_months:Q", **across), alt.X2("os_months:Q"), y)]
    for name, (_, look) in MARKS.items():
        if lanes.get_column(name).null_count() < lanes.height:
            point = alt.Chart().mark_point(opacity=1, **look).transform_filter(f"isValid(datum.{name})")
            layers.append(point.encode(alt.X(f"{name}:Q", **across), y))
    return theme.layered(*layers, data=theme.records(rows))
