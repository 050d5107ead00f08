"""Whether a structure can sit in the cereblon pocket: a check of rules with reasons, not an affinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rdkit import Chem

from glueprint.chemistry import pharmacophores, standard
from glueprint.chemistry.groups import has, matches
from glueprint.chemistry.structures import Structure, molecule

__all__ = ["BinderCheck", "Reason", "check_binder"]

# Fischer et al. 2014, Nature 512:49, doi:10.1038/nature13527 (reference 12 of the first guide): the
# glutarimide lies in a cage of three tryptophans; carbonyls and NH make hydrogen bonds, C3 points out.
POCKET = "doi:10.1038/nature13527"
# Ichikawa et al. 2022: the natural degron is a C-terminal imide, of glutamine or (five-ring) asparagine.
DEGRON = "doi:10.1038/s41586-022-05333-5"
# Hartmann et al. 2014: uridine in the aromatic cage, as thalidomide, but weakly.
MIMICS = "doi:10.1016/j.jsb.2014.10.010"
BARE = "O=C1[CH2][CH2]C(*)C(=O)[NX3;H1]1"
UNSUBSTITUTED = "O=C1[CH2][CH2][CH2]C(=O)[NX3;H1]1"
RING_C3 = "[O,S]=C1CC[CX4;H1]([!#1])C(=O)[NX3]1"
# C3 with two groups other than hydrogen; deuterium counts as the hydrogen that it is.
QUATERNARY_C3 = "O=C1CC[CX4;H0]C(=O)[NX3]1"
# An imide fused to an aromatic ring, as phthalimide, which is not bound (doi:10.1126/science.1177319).
FUSED = "O=C1aaC(=O)[NX3;H1]1"
# An oxygen of an imide, or the hydroxyl that the one tautomer of an aromatic ring carries in its place.
OXO = "[$([#8X1]),$([#8X2;H1])]"
# Other rings that were seen in the cage, or are near to one that was: bound weakly, if at all. With their
# source; PDB 5OH1 to 5OH9 are crystals of the bacterial homologue (M. gryphiswaldense).
RELATED = {
    "thioglutarimide": ("S=C1CCCC(=[O,S])[NX3;H1]1", "doi:10.3390/biom13050747"),
    "dihydrouracil": ("O=C1CCNC(=O)[NX3;H1]1", MIMICS),
    "succinimide": ("O=C1CCC(=O)[NX3;H1]1", "PDB 5OH3"),
    "hydantoin": (f"{OXO}~[#6]1~[#6]~[#7]~[#6](~{OXO})~[#7;H1]~1", "PDB 5OH7"),
    "thiazolidinedione": (f"{OXO}~[#6]1~[#6]~[#16]~[#6](~{OXO})~[#7;H1]~1", "PDB 5OH9"),
    "uracil": ("O=c1cc[n]c(=O)[nH]1", MIMICS),
    "five-ring lactam": ("O=C1[CX4][CX4][CX4][NX3;H1]1", "PDB 5OH2"),
    "six-ring lactam": ("O=C1[CX4][CX4][CX4][CX4][NX3;H1]1", "PDB 5OH2, one carbon smaller"),
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
    """The verdict and every reason for it; `smiles` is the parent that was judged.

    pharmacophore: the class it belongs to, "" if none is known (`chemistry.pharmacophores`).
    """

    name: str
    smiles: str
    inchikey: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    pharmacophore: str = ""


def check_binder(
    structure: Structure, classes: tuple[pharmacophores.Pharmacophore, ...] | None = None
) -> BinderCheck:
    """Hold a structure against what is known of the cereblon pocket, whatever way it is drawn.

    classes: those that count as known (None: all).
    Returns "likely" if it belongs to a known class and no rule speaks against it, "unlikely" if the ring that
    the pocket needs is missing or blocked, else "uncertain".
    Source: the structure of the complex (`POCKET`), and the source of the class.
    """
    found = pharmacophores.matching(structure, classes)
    reasons = _reasons(structure, found)
    verdict: Verdict = "uncertain"
    if any(reason.holds is False for reason in reasons):
        verdict = "unlikely"
    elif all(reason.holds for reason in reasons):
        verdict = "likely"
    parent = standard.parent(structure.smiles)
    name = found.name if found is not None else ""
    return BinderCheck(structure.name, parent, standard.key(structure.smiles), verdict, tuple(reasons), name)


def _reasons(structure: Structure, found: pharmacophores.Pharmacophore | None) -> list[Reason]:
    if found is None:
        return _without_class(structure)
    reasons = [
        Reason(True, f"{found.ring} with free NH: {_what_binds(found)} can bind", _ring_source(found)),
        Reason(True, f"{found.name}, as in {found.example}", found.source),
    ]
    if _five_substituted(structure):
        what = f"{found.name} substituted at C5: binds, but is weaker on zinc fingers than at C4"
        reasons.append(Reason(True, what, "TER-013"))
    if found.ring != "dihydrouracil":
        reasons.append(_configuration(structure))
    return reasons


def _what_binds(found: pharmacophores.Pharmacophore) -> str:
    sulfur = found.ring == "thioglutarimide"
    return "carbonyl, thiocarbonyl and NH" if sulfur else "both carbonyls and the NH"


def _ring_source(found: pharmacophores.Pharmacophore) -> str:
    return {"glutarimide": POCKET, "succinimide": DEGRON}.get(found.ring, found.source)


def _without_class(structure: Structure) -> list[Reason]:
    """What keeps the structure from the pocket, or why it cannot be said."""
    if has(structure, "glutarimide"):
        return [
            Reason(True, "glutarimide with free NH: both carbonyls and the NH can bind", POCKET),
            *_glutarimide(structure),
        ]
    if has(structure, "dihydrouracil"):
        what = "dihydrouracil whose N1 carries no aromatic ring, or whose C5 or C6 is substituted"
        return [Reason(None, what, "doi:10.1021/acsmedchemlett.2c00436")]
    if has(structure, "N-substituted glutarimide"):
        what = "the glutarimide nitrogen is substituted: its hydrogen bond is lost"
        return [Reason(False, what, POCKET)]
    if has(structure, "opened glutarimide"):
        return [Reason(False, "the glutarimide is opened, as by hydrolysis: nothing fits the cage", POCKET)]
    for ring, (smarts, source) in RELATED.items():
        if matches(structure, smarts) and not matches(structure, FUSED):
            return [Reason(None, f"{ring} with free NH: related rings are bound weakly, if at all", source)]
    return [Reason(False, "no glutarimide (piperidine-2,6-dione) and no dihydrouracil", POCKET)]


def _glutarimide(structure: Structure) -> list[Reason]:
    if matches(structure, UNSUBSTITUTED):
        what = "bare glutarimide: a fragment at best, nothing reaches a substrate"
        return [Reason(None, what, "PDB 5OH4, bacterial homologue")]
    if not matches(structure, BARE):
        return [Reason(False, "C4 or C5 of the glutarimide is substituted: no room in the cage", POCKET)]
    if matches(structure, QUATERNARY_C3):
        what = "C3 carries two groups and no hydrogen: bound weakly, if at all, as aminoglutethimide is"
        return [Reason(None, what, "PDB 5OH1, bacterial homologue")]
    known = ", ".join(one.name for one in pharmacophores.available() if one.ring == "glutarimide")
    return [Reason(None, f"C3 carries none of the partners that are known ({known})", "")]


def _five_substituted(structure: Structure) -> bool:
    """C5 or C6 of the partner's benzene ring carries something, and C4 and C7 do not."""
    outer = "[$(c1cc2C(=O)[NX3]Cc2cc1),$(c1cc2C[NX3]C(=O)c2cc1)]"
    inner = "[$(c1c2C(=O)[NX3]Cc2ccc1),$(c1c2C[NX3]C(=O)c2ccc1)]"
    bond = "-[!#1;!$(C(=O)[NX3])]"
    return bool(matches(structure, outer + bond)) and not matches(structure, inner + bond)


def _configuration(structure: Structure) -> Reason:
    label = _label(molecule(standard.parent(structure.smiles)))
    if label == "S":
        return Reason(True, "(S) at C3, which binds about tenfold better; it racemises", "BIN-006")
    if label == "R":
        return Reason(None, "(R) at C3, bound about tenfold weaker; it racemises to (S)", "BIN-006, BIN-007")
    return Reason(True, "C3 undefined: the racemate, half of which is the (S) that binds", "BIN-006")


def _label(mol: Any) -> str:
    """The configuration of C3; where C3 bears nitrogen, CIP and shape agree."""
    centres = dict(Chem.FindMolChiralCenters(mol, useLegacyImplementation=False))  # type: ignore[no-untyped-call]
    for match in mol.GetSubstructMatches(Chem.MolFromSmarts(RING_C3)):
        for atom in match:
            if atom in centres:
                return str(centres[atom])
    return "?"
