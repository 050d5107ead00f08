"""Kaplan-Meier curves with an aligned table of patients at risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.estimates import Estimate, interval, p_value
from glueprint.report.figures import panels, theme
from glueprint.report.figures.predictive import band_layers, observed_layers

__all__ = ["at_risk", "kaplan_meier", "median_of"]

WIDTH = 590
HEIGHT = 300
RISK_ROW = 17
MOST_GHOSTS = 9
GHOST_STEPS = 60
STEPS = ("replicate", "arm", "time", "survival", "low", "high", "at_risk", "events", "censored")


def kaplan_meier(
    curves: pl.DataFrame,
    *,
    arms: Sequence[str],
    title: str,
    note: str = "",
    colours: Mapping[str, str] | None = None,
    medians: Mapping[str, Estimate] | None = None,
    published_medians: Mapping[str, float] | None = None,
    hazard_ratio: Estimate | None = None,
    interactive: bool = False,
    unit: str = "months",
    since: str = "randomisation",
    band: pl.DataFrame | None = None,
    observed: pl.DataFrame | None = None,
) -> alt.VConcatChart:
    """Survival steps with bands, censor ticks and medians, and the numbers at risk under the same time axis.

    curves: rows of one endpoint of the table `survival_curves`, their times in `unit`; replicates after the
    first are drawn faint.   arms: in the order of the risk table.   colours: arm -> colour,
    `theme.arm_colours(arms)` by default.   medians: arm -> median with interval.   published_medians: arm ->
    open diamonds, in `unit`.   hazard_ratio: first arm against second, with p value.   interactive: add a
    reading line with numbers.   since: where the times begin.   note: a line below the title.
    band: of `predictive.predictive_band`, drawn in place of the other replicates and of the curves' own
    bands.   observed: columns arm, time, survival, drawn as open circles.
    Returns the styled chart.   Raises InputError GP-P001 for a missing column, GP-P005 for no curve.
    """
    curves = _plain_time(curves)
    tables.require(curves, STEPS, "survival_curves")
    colours = dict(colours or theme.arm_colours(arms))
    curves = curves.filter(pl.col("arm").is_in(list(arms))).fill_nan(None)
    if curves.is_empty():
        raise panels.nothing("Kaplan-Meier", f"no curve of {', '.join(arms)}", "curves of these arms")
    first = curves.filter(pl.col("replicate") == curves.get_column("replicate").min())
    highest = float(first.get_column("time").max() or 1.0)  # type: ignore[arg-type]
    marks = theme.ticks(highest)
    domain = [0.0, max(highest, marks[-1])]
    drawn = {arm: colours[arm] for arm in arms}
    title_of_axis = f"{unit.capitalize() or 'Time'}{f' since {since}' if since else ''}"
    axis = alt.Axis(values=marks, format="~g", title=title_of_axis)
    x = alt.X("time:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)
    layers = [
        *(_ghosts(curves, first, x, drawn) if band is None else band_layers(band, x, drawn)),
        *_steps(x, drawn)[0 if band is None else 1 :],
        *_medians(first, x, drawn, medians or {}, published_medians or {}),
        *([] if observed is None else observed_layers(observed, x, drawn)),
        *_reading(arms, drawn, medians or {}, hazard_ratio, unit),
    ]
    if interactive:
        layers += _pointer(x, drawn, unit)
    keep = ("arm", "time", "survival", "low", "high", "at_risk", "events", "censored", "drawn")
    rows = [{key: row[key] for key in keep} for row in with_origin(first)]
    upper = alt.layer(*layers, data=theme.records(rows)).properties(
        width=WIDTH, height=HEIGHT, title=panels.heading(title, note, frame="group")
    )
    lower = _risk_table(first, arms, drawn, marks, domain)
    chart = alt.vconcat(upper, lower, bounds="flush", spacing=64)
    return theme.styled(chart)  # type: ignore[no-any-return]


def _plain_time(curves: pl.DataFrame) -> pl.DataFrame:
    """The steps of a trial name their unit in the column; here the axis says it."""
    return curves.rename({"time_months": "time"}, strict=False)


def with_origin(curves: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of each arm in time order, beginning with survival 1 at time 0; missing bands stay null."""
    rows: list[dict[str, Any]] = []
    for (replicate, arm), part in (
        _plain_time(curves).sort("time").group_by(["replicate", "arm"], maintain_order=True)
    ):
        steps = part.to_dicts()
        if steps and steps[0]["time"] > 0:
            start = {
                "time": 0.0,
                "survival": 1.0,
                "low": 1.0,
                "high": 1.0,
                "events": 0,
                "censored": 0,
                "drawn": True,
            }
            rows.append({**start, "replicate": replicate, "arm": arm, "at_risk": steps[0]["at_risk"]})
        for step in steps:
            # Before the first event there is no variance; the band is the line, as R survival prints it.
            if step["survival"] == 1.0:
                step |= {"low": 1.0, "high": 1.0}
            step["drawn"] = step["events"] > 0 or step is steps[-1]
        rows += steps
    return rows


