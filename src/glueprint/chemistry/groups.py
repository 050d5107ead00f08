"""Recognises the parts of a cereblon binder: glutarimide, its ring partner, what has opened."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rdkit import Chem

from glueprint.chemistry import standard, structures
from glueprint.chemistry.structures import Structure, molecule

__all__ = ["CAUTION", "GROUPS", "SAFETY_NOTE", "has", "matches", "recognise", "safety_note"]

# SMARTS of what is looked for; "glutarimide" is the ring with its NH free.
GROUPS = {
    "glutarimide": "O=C1CCCC(=O)[NX3;H1]1",
    "N-substituted glutarimide": "O=C1CCCC(=O)[NX3;H0]1",
    "dihydrouracil": "O=C1CCN([#6])C(=O)[NX3;H1]1",
    "opened glutarimide": "[CX3](=O)([OX2H1,NX3H2])[CH2][CH2][CX4;H1]([NX3])[CX3](=O)[OX2H1,NX3H2]",
    "phthalimide": "O=C1[NX3]C(=O)c2ccccc12",
    "isoindolinone": "O=C1[NX3][CX4H2]c2ccccc12",
    "quinazolinone": "O=c1n([#6])cnc2ccccc12",
    "aromatic amine": "c[NX3;H2]",
    "aromatic nitro": "c[N+](=O)[O-]",
    "phthalic anhydride": "O=C1OC(=O)c2ccccc12",
}
# The thalidomide class: a glutarimide whose C3 sits on the nitrogen of another ring.
IMID = "O=C1CCC([$([NX3;R]),$([n])])C(=O)[NX3]1"
SAFETY_NOTE = (
    "Thalidomide class. Thalidomide causes severe birth defects; every member is treated as a human "
    "teratogen, at the bench too. Thalidomide, lenalidomide and pomalidomide are dispensed only under a risk "
    "evaluation and mitigation strategy (REMS) with pregnancy prevention. Evidence: S1-009, TER-014."
)
# Beside a likely binder that is no member of the class.
CAUTION = (
    "by its class it binds cereblon, through which thalidomide harms the unborn; whether this one does is "
    "not known from its structure, so handle it as the class."
)


def recognise(structure: Structure) -> tuple[str, ...]:
    """The names of the groups in `GROUPS` that the structure has, in that order."""
    return tuple(name for name in GROUPS if has(structure, name))


def has(structure: Structure, group: str) -> bool:
    """Whether the structure has a group of `GROUPS`."""
    return bool(_parent(structure).HasSubstructMatch(_pattern(GROUPS[group])))


def matches(structure: Structure, smarts: str) -> int:
    """How many times a SMARTS pattern occurs in the structure."""
    return len(_parent(structure).GetSubstructMatches(_pattern(smarts)))


def safety_note(structure: Structure) -> str:
    """What must stand beside a member of the thalidomide class or its metabolite; empty for anything else.

    Decided by the substance, so that a user's own compound carries it too, whatever way it is drawn.
    """
    return SAFETY_NOTE if structure.role == "metabolite" or _of_the_class(structure.smiles) else ""


@lru_cache(maxsize=4096)
def _of_the_class(smiles: str) -> bool:
    """Whether a drawing is a member of the class, or any form of a built-in metabolite."""
    known = structures.by_skeleton(standard.key(smiles))
    if known is not None and known.role == "metabolite":
        return True
    return bool(molecule(standard.parent(smiles)).HasSubstructMatch(_pattern(IMID)))


def _parent(structure: Structure) -> Any:
    """The molecule that rules look at: the parent, without counter-ions and as its one tautomer."""
    return molecule(standard.parent(structure.smiles))


@lru_cache(maxsize=64)
def _pattern(smarts: str) -> Any:
    return Chem.MolFromSmarts(smarts)
