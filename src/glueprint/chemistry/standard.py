"""One standardiser: whatever way a substance is drawn, the same parent structure comes out.

Fragments are split into the parent and its counter-ions and solvents, charges are taken away, and one
tautomer stands for all; stereo centres and isotopes stay. Every rule, safety note, route and card asks here.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from rdkit import Chem, rdBase
from rdkit.Chem import rdinchi, rdMolDescriptors
from rdkit.Chem.MolStandardize import rdMolStandardize

from glueprint.chemistry.structures import molecule
from glueprint.errors import InputError, NotSupportedError

__all__ = ["MAX_HEAVY_ATOMS", "Part", "Standard", "flat_key", "key", "neutral", "parent", "standardise"]

# Far above any glue or degrader (mezigdomide has 42); tautomers of a protein would take for ever.
MAX_HEAVY_ATOMS = 250
MAX_TAUTOMERS = 400
# Elements of organic compounds, by atomic number; every other one counts as a metal here.
ORGANIC = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 33, 34, 35, 36, 52, 53, 54})

# Own choice: an aromatic ring is worth 100 to 250 points to RDKit, so that a succinimide would turn into a
# dihydroxypyrrole and a benzamide's ring into a quinoid one; each takes away more than that. An enol and an
# imidic acid lose little, as they stand below ketone and amide already.
UNSEEN = {
    "c=[C;!a]": 600,
    "c=[N;!a]": 300,
    "[OX2H1]c1[n,o,s]ccc1": 300,
    "[OX2H1][#6]=[#6;!a]": 20,
    "[OX2H1][CX3]=[NX2]": 20,
}

# Groups that are drawn in two ways; RDKit's own list writes sulfoxides with charges, which no chemist does.
NORMAL = (
    "nitro\t[N,P;X3:1](=[O:2])=[O:3]>>[*+1:1]([*-1:2])=[*:3]\n"
    "azide\t[*,H:1][N-:2][N+:3]#[N:4]>>[*,H:1][N-0:2]=[N+:3]=[N-:4]\n"
    "sulfoxide\t[S+1;X3:1][O-1:2]>>[S+0:1]=[O-0:2]\n"
    "sulfone\t[S+2;X4:1]([O-1:2])[O-1:3]>>[S+0:1](=[O-0:2])=[O-0:3]\n"
    "phosphine oxide\t[P+1;X4:1][O-1:2]>>[P+0:1]=[O-0:2]\n"
)

# Joins that mark a repeat unit or an open end in a molfile.
POLYMER_GROUPS = frozenset({"SRU", "MON", "MER", "COP", "CRO", "MOD", "GRA", "ANY"})


@dataclass(frozen=True)
class Part:
    """What was split off: `count` times `name`, as it was drawn; the mass of one in g/mol."""

    name: str
    role: Literal["counter-ion", "solvent"]
    smiles: str
    count: int
    average_mass_g_per_mol: float


@dataclass(frozen=True)
class Standard:
    """A drawing standardised: the parent's SMILES, how often it occurs, what was split off and changed."""

    smiles: str
    count: int
    parts: tuple[Part, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class _Fragment:
    """One fragment as drawn, and without charge as its one tautomer; both as SMILES."""

    drawn: str
    clean: str
    changed: tuple[str, ...]


def standardise(drawn: Any, *, where: str = "") -> Standard:
    """The substance behind a drawing.

    drawn: RDKit molecule.   Returns parent, parts and what was changed, each in words.
    Raises NotSupportedError GP-H018 (metal bound or unknown as counter-ion), GP-H019 (polymer or open
    structure), GP-H020 (too large), InputError GP-H017 (mixture of several substances).
    Source: RDKit MolStandardize; tautomers scored as in Sitzmann et al. 2010, doi:10.1007/s10822-010-9346-4.
    """
    _refuse_open(drawn, where)
    with rdBase.BlockLogs():
        whole = _tools()["metals"].Disconnect(drawn)
        fragments = [_smiles(one) for one in Chem.GetMolFrags(whole, asMols=True)]
    cleaned = [_Fragment(fragment, *_clean(fragment)) for fragment in fragments]
    rest = [one for one in cleaned if _flat(one.clean) not in _known()]
    if not rest and len({one.clean for one in cleaned}) > 1:
        # Two small ions, such as ammonium chloride or sodium acetate, are a substance by themselves.
        return Standard(_smiles(whole), 1, (), ())
    # Water, an acid or an amine by itself is what was asked for, and no counter-ion.
    rest = rest or cleaned
    for one in cleaned:
        _refuse_metal(one.drawn, where)
    smiles, changed = _one_of(rest, where)
    parts = _parts([one for one in cleaned if one not in rest])
    said = [f"{_times(part)}{part.name} split off as {part.role}" for part in parts]
    if whole.GetNumBonds() < drawn.GetNumBonds():
        said.insert(0, "the bond to the metal read as ionic")
    return Standard(smiles, len(rest), parts, (*said, *changed))


@lru_cache(maxsize=4096)
def parent(smiles: str) -> str:
    """The parent's SMILES of a SMILES; where none can be told (a mixture, a metal), the SMILES itself.

    Rules and notes ask through here: what cannot be standardised is judged as it is drawn.
    """
    try:
        return standardise(molecule(smiles)).smiles
    except (InputError, NotSupportedError):
        return smiles


@lru_cache(maxsize=4096)
def key(smiles: str) -> str:
    """The InChIKey of the parent, alike for all drawings of one substance."""
    with rdBase.BlockLogs():
        return str(rdinchi.MolToInchiKey(molecule(parent(smiles))))


def flat_key(smiles: str) -> str:
    """The first block of `key`: the skeleton, whatever its stereo centres and isotopes."""
    return key(smiles)[:14]


@lru_cache(maxsize=1024)
def neutral(smiles: str) -> str:
    """All fragments kept, each without charge and as its one tautomer: what a reaction is run on."""
    with rdBase.BlockLogs():
        whole = molecule(smiles)
        # A metal's salt keeps its charges: taking them away would lose mass.
        if any(_is_metal(atom) for atom in whole.GetAtoms()):
            return smiles
        fragments = [_smiles(one) for one in Chem.GetMolFrags(whole, asMols=True)]
        return ".".join(sorted(_clean(fragment)[0] for fragment in fragments))


@lru_cache(maxsize=16384)
def _clean(fragment: str) -> tuple[str, tuple[str, ...]]:
    """A fragment without charge, as its one tautomer, with what was changed."""
    tools, changed = _tools(), []
    with rdBase.BlockLogs():
        start = Chem.RemoveHs(molecule(fragment))
        normal = tools["normalizer"].normalize(start)
        if _smiles(normal) != _smiles(start):
            changed.append("groups normalised")
        uncharged = tools["uncharger"].uncharge(normal)
        if _smiles(uncharged) != _smiles(normal):
            changed.append("charges taken away")
        canonical = _tautomer(uncharged)
        if _smiles(canonical) != _smiles(uncharged):
            changed.append("another tautomer drawn")
    return _smiles(canonical), tuple(changed)


def _tautomer(drawn: Any) -> Any:
    """The one tautomer that stands for all; the drawing itself if it is that one already."""
    bare = Chem.Mol(drawn)
    Chem.RemoveStereochemistry(bare)
    for atom in bare.GetAtoms():
        atom.SetIsotope(0)
    bare = Chem.RemoveHs(bare)
    canonical = _tools()["tautomers"].Canonicalize(bare, _score)
    # A drawing in the right form is kept as it is: moving a labelled hydrogen about loses its centre.
    if _smiles(canonical) == _smiles(bare):
        return drawn
    return _tools()["tautomers"].Canonicalize(drawn, _score)


def _score(mol: Any) -> int:
    """RDKit's score of a tautomer, less the forms that it rates above the imide and that no one has seen."""
    score = int(rdMolStandardize.TautomerEnumerator.ScoreTautomer(mol))
    return score - sum(
        int(points) * len(mol.GetSubstructMatches(pattern)) for pattern, points in _tools()["unseen"]
    )


def _one_of(rest: list[_Fragment], where: str) -> tuple[str, tuple[str, ...]]:
    """The parent, if what is left over is one substance, or both enantiomers of one."""
    different = {one.clean: one.changed for one in rest}
    if len(different) == 1:
        return next(iter(different.items()))
    flat = {_flat(one.clean) for one in rest}
    if len(flat) > 1:
        raise InputError(
            "GP-H017",
            f"a mixture of {len(flat)} substances: {', '.join(sorted(different))}",
            where=where,
            expected="one substance, with counter-ions or solvents of crystallisation if it has any",
            next_step="give each substance by itself",
        )
    bare = molecule(rest[0].clean)
    Chem.RemoveStereochemistry(bare)
    return _smiles(bare), (*rest[0].changed, "both enantiomers drawn: read as the racemate")


def _parts(split: list[_Fragment]) -> tuple[Part, ...]:
    counts = Counter(_flat(one.clean) for one in split)
    found = []
    for flat, count in counts.items():
        name, role = _known()[flat]
        drawn = next(one.drawn for one in split if _flat(one.clean) == flat)
        mass = float(rdMolDescriptors._CalcMolWt(molecule(drawn)))
        found.append(Part(name, role, drawn, count, mass))
    return tuple(sorted(found, key=lambda part: (part.role, part.name)))


def _refuse_open(drawn: Any, where: str) -> None:
    groups = {group.GetProp("TYPE") for group in Chem.GetMolSubstanceGroups(drawn) if group.HasProp("TYPE")}
    wild = any(atom.GetAtomicNum() == 0 or atom.HasQuery() for atom in drawn.GetAtoms())
    if wild or groups & POLYMER_GROUPS:
        raise NotSupportedError(
            "GP-H019",
            "an open structure: a polymer's repeat unit, an R group, a wildcard or a query atom",
            where=where,
            expected="a molecule with all its atoms",
            next_step="draw one whole molecule; a polymer has no single mass or key",
        )
    if drawn.GetNumHeavyAtoms() > MAX_HEAVY_ATOMS:
        raise NotSupportedError(
            "GP-H020",
            f"{drawn.GetNumHeavyAtoms()} heavy atoms",
            where=where,
            expected=f"a small molecule of at most {MAX_HEAVY_ATOMS} heavy atoms",
            next_step="give the ligand without its protein or polymer",
        )


def _refuse_metal(fragment: str, where: str) -> None:
    atoms = list(molecule(fragment).GetAtoms())
    metals = {atom.GetSymbol() for atom in atoms if _is_metal(atom)}
    if metals and (len(atoms) > 1 or _flat(fragment) not in _known()):
        raise NotSupportedError(
            "GP-H018",
            f"{', '.join(sorted(metals))}: a metal that is bound, or no counter-ion that is known",
            where=where,
            expected="an organic compound; as counter-ions Li, Na, K, Cs, Mg, Ca or Zn",
            next_step="give the ligand without its metal",
        )


def _is_metal(atom: Any) -> bool:
    return atom.GetAtomicNum() not in ORGANIC


def _times(part: Part) -> str:
    return f"{part.count} " if part.count > 1 else ""


def _smiles(mol: Any) -> str:
    return str(Chem.MolToSmiles(mol))


@lru_cache(maxsize=16384)
def _flat(smiles: str) -> str:
    """SMILES without stereo centres and isotopes; double bonds tell maleic from fumaric."""
    bare = molecule(smiles)
    for atom in bare.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        atom.SetIsotope(0)
    with rdBase.BlockLogs():
        return _smiles(Chem.RemoveHs(bare))


@lru_cache(maxsize=1)
def _known() -> Mapping[str, tuple[str, Literal["counter-ion", "solvent"]]]:
    text = (files("glueprint.chemistry") / "data" / "counter_ions.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    found: dict[str, tuple[str, Literal["counter-ion", "solvent"]]] = {}
    for name, smiles in data["ions"].items():
        found[_flat(smiles)] = (name, "counter-ion")
    for name, smiles in data["solvents"].items():
        found[_flat(smiles)] = (name, "solvent")
    return found


@lru_cache(maxsize=1)
def _tools() -> Mapping[str, Any]:
    """RDKit's workers; building one takes longer than using it."""
    settings: Any = rdMolStandardize.CleanupParameters()
    settings.tautomerRemoveSp3Stereo = False
    settings.tautomerRemoveBondStereo = False
    settings.tautomerRemoveIsotopicHs = False
    settings.maxTautomers = MAX_TAUTOMERS
    settings.maxTransforms = MAX_TAUTOMERS
    with rdBase.BlockLogs():
        return {
            "metals": rdMolStandardize.MetalDisconnector(),
            "normalizer": rdMolStandardize.NormalizerFromData(NORMAL, settings),
            "uncharger": rdMolStandardize.Uncharger(True),
            "tautomers": rdMolStandardize.TautomerEnumerator(settings),
            "unseen": tuple((Chem.MolFromSmarts(smarts), points) for smarts, points in UNSEEN.items()),
        }
