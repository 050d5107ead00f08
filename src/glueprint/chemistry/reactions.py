"""One reaction as RDKit SMARTS: which products its reactants give, and which atoms go missing in a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdChemReactions

from glueprint.chemistry import standard
from glueprint.chemistry.structures import Structure, by_key, from_smiles, molecule
from glueprint.errors import InputError

__all__ = ["atoms", "imbalance", "products"]


def products(
    smarts: str, reactants: Sequence[Structure], *, racemises: bool = False, where: str = ""
) -> tuple[Structure, ...]:
    """The different products that a reaction gives from its reactants, in the order of the template.

    smarts: RDKit reaction SMARTS with one product template.   racemises: stereo centres are lost on the way.
    Reactants react as they are drawn, or else without their charges and as their one tautomer.
    Returns structures, named where they are built in; empty if the reactants do not react.
    Raises InputError GP-H004 if the SMARTS cannot be read or asks for another number of reactants.
    """
    reaction = _reaction(smarts, len(reactants), where)
    drawn = [reactant.smiles for reactant in reactants]
    return _run(reaction, drawn, racemises) or _run(reaction, [standard.neutral(s) for s in drawn], racemises)


def _run(reaction: Any, smiles: Sequence[str], racemises: bool) -> tuple[Structure, ...]:
    found: dict[str, Structure] = {}
    with rdBase.BlockLogs():
        for outcome in reaction.RunReactants(tuple(molecule(one) for one in smiles)):
            made = outcome[0]
            if Chem.SanitizeMol(made, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
                continue
            if racemises:
                Chem.RemoveStereochemistry(made)
            structure = from_smiles(str(Chem.MolToSmiles(made)), role="product", source="computed")
            key = standard.key(structure.smiles)
            found[key] = by_key(key) or structure
    return tuple(found.values())


def _reaction(smarts: str, reactants: int, where: str) -> Any:
    with rdBase.BlockLogs():
        try:
            reaction = rdChemReactions.ReactionFromSmarts(smarts)
        except ValueError:
            reaction = None
    if (
        reaction is None
        or reaction.GetNumReactantTemplates() != reactants
        or reaction.GetNumProductTemplates() != 1
    ):
        raise InputError(
            "GP-H004",
            f'cannot use "{smarts}" as a reaction of {reactants} reactants',
            where=where,
            expected='one template a reactant and one product, e.g. "[c:1][N+](=O)[O-]>>[c:1][NH2]"',
            next_step="map the atoms that stay with :1, :2, ... on both sides",
        )
    reaction.Initialize()
    return reaction


def atoms(structure: Structure) -> Counter[str]:
    """How many atoms of each element a structure has, hydrogen included."""
    explicit = Chem.AddHs(molecule(structure.smiles))
    return Counter(str(atom.GetSymbol()) for atom in explicit.GetAtoms())


def imbalance(
    consumed: Iterable[tuple[Structure, float]], made: Iterable[tuple[Structure, float]]
) -> Mapping[str, float]:
    """Atoms that appear (positive) or vanish (negative) from consumed to made; empty if the step balances.

    consumed, made: structures with moles per mole of product.   Returns moles of atoms by element.
    """
    total: Counter[str] = Counter()
    for sign, side in ((-1.0, consumed), (1.0, made)):
        for structure, moles in side:
            for element, count in atoms(structure).items():
                total[element] += sign * moles * count  # type: ignore[assignment]
    return {element: float(count) for element, count in sorted(total.items()) if count}
