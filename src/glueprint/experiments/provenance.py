"""What a reading is worth: whether the evidence it speaks to was used for any parameter behind it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

from glueprint import evidence
from glueprint.chemistry import structures
from glueprint.experiments.experiment import Label, Mark
from glueprint.mechanism import Compound, Quantity, compounds

__all__ = ["about", "label", "marks", "of_compound", "same", "used_by"]

NM_PER_UNIT = {"nM": 1.0, "uM": 1e3}

# Rows that were derived from other rows of the evidence: using one is using the other.
DERIVED: Mapping[str, tuple[str, ...]] = {"DRV-001": ("IMM-001",), "DRV-002": ("DWN-001", "DWN-003")}


def about(glue: Compound, experiment: str, reading: str) -> tuple[str, ...]:
    """The claims that a reading of an experiment speaks to, if they are about this substance in this form.

    Names decide nothing: a substance is known by its structure.
    """
    for name, ids in _claims().get(experiment, {}).get(reading, {}).items():
        known = compounds.load(name)
        if known.pharmacology.form == glue.pharmacology.form and _key(known) == _key(glue):
            return tuple(ids)
    return ()


@lru_cache(maxsize=1)
def _claims() -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    """Ids by experiment, reading and compound."""
    text = (files("glueprint.experiments") / "data" / "claims.toml").read_text(encoding="utf-8")
    return {name: body for name, body in tomllib.loads(text).items() if isinstance(body, dict)}


def _key(glue: Compound) -> str:
    """The InChIKey of a compound, from its SMILES where its file gives none."""
    return glue.structure.inchikey or structures.from_smiles(glue.structure.smiles).inchikey


def label(claims: Iterable[str], quantities: Mapping[str, Quantity], glue: Compound) -> Label:
    """ "predicted" if there is evidence beside the reading and no parameter names it, else `of_compound`.

    An assumed parameter that names a claim has used it, too; what was used is no prediction of any compound.
    """
    asked, worth = tuple(claims), of_compound(glue)
    used = bool(used_by(asked, quantities))
    if asked and not used:
        return "predicted"
    return "calibrated" if used and worth == "predicted" else worth


def of_compound(glue: Compound) -> Label:
    """What a reading is worth that follows from the numbers of this compound alone.

    "assumed" if any of its affinity and efficacies is; "predicted" if they were measured; else "calibrated",
    as the cells were fitted to the like, and nothing beside the reading can say whether it is right.
    """
    own = glue.pharmacology
    numbers = (own.kd_nm, *own.efficacy.values(), *own.rho.values())
    roles = {number.role for number in numbers if number is not None}
    return "assumed" if "assumed" in roles else "predicted" if "measured" in roles else "calibrated"


def used_by(claims: Iterable[str], quantities: Mapping[str, Quantity]) -> tuple[str, ...]:
    """Names of the parameters that were set from a claim, from the same number elsewhere, or from its
    derivation."""
    wanted = {other for claim in claims for other in same(claim)}
    return tuple(
        name
        for name, quantity in quantities.items()
        if wanted & {other for claim in quantity.evidence for other in same(claim)}
    )


def same(claim: str) -> frozenset[str]:
    """All ids under which one number stands in the evidence, with what was derived from it."""
    return _groups().get(claim, frozenset({claim}))


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[str]]:
    pairs = [(c.id, c.same_as) for c in evidence.load() if c.same_as]
    pairs += [(derived, base) for derived, bases in DERIVED.items() for base in bases]
    found: dict[str, frozenset[str]] = {}
    for one, other in pairs:
        joined = found.get(one, frozenset({one})) | found.get(other, frozenset({other}))
        found |= dict.fromkeys(joined, joined)
    return found


def marks(series: str, claims: tuple[str, ...]) -> tuple[Mark, ...]:
    """The published concentration of the first claim as a mark of a panel: series, nM, claim id.

    The others of a reading repeat it. None where the claim gives no concentration.
    """
    table = evidence.load()
    found = [table[claim] for claim in claims[:1]]
    return tuple(
        (series, claim.value * NM_PER_UNIT[claim.unit], claim.id)
        for claim in found
        if claim.value is not None and claim.unit in NM_PER_UNIT
    )
