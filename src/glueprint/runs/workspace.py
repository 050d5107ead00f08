"""A folder that a run works in: locked, resumable, and changed to its result in one last step.

OUT/.lock                   held by the one process that writes
OUT/ledger.jsonl, ledger.head   what was done here, see `ledger`
OUT/unfinished/request.json what the run in progress was asked for, with versions
OUT/unfinished/KEY/...      its units, see `units`; KEY is the request's own hash, so that a late worker of
                            a run that was given up cannot slip a unit into another run
OUT/tables/, provenance.json, ...   the finished result; provenance.json comes last
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.boundary import odd_entries
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import ledger, lock, provenance, signatures, units
from glueprint.runs.provenance import Record
from glueprint.runs.store import disk_errors, file_hash, sync_folder, write_file, write_tables
from glueprint.runs.units import Receipt

__all__ = [
    "REQUEST",
    "TABLES",
    "UNFINISHED",
    "Found",
    "Workspace",
    "claim",
    "recorded",
    "refuse_links",
    "units_root",
]

MOST_NAMED = 5  # in one message
UNFINISHED, REQUEST, RESULT, OLD, TABLES = "unfinished", "request.json", "result", "old", "tables"


@dataclass(frozen=True)
class Found:
    """What a run finds to go on from: receipts of whole units, and damaged units with their wrong files."""

    whole: Mapping[str, Receipt]
    damaged: Mapping[str, list[str]]


@dataclass(frozen=True)
class Workspace:
    """A folder in the hands of this process.

    finished: the record of the result that it holds.   begun: that of a run that has not ended.
    """

    folder: Path
    finished: Record | None
    begun: Record | None

    @property
    def units(self) -> Path:
        """Where the units of the run in progress lie."""
        return units_root(self.folder)

    def begin(self, record: Record, facts: Mapping[str, Any]) -> None:
        """Start from nothing: an unfinished run is given up, a finished result stays for now.

        facts: what else the ledger should say, such as the executor.   Signatures go, and the ledger says so.
        """
        place = self.folder / UNFINISHED
        with disk_errors(place):
            self._forget()
        provenance.write(place / REQUEST, record)
        with disk_errors(place):
            self.units.mkdir()
            sync_folder(place)
        facts = {**_said(record), **facts, "request": file_hash(place / REQUEST)}
        if gone := signatures.give_up(self.folder):
            facts["signatures_given_up"] = gone
        ledger.append(self.folder, "begun", facts)

    def resume(self, facts: Mapping[str, Any]) -> Found:
        """Go on: count what is whole, remove what is damaged or half-written."""
        with disk_errors(self.units):
            self.units.mkdir(exist_ok=True)
            whole, damaged = units.survey(self.units)
        units.sweep(self.units, damaged)
        found = {"units": len(whole), "damaged": damaged, "origin": ledger.UNVERIFIED}
        ledger.append(self.folder, "resumed", {**facts, **found})
        return Found(whole, damaged)

    def stop(self, event: str, facts: Mapping[str, Any]) -> None:
        """Say in the ledger that the run ended early, and remove what was half-written, if the disk lets us.

        Workers that were ended in the middle of a unit could not do it themselves.
        """
        with suppress(EnvironmentProblemError):
            units.sweep(self.units, {})
        with suppress(EnvironmentProblemError):
            ledger.append(self.folder, event, facts)

    def publish(self, tables: Mapping[str, pl.DataFrame], files: Mapping[str, str], record: Record) -> Record:
        """Put the result in place of what was there, and forget the units.

        files: name -> text, beside the tables.   record: its outputs are filled in.
        Killed at any moment, the folder holds the units still and the next run publishes again.
        """
        staged = self.folder / UNFINISHED / RESULT
        with disk_errors(staged):
            shutil.rmtree(staged, ignore_errors=True)
        outputs = write_tables(staged / TABLES, tables)
        hashes = {f"{TABLES}/{name}.parquet": digest for name, digest in outputs.items()}
        for name, text in files.items():
            outputs[name] = hashes[name] = write_file(staged / name, text)
        record = replace(record, outputs=outputs)
        hashes[provenance.FILE_NAME] = provenance.write(staged / provenance.FILE_NAME, record)
        with disk_errors(self.folder):
            _exchange(self.folder, staged, [*files, provenance.FILE_NAME])
        facts = {**_said(record), "seconds": record.seconds, "files": hashes}
        if _went_on(ledger.read(self.folder / ledger.FILE_NAME)):
            facts["origin"] = ledger.UNVERIFIED  # of the units that were found
        ledger.append(self.folder, "finished", facts)
        with disk_errors(self.folder):
            self._forget()
        return record

    def _forget(self) -> None:
        """Remove the run in progress, from under the hands of late workers, too."""
        units_there = self.units
        # The request goes first: without it nothing below can be taken for units to go on from.
        (self.folder / UNFINISHED / REQUEST).unlink(missing_ok=True)
        units.discard(units_there)
        if (self.folder / UNFINISHED).exists():
            shutil.rmtree(self.folder / UNFINISHED)


def units_root(folder: Path) -> Path:
    """The folder of the units of the run in progress; absent if there is none."""
    request = folder / UNFINISHED / REQUEST
    key = hashlib.sha256(request.read_bytes()).hexdigest()[:16] if request.is_file() else "none"
    return folder / UNFINISHED / key


def recorded(entries: list[ledger.Entry]) -> dict[str, str]:
    """Files that the ledger vouches for now: path -> SHA-256, of the last result and what was added to it."""
    files: dict[str, str] = {}
    for entry in entries:
        if entry.event == "finished":
            files = dict(entry.facts["files"])
        elif entry.event == "added":
            files.update(entry.facts["files"])
    return files


@contextmanager
def claim(folder: Path) -> Iterator[Workspace]:
    """Take a folder for this process alone until the block ends; it is made if absent.

    Raises InputError GP-R004 if it holds what Glueprint did not write, GP-R005 (a record that cannot be
    read), GP-R006 (another run is writing), GP-R017 (a link in it), and what `store.disk_errors` and
    `lock.hold` raise.
    """
    with disk_errors(folder):
        _refuse_foreign(folder)
        refuse_links(folder)
        folder.mkdir(parents=True, exist_ok=True)
    with lock.hold(folder):
        finished, begun = (
            provenance.read(path) if path.is_file() else None
            for path in (folder / provenance.FILE_NAME, folder / UNFINISHED / REQUEST)
        )
        yield Workspace(folder, finished, begun)


def refuse_links(folder: Path) -> None:
    """No run leaves links, pipes or devices in its folder; writing or reading through one would leave it.

    Raises InputError GP-R017, GP-R030 (a file in the folder's place), and what `store.disk_errors` raises.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(
            "GP-R030",
            "is a file, and a folder is asked for",
            where=str(folder),
            expected="the folder of a run or of the results of a command",
            next_step="name the folder that it lies in; `verify` also takes a file with its record beside it",
        )
    with disk_errors(folder, reading=True):
        odd = odd_entries(folder)
    if odd:
        raise InputError(
            "GP-R017",
            f"holds what no run writes, a link, a pipe or a device: {', '.join(odd[:MOST_NAMED])}",
            where=str(folder),
            expected="a folder of plain files and folders",
            next_step="remove it, or copy the plain files into a new folder",
        )


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    ours = (ledger.FILE_NAME, provenance.FILE_NAME)
    # A run that was killed before its first entry leaves no more than this.
    early = {lock.FILE_NAME, UNFINISHED, ledger.HEAD}
    if folder.is_dir() and (
        any((folder / name).is_file() for name in ours) or {path.name for path in folder.iterdir()} <= early
    ):
        return
    raise InputError(
        "GP-R004",
        "exists and was not written by Glueprint, so it is left alone",
        where=str(folder),
        expected=f'a new or empty folder, or one that holds "{ledger.FILE_NAME}"',
        next_step="choose another folder with --out",
    )


def _exchange(folder: Path, staged: Path, names: list[str]) -> None:
    """Old result out, new result in; the record goes first and comes last, and marks the result as whole."""
    old = folder / UNFINISHED / OLD
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir()
    stale = [name for name in recorded(ledger.read(folder / ledger.FILE_NAME)) if "/" not in name]
    for name in (provenance.FILE_NAME, *stale, TABLES):
        if (folder / name).exists():
            (folder / name).replace(old / name)
    sync_folder(folder)
    for name in (TABLES, *names):
        (staged / name).replace(folder / name)
    sync_folder(folder)


def _went_on(entries: list[ledger.Entry]) -> bool:
    """Whether the run that ends now took over units of an earlier process."""
    starts = [entry.event for entry in entries if entry.event in ("begun", "resumed")]
    return starts[-1:] == ["resumed"]


def _said(record: Record) -> dict[str, Any]:
    """What the ledger says of a run: what it was, from what, with what."""
    return {
        "run": record.kind,
        "settings": dict(record.settings),
        "inputs": dict(record.inputs),
        "glueprint": record.glueprint,
        "python": record.python,
        "packages": dict(record.packages or {}),
    }
