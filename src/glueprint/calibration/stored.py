"""How a posterior lies in a folder: its tables as Parquet, the rest as TOML beside them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.boundary import read_text
from glueprint.errors import InputError
from glueprint.runs import store

__all__ = ["Form", "standing"]


@dataclass(frozen=True)
class Form:
    """One kind of posterior on disk.

    kind: as its file says.   about: the name of that file.   code: of the error where none can be read.
    made_by: how one is written, in words.
    """

    kind: str
    about: str
    code: str
    made_by: str
    version: int = 1

    def save(
        self,
        folder: Path,
        tables: Mapping[str, pl.DataFrame],
        facts: Mapping[str, object],
        settings: Mapping[str, object],
        *,
        more: Iterable[str] = (),
    ) -> tuple[Path, ...]:
        """Write tables, facts and settings; returns the paths. The same content gives the same bytes.

        tables: by the name of their file.   more: lines of TOML at the end.
        Raises EnvironmentProblemError GP-R001 or GP-R002 if it cannot be written.
        """
        store.write_tables(folder, tables)
        said = {"kind": self.kind, "version": self.version, **facts}
        lines = [f"# Written by {self.made_by}; the tables lie beside it.", *_pairs(said), ""]
        lines += ["[settings]", *_pairs(settings), "", *more]
        store.write_file(folder / self.about, "\n".join(lines).rstrip() + "\n")
        return (*(folder / f"{name}.parquet" for name in tables), folder / self.about)

    def load(self, folder: Path, tables: Iterable[str]) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
        """What `save` wrote: facts with "settings", and the tables of these names.

        Raises InputError of this form's code for a folder without one or of another version, GP-R003 for its
        tables.
        """
        try:
            about = tomllib.loads(read_text(folder / self.about))
        except (OSError, ValueError, RecursionError) as problem:
            raise self.refused(folder, str(problem)) from problem
        if (about.get("kind"), about.get("version")) != (self.kind, self.version):
            what = f"kind {about.get('kind')!r}, version {about.get('version')!r}"
            raise self.refused(folder, what)
        return about, {name: store.read_table(folder / f"{name}.parquet", name) for name in tables}

    def refused(self, folder: Path, what: str) -> InputError:
        """The error that says why none can be read."""
        wanted = f'{self.about} of kind "{self.kind}", version {self.version}'
        return InputError(
            self.code,
            f"no {self.kind} can be read: {what}",
            where=str(folder / self.about),
            expected=f"a folder with {wanted}, and its tables",
            next_step=f"write one with {self.made_by}",
        )


def standing(about: Mapping[str, Any], *, fresh: bool, stale: str) -> tuple[str, str]:
    """Status and reason of a posterior; "stale", for the reason given, where what it follows from has
    changed."""
    return (about["status"], about["reason"]) if fresh else ("stale", stale)


def _pairs(values: Mapping[str, object]) -> list[str]:
    """Names, short texts and numbers: JSON's way to write them is TOML's."""
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
