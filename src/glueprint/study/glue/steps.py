"""What was computed once and holds as long as what it was made of: units on disk, called by their content.

A step's key is the SHA-256 of all that decides it, so that a changed file makes a new step and an unchanged
one is found again; a step that was killed in the middle is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glueprint.runs import provenance, units
from glueprint.runs.store import disk_errors

__all__ = ["Steps", "digest_of", "file_digest"]

KEY_LENGTH = 24
MOST_BYTES = 1024 * 1024


def digest_of(*parts: object) -> str:
    """SHA-256 of parts that are text, numbers, or lists and tables of them."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Steps:
    """The steps of a project, below `root`."""

    root: Path

    def table_set(
        self, job: str, key: str, compute: Callable[[], Mapping[str, pl.DataFrame]]
    ) -> tuple[dict[str, pl.DataFrame], bool]:
        """The tables of a step, from the disk or computed and kept.

        job: what the step is called.   key: `digest_of` all that decides it.
        Returns the tables by name, and whether they were there.   Raises as `runs.units.keep`, and what
        `compute` raises.
        """
        unit = self.unit(job, key)
        there = self.is_there(unit)
        if not there:
            with disk_errors(self.root):
                self.root.mkdir(parents=True, exist_ok=True)
                units.discard(self.root / unit)
            units.keep(self.root, unit, compute(), {})
        receipt = units.receipt_of(self.root / unit)
        names = receipt.files if receipt else {}
        return {name: units.read(self.root, unit, name) for name in names}, there

    def unit(self, job: str, key: str) -> str:
        """The folder of a step below `root`."""
        return f"{job}/{key[:KEY_LENGTH]}"

    def is_there(self, unit: str) -> bool:
        """Whether a unit is whole and was made with our versions."""
        receipt = units.receipt_of(self.root / unit)
        ours = receipt is not None and receipt.made_with == provenance.versions()
        return ours and not units.damage(self.root / unit)

    def forget_all_but(self, wanted: set[str]) -> int:
        """Remove the steps that are not wanted, by their `unit`.   Returns how many went."""
        gone = [
            folder
            for folder in units.folders(self.root)
            if folder.relative_to(self.root).as_posix() not in wanted
        ]
        for folder in gone:
            units.discard(folder)
        self.forget_jobs({unit.split("/")[0] for unit in wanted})
        return len(gone)

    def forget_jobs(self, wanted: set[str]) -> None:
        """Remove the folders of all jobs but these."""
        for folder in list(self.root.iterdir()) if self.root.is_dir() else ():
            if folder.name not in wanted:
                units.discard(folder)
