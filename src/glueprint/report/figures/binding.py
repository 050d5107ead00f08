"""Binding curves of a polarisation plate: wells, fit with its band, plateaus, Ki and IC50, and the light."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from glueprint.report import tables as contract
from glueprint.report.figures import theme

__all__ = ["binding_curves"]

WIDTH, HEIGHT, LIGHT_HEIGHT = 330, 220, 70
ACROSS = 2
CURVE, KI, IC50 = theme.ARM_COLOURS[0], theme.ARM_COLOURS[1], theme.MUTED
WELLS = ("plate", "role", "sample", "concentration_nm", "anisotropy", "intensity", "note")
CURVES = ("plate", "sample", "dose_nm", "anisotropy", "low", "high")
POTENCIES = ("plate", "sample", "kind", "definition", "relation", "value_nm", "low_nm", "high_nm")
# Controls stand this many decades outside the doses.
ASIDE = 0.6
# The change of total intensity that the analysis calls a finding, docs/polarization.md.
ALLOWED = 0.2
TITRATED, HYPERBOLA = "tracer titration", "tracer titration, hyperbola"


def binding_curves(tables: Mapping[str, pl.DataFrame]) -> alt.VConcatChart:
    """One panel a compound and titration of every plate, two in a row, with the total intensity below each.

    tables: wells, curves, potencies and excluded of `assays.polarization.Result`.
    Dots are wells, open dots the controls (tracer with protein left, tracer alone right); the band is the
    confidence of the fitted curve; shaded is the interval of the Ki or Kd; dashed the IC50.
    Raises InputError GP-P001 for a missing column.
    """
    for name, columns in (("wells", WELLS), ("curves", CURVES), ("potencies", POTENCIES)):
        contract.require(tables[name], columns, name)
    shown = tables["potencies"].select("plate", "sample").unique(maintain_order=True).rows()
    panels = [_panel(tables, str(plate), str(sample)) for plate, sample in shown]
    rows = [alt.hconcat(*panels[i : i + ACROSS], spacing=36) for i in range(0, len(panels), ACROSS)]
    return theme.styled(alt.vconcat(*rows, spacing=30))  # type: ignore[no-any-return]


def _panel(tables: Mapping[str, pl.DataFrame], plate: str, sample: str) -> alt.VConcatChart:
    wells = tables["wells"].filter((pl.col("plate") == plate) & (pl.col("note") == ""))
    curves = tables["curves"].filter(pl.col("plate") == plate)
    potencies = tables["potencies"].filter((pl.col("plate") == plate) & (pl.col("sample") == sample))
    titrated = sample == TITRATED
    role = "tracer_protein" if titrated else "competitor"
    own = wells.filter((pl.col("role") == role) & (titrated | (pl.col("sample") == sample)))
    doses = [dose for dose in own["concentration_nm"].drop_nulls().to_list() if dose > 0.0]
    low, high = min(doses) / 10.0**ASIDE, max(doses) * 10.0**ASIDE
    places = {"tracer_protein": low, "tracer_only": low if titrated else high}
    dots = [*_wells(own, places, controls=False)]
    # Beside a titration, only wells that name no protein concentration are the control of the compounds.
    alone = titrated or TITRATED in tables["potencies"].filter(pl.col("plate") == plate)["sample"]
    for control in ("tracer_only",) if titrated else ("tracer_only", "tracer_protein"):
        here = wells.filter(pl.col("role") == control)
        here = here.filter(pl.col("concentration_nm").is_null()) if alone else here
        dots += _wells(here, places, controls=True, role=control)
    domain = [low / 10.0**0.25, high * 10.0**0.25]
    out = _out(tables, plate, "" if titrated else sample, places)
    layers = [
        *_marks(potencies, domain),
        *_curve(curves.filter(pl.col("sample") == sample), domain, dashed=False),
        *(_curve(curves.filter(pl.col("sample") == HYPERBOLA), domain, dashed=True) if titrated else []),
        _dots(dots, "anisotropy", domain, ""),
        *theme.struck(out, _x(domain, None), _y("anisotropy")),
    ]
    words = " · ".join(_words(row) for row in potencies.to_dicts() if row["definition"] != "relative")
    name = "Titration of the tracer" if titrated else sample or "compound"
    title = alt.TitleParams(
        f"{name}, {plate}" if plate else name, subtitle=words, subtitleColor=theme.MUTED, offset=8
    )
    top = theme.layered(*layers).properties(width=WIDTH, height=HEIGHT, title=title)
    if not any(dot["intensity"] is not None for dot in dots):
        return alt.vconcat(top)
    below = _light(dots, domain, "protein, nM" if titrated else "compound, nM", shaded=not titrated)
    return alt.vconcat(top, below.properties(width=WIDTH, height=LIGHT_HEIGHT), spacing=12)


def _wells(
    wells: pl.DataFrame, places: Mapping[str, float], *, controls: bool, role: str = ""
) -> list[dict[str, Any]]:
    return [
        {
            "dose": places[role] if controls else row["concentration_nm"] or places["tracer_protein"],
            "anisotropy": row["anisotropy"], "intensity": row["intensity"], "control": controls,
        }
        for row in wells.to_dicts()
        if row["anisotropy"] is not None and (controls or row["concentration_nm"] is not None)
    ]  # fmt: skip


def _out(
    tables: Mapping[str, pl.DataFrame], plate: str, sample: str, places: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Wells of a compound, and controls, that are left out."""
    return [
        {
            "dose": row["x"] or places["tracer_protein"]
            if row["role"] == "competitor"
            else places[row["role"]],
            "anisotropy": row["value"],
        }
        for row in theme.left_out(tables).filter(pl.col("curve") == plate).to_dicts()
        if row["value"] is not None
        and (row["role"] in places if row["role"] != "competitor" else row["sample"] == sample)
    ]


