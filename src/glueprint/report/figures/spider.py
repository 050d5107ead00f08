"""M-protein of each patient over time, in per cent of where it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables
from glueprint.report.figures import panels, theme
from glueprint.report.figures.waterfall import PARTIAL, PROGRESSION, RESPONDERS
from glueprint.trials import MONTH_DAYS

__all__ = ["changes", "spider"]

VISITS = ("arm", "patient", "time_days", "m_protein_g_per_l", "response")
PATIENTS = ("arm", "patient", "best_response", "best_change_pct", "pfs_months", "pfs_cause")
MOST = 60
HEIGHT = 270
CEILING = 150.0
# A visit on the day of progression counts; months in `patients` are days over 30.4375.
SAME_DAY = 0.5


def spider(
    visits: pl.DataFrame,
    patients: pl.DataFrame,
    *,
    arms: Sequence[str],
    title: str = "",
    note: str = "",
    colours: Mapping[str, str] | None = None,
    most: int = MOST,
    interactive: bool = False,
) -> alt.VConcatChart:
    """One line per patient, change of M-protein from baseline at each assessment up to progression.

    visits, patients: one replicate of the two tables.   most: lines of an arm; of more patients as many are
    drawn, evenly spaced by best change.   Full colour: confirmed partial response or better.
    Lines end at +150 %.
    Raises InputError GP-P001 for a missing column, GP-P005 without an assessment after baseline.
    """
    tables.require(patients, PATIENTS, "patients")
    colours = dict(colours or theme.arm_colours(arms))
    table = changes(visits, patients)
    chosen = {
        arm: panels.evenly(
            patients.filter((pl.col("arm") == arm) & pl.col("best_change_pct").is_not_null()).sort(
                "best_change_pct", "patient"
            ),
            most,
        )
        for arm in arms
    }
    drawn = [arm for arm in arms if chosen[arm].height]
    if table.is_empty() or not drawn:
        raise panels.nothing("spider", "no assessment after baseline", "patients assessed at least twice")
    highest = float(table.get_column("time_months").max() or 1.0)  # type: ignore[arg-type]
    width = panels.panel_width(drawn)
    parts = []
    for place, arm in enumerate(drawn):
        lines = table.join(chosen[arm].select("patient"), on="patient")
        measured = patients.filter((pl.col("arm") == arm) & pl.col("best_change_pct").is_not_null()).height
        panel = _panel(lines, colours[arm], highest, place % 2 == 0, interactive)
        shown = f"{chosen[arm].height} of {measured} measured patients"
        parts.append(
            panel.properties(
                width=width, height=HEIGHT, title=panels.panel_title(arm, colours[arm], shown, width=width)
            )
        )
    items: list[tuple[str, Mapping[str, Any]]] = [
        ("in colour: partial response or better", {"shape": "stroke", "stroke": colours[drawn[0]],
                                                   "strokeWidth": 2, "size": 120}),
        ("others", {"shape": "stroke", "stroke": theme.MUTED, "strokeWidth": 1, "size": 120}),
        ("progression", {"shape": "diamond", "fill": theme.INK, "strokeWidth": 0, "size": 34}),
    ]  # fmt: skip
    return panels.beside(parts, below=panels.key(items), title=title, note=note)


def changes(visits: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Change from baseline at each assessment up to progression.

    Returns arm, patient, time_months, change_pct, responded, progressed (at the last assessment of those who
    did).   Raises InputError GP-P001 for a missing column.
    """
    tables.require(visits, VISITS, "visits")
    tables.require(patients, PATIENTS, "patients")
    seen = visits.filter((pl.col("response") != "") | (pl.col("time_days") == 0)).join(
        patients.select(PATIENTS), on=("arm", "patient")
    )
    seen = seen.filter(pl.col("time_days") <= pl.col("pfs_months") * MONTH_DAYS + SAME_DAY)
    baseline = pl.col("m_protein_g_per_l").sort_by("time_days").first().over("arm", "patient")
    last = pl.col("time_days") == pl.col("time_days").max().over("arm", "patient")
    table = seen.select(
        "arm",
        "patient",
        time_months=pl.col("time_days") / MONTH_DAYS,
        change_pct=100.0 * (pl.col("m_protein_g_per_l") / baseline - 1.0),
        responded=pl.col("best_response").is_in(RESPONDERS),
        progressed=last & (pl.col("pfs_cause") == "progression"),
    )
    several = pl.len().over("arm", "patient") > 1
    return table.filter(several & pl.col("change_pct").is_finite()).sort("arm", "patient", "time_months")


def _panel(
    lines: pl.DataFrame, colour: str, highest: float, with_axis: bool, interactive: bool
) -> alt.LayerChart:
    marks = theme.ticks(highest, at_most=6)
    across: dict[str, Any] = {
        "scale": alt.Scale(domain=[0.0, max(highest, marks[-1])], nice=False),
        "axis": alt.Axis(values=marks, format="d", title="Months since randomisation"),
    }
    axis = alt.Axis(
        values=[-100, PARTIAL, 0, PROGRESSION, 100, CEILING],
        labelExpr="replace(datum.value, '-', '−') + ' %'",
        labelOpacity=1 if with_axis else 0,
        grid=False,
        title="Change of serum M-protein from baseline" if with_axis else None,
    )
    y = alt.Y("change_pct:Q", scale=alt.Scale(domain=[-100, CEILING]), axis=axis)
    x = alt.X("time_months:Q", **across)
    rows = lines.with_columns(pl.col("change_pct").clip(upper_bound=CEILING)).to_dicts()
    tooltip = [alt.Tooltip("patient:N"), alt.Tooltip("change_pct:Q", title="change, %", format=".0f")]
    layers = []
    looks: dict[str, dict[str, Any]] = {
        "!datum.responded": {"color": theme.MUTED, "opacity": 0.45, "strokeWidth": 0.7},
        "datum.responded": {"color": colour, "opacity": 0.85, "strokeWidth": 1.1},
    }
    for test, look in looks.items():
        one = alt.Chart().mark_line(**look).transform_filter(test)
        encoded = one.encode(x, y, alt.Detail("patient:N"))
        layers.append(encoded.encode(tooltip=tooltip) if interactive else encoded)
    point = alt.Chart().mark_point(shape="diamond", fill=theme.INK, strokeWidth=0, size=22, opacity=0.8)
    layers.append(point.transform_filter("datum.progressed").encode(x, y))
    limits = alt.Chart(theme.records([{"change_pct": PARTIAL}, {"change_pct": PROGRESSION}]))
    layers.append(limits.mark_rule(color=theme.INK, strokeDash=[3, 3], strokeWidth=0.8).encode(y))
    zero = alt.Chart(theme.records([{"change_pct": 0.0}])).mark_rule(color=theme.MUTED, strokeWidth=0.8)
    return theme.layered(zero.encode(y), *layers, data=theme.records(rows))
