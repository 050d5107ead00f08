"""Substances: a drawing, the parent structure behind it, its counter-ions, and what it is the same as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from glueprint.chemistry import reading, standard, structures
from glueprint.chemistry.reading import Drawing
from glueprint.chemistry.standard import Part
from glueprint.chemistry.structures import Structure
from glueprint.errors import GlueprintError, InputError

__all__ = ["Substance", "identify", "one", "read", "resolve"]


@dataclass(frozen=True)
class Substance:
    """One substance.

    structure: the parent, built in if it is known.   same_as: the built-in compound it is a form of, and how.
    drawn_smiles, drawn_formula, drawn_mass_g_per_mol: as drawn, with counter-ions and solvents.
    parts: what was split off.   count: parents in the drawn formula.   changed: what the standardiser did.
    where: file and line, if it came from one.
    """

    name: str
    structure: Structure
    same_as: str
    drawn_smiles: str
    drawn_formula: str
    drawn_mass_g_per_mol: float
    parts: tuple[Part, ...]
    count: int
    changed: tuple[str, ...]
    where: str = ""

    @property
    def mass_per_parent_g_per_mol(self) -> float:
        """Mass of the drawn form that holds one mole of the parent, g/mol: what is weighed for a salt."""
        return self.drawn_mass_g_per_mol / self.count


def resolve(text: str, *, where: str = "") -> Substance:
    """The substance behind a name, SMILES, InChI, InChIKey or CAS number.

    Raises InputError GP-H001, GP-H002, GP-H015, GP-H017; NotSupportedError GP-H018 to GP-H020.
    """
    return identify(reading.drawing(text, where=where))


def read(path: str | Path) -> Iterator[Substance | GlueprintError]:
    """The substances of a molfile, an SDF or a list of SMILES; a bad one is an error that names its line.

    Raises EnvironmentProblemError GP-H008, InputError GP-H016 if there is none at all.
    """
    for found in reading.drawings(path):
        if isinstance(found, GlueprintError):
            yield found
            continue
        try:
            yield identify(found)
        except GlueprintError as error:
            yield error


def one(text: str) -> Substance:
    """The one substance of a text or of a file.

    Raises what `resolve` and `read` raise, and InputError GP-H021 if the file holds several.
    """
    if not reading.is_structure_file(text):
        return resolve(text)
    found = list(read(text))
    if len(found) > 1:
        raise InputError(
            "GP-H021",
            f"the file holds {len(found)} structures",
            where=text,
            expected="one structure",
            next_step="keep one in the file; `compound show` and `compound check` take many",
        )
    if isinstance(found[0], GlueprintError):
        raise found[0]
    return found[0]


def identify(drawing: Drawing) -> Substance:
    """The substance of a drawing: standardised, and named where it or its skeleton is built in.

    Raises InputError GP-H017, NotSupportedError GP-H018 to GP-H020.
    """
    found = standard.standardise(drawing.mol, where=drawing.where)
    bare, known, relation = _known(found.smiles)
    name = (
        drawing.name or (known.name if known and not relation else "") or _form(known, relation) or bare.name
    )
    structure = known if known is not None and not relation else replace(bare, name=name)
    return Substance(
        name,
        structure,
        f"{relation} {known.name}".strip() if known else "",
        str(Chem.MolToSmiles(drawing.mol)),
        str(rdMolDescriptors.CalcMolFormula(drawing.mol)),
        float(rdMolDescriptors._CalcMolWt(drawing.mol)),
        found.parts,
        found.count,
        found.changed,
        drawing.where,
    )


@lru_cache(maxsize=4096)
def _known(smiles: str) -> tuple[Structure, Structure | None, str]:
    """The parent, the built-in structure with the same skeleton, and how the parent differs from it."""
    bare = structures.from_smiles(smiles)
    same = structures.by_key(bare.inchikey)
    if same is not None:
        return bare, same, ""
    skeleton = structures.by_skeleton(bare.inchikey)
    if skeleton is None:
        return bare, None, ""
    labelled = any(atom.GetIsotope() for atom in structures.molecule(smiles).GetAtoms())
    return bare, skeleton, "isotopically labelled" if labelled else "another stereoisomer of"


def _form(known: Structure | None, relation: str) -> str:
    return f"{relation} {known.name}" if known is not None else ""
