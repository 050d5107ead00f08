"""A folder of any kind against what its commands recorded: ledgers, records beside results, signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from glueprint.errors import InputError
from glueprint.runs import lock, records, signatures, verify, workspace
from glueprint.runs.records import RunRecord
from glueprint.runs.signatures import Meaning
from glueprint.runs.store import disk_errors
from glueprint.runs.verify import MISSING, Finding, Trusted, Verdict

__all__ = ["audit", "record_findings", "refuse_changed", "sign"]

MOST_NAMED = 5  # findings in one message


@dataclass
class _Books:
    """What the records below one folder vouch for: name -> SHA-256 of any that is right."""

    vouched: dict[str, set[str]] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    scopes: list[str] = field(default_factory=list)


def audit(folder: Path, trusted: Trusted = None) -> Verdict:
    """Compare a folder with the records in it: of a study or a project, or beside the results of a command.

    folder: or one file with its record beside it.   trusted: as of `verify.verify`.   Changes nothing.
    Raises InputError GP-R013 if nothing there was recorded, GP-R017 (a link in it), GP-R030 (a file without a
    record of its own, or one whose signatures are asked for), and what `store.disk_errors` and
    `signatures.check` raise.
    """
    if trusted is None and not folder.is_dir():
        beside = folder.with_name(folder.name.removesuffix(records.BESIDE) + records.BESIDE)
        if beside.is_file():
            return _of_file(beside)
    workspace.refuse_links(folder)
    with disk_errors(folder, reading=True):
        runs = _runs(folder)
        verdicts = [_below(folder, place) for place in runs]
        books = _read(folder, [place.relative_to(folder).as_posix() for place in runs])
        if not verdicts and not (books.known or books.wrong or signatures.are_in(folder)):
            raise InputError(
                "GP-R013",
                "holds no run and no record of a command",
                where=str(folder),
                expected='a folder with "ledger.jsonl" or "record.json", as Glueprint leaves it',
                next_step="check the path",
            )
        checked, findings = _against(folder, books)
        findings += [finding for one in verdicts for finding in one.findings]
        unknown = {name for one in verdicts for name in one.unknown} - {*books.vouched, *books.known}
        unsigned = Verdict(
            files=checked + sum(one.files for one in verdicts),
            findings=tuple(findings),
            unknown=tuple(sorted(unknown)),
            entries=sum(one.entries for one in verdicts),
            unfinished=any(one.unfinished for one in verdicts),
        )
        verdict = verify.with_signatures(unsigned, folder, trusted)
        elsewhere = (f"{path} (elsewhere)" for path in sorted(set(books.elsewhere)))
        return replace(
            verdict,
            findings=tuple(sorted(verdict.findings, key=lambda one: one.file)),
            unknown=(*verdict.unknown, *elsewhere),
        )


def _of_file(beside: Path) -> Verdict:
    """The verdict of one file by the record beside it."""
    name = beside.name.removesuffix(records.BESIDE)
    for path in (beside, beside.with_name(name)):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise InputError(
                "GP-R017",
                "is a link, a pipe or a device, which no command leaves",
                where=str(path),
                expected="a plain file",
                next_step="name the file that it leads to",
            )
    with disk_errors(beside, reading=True):
        books = _Books()
        _read_beside(beside, beside.name, books)
        found = [*books.wrong, *verify.differences(beside.parent, books.vouched)]
        return Verdict(len(books.vouched) + len(books.known), tuple(found), (), 0, unfinished=False)


def record_findings(folder: Path) -> tuple[Finding, ...]:
    """What is missing or changed of what the records in a folder vouch for; none where there is no record.

    Files that were added are no reason not to read the others.   Raises as `audit`.
    """
    if not (folder / records.FILE_NAME).is_file():
        return ()
    workspace.refuse_links(folder)
    with disk_errors(folder, reading=True):
        books = _read(folder, [])
        return tuple(_against(folder, replace(books, scopes=[]))[1])


def refuse_changed(folder: Path) -> None:
    """Before a folder of results is read: it is as its record says, if it has one.

    Raises InputError GP-R029, and as `audit`.
    """
    if found := record_findings(folder):
        named = "; ".join(map(str, found[:MOST_NAMED]))
        raise InputError(
            "GP-R029",
            f"is not as the command that wrote it left it: {named}",
            where=str(folder),
            expected="the files that its record vouches for",
            next_step="restore them from a copy, or give the command again into a new folder",
        )


def sign(folder: Path, key_file: Path, meaning: Meaning, *, passphrase: str | None = None) -> Path:
    """Vouch for a folder with a key, once it verifies; see `signatures.sign`.

    Raises InputError GP-R023 for a folder with findings or of a run that has not ended, and what `audit` and
    `signatures.sign` raise.
    """
    verdict = audit(folder)
    wrong = list(map(str, verdict.findings))
    if verdict.unfinished:
        wrong.append("a run in it has not ended")
    if wrong:
        more = len(wrong) - MOST_NAMED
        raise InputError(
            "GP-R023",
            "does not verify, so it is not signed: "
            + "; ".join(wrong[:MOST_NAMED])
            + (f"; and {more} more" if more > 0 else ""),
            where=str(folder),
            expected="a finished folder as its commands left it",
            next_step=f"see `glueprint verify {folder}`",
        )
    return signatures.sign(folder, key_file, meaning, passphrase=passphrase)


def _runs(folder: Path) -> list[Path]:
    """Folders with a ledger: this one, or those directly in it, as in the project of a glue."""
    if not folder.is_dir():
        return []
    if verify.is_run(folder):
        return [folder]
    return sorted(place for place in folder.iterdir() if place.is_dir() and verify.is_run(place))


def _below(folder: Path, place: Path) -> Verdict:
    """The verdict of a run by its ledger, with names below `folder`."""
    verdict = verify.of_ledger(place)
    if place == folder:
        return verdict
    under = place.relative_to(folder).as_posix()
    return replace(
        verdict,
        findings=tuple(Finding(f"{under}/{one.file}", one.what) for one in verdict.findings),
        unknown=tuple(f"{under}/{name}" for name in verdict.unknown),
    )


def _read(folder: Path, runs: list[str]) -> _Books:
    """Every record below a folder, but for those of folders that have a ledger of their own."""
    books = _Books()
    places = sorted(path for path in folder.rglob("*") if path.is_file() and records.is_record(path.name))
    roots = {path.parent for path in places if not path.name.endswith(records.BESIDE)}
    for root in sorted(roots):
        _read_chain(folder, root, books)
        if root.relative_to(folder).as_posix() not in runs:
            books.scopes.append(root.relative_to(folder).as_posix())
    for path in places:
        name = path.relative_to(folder).as_posix()
        if path.name.endswith(records.BESIDE):
            _read_beside(path, name, books)
        elif name not in books.known and all(one.file != name for one in books.wrong):
            books.wrong.append(Finding(name, "no later record names it as the one before"))
    return books


def _read_chain(folder: Path, root: Path, books: _Books) -> None:
    """The records of one folder, from the last to the first: the later one decides."""
    decided = set[str]()
    for number, (called, record) in enumerate(records.chain(root)):
        name = (root / called).relative_to(folder).as_posix()
        if isinstance(record, InputError):
            gone = not (root / called).is_file()
            books.wrong.append(Finding(name, MISSING if gone else "is no record, or was changed"))
            return
        books.known.add(name)
        if number and called != records.earlier_name(record.digest):
            books.wrong.append(Finding(name, "is not the record that the later one names"))
        stated = [((root / file).relative_to(folder).as_posix(), digest) for file, digest in _stated(record)]
        for below, digest in stated:
            if below not in decided:
                books.vouched.setdefault(below, set()).add(digest)
        decided |= {below for below, _ in stated}
        books.elsewhere += [one.path for one in record.outputs if one.name is None]


def _read_beside(path: Path, name: str, books: _Books) -> None:
    """The record of one file, which lies beside it."""
    try:
        record = records.read(path)
    except InputError:
        books.wrong.append(Finding(name, "is no record, or was changed"))
        return
    books.known.add(name)
    file = name.removesuffix(records.BESIDE)
    called = path.name.removesuffix(records.BESIDE)
    digests = {one.sha256 for one in record.outputs if Path(one.path).name == called}
    if not digests:
        books.wrong.append(Finding(name, "is the record of another file"))
    books.vouched.setdefault(file, set()).update(digests)


def _stated(record: RunRecord) -> Iterator[tuple[str, str]]:
    """Outputs of a record in its folder, and inputs that lie there, too."""
    written = {one.name for one in record.outputs}
    for one in record.outputs:
        if one.name is not None:
            yield one.name, one.sha256
    for one in record.inputs:
        if one.name is not None and one.read is None and one.name not in written:
            yield one.name, one.sha256


def _against(folder: Path, books: _Books) -> tuple[int, list[Finding]]:
    """The files that are there against the records."""
    findings = [*books.wrong, *verify.differences(folder, dict(sorted(books.vouched.items())))]
    for scope in books.scopes:
        place = folder / scope
        for path in sorted(place.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and path.name != lock.FILE_NAME and not _is_known(name, scope, books):
                findings.append(Finding(name, "no record vouches for it"))
    found: dict[str, Finding] = {}
    for finding in findings:  # the first says more: what is wrong with a record, and then that none vouches
        found.setdefault(finding.file, finding)
    return len(books.vouched) + len(books.known), list(found.values())


def _is_known(name: str, scope: str, books: _Books) -> bool:
    in_scope = name if scope == "." else name.removeprefix(f"{scope}/")
    return (
        name in books.vouched
        or name in books.known
        or name.startswith(f"{signatures.FOLDER}/")
        or in_scope.startswith(f"{signatures.FOLDER}/")
    )
