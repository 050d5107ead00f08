"""Log ratios of target to reference, lane by lane, against the vehicle lanes of the same membrane."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.blot.boxes import Boxes, Lane
from glueprint.assays.blot.settings import Settings
from glueprint.assays.findings import Finding
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError, nearest

__all__ = ["BANDS", "against_vehicle", "choose_reference", "excluded", "log_ratio", "normalise"]

Floats = NDArray[Any]
BANDS = pl.Schema(
    {"membrane": pl.String(), "lane": pl.Int64(), "target": pl.String(), "reference": pl.String(),
     "sample": pl.String(), "dose_nm": pl.Float64(), "time_h": pl.Float64(), "experiment": pl.String(),
     "treatment": pl.String(), "vehicle": pl.Boolean(), "log_ratio": pl.Float64(),
     "log_ratio_se": pl.Float64(), "fraction_remaining": pl.Float64(), "relation": pl.String(),
     "flags": pl.String(), "target_volume": pl.Float64(), "reference_volume": pl.Float64(),
     "log_target_over_reference": pl.Float64(), "simulated": pl.String()}
)  # fmt: skip
# A control with less spread than this over lanes of different load does not follow the load.
LEAST_SPREAD, VISIBLE_SPREAD = 0.05, 0.20
LEAST_VEHICLES = 2
Row = dict[str, Any]
NOTHING: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True)
class Ratio:
    """One lane: ln(target / reference), its error from background noise, and what it is."""

    value: float
    noise: float
    relation: str
    flags: tuple[str, ...]


def choose_reference(boxes: Boxes, settings: Settings) -> str | None:
    """The name of the band to divide by: as asked, else total protein, else the loading control; None: none.

    Raises InputError GP-A121 for a name that is no band, GP-A138 where several could be it.
    """
    roles = {band.name: band.role for band in boxes.file.band}
    if settings.reference is not None:
        if settings.reference not in roles:
            raise InputError(
                "GP-A121",
                f'"{settings.reference}"{nearest(settings.reference, roles)}',
                where="reference",
                expected=f"one of the bands {', '.join(roles)}"[:300],
                next_step="see docs/blot.md, Choices",
            )
        return settings.reference
    for role in ("total protein", "loading"):
        found = [name for name, own in roles.items() if own == role]
        if len(found) > 1:
            raise InputError(
                "GP-A138",
                f"{len(found)} bands of the role {role}: {', '.join(found)}"[:200],
                where=f"{boxes.source or 'boxes'}, band",
                expected="one reference",
                next_step="choose with --reference NAME",
            )
        if found:
            return found[0]
    return None


def log_ratio(target: Row, reference: Row) -> Ratio:
    """ln(target / reference) of one lane, from two rows of the table of volumes.

    A target below detection is put at its limit, with the relation "<"; what is saturated, and a reference
    below detection, leaves no ratio.   The error: both noises by the delta method.
    """
    flags = []
    if reference["status"] != "ok":
        flags.append(f"reference {reference['status']}")
    if target["status"] != "ok":
        flags.append(target["status"])
    if reference["status"] != "ok" or target["status"] not in ("ok", "below detection"):
        return Ratio(math.nan, math.nan, "", tuple(flags))
    low = target["status"] == "below detection"
    amount = target["detection_limit"] if low else target["volume"]
    if not amount > 0.0:
        return Ratio(math.nan, math.nan, "", (*flags, "no noise to measure by"))
    parts = (target["noise_sd"] / amount, reference["noise_sd"] / reference["volume"])
    return Ratio(
        math.log(amount / reference["volume"]), math.hypot(*parts), "<" if low else "=", tuple(flags)
    )


def against_vehicle(logs: Floats, noise: Floats, vehicle: NDArray[np.bool_]) -> tuple[Floats, Floats, int]:
    """Log ratios less the mean of the vehicle lanes, their standard errors, and how many lanes that were.

    logs, noise: (n,) natural logarithms and their errors, NaN where there is none.   vehicle: (n,).
    Without a usable vehicle lane everything is NaN; with one, the errors are.
    Source: own derivation, docs/blot.md: lanes scatter as vehicle lanes do, s^2 (1 + 1/n), and a weak band
    by its own noise beyond theirs.
    """
    usable = vehicle & np.isfinite(logs)
    n = int(usable.sum())
    if n == 0:
        nothing = np.full(logs.shape, np.nan)
        return nothing, nothing, 0
    ratio = logs - float(logs[usable].mean())
    if n < LEAST_VEHICLES:
        return ratio, np.full(logs.shape, np.nan), n
    variance = float(logs[usable].var(ddof=1)) * (1.0 + 1.0 / n)
    beyond = np.maximum(noise**2 - float((noise[usable] ** 2).mean()), 0.0)
    return ratio, np.sqrt(variance + beyond), n


def normalise(
    volumes: Sequence[Row], boxes: Boxes, settings: Settings, *, left_out: Mapping[int, str] = NOTHING
) -> tuple[list[Row], list[Finding]]:
    """Rows of `BANDS` and findings, from the rows of the table of volumes.

    left_out: why lanes are left out, by number; their rows stay, without a ratio.
    """
    name = choose_reference(boxes, settings)
    if name is None:
        what = "no reference band is named, so there are volumes and no ratios"
        remedy = 'give a band the role "loading" or "total protein" in the box file (--write-boxes, --boxes)'
        return [], [Finding("GP-A137", "note", what, boxes.source, "", remedy)]
    by_place = {(row["lane"], row["band"]): row for row in volumes}
    targets = [band.name for band in boxes.file.band if band.role == "target" and band.name != name]
    references = [by_place[lane.lane, name] for lane in boxes.file.lane]
    findings = _reference_findings(references, name)
    findings += _spread_findings(by_place, boxes, name)
    rows = []
    for target in targets:
        made, found = _target((target, name), by_place, boxes, left_out)
        rows += made
        findings += found
    if any(lane.vehicle for lane in boxes.file.lane):
        return rows, findings
    text = f"no vehicle lane on membrane {boxes.file.membrane}: nothing to compare its lanes with"
    refusal = Finding(
        "GP-A131", "refusal", text, f"{boxes.source}, lane", "vehicle = true in two lanes or more",
        "mark the vehicle lanes; lanes of another membrane cannot stand in for them",
    )  # fmt: skip
    return rows, [*findings, refusal]


def _target(
    names: tuple[str, str],
    volumes: Mapping[tuple[int, str], Row],
    boxes: Boxes,
    left_out: Mapping[int, str],
) -> tuple[list[Row], list[Finding]]:
    (target, reference), lanes = names, boxes.file.lane
    ratios = [log_ratio(volumes[lane.lane, target], volumes[lane.lane, reference]) for lane in lanes]
    logs = np.array([ratio.value for ratio in ratios])
    noise = np.array([ratio.noise for ratio in ratios])
    raw, used = logs, np.array([lane.lane not in left_out for lane in lanes])
    logs = np.where(used, logs, np.nan)
    # A limit cannot be averaged with values.
    vehicle = np.array(
        [lane.vehicle and ratio.relation == "=" for lane, ratio in zip(lanes, ratios, strict=True)]
    )
    values, errors, n = against_vehicle(logs, noise, vehicle)
    findings = _vehicle_findings(target, n, boxes)
    rows = []
    for i, lane in enumerate(lanes):
        flags = [*ratios[i].flags]
        if n < LEAST_VEHICLES:
            flags.append("one vehicle lane" if n else "no vehicle lane")
        if lane.load is not None:
            flags.append("dilution series")
        if lane.lane in left_out:
            flags.append(f"{exclusions.FLAG}: {left_out[lane.lane]}")
        known = math.isfinite(values[i])
        rows.append(
            _head(lane, boxes)
            | {
                "target": target, "reference": reference, "vehicle": lane.vehicle,
                "log_ratio": _or_none(values[i]), "log_ratio_se": _or_none(errors[i]),
                "fraction_remaining": math.exp(values[i]) if known else None,
                "relation": ratios[i].relation if known else "", "flags": "; ".join(flags),
                "target_volume": volumes[lane.lane, target]["volume"],
                "reference_volume": volumes[lane.lane, reference]["volume"],
                "log_target_over_reference": _or_none(raw[i]),
            }
        )  # fmt: skip
    return rows, findings


def excluded(bands: Sequence[Row]) -> list[Row]:
    """Lanes that are left out, with the fraction of the vehicle that they would have had.

    bands: rows of `BANDS`.   Returns rows of `contract.EXCLUDED`.
    """
    found = []
    for row in bands:
        flag = next((one for one in row["flags"].split("; ") if one.startswith(exclusions.FLAG)), "")
        if not flag:
            continue
        levels = [
            other["log_target_over_reference"] - other["log_ratio"]
            for other in bands
            if other["target"] == row["target"] and other["log_ratio"] is not None
        ]
        raw = row["log_target_over_reference"]
        found.append(
            {
                "where": f"{row['membrane']}:{row['lane']}",
                "curve": row["target"],
                "role": "vehicle" if row["vehicle"] else "",
                "sample": row["sample"],
                "x": row["dose_nm"],
                "value": math.exp(raw - levels[0]) if levels and raw is not None else None,
                "reason": flag.removeprefix(f"{exclusions.FLAG}: "),
            }
        )
    return found


def _head(lane: Lane, boxes: Boxes) -> Row:
    return {
        "membrane": boxes.file.membrane,
        "lane": lane.lane,
        "sample": lane.sample,
        # A vehicle lane is dose zero even where nobody wrote so.
        "dose_nm": 0.0 if lane.vehicle and lane.dose_nm is None else lane.dose_nm,
        "time_h": lane.time_h,
        "experiment": lane.experiment or boxes.file.experiment,
        "treatment": lane.treatment,
    }


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _vehicle_findings(target: str, n: int, boxes: Boxes) -> list[Finding]:
    where = f'band "{target}", membrane {boxes.file.membrane}'
    if n == 1:
        text = "one usable vehicle lane: its error goes into every ratio, and its scatter is unknown"
        remedy = "load the vehicle in two lanes or more; ratios carry no interval until then"
        return [Finding("GP-A132", "warning", text, where, "two vehicle lanes or more", remedy)]
    if n == 0 and any(lane.vehicle for lane in boxes.file.lane):
        text = "no usable vehicle lane: saturated, below detection, or without a reference"
        remedy = "see the findings of these lanes; expose again"
        return [Finding("GP-A131", "refusal", text, where, "two vehicle lanes or more", remedy)]
    return []


def _reference_findings(references: Sequence[Row], name: str) -> list[Finding]:
    findings = []
    for status in ("saturated", "below detection", "no background"):
        lanes = [str(row["lane"]) for row in references if row["status"] == status]
        if lanes:
            findings.append(
                Finding(
                    "GP-A130", "refusal", f"the reference is {status}: these lanes have no ratio",
                    f'band "{name}", lane{"s" if len(lanes) > 1 else ""} {", ".join(lanes)}',
                    "a reference inside its linear range",
                    "expose the reference again, or normalise to total protein",
                )
            )  # fmt: skip
    return findings


def _spread_findings(volumes: Mapping[tuple[int, str], Row], boxes: Boxes, name: str) -> list[Finding]:
    """A reference that stays the same while the load visibly differs is saturated on the membrane."""
    lanes = [lane for lane in boxes.file.lane if volumes[lane.lane, name]["status"] == "ok"]
    own = _log_spread([volumes[lane.lane, name]["volume"] for lane in lanes])
    if own is None or own >= LEAST_SPREAD:
        return []
    witnesses: dict[str, list[float]] = {
        "the loads given": [lane.load for lane in lanes if lane.load is not None]
    }
    for band in boxes.file.band:
        others = [row for lane in lanes if (row := volumes.get((lane.lane, band.name))) is not None]
        if band.name != name and band.role in ("loading", "total protein"):
            witnesses[f'"{band.name}"'] = [row["volume"] for row in others if row["status"] == "ok"]
        elif band.role == "target":
            alike = [lane.lane for lane in lanes if lane.vehicle]
            witnesses[f'"{band.name}" in the vehicle lanes'] = [
                row["volume"] for row in others if row["lane"] in alike and row["status"] == "ok"
            ]
    for witness, amounts in witnesses.items():
        seen = _log_spread(amounts)
        if seen is not None and seen > VISIBLE_SPREAD:
            return [_flat_finding(name, own, witness, seen)]
    return []


def _flat_finding(name: str, own: float, witness: str, seen: float) -> Finding:
    return Finding(
        "GP-A133",
        "warning",
        f"spreads by {100.0 * own:.1f} % between lanes, while {witness} spread by {100.0 * seen:.0f} %",
        f'band "{name}"',
        "a reference that differs with the load",
        "it is saturated on the membrane: normalise to total protein, or load less",
    )


def _log_spread(amounts: Sequence[float]) -> float | None:
    """Standard deviation of the logarithms, about the CV; None from fewer than three."""
    logs = np.log([amount for amount in amounts if amount > 0.0])
    return float(logs.std(ddof=1)) if logs.size >= 3 else None
