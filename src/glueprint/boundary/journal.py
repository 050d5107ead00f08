"""What is read and written while a journal is open: every file with its size and SHA-256.

`files.read_plain` and what writes our files note here what passes through them. Nothing is noted where no
journal was opened, as in Python, and none outlives the block that opened it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Journal", "Noted", "note_file", "note_made", "note_read", "note_written", "opened"]


@dataclass(frozen=True)
class Noted:
    """A file as it passed through: its path as it was given, and where that led then.

    size: bytes of the file.   read: bytes that the digest is of; fewer, where only the head was looked at.
    """

    path: str
    place: str
    sha256: str
    size: int
    read: int


class Journal:
    """The files of one block, each content of each file once, in the order in which they came."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], Noted] = {}
        self._written: dict[str, Noted] = {}

    @property
    def read(self) -> tuple[Noted, ...]:
        """What came from outside: files that this block wrote itself are left out, and heads of files that
        were read whole, too."""
        whole = {one.place for one in self._read.values() if one.read == one.size}
        return tuple(
            one
            for one in self._read.values()
            if one.place not in self._written and (one.read == one.size or one.place not in whole)
        )

    @property
    def written(self) -> tuple[Noted, ...]:
        """What was written, each file as it was left last."""
        return tuple(self._written.values())

    def add_read(self, noted: Noted) -> None:
        """A file was read; after it was written here, it is no input."""
        self._read.setdefault((noted.place, noted.sha256), noted)

    def add_written(self, noted: Noted) -> None:
        """A file was written, perhaps again."""
        self._written[noted.place] = noted


_open: ContextVar[Journal | None] = ContextVar("journal", default=None)


@contextmanager
def opened() -> Iterator[Journal]:
    """A journal of what this thread reads and writes until the block ends."""
    journal = Journal()
    token = _open.set(journal)
    try:
        yield journal
    finally:
        _open.reset(token)


def note_read(path: str | os.PathLike[str], content: bytes, size: int) -> None:
    """Note that `content`, the beginning of a file of `size` bytes or all of it, was read."""
    if journal := _open.get():
        digest = hashlib.sha256(content).hexdigest()
        journal.add_read(Noted(os.fspath(path), _place(path), digest, size, len(content)))


def note_file(path: str | os.PathLike[str]) -> None:
    """Note a file that another library reads by its name. Raises OSError."""
    if journal := _open.get():
        journal.add_read(_whole(path))


def note_written(path: str | os.PathLike[str], sha256: str, size: int) -> None:
    """Note that a file was written."""
    if journal := _open.get():
        journal.add_written(Noted(os.fspath(path), _place(path), sha256, size, size))


def note_made(path: str | os.PathLike[str]) -> None:
    """Note a file that another library wrote. Raises OSError."""
    if journal := _open.get():
        journal.add_written(_whole(path))


def _whole(path: str | os.PathLike[str]) -> Noted:
    with open(path, "rb") as stream:  # noqa: PTH123 - a path may be text here
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
    return Noted(os.fspath(path), _place(path), digest, size, size)


def _place(path: str | os.PathLike[str]) -> str:
    return os.path.realpath(path)
