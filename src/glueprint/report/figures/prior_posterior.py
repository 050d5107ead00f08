"""What was believed of each parameter of the trial model, and what the published trials made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.estimates import number
from glueprint.report.figures import panels, theme

__all__ = ["COLUMNS", "prior_posterior"]

QUANTILES = ("low_95", "low_50", "median", "high_50", "high_95")
PRIOR = ("prior_low", "prior_high")
COLUMNS = ("name", "unit", "prior_median", *PRIOR, *QUANTILES, "contraction", "verdict")
UNKNOWN = "not identified"
POSTERIOR = theme.ARM_COLOURS[0]
WIDTH = 330
ROW = 19
VALUE, LEARNT = 104, 70
# A fold beyond this on either side of the prior's middle ends at the frame.
MOST_FOLD = 100.0
MARKS = (0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0)


def prior_posterior(parameters: pl.DataFrame, *, title: str = "", note: str = "") -> alt.VConcatChart:
    """Every parameter in folds of its prior's median: prior as a band, posterior as 95 and 50 % bars.

    parameters: of a ClinicalPosterior, columns COLUMNS. What was learnt most stands first; grey: what the
    trials did not identify.
    Raises InputError GP-P001 for a missing column, GP-P005 without a parameter, or for one that is not
    positive and so has no folds.
    """
    tables.require(parameters, COLUMNS, "parameters")
    if parameters.is_empty():
        raise panels.nothing("prior and posterior", "no parameter", "the parameters of a posterior")
    lowest = pl.min_horizontal("prior_median", "prior_low", "low_95")
    bad = parameters.filter(~(lowest > 0))
    if bad.height:
        raise panels.nothing(
            "prior and posterior", f'"{bad.get_column("name")[0]}" is not positive', "parameters above 0"
        )
    rows = [_folds(row) for row in parameters.sort("contraction", descending=True).to_dicts()]
    rows = [{**row, "place": place + 0.5} for place, row in enumerate(rows)]
    height = ROW * len(rows)
    parts: list[Any] = [
        _plot(rows, height),
        _column(rows, "value", VALUE, height, "median"),
        _column(rows, "learnt", LEARNT, height, "contraction"),
    ]
    items: list[tuple[str, Mapping[str, Any]]] = [
        ("prior, 95 %", {"shape": "square", "fill": theme.GRID, "strokeWidth": 0, "size": 110}),
        ("posterior: median, 50 and 95 %", {"shape": "circle", "fill": POSTERIOR, "strokeWidth": 0}),
        (UNKNOWN, {"shape": "circle", "fill": theme.MUTED, "strokeWidth": 0}),
    ]
    body = alt.hconcat(*parts, spacing=8, bounds="flush")
    chart = alt.vconcat(body, panels.key(items), spacing=14)
    if title:
        chart = chart.properties(title=panels.heading(title, note, offset=14))
    return theme.styled(chart)  # type: ignore[no-any-return]


def _folds(row: Mapping[str, Any]) -> dict[str, Any]:
    """Quantiles over the prior's median, held within the frame, and what is written beside them."""
    known = row["verdict"] != UNKNOWN
    unit = "" if row["unit"] in ("dimensionless", None) else f" {row['unit']}"
    folds = {
        name: min(max(row[name] / row["prior_median"], 1 / MOST_FOLD), MOST_FOLD)
        for name in (*PRIOR, *QUANTILES)
    }
    return {
        "name": row["name"],
        **folds,
        "colour": POSTERIOR if known else theme.MUTED,
        "value": f"{number(row['median'])}{unit}",
        "learnt": f"{max(row['contraction'], 0.0):.2f}",
    }


def _plot(rows: Sequence[Mapping[str, Any]], height: int) -> alt.LayerChart:
    ends = [row[name] for row in rows for name in (*PRIOR, "low_95", "high_95")]
    low, high = min(ends) / 1.1, max(ends) * 1.1
    marks = [mark for mark in MARKS if low <= mark <= high]
    if math.log10(high / low) > 2.5:
        marks = [mark for mark in marks if mark not in (0.2, 0.5, 2.0, 5.0)]
    across: dict[str, Any] = {
        "scale": alt.Scale(type="log", domain=[low, high], nice=False),
        "axis": alt.Axis(
            values=marks, labelExpr="datum.value", title="Fold of the prior's median", grid=False
        ),
    }
    names = alt.Axis(title=None, labelLimit=240, labelColor=theme.INK, grid=False)
    y = alt.Y("name:N", sort=[row["name"] for row in rows], axis=names, scale=alt.Scale(padding=0))
    colour = alt.Color("colour:N", scale=None)

    def bar(start: str, end: str, width: float, **look: Any) -> alt.Chart:
        mark = alt.Chart().mark_rule(strokeWidth=width, **look)
        encoded: alt.Chart = mark.encode(alt.X(f"{start}:Q", **across), alt.X2(f"{end}:Q"), y)
        return encoded

    one = alt.Chart(theme.records([{"fold": 1.0}])).mark_rule(color=theme.MUTED, strokeDash=[3, 3])
    dots = alt.Chart().mark_point(shape="circle", size=44, opacity=1, stroke=theme.PAPER, strokeWidth=1.2)
    layers = [
        bar("prior_low", "prior_high", 11.0, color=theme.GRID),
        one.encode(alt.X("fold:Q", **across)),
        bar("low_95", "high_95", 1.4).encode(colour),
        bar("low_50", "high_50", 4.5).encode(colour),
        dots.encode(alt.X("median:Q", **across), y, fill=alt.Fill("colour:N", scale=None)),
    ]
    return theme.layered(*layers, data=theme.records(rows)).properties(width=WIDTH, height=height)


def _column(rows: Sequence[Mapping[str, Any]], field: str, width: int, height: int, title: str) -> alt.Chart:
    """A column of numbers beside the plot."""
    data = [{"place": row["place"], "text": row[field], "colour": row["colour"]} for row in rows]
    mark = alt.Chart(theme.records(data)).mark_text(align="right", baseline="middle", fontSize=11)
    head = alt.TitleParams(
        title, fontSize=11, fontWeight="normal", color=theme.MUTED, frame="group", offset=6, anchor="end"
    )
    shown: alt.Chart = mark.encode(
        alt.XValue(width),  # type: ignore[no-untyped-call]
        alt.Y("place:Q", scale=alt.Scale(domain=[len(rows), 0], nice=False), axis=None),
        alt.Text("text:N"),
    ).properties(width=width, height=height, title=head)
    return shown
