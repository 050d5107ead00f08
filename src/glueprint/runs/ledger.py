"""The ledger of a folder: what was done in it, by whom, with what; append-only, sealed entry by entry.

One JSON object a line. An entry holds the SHA-256 of its own content and that of its predecessor, so a
changed, missing or inserted line is found. A last line without its line feed was
never finished and does not count. Lines that are gone from the end leave no trace in those before them:
the head, a file beside the ledger, says which entry was the last.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glueprint.boundary import clock, files
from glueprint.errors import InputError
from glueprint.runs.store import disk_errors, sync_folder, write_file

if sys.platform != "win32":
    import pwd

__all__ = [
    "DIGEST",
    "FILE_NAME",
    "HEAD",
    "UNVERIFIED",
    "Entry",
    "append",
    "broken_at",
    "cut_off",
    "place",
    "read",
    "seal",
    "whole_part",
]

FILE_NAME, HEAD = "ledger.jsonl", "ledger.head"
KIND, VERSION = "glueprint-ledger", 2
HEADED = 2  # the first version whose ledgers have a head
HEAD_BYTES = 1000
VOUCHING = ("finished", "added")  # events whose facts name files
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND
MOST_BYTES = 64 * 1024 * 1024  # a hundred thousand entries
# What an entry says of files that it was made from and that an earlier process wrote: they are as the ledger
# says, and whose ledger it is only a signature shows.
UNVERIFIED = "unverified"
DIGEST = re.compile(r"[0-9a-f]{64}")
START = "0" * 64  # what the first entry gives as its predecessor


@dataclass(frozen=True)
class Entry:
    """One line: its number from 1, what happened, when (UTC), who and where, and the facts of the event."""

    number: int
    event: str
    utc: str
    who: str
    where: str
    facts: Mapping[str, Any]
    previous: str
    hash: str
    version: int


def seal(content: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON object in one fixed spelling: sorted names, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def place() -> str:
    """The machine in words: its name, system, kind and processors."""
    return f"{platform.node()}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def append(folder: Path, event: str, facts: Mapping[str, Any]) -> Entry:
    """Add an entry to the folder's ledger and wait until it is on the disk.

    The caller holds the folder's lock.   Raises InputError GP-R011 if the ledger before it is broken, and
    what `store.disk_errors` raises.
    """
    path = folder / FILE_NAME
    there = read(path)
    content: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "number": len(there) + 1,
        "event": event,
        "utc": clock.text(),
        "who": _user(),
        "where": place(),
        "facts": dict(facts),
        "previous": there[-1].hash if there else START,
    }
    content["hash"] = seal(content)
    if not there and not (folder / HEAD).is_file():
        # A kill or a full disk after the first entry leaves this head, and not none at all.
        write_file(folder / HEAD, _head(0, START))
    line = json.dumps(content, ensure_ascii=False).encode() + b"\n"
    with disk_errors(path), os.fdopen(files.open_own(path, APPENDING), "ab") as stream:
        stream.truncate(_whole(path))
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    entry = _entry(content)
    # Last, so that a kill between the two leaves a head that is behind and never one that is ahead.
    write_file(folder / HEAD, _head(entry.number, entry.hash))
    with disk_errors(path):
        sync_folder(folder)
    return entry


def read(path: Path) -> list[Entry]:
    """The entries of a ledger, oldest first; none if there is no file.

    Raises InputError GP-R011 at the first entry that is not what was written.
    """
    entries, broken = _checked(path)
    if broken:
        raise InputError(
            "GP-R011",
            f"is broken: {broken}",
            where=str(path),
            expected="the lines that Glueprint wrote, each sealing the one before",
            next_step="restore the file from a copy, or start again in another folder",
        )
    return entries


def whole_part(path: Path) -> list[Entry]:
    """The entries before the first one that is broken."""
    return _checked(path)[0]


def broken_at(path: Path) -> str:
    """What is wrong with a ledger, in words; empty if nothing is."""
    _, broken = _checked(path)
    if not broken and path.is_file() and _whole(path) < path.stat().st_size:
        return "the last line was never finished"
    return broken


def cut_off(path: Path) -> str:
    """What is wrong with the end of a ledger, by its head, in words; empty if nothing is.

    Ledgers of version 1 have no head.
    """
    beside = path.with_name(HEAD)
    # The head before the ledger: a run that is writing is then never ahead of what is read here.
    with disk_errors(beside):
        head = files.read_plain(beside, HEAD_BYTES) if beside.is_file() else None
    entries = whole_part(path)
    if head is None:
        return f'its head, "{HEAD}", is missing' if any(one.version >= HEADED for one in entries) else ""
    return "" if _is_among(entries, head) else "was shortened: its head names an entry that is not there"


def _is_among(entries: Sequence[Entry], head: bytes) -> bool:
    if len(entries) <= 1 and head == _head(0, START).encode():
        return True  # the run ended before its first entry had a head
    return any(_head(entry.number, entry.hash).encode() == head for entry in reversed(entries))


def _head(number: int, sealed: str) -> str:
    """The head's text: which entry is the last."""
    return json.dumps({"kind": f"{KIND}-head", "version": 1, "number": number, "hash": sealed}) + "\n"


def _checked(path: Path) -> tuple[list[Entry], str]:
    entries: list[Entry] = []
    if not path.is_file():
        return entries, ""
    with disk_errors(path):
        content = files.read_plain(path, MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return entries, f"it has more than {MOST_BYTES} bytes"
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    previous = START
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
            sealed = content.pop("hash")
            entry = _entry({**content, "hash": sealed})
            changed = _line(content, sealed) != line
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return entries, f"line {number} is not an entry"
        if content.get("kind") != KIND or content.get("version") not in range(1, VERSION + 1):
            return (
                entries,
                f"line {number} is of kind {content.get('kind')}, version {content.get('version')}",
            )
        if changed:
            return entries, f"line {number} was changed"
        if entry.number != number or entry.previous != previous:
            return entries, f"line {number} does not follow the line before"
        # A seal is a sum and no secret: what a stranger sealed is looked at like any other text.
        if wrong := _wrong_facts(entry):
            return entries, f"line {number} {wrong}"
        entries.append(entry)
        previous = sealed
    return entries, ""


def _line(content: Mapping[str, Any], sealed: object) -> bytes | None:
    """The line of an entry as we write it, None for another seal. Raises ValueError for half characters."""
    line = json.dumps({**content, "hash": sealed}, ensure_ascii=False).encode()
    return line if seal(content) == sealed else None


def _wrong_facts(entry: Entry) -> str:
    """What is wrong with the files that an entry vouches for, in words; empty if nothing is."""
    if not isinstance(entry.facts, dict):
        return "has no facts"
    if entry.event not in VOUCHING:
        return ""
    named = entry.facts.get("files")
    if not isinstance(named, dict):
        return "vouches for no files"
    for name, digest in named.items():
        if not files.is_name_inside(name):
            return f"names a file outside the folder: {name[:80]!r}"
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            return f"has no SHA-256 for {name!r}"
    return ""


def _entry(content: Mapping[str, Any]) -> Entry:
    return Entry(**{name: content[name] for name in Entry.__dataclass_fields__})


def _whole(path: Path) -> int:
    """Bytes up to the last line feed."""
    return files.read_plain(path, MOST_BYTES + 1).rfind(b"\n") + 1 if path.is_file() else 0


def _user() -> str:
    """The account that the process runs under; no variable such as USER decides it. It proves nothing."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name if sys.platform != "win32" else getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may have no name for its user
        return "unknown"
