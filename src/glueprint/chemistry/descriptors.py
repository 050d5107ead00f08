"""Descriptors computed from the structure, with what the evidence prints set beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rdkit.Chem import rdMolDescriptors

from glueprint import evidence
from glueprint.chemistry.structures import Structure, molecule
from glueprint.evidence import Claim

__all__ = ["Compared", "compare", "compute", "published_only"]

# name -> (unit, how it is computed)
DESCRIPTORS: dict[str, tuple[str, Callable[[Any], float]]] = {
    "logP (Crippen)": (
        "log10 units",
        lambda found: rdMolDescriptors.CalcCrippenDescriptors(found)[0],
    ),  # Wildman & Crippen 1999, doi:10.1021/ci990307l
    "TPSA": ("angstrom^2", rdMolDescriptors.CalcTPSA),  # Ertl et al. 2000, doi:10.1021/jm000942e
    "H-bond donors": ("count", rdMolDescriptors.CalcNumHBD),
    "H-bond acceptors": ("count", rdMolDescriptors.CalcNumHBA),
    "rotatable bonds": ("count", rdMolDescriptors.CalcNumRotatableBonds),
    "rings": ("count", rdMolDescriptors.CalcNumRings),
    "aromatic rings": ("count", rdMolDescriptors.CalcNumAromaticRings),
    "heavy atoms": ("count", lambda found: found.GetNumHeavyAtoms()),
    "fraction sp3 carbon": ("", rdMolDescriptors.CalcFractionCSP3),
}
# Counts that the evidence prints in the note of its XLogP row.
NOTED = {
    "H-bond donors": re.compile(r"H-bond donors (\d+)"),
    "H-bond acceptors": re.compile(r"acceptors (\d+)"),
    "rotatable bonds": re.compile(r"rotatable bonds (\d+)"),
}
# Printed masses follow older atomic weights (as in checks.MASS_TOLERANCE).
MASS_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Compared:
    """One descriptor: computed, and as published where a claim prints it; `remark` says why they differ."""

    name: str
    computed: float
    unit: str
    published: float | None = None
    claim_id: str = ""
    remark: str = ""


def compute(structure: Structure) -> dict[str, float]:
    """All descriptors by name; units in `compare`.   Source: RDKit, methods named in `DESCRIPTORS`."""
    found = molecule(structure.smiles)
    return {name: float(method(found)) for name, (_, method) in DESCRIPTORS.items()}


def compare(structure: Structure) -> tuple[Compared, ...]:
    """Mass and descriptors of a structure, each beside the number its evidence rows print."""
    published = dict(_published(structure))
    rows = [("molar mass", structure.average_mass_g_per_mol, "g/mol")]
    rows += [(name, value, DESCRIPTORS[name][0]) for name, value in compute(structure).items()]
    return tuple(_row(name, value, unit, published.get(name)) for name, value, unit in rows)


def published_only(structure: Structure) -> tuple[Claim, ...]:
    """The evidence rows on a structure whose number cannot be computed from it, such as a solubility."""
    beside = {row.claim_id for row in compare(structure)}
    numbers = (claim for claim in _claims(structure) if (claim.value, claim.low, claim.high) != (None,) * 3)
    return tuple(claim for claim in numbers if claim.id not in beside)


def _row(name: str, value: float, unit: str, printed: tuple[float, str] | None) -> Compared:
    if printed is None:
        return Compared(name, value, unit)
    number, claim_id = printed
    return Compared(name, value, unit, number, claim_id, _remark(name, value, number))


def _remark(name: str, computed: float, printed: float) -> str:
    if name.startswith("logP"):
        return "another method: XLogP3 is printed, Crippen is computed"
    if name == "molar mass":
        agrees = abs(computed - printed) <= MASS_TOLERANCE * computed
        return "agrees, older atomic weights" if agrees else "differs"
    return "agrees" if computed == printed else "differs"


def _published(structure: Structure) -> Iterator[tuple[str, tuple[float, str]]]:
    for claim in _claims(structure):
        if claim.endpoint == "molar_mass" and claim.value is not None:
            yield "molar mass", (claim.value, claim.id)
        if claim.quantity == "XLogP" and claim.value is not None:
            yield "logP (Crippen)", (claim.value, claim.id)
            for name, pattern in NOTED.items():
                if printed := pattern.search(claim.note):
                    yield name, (float(printed[1]), claim.id)


def _claims(structure: Structure) -> Iterator[Claim]:
    known = evidence.load()
    return (known[claim_id] for claim_id in structure.claims if claim_id in known)
