"""References read from their folders: one TOML file, and a CSV table with a row for each published number."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from pathlib import Path
from typing import Any

from glueprint.boundary import read_text
from glueprint.documents import Codes, read, validate
from glueprint.errors import InputError, nearest
from glueprint.references.reference import Reference

__all__ = ["available", "default", "load", "of_compound"]

FILE, CELLS, DEFAULT = "reference.toml", "cells.csv", "default.toml"
COLUMNS = ("claim_id", "trial", "arm", "endpoint", "column")
CODES = Codes(
    unreadable="GP-F002",
    syntax="GP-F003",
    header="GP-F004",
    field="GP-F005",
    help="docs/references.md shows what a reference holds",
)


def available() -> tuple[str, ...]:
    """Names of the references that come with Glueprint."""
    return tuple(sorted(entry.name for entry in _folder().iterdir() if entry.joinpath(FILE).is_file()))


@lru_cache(maxsize=1)
def default() -> Reference:
    """The reference that the calibrations which come with Glueprint are fitted to."""
    return load(str(read(_folder() / DEFAULT, CODES)["reference"]))


def of_compound(compound: str) -> Reference | None:
    """The reference that is about a compound, by the name of its file; None if there is none."""
    return next((one for one in map(load, available()) if one.compound == compound), None)


def load(name: str | Path) -> Reference:
    """A reference by name, or from a folder of your own with the same two files.

    Raises InputError GP-F001 (neither), GP-F002 (unreadable), GP-F003 (not TOML), GP-F004 (another kind or
    version), GP-F005 (a field), GP-F006 (the table of cells).
    """
    if isinstance(name, str) and name in available():
        return _built_in(name)
    folder = Path(name)
    if not folder.is_dir():
        raise InputError(
            "GP-F001",
            f'unknown reference "{name}"{nearest(str(name), available())}',
            expected=f"one of {', '.join(available())}, or the path of a folder with {FILE} and {CELLS}",
            next_step="correct the name, or see docs/references.md",
        )
    return _read(folder)


@lru_cache(maxsize=8)
def _built_in(name: str) -> Reference:
    return _read(_folder() / name)


def _read(folder: Path | Traversable) -> Reference:
    path = folder / FILE
    return validate(Reference, read(path, CODES) | {"cells": _cells(folder / CELLS)}, CODES, where=str(path))


def _cells(path: Path | Traversable) -> dict[str, dict[str, Any]]:
    """The rows of the table of cells by claim id."""
    try:
        text = read_text(path)
    except (OSError, ValueError) as problem:
        raise _unusable(str(path), "cannot be read as UTF-8 text") from problem
    header, *lines = list(csv.reader(StringIO(text))) or [[]]
    if tuple(header) != COLUMNS:
        raise _unusable(str(path), f"begins with {', '.join(header) or 'nothing'}")
    rows: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(COLUMNS) or not all(line):
            raise _unusable(f"{path}, line {number}", f"{len([cell for cell in line if cell])} filled cells")
        if line[0] in rows:
            raise _unusable(f"{path}, line {number}", f'claim "{line[0]}" a second time')
        rows[line[0]] = dict(zip(COLUMNS[1:], line[1:], strict=True))
    return rows


def _unusable(where: str, what: str) -> InputError:
    return InputError(
        "GP-F006",
        what,
        where=where,
        expected=f"a first line {','.join(COLUMNS)}, then one line for each claim, every cell filled",
        next_step=f"correct that line; {CODES.help}",
    )


def _folder() -> Traversable:
    return files("glueprint.references")
