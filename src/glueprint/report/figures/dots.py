"""Estimates as dots with intervals: published beside computed, adverse events, hazard ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import rows as reading
from glueprint.report import tables
from glueprint.report.figures import theme

__all__ = ["adverse_events", "comparison_dots", "forest"]

WIDTH = 420
ROW = 34
LANE = 12


def comparison_dots(
    comparison: pl.DataFrame,
    guide_table: int,
    *,
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.VConcatChart:
    """What the guide prints (open diamond) above what Glueprint computes (dot), a panel per unit.

    comparison: the table `comparison`; rows of `guide_table` with a published or computed value are drawn.
    colours: arm -> colour, used where the table has a column "arm".
    Potencies in molar units stand on a logarithmic axis, hazard ratios too.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(comparison, tables.COMPARISON, "comparison")
    rows = reading.with_units(comparison.filter(pl.col("guide_table") == guide_table).to_dicts())
    panels: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if not reading.is_p_value(row):
            title = "hazard ratio" if reading.is_ratio(row) else reading.written(row["unit"])
            colour = (colours or {}).get(str(row.get("arm")), theme.INK)
            panels.setdefault(title, []).extend(_points(row, colour))
    drawn = []
    for title, points in panels.items():
        if points:
            logarithmic = title == "hazard ratio" or title in reading.MOLAR
            drawn.append(
                _panel(points, title, logarithmic=logarithmic, interactive=interactive, zero=not logarithmic)
            )
    chart = alt.vconcat(*drawn, spacing=48, bounds="flush")
    return theme.styled(chart)  # type: ignore[no-any-return]


def _points(row: Mapping[str, Any], colour: str) -> list[dict[str, Any]]:
    """The published and the computed point of one row of the comparison."""
    told = colour != theme.INK or reading.is_ratio(row)  # the colour or the axis says what the column says
    return [
        {
            "name": row["row"] if told else reading.name_of(row),
            "kind": kind,
            "value": row[stem],
            "low": row[f"{kind}_low"],
            "high": row[f"{kind}_high"],
            "colour": colour,
        }
        for kind, stem in (("published", "published_value"), ("computed", "computed"))
        if row[stem] is not None
    ]


def adverse_events(
    rates: pl.DataFrame, *, colours: Mapping[str, str], interactive: bool = False
) -> alt.VConcatChart:
    """Share of patients with a grade 3 or 4 event, per arm, with the published share as an open diamond.

    rates: columns event, arm, kind ("computed" or "published"), value, low, high (per cent).
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(rates, ("event", "arm", "kind", "value", "low", "high"), "rates")
    rows = [
        {**row, "name": row["event"], "colour": colours.get(row["arm"], theme.INK)}
        for row in rates.filter(pl.col("value").is_not_null()).to_dicts()
    ]
    panel = _panel(
        rows, "% of patients with grade 3 or 4", logarithmic=False, interactive=interactive, zero=True
    )
    return theme.styled(alt.vconcat(panel))  # type: ignore[no-any-return]


def forest(estimates: pl.DataFrame, *, interactive: bool = False) -> alt.VConcatChart:
    """Hazard ratios with intervals on a logarithmic axis, the published ones as open diamonds.

    estimates: columns name, kind ("computed" or "published"), value, low, high.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(estimates, ("name", "kind", "value", "low", "high"), "estimates")
    rows = [
        {**row, "colour": theme.INK} for row in estimates.filter(pl.col("value").is_not_null()).to_dicts()
    ]
    panel = _panel(rows, "hazard ratio", logarithmic=True, interactive=interactive, reference=1.0)
    return theme.styled(alt.vconcat(panel))  # type: ignore[no-any-return]


def _panel(
    rows: Sequence[Mapping[str, Any]],
    title: str,
    *,
    logarithmic: bool,
    interactive: bool,
    zero: bool = False,
    reference: float | None = None,
) -> alt.LayerChart:
    """One axis; every name a row, in it each arm and kind on its own line so that nothing is hidden."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    looks = {(row["colour"], row["kind"]) for row in rows}
    hues = dict.fromkeys(row["colour"] for row in rows)
    lanes = [(hue, kind) for hue in hues for kind in ("published", "computed") if (hue, kind) in looks]
    height = max(ROW, LANE * len(lanes) + 10)
    y = alt.Y(
        "name:N",
        sort=names,
        scale=alt.Scale(paddingInner=0, paddingOuter=0),
        axis=alt.Axis(title=None, labelLimit=330, labelColor=theme.INK, grid=False),
    )
    scale = (
        alt.Scale(type="log", domain=_roomy(rows), nice=False)
        if logarithmic
        else alt.Scale(zero=zero, nice=True)
    )
    across: dict[str, Any] = {"scale": scale, "axis": alt.Axis(title=title, grid=True, tickCount=6)}
    x = alt.X("value:Q", **across)
    layers: list[alt.Chart] = []
    if reference is not None:
        line = alt.Chart(theme.records([{"value": reference}]))
        layers.append(line.mark_rule(color=theme.MUTED, strokeDash=[3, 3]).encode(x))
    for place, look in enumerate(lanes):
        shift = LANE * (place - (len(lanes) - 1) / 2)
        lane = [row for row in rows if (row["colour"], row["kind"]) == look]
        layers += _lane(lane, across, y, shift, interactive)
    chart = theme.layered(*layers)
    return chart.properties(width=WIDTH, height=alt.Step(height))


def _roomy(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """A logarithmic domain that holds all values and bounds with a tenth to spare on both sides."""
    found = [row[key] for row in rows for key in ("value", "low", "high") if row[key]]
    return [min(found) / 1.1, max(found) * 1.1]


def _lane(
    rows: Sequence[Mapping[str, Any]], across: Mapping[str, Any], y: alt.Y, shift: float, interactive: bool
) -> list[alt.Chart]:
    colour, kind = rows[0]["colour"], rows[0]["kind"]
    ranged = [row for row in rows if row["low"] is not None and row["high"] is not None]
    layers = []
    if ranged:
        bar = alt.Chart(theme.records(ranged)).mark_rule(
            color=colour, strokeWidth=1.0 if kind == "published" else 1.8, yOffset=shift
        )
        layers.append(bar.encode(alt.X("low:Q", **across), alt.X2("high:Q"), y))
    look: dict[str, Any] = (
        {"shape": "diamond", "fill": theme.PAPER, "stroke": colour, "strokeWidth": 1.4, "size": 55}
        if kind == "published"
        else {"shape": "circle", "fill": colour, "stroke": colour, "size": 55}
    )
    dot = alt.Chart(theme.records(rows)).mark_point(opacity=1, yOffset=shift, **look)
    encoded = dot.encode(alt.X("value:Q", **across), y)
    if interactive:
        tooltip = [
            alt.Tooltip("name:N"),
            alt.Tooltip("kind:N"),
            *(alt.Tooltip(f"{name}:Q") for name in ("value", "low", "high")),
        ]
        encoded = encoded.encode(tooltip=tooltip)
    return [*layers, encoded]
