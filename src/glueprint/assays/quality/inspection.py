"""Inspection: what a plate holds before anything is fitted: counts, flags, quality, position effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from glueprint.assays import wells as well_tables
from glueprint.assays.findings import Finding
from glueprint.assays.plate import MASKED, plate_shape, well_name, well_place
from glueprint.assays.quality import ceilings, positions, verdicts, windows
from glueprint.errors import InputError

__all__ = ["CONTROL_PAIRS", "Inspection", "inspect", "of_plates"]

# High and low control of an assay, by role.
CONTROL_PAIRS = (
    ("positive", "negative"),
    ("vehicle", "positive"),
    ("stimulated", "unstimulated"),
    ("tracer_protein", "tracer_only"),
)
# Zhang, Chung and Oldenburg 1999, doi 10.1177/108705719900400206, table 1.
GOOD_Z_PRIME = 0.5
# Below zero the controls come within three standard deviations of each other, as there.
OVERLAP = 0.0
# Units of what is computed from readings: it ends nowhere of its own.
NO_CEILING = {"mP", "%"}
Along = Literal["rows", "columns"]

CHANNELS = {
    "plate": pl.String, "channel": pl.String, "unit": pl.String, "wells": pl.Int64, "measured": pl.Int64,
    "flagged": pl.Int64, "low": pl.Float64, "median": pl.Float64, "high": pl.Float64,
}  # fmt: skip
QUALITY = {
    "plate": pl.String, "channel": pl.String, "name": pl.String, "value": pl.Float64, "unit": pl.String,
    "limit": pl.String, "verdict": pl.String,
}  # fmt: skip
POSITIONS = {
    "plate": pl.String, "channel": pl.String, "kind": pl.String, "name": pl.String, "wells": pl.Int64,
    "shift_sd": pl.Float64, "shift_percent": pl.Float64, "score": pl.Float64, "p_value": pl.Float64,
    "found": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True)
class Inspection:
    """What is on the plates: tables "channels", "flags", "quality" and "positions", and all findings."""

    tables: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...]

    @property
    def quality(self) -> pl.DataFrame:
        """The quality numbers: plate, channel, name, value, unit, limit, verdict."""
        return self.tables["quality"]

    def as_dict(self) -> dict[str, object]:
        """The tables and the findings as rows."""
        tables = {name: table.to_dicts() for name, table in self.tables.items()}
        return {**tables, "findings": [finding.as_dict() for finding in self.findings]}


def inspect(
    wells: pl.DataFrame, *, replicates: Along | None = None, findings: tuple[Finding, ...] = ()
) -> Inspection:
    """Count, check and compare the wells of every plate and channel.

    wells: as `layout.apply` gives them, or any table that `wells.check` takes.   replicates: where no layout
    says which wells hold the same: "rows" (all wells of a row do) or "columns".   findings: made before.
    Returns `Inspection`. Raises InputError GP-A045 for a table without wells or values.
    """
    table = well_tables.check(wells)
    # What was masked in the vendor's program keeps its value in the table and makes no number here.
    table = table.with_columns(value=pl.when(pl.col("flag") != MASKED).then("value"))
    channels, numbers, effects = [], [], []
    more: list[Finding] = []
    for (plate, channel), part in table.group_by("plate", "channel", maintain_order=True):
        key = {"plate": plate, "channel": channel}
        channels.append(key | _counts(part))
        numbers += [key | row for row in _quality(part)]
        found = _effects(part, replicates)
        effects += [key | _row(effect) for effect in found]
        more += _position_findings(found, f'plate "{plate}", channel "{channel}"')
    flags = table.filter(pl.col("flag") != "").group_by("plate", "channel", "flag", maintain_order=True)
    tables = {
        "channels": pl.DataFrame(channels, schema=CHANNELS),
        "flags": flags.agg(wells=pl.col("well")),
        "quality": pl.DataFrame(numbers, schema=QUALITY),
        "positions": pl.DataFrame(effects, schema=POSITIONS),
    }
    return Inspection(tables, (*findings, *more))


def of_plates(wells: pl.DataFrame) -> tuple[list[dict[str, object]], list[Finding]]:
    """Rows of `verdicts.QUALITY` and warnings on control windows and positions, for every plate and channel.

    wells: as `layout.apply` gives them, without those that are left out.
    """
    rows: list[dict[str, object]] = []
    findings: list[Finding] = []
    for (plate, channel), part in wells.group_by("plate", "channel", maintain_order=True):
        where = f'plate "{plate}"' + (f', channel "{channel}"' if channel else "")
        for number in _quality(part):
            rows.append(number | {"where": where})
            findings += _window(number, where)
        found = _effects(part, None)
        rows += [
            verdicts.quality_row(
                f"position effect of {effect.title}", where, effect.shift_percent, unit="%", passed=False
            )
            for effect in found
            if effect.found
        ]
        findings += [one for one in _position_findings(found, where) if one.severity == "warning"]
        if not set(part["unit"].to_list()) & NO_CEILING:
            findings += ceilings.ceiling(part["value"].to_list(), part["well"].to_list(), where)
    return rows, findings


def _window(number: Mapping[str, Any], where: str) -> list[Finding]:
    """A warning where the controls of an assay overlap."""
    if not number["name"].startswith("Z'") or number["value"] >= OVERLAP:
        return []
    return [
        Finding(
            "GP-A245",
            "warning",
            f"the controls overlap: {number['name']} is {number['value']:.2f}",
            where,
            f"Z' above {OVERLAP:g}, and at least {GOOD_Z_PRIME:g} in a good assay",
            "look for a bad control well; without a window no result of this plate can be trusted",
        )
    ]


def _counts(part: pl.DataFrame) -> dict[str, object]:
    values = part["value"].drop_nulls()
    return {
        "unit": " ".join(part["unit"].unique(maintain_order=True)),
        "wells": part.height,
        "measured": values.len(),
        "flagged": int((part["flag"] != "").sum()),
        "low": values.min(),
        "median": values.median(),
        "high": values.max(),
    }


def _quality(part: pl.DataFrame) -> list[dict[str, object]]:
    """Z', robust Z' and SSMD of each pair of control roles that the plate has."""
    rows: list[dict[str, object]] = []
    for high, low in CONTROL_PAIRS:
        above, below = (
            part.filter(pl.col("role") == role)["value"].drop_nulls().to_numpy() for role in (high, low)
        )
        numbers = (("Z'", windows.z_prime), ("robust Z'", windows.robust_z_prime), ("SSMD", windows.ssmd))
        for name, function in numbers:
            try:
                value = function(above, below)
            except InputError:
                continue
            limited = name != "SSMD"
            rows.append(
                {
                    "name": f"{name} of {high} and {low}",
                    "value": value,
                    "unit": "",
                    "limit": f"at least {GOOD_Z_PRIME}" if limited else "",
                    "verdict": ("good" if value >= GOOD_Z_PRIME else "poor") if limited else "",
                }
            )
    return rows


def _effects(part: pl.DataFrame, replicates: Along | None) -> tuple[positions.Effect, ...]:
    """Position effects among the wells that hold the same."""
    good = part.filter(pl.col("value").is_not_null() & pl.col("well").map_elements(_is_well, pl.Boolean))
    if replicates is None:
        good = good.filter(pl.col("role") != "")
    if good.is_empty():
        return ()
    places = np.array([well_place(well) for well in good["well"]])
    if replicates is not None:
        group = places[:, 0 if replicates == "rows" else 1]
    else:
        group = good.select(pl.struct(well_tables.ALIKE).rank("dense")).to_series().to_numpy()
    everywhere = [well_place(well) for well in part["well"] if _is_well(well)]
    shape = plate_shape(everywhere)
    return positions.effects(good["value"].to_numpy(), places[:, 0], places[:, 1], group, shape)


def _is_well(well: str) -> bool:
    return well_name(well) == well


def _row(effect: positions.Effect) -> dict[str, object]:
    return {name: getattr(effect, name) for name in POSITIONS if name not in ("plate", "channel")}


def _position_findings(found: tuple[positions.Effect, ...], where: str) -> list[Finding]:
    if not found:
        said = "no wells that hold the same lie in several rows or columns: position effects are not tested"
        remedy = "give a layout, or say along what the replicates run"
        return [Finding("GP-A050", "note", said, where, next_step=remedy)]
    return [
        Finding(
            "GP-A051",
            "warning",
            f"{effect.title} is {effect.shift_sd:+.2f} SD ({effect.shift_percent:+.1f} %) "
            f"off its replicates in {effect.wells} wells (p = {effect.p_value:.2g})",
            where=where,
            expected=f"no row, column or edge off by chance less than {positions.ALPHA:g}",
            next_step="look at the plate map; leave the wells out or correct with scattered controls",
        )
        for effect in found
        if effect.found
    ]
