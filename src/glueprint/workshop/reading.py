"""A problem from its file, whichever form that has."""

from __future__ import annotations

import os
from pathlib import Path

from glueprint.errors import InputError
from glueprint.workshop import document, petab, petab2
from glueprint.workshop.petab_files import content_of, refused, version_of
from glueprint.workshop.problem import Problem

__all__ = ["read"]


def read(path: str | os.PathLike[str]) -> Problem:
    """The problem in a .toml file, or in a .yaml file of PEtab 1 or 2, checked.

    Raises InputError GP-W003 for another ending, NotSupportedError GP-W020 for another version of PEtab, and
    as `document.read`, `petab.read` and `petab2.read`.
    """
    file = Path(path)
    if file.suffix == ".toml":
        return document.read(file)
    if file.suffix in (".yaml", ".yml"):
        content = content_of(file)
        version = version_of(content)
        if version in ("1", "1.0", "1.0.0"):
            return petab.read(file, content)
        if version.split(".")[0] == "2":
            return petab2.read(file, content)
        raise refused(f"format_version is {version}", str(file), "write the problem as PEtab 1 or 2")
    raise InputError(
        "GP-W003",
        f'"{file.name}" ends in "{file.suffix}"',
        where=str(file),
        expected="a problem as .toml, or as .yaml (PEtab)",
        next_step="name the file that names the model and the data",
    )
