"""Provenance: with what, from what and into what a run was made."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import glueprint
from glueprint.boundary import clock, decoded, files
from glueprint.errors import InputError
from glueprint.runs.store import write_file

__all__ = ["FILE_NAME", "Record", "new", "read", "text_of", "versions", "write"]

FILE_NAME = "provenance.json"
MOST_BYTES = 16 * 1024 * 1024  # no study names more than a few thousand files
PACKAGES = ("numpy", "scipy", "polars", "llvmlite", "antimony", "python-libsbml", "rdkit", "altair")


@dataclass(frozen=True)
class Record:
    """Provenance of one run.

    inputs: name -> SHA-256 of what went in (study file, protocols, evidence, model).
    outputs: name -> SHA-256 of what came out.   settings: seed and whatever else decides the numbers.
    """

    kind: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    started_utc: str
    seconds: float
    version: int = 1
    glueprint: str = ""
    python: str = ""
    machine: str = ""
    packages: Mapping[str, str] | None = None

    def differs_from(self, other: Record) -> list[str]:
        """What decides the numbers and is not the same, in words; empty if a rerun gives the same numbers."""
        words = []
        for title, now, then in (
            ("Glueprint", self.glueprint, other.glueprint),
            ("Python", self.python, other.python),
            ("machine", self.machine, other.machine),
        ):
            if now != then:
                words.append(f"{title} {then} -> {now}")
        for title, ours, theirs in (
            ("package", self.packages or {}, other.packages or {}),
            ("setting", self.settings, other.settings),
            ("input", self.inputs, other.inputs),
        ):
            words.extend(
                f"{title} {name}: {theirs.get(name)} -> {ours.get(name)}"
                for name in sorted({*ours, *theirs})
                if ours.get(name) != theirs.get(name)
            )
        return words


def versions() -> dict[str, str]:
    """Everything installed that decides the numbers: name -> version."""
    return {
        "Glueprint": glueprint.__version__,
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **_packages(),
    }


@cache
def _packages() -> dict[str, str]:
    """The versions of PACKAGES, which are looked for in files and do not change while we run."""
    return {name: metadata.version(name) for name in PACKAGES}


def new(kind: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> Record:
    """A record at the start of a run, with the versions of everything that decides the numbers."""
    return Record(
        kind=kind,
        settings=dict(settings),
        inputs=dict(inputs),
        outputs={},
        started_utc=clock.text("seconds"),
        seconds=0.0,
        glueprint=glueprint.__version__,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        packages=dict(_packages()),
    )


def text_of(record: Record) -> str:
    """The record as it stands in its file."""
    return json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n"


def write(path: Path, record: Record) -> str:
    """Write the record as JSON; returns the SHA-256 of the file."""
    return write_file(path, text_of(record))


def read(path: Path) -> Record:
    """The record that a run left. Raises InputError GP-R005 if it cannot be read."""
    try:
        record = Record(**json.loads(decoded(files.read_plain(path, MOST_BYTES))))
        _check(record)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(
            "GP-R005",
            f"is not a provenance record: {error}",
            where=str(path),
            expected="the file that a Glueprint run writes beside its tables",
            next_step="restore it from a copy, or choose another folder with --out",
        ) from error
    return record


def _check(record: Record) -> None:
    """Raises ValueError unless every part has the shape that a run gives it, and every output is a name."""
    for name in ("settings", "inputs", "outputs"):
        if not isinstance(getattr(record, name), dict):
            raise ValueError(f"{name} is no table")
    if not isinstance(record.packages, dict | None):
        raise ValueError("packages is no table")
    for name in record.outputs:
        if not files.is_name_inside(name):
            raise ValueError(f"an output leads out of the folder: {name[:80]!r}")
