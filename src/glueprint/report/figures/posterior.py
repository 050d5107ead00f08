"""Posteriors beside their priors, and claims beside what the posterior predicts for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import theme

__all__ = ["learnt", "overview", "predictions"]

WIDTH = 430
# Right end of the axis of parameters, in prior SDs.
EDGE = 4.4
QUANTILES = ("low_95", "low_50", "median", "high_50", "high_95")
ROW = 24
POSTERIOR, PRIOR, TYPICAL = theme.ARM_COLOURS[0], theme.MUTED, theme.ARM_COLOURS[1]
LANES = {"published": (-6.0, theme.INK), "this assay": (0.0, POSTERIOR), "typical assay": (6.0, TYPICAL)}


def overview(
    parameters: pl.DataFrame, comparison: pl.DataFrame, words: Mapping[str, str] | None = None
) -> alt.VConcatChart:
    """Both figures under each other: `learnt` and `predictions`."""
    chart = alt.vconcat(
        _predictions(comparison, words or {}), _learnt(parameters), spacing=78, bounds="flush"
    )
    return theme.styled(chart)  # type: ignore[no-any-return]


def learnt(parameters: pl.DataFrame) -> alt.LayerChart:
    """The 95 and 50 % range of every parameter in units of its prior's SD, the contraction beside it.

    parameters: columns name, contraction, verdict and "prior_sd:" low_95, low_50, median, high_50, high_95.
    Raises InputError GP-P001 for a missing column.
    """
    return theme.styled(_learnt(parameters))  # type: ignore[no-any-return]


def _learnt(parameters: pl.DataFrame) -> alt.LayerChart:
    needed = ("name", "contraction", "verdict", *(f"prior_sd:{name}" for name in QUANTILES))
    tables.require(parameters, needed, "parameters")
    rows = [_relative(row) for row in parameters.sort("contraction", descending=True).to_dicts()]
    names = [row["name"] for row in rows]
    y = _rows_axis("name:N", names)
    scale = alt.Scale(domain=[-3.2, EDGE])
    axis = alt.Axis(title="SD of the prior (band: its 95 %)", grid=False, values=[-3, -2, -1, 0, 1, 2, 3])
    across: dict[str, Any] = {"scale": scale, "axis": axis}
    x = alt.X("median:Q", **across)
    band = alt.Chart(theme.records([{"from": -1.96, "to": 1.96}])).mark_rect(color=theme.GRID, opacity=0.55)
    layers = [
        band.encode(alt.X("from:Q", **across), alt.X2("to:Q")),
        _rule(rows, "low_95", "high_95", across, y, width=1.4),
        _rule(rows, "low_50", "high_50", across, y, width=4.5),
    ]
    dots = alt.Chart(theme.records(rows)).mark_point(shape="circle", filled=True, size=34, opacity=1)
    layers.append(dots.encode(x, y, alt.Color("colour:N", scale=None)))
    text = alt.Chart(theme.records(rows)).mark_text(align="right", fontSize=10, dx=0)
    layers.append(
        text.encode(alt.X("at:Q", **across), y, alt.Text("said:N"), alt.Color("colour:N", scale=None))
    )
    return theme.layered(*layers).properties(
        width=WIDTH, height=alt.Step(17), title="What the claims taught about each parameter (contraction)"
    )


def predictions(comparison: pl.DataFrame, words: Mapping[str, str] | None = None) -> alt.LayerChart:
    """Published potencies (open diamonds) beside the posterior predictive of that assay and of a typical one.

    comparison: columns claim_id, quantity, unit, label, published, published_low, published_high, median,
    low, high, typical, typical_low, typical_high.   Rows in another unit than nM are left to the table.
    words: claim id -> how a reader would say it; others are shown by their id and quantity.
    Raises InputError GP-P001 for a missing column.
    """
    return theme.styled(_predictions(comparison, words or {}))  # type: ignore[no-any-return]


def _predictions(comparison: pl.DataFrame, words: Mapping[str, str]) -> alt.LayerChart:
    needed = ("claim_id", "quantity", "unit", "label", "published", "median", "low", "high", "typical",
              "typical_low", "typical_high", "published_low", "published_high")  # fmt: skip
    tables.require(comparison, needed, "comparison")
    given = comparison.filter(pl.col("unit") == "nM").to_dicts()
    rows = [row for claim in given for row in _lanes(claim, words)]
    names = list(dict.fromkeys(row["name"] for row in rows))
    y = _rows_axis("name:N", names)
    scale = alt.Scale(type="log", domain=[3.0, 30000.0], clamp=True)
    x = alt.X("value:Q", scale=scale, axis=alt.Axis(title="nM", grid=True, values=[10, 100, 1000, 10000]))
    layers: list[alt.Chart] = []
    for kind, (shift, colour) in LANES.items():
        lane = [row for row in rows if row["kind"] == kind]
        ranged = [row for row in lane if row["low"] is not None]
        if ranged:
            bar = alt.Chart(theme.records(ranged)).mark_rule(color=colour, strokeWidth=1.6, yOffset=shift)
            layers.append(bar.encode(alt.X("low:Q", scale=scale), alt.X2("high:Q"), y))
        if lane:
            look: dict[str, Any] = (
                {"shape": "diamond", "fill": theme.PAPER, "stroke": colour, "strokeWidth": 1.4, "size": 52}
                if kind == "published"
                else {"shape": "circle", "fill": colour, "stroke": colour, "size": 38}
            )
            dot = alt.Chart(theme.records(lane)).mark_point(opacity=1, yOffset=shift, **look)
            layers.append(dot.encode(x, y))
    title = alt.TitleParams(
        "Published potencies and what one set of parameters gives",
        subtitle="diamond: published; blue: that assay, 95 %; orange: an assay without an error of its own",
        subtitleColor=theme.MUTED,
        subtitleFontSize=11,
    )
    return theme.layered(*layers).properties(width=WIDTH, height=alt.Step(ROW), title=title)


def _relative(row: Mapping[str, Any]) -> dict[str, Any]:
    """Quantiles in standard deviations of the prior from its middle, and what is written beside them."""
    known = row["verdict"] == "identified"
    return {
        "name": row["name"],
        **{name: row[f"prior_sd:{name}"] for name in QUANTILES},
        "colour": POSTERIOR if known else PRIOR,
        "at": EDGE,
        "said": ("" if known else f"{row['verdict']}  ") + f"{max(row['contraction'], 0.0):.2f}",
    }


def _lanes(claim: Mapping[str, Any], words: Mapping[str, str]) -> list[dict[str, Any]]:
    """The published value, that of the same assay and, where it differs, that of a typical one."""
    said = words.get(claim["claim_id"], f"{claim['claim_id']}, {claim['quantity']}")
    name = f"{said} (predicted)" if claim["label"] == "predicted" else said
    rows = [
        ("published", claim["published"], claim["published_low"], claim["published_high"]),
        ("this assay", claim["median"], claim["low"], claim["high"]),
    ]
    if claim["typical"] != claim["median"]:
        rows.append(("typical assay", claim["typical"], claim["typical_low"], claim["typical_high"]))
    return [
        {"name": name, "kind": kind, "value": value, "low": low, "high": high}
        for kind, value, low, high in rows
    ]


def _rule(
    rows: Sequence[Mapping[str, Any]],
    low: str,
    high: str,
    across: Mapping[str, Any],
    y: alt.Y,
    *,
    width: float,
) -> alt.Chart:
    """A bar from one quantile to another in the colour of its row."""
    bar = alt.Chart(theme.records(rows)).mark_rule(strokeWidth=width)
    start = alt.X(f"{low}:Q", **across)
    encoded: alt.Chart = bar.encode(start, alt.X2(f"{high}:Q"), y, alt.Color("colour:N", scale=None))
    return encoded


def _rows_axis(field: str, names: Sequence[str]) -> alt.Y:
    axis = alt.Axis(title=None, labelLimit=330, labelColor=theme.INK, grid=False)
    return alt.Y(field, sort=list(names), axis=axis, scale=alt.Scale(paddingInner=0, paddingOuter=0))