def at_risk(curves: pl.DataFrame, times: Sequence[float], arm: str) -> list[int]:
    """How many patients of an arm are still at risk at each time: those whose own time is not earlier.

    curves: rows of one endpoint and replicate.   times: months.   Returns one count per time.
    """
    rows = _plain_time(curves).filter(pl.col("arm") == arm).sort("time")
    counts = []
    for time in times:
        later = rows.filter(pl.col("time") >= time)
        counts.append(0 if later.is_empty() else int(later.get_column("at_risk")[0]))
    return counts


def median_of(curves: pl.DataFrame, arm: str) -> float | None:
    """The time at which the curve of an arm first stands at or below one half, or None."""
    below = _plain_time(curves).filter((pl.col("arm") == arm) & (pl.col("survival") <= 0.5)).sort("time")
    return None if below.is_empty() else float(below.get_column("time")[0])


def _survival_axis(**more: Any) -> alt.Y:
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1.0], title=None)
    return alt.Y("survival:Q", scale=alt.Scale(domain=[0, 1]), axis=axis, **more)


def _ghosts(
    curves: pl.DataFrame, first: pl.DataFrame, x: alt.X, colours: Mapping[str, str]
) -> list[alt.Chart]:
    """The other virtual trials, thinned: they show a spread, not single patients."""
    mine = first.get_column("replicate")[0]
    others = sorted(set(curves.get_column("replicate").to_list()) - {mine})[:MOST_GHOSTS]
    rows = []
    for replicate in others:
        part = curves.filter((pl.col("replicate") == replicate) & (pl.col("events") > 0))
        for arm in colours:
            steps = with_origin(part.filter(pl.col("arm") == arm))
            every = -(-len(steps) // GHOST_STEPS)
            rows += [
                {key: row[key] for key in ("replicate", "arm", "time", "survival")}
                for place, row in enumerate(steps)
                if place % every == 0 or place == len(steps) - 1
            ]
    if not rows:
        return []
    line = alt.Chart(theme.records(rows)).mark_line(
        interpolate="step-after", strokeWidth=0.7, opacity=0.25, clip=True
    )
    return [line.encode(x, _survival_axis(), theme.arm_colour(colours), alt.Detail("replicate:N"))]


def _steps(x: alt.X, colours: Mapping[str, str]) -> list[alt.Chart]:
    """Band, line and censor ticks; all read the data of the layered chart."""
    colour = theme.arm_colour(colours)
    band = alt.Chart().mark_area(interpolate="step-after", opacity=0.13, clip=True)
    line = alt.Chart().mark_line(interpolate="step-after", strokeWidth=1.8, clip=True)
    tick = alt.Chart().mark_tick(orient="vertical", size=7, thickness=1.1, opacity=0.75)
    return [
        band.transform_filter("datum.drawn").encode(x, alt.Y("low:Q", title=None), alt.Y2("high:Q"), colour),
        line.transform_filter("datum.drawn").encode(x, _survival_axis(), colour),
        tick.transform_filter("datum.censored > 0").encode(x, _survival_axis(), colour),
    ]


def _medians(
    first: pl.DataFrame,
    x: alt.X,
    colours: Mapping[str, str],
    medians: Mapping[str, Estimate],
    published: Mapping[str, float],
) -> list[alt.Chart]:
    rows: list[dict[str, Any]] = []
    found: list[float] = []
    for arm in colours:
        time = medians[arm].value if arm in medians else median_of(first, arm)
        if time is not None:
            found.append(time)
            rows.append({"arm": arm, "time": time, "survival": 0.5, "zero": 0.0})
    colour = theme.arm_colour(colours)
    layers = []
    if rows:
        reach = [{"time": 0.0, "end": max(found), "survival": 0.5}]
        dash = {"strokeDash": [2, 3], "strokeWidth": 1.0}
        layers = [
            alt.Chart(theme.records(reach))
            .mark_rule(color=theme.MUTED, **dash)  # type: ignore[arg-type]
            .encode(x, _survival_axis(), alt.X2("end:Q")),
            alt.Chart(theme.records(rows))
            .mark_rule(**dash)  # type: ignore[arg-type]
            .encode(x, _survival_axis(), alt.Y2("zero:Q"), colour),
        ]
    known = [
        {"arm": arm, "time": months, "survival": 0.5} for arm, months in published.items() if arm in colours
    ]
    if known:
        diamond = alt.Chart(theme.records(known)).mark_point(
            shape="diamond", size=60, strokeWidth=1.6, fill=theme.PAPER, opacity=1
        )
        layers.append(diamond.encode(x, _survival_axis(), theme.arm_colour(colours)))
    return layers


def _reading(
    arms: Sequence[str],
    colours: Mapping[str, str],
    medians: Mapping[str, Estimate],
    hazard_ratio: Estimate | None,
    unit: str,
) -> list[alt.Chart]:
    """The key, upper right: each arm in its colour with its median, then the comparison."""
    lines = []
    for arm in arms:
        text = f"{arm}   median {interval(medians[arm])} {unit}".rstrip() if arm in medians else arm
        lines.append((text, colours[arm]))
    if hazard_ratio is not None and hazard_ratio.value is not None:
        which = "HR" if len(arms) == 2 else "HR of the first two arms"
        text = f"{which} {interval(hazard_ratio, 2)}"
        lines.append((f"{text}, {p_value(hazard_ratio.p_value)}".rstrip(", "), theme.INK))
    layers = []
    for place, (text, colour) in enumerate(lines):
        mark = alt.Chart(alt.InlineData(values=[{"text": text}])).mark_text(
            align="right",
            baseline="top",
            color=colour,
            fontSize=11.5,
            fontWeight=600 if colour != theme.INK else 400,
        )
        right = alt.XValue(WIDTH - 2)  # type: ignore[no-untyped-call]
        down = alt.YValue(4 + 17 * place)  # type: ignore[no-untyped-call]
        layers.append(mark.encode(right, down, alt.Text("text:N")))
    return layers


def _pointer(x: alt.X, colours: Mapping[str, str], unit: str) -> list[alt.Chart]:
    """An unseen disc on every step that says its numbers."""
    tooltip = [
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("time:Q", title=unit or "time", format=".2f"),
        alt.Tooltip("survival:Q", title="survival", format=".1%"),
        alt.Tooltip("low:Q", title="lower 95 %", format=".1%"),
        alt.Tooltip("high:Q", title="upper 95 %", format=".1%"),
        alt.Tooltip("at_risk:Q", title="at risk", format="d"),
    ]
    discs = alt.Chart().mark_circle(size=140, opacity=0).transform_filter("datum.events > 0")
    return [discs.encode(x, _survival_axis(), theme.arm_colour(colours), tooltip=tooltip)]


def _risk_table(
    first: pl.DataFrame,
    arms: Sequence[str],
    colours: Mapping[str, str],
    marks: Sequence[float],
    domain: Sequence[float],
) -> alt.Chart:
    rows = [
        {"arm": arm, "time": time, "at_risk": count}
        for arm in arms
        for time, count in zip(marks, at_risk(first, marks, arm), strict=True)
    ]
    labels = alt.Axis(
        labelColor=alt.ExprRef(theme.label_values(arms, colours)),
        labelFontWeight=600,
        labelLimit=150,
        labelPadding=26,
        grid=False,
        title=None,
    )
    text = alt.Chart(theme.records(rows)).mark_text(fontSize=11)
    shown: alt.Chart = text.encode(
        alt.X("time:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=None),
        alt.Y("arm:N", sort=list(arms), axis=labels),
        theme.arm_colour(colours),
        alt.Text("at_risk:Q"),
    ).properties(
        width=WIDTH,
        height=RISK_ROW * len(arms),
        title=alt.TitleParams(
            "Patients at risk", frame="group", fontSize=11, fontWeight="normal", color=theme.MUTED, offset=4
        ),
    )
    return shown
