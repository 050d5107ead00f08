"""All that was measured of one compound, beside its reference on the same plates, with what is to be said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint import references
from glueprint.assays.findings import Finding
from glueprint.calibration.compound.choosing import FITTED, choose
from glueprint.calibration.compound.forward import cells_of
from glueprint.calibration.compound.latents import SUBSTRATES, known_cells
from glueprint.calibration.compound.measured import MEASUREMENTS, table_of
from glueprint.errors import InputError, nearest

__all__ = ["Dossier", "dossier", "key_of", "name_of"]

Row = dict[str, Any]
NO_REFERENCE = "a well of the reference on the same plate"


@dataclass(frozen=True)
class Dossier:
    """What is known of one compound.

    measurements: rows of `MEASUREMENTS` of the compound and its reference, with `use`: "fitted", or why not.
    findings: in the order met, with codes of docs/errors/calibration.md.
    """

    compound: str
    reference: str
    measurements: pl.DataFrame
    findings: tuple[Finding, ...]

    @property
    def fitted(self) -> list[Row]:
        """The rows that enter the fit."""
        return self.measurements.filter(pl.col("use") == FITTED).to_dicts()


def dossier(
    rows: pl.DataFrame | Iterable[pl.DataFrame], *, compound: str, reference: str | None = None
) -> Dossier:
    """Gather what was measured of a compound.

    rows: of `MEASUREMENTS`, one table or several.   compound, reference: by the names on the plates; the
    reference is that of the in-vitro fit if None, and no other is known so well that a ratio to it says more.
    Raises InputError GP-K030 where nothing was measured of the compound, GP-K036 for another reference.
    """
    usual = references.default().compound
    chosen = usual if reference is None else reference
    if chosen.lower() != usual.lower():
        raise InputError(
            "GP-K036",
            f'the reference "{chosen}"{nearest(chosen, [usual])}',
            where="reference",
            expected=f"{usual}, whose affinity and effects the in-vitro fit knows in every line",
            next_step=f"measure {usual} beside the compound, or leave the reference out",
        )
    parts = [rows] if isinstance(rows, pl.DataFrame) else list(rows)
    listed, findings = _once([_shaped(part).to_dicts() for part in parts])
    own = _named(listed, compound)
    others = _named(listed, chosen) if chosen.lower() != compound.lower() else []
    if not any(row["relation"] != "none" for row in own):
        raise _nothing(compound, listed)
    findings += _strangers(listed, compound, chosen)
    mine, lonely = _with_the_compound(own, others)
    findings += lonely
    table = table_of(mine).with_columns(pl.Series("use", choose(mine), dtype=pl.String))
    found = Dossier(compound, chosen, table, ())
    return Dossier(compound, chosen, table, (*findings, *_about(found)))


def _shaped(part: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in MEASUREMENTS if name not in part.columns]
    if missing:
        raise InputError(
            "GP-K031",
            f'the table of measured quantities cannot be used: no column "{missing[0]}"',
            where="rows",
            expected="rows as `measurements` and `measured_table` give them",
            next_step="pass their tables as they are",
        )
    return part.select(list(MEASUREMENTS)).cast(dict(MEASUREMENTS))  # type: ignore[arg-type]


def _named(rows: list[Row], name: str) -> list[Row]:
    """Rows of a compound whatever its name's case, with the name as asked for."""
    return [row | {"compound": name} for row in rows if row["compound"].strip().lower() == name.lower()]


def _nothing(compound: str, rows: list[Row]) -> InputError:
    names = list(dict.fromkeys(row["compound"] for row in rows))
    return InputError(
        "GP-K030",
        f'nothing was measured of "{compound}"{nearest(compound, names)}: the prior alone says nothing of it',
        where="dossier",
        expected=f"a measured quantity of it; there are {', '.join(names) or 'none of any compound'}",
        next_step="name the compound as the plates do, or measure its affinity and its degradation",
    )


