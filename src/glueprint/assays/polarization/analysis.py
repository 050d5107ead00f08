"""The analysis of polarisation plates, from wells to Ki, Kd and IC50 with everything that was noticed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import meaning
from glueprint.assays.polarization import checking, fits, plates, reading, saturation
from glueprint.assays.polarization.plates import Contents
from glueprint.assays.polarization.result import (
    CONVERSIONS,
    CURVES,
    FITS,
    QUALITY,
    TITRATIONS,
    Result,
)
from glueprint.assays.polarization.settings import Amount, Conditions, Optics
from glueprint.curves import Potency
from glueprint.curves.potency import potencies_table
from glueprint.errors import InputError

__all__ = ["analyse"]

# What the docstrings call the defaults: nothing is stated, and the reader's own channel names.
NOTHING_STATED = Conditions()
PLAIN_OPTICS = Optics()


def analyse(
    wells: pl.DataFrame,
    conditions: Conditions = NOTHING_STATED,
    *,
    optics: Optics = PLAIN_OPTICS,
    exclude: tuple[str, ...] = (),
    confidence: float = 0.95,
) -> Result:
    """Read polarisation wells and fit every titration and every compound on every plate.

    wells: one row a well and channel with the columns of `assays.wells.SCHEMA`; roles blank, tracer_only,
    tracer_protein, competitor (sample, concentration), free_dye.   conditions: totals and tracer Kd; a Ki is
    refused without them.   optics: G, Q and channel names.   exclude: wells to leave out, "A1" or "plate:A1".
    Returns `Result`; does not depend on the order of the rows.
    Raises InputError GP-A060 (channels), GP-A061 (concentrations), GP-A063 (nothing to analyse), GP-A208
    (controls that
    are no polarisations), and what
    `assays.wells.check` raises.
    Source: docs/polarization.md.
    """
    read = reading.read(wells, optics, exclude)
    findings = [*read.findings]
    collected: dict[str, list[Any]] = {name: [] for name in ("fits", "conversions", "quality")}
    drawn, titrations = [pl.DataFrame(schema=CURVES)], [pl.DataFrame(schema=TITRATIONS)]
    labels: list[dict[str, str]] = []
    found: list[Potency] = []
    contents = plates.contents(read.table, conditions)
    if not any(plate.compounds or plate.titrated.height for plate in contents):
        raise _nothing(read.table)
    for plate in contents:
        _meant(plate, mp_only=read.mp_only)
        titrated = saturation.of_plate(plate, conditions.tracer, optics, confidence)
        titrations.append(titrated.table)
        drawn.append(titrated.curves)
        findings += titrated.findings
        if titrated.kd is not None:
            found.append(titrated.kd)
            labels.append({"plate": plate.plate, "sample": saturation.TRACER})
        here, said = _with_kd(conditions, titrated.kd, plate)
        findings += said
        light, said = plates.brightness(plate, here, optics)
        findings += [*said, *_inputs(here, plate), *_contradicted(here, plate), *_controls(plate)]
        findings += plates.interference(plate)
        collected["quality"] += checking.rows(plate, light)
        for fitted in fits.competitors(plate, here, light, confidence):
            if fitted.fit is not None:
                collected["fits"].append(fitted.fit)
            collected["conversions"] += fitted.conversions
            drawn.append(fitted.curve)
            findings += fitted.findings
            found += fitted.potencies
            labels += [{"plate": plate.plate, "sample": fitted.sample}] * len(fitted.potencies)
    tables = {
        "wells": read.table,
        "fits": pl.DataFrame(collected["fits"], schema=FITS),
        "conversions": pl.DataFrame(collected["conversions"], schema=CONVERSIONS),
        "curves": pl.concat([part.select(*CURVES) for part in drawn]),
        "titrations": pl.concat([part.select(*TITRATIONS) for part in titrations]),
        "potencies": _named(found, labels),
    }
    quality = pl.DataFrame(collected["quality"], schema=QUALITY)
    return Result(tables, tuple(found), quality, tuple(findings), read.g_factors, confidence)


def _meant(plate: Contents, *, mp_only: bool) -> None:
    """Raise InputError GP-A208 if the controls cannot be polarisations of tracer without and with protein."""
    free, top = (part["polarization_mp"].drop_nulls().to_numpy() for part in (plate.free, plate.top))
    meaning.refused(meaning.polarization(free, top, stored=mp_only, where=plate.where))


def _with_kd(conditions: Conditions, kd: Potency | None, plate: Contents) -> tuple[Conditions, list[Finding]]:
    """The conditions with the Kd of the plate's own titration where none is stated."""
    if conditions.tracer_kd is not None or kd is None or kd.value_nm is None or kd.relation != "=":
        return conditions, []
    low, high = kd.low_nm or kd.value_nm, kd.high_nm or kd.value_nm
    own = Amount.between(kd.value_nm, low, high)
    said = Finding(
        "GP-A064",
        "note",
        f"tracer Kd {kd.value_nm:.3g} nM ({low:.3g} to {high:.3g}) from the titration on the same plate",
        where=plate.where,
    )
    return replace(conditions, tracer_kd=own), [said]


