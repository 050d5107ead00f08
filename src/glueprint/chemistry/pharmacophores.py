"""The classes by which a structure can sit in the cereblon pocket, each with its pattern and its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from rdkit import Chem

from glueprint.chemistry import standard
from glueprint.chemistry.structures import Structure, molecule

__all__ = ["Pharmacophore", "available", "matching"]


@dataclass(frozen=True)
class Pharmacophore:
    """One class: the ring that is bound, its pattern (SMARTS), an example, and where binding is shown."""

    name: str
    ring: str
    smarts: str
    example: str
    source: str


@lru_cache(maxsize=1)
def available() -> tuple[Pharmacophore, ...]:
    """All classes, in the order in which they are tried."""
    text = (files("glueprint.chemistry") / "data" / "pharmacophores.toml").read_text(encoding="utf-8")
    return tuple(Pharmacophore(**row) for row in tomllib.loads(text)["class"])


def matching(structure: Structure, classes: tuple[Pharmacophore, ...] | None = None) -> Pharmacophore | None:
    """The class that the parent of a structure belongs to, of those given (None: all), or None."""
    mol = molecule(standard.parent(structure.smiles))
    among = available() if classes is None else classes
    found = (one for one in among if mol.HasSubstructMatch(_pattern(one.smarts)))
    return next(found, None)


@lru_cache(maxsize=64)
def _pattern(smarts: str) -> Any:
    return Chem.MolFromSmarts(smarts)
