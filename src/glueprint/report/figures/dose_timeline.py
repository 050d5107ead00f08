"""How many patients take the full dose, a lower one, none for now, or none any more, week by week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme
from glueprint.trials import MONTH_DAYS

__all__ = ["STATES", "dose_timeline", "weekly_states"]

VISITS = ("arm", "patient", "time_days", "period", "dose_mg")
PATIENTS = ("arm", "patient", "status", "os_months", "os_event", "off_treatment_months")
# From the bottom of the figure to its top, colour and opacity; dark, light, dark, light: told apart without
# colour too, and as tokens of the page on a dark page as well.
STATES: Mapping[str, tuple[str, float]] = {
    "full dose": (theme.ARM_COLOURS[0], 1.0),
    "reduced": (theme.ARM_COLOURS[0], 0.45),
    "held": (theme.ARM_COLOURS[1], 1.0),
    "off treatment": (theme.GRID, 1.0),
}
HEIGHT = 200
LAST_WEEK = 52
# The figure ends where the data cut has taken more than this share of an arm.
MOST_CUT = 1 / 3


def dose_timeline(
    visits: pl.DataFrame,
    patients: pl.DataFrame,
    *,
    arms: Sequence[str],
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.VConcatChart:
    """Shares of an arm on the full dose, on a reduced one, held, and off the first treatment, by week.

    visits, patients: one replicate of the two tables.   The dose is that of the regimen's leading drug.
    Raises InputError GP-P001 for a missing column, GP-P005 without patients.
    """
    colours = dict(colours or theme.arm_colours(arms))
    states = weekly_states(visits, patients)
    drawn = [arm for arm in arms if states.filter(pl.col("arm") == arm).height]
    if not drawn:
        raise panels.nothing("dose timeline", "no patient could be computed", "patients with status 0")
    ends = states.group_by("arm").agg(pl.col("week").max()).get_column("week").to_list()
    last = max(1, min(ends))  # all arms end where the first one does
    states = states.filter(pl.col("week") <= last)
    parts = []
    for place, arm in enumerate(drawn):
        rows = states.filter(pl.col("arm") == arm)
        size = max(rows.get_column("n").to_list())
        width = panels.panel_width(drawn)
        name = panels.panel_title(arm, colours[arm], f"{size} patients", width=width)
        panel = _panel(rows, last, place % 2 == 0, interactive)
        parts.append(panel.properties(width=width, height=HEIGHT, title=name))
    items = [
        (state, {"shape": "square", "fill": colour, "fillOpacity": opacity, "strokeWidth": 0, "size": 90})
        for state, (colour, opacity) in STATES.items()
    ]
    return panels.beside(parts, below=panels.key(items), title=title, note=note)


def weekly_states(visits: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """How many patients of an arm are in each state at the end of each week.

    A patient's state is that after the last visit. Whoever is alive at the data cut, or lost, leaves the
    count there; the dead stay in it, off treatment. An arm ends where a third of it has left the count.
    Returns arm, week, state, patients, n (in the count), share_pct.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(visits, VISITS, "visits")
    tables.require(patients, PATIENTS, "patients")
    usable = patients.filter(pl.col("status") == 0).select(
        "arm",
        "patient",
        off_d=pl.col("off_treatment_months") * MONTH_DAYS,
        left_d=pl.when(~pl.col("os_event")).then(pl.col("os_months") * MONTH_DAYS),
    )
    weeks = pl.DataFrame({"week": range(LAST_WEEK + 1)}).with_columns(time_days=pl.col("week") * 7.0)
    treated = visits.filter(pl.col("period") == "treatment").select("arm", "patient", "time_days", "dose_mg")
    first = pl.col("dose_mg").sort_by("time_days").first().over("arm", "patient")
    treated = treated.with_columns(first_mg=first).sort("time_days")
    grid = usable.join(weeks, how="cross").sort("time_days")
    at = grid.join_asof(treated, on="time_days", by=["arm", "patient"], check_sortedness=False)
    off = pl.col("dose_mg").is_null() | (pl.col("off_d") <= pl.col("time_days"))
    state = (
        pl.when(off)
        .then(pl.lit("off treatment"))
        .when(pl.col("dose_mg") == 0)
        .then(pl.lit("held"))
        .when(pl.col("dose_mg") < pl.col("first_mg"))
        .then(pl.lit("reduced"))
        .otherwise(pl.lit("full dose"))
    )
    there = at.with_columns(state=state).filter(
        pl.col("left_d").is_null() | (pl.col("left_d") > pl.col("time_days"))
    )
    n = there.group_by("arm", "week").agg(n=pl.len())
    n = n.filter(pl.col("n") >= (1 - MOST_CUT) * pl.col("n").max().over("arm"))
    every = n.join(pl.DataFrame({"state": list(STATES)}), how="cross")
    counts = there.group_by("arm", "week", "state").agg(patients=pl.len())
    table = every.join(counts, on=["arm", "week", "state"], how="left").with_columns(
        pl.col("patients").fill_null(0).cast(pl.Int64), pl.col("n").cast(pl.Int64)
    )
    order = pl.col("state").replace_strict({name: place for place, name in enumerate(STATES)})
    table = table.with_columns(share_pct=100.0 * pl.col("patients") / pl.col("n"))
    return table.sort("arm", "week", order).select("arm", "week", "state", "patients", "n", "share_pct")


