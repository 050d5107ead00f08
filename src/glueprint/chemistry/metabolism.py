"""What water and oxidation make of a binder: opened rings and hydroxylated arenes, run as reactions."""

from __future__ import annotations

from glueprint.chemistry import reactions
from glueprint.chemistry.structures import Structure

__all__ = ["HYDROLYSES", "HYDROXYLATION", "hydrolyse", "hydroxylate"]

# One amide bond of a ring opens to acid and amide. The amide of an isoindolinone is left alone: only imides
# open under physiological conditions (CHE-017: glutarimide opening).
HYDROLYSES = {
    "glutarimide, far from C3": "[C:1]1(=[O:2])[CH2:3][CH2:4][C:5][C:6](=[O:7])[NH:8]1"
    ">>[C:1](=[O:2])([OH])[CH2:3][CH2:4][C:5][C:6](=[O:7])[NH2:8]",
    "glutarimide, next to C3": "[C:1]1(=[O:2])[CH2:3][CH2:4][C:5][C:6](=[O:7])[NH:8]1"
    ">>[C:1](=[O:2])([NH2:8])[CH2:3][CH2:4][C:5][C:6](=[O:7])[OH]",
    "phthalimide": "[C:1]1(=[O:2])[c:3][c:4][C:5](=[O:6])[N:7]1[C:8]"
    ">>[C:1](=[O:2])([OH])[c:3][c:4][C:5](=[O:6])[NH:7][C:8]",
}
HYDROXYLATION = "[cH:1]>>[c:1][OH]"


def hydrolyse(structure: Structure) -> dict[str, tuple[Structure, ...]]:
    """The products of one hydrolysis, by the ring bond that opens.

    Returns only the bonds the structure has; named where the product is built in. Each product is the
    structure plus one water.
    """
    found = {place: _single(smarts, structure) for place, smarts in HYDROLYSES.items()}
    return {place: products for place, products in found.items() if products}


def hydroxylate(structure: Structure) -> tuple[Structure, ...]:
    """The phenols that one oxidation of an aromatic C-H can give; which of them form is not computed."""
    return _single(HYDROXYLATION, structure)


def _single(smarts: str, structure: Structure) -> tuple[Structure, ...]:
    return reactions.products(smarts, (structure,), where=structure.name)
