"""Variants of an arm in the same patients: what each gives, efficacy beside neutropenia."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme
from glueprint.trials import label_of

__all__ = ["variants"]

COLUMNS = ("variant", "reference", "endpoint", "unit", "value", "low", "high")
DRAWN = ("orr", "median_pfs", "neutropenia_grade_3_4")
ROW, NAMES_PX = 26, 190


def variants(swept: pl.DataFrame, *, interactive: bool = False) -> alt.HConcatChart:
    """A row a variant, a panel an endpoint: the median of its virtual trials with their middle 95 %.

    swept: the table of `trials.sweep`; the hollow dot is the arm as written.
    Raises InputError GP-P001 for a missing column, GP-P005 where nothing was reached.
    """
    tables.require(swept, COLUMNS, "sweep")
    names = swept["variant"].unique(maintain_order=True).to_list()
    rows = swept.filter(pl.col("value").is_not_null())
    drawn = [endpoint for endpoint in DRAWN if endpoint in rows["endpoint"].to_list()]
    if not drawn:
        raise panels.nothing("sweep", "no endpoint was reached", "a sweep whose variants reach an endpoint")
    width = (panels.panel_width(tuple(drawn), gap=panels.GAP) * len(drawn) - NAMES_PX) // len(drawn)
    charts = [
        _panel(rows.filter(endpoint=endpoint), names, width, first=place == 0, interactive=interactive)
        for place, endpoint in enumerate(drawn)
    ]
    return theme.styled(alt.hconcat(*charts, spacing=panels.GAP))  # type: ignore[no-any-return]


def _panel(
    rows: pl.DataFrame, names: list[str], width: int, *, first: bool, interactive: bool
) -> alt.LayerChart:
    endpoint, unit = rows["endpoint"][0], rows["unit"][0]
    colour = theme.ARM_COLOURS[0]
    most = 100.0 if unit == "%" else float(rows.select(pl.max_horizontal("value", "high").max()).item())
    y = alt.Y(
        "variant:N",
        scale=alt.Scale(domain=names),
        axis=alt.Axis(
            title=None, labels=first, ticks=False, domain=False, labelLimit=NAMES_PX - 10, grid=False
        ),
    )
    x: dict[str, Any] = {
        "scale": alt.Scale(domain=[0, most], nice=unit != "%"),
        "axis": alt.Axis(title=f"{label_of(endpoint)}, {unit}", tickCount=5),
    }
    base = alt.Chart(theme.records(rows.select(COLUMNS).to_dicts()))
    dots = base.mark_point(size=60, filled=True, opacity=1, stroke=colour, strokeWidth=1.6).encode(
        alt.X("value:Q", **x),
        y,
        fill=alt.condition("datum.reference", alt.value(theme.PAPER), alt.value(colour)),
    )
    if interactive:
        dots = dots.encode(tooltip=[alt.Tooltip(f"{name}:Q", format=".3g") for name in COLUMNS[4:]])
    chart = theme.layered(
        base.mark_rule(color=colour, strokeWidth=1.6).encode(alt.X("low:Q", **x), alt.X2("high:Q"), y=y), dots
    )
    return chart.properties(width=width, height=ROW * len(names))
