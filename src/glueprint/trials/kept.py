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
from glueprint.trials.analysis import endpoints_table
from glueprint.trials.protocol import Protocol
from glueprint.trials.result import TrialResult
from glueprint.trials.running import CUT_TABLES, TABLES
from glueprint.trials.spreadsheets import names_in, read_spreadsheet, write_spreadsheets

__all__ = ["FILE_NAME", "Kept", "load", "save", "write_out"]

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
        """One of the tables of docs/design.md, from Parquet, CSV or a workbook, whichever is there.

        Raises InputError GP-R003 or GP-T098 if it cannot be read.
        """
        path = self.folder / f"{name}.parquet"
        return (
            read_table(path, name)
            if path.is_file() or not self.sheets
            else read_spreadsheet(self.folder, name)
        )

    @property
    def sheets(self) -> tuple[str, ...]:
        """The tables that are there as CSV or in a workbook."""
        return names_in(self.folder)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table of the trial, those that are computed from its patients and visits among them."""
        named = (*TABLES, *(CUT_TABLES if self.protocol.data_cuts else ()))
        there = {name: self.table(name) for name in named}
        result = TrialResult(self.protocol, self.seed, **there, draws_label=self.label)
        computed = {"subgroups": result.subgroups(), "grades": result.grades()}
        return {**there, **computed, "estimands": result.estimands()}

    def analysed(self) -> pl.DataFrame:
        """The table of endpoints, estimated anew from the patients that are there."""
        parts = self.table("patients").partition_by("replicate", maintain_order=True)
        return pl.concat(endpoints_table(self.protocol, part) for part in parts)


def save(result: TrialResult, folder: Path, origin: Mapping[str, str] | None = None) -> None:
    """Write tables, protocol and seed of a result to a folder.

    origin: name -> text, where its parameters come from, such as the digest of a posterior.
    Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
    """
    with disk_errors(folder):
        (folder / FILE_NAME).unlink(missing_ok=True)
    write_tables(folder, result.tables())
    about = _about(result, origin)
    # Last, so that a folder with this file has all tables.
    write_file(folder / FILE_NAME, json.dumps(about, indent=2, ensure_ascii=False) + "\n")


def _about(result: TrialResult, origin: Mapping[str, str] | None) -> dict[str, Any]:
    return {
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


def write_out(kept: Kept, folder: Path, form: str) -> list[Path]:
    """Write every table of a kept trial as CSV files or one workbook; the folder is a kept trial as well.

    form: "csv" or "xlsx".
    Returns the files.   Raises as `spreadsheets.write_spreadsheets`.
    """
    written = write_spreadsheets(kept.tables(), folder, form)
    write_file(folder / FILE_NAME, read_text(kept.folder / FILE_NAME))
    return [*written, folder / FILE_NAME]


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
