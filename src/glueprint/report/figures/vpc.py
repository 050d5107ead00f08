"""What patients' visits show over time: percentiles of one trial against the same percentiles of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme

__all__ = ["PERCENTILES", "QUANTITIES", "percentiles", "vpc"]

VISITS = ("replicate", "arm", "patient", "time_days", "period")
PERCENTILES: Mapping[str, float] = {"p5": 0.05, "p50": 0.50, "p95": 0.95}
SAID: Mapping[str, str] = {"p5": "5th", "p50": "median", "p95": "95th"}
# Between-trial range of a percentile that the bands show.
LOW, HIGH = 0.025, 0.975
FEWEST_PATIENTS = 10
# Extra visits are those of patients in trouble: a time is shown where half of those on treatment were seen.
FEWEST_SEEN = 0.5
FEWEST_TRIALS = 4
HEIGHT = 230
LOG_MARKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Quantity:
    """A column of visits: how its axis is called, how long its bins are, where lines are drawn across."""

    column: str
    title: str
    bin_days: float
    logarithmic: bool
    limits: tuple[float, ...] = ()


QUANTITIES: Mapping[str, Quantity] = {
    "m-protein": Quantity("m_protein_g_per_l", "Serum M-protein, g/L", 28.0, logarithmic=False),
    "neutrophils": Quantity("anc_1e9_per_l", "Neutrophils, 1e9/L", 7.0, logarithmic=True, limits=(0.5, 1.0)),
}


def vpc(
    visits: pl.DataFrame,
    quantity: str,
    *,
    arms: Sequence[str],
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> alt.VConcatChart:
    """The 5th, 50th and 95th percentile of patients on the first treatment: lines for the first replicate,
    bands where 95 of 100 of the other replicates have them.

    visits: all replicates of the table `visits`.   quantity: a key of QUANTITIES.
    No data of single patients are public, so no line is an observation: the figure shows whether one trial
    lies among its like and, with draws of parameters, what they leave open. With fewer than four further
    replicates there are no bands.
    Raises InputError GP-P001 for a missing column, GP-P005 where too few patients were seen at any time.
    """
    what = QUANTITIES[quantity]
    colours = dict(colours or theme.arm_colours(arms))
    found = percentiles(visits, quantity)
    drawn = [arm for arm in arms if found.filter(pl.col("arm") == arm).height]
    if not drawn:
        expected = f"a trial with at least {FEWEST_PATIENTS} patients of an arm on treatment"
        raise panels.nothing("vpc", f"too few visits with {what.title}", expected)
    first, bands = _split(found)
    scale, last = _scale(what, first, bands), _last_week(first, bands)
    parts = []
    for place, arm in enumerate(drawn):
        chosen = tuple(table.filter(pl.col("arm") == arm) for table in (first, bands))
        panel = _panel((chosen[0], chosen[1]), what, colours[arm], scale, last, place % 2 == 0, interactive)
        width = panels.panel_width(drawn)
        head = panels.panel_title(arm, colours[arm], width=width)
        parts.append(panel.properties(width=width, height=HEIGHT, title=head))
    grey = {"stroke": theme.MUTED, "strokeWidth": 1.8, "size": 120}
    items: list[tuple[str, Mapping[str, Any]]] = [
        ("median of the patients", {"shape": "stroke", **grey}),
        ("5th and 95th percentile", {"shape": "stroke", **grey, "strokeWidth": 0.9, "strokeDash": [3, 2]}),
    ]
    if bands.height:
        items.append(
            ("where 95 % of other trials have it",
             {"shape": "square", "fill": theme.MUTED, "strokeWidth": 0, "opacity": 0.25, "size": 110})
        )  # fmt: skip
    return panels.beside(parts, below=panels.key(items), title=title, note=note)


def percentiles(visits: pl.DataFrame, quantity: str) -> pl.DataFrame:
    """Percentiles over the patients on the first treatment, per replicate, arm and time.

    A patient counts once per time, with the mean of that time's visits. Times at which, over all replicates,
    fewer than half of the patients then on treatment were seen are left out, and those with fewer than ten
    patients in a replicate.
    Returns replicate, arm, time_days, n, p5, p50, p95.   Raises InputError GP-P001 for a missing column.
    """
    what = QUANTITIES[quantity]
    tables.require(visits, (*VISITS, what.column), "visits")
    treated = visits.filter((pl.col("period") == "treatment") & pl.col(what.column).is_finite())
    head = ["replicate", "arm", "patient"]
    times = (pl.col("time_days") / what.bin_days).round() * what.bin_days
    seen = treated.with_columns(bin=times).group_by(*head, "bin").agg(pl.col(what.column).mean())
    last = treated.group_by(head).agg(last=pl.col("time_days").max())
    usual = _usual(seen, last, what.bin_days / 2)
    table = (
        seen.join(usual, on=["arm", "bin"])
        .group_by("replicate", "arm", "bin")
        .agg(
            pl.len().alias("n"),
            *(pl.col(what.column).quantile(at, "linear").alias(name) for name, at in PERCENTILES.items()),
        )
    )
    table = table.filter(pl.col("n") >= FEWEST_PATIENTS).rename({"bin": "time_days"})
    return table.with_columns(pl.col("n").cast(pl.Int64)).sort("replicate", "arm", "time_days")


def _usual(seen: pl.DataFrame, last: pl.DataFrame, half_bin: float) -> pl.DataFrame:
    """The times, per arm, at which at least half of the patients on treatment were seen."""
    counts = seen.group_by("arm", "bin").agg(seen=pl.len())
    there = counts.join(last, on="arm").filter(pl.col("last") >= pl.col("bin") - half_bin)
    on_treatment = there.group_by("arm", "bin").agg(treated=pl.len())
    both = counts.join(on_treatment, on=["arm", "bin"])
    return both.filter(pl.col("seen") >= FEWEST_SEEN * pl.col("treated")).select("arm", "bin")


def _split(found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first replicate, and the range of each percentile over the others, where there are enough."""
    mine = pl.col("replicate") == found.get_column("replicate").min()
    ranges = [
        pl.col(name).quantile(level, "linear").alias(f"{name}_{side}")
        for name in PERCENTILES
        for side, level in (("low", LOW), ("high", HIGH))
    ]
    bands = found.filter(~mine).group_by("arm", "time_days").agg(pl.len().alias("trials"), *ranges)
    return found.filter(mine), bands.filter(pl.col("trials") >= FEWEST_TRIALS).sort("arm", "time_days")


