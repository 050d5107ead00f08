"""What a run of a project gave: as it comes from the run, and as it is read back from its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glueprint.errors import InputError
from glueprint.mechanism import Compound, compounds
from glueprint.runs import ledger, provenance, verify, workspace
from glueprint.runs.provenance import Record
from glueprint.runs.store import file_hash, read_table
from glueprint.runs.verify import Finding, Trusted
from glueprint.study.glue.project import Project

__all__ = ["ASKED", "RESULT", "STEPS", "GlueResult", "changed", "doubts", "file_of", "read_back"]

RESULT, STEPS = "result", "steps"  # folders of a project
ASKED = "asked.json"  # the project as it was run, in the folder of a result


@dataclass(frozen=True)
class GlueResult:
    """A finished run: its folder, its tables by name, the compound that came out, and its provenance.

    computed: the steps that this run computed and did not find; none where the whole result was read back.
    """

    project: Project
    folder: Path
    tables: Mapping[str, pl.DataFrame]
    compound: Compound
    record: Record
    computed: tuple[str, ...] = ()

    @property
    def has_trial(self) -> bool:
        """Whether there were pharmacokinetics and a trial to run."""
        return "outcomes" in self.tables

    @property
    def refused(self) -> bool:
        """Whether something that was asked for could not be computed."""
        return "refusal" in self.tables["findings"].get_column("severity").to_list()


def file_of(project: Project) -> str:
    """The name of the compound's file in the folder of a result."""
    return f"{project.compound}.toml"


def doubts(project: Project, trusted: Trusted) -> list[Finding]:
    """Why what a project holds must not be read on: by its signatures, and of its result.

    trusted: as of `runs.verify.verify`; a project without a result and steps has nothing to be signed.
    Files of the result that are gone are made again, unless their record or the ledger are.
    Raises InputError GP-R011, GP-R017, and what `runs.signatures.check` raises.
    """
    place = project.folder / RESULT
    made = [project.folder / name for name in (RESULT, STEPS)]
    found = verify.signature_findings(project.folder, trusted)[1] if any(map(verify.is_written, made)) else []
    if place.is_dir():
        books = (ledger.FILE_NAME, ledger.HEAD, provenance.FILE_NAME)
        found += [
            doubt for doubt in verify.doubts(place) if doubt.what != verify.MISSING or doubt.file in books
        ]
    return found


def changed(folder: Path, names: Sequence[str]) -> InputError:
    """What to say where a folder is not as it was left."""
    return InputError(
        "GP-S007",
        f"was changed after the run was finished: {', '.join(names)}",
        where=str(folder),
        expected="the files as they were written, and a ledger and signatures that vouch for them",
        next_step="see `glueprint verify`; --fresh computes everything again",
    )


def read_back(folder: Path, project: Project, record: Record) -> GlueResult:
    """The result that a finished folder holds.

    folder: of the result.   Raises InputError GP-S007 if a file is not what the record says.
    """
    loose = {ASKED, file_of(project)}
    places = {
        name: folder / name if name in loose else folder / workspace.TABLES / f"{name}.parquet"
        for name in record.outputs
    }
    other = [
        path.relative_to(folder).as_posix()
        for name, path in places.items()
        if not path.is_file() or file_hash(path) != record.outputs[name]
    ]
    if other:
        raise changed(folder, other)
    tables = {name: read_table(path, name) for name, path in places.items() if name not in loose}
    return GlueResult(project, folder, tables, compounds.load(places[file_of(project)]), record)