def _panel(states: pl.DataFrame, last: int, with_axis: bool, interactive: bool) -> alt.LayerChart:
    rows: list[dict[str, Any]] = []
    for (week,), part in states.group_by(["week"], maintain_order=True):
        height = 0.0
        for row in part.to_dicts():
            top = height + row["share_pct"]
            rows.append({"week": week, "state": row["state"], "low": height, "high": top,
                         "share": row["share_pct"], "n": row["n"]})  # fmt: skip
            height = top
    marks = [float(week) for week in range(0, last + 1, 4 if last <= 28 else 8)]
    across = alt.Axis(values=marks, format="d", title="Weeks since randomisation")
    x = alt.X("week:Q", scale=alt.Scale(domain=[0, last], nice=False), axis=across)
    axis = alt.Axis(
        values=[0, 25, 50, 75, 100],
        labelExpr="datum.value + ' %'",
        labelOpacity=1 if with_axis else 0,
        title="Patients followed" if with_axis else None,
        grid=False,
    )
    y = alt.Y("low:Q", scale=alt.Scale(domain=[0, 100]), axis=axis)
    layers: list[alt.Chart] = []
    for state, (fill, opacity) in STATES.items():
        area = alt.Chart().mark_area(
            interpolate="step-after", strokeWidth=0, fill=fill, fillOpacity=opacity, opacity=1
        )
        part = area.transform_filter(f"datum.state === '{state}'")
        layers.append(part.encode(x, y, alt.Y2("high:Q")))
    edge = alt.Chart().mark_line(interpolate="step-after", strokeWidth=0.6, color=theme.PAPER)
    edges = edge.encode(
        x, alt.Y("high:Q", scale=alt.Scale(domain=[0, 100]), axis=axis), alt.Detail("state:N")
    )
    layers.append(edges)
    if interactive:
        unseen = alt.Chart().mark_rect(opacity=0).transform_calculate(next="datum.week + 1")
        layers.append(
            unseen.encode(
                x,
                alt.X2("next:Q"),
                y,
                alt.Y2("high:Q"),
                tooltip=[
                    alt.Tooltip("week:Q"),
                    alt.Tooltip("state:N"),
                    alt.Tooltip("n:Q", title="patients followed"),
                    alt.Tooltip("share:Q", title="share, %", format=".0f"),
                ],
            )
        )
    return theme.layered(*layers, data=theme.records(rows))
