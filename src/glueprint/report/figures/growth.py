"""Curves of viability and of growth rate by line and compound, with IC50 and GR50 marks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables as contract
from glueprint.report.figures import theme

__all__ = ["growth_curves"]

# Panels: width, height and how many beside each other, where there are few and where there are many.
FEW, MANY, MORE_THAN = (300, 210, 2), (230, 150, 3), 8
# Lines that a panel can hold, and that colours tell apart.
LINES = 6
WELLS = ("line", "compound", "experiment", "dose", "unit", "viability", "gr")
FITTED = ("line", "compound", "experiment", "measure", "dose", "fitted")
POTENCIES = ("line", "compound", "experiment", "definition", "relation", "value", "low", "high", "unit")
# Controls stand this factor left of the lowest dose.
CONTROL_AT = 4.0
# Panels beyond this make a figure that nobody opens.
MOST_PANELS = 120
MEASURES = {"viability": ("viability", "fraction of control", "absolute IC50"), "GR": ("gr", "GR", "GR50")}


def growth_curves(tables: Mapping[str, pl.DataFrame]) -> alt.VConcatChart:
    """A panel a compound with one colour a line: viability, and the growth rate below where it is known.

    tables: wells, fitted, potencies and excluded of `assays.growth.Result`. More than six lines of a compound
    are drawn in several panels; beyond 120 panels the title says how many are not drawn.
    Dots are wells, struck through where left out, lines the fits; a diamond on the line of one half is the
    IC50 or GR50 with its interval, an arrow at the edge a limit.
    Raises InputError GP-P001 for a missing column.
    """
    for name, columns in (("wells", WELLS), ("fitted", FITTED), ("potencies", POTENCIES)):
        contract.require(tables[name], columns, name)
    named = tables["wells"].with_columns(named=pl.col("line"))
    tables = _by_time({**tables, "wells": named})
    wells = tables["wells"]
    measures = [name for name in MEASURES if name != "GR" or wells["gr"].null_count() < wells.height]
    asked = [(part, measure) for measure in measures for part in _parts(wells)]
    shown, size = asked[:MOST_PANELS], MANY if len(asked) > MORE_THAN else FEW
    panels = [
        _panel(_of(tables, compound, lines), (name, measure), theme.arm_colours(lines), size)
        for (compound, lines, name), measure in shown
    ]
    across = size[2]
    rows = [
        alt.hconcat(*panels[i : i + across], spacing=30).resolve_scale(color="independent")
        for i in range(0, len(panels), across)
    ]
    chart = alt.vconcat(*rows, spacing=26).resolve_scale(color="independent")
    if len(asked) > len(shown):
        said = (
            f"{len(shown)} of {len(asked)} panels; draw the others from a table of fewer compounds or lines"
        )
        chart = chart.properties(title=alt.TitleParams(said, color=theme.MUTED, offset=12))
    return theme.styled(chart)  # type: ignore[no-any-return]


def _parts(wells: pl.DataFrame) -> list[tuple[str, list[str], str]]:
    """Compound, lines and title of every panel."""
    parts = []
    for compound in wells["compound"].unique(maintain_order=True).to_list():
        here = wells.filter(pl.col("compound") == compound)["line"].unique(maintain_order=True).to_list()
        groups = [here[i : i + LINES] for i in range(0, len(here), LINES)]
        for nth, lines in enumerate(groups, start=1):
            of = f", lines {nth} of {len(groups)}" if len(groups) > 1 else ""
            parts.append((str(compound), lines, f"{compound or 'compound'}{of}"))
    return parts


def _by_time(tables: Mapping[str, pl.DataFrame]) -> Mapping[str, pl.DataFrame]:
    """Where a line was read at several times, its curves at each are lines of their own."""
    if "time_h" not in tables["wells"].columns or tables["wells"]["time_h"].drop_nulls().n_unique() < 2:
        return tables
    hours = pl.col("time_h").cast(pl.String).str.strip_suffix(".0")
    timed = pl.concat_str("line", pl.lit(" "), hours, pl.lit(" h")).fill_null(pl.col("line"))
    return {name: tables[name].with_columns(line=timed) for name in ("wells", "fitted", "potencies")}


def _of(tables: Mapping[str, pl.DataFrame], compound: str, lines: list[str]) -> dict[str, pl.DataFrame]:
    mine = (pl.col("compound") == compound) & pl.col("line").is_in(lines)
    out = theme.left_out(tables).filter(pl.col("sample") == compound)
    curves = tables["wells"].filter(mine).select("named", "compound", "experiment").unique().rows()
    # The table of what is left out names curves as findings do: line, compound and experiment.
    names = [" ".join(part for part in row if part) for row in curves]
    whole = tables["wells"].filter(pl.col("compound") == compound)["line"].n_unique() <= len(lines)
    return {name: tables[name].filter(mine) for name in ("wells", "fitted", "potencies")} | {
        "excluded": out if whole else out.filter(pl.col("curve").is_in(names))
    }


def _panel(
    tables: Mapping[str, pl.DataFrame],
    what: tuple[str, str],
    colours: Mapping[str, str],
    size: tuple[int, int, int],
) -> alt.LayerChart:
    """One panel.   what: its title and its measure.   size: width, height, and panels beside each other."""
    name, measure = what
    column, title, definition = MEASURES[measure]
    wells = tables["wells"].filter(pl.col(column).is_not_null())
    doses = [dose for dose in wells["dose"].to_list() if dose > 0.0]
    control = min(doses) / CONTROL_AT
    domain = [control / 1.6, max(doses) * 1.6]
    x = alt.X(
        "x:Q",
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=_axis(control, domain, str(wells["unit"][0])),
    )
    y = alt.Y("y:Q", axis=alt.Axis(title=title, tickCount=6), scale=alt.Scale(zero=True))
    several = len(colours) > 1
    legend = alt.Legend(title=None, orient="right", symbolType="circle") if several else None
    colour = alt.Color(
        "line:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=legend
    )
    half = alt.Chart(theme.records([{"y": 0.5}])).mark_rule(color=theme.MUTED, strokeDash=[3, 3]).encode(y)
    lines = [
        {"x": row["dose"], "y": row["fitted"], "line": row["line"], "part": row["experiment"]}
        for row in tables["fitted"].filter(pl.col("measure") == measure).to_dicts()
    ]
    dots = [{"x": row["dose"] or control, "y": row[column], "line": row["line"]} for row in wells.to_dicts()]
    curve = (
        alt.Chart(theme.records(lines)).mark_line(strokeWidth=1.4).encode(x, y, color=colour, detail="part:N")
    )
    points = alt.Chart(theme.records(dots)).mark_circle(size=24, opacity=0.7).encode(x, y, color=colour)
    marks = _marks(tables["potencies"].filter(pl.col("definition") == definition), (x, y, colour))
    out = [
        {"x": row["x"] or control, "y": row["value"]}
        for row in tables["excluded"].to_dicts()
        if measure == "viability" and row["value"] is not None
    ]
    text = alt.TitleParams(
        name,
        subtitle=f"{title}; diamonds: {definition}",
        subtitleColor=theme.MUTED,
        offset=8,
    )
    drawn = theme.layered(half, curve, points, *theme.struck(out, x, y), *marks)
    return drawn.properties(width=size[0], height=size[1], title=text)


def _marks(potencies: pl.DataFrame, encoding: tuple[alt.X, alt.Y, alt.Color]) -> list[alt.Chart]:
    """The pooled potency of every line, or the only one: a diamond with its interval, or an arrow at a
    limit."""
    x, y, colour = encoding
    rows: list[dict[str, Any]] = []
    for line in potencies["line"].unique(maintain_order=True).to_list():
        mine = potencies.filter(pl.col("line") == line)
        pooled = mine.filter(pl.col("experiment") == "")
        first = (pooled if pooled.height else mine).row(0, named=True)
        known = first["value"] is not None or first["relation"] == "between"
        if known and (pooled.height or mine.height == 1):
            rows.append(
                {
                    "x": first["value"],
                    "y": 0.5,
                    "line": line,
                    "relation": first["relation"],
                    "low": first["low"],
                    "high": first["high"],
                }
            )
    layers = []
    closed = [
        row
        for row in rows
        if row["relation"] in ("=", "between") and row["low"] is not None and row["high"] is not None
    ]
    if closed:
        bars = alt.Chart(theme.records(closed)).mark_rule(strokeWidth=2.4, opacity=0.8, clip=True)
        low = alt.X("low:Q")
        layers.append(bars.encode(low, y, x2="high:Q", color=colour))
    values = [row for row in rows if row["relation"] == "="]
    if values:
        points = alt.Chart(theme.records(values)).mark_point(shape="diamond", size=90, filled=True)
        layers.append(points.encode(x, y, color=colour))
    for relation, arrow in (("<", "←"), (">", "→")):
        limits = [row for row in rows if row["relation"] == relation]
        if limits:
            text = alt.Chart(theme.records(limits)).mark_text(text=arrow, fontSize=18, dy=-1)
            layers.append(text.encode(x, y, color=colour))
    return layers


def _axis(control: float, domain: list[float], unit: str) -> alt.Axis:
    powers = range(math.floor(math.log10(domain[0])), math.ceil(math.log10(domain[1])) + 1)
    ticks = [10.0**power for power in powers if control * 2.0 < 10.0**power <= domain[1]]
    near = f"abs(datum.value / {control:g} - 1) < 0.01"
    return alt.Axis(
        title=f"dose, {unit}",
        values=[control, *ticks],
        labelExpr=f"{near} ? 'control' : format(datum.value, '~g')",
    )
