"""The effect of treatment in parts of the trial's population, as published forests show it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.estimates import Estimate, interval, p_number
from glueprint.report.figures import panels, theme
from glueprint.trials import label_of

__all__ = ["subgroup_forest"]

COLUMNS = ("arm", "factor", "level", "endpoint", "value", "low", "high", "n", "events", "p_interaction")
WHOLE = "all patients"
INDENT = 12
ROW = 19
PLOT = 250
NAMES, COUNTS, EFFECT, INTERACTION = 176, 72, 112, 76
FACTORS: Mapping[str, str] = {
    "age_y": "Age, years",
    "creatinine_clearance_ml_per_min": "Creatinine clearance, mL/min",
    "prior_lines": "Prior lines of treatment",
    "sex": "Sex",
    "cytogenetic_risk": "Cytogenetic risk",
    "iss_stage": "ISS stage",
    "disease_population": "Disease",
    "refractoriness": "Refractory to",
    "hepatic_impairment": "Hepatic impairment",
}
# Intervals of few patients reach far; the axis ends here and an arrow says that they go on.
LOWEST, HIGHEST = 0.1, 8.0
MARKS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def subgroup_forest(
    subgroups: pl.DataFrame,
    endpoint: str,
    *,
    title: str = "",
    note: str = "",
    interactive: bool = False,
) -> alt.VConcatChart:
    """Ratios by subgroup on a logarithmic axis, with patients, events and the test for interaction.

    subgroups: one replicate of `TrialResult.subgroups()`, one comparison of two arms.
    endpoint: "hr_pfs", "hr_os" or "orr_odds_ratio".   The area of a square goes with its events.
    Levels without an estimate keep their row and say so.
    Raises InputError GP-P001 for a missing column, GP-P005 without an estimate of this endpoint.
    """
    tables.require(subgroups, COLUMNS, "subgroups")
    chosen = subgroups.filter((pl.col("endpoint") == endpoint) & pl.col("arm").str.contains(" vs "))
    first = chosen.get_column("arm")[0] if chosen.height else ""
    rows = _rows(chosen.filter(pl.col("arm") == first))
    if not any(row["value"] is not None for row in rows):
        raise panels.nothing(
            "forest", f'no ratio of the endpoint "{endpoint}"', "a trial of two arms with events in both"
        )
    height = ROW * len(rows)
    better = endpoint != "orr_odds_ratio"
    parts = [
        _texts(rows, "name", NAMES, height, "", align="left"),
        _texts(rows, "counts", COUNTS, height, "events / n"),
        _plot(rows, str(first), height, label_of(endpoint), better, interactive),
        _texts(rows, "effect", EFFECT, height, "ratio (95 %)"),
        _texts(rows, "p", INTERACTION, height, "p, interaction"),
    ]
    whole = alt.vconcat(alt.hconcat(*parts, spacing=8, bounds="flush"))
    if title:
        whole = whole.properties(title=panels.heading(title, note, offset=14))
    return theme.styled(whole)  # type: ignore[no-any-return]


def _rows(subgroups: pl.DataFrame) -> list[dict[str, Any]]:
    """A line for the whole population, then a heading for each factor and a line for each of its levels."""
    rows: list[dict[str, Any]] = []
    for factor in subgroups.get_column("factor").unique(maintain_order=True).to_list():
        levels = subgroups.filter(pl.col("factor") == factor).to_dicts()
        if factor != WHOLE:
            rows.append(_heading(str(factor), levels[0]["p_interaction"]))
        for level in levels:
            text = str(level["level"]).replace("_", " ").replace(">=", "≥ ").replace("<", "< ")
            rows.append(_line(level, "All patients" if factor == WHOLE else text, factor == WHOLE))
    most = max((row["events"] for row in rows), default=1) or 1
    return [
        {**row, "place": place + 0.5, "size": 12 + 110 * row["events"] / most}
        for place, row in enumerate(rows)
    ]


def _heading(factor: str, p_interaction: float | None) -> dict[str, Any]:
    empty = dict.fromkeys(("value", "low", "high", "from", "to"))
    p = "" if p_interaction is None else p_number(p_interaction)
    name = FACTORS.get(factor, factor.replace("_", " "))
    return {**empty, "name": name, "counts": "", "effect": "", "p": p, "events": 0, "bold": True, "cut": ""}


def _line(level: Mapping[str, Any], name: str, bold: bool) -> dict[str, Any]:
    # A level without an event in one arm has a ratio of 0 or infinity, which is no estimate.
    estimable = level["value"] is not None and 0.0 < level["value"] < math.inf
    numbers: list[Any] = [level[key] if estimable else None for key in ("value", "low", "high")]
    value, low, high = numbers
    inside = value is not None and LOWEST <= value <= HIGHEST
    known = value is not None and low is not None and high is not None
    cut = "" if not known else "".join(("low" if low < LOWEST else "", "high" if high > HIGHEST else ""))
    return {
        "name": name,
        "counts": f"{level['events']} / {level['n']}",
        "effect": interval(Estimate(value, low, high), 2, "not estimable"),
        "p": "",
        "events": level["events"] or 0,
        "value": value if inside else None,
        "low": low,
        "high": high,
        "from": min(max(low, LOWEST), HIGHEST) if known else None,
        "to": min(max(high, LOWEST), HIGHEST) if known else None,
        "bold": bold,
        "cut": cut,
    }


def _texts(
    rows: Sequence[Mapping[str, Any]],
    field: str,
    width: int,
    height: int,
    title: str,
    *,
    align: Literal["left", "center"] = "center",
) -> alt.LayerChart:
    """A column of words beside the plot."""
    place = alt.Y("place:Q", scale=alt.Scale(domain=[len(rows), 0], nice=False), axis=None)
    layers = []
    for bold in (True, False):
        part = [
            {"place": row["place"], "text": row[field]} for row in rows if row["bold"] is bold and row[field]
        ]
        at_px = width / 2 if align == "center" else 0 if bold else INDENT
        left = alt.XValue(at_px)  # type: ignore[no-untyped-call]
        if part:
            mark = alt.Chart(theme.records(part)).mark_text(
                align=align,
                baseline="middle",
                fontSize=11,
                fontWeight=600 if bold and field == "name" else 400,
            )
            layers.append(mark.encode(left, place, alt.Text("text:N")))
    head = alt.TitleParams(
        title, fontSize=11, fontWeight="normal", color=theme.MUTED, frame="group", offset=6,
        anchor="start" if align == "left" else "middle",
    )  # fmt: skip
    if not layers:
        layers.append(alt.Chart(theme.records([{"place": 0.5}])).mark_text(text="").encode(place))
    return theme.layered(*layers).properties(width=width, height=height, title=head)


def _plot(
    rows: Sequence[Mapping[str, Any]], comparison: str, height: int, title: str, lower_is_better: bool,
    interactive: bool,
) -> alt.LayerChart:  # fmt: skip
    shown = [row for row in rows if row["from"] is not None]
    low = min([0.4, *(row["from"] for row in shown)]) / 1.06
    high = max([2.0, *(row["to"] for row in shown)]) * 1.06
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    marks = [mark for mark in MARKS if low <= mark <= high]
    one, other = [*comparison.split(" vs "), ""][:2]
    left, right = (one, other) if lower_is_better else (other, one)
    axis = alt.Axis(values=marks, format="~g", title=title, grid=False)
    across: dict[str, Any] = {"scale": scale, "axis": axis}
    y = alt.Y("place:Q", scale=alt.Scale(domain=[len(rows), 0], nice=False), axis=None)
    whole = [row["value"] for row in shown if row["name"] == "All patients" and row["value"] is not None]
    lines = [alt.Chart(theme.records([{"value": 1.0}])).mark_rule(color=theme.INK, strokeWidth=0.8)]
    lines += [
        alt.Chart(theme.records([{"value": value}])).mark_rule(
            color=theme.ARM_COLOURS[0], strokeDash=[3, 3], strokeWidth=0.8
        )
        for value in whole
    ]
    layers = [line.encode(alt.X("value:Q", **across)) for line in lines]
    bar = alt.Chart(theme.records(shown)).mark_rule(color=theme.INK, strokeWidth=1.2)
    layers.append(bar.encode(alt.X("from:Q", **across), alt.X2("to:Q"), y))
    for side, shape, field in (("low", "triangle-left", "from"), ("high", "triangle-right", "to")):
        beyond = [row for row in shown if side in row["cut"]]
        if beyond:
            tip = alt.Chart(theme.records(beyond)).mark_point(
                shape=shape, fill=theme.INK, strokeWidth=0, size=26
            )
            layers.append(tip.encode(alt.X(f"{field}:Q", **across), y))
    square = alt.Chart(theme.records([row for row in shown if row["value"] is not None])).mark_point(
        shape="square", fill=theme.ARM_COLOURS[0], strokeWidth=0, opacity=1
    )
    size = alt.Size("size:Q", scale=None, legend=None)
    dots = square.encode(alt.X("value:Q", **across), y, size)
    if interactive:
        dots = dots.encode(tooltip=[alt.Tooltip("name:N"), alt.Tooltip("effect:N"), alt.Tooltip("counts:N")])
    sides = _sides(left, right, across, height)
    return theme.layered(*layers, dots, *sides).properties(width=PLOT, height=height)


def _sides(left: str, right: str, across: Mapping[str, Any], height: int) -> list[alt.Chart]:
    """Which side of 1 favours whom, below the axis."""
    below = alt.YValue(height + 50)  # type: ignore[no-untyped-call]
    words: tuple[tuple[str, Literal["left", "right"], int], ...] = (
        (f"← {left} better", "right", -7),
        (f"{right} better →", "left", 7),
    )
    return [
        alt.Chart(theme.records([{"value": 1.0, "text": text}]))
        .mark_text(align=align, dx=shift, fontSize=11, color=theme.MUTED)
        .encode(alt.X("value:Q", **across), below, alt.Text("text:N"))
        for text, align, shift in words
    ]
