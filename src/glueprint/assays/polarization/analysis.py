"""The analysis of polarisation plates, from wells to Ki, Kd and IC50 with everything that was noticed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from glueprint.assays.contract import Observations, tables_of
from glueprint.assays.findings import Finding
from glueprint.assays.polarization import checking, contradictions, fits, plates, reading, saturation
from glueprint.assays.polarization.channels import TOP
from glueprint.assays.polarization.plates import Contents
from glueprint.assays.polarization.result import CURVES, TITRATIONS, Result
from glueprint.assays.polarization.settings import Amount, Conditions, Settings
from glueprint.assays.quality import exclusions, inspection, verdicts
from glueprint.assays.wells import check
from glueprint.curves import Potency
from glueprint.errors import InputError

__all__ = ["analyse"]


def analyse(observations: pl.DataFrame | Observations, settings: Settings | None = None) -> Result:
    """Read polarisation wells and fit every titration and every compound on every plate.

    observations: one row a well and channel with the columns of `assays.wells.SCHEMA`; roles blank,
    tracer_only, tracer_protein, competitor (sample, concentration), free_dye. What a layout states of
    protein, tracer and light holds where the settings are silent.   settings: a Ki is refused without their
    totals and tracer Kd.
    Returns `Result`; does not depend on the order of the rows.
    Raises InputError GP-A060 (channels), GP-A061 (concentrations), GP-A062 (settings), GP-A063 (nothing to
    analyse), GP-A205 and GP-A206 (doses that are none), GP-A208 (controls that are no polarisations),
    GP-A240 (no such well to leave out), and what
    `assays.wells.check` raises.
    Source: docs/polarization.md.
    """
    given = Observations.of(observations)
    chosen = (settings or Settings()).completed(given.assay, given.source)
    conditions, optics, confidence = chosen.conditions, chosen.optics, chosen.confidence
    of_doses = contradictions.doses(given.table)
    read = reading.read(given.table, optics, chosen.exclude)
    findings = [*given.findings, *of_doses, *read.findings]
    collected: dict[str, list[Any]] = {name: [] for name in ("fits", "conversions", "quality")}
    drawn, titrations = [pl.DataFrame(schema=CURVES)], [pl.DataFrame(schema=TITRATIONS)]
    suspected = [verdicts.suspects_table([])]
    labels: list[dict[str, str]] = []
    found: list[Potency] = []
    contents = plates.contents(read.table, conditions)
    if not any(plate.compounds or plate.titrated.height for plate in contents):
        raise _nothing(read.table)
    for plate in contents:
        contradictions.controls(plate, mp_only=read.mp_only)
        findings += contradictions.dark(plate)
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
        findings += [
            *said,
            *_inputs(here, plate),
            *contradictions.two_proteins(here, plate),
            *_controls(plate),
        ]
        findings += contradictions.share_bound(here, plate)
        plate, said = contradictions.falling(plate)
        findings += said
        findings += plates.interference(plate)
        collected["quality"] += checking.rows(plate, light)
        of_compounds, (odd, said) = fits.competitors(plate, here, light, confidence)
        suspected.append(odd)
        findings += [*said, *inspection.of_plates(_by_channel(read.table, plate))[1]]
        for fitted in of_compounds:
            if fitted.fit is not None:
                collected["fits"].append(fitted.fit)
            collected["conversions"] += fitted.conversions
            drawn.append(fitted.curve)
            findings += fitted.findings
            found += fitted.potencies
            labels += [{"plate": plate.plate, "sample": fitted.sample}] * len(fitted.potencies)
    return Result(
        settings=chosen,
        tables=tables_of(
            Result.SCHEMAS,
            {
                "wells": read.table,
                "fits": collected["fits"],
                "conversions": collected["conversions"],
                "curves": pl.concat([part.select(*CURVES) for part in drawn]),
                "titrations": pl.concat([part.select(*TITRATIONS) for part in titrations]),
                "potencies": [label | one.as_dict() for label, one in zip(labels, found, strict=True)],
                "suspects": pl.concat(suspected),
                "excluded": _excluded(read.table),
            },
        ),
        potencies=tuple(found),
        quality=pl.DataFrame(collected["quality"], schema=verdicts.QUALITY),
        findings=tuple(findings),
        g_factors=read.g_factors,
    )


def _by_channel(table: pl.DataFrame, plate: Contents) -> pl.DataFrame:
    """The used wells of a plate but a titration's, as rows of its one channel, the polarisation in mP."""
    titrated = (pl.col("role") == TOP) & ~pl.col("well").is_in(plate.top["well"].to_list())
    used = table.filter((pl.col("plate") == plate.plate) & (pl.col("note") == "") & ~titrated)
    return check(
        used.select(
            "plate",
            "well",
            "role",
            "sample",
            channel=pl.lit("mP"),
            value=pl.col("polarization_mp"),
            concentration=pl.col("concentration_nm"),
        )
    )


def _excluded(table: pl.DataFrame) -> pl.DataFrame:
    """The wells that were left out, with the anisotropy that they had."""
    return table.filter(pl.col("note").str.starts_with(exclusions.FLAG)).select(
        where=pl.format("{}:{}", "plate", "well"),
        curve="plate",
        role="role",
        sample="sample",
        x="concentration_nm",
        value="anisotropy",
        reason=pl.col("note").str.strip_prefix(f"{exclusions.FLAG}: "),
    )


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
