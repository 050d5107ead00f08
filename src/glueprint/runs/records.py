"""The record of a command: what was asked, from which files, with which versions, into which files.

OUT/record.json              of the command that wrote the folder OUT last; it seals itself
OUT/record-DIGEST.json       of the commands before it, each named by the one that came after
FILE.record.json             beside a file that was written by itself, the same bytes
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import glueprint
from glueprint.boundary import clock, decoded, files, journal
from glueprint.errors import InputError
from glueprint.runs import ledger, provenance
from glueprint.runs.store import disk_errors, write_file

__all__ = [
    "BESIDE",
    "FILE_NAME",
    "RunRecord",
    "Stated",
    "begun",
    "chain",
    "earlier_name",
    "is_record",
    "leave",
    "read",
    "refuse_foreign",
]

FILE_NAME, BESIDE, EARLIER = "record.json", ".record.json", "record-"
KIND, VERSION = "glueprint-record", 1
DIGITS = 16  # of the digest in the name of an earlier record
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Stated:
    """A file that a record speaks of.

    path: as it was given.   name: below the record's folder, None elsewhere.   bytes: of the file.
    read: how many of them the digest is of, where only the beginning was looked at; else None.
    """

    path: str
    name: str | None
    sha256: str
    bytes: int
    read: int | None = None


@dataclass(frozen=True)
class RunRecord:
    """One command. packaged: files of Glueprint itself that it read, to their SHA-256.

    exit_status: as the command ended.   previous: digest of the record that was in the folder before.
    digest: SHA-256 of all else, as `ledger.seal` spells it.
    """

    command: tuple[str, ...]
    seed: int | None
    inputs: tuple[Stated, ...]
    packaged: Mapping[str, str]
    outputs: tuple[Stated, ...]
    started_utc: str
    ended_utc: str
    exit_status: int
    where: str
    versions: Mapping[str, str]
    previous: str | None = None
    origin: str = ledger.UNVERIFIED  # who wrote it is known by a signature and by nothing in the record
    kind: str = KIND
    version: int = VERSION
    digest: str = ""


def begun(command: Sequence[str], seed: int | None) -> RunRecord:
    """A record at the start of a command, with the versions of everything that decides its numbers."""
    return RunRecord(
        command=tuple(map(_spelt, command)),
        seed=seed,
        inputs=(),
        packaged={},
        outputs=(),
        started_utc=clock.text(),
        ended_utc="",
        exit_status=0,
        where=ledger.place(),
        versions=provenance.versions(),
    )


def leave(record: RunRecord, noted: journal.Journal, folder: Path | None, exit_status: int) -> list[Path]:
    """Write the record of a command that has ended, if it wrote anything.

    folder: the one it was asked to write its results into, None if there was none.
    Returns the files of the record.   Raises InputError GP-R022 (what is in the record's place was not
    written by Glueprint) and what `store.disk_errors` raises.
    """
    written = [one for one in noted.written if Path(one.place).is_file()]  # what was moved on is no output
    if not written:
        return []
    root = folder.resolve() if folder is not None and folder.is_dir() else None
    package = Path(glueprint.__file__).parent.resolve()
    own = [one for one in noted.read if Path(one.place).is_relative_to(package)]
    record = replace(
        record,
        inputs=tuple(_stated(one, root) for one in noted.read if one not in own),
        packaged={Path(one.place).relative_to(package).as_posix(): one.sha256 for one in own},
        outputs=tuple(_stated(one, root) for one in written),
        ended_utc=clock.text(),
        exit_status=exit_status,
        previous=_put_aside(folder) if folder is not None and root is not None else None,
    )
    record = replace(record, digest=_digest(record))
    places = [Path(one.path + BESIDE) for one in written if _below(one.place, root) is None]
    if root is not None and folder is not None and any(one.name for one in record.outputs):
        places.insert(0, folder / FILE_NAME)
    for place in places:
        refuse_foreign(place)
        write_file(place, _text(record))
    return places


def read(path: Path) -> RunRecord:
    """The record in a file. Raises InputError GP-R022 if it is not one, or not as it was written."""
    try:
        text = decoded(files.read_plain(path, MOST_BYTES))
        about = json.loads(text)
        if (about.get("kind"), about.get("version")) != (KIND, VERSION):
            raise ValueError(f"kind {about.get('kind')}, version {about.get('version')}")
        record = _of(about)
        if _digest(record) != record.digest or _text(record) != text:
            raise ValueError("its digest is not that of what it says")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            "GP-R022",
            f"is no record of a command, or was changed: {error}",
            where=str(path),
            expected="the file that Glueprint writes beside its results",
            next_step="restore it from a copy, or move it away and give the command again",
        ) from error
    return record


def refuse_foreign(path: Path) -> None:
    """Where a record goes there is nothing, or a record. Raises InputError GP-R022."""
    if path.exists():
        read(path)


def is_record(name: str) -> bool:
    """Whether a file of this name is a record."""
    return name == FILE_NAME or name.endswith(BESIDE) or (name.startswith(EARLIER) and name.endswith(".json"))


def earlier_name(digest: str) -> str:
    """What an earlier record in a folder is called."""
    return f"{EARLIER}{digest[:DIGITS]}.json"


def chain(folder: Path) -> Iterator[tuple[str, RunRecord | InputError]]:
    """The records of a folder, the last command first: name, and the record or what is wrong with it."""
    name: str | None = FILE_NAME
    seen = set[str]()
    while name and name not in seen:
        seen.add(name)
        try:
            record = read(folder / name)
        except InputError as error:
            yield name, error
            return
        yield name, record
        name = earlier_name(record.previous) if record.previous else None


def _put_aside(folder: Path) -> str | None:
    """Give the folder's record the name of its content, so that the next one takes its place."""
    there = folder / FILE_NAME
    if not there.exists():
        return None
    digest = read(there).digest
    with disk_errors(there):
        there.replace(folder / earlier_name(digest))
    return digest


def _stated(one: journal.Noted, root: Path | None) -> Stated:
    partly = one.read if one.read != one.size else None
    name = _below(one.place, root)
    # A name that no folder of ours holds is stated as a file elsewhere.
    inside = name if name is not None and files.is_name_inside(name) else None
    return Stated(_spelt(one.path), inside, one.sha256, one.size, partly)


def _below(place: str, root: Path | None) -> str | None:
    path = Path(place)
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else None


def _of(about: Mapping[str, Any]) -> RunRecord:
    parts = {name: tuple(Stated(**one) for one in about[name]) for name in ("inputs", "outputs")}
    for one in (*parts["inputs"], *parts["outputs"]):
        if not isinstance(one.path, str):
            raise TypeError("a path is no text")
        if one.name is not None and not files.is_name_inside(one.name):
            raise ValueError(f"a file leads out of the folder: {one.name[:80]!r}")
        if not ledger.DIGEST.fullmatch(one.sha256):
            raise ValueError("a file has no SHA-256")
    if about["previous"] is not None and not ledger.DIGEST.fullmatch(about["previous"]):
        raise ValueError("the record before it has no SHA-256")
    return RunRecord(**{**about, **parts, "command": tuple(about["command"])})


def _digest(record: RunRecord) -> str:
    return ledger.seal({name: value for name, value in asdict(record).items() if name != "digest"})


def _text(record: RunRecord) -> str:
    return json.dumps(asdict(record), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _spelt(text: str) -> str:
    """Text from the system as text of a file: bytes of no encoding are written out."""
    return text.encode("utf-8", "backslashreplace").decode()
