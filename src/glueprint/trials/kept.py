"""A trial's result in a folder: its tables, and beside them the protocol, the seed and how to read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

import glueprint
from glueprint.boundary import read_text
from glueprint.errors import InputError
from glueprint.runs.audit import refuse_changed
from glueprint.runs.store import disk_errors, read_table, write_file, write_tables
from glueprint.trials.protocol import Protocol
from glueprint.trials.result import TrialResult

__all__ = ["FILE_NAME", "Kept", "load", "save"]

FILE_NAME = "trial.json"
KIND, VERSION = "glueprint-trial-result", 1


@dataclass(frozen=True)
class Kept:
    """What lies in a folder of `save`; the tables are read when they are asked for.

    label: how the numbers are to be read, such as "predicted".
    """

    folder: Path
    protocol: Protocol
    seed: int
    label: str

    def table(self, name: str) -> pl.DataFrame:
        """One of the tables of docs/design.md. Raises InputError GP-R003 if it cannot be read."""
        return read_table(self.folder / f"{name}.parquet", name)


def save(result: TrialResult, folder: Path, origin: Mapping[str, str] | None = None) -> None:
    """Write tables, protocol and seed of a result to a folder.

    origin: name -> text, where its parameters come from, such as the digest of a posterior.
    Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
    """
    with disk_errors(folder):
        (folder / FILE_NAME).unlink(missing_ok=True)
    write_tables(folder, result.tables())
    about = {
        "kind": KIND,
        "version": VERSION,
        "glueprint": glueprint.__version__,
        "seed": result.seed,
        "label": result.label,
        "outside": [finding.as_dict() for finding in result.outside],
        "replicates": result.replicates,
        "origin": dict(origin or {}),
        "protocol": result.protocol.model_dump(mode="json"),
    }
    # Last, so that a folder with this file has all tables.
    write_file(folder / FILE_NAME, json.dumps(about, indent=2, ensure_ascii=False) + "\n")


def load(folder: Path) -> Kept:
    """What `save` wrote.

    Raises InputError GP-T078 for a folder without it, or of another version, GP-R029 if the record of a
    command lies there and says otherwise.
    """
    refuse_changed(folder)
    path = folder / FILE_NAME
    try:
        about: dict[str, Any] = json.loads(read_text(path))
        if (about["kind"], about["version"]) != (KIND, VERSION):
            raise ValueError(f"kind {about['kind']}, version {about['version']}")
        protocol = Protocol.model_validate_json(json.dumps(about["protocol"]))
        return Kept(folder, protocol, int(about["seed"]), str(about["label"]))
    except (OSError, KeyError, TypeError, ValueError, RecursionError, ValidationError) as problem:
        reason = f"no field {problem}" if isinstance(problem, KeyError) else str(problem).splitlines()[0]
        raise InputError(
            "GP-T078",
            f"no result of a trial can be read: {reason}",
            where=str(path),
            expected="the folder that `glueprint trial run PROTOCOL --out FOLDER` wrote",
            next_step="run the trial again with --out, or correct the path",
        ) from problem
