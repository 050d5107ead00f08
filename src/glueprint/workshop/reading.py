"""A problem from its file, whichever form that has."""

from __future__ import annotations

import os
from pathlib import Path

from glueprint.errors import InputError
from glueprint.workshop import document, petab
from glueprint.workshop.problem import Problem

__all__ = ["read"]


def read(path: str | os.PathLike[str]) -> Problem:
    """The problem in a .toml file, or in a .yaml file of PEtab 1, checked.

    Raises InputError GP-W003 for another ending, and as `document.read` and `petab.read`.
    """
    file = Path(path)
    if file.suffix == ".toml":
        return document.read(file)
    if file.suffix in (".yaml", ".yml"):
        return petab.read(file)
    raise InputError(
        "GP-W003",
        f'"{file.name}" ends in "{file.suffix}"',
        where=str(file),
        expected="a problem as .toml, or as .yaml (PEtab)",
        next_step="name the file that names the model and the data",
    )
