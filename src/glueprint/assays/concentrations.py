"""Whether a unit is one of concentration, and whether those of one role agree: units are never guessed."""

from __future__ import annotations

import re

import polars as pl

from glueprint import units
from glueprint.assays.findings import Finding
from glueprint.errors import InputError, nearest

__all__ = ["bare_finding", "is_concentration", "mixed_findings", "unit_hint"]

# Units that a standard defines for itself, per volume; pint has no dimension for them.
DEFINED = re.compile(
    r"(k|m|u|µ|μ)?(IU|U|AU|EU|BAU|PFU|TCID50|cells?|copies|particles)/(L|dL|mL|uL|µL|μL|ml|ul|l)"
)
# What is not written like this is no unit; a parser of expressions would take more, or fail over it.
PLAIN = re.compile(r"[A-Za-zµμ%][A-Za-zµμ%0-9/ .-]{0,23}")
PHYSICAL = ("mol/L", "g/L", "mol/kg", "percent")
USUAL = ("nM", "uM", "pM", "mM", "ng/mL", "pg/mL", "ug/mL", "mg/mL", "U/mL", "IU/mL")


def is_concentration(unit: str) -> bool:
    """Whether `unit` is an amount, a mass or defined units in a volume, or a percentage."""
    if DEFINED.fullmatch(unit):
        return True
    if not PLAIN.fullmatch(unit):
        return False
    for other in PHYSICAL:
        try:
            units.convert(1.0, unit, other)
        except InputError:
            continue
        return True
    return False


def unit_hint(unit: str) -> str:
    """A hint at the usual unit that looks like this one."""
    exact = [usual for usual in USUAL if usual.lower() == unit.lower().strip()]
    return f' (did you mean "{exact[0]}"?)' if exact else nearest(unit, USUAL)


def bare_finding(count: int, where: str, next_step: str) -> Finding:
    """The finding for concentrations without a unit."""
    return Finding(
        "GP-A038",
        "warning",
        f"{count} concentrations without a unit",
        where=where,
        expected="a unit of concentration such as nM or ng/mL",
        next_step=next_step,
    )


def mixed_findings(table: pl.DataFrame, where: str) -> list[Finding]:
    """Roles whose concentrations carry several units, and units that are none of concentration.

    table: with the columns role, concentration and concentration_unit.
    """
    filled = table.filter(pl.col("concentration").is_not_null() & (pl.col("concentration_unit") != ""))
    findings = []
    for role in filled["role"].unique(maintain_order=True):
        here = (
            filled.filter(pl.col("role") == role)["concentration_unit"].unique(maintain_order=True).to_list()
        )
        if len(here) > 1:
            findings.append(
                Finding(
                    "GP-A039",
                    "warning",
                    f'concentrations of role "{role}" are in {" and ".join(here)}',
                    where=where,
                    expected="one unit a role",
                    next_step="convert them to one unit",
                )
            )
    wrong = [
        name
        for name in filled["concentration_unit"].unique(maintain_order=True)
        if not is_concentration(name)
    ]
    return [*findings, *(_no_unit(name, where) for name in wrong)]


def _no_unit(unit: str, where: str) -> Finding:
    return Finding(
        "GP-A038",
        "warning",
        f'"{unit}" is no unit of concentration{unit_hint(unit)}',
        where=where,
        expected="a unit such as nM, ng/mL or IU/mL",
        next_step="correct the unit",
    )
