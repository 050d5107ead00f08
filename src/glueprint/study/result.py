"""The result of a study: as it comes from a run, and as it is read back from its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from glueprint.calibration import clinical
from glueprint.errors import InputError
from glueprint.runs import ledger, signatures, verify, workspace
from glueprint.runs.provenance import Record
from glueprint.runs.store import file_hash, read_table
from glueprint.study.definition import REQUEST, Study
from glueprint.trials import CUT_TABLES, Protocol, TrialResult
from glueprint.trials import TABLES as TRIAL_TABLES

__all__ = ["StudyResult", "add_file", "is_signed", "read_back"]


@dataclass(frozen=True)
class StudyResult:
    """What a study gave: its folder, its tables by name, each trial's result, and its provenance."""

    study: Study
    folder: Path
    tables: Mapping[str, pl.DataFrame]
    trials: Mapping[str, TrialResult]
    record: Record

    @property
    def failed(self) -> int:
        """Virtual patients that could not be computed, over all trials."""
        return sum(result.failed for result in self.trials.values())


def read_back(folder: Path, plan: Study, protocols: Mapping[str, Protocol], record: Record) -> StudyResult:
    """The result that a finished folder holds.

    Raises InputError GP-S007 if a file is not what the record says.
    """
    places = {
        name: folder / REQUEST if name == REQUEST else folder / workspace.TABLES / f"{name}.parquet"
        for name in record.outputs
    }
    changed = [
        path.relative_to(folder).as_posix()
        for name, path in places.items()
        if not path.is_file() or file_hash(path) != record.outputs[name]
    ]
    if changed:
        raise _changed(folder, changed)
    tables = {name: read_table(path, name) for name, path in places.items() if name != REQUEST}
    trials = {}
    for name, protocol in protocols.items():
        patients, visits, endpoints, curves = (tables[f"{name}_{table}"] for table in TRIAL_TABLES)
        label = (
            clinical.label_of(protocol) if plan.posterior else clinical.posterior().central(protocol).label
        )
        cuts = {more: tables[f"{name}_{more}"] for more in CUT_TABLES if protocol.data_cuts}
        trials[name] = TrialResult(protocol, plan.seed, patients, visits, endpoints, curves, label, **cuts)
    return StudyResult(plan, folder, tables, trials, record)


def is_signed(folder: Path) -> bool:
    """Whether somebody signed a folder: nothing is then added to it, not even a report drawn anew."""
    return signatures.are_in(folder)


def add_file(folder: Path, path: Path) -> None:
    """Let the ledger vouch for a file that was added to a finished study, such as its report.

    Raises InputError GP-S007 if the folder was changed, and what `runs.workspace.claim` and
    `runs.ledger.append` raise.
    """
    with workspace.claim(folder):
        name = path.relative_to(folder).as_posix()
        # An entry for one file speaks for the folder that it was made from.
        others = [doubt for doubt in verify.doubts(folder) if doubt.file != name]
        if others:
            raise _changed(folder, [doubt.file for doubt in others])
        facts = {"files": {name: file_hash(path)}, "origin": ledger.UNVERIFIED}
        ledger.append(folder, "added", facts)


def _changed(folder: Path, files: Sequence[str]) -> InputError:
    return InputError(
        "GP-S007",
        f"was changed after the study was finished: {', '.join(files)}",
        where=str(folder),
        expected="the files as they were written",
        next_step="see `glueprint study verify`; --fresh computes everything again",
    )
