"""A compound's card: what its file is enough for, and what each of its numbers acts on."""

from __future__ import annotations

from collections.abc import Iterable

from glueprint.mechanism import substrates
from glueprint.mechanism.body import followed
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.scenario import TYPICAL_STRUCTURE
from glueprint.mechanism.systems import of_pairs

__all__ = ["NOTHING", "PATIENT", "acts_on", "missing"]

NOTHING = "nothing yet"
PATIENT, CULTURE = "patients", "cells in culture"
KINETIC = "cells in culture, kinetic form"
# What each field acts on; fields of a substrate depend on who reads it.
FIELDS = {
    "structure.molar_mass_g_per_mol": (PATIENT,),
    "pharmacology.kd_nm": (PATIENT, CULTURE),
    "pharmacology.eudismic_ratio": (CULTURE,),
    "pharmacology.fraction_unbound": (PATIENT, "cells in blood and plasma"),
    "pk.residual_log_sd": (),
}


def missing(compound: Compound) -> dict[str, tuple[str, ...]]:
    """Fields that each use would need and the file does not give; empty where it gives enough.

    Uses: binding, enantiomers, degradation (IKZF1 and IKZF3, in lines with a capacity), ternary, trial.

    >>> from glueprint.mechanism import compounds
    >>> missing(compounds.load("pomalidomide"))["trial"]
    ()
    """
    own = compound.pharmacology
    kd = () if own.kd_nm else ("pharmacology.kd_nm",)
    parted = () if own.eudismic_ratio else ("pharmacology.eudismic_ratio",)
    targets = ("IKZF1", "IKZF3")
    efficacy = tuple(
        f"pharmacology.efficacy.{name}"
        for name in targets
        if name not in own.efficacy and substrates.pair_of(name, "myeloma") not in own.rho
    )
    alpha = tuple(f"pharmacology.cooperativity.{name}" for name in targets if name not in own.cooperativity)
    unbound = () if own.fraction_unbound else ("pharmacology.fraction_unbound",)
    pairs = _followed(compound)
    known = of_pairs(compound.known_substrates)
    rho = compound.trial_rho({pair: known[f"{pair}_capacity"][1] for pair in pairs})
    lacking = (f"pharmacology.rho.{pair}" for pair in pairs if pair not in rho)
    return {
        "binding": kd,
        "enantiomers": (*kd, *parted),
        "degradation": (*kd, *efficacy),
        "ternary complexes": (*kd, *alpha),
        "trial": (*kd, *unbound, *lacking, *(() if compound.pk else ("pk",))),
    }


def acts_on(compound: Compound) -> dict[str, str]:
    """What each number of the file, by its field, acts on: patients, cells, or "nothing yet"."""
    return {field: ", ".join(_acts(compound, field)) or NOTHING for field in compound.quantities()}


def _acts(compound: Compound, field: str) -> Iterable[str]:
    if field in FIELDS:
        return FIELDS[field]
    section, _, rest = field.partition(".")
    if section == "pk":
        return (PATIENT,)
    if section == "stability":
        return (f"{CULTURE}, in {rest.split('.')[0]}",)
    kind, _, name = rest.partition(".")
    if section == "substrates":
        return _of_row(compound, kind, name)
    if kind in ("cooperativity", "intrinsic_kd_nm"):
        return (KINETIC,)
    pairs = substrates.pairs(compound.known_substrates)
    read = _followed(compound)
    direct = compound.pharmacology.rho
    if kind == "rho":
        cell = pairs[name][1]
        return (PATIENT, f"{CULTURE} of type {cell}") if name in read else (f"{CULTURE} of type {cell}",)
    in_body = any(pairs[pair][0] == name and pair not in direct for pair in read)
    return (*((PATIENT,) if in_body else ()), f"{CULTURE} that have {name}")


def _of_row(compound: Compound, name: str, number: str) -> Iterable[str]:
    """What a number of the file's own row of a substrate acts on; a rho given directly is no capacity's."""
    if number == "intrinsic_kd_nm":
        return (KINETIC,)
    _, cell, what = number.split(".")
    pair = substrates.pair_of(name, cell)
    if what == "capacity" and pair in compound.pharmacology.rho:
        return (f"{CULTURE} of type {cell}",)
    return (PATIENT,) if pair in _followed(compound) else ()


def _followed(compound: Compound) -> tuple[str, ...]:
    """Pairs of substrate and cell that the trial model follows, in either structure of the tumour."""
    return followed(TYPICAL_STRUCTURE, compound.known_substrates)
