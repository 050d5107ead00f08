"""Whether a folder still holds what runs wrote: every file against the ledger, the ledger against itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glueprint.errors import InputError
from glueprint.runs import ledger, lock, provenance, units, workspace
from glueprint.runs.store import disk_errors, file_hash

__all__ = ["Finding", "Verdict", "verify"]


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

    Raises InputError GP-R013 if no run wrote this folder, and what `store.disk_errors` raises.
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
        broken = ledger.broken_at(book)
        findings = [Finding(ledger.FILE_NAME, broken)] if broken else []
        entries = ledger.whole_part(book)
        vouched = _vouched(folder, entries)
        for name, digest in vouched.items():
            path = folder / name
            if not path.is_file():
                findings.append(Finding(name, "is missing"))
            elif file_hash(path) != digest:
                findings.append(Finding(name, "was changed"))
        parts, wrong = _unfinished(folder, entries)
        known = {*vouched, ledger.FILE_NAME, lock.FILE_NAME}
        unknown = [name for name in _files(folder) if name not in known]
        if provenance.FILE_NAME in unknown:
            findings.append(Finding(provenance.FILE_NAME, "no entry of the ledger vouches for it"))
        checked = len(vouched) + parts + len(entries[:1])
        left = (folder / workspace.UNFINISHED).is_dir()
        return Verdict(checked, (*findings, *wrong), tuple(sorted(unknown)), len(entries), left)


def _vouched(folder: Path, entries: list[ledger.Entry]) -> dict[str, str]:
    """Path -> SHA-256 of what should be there; folders from before there were ledgers have a record only."""
    if entries:
        return workspace.recorded(entries)
    if (folder / ledger.FILE_NAME).is_file():
        return {}
    outputs = provenance.read(folder / provenance.FILE_NAME).outputs
    tables = {name: f"{workspace.TABLES}/{name}.parquet" for name in outputs if "." not in name}
    files = {tables.get(name, name): digest for name, digest in outputs.items()}
    return {**files, provenance.FILE_NAME: file_hash(folder / provenance.FILE_NAME)}


def _unfinished(folder: Path, entries: list[ledger.Entry]) -> tuple[int, list[Finding]]:
    """The request and the units of a run that has not ended."""
    request = folder / workspace.UNFINISHED / workspace.REQUEST
    if not request.is_file():
        return 0, []
    findings = []
    begun = [entry.facts.get("request") for entry in entries if entry.event == "begun"]
    if begun[-1:] != [file_hash(request)]:
        findings.append(
            Finding(request.relative_to(folder).as_posix(), "is not what the last run began with")
        )
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
