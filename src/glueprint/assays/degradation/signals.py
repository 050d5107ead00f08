"""Raw signals of wells or bands (HiBiT, densitometry) to fractions of the vehicle: above the blank, over the
loading control, each plate and membrane by its own vehicle."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import is_vehicle, role_of
from glueprint.assays.intake.headers import dose_column
from glueprint.assays.intake.numbers import finite
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError

__all__ = ["of_vehicle", "without_roles"]

Row = dict[str, Any]
# What is blotted beside the protein to tell how much was loaded.
LOADING = re.compile(
    r"(?:(?:β|b|beta|α|a|alpha|γ|gamma)[ -]?)?(?:actin|tubulin)|gapdh|vinculin|actb|tubb|tuba|hsp ?90"
    r"|lamin ?[ab]\d?|(?:histone )?h3|cyclophilin [ab]|ponceau.*|revert.*|total protein.*|stain.?free.*"
    r"|loading(?: control)?",
    re.IGNORECASE,
)
# A band that was divided by it before: "IKZF1/Tubulin".
DIVIDED = re.compile(rf".+(?:/|÷| over | per )\s*(?:{LOADING.pattern})", re.IGNORECASE)
# What tells levels apart, and lanes.
GROUP = ("target", "experiment", "membrane", "plate")
LANE = (*GROUP[1:], "compound", "time_h", "lane", "well", "replicate", "treatment", "washout_h")
GONE = ("blank", "unused", "time0")


def without_roles(found: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """The rows that are lanes: no blanks, time zero or controls of full effect; those left out are named."""
    kinds = pl.Series([_kind(row) for row in found.to_dicts()], dtype=pl.String)
    out = kinds.is_in(GONE)
    if out.any():
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.filter(out).value_counts().rows())
        findings.append(Finding("GP-A212", "note", f"rows that are no lanes of a curve: {counts}"))
    vehicle = pl.lit(kinds == "control")
    for name, none in ((dose_column(found.columns), pl.lit(True)), ("time_h", pl.col("time_h").is_null())):
        # A vehicle holds none of the compound, whatever its cell says of the solvent, and may be of no time.
        if name in found.columns:
            zero = pl.when(vehicle & none).then(pl.lit("0")).otherwise(pl.col(name).cast(pl.String))
            found = found.with_columns(zero.alias(name))
    return found.filter(~out)


def of_vehicle(found: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """The table with fraction_remaining in place of signal, and what was done as a finding.

    found: as `intake.canonical` gives it, with signal, and rows of the vehicle (dose 0, or its name) and of
    blanks where measured.
    The mean blank of a plate (of all, where it has none) is subtracted, a loading control divides the bands
    of its lane, and the geometric mean of the vehicle at the same time, or of no time, is 1.
    Raises InputError GP-A195 where there is no vehicle above the blank, or no loading of each lane.
    """
    rows = [row | {"kind": _kind(row), "net": finite(row["signal"])} for row in found.to_dicts()]
    steps = _above_blank(rows) + _over_loading(rows)
    vehicle = [row for row in rows if row["kind"] == "control" and row["net"] is not None]
    for row in rows:
        if row["kind"] in ("treated", "control") and row["net"] is not None:
            row["left"] = row["net"] / _level(row, vehicle)
    steps.append(f"over the mean of {len(vehicle)} vehicle readings")
    said = f"raw signals are read as fractions of the vehicle: {', '.join(steps)}"
    findings.append(Finding("GP-A196", "note", said, 'column "signal"'))
    left = pl.Series("fraction_remaining", [row.get("left") for row in rows], dtype=pl.Float64)
    kept = [row["kind"] in GONE or "left" in row for row in rows]
    empty = sum(row["net"] is None for row in rows)
    if empty:
        findings.append(Finding("GP-A151", "note", f"{empty} rows without a reading are left out"))
    lanes = found.with_columns(left).drop("signal").filter(pl.Series(kept, dtype=pl.Boolean))
    return without_roles(lanes, findings)


def _kind(row: Row) -> str:
    """What a row is: by its role, else by the name of its compound, else by a dose of 0."""
    role, name = role_of(row.get("role")) or "", str(row.get("compound") or "").strip()
    named = role_of(name) if name else ""
    if role in (*GONE, "control") or named in ("blank", "time0"):
        return role if role in (*GONE, "control") else str(named)
    zero = finite(row.get(dose_column(row))) == 0.0
    return "control" if zero or (name and is_vehicle(name)) else "treated"


def _above_blank(rows: list[Row]) -> list[str]:
    blanks = [row for row in rows if row["kind"] == "blank" and row["net"] is not None]
    for row in rows if blanks else []:
        own = [one["net"] for one in blanks if one.get("plate") == row.get("plate")]
        row["below"] = float(np.mean(own or [one["net"] for one in blanks]))
    for row in rows if blanks else []:
        if row["kind"] != "blank" and row["net"] is not None:
            row["net"] -= row["below"]
    return [f"above the mean of {len(blanks)} blanks"] if blanks else []


def _over_loading(rows: list[Row]) -> list[str]:
    """Divide the bands of each lane by its loading control, where there is one beside proteins, but for those
    that were divided before by their name."""
    loads = [row for row in rows if LOADING.fullmatch(str(row.get("target") or "").strip())]
    if not loads or len(loads) == len(rows):
        return []
    beside = len({row[exclusions.ROW] for row in rows}) < len(rows)
    names = (exclusions.ROW,) if beside else (*LANE, dose_column(rows[0]))
    lanes: dict[tuple[object, ...], list[float]] = {}
    for row in loads:
        lanes.setdefault(tuple(row.get(name) for name in names), []).append(row["net"] or 0.0)
        row["kind"] = "loading"
    said = ", ".join(dict.fromkeys(str(row["target"]) for row in loads))
    for row in rows:
        below = lanes.get(tuple(row.get(name) for name in names), [])
        if DIVIDED.fullmatch(str(row.get("target") or "").strip()):
            continue
        if row["kind"] in ("treated", "control") and row["net"] is not None:
            if len(below) != 1 or below[0] <= 0.0:
                raise _refused(
                    f"{len(below)} readings of a loading control ({said}) for a band of {row['target']}",
                    "one loading control, above zero, in each lane",
                    "add a column lane, keep one loading control, or give fraction_remaining",
                )
            row["net"] /= below[0]
    return [f"over {said} of the same lane"]


def _level(row: Row, vehicle: list[Row]) -> float:
    """Geometric mean of the vehicle that a row is divided by."""
    same = [one for one in vehicle if all(one.get(name) == row.get(name) for name in GROUP)]
    own = [one for one in same if one.get("compound") == row.get("compound")]
    own = own or [one for one in same if is_vehicle(one.get("compound") or "")]
    at = [one["net"] for one in own if one.get("time_h") == row.get("time_h")]
    values = at or [one["net"] for one in own if one.get("time_h") is None]
    if not values or min(values) <= 0.0:
        labels = [str(row[name]) for name in (*GROUP, "compound") if row.get(name)]
        where = " ".join([*labels, f"at {row['time_h']} h" if row.get("time_h") else ""]).strip()
        raise _refused(
            f"no vehicle above the blank for {where or 'the signals'}",
            "readings of dose 0, or named DMSO, at every time, on every plate and membrane",
            "give them, or give fraction_remaining",
        )
    return float(np.exp(np.log(values).mean()))


def _refused(what: str, expected: str, next_step: str) -> InputError:
    return InputError("GP-A195", what, where='column "signal"', expected=expected, next_step=next_step)
