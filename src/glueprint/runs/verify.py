"""Whether a folder still holds what runs wrote: every file against the ledger, the ledger against itself and
its head, all of it against signatures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from glueprint.errors import InputError
from glueprint.runs import ledger, lock, provenance, signatures, units, workspace
from glueprint.runs.signatures import Signed
from glueprint.runs.store import disk_errors, file_hash

__all__ = [
    "MISSING",
    "UNVERIFIED",
    "Finding",
    "Trusted",
    "Verdict",
    "differences",
    "doubts",
    "is_run",
    "is_written",
    "of_ledger",
    "signature_findings",
    "verify",
    "with_signatures",
]

MISSING = "is missing"  # what a finding says of a file that is gone
# Ledgers and records seal themselves: whoever rewrites all of a folder seals it as we do.
UNVERIFIED = ledger.UNVERIFIED
Trusted = Mapping[str, str] | None  # public keys -> whose they are, see `keys.trusted`


@dataclass(frozen=True)
class Finding:
    """A file, below the folder, and what is wrong with it."""

    file: str
    what: str

    def __str__(self) -> str:
        """As a sentence names it."""
        return f"{self.file} {self.what}"


@dataclass(frozen=True)
class Verdict:
    """files: how many were checked.   unknown: files that no run wrote; they are nobody's fault.
    origin: "unverified", or whose trusted keys signed, each as what.
    """

    files: int
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]
    entries: int
    unfinished: bool
    signatures: tuple[Signed, ...] = ()
    origin: str = UNVERIFIED


def is_run(folder: Path) -> bool:
    """Whether a run with a ledger left this folder."""
    return any((folder / name).is_file() for name in (ledger.FILE_NAME, ledger.HEAD, provenance.FILE_NAME))


def verify(folder: Path, trusted: Trusted = None) -> Verdict:
    """Compare every byte of a run's folder with what was recorded when it was written. Changes nothing.

    trusted: keys of which one must have signed; None asks for no signature, but checks those that are there.
    Raises as `of_ledger`, and what `signatures.check` raises.
    """
    return with_signatures(of_ledger(folder), folder, trusted)


def with_signatures(verdict: Verdict, folder: Path, trusted: Trusted) -> Verdict:
    """A verdict of a folder with what its signatures say, and who vouches for it.

    Raises as `signatures.check`.
    """
    signed, by_signature = signature_findings(folder, trusted)
    named = {finding.file for finding in verdict.findings}
    findings = (*verdict.findings, *(one for one in by_signature if one.file not in named))
    known = {one.file for one in findings} | {one.file for one in signed}
    return replace(
        verdict,
        files=verdict.files + len(signed),
        findings=findings,
        unknown=tuple(name for name in verdict.unknown if name not in known),
        signatures=signed,
        origin=UNVERIFIED if findings else _origin_of(signed),
    )


def of_ledger(folder: Path) -> Verdict:
    """The same without signatures.

    Raises InputError GP-R013 if no run wrote this folder, GP-R017 (a link in it), and what
    `store.disk_errors` raises.
    """
    with disk_errors(folder, reading=True):
        book = folder / ledger.FILE_NAME
        if not is_run(folder):
            raise InputError(
                "GP-R013",
                "holds no run",
                where=str(folder),
                expected=f'a folder with "{ledger.FILE_NAME}", as a run leaves it',
                next_step="check the path",
            )
        workspace.refuse_links(folder)
        broken = ledger.broken_at(book)
        findings = [Finding(ledger.FILE_NAME, broken)] if broken else _head(folder)
        entries = ledger.whole_part(book)
        vouched = workspace.recorded(entries)
        findings += _result(folder, vouched)
        parts, wrong = _unfinished(folder, entries)
        known = {*vouched, ledger.FILE_NAME, ledger.HEAD, lock.FILE_NAME, *(one.file for one in findings)}
        unknown = [name for name in _files(folder) if name not in known]
        checked = len(vouched) + parts + len(entries[:1])
        left = (folder / workspace.UNFINISHED).is_dir()
        return Verdict(checked, (*findings, *wrong), tuple(sorted(unknown)), len(entries), left)


def doubts(folder: Path, trusted: Trusted = None) -> list[Finding]:
    """Why a folder must not be read on: findings of its result, or of the request of a run in progress.

    Damaged units are no doubt: they are computed again. Killed between two steps, a run leaves a folder
    without doubts, unless `trusted` asks for signatures: what is not finished is signed by nobody.
    Raises InputError GP-R011 (a broken ledger), GP-R017, and what `store.disk_errors` and `signatures.check`
    raise.
    """
    workspace.refuse_links(folder)
    _, found = signature_findings(folder, trusted)
    entries = ledger.read(folder / ledger.FILE_NAME)
    with disk_errors(folder, reading=True):
        found += _head(folder)
        if (folder / workspace.UNFINISHED / workspace.REQUEST).is_file():
            found += _request(folder, entries)
        else:
            found += _result(folder, workspace.recorded(entries))
    return list({finding.file: finding for finding in found}.values())


def is_written(folder: Path) -> bool:
    """Whether there is more in a folder than a lock."""
    return folder.is_dir() and any(path.name != lock.FILE_NAME for path in folder.iterdir())


def differences(folder: Path, vouched: Mapping[str, Collection[str]]) -> list[Finding]:
    """Files that are gone, or have none of the SHA-256 that are vouched for."""
    found = []
    for name, digests in vouched.items():
        path = folder / name
        if not path.is_file():
            found.append(Finding(name, MISSING))
        elif file_hash(path) not in digests:
            found.append(Finding(name, "was changed"))
    return found


def signature_findings(folder: Path, trusted: Trusted) -> tuple[tuple[Signed, ...], list[Finding]]:
    """The signatures of a folder, and what is wrong by them; where nothing was ever written, nothing is.

    Raises as `signatures.check`.
    """
    if not is_written(folder):
        return (), []
    signed, wrong = signatures.check(folder, trusted)
    return signed, [Finding(file, what) for file, what in sorted(wrong.items())]


def _origin_of(signed: tuple[Signed, ...]) -> str:
    """Whose trusted keys vouch for a folder without findings, in words."""
    return "; ".join(f"{one.by} as {one.meaning}" for one in signed if one.by) or UNVERIFIED


def _head(folder: Path) -> list[Finding]:
    """The ledger's end against its head."""
    book = folder / ledger.FILE_NAME
    cut = ledger.cut_off(book)
    return [Finding(ledger.HEAD if book.is_file() else ledger.FILE_NAME, cut)] if cut else []


def _result(folder: Path, vouched: Mapping[str, str]) -> list[Finding]:
    """The files of the result against the ledger: changed, missing, or put there by nobody."""
    findings = differences(folder, {name: {digest} for name, digest in vouched.items()})
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