def _once(parts: list[list[Row]]) -> tuple[list[Row], list[Finding]]:
    """Rows without those of a file that was given twice: in two parts, or under two names."""
    first: dict[str, tuple[int, str]] = {}
    kept = list[Row]()
    twice: dict[str, str] = {}
    for number, rows in enumerate(parts):
        for row in rows:
            where = (number, row["file"])
            # A table of quantities may hold several experiments: they are one file all the same.
            if row["sha256"] and first.setdefault(row["sha256"], where) != where:
                twice[row["file"]] = first[row["sha256"]][1]
                continue
            kept.append(row)
    return kept, [
        Finding(
            "GP-K040",
            "warning",
            f"the same bytes as {other}: counted once",
            where=file,
            expected="every file once",
            next_step="leave the copy out, or give the file of the other experiment",
        )
        for file, other in twice.items()
    ]


def _strangers(rows: list[Row], compound: str, reference: str) -> list[Finding]:
    names = {compound.lower(), reference.lower()}
    others = dict.fromkeys(row["compound"] for row in rows if row["compound"].strip().lower() not in names)
    if not others:
        return []
    return [
        Finding(
            "GP-K046",
            "note",
            f"measured quantities of {', '.join(others)} are left out: they are of other compounds",
            where="dossier",
        )
    ]


def _with_the_compound(own: list[Row], others: list[Row]) -> tuple[list[Row], list[Finding]]:
    """Rows of experiments in which the compound is, and a finding for each other."""
    here = {(row["assay"], row["experiment"]) for row in own}
    lonely = dict.fromkeys(
        (row["assay"], row["experiment"], row["file"])
        for row in others
        if (row["assay"], row["experiment"]) not in here
    )
    findings = [
        Finding(
            "GP-K041",
            "warning",
            f"{assay}, {experiment}: the compound is not on it, so it tells nothing of it",
            where=file,
            expected="the compound beside the reference",
            next_step="check the names in the layout, or leave the file out",
        )
        for assay, experiment, file in lonely
    ]
    return [*own, *(row for row in others if (row["assay"], row["experiment"]) in here)], findings


def _about(found: Dossier) -> list[Finding]:
    fitted = found.fitted
    own = [row for row in fitted if row["compound"] == found.compound]
    return [
        *_without_reference(found, own),
        *_only_limits(own),
        *_degrades_nothing(found),
        *_unknown_cells(fitted),
        *_not_informed(found, own),
        *_shown_only(found),
    ]


def key_of(row: Row) -> tuple[str, ...]:
    """What a row of the reference must share with one of the compound to take the assay's error away."""
    return tuple(row[name] for name in ("assay", "experiment", "quantity", "target", "cells"))


def _without_reference(found: Dossier, own: Sequence[Row]) -> list[Finding]:
    beside = {
        key_of(row) for row in found.fitted if row["compound"] != found.compound and row["relation"] == "="
    }
    alone: dict[tuple[str, str], list[str]] = {}
    for row in own:
        if key_of(row) not in beside:
            alone.setdefault((row["assay"], row["experiment"]), []).append(name_of(row))
    return [
        Finding(
            "GP-K042",
            "warning",
            f"{found.reference} is not on the plate for {', '.join(dict.fromkeys(names))}: the assay's own "
            "error, which a reference takes away, enters in full and widens the interval several-fold",
            where=f"{assay}, {experiment}",
            expected=NO_REFERENCE,
            next_step=f"measure {found.reference} on the same plate: one well series cures it",
        )
        for (assay, experiment), names in alone.items()
    ]


def name_of(row: Row) -> str:
    """A row in words: quantity, target, cells and time."""
    parts = (row["quantity"], row["target"], row["cells"], f"{row['time_h']:g} h" if row["time_h"] else "")
    return " ".join(part for part in parts if part)