def _inputs(conditions: Conditions, plate: Contents) -> list[Finding]:
    """What is missing for a Ki, and what was taken as exact."""
    if not plate.compounds:
        return []
    missing = conditions.missing()
    if missing:
        return [
            Finding(
                "GP-A064",
                "refusal",
                f"no Ki, IC50 only: missing {', '.join(missing)}",
                where=plate.where,
                expected="total active protein and tracer Kd with an uncertainty, and total tracer",
                next_step="state them (0 is an uncertainty, and says exact); an IC50 is no Ki",
            )
        ]
    if conditions.tracer is not None and conditions.tracer.cv is None:
        text = "the tracer concentration has no uncertainty and is taken as exact"
        return [Finding("GP-A064", "note", text, where=plate.where)]
    return []


def _contradicted(conditions: Conditions, plate: Contents) -> list[Finding]:
    """A layout that names another protein concentration than the conditions."""
    levels = plate.top["concentration_nm"].drop_nulls().unique().sort().to_list()
    stated = conditions.protein
    if stated is None or all(abs(level / stated.value_nm - 1.0) < plates.SAME_PROTEIN for level in levels):
        return []
    named = ", ".join(f"{level:g}" for level in levels)
    return [
        Finding(
            "GP-A074",
            "warning",
            f"the layout names {named} nM protein for tracer_protein, stated is {stated.value_nm:g} nM",
            where=plate.where,
            expected="one protein concentration",
            next_step="correct one of the two; the stated one is used",
        )
    ]


def _controls(plate: Contents) -> list[Finding]:
    if not plate.compounds:
        return []
    absent = [
        words
        for words, wells in (("tracer_only", plate.free), ("tracer_protein", plate.top))
        if wells.is_empty()
    ]
    return [
        Finding(
            "GP-A075",
            "warning",
            f"no wells {words}: that plateau rests on the doses alone, and Q is taken as 1",
            where=plate.where,
            expected="tracer alone, and tracer with protein, several wells each",
            next_step="measure both controls on every plate",
        )
        for words in absent
    ]


def _named(found: list[Potency], labels: list[dict[str, str]]) -> pl.DataFrame:
    """The potencies with plate and sample before them, also where there are none."""
    table = potencies_table(found, labels)
    if found:
        return table
    return table.select(pl.lit("").alias("plate"), pl.lit("").alias("sample"), pl.all()).clear()


def _nothing(table: pl.DataFrame) -> InputError:
    counts = table.group_by("role").len().sort("role")
    have = ", ".join(f"{number} {role or 'without role'}" for role, number in counts.iter_rows())
    return InputError(
        "GP-A063",
        f"no compound and no titration among the wells that can be used: {have or 'no wells'}",
        where='wells, column "role"',
        expected='wells of role "competitor", or "tracer_protein" at four or more protein concentrations',
        next_step="give the wells their roles in the layout",
    )
