"""The compound family and every intermediate as structures: formula, masses and InChIKey are computed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import polars as pl
from rdkit import Chem, rdBase
from rdkit.Chem import rdinchi, rdMolDescriptors
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers

from glueprint.errors import InputError, nearest

__all__ = [
    "SCHEMA",
    "Structure",
    "by_cas",
    "by_key",
    "by_skeleton",
    "from_smiles",
    "load",
    "molecule",
    "names",
    "table",
]

SCHEMA = pl.Schema(
    {
        "name": pl.String(),
        "role": pl.String(),
        "formula": pl.String(),
        "average_mass_g_per_mol": pl.Float64(),
        "exact_mass_g_per_mol": pl.Float64(),
        "inchikey": pl.String(),
        "stereo": pl.String(),
        "smiles": pl.String(),
        "claims": pl.List(pl.String()),
        "source": pl.String(),
    }
)


SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Structure:
    """One compound; masses in g/mol; `stereo` is "S", "R", "racemate or undefined" or "achiral".

    verified: what outside the evidence agrees with the structure.   parent: the drug a metabolite comes from.
    cas: CAS Registry Number, if known.
    """

    name: str
    role: str
    smiles: str
    formula: str
    average_mass_g_per_mol: float
    exact_mass_g_per_mol: float
    inchikey: str
    stereo: str
    source: str
    aliases: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    verified: str = ""
    parent: str = ""
    cas: str = ""


def molecule(smiles: str, *, where: str = "") -> Any:
    """The RDKit molecule of a SMILES.

    Raises InputError GP-H002 if it cannot be read.
    """
    with rdBase.BlockLogs():
        found = Chem.MolFromSmiles(smiles) if smiles.strip() else None
    if found is None:
        raise InputError(
            "GP-H002",
            f'cannot read "{_short(smiles)}" as SMILES{_why(smiles)}',
            where=where,
            expected='a SMILES string such as "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1" (thalidomide)',
            next_step="check brackets, ring numbers and valences",
        )
    return found


def from_smiles(
    smiles: str, *, name: str = "", role: str = "user", source: str = "user", where: str = ""
) -> Structure:
    """A structure of the user's own.

    Returns a `Structure` with canonical SMILES.   Raises InputError GP-H002 if the SMILES cannot be read.
    """
    found = molecule(smiles, where=where)
    with rdBase.BlockLogs():
        key = str(rdinchi.MolToInchiKey(found))
    return Structure(
        name=name or key,
        role=role,
        smiles=str(Chem.MolToSmiles(found)),
        formula=str(rdMolDescriptors.CalcMolFormula(found)),
        average_mass_g_per_mol=float(rdMolDescriptors._CalcMolWt(found)),
        exact_mass_g_per_mol=float(rdMolDescriptors.CalcExactMolWt(found)),
        inchikey=key,
        stereo=_stereo(found),
        source=source,
    )


def load(name: str) -> Structure:
    """A built-in structure by name or alias; "(S)-" and "(R)-" before a racemic compound give its enantiomer.

    Raises InputError GP-H001 if nothing of that name is built in.

    >>> load("pomalidomide").formula
    'C13H11N3O4'
    """
    found = _by_name().get(name.casefold())
    if found is None and name[:4].casefold() in ("(s)-", "(r)-"):
        parent = _by_name().get(name[4:].casefold())
        if parent is not None:
            found = _enantiomer(parent, name[1].upper())
    if found is None:
        raise InputError(
            "GP-H001",
            f'no structure "{name}"{nearest(name, names())}',
            expected="one of "
            + ", ".join(n for n in names() if _by_name()[n.casefold()].role == "drug")
            + ", ...",
            next_step="see `glueprint compound list`, or give the structure as SMILES or InChI",
        )
    return found


def names() -> tuple[str, ...]:
    """The names of all built-in structures, in their order in the data file."""
    return tuple(structure.name for structure in _library())


def by_key(inchikey: str) -> Structure | None:
    """The built-in structure or enantiomer with this InChIKey, or None."""
    for structure in _library():
        if structure.inchikey == inchikey:
            return structure
        # Skeleton and stereo layer are separate blocks of the key: enantiomers share only the first.
        if structure.inchikey[:14] == inchikey[:14]:
            for label in ("S", "R"):
                candidate = _enantiomer(structure, label)
                if candidate is not None and candidate.inchikey == inchikey:
                    return candidate
    return None


def by_skeleton(inchikey: str) -> Structure | None:
    """The first built-in structure with the same atoms and bonds, whatever its stereo and isotopes."""
    same = (structure for structure in _library() if structure.inchikey[:14] == inchikey[:14])
    return next(same, None)


def by_cas(number: str) -> Structure | None:
    """The built-in structure with this CAS Registry Number, or None."""
    return next((structure for structure in _library() if structure.cas == number), None)


def table() -> pl.DataFrame:
    """All built-in structures as a table with the columns of `SCHEMA`; masses in g/mol."""
    rows = [{column: getattr(structure, column) for column in SCHEMA} for structure in _library()]
    return pl.DataFrame([row | {"claims": list(row["claims"])} for row in rows], schema=SCHEMA)


def _short(smiles: str) -> str:
    return smiles if len(smiles) <= SHOWN_CHARACTERS else f"{smiles[:SHOWN_CHARACTERS]}..."


def _why(smiles: str) -> str:
    """What is wrong with a SMILES, as far as it can be told."""
    with rdBase.BlockLogs():
        loose = Chem.MolFromSmiles(smiles, sanitize=False)
        if loose is not None:
            problems = Chem.DetectChemistryProblems(loose)
            return f": {problems[0].Message()}" if problems else ""
    for opening, closing, what in (("(", ")", "parentheses"), ("[", "]", "brackets")):
        if smiles.count(opening) != smiles.count(closing):
            return f": {smiles.count(opening)} opening and {smiles.count(closing)} closing {what}"
    # Ring numbers stand outside brackets, where a digit is a charge, an isotope or a count of hydrogens.
    rings = re.sub(r"\[[^\]]*\]", "", smiles)
    numbers = [a or b for a, b in re.findall(r"%(\d\d)|(\d)", rings)]
    open_rings = sorted({number for number in numbers if numbers.count(number) % 2})
    return f": ring {', '.join(open_rings)} is opened and not closed" if open_rings else ""


@lru_cache(maxsize=1)
def _library() -> tuple[Structure, ...]:
    text = (files("glueprint.chemistry") / "data" / "structures.toml").read_text(encoding="utf-8")
    return tuple(_read(row) for row in tomllib.loads(text)["structure"])


@lru_cache(maxsize=1)
def _by_name() -> Mapping[str, Structure]:
    return {
        name.casefold(): structure
        for structure in _library()
        for name in (structure.name, *structure.aliases)
    }


def _read(row: Mapping[str, Any]) -> Structure:
    bare = from_smiles(row["smiles"], name=row["name"], role=row["role"], source=row["source"])
    return Structure(
        **{
            **bare.__dict__,
            "aliases": tuple(row.get("aliases", ())),
            "claims": tuple(row.get("claims", ())),
            "verified": row.get("verified", ""),
            "parent": row.get("parent", ""),
            "cas": row.get("cas", ""),
        }
    )


@lru_cache(maxsize=64)
def _enantiomer(parent: Structure, label: str) -> Structure | None:
    if not parent.stereo.startswith("racemate"):
        return None
    isomers = EnumerateStereoisomers(molecule(parent.smiles))  # type: ignore[no-untyped-call]
    for isomer in isomers:
        if _stereo(isomer) == label:
            bare = from_smiles(
                str(Chem.MolToSmiles(isomer)), name=f"({label})-{parent.name}", role=parent.role
            )
            return Structure(**{**bare.__dict__, "source": f"enantiomer of {parent.name}, {parent.source}"})
    return None


def _stereo(found: Any) -> str:
    centres = Chem.FindMolChiralCenters(  # type: ignore[no-untyped-call]
        found, includeUnassigned=True, useLegacyImplementation=False
    )
    labels = [label for _, label in centres]
    if not labels:
        return "achiral"
    return "racemate or undefined" if "?" in labels else ",".join(labels)
