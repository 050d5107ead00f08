"""What a polarisation plate says against itself: doses, controls, stated concentrations, the direction of
its curves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import polars as pl

from glueprint import units
from glueprint.assays.findings import Finding
from glueprint.assays.intake import Response, meaning
from glueprint.assays.polarization import plates
from glueprint.assays.polarization.channels import COMPETITOR, TOP, listed
from glueprint.assays.polarization.plates import Contents
from glueprint.assays.polarization.settings import Conditions
from glueprint.curves import equilibria
from glueprint.errors import InputError

__all__ = ["controls", "dark", "doses", "falling", "share_bound", "two_proteins"]

# What a competitor leaves of the bound tracer.
BOUND = meaning.Sense("share of tracer bound")
# A well with tracer has more light than a fifth of another.
LEAST_LIGHT = 0.2


def controls(plate: Contents, *, mp_only: bool) -> None:
    """Raise InputError GP-A208 if the controls cannot be polarisations of tracer without and with protein."""
    free, top = (part["polarization_mp"].drop_nulls().to_numpy() for part in (plate.free, plate.top))
    meaning.refused(meaning.polarization(free, top, stored=mp_only, where=plate.where))


def doses(table: pl.DataFrame) -> list[Finding]:
    """What is odd about doses; raises InputError GP-A205 or GP-A206 for logarithms and what nothing
    dissolves at."""
    findings = list[Finding]()
    if not {"role", "sample", "concentration", "concentration_unit"} <= set(table.columns):
        return findings
    for (role, sample), part in table.filter(pl.col("role").is_in([COMPETITOR, TOP])).group_by(
        ["role", "sample"], maintain_order=True
    ):
        told = part.select("concentration", "concentration_unit").drop_nulls().unique(maintain_order=True)
        nanomolar = []
        for amount, unit in told.rows():
            with suppress(InputError):
                nanomolar.append(units.convert(float(amount), str(unit), "nM"))
        written = [float(amount) for amount, _ in told.rows()]
        findings += meaning.doses("concentration", written, nanomolar, str(sample or role))
    meaning.refused(findings)
    return findings


def dark(plate: Contents) -> list[Finding]:
    """Controls with hardly any light beside others of their role, as blanks called tracer have."""
    found = []
    for words, part in (("tracer_only", plate.free), ("tracer_protein", plate.top)):
        light = part.drop_nulls("intensity")
        level = light["intensity"].max()
        least = LEAST_LIGHT * float(level) if isinstance(level, float) else 0.0
        wells = light.filter(pl.col("intensity") < least)["well"].to_list()
        if wells:
            found.append(
                Finding(
                    "GP-A071",
                    "warning",
                    f"{len(wells)} wells {words} have less than a fifth of the light of others",
                    where=f"{plate.where}, {listed(wells)}",
                    expected="tracer in every control",
                    next_step="call them blank if they hold buffer alone, or leave them out (exclude)",
                )
            )
    return found


def share_bound(conditions: Conditions, plate: Contents) -> list[Finding]:
    """Whether what is stated of protein and tracer leaves enough bound tracer for the polarisation
    measured."""
    amounts = (conditions.protein, conditions.tracer, conditions.tracer_kd)
    free, top = (part["anisotropy"].drop_nulls().to_numpy() for part in (plate.free, plate.top))
    if None in amounts or not free.size or not top.size:
        return []
    protein, tracer, kd = (np.asarray(one.value_nm) for one in amounts if one is not None)
    bound = float(equilibria.binary(protein, tracer, kd)) / float(tracer)
    return meaning.bound_anisotropy(float(free.mean()), float(top.mean()), bound, plate.where)


def falling(plate: Contents) -> tuple[Contents, list[Finding]]:
    """The plate without the compounds whose polarisation rises with dose to that of the protein: doses in
    reverse
    order. Of these a refusal is told."""
    free, top = (part["anisotropy"].drop_nulls().to_numpy() for part in (plate.free, plate.top))
    if not free.size or not top.size or free.mean() == top.mean():
        return plate, []
    kept, found = {}, list[Finding]()
    for sample, wells in plate.compounds.items():
        doses = wells.drop_nulls("anisotropy").filter(pl.col("concentration_nm") > 0.0)
        left = (doses["anisotropy"].to_numpy() - free.mean()) / (top.mean() - free.mean())
        control = (top - free.mean()) / (top.mean() - free.mean())
        where = f"{plate.where}, {sample}"
        asked = Response("polarization", BOUND, doses["concentration_nm"].to_numpy(), left, control, where)
        turned = asked.turned()
        found += turned
        if not turned:
            kept[sample] = wells
    return replace(plate, compounds=kept), found


def two_proteins(conditions: Conditions, plate: Contents) -> list[Finding]:
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