def _only_limits(own: Sequence[Row]) -> list[Finding]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in own:
        groups.setdefault(key_of(row), []).append(row)
    findings = []
    for rows in groups.values():
        sides = {row["relation"] for row in rows}
        if sides & {"=", "between"} or rows[0]["quantity"] == "loss":
            continue
        side = "<" if "<" in sides else ">"
        what = "all doses are above it" if side == "<" else "no dose reaches it"
        edge = (min if side == "<" else max)(row["value"] for row in rows if row["relation"] == side)
        findings.append(
            Finding(
                "GP-K043",
                "warning",
                f"{name_of(rows[0])} is only known as {side} {edge:.4g} {rows[0]['unit']}: {what}",
                where=f"{rows[0]['assay']}, {rows[0]['experiment']}",
                expected="doses on both sides",
                next_step="add lower doses" if side == "<" else "add higher doses, if they dissolve",
            )
        )
    return findings


def _degrades_nothing(found: Dossier) -> list[Finding]:
    own = found.measurements.filter(pl.col("compound") == found.compound)
    losses = own.filter(pl.col("quantity") == "loss").to_dicts()
    findings = []
    for target in dict.fromkeys(row["target"] for row in losses):
        rows = [row for row in losses if row["target"] == target and row["relation"] == "<"]
        seen = own.filter((pl.col("target") == target) & (pl.col("relation") == "=")).height
        if rows and not seen:
            least = min(rows, key=lambda row: float(row["value"]))
            findings.append(
                Finding(
                    "GP-K044",
                    "warning",
                    f"{found.compound} degrades no {target}: less than {100.0 * least['value']:.0f} % at "
                    f"{least['dose_nm']:g} nM and {least['time_h']:g} h; its efficacy has an upper limit "
                    "only",
                    where=f"{least['assay']}, {least['experiment']}",
                    expected="a loss at the highest doses",
                    next_step="if it binds, other substrates may be what it degrades",
                )
            )
    return findings


def _unknown_cells(fitted: Sequence[Row]) -> list[Finding]:
    names = dict.fromkeys(cells for row in fitted if (cells := cells_of(row)) and not known_cells(cells))
    return [
        Finding(
            "GP-K047",
            "note",
            f"the in-vitro fit does not know {name}: its capacity has a wide prior, a hundredfold",
            where=name,
            expected="MM1S, RPMI8226, OPM2 or monocytes; or the reference on the same plates",
            next_step="the reference in the same cells tells their capacity",
        )
        for name in names
    ]


def _not_informed(found: Dossier, own: Sequence[Row]) -> list[Finding]:
    """Which of affinity and efficacies nothing speaks to."""
    affinity = {"kd", "ki", "rate_ec50", "dc50_absolute", "dc50_relative", "ic50_absolute", "ic50_relative"}
    missing = [] if {row["quantity"] for row in own} & {*affinity, "gr50"} else ["its affinity"]
    seen = {row["target"] for row in own if row["quantity"] in ("rate_max_over_k_deg", "dmax", "loss")}
    missing += [f"its efficacy for {name}" for name in SUBSTRATES if name not in seen]
    if not missing:
        return []
    return [
        Finding(
            "GP-K048",
            "warning",
            f"nothing measured speaks directly of {', '.join(missing)}: what else is known and the prior say "
            "it",
            where=found.compound,
            expected="polarisation for the affinity, rates of degradation for the efficacies",
            next_step="measure it; until then the interval is that of the prior where nothing else holds it",
        )
    ]


def _shown_only(found: Dossier) -> list[Finding]:
    """Quantities that are shown and not fitted, by reason."""
    left = found.measurements.filter(pl.col("use") != FITTED)
    reasons: dict[str, list[str]] = {}
    for row in left.filter(pl.col("compound") == found.compound).to_dicts():
        reasons.setdefault(row["use"], []).append(row["quantity"])
    return [
        Finding(
            "GP-K049",
            "note",
            f"{', '.join(dict.fromkeys(names))}: shown, not fitted: {reason}",
            where=found.compound,
        )
        for reason, names in reasons.items()
    ]
