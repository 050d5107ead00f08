"""The tables of a glue's page as texts: what was learnt, measured beside predicted, outcomes, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.report import rows as reading
from glueprint.report.estimates import Estimate, interval, number
from glueprint.report.guide import Strip, strip_of
from glueprint.trials import label_of

__all__ = [
    "TITLES",
    "Compared",
    "Group",
    "against",
    "compared",
    "glance",
    "learnt",
    "limits",
    "odds",
]

GLANCE = ("orr", "median_pfs", "median_os", "neutropenia_grade_3_4", "dose_reduction")
QUANTITIES: Mapping[str, str] = {
    "kd": "Kd",
    "ki": "Ki",
    "rate_ec50": "EC50 of the rate of loss",
    "rate_max_over_k_deg": "Largest rate over natural",
    "dc50_absolute": "DC50, absolute",
    "dc50_relative": "DC50, relative",
    "dmax": "Dmax",
    "loss": "Loss",
    "ic50_absolute": "IC50, absolute",
    "ic50_relative": "IC50, relative",
    "gi50": "GI50",
    "gr50": "GR50",
    "gec50": "GEC50",
}
LEARNT: Mapping[str, str] = {"kd_ratio": "Kd over the reference's", "kd_nm": "Kd to cereblon"}
FITTED = "fitted"
TITLES: Mapping[str, str] = {
    "fp": "Fluorescence polarisation",
    "elisa": "ELISA",
    "blot": "Blots",
    "degradation": "Fractions remaining",
    "growth": "Growth of cultures",
    "table": "Quantities analysed elsewhere",
}
PLANNED, REFERENCE = "planned", "reference"


@dataclass(frozen=True)
class Compared:
    """One measurement beside what the posterior predicts for a repeat of it."""

    what: str
    compound: str
    measured: str
    predicted: str
    interval: str
    inside: bool | None
    strip: Strip | None
    use: str
    flags: str


@dataclass(frozen=True)
class Group:
    """The measurements of one assay; `held` of `total` lie inside what is predicted."""

    title: str
    rows: tuple[Compared, ...]
    held: int
    total: int
    left_out: int


def glance(outcomes: pl.DataFrame | None) -> dict[str, Any] | None:
    """The main numbers of the glue beside the reference: arms, and a row each of words, texts and labels."""
    if outcomes is None:
        return None
    arms, rows = _arms(outcomes), []
    for endpoint in GLANCE:
        found = {
            row["part"]: row
            for row in outcomes.filter(pl.col("endpoint") == endpoint).to_dicts()
            if row["part"] in (PLANNED, REFERENCE)
        }
        if PLANNED in found:
            cells = [_cell(found.get(part)) for part in (PLANNED, REFERENCE)]
            rows.append((label_of(endpoint), cells))
    labels = [_label(outcomes, part) for part in (PLANNED, REFERENCE)]
    return {"arms": arms, "rows": rows, "labels": labels}


def _arms(outcomes: pl.DataFrame) -> list[str]:
    return [
        next(iter(outcomes.filter(pl.col("part") == part).get_column("arm")), "")
        for part in (PLANNED, REFERENCE)
    ]


def _label(outcomes: pl.DataFrame, part: str) -> str:
    return next(iter(outcomes.filter(pl.col("part") == part).get_column("label")), "")


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    text = interval(Estimate(row["value"], row["low"], row["high"]), _decimals(row["unit"]))
    unit = _written(row["unit"])
    return f"{text}\u00a0{unit}" if unit and row["value"] is not None else text


def _decimals(unit: str) -> int:
    """Whole per cent, tenths of months, hundredths of a share."""
    return {"%": 0, "months": 1, "month": 1}.get(unit, 2)


def _written(unit: str) -> str:
    return "" if unit == "fraction" else reading.written(unit)


def against(table: pl.DataFrame | None) -> list[tuple[str, ...]]:
    """Endpoint, glue, reference, difference with its interval, share of trials with the glue higher."""
    found = []
    for row in [] if table is None else table.to_dicts():
        decimals, unit = _decimals(row["unit"]), _written(row["unit"])
        apart = interval(Estimate(row["difference"], row["low"], row["high"]), decimals, "not known")
        found.append(
            (
                label_of(row["endpoint"]) + (f", {unit}" if unit else ""),
                *(interval(Estimate(row[name]), decimals) for name in ("glue", "reference")),
                apart,
                f"{100 * row['share_higher']:.0f}\u00a0%",
            )
        )
    return found


def learnt(table: pl.DataFrame) -> list[dict[str, str]]:
    """Each quantity that the fit speaks of: name, value, interval, prior, how much was learnt."""
    return [
        {
            "name": _name(row["name"]),
            "value": f"{number(row['median'])}\u00a0{reading.written(row['unit'])}".rstrip("\u00a0"),
            "interval": f"{number(row['low_95'])}–{number(row['high_95'])}",
            "prior": row["prior"],
            "learnt": f"{100 * row['contraction']:.0f}\u00a0%",
            "verdict": row["verdict"],
        }
        for row in table.to_dicts()
    ]


def _name(name: str) -> str:
    if name.startswith("efficacy:"):
        return f"Efficacy for {name.partition(':')[2]}, over the reference's"
    return LEARNT.get(name, name)


def compared(table: pl.DataFrame) -> list[Group]:
    """Measured beside predicted by assay; what was not fitted is counted."""
    groups = []
    for (assay, experiment), part in table.group_by("assay", "experiment", maintain_order=True):
        fitted = [row for row in part.to_dicts() if row["use"] == FITTED]
        rows = tuple(map(_compared, fitted))
        tested = [row for row in rows if row.inside is not None]
        held = sum(bool(row.inside) for row in tested)
        groups.append(
            Group(
                f"{TITLES.get(str(assay), str(assay))}: {experiment}",
                rows,
                held,
                len(tested),
                part.height - len(fitted),
            )
        )
    return groups


def _compared(row: Mapping[str, Any]) -> Compared:
    unit = {"fraction": "", "dimensionless": ""}.get(row["unit"], reading.written(row["unit"]))
    relation = {"=": "", "none": "none ", "between": ""}.get(row["relation"], f"{row['relation']} ")
    measured = f"{relation}{number(row['value'])}\u00a0{unit}".strip() if row["value"] is not None else "–"
    about = [QUANTITIES.get(row["quantity"], row["quantity"]), row["target"], row["cells"]]
    about += [f"{row['time_h']:g} h"] if row["time_h"] is not None else []
    about += [f"{row['dose_nm']:g} nM"] if row["dose_nm"] is not None else []
    about += [row["run"]] if row["run"] else []
    low, high = row["predicted_low"], row["predicted_high"]
    return Compared(
        what=", ".join(part for part in about if part),
        compound=row["compound"],
        measured=measured,
        predicted=number(row["predicted"]) if row["predicted"] is not None else "–",
        interval="" if low is None or high is None else f"{number(low)}–{number(high)}",
        inside=row["inside"],
        strip=strip_of(row["value"], row["predicted"], low, high),
        use=row["use"],
        flags=", ".join(row["flags"] or ()),
    )


def odds(table: pl.DataFrame | None) -> dict[str, Any] | None:
    """By dose: how likely response and neutropenia are above their limits."""
    if table is None:
        return None
    ends = dict(table.select("endpoint", "limit_percent").unique(maintain_order=True).iter_rows())
    rows = []
    for (dose,), part in table.group_by("dose_mg", maintain_order=True):
        shares = {row["endpoint"]: row for row in part.to_dicts()}
        rows.append((f"{dose:g} mg", [_share(shares[endpoint]) for endpoint in ends]))
    heads = [f"{label_of(endpoint)} above {limit:g} %" for endpoint, limit in ends.items()]
    return {"heads": heads, "rows": rows}


def _share(row: Mapping[str, Any]) -> str:
    ends = f"{100 * row['low']:.0f}–{100 * row['high']:.0f}"
    return f"{100 * row['share_above']:.0f}\u00a0% ({ends})"


def limits(table: pl.DataFrame | None) -> list[tuple[str, str, str]]:
    """Question, dose with its interval, and what must be said of trials beyond the doses that were tried."""
    found = []
    for row in [] if table is None else table.to_dicts():
        is_window = row["unit"] == "1"
        below, beyond = (f"{100 * row[name]:.0f} % " for name in ("share_below", "share_beyond"))
        notes = []
        if row["share_below"]:
            notes.append(below + ("never pass the response" if is_window else "at the lowest dose already"))
        if row["share_beyond"]:
            notes.append(beyond + ("never pass the neutropenia" if is_window else "beyond the highest dose"))
        value, low, high = (_dose(row[name]) for name in ("value", "low", "high"))
        unit = "" if is_window or row["value"] is None else f"\u00a0{row['unit']}"
        question = f"{row['question'][:1].upper()}{row['question'][1:]}"
        found.append((question, f"{value}{unit} ({low}–{high})", "; ".join(notes)))
    return found


def _dose(value: float | None) -> str:
    """A dose or a ratio of doses: beyond where no dose that was tried is high enough, none where 0."""
    if value is None:
        return "beyond"
    return number(value) if value > 0.0 else "none"