def _x(domain: list[float], title: str | None, field: str = "dose") -> alt.X:
    ticks = [
        10.0**power
        for power in range(math.ceil(math.log10(domain[0])), math.floor(math.log10(domain[1])) + 1)
    ]
    axis = alt.Axis(values=ticks, format="~g", title=title, labels=title is not None)
    return alt.X(f"{field}:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis)


def _y(field: str, **scale: Any) -> alt.Y:
    scale = {"zero": False, "nice": True, **scale}
    axis = alt.Axis(title="anisotropy", tickCount=5, grid=True)
    return alt.Y(f"{field}:Q", scale=alt.Scale(**scale), axis=axis)


def _dots(dots: list[dict[str, Any]], field: str, domain: list[float], title: str) -> alt.Chart:
    fill = alt.condition("datum.control", alt.value(theme.PAPER), alt.value(CURVE))
    marks = alt.Chart(theme.records(dots)).mark_point(
        size=34, filled=True, opacity=0.9, stroke=CURVE, strokeWidth=1.2
    )
    return marks.encode(_x(domain, title or None), _y(field), fill=fill)  # type: ignore[no-any-return]


def _curve(curve: pl.DataFrame, domain: list[float], *, dashed: bool) -> list[alt.Chart]:
    rows = curve.select("dose_nm", "anisotropy", "low", "high").rename({"dose_nm": "dose"}).to_dicts()
    if not rows:
        return []
    base = alt.Chart(theme.records(rows))
    style: dict[str, Any] = (
        {"color": IC50, "strokeWidth": 1.2, "strokeDash": [2, 2]}
        if dashed
        else {"color": CURVE, "strokeWidth": 1.8}
    )
    line = base.mark_line(clip=True, **style).encode(_x(domain, None), _y("anisotropy"))
    if dashed:
        return [line]
    band = base.mark_area(color=CURVE, opacity=0.15, clip=True)
    return [band.encode(_x(domain, None), _y("low"), alt.Y2("high:Q")), line]


def _marks(potencies: pl.DataFrame, domain: list[float]) -> list[alt.Chart]:
    """The interval of the Ki or Kd as a shade with its value as a line; the absolute IC50 dashed."""
    layers = []
    for row in potencies.to_dicts():
        if row["value_nm"] is None:
            continue
        if row["kind"] in ("Ki", "Kd"):
            low, high = (row["low_nm"] or domain[0], row["high_nm"] or domain[1])
            shade = {"dose": max(low, domain[0]), "end": min(high, domain[1])}
            if shade["dose"] < shade["end"]:
                area = alt.Chart(theme.records([shade])).mark_rect(color=KI, opacity=0.14)
                layers.append(area.encode(_x(domain, None), alt.X2("end:Q")))
        elif row["definition"] != "absolute":
            continue
        if domain[0] < row["value_nm"] < domain[1]:
            layers += _mark(row["kind"], row["value_nm"], domain)
    return layers


def _mark(kind: str, value_nm: float, domain: list[float]) -> list[alt.Chart]:
    """A line with its name at the top: Ki to the left of it, IC50, which is never lower, to the right."""
    constant = kind in ("Ki", "Kd")
    colour = KI if constant else IC50
    style: dict[str, Any] = {"strokeWidth": 1.6} if constant else {"strokeWidth": 1.2, "strokeDash": [5, 4]}
    base = alt.Chart(theme.records([{"dose": value_nm, "name": kind}]))
    side: dict[str, Any] = {"align": "right", "dx": -4} if constant else {"align": "left", "dx": 4}
    text = base.mark_text(color=colour, baseline="top", dy=2, **side)
    return [
        base.mark_rule(color=colour, **style).encode(_x(domain, None)),
        text.encode(_x(domain, None), y=alt.value(0), text="name:N"),
    ]


def _light(dots: list[dict[str, Any]], domain: list[float], title: str, *, shaded: bool) -> alt.LayerChart:
    """Total intensity over the brighter control; shaded what displacement explains, with 20 % to spare."""
    known = [dot["intensity"] for dot in dots if dot["control"]] or [dot["intensity"] for dot in dots]
    one = max(known)
    shares = [{**dot, "light": dot["intensity"] / one} for dot in dots if dot["intensity"] is not None]
    band = {
        "dose": domain[0],
        "end": domain[1],
        "low": min(known) / one * (1.0 - ALLOWED),
        "light": 1.0 + ALLOWED,
    }
    area = alt.Chart(theme.records([band])).mark_rect(color=theme.GRID, opacity=0.6)
    y = alt.Y(
        "light:Q",
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(title="total light", tickCount=3, format=".1f"),
    )
    allowed = area.encode(_x(domain, title), alt.X2("end:Q"), y, alt.Y2("low:Q"))
    fill = alt.condition("datum.control", alt.value(theme.PAPER), alt.value(theme.INK))
    marks = alt.Chart(theme.records(shares)).mark_point(
        size=22, filled=True, stroke=theme.INK, strokeWidth=1.0
    )
    points = marks.encode(_x(domain, title), y, fill=fill)
    return theme.layered(allowed, points) if shaded else theme.layered(points)


def _words(row: Mapping[str, Any]) -> str:
    kind = row["kind"] if row["kind"] in ("Ki", "Kd") else f"{row['kind']} ({row['definition']})"
    if row["relation"] == "between":
        return f"{kind} between {row['low_nm']:.3g} and {row['high_nm']:.3g} nM"
    if row["value_nm"] is None:
        return f"no {kind}"
    text = f"{kind} {'' if row['relation'] == '=' else row['relation'] + ' '}{row['value_nm']:.3g} nM"
    if row["relation"] != "=" or row["low_nm"] is None or row["high_nm"] is None:
        return text
    return f"{text} ({row['low_nm']:.3g} to {row['high_nm']:.3g})"
