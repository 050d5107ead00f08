"""The workshop: searches, model beside data, residuals and profiles of a fit; answers to questions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import altair as alt

from glueprint.report.figures import theme

if TYPE_CHECKING:
    from glueprint.workshop import Answer, Asked, Fit

__all__ = ["of_answer", "of_fit"]

WIDTH, HEIGHT = 270, 180
MOST_EXPERIMENTS = 10  # colours; what comes after them shares one
LEAST = 1e-3  # above the best: what a logarithmic axis shows of a search that ended there


def of_fit(fit: Fit) -> alt.VConcatChart:
    """The figure that `Fit.plot` draws."""
    first = alt.hconcat(_waterfall(fit), _residuals(fit), spacing=40).resolve_scale(color="independent")
    rows: list[Any] = [first, _fits(fit)]
    if fit.profiles:
        rows.append(_profiles(fit))
    chart = alt.vconcat(*rows, spacing=30).resolve_scale(color="independent")
    return theme.styled(chart)  # type: ignore[no-any-return]


# What the bars of a method show, and the half width of its limits.
BARS = {
    "local": (("elasticity", None),),
    "Morris": (("mu_star", "mu_star_half_width"), ("sigma", None)),
    "Sobol": (("first", "first_half_width"), ("total", "total_half_width")),
}


def of_answer(answer: Answer, question: Asked) -> Any:
    """Bars of a sensitivity, or the curves of a sweep (a plane where two ranges vary)."""
    if answer.method == "sweep":
        panels = [_swept(answer, question, output) for output in question.outputs]
    else:
        rows = answer.table.to_dicts()
        panels = [
            _bars([row for row in rows if row["output"] == output], measure, half, output)
            for output in question.outputs
            for measure, half in BARS[answer.method]
        ]
    return theme.styled(alt.concat(*panels, columns=2, spacing=30).resolve_scale(color="independent"))


def _bars(rows: list[dict[str, Any]], measure: str, half: str | None, output: str) -> Any:
    shown = [
        {"name": row["name"], "value": row[measure] or 0.0, "half": row[half] if half else 0.0}
        for row in rows
    ]
    shown = [row | {"low": row["value"] - row["half"], "high": row["value"] + row["half"]} for row in shown]
    base = alt.Chart(theme.records(shown), title=f"{output}: {measure}").encode(
        alt.Y("name:N", title=None, sort=[row["name"] for row in rows])
    )
    bars = base.mark_bar(size=10).encode(alt.X("value:Q", title=measure))
    limits = base.mark_rule(color=theme.INK).encode(alt.X("low:Q"), alt.X2("high:Q"))
    return alt.layer(bars, limits).properties(width=WIDTH)


def _swept(answer: Answer, question: Asked, output: str) -> Any:
    first, *second = question.ranges
    names = [one.name for one in question.ranges]
    rows = [
        {**{f"axis {k}": row[name] for k, name in enumerate(names)}, "value": row[output]}
        for row in answer.table.to_dicts()
        if row[output] is not None
    ]
    scales = [
        alt.Scale(type="linear" if one.scale == "lin" else "log", nice=False) for one in question.ranges
    ]
    chart = alt.Chart(theme.records(rows), title=output, width=WIDTH, height=HEIGHT)
    across = alt.X("axis 0:Q", title=first.name, scale=scales[0])
    if not second:
        return chart.mark_line(point=True, strokeWidth=1.4).encode(across, alt.Y("value:Q", title=output))
    up = alt.Y("axis 1:Q", title=second[0].name, scale=scales[1])
    return chart.mark_square(size=90).encode(across, up, alt.Color("value:Q", title=output))


def _waterfall(fit: Fit) -> Any:
    table = fit.tables["starts"]
    rows = [
        {"rank": row["rank"], "above": max(row["above_best"], LEAST), "status": row["status"]}
        for row in table.to_dicts()
        if math.isfinite(row["above_best"])
    ]
    failed = table.height - len(rows)
    top = max(1.0, *(row["above"] for row in rows))
    scale = alt.Scale(type="log", domain=[LEAST, top], nice=True)
    title = f"Searches{f' ({failed} starts failed)' if failed else ''}"
    return (
        alt.Chart(theme.records(rows), title=title, width=WIDTH, height=HEIGHT)
        .mark_point(size=28, filled=True)
        .encode(
            alt.X("rank:Q", title="search, the best first", scale=alt.Scale(nice=False)),
            alt.Y("above:Q", title="minus log posterior above the best", scale=scale),
            alt.Color(
                "status:N", legend=alt.Legend(title=None), scale=_colours([row["status"] for row in rows])
            ),
        )
    )


def _residuals(fit: Fit) -> Any:
    rows = [
        {"time": row["time"], "residual": row["residual"], "observable": row["observable"]}
        for row in fit.tables["rows"].to_dicts()
        if math.isfinite(row["time"])
    ]
    points = (
        alt.Chart(theme.records(rows), title="Residuals")
        .mark_point(size=22, filled=True, opacity=0.8)
        .encode(
            alt.X("time:Q", title="time"),
            alt.Y("residual:Q", title="residual, standard deviations"),
            alt.Color(
                "observable:N",
                legend=alt.Legend(title=None),
                scale=_colours([row["observable"] for row in rows]),
            ),
        )
    )
    zero = alt.Chart(theme.records([{"zero": 0.0}])).mark_rule(color=theme.MUTED).encode(alt.Y("zero:Q"))
    return alt.layer(zero, points).properties(width=WIDTH, height=HEIGHT)


def _fits(fit: Fit) -> alt.ConcatChart:
    """A panel an observable: measurements as points, the model at their times as lines."""
    table = fit.tables["rows"]
    names = list(dict.fromkeys(table["experiment"].to_list()))
    colours = _colours(names[:MOST_EXPERIMENTS])
    panels = []
    for observable in dict.fromkeys(table["observable"].to_list()):
        rows = [
            {key: row[key] for key in ("experiment", "time", "measurement", "predicted")}
            for row in table.to_dicts()
            if row["observable"] == observable and math.isfinite(row["time"])
        ]
        base = alt.Chart(theme.records(rows), title=observable).encode(
            alt.X("time:Q", title="time"),
            color=alt.Color("experiment:N", legend=alt.Legend(title=None), scale=colours),
        )
        line = base.mark_line(strokeWidth=1.4).encode(alt.Y("predicted:Q", title=observable))
        point = base.mark_point(size=22, filled=True).encode(alt.Y("measurement:Q"))
        panels.append(alt.layer(line, point).properties(width=WIDTH, height=HEIGHT))
    return alt.concat(*panels, columns=2, spacing=30)


def _profiles(fit: Fit) -> alt.ConcatChart:
    from glueprint.workshop import rise_for

    table, limit = fit.tables["profiles"], rise_for(fit.settings.confidence)
    verdicts = {row["parameter"]: row["verdict"] for row in fit.tables["parameters"].to_dicts()}
    panels = []
    for one in fit.problem.estimated:
        rows = [
            {"value": row["value"], "rise": row["rise"]}
            for row in table.to_dicts()
            if row["parameter"] == one.name
        ]
        scale = alt.Scale(type="linear" if one.scale == "lin" else "log", nice=False)
        line = (
            alt.Chart(theme.records(rows), title=f"{one.name}: {verdicts[one.name]}")
            .mark_line(point=True, strokeWidth=1.4)
            .encode(alt.X("value:Q", title=one.name, scale=scale), alt.Y("rise:Q", title="rise"))
        )
        rule = (
            alt.Chart(theme.records([{"limit": limit}]))
            .mark_rule(strokeDash=[4, 3], color=theme.MUTED)
            .encode(alt.Y("limit:Q"))
        )
        panels.append(alt.layer(line, rule).properties(width=WIDTH, height=HEIGHT // 2))
    return alt.concat(*panels, columns=2, spacing=30)


def _colours(names: list[str]) -> alt.Scale:
    known = theme.arm_colours(names)
    return alt.Scale(domain=list(known), range=list(known.values()))
