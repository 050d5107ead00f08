"""Matched pairs: what two structures share, what changed between them, and what the change did."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdFMCS

from glueprint import evidence
from glueprint.chemistry import structures
from glueprint.chemistry.descriptors import compute
from glueprint.chemistry.structures import Structure, molecule
from glueprint.evidence import Claim

__all__ = ["FAMILY", "Change", "Effect", "Pair", "compare", "family"]

# The line of development the guide tells, and the isomer that its trap leads to.
FAMILY = ("thalidomide", "lenalidomide", "pomalidomide")


@dataclass(frozen=True)
class Change:
    """What only one side has: a group such as NH2, or SMILES; `on` is the atom it hangs on, "" if alone."""

    gained: str
    lost: str
    on: str


@dataclass(frozen=True)
class Effect:
    """One property on both sides as the evidence states it, with the ids of its rows."""

    what: str
    before: str
    after: str
    claim_ids: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True)
class Pair:
    """Two structures side by side; masses in g/mol; `descriptors`: name -> (before, after)."""

    before: Structure
    after: Structure
    common_smarts: str
    common_atoms: int
    changes: tuple[Change, ...]
    mass_change_g_per_mol: float
    descriptors: Mapping[str, tuple[float, float]]
    effects: tuple[Effect, ...]


def compare(before: Structure, after: Structure) -> Pair:
    """Two structures by their largest common substructure (elements and bond orders alike, rings whole).

    Returns changes as fragments, and the effects that the evidence states for both.   Source: rdFMCS.
    """
    left, right = molecule(before.smiles), molecule(after.smiles)
    found = rdFMCS.FindMCS(
        [left, right],
        ringMatchesRingOnly=True,
        completeRingsOnly=True,
        bondCompare=rdFMCS.BondCompare.CompareOrder,
        timeout=10,
    )
    core = Chem.MolFromSmarts(found.smartsString) if found.numAtoms else None
    old, new = compute(before), compute(after)
    return Pair(
        before,
        after,
        found.smartsString,
        found.numAtoms,
        _changes(left, right, core),
        after.average_mass_g_per_mol - before.average_mass_g_per_mol,
        {name: (old[name], new[name]) for name in old},
        _effects(before, after),
    )


def family() -> tuple[Pair, ...]:
    """Thalidomide to lenalidomide, lenalidomide to pomalidomide, and thalidomide to pomalidomide."""
    first, second, third = (structures.load(name) for name in FAMILY)
    return compare(first, second), compare(second, third), compare(first, third)


def _changes(left: Any, right: Any, core: Any) -> tuple[Change, ...]:
    """Fragments by the core atom they hang on, so that a swap at one place is one change."""
    if core is None:
        return (Change(str(Chem.MolToSmiles(right)), str(Chem.MolToSmiles(left)), ""),)
    gained, lost = _fragments(right, core), _fragments(left, core)
    places = sorted({*gained, *lost})
    symbols = {place: core.GetAtomWithIdx(place).GetSymbol() for place in places}
    return tuple(
        Change(gained.get(place, "H"), lost.get(place, "H"), symbols[place])
        for place in places
        if gained.get(place) != lost.get(place)
    )


def _fragments(whole: Any, core: Any) -> dict[int, str]:
    """Core atom -> what hangs on it outside the core."""
    match = whole.GetSubstructMatch(core)
    place_of = {atom: place for place, atom in enumerate(match)}
    rest = [atom.GetIdx() for atom in whole.GetAtoms() if atom.GetIdx() not in place_of]
    found: dict[int, list[str]] = {}
    for piece in _connected(whole, rest):
        hooks = {
            place_of[other.GetIdx()]
            for atom in piece
            for other in whole.GetAtomWithIdx(atom).GetNeighbors()
            if other.GetIdx() in place_of
        }
        written = _written(whole, piece)
        joined = min(
            (
                whole.GetBondBetweenAtoms(atom, match[hook])
                for atom in piece
                for hook in hooks
                if whole.GetBondBetweenAtoms(atom, match[hook]) is not None
            ),
            key=lambda bond: bond.GetIdx(),
            default=None,
        )
        double = joined is not None and joined.GetBondTypeAsDouble() == 2.0
        found.setdefault(min(hooks, default=-1), []).append(("=" if double else "") + written)
    return {place: ".".join(sorted(parts)) for place, parts in found.items()}


def _written(whole: Any, piece: list[int]) -> str:
    """One atom as a group with its hydrogens, more atoms as SMILES."""
    if len(piece) > 1:
        return str(Chem.MolFragmentToSmiles(whole, piece))
    atom = whole.GetAtomWithIdx(piece[0])
    hydrogens = atom.GetTotalNumHs()
    return str(atom.GetSymbol()) + (f"H{hydrogens if hydrogens > 1 else ''}" if hydrogens else "")


def _connected(whole: Any, atoms: list[int]) -> list[list[int]]:
    left, pieces = set(atoms), []
    while left:
        piece, edge = set(), {min(left)}
        while edge:
            piece |= edge
            near = {n.GetIdx() for atom in edge for n in whole.GetAtomWithIdx(atom).GetNeighbors()}
            edge = (near & left) - piece
        left -= piece
        pieces.append(sorted(piece))
    return pieces


def _effects(before: Structure, after: Structure) -> tuple[Effect, ...]:
    known = evidence.load()
    effects = []
    for row in _rows():
        sides = [tuple(row.get("ids", {}).get(one.name, ())) for one in (before, after)]
        if not any(sides) or (row.get("both", False) and not all(sides)):
            continue
        old, new = ("; ".join(_said(known[i]) for i in ids) or "not in the evidence" for ids in sides)
        effects.append(Effect(row["what"], old, new, (*sides[0], *sides[1]), row.get("remark", "")))
    return tuple(effects)


def _said(claim: Claim) -> str:
    if claim.value is not None:
        number = f"{claim.value:g}"
    elif claim.low is not None and claim.high is not None and claim.low != claim.high:
        number = f"{claim.low:g} to {claim.high:g}"
    else:
        number = claim.text
    unit = {"1": "", "fold": "-fold"}.get(claim.unit, f" {claim.unit}" if claim.unit else "")
    where = f" ({claim.system})" if claim.system else ""
    return f"{number}{unit}{where}"


@lru_cache(maxsize=1)
def _rows() -> tuple[Mapping[str, Any], ...]:
    text = (files("glueprint.chemistry") / "data" / "effects.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["effect"])