def _scale(what: Quantity, first: pl.DataFrame, bands: pl.DataFrame) -> alt.Scale:
    """One scale for all arms, that holds every line and band."""
    shown = [
        first.select(*PERCENTILES),
        *([bands.drop("arm", "time_days", "trials")] if bands.height else []),
    ]
    values = [value for table in shown for column in table.iter_columns() for value in column.to_list()]
    if not what.logarithmic:
        return alt.Scale(domain=[0.0, max(values)], nice=True)
    positive = [value for value in (*values, *what.limits) if value > 0]
    return alt.Scale(type="log", domain=[min(positive) / 1.25, max(positive) * 1.15], nice=False)


def _last_week(first: pl.DataFrame, bands: pl.DataFrame) -> float:
    days: list[float] = [*first.get_column("time_days").to_list(), *bands.get_column("time_days").to_list()]
    return max(1.0, max(days) / 7.0)


def _panel(
    given: tuple[pl.DataFrame, pl.DataFrame],
    what: Quantity,
    colour: str,
    scale: alt.Scale,
    last: float,
    with_axis: bool,
    interactive: bool,
) -> alt.LayerChart:
    first, bands = given
    marks = [float(week) for week in range(0, int(last) + 1, 4 if last <= 30 else 8 if last <= 60 else 16)]
    across: dict[str, Any] = {
        "scale": alt.Scale(domain=[0.0, last], nice=False),
        "axis": alt.Axis(values=marks, format="d", title="Weeks since randomisation"),
    }
    shown: dict[str, Any] = {"values": list(LOG_MARKS)} if what.logarithmic else {"tickCount": 6}
    axis = alt.Axis(
        title=what.title if with_axis else None,
        labelOpacity=1 if with_axis else 0,
        labelExpr="datum.value",
        **shown,
    )
    x = alt.X("week:Q", **across)
    layers: list[alt.Chart] = []
    for name in PERCENTILES:
        rows = [
            {"week": row["time_days"] / 7.0, "low": row[f"{name}_low"], "high": row[f"{name}_high"]}
            for row in bands.to_dicts()
        ]
        if rows:
            area = alt.Chart(theme.records(rows)).mark_area(color=colour, opacity=0.16, clip=True)
            layers.append(area.encode(x, alt.Y("low:Q", scale=scale, axis=axis), alt.Y2("high:Q")))
    for limit in what.limits:
        line = alt.Chart(theme.records([{"value": limit}]))
        rule = line.mark_rule(color=theme.INK, strokeDash=[3, 3], strokeWidth=0.7)
        layers.append(rule.encode(alt.Y("value:Q", scale=scale, axis=axis)))
    for name in PERCENTILES:
        rows = [
            {"week": row["time_days"] / 7.0, "value": row[name], "n": row["n"], "which": SAID[name]}
            for row in first.to_dicts()
        ]
        look: dict[str, Any] = {"strokeWidth": 0.9, "strokeDash": [3, 2]}
        if name == "p50":
            look = {"strokeWidth": 1.8}
        line = alt.Chart(theme.records(rows)).mark_line(color=colour, clip=True, point=False, **look)
        encoded = line.encode(x, alt.Y("value:Q", scale=scale, axis=axis))
        layers.append(encoded)
        if interactive:
            tooltip = [
                alt.Tooltip("which:N", title="percentile"),
                alt.Tooltip("week:Q", format=".0f"),
                alt.Tooltip("value:Q", title=what.title, format=".2f"),
                alt.Tooltip("n:Q", title="patients"),
            ]
            discs = alt.Chart(theme.records(rows)).mark_circle(size=90, opacity=0)
            layers.append(discs.encode(x, alt.Y("value:Q", scale=scale, axis=axis), tooltip=tooltip))
    return theme.layered(*layers)
