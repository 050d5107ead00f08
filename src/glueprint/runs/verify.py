"""Whether a folder still holds what runs wrote: every file against the ledger, the ledger against itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glueprint.errors import InputError
from glueprint.runs import ledger, lock, provenance, units, workspace
from glueprint.runs.store import disk_errors, file_hash

__all__ = ["MISSING", "Finding", "Verdict", "doubts", "verify"]

MISSING = "is missing"  # what a finding says of a file that is gone


@dataclass(frozen=True)
class Finding:
    """A file, below the folder, and what is wrong with it."""

    file: str
    what: str


@dataclass(frozen=True)
class Verdict:
    """files: how many were checked.   unknown: files that no run wrote; they are nobody's fault."""

    files: int
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]
    entries: int
    unfinished: bool


def verify(folder: Path) -> Verdict:
    """Compare every byte of a run's folder with what was recorded when it was written. Changes nothing.

    Raises InputError GP-R013 if no run wrote this folder, GP-R017 (a link in it), and what
    `store.disk_errors` raises.
    """
    with disk_errors(folder):
        book = folder / ledger.FILE_NAME
        if not book.is_file() and not (folder / provenance.FILE_NAME).is_file():
            raise InputError(
                "GP-R013",
                "holds no run",
                where=str(folder),
                expected=f'a folder with "{ledger.FILE_NAME}", as a run leaves it',
                next_step="check the path",
            )
        workspace.refuse_links(folder)
        broken = ledger.broken_at(book)
        findings = [Finding(ledger.FILE_NAME, broken)] if broken else []
        entries = ledger.whole_part(book)
        vouched = workspace.recorded(entries)
        findings += _result(folder, vouched)
        parts, wrong = _unfinished(folder, entries)
        known = {*vouched, ledger.FILE_NAME, lock.FILE_NAME, *(finding.file for finding in findings)}
        unknown = [name for name in _files(folder) if name not in known]
        checked = len(vouched) + parts + len(entries[:1])
        left = (folder / workspace.UNFINISHED).is_dir()
        return Verdict(checked, (*findings, *wrong), tuple(sorted(unknown)), len(entries), left)


def doubts(folder: Path) -> list[Finding]:
    """Why a folder must not be read on: findings of its result, or of the request of a run in progress.

    Damaged units are no doubt: they are computed again. Killed between two steps, a run leaves a folder
    without doubts.
    Raises InputError GP-R011 (a broken ledger), GP-R017, and what `store.disk_errors` raises.
    """
    workspace.refuse_links(folder)
    entries = ledger.read(folder / ledger.FILE_NAME)
    with disk_errors(folder):
        if (folder / workspace.UNFINISHED / workspace.REQUEST).is_file():
            return _request(folder, entries)
        return _result(folder, workspace.recorded(entries))


def _result(folder: Path, vouched: Mapping[str, str]) -> list[Finding]:
    """The files of the result against the ledger: changed, missing, or put there by nobody."""
    findings = []
    for name, digest in vouched.items():
        path = folder / name
        if not path.is_file():
            findings.append(Finding(name, MISSING))
        elif file_hash(path) != digest:
            findings.append(Finding(name, "was changed"))
    parts = [folder / provenance.FILE_NAME, *(folder / workspace.TABLES).glob("*")]
    there = [path.relative_to(folder).as_posix() for path in parts if path.is_file()]
    if there and not (folder / ledger.FILE_NAME).is_file():
        findings.append(Finding(ledger.FILE_NAME, MISSING))
    strange = sorted(name for name in there if name not in vouched)
    return findings + [Finding(name, "no entry of the ledger vouches for it") for name in strange]


def _request(folder: Path, entries: list[ledger.Entry]) -> list[Finding]:
    """The request of a run in progress, which its first entry names."""
    request = folder / workspace.UNFINISHED / workspace.REQUEST
    begun = [entry.facts.get("request") for entry in entries if entry.event == "begun"]
    if begun[-1:] == [file_hash(request)]:
        return []
    return [Finding(request.relative_to(folder).as_posix(), "is not what the last run began with")]


def _unfinished(folder: Path, entries: list[ledger.Entry]) -> tuple[int, list[Finding]]:
    """The request and the units of a run that has not ended."""
    request = folder / workspace.UNFINISHED / workspace.REQUEST
    if not request.is_file():
        return 0, []
    findings = _request(folder, entries)
    root = workspace.units_root(folder)
    every = units.folders(root)
    for unit in every:
        place = unit.relative_to(folder).as_posix()
        findings.extend(
            Finding(f"{place}/{name}", "is missing or was changed") for name in units.damage(unit)
        )
    return 1 + len(every), findings


def _files(folder: Path) -> list[str]:
    """Every file, but for those of a run that has not ended."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return [name for name in names if not name.startswith(f"{workspace.UNFINISHED}/")]
