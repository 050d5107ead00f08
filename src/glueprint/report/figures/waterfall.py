"""Best change of M-protein, one bar per patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme

__all__ = ["RESPONDERS", "waterfall"]

RESPONDERS = ("sCR", "CR", "VGPR", "PR")
CEILING = 100.0
PARTIAL = -50.0  # IMWG partial response, serum M-protein, per cent of baseline
PROGRESSION = 25.0  # IMWG progression is measured from nadir; the line marks its size
HEIGHT = 250
WIDTH = 590


def waterfall(
    patients: pl.DataFrame,
    *,
    arms: Sequence[str],
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.HConcatChart:
    """Each patient's best change of M-protein from baseline, sorted, one panel per arm.

    patients: rows of one replicate of the table `patients`; rows without a change are not drawn.
    arms: panels from left to right.   colours: arm -> colour.
    Full colour: confirmed partial response or better.   Bars beyond +100 % end there.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(patients, ("arm", "patient", "best_change_pct", "best_response"), "patients")
    colours = dict(colours or theme.arm_colours(arms))
    sizes = [patients.filter(pl.col("arm") == arm).height for arm in arms]
    total = max(1, sum(sizes))
    drawn = []
    for place, (arm, size) in enumerate(zip(arms, sizes, strict=True)):
        width = round(WIDTH * max(0.22, size / total))
        drawn.append(
            _panel(patients.filter(pl.col("arm") == arm), colours[arm], width, place == 0, interactive)
        )
        drawn[-1] = drawn[-1].properties(
            title=alt.TitleParams(arm, color=colours[arm], frame="group", offset=8)
        )
    chart = alt.hconcat(*drawn, bounds="flush", spacing=18)
    if title:
        chart = chart.properties(title=panels.heading(title, note))
    return theme.styled(chart)  # type: ignore[no-any-return]


def _panel(
    patients: pl.DataFrame, colour: str, width: int, with_axis: bool, interactive: bool
) -> alt.LayerChart:
    shown = patients.filter(pl.col("best_change_pct").is_not_null()).sort(
        "best_change_pct", "patient", descending=[True, False]
    )
    rows = [
        {
            "place": place,
            "end": place + 0.86 if shown.height < width / 3 else place + 1.0,
            "patient": row["patient"],
            "change": min(row["best_change_pct"], CEILING),
            "zero": 0.0,
            "best": row["best_response"],
            "responded": row["best_response"] in RESPONDERS,
        }
        for place, row in enumerate(shown.to_dicts())
    ]
    axis = alt.Axis(
        values=[-100, PARTIAL, 0, PROGRESSION, CEILING],
        labelExpr="replace(datum.value, '-', '−') + ' %'",
        labelOpacity=1 if with_axis else 0,
        grid=False,
        title=None,
    )
    y = alt.Y("change:Q", scale=alt.Scale(domain=[-100, CEILING]), axis=axis)
    x = alt.X("place:Q", axis=None, scale=alt.Scale(domain=[0, max(1, len(rows))], nice=False))
    bars = alt.Chart(theme.records(rows)).mark_rect(color=colour, strokeWidth=0)
    encoded = bars.encode(
        x,
        alt.X2("end:Q"),
        y,
        alt.Y2("zero:Q"),
        opacity=alt.condition("datum.responded", alt.value(1), alt.value(0.42)),
    )
    if interactive:
        encoded = encoded.encode(
            tooltip=[
                alt.Tooltip("patient:N"),
                alt.Tooltip("best:N", title="best response"),
                alt.Tooltip("change:Q", title="best change, %", format=".0f"),
            ]
        )
    lines = alt.Chart(theme.records([{"change": PARTIAL}, {"change": PROGRESSION}]))
    rules = lines.mark_rule(color=theme.INK, strokeDash=[3, 3], strokeWidth=0.8).encode(y)
    zero = alt.Chart(theme.records([{"change": 0.0}])).mark_rule(color=theme.MUTED, strokeWidth=0.8).encode(y)
    chart = theme.layered(encoded, rules, zero)
    return chart.properties(width=width, height=HEIGHT)
