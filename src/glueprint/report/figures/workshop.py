"""A fit of the workshop: waterfall of its searches, model beside data, residuals, and profiles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import altair as alt

from glueprint.report.figures import theme

if TYPE_CHECKING:
    from glueprint.workshop import Fit

__all__ = ["of_fit"]

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
