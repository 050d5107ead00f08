"""Whether a structure can sit in the cereblon pocket: a check of rules with reasons, not an affinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rdkit import Chem

from glueprint.chemistry.groups import has, matches
from glueprint.chemistry.structures import Structure, molecule

__all__ = ["BinderCheck", "Reason", "check_binder"]

# Fischer et al. 2014, Nature 512:49, doi:10.1038/nature13527 (reference 12 of the first guide): the
# glutarimide lies in a cage of three tryptophans; carbonyls and NH make hydrogen bonds, C3 points out.
POCKET = "doi:10.1038/nature13527"
# With C3 substituted and C4, C5 bare: only such a ring fits the cage.
BARE = "O=C1[CH2][CH2]C(*)C(=O)[NX3;H1]1"
RING_C3 = "O=C1CC[CX4;H1]([!#1])C(=O)[NX3]1"
QUATERNARY_C3 = "O=C1CC[CX4;H0]C(=O)[NX3]1"
# The partners of the family, bound to C3 through their nitrogen.
PARTNERS = {
    "phthalimide": "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1",
    "isoindolinone": "O=C1CCC(N2C(=O)c3ccccc3[CH2]2)C(=O)N1",
    "quinazolinone": "O=C1CCC(n2cnc3ccccc3c2=O)C(=O)N1",
}

Verdict = Literal["likely", "uncertain", "unlikely"]


@dataclass(frozen=True)
class Reason:
    """One rule: whether it holds (None: it cannot be said), what was seen, and where the rule comes from."""

    holds: bool | None
    what: str
    source: str


@dataclass(frozen=True)
class BinderCheck:
    """The verdict and every reason for it; `smiles` is the structure as it was read."""

    name: str
    smiles: str
    inchikey: str
    verdict: Verdict
    reasons: tuple[Reason, ...]


def check_binder(structure: Structure) -> BinderCheck:
    """Hold a structure against what is known of the cereblon pocket.

    Returns "likely" if every rule holds, "unlikely" if the ring that the pocket needs is missing or blocked,
    else "uncertain".   Source: the structure of the complex (`POCKET`) and the evidence rows named.
    """
    ring = _ring(structure)
    reasons = [ring]
    if has(structure, "glutarimide"):
        reasons += [_bare(structure), _partner(structure), _configuration(structure)]
    elif has(structure, "dihydrouracil"):
        reasons.append(Reason(None, "dihydrouracil for glutarimide: accepted, not in the evidence", ""))
    if not ring.holds or any(reason.holds is False for reason in reasons[:2]):
        verdict: Verdict = "unlikely"
    elif all(reason.holds for reason in reasons):
        verdict = "likely"
    else:
        verdict = "uncertain"
    return BinderCheck(structure.name, structure.smiles, structure.inchikey, verdict, tuple(reasons))


def _ring(structure: Structure) -> Reason:
    if has(structure, "glutarimide"):
        return Reason(True, "glutarimide with free NH: both carbonyls and the NH can bind", POCKET)
    if has(structure, "dihydrouracil"):
        return Reason(True, "dihydrouracil with free NH, a known stand-in for glutarimide", "")
    if has(structure, "N-substituted glutarimide"):
        return Reason(False, "the glutarimide nitrogen is substituted: its hydrogen bond is lost", POCKET)
    if has(structure, "opened glutarimide"):
        return Reason(False, "the glutarimide is opened, as by hydrolysis: nothing fits the cage", POCKET)
    return Reason(False, "no glutarimide (piperidine-2,6-dione) and no dihydrouracil", POCKET)


def _bare(structure: Structure) -> Reason:
    if matches(structure, BARE):
        return Reason(True, "C4 and C5 of the glutarimide are bare, C3 carries the rest", POCKET)
    if matches(structure, "O=C1[CH2][CH2][CH2]C(=O)[NX3;H1]1"):
        return Reason(None, "bare glutarimide: a fragment at best, nothing reaches a substrate", POCKET)
    return Reason(False, "C4 or C5 of the glutarimide is substituted: no room in the cage", POCKET)


def _partner(structure: Structure) -> Reason:
    found = [name for name, smarts in PARTNERS.items() if matches(structure, smarts)]
    if not found:
        known = ", ".join(PARTNERS)
        return Reason(None, f"C3 carries none of the partners in the evidence ({known})", "")
    if _five_substituted(structure):
        return Reason(None, f"{found[0]}, substituted at C5: weaker on zinc fingers than at C4", "TER-013")
    return Reason(True, f"{found[0]} on C3, as in the family", "BIN-001, BIN-005, BIN-006")


def _five_substituted(structure: Structure) -> bool:
    """C5 or C6 of the partner's benzene ring carries something, and C4 and C7 do not."""
    outer = "[$(c1cc2C(=O)[NX3]Cc2cc1),$(c1cc2C[NX3]C(=O)c2cc1)]"
    inner = "[$(c1c2C(=O)[NX3]Cc2ccc1),$(c1c2C[NX3]C(=O)c2ccc1)]"
    bond = "-[!#1;!$(C(=O)[NX3])]"
    return bool(matches(structure, outer + bond)) and not matches(structure, inner + bond)


def _configuration(structure: Structure) -> Reason:
    mol = molecule(structure.smiles)
    if matches(structure, QUATERNARY_C3):
        return Reason(None, "C3 has no hydrogen: it cannot racemise, and its fit is not in the evidence", "")
    label = _label(mol)
    if label == "S":
        return Reason(True, "(S) at C3, which binds about tenfold better; it racemises", "BIN-006")
    if label == "R":
        return Reason(None, "(R) at C3, bound about tenfold weaker; it racemises to (S)", "BIN-006, BIN-007")
    return Reason(True, "C3 undefined: the racemate, half of which is the (S) that binds", "BIN-006")


def _label(mol: Any) -> str:
    """The configuration of C3 as the family has it: on nitrogen, CIP and shape agree."""
    centres = dict(Chem.FindMolChiralCenters(mol, useLegacyImplementation=False))  # type: ignore[no-untyped-call]
    for match in mol.GetSubstructMatches(Chem.MolFromSmarts(RING_C3)):
        for atom in match:
            if atom in centres:
                return str(centres[atom])
    return "?"
