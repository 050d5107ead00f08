"""Files of somebody else's: plain files only, no links, no names that lead out of a folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from glueprint.boundary import journal
from glueprint.boundary.text import decoded

__all__ = ["is_name_inside", "odd_entries", "open_own", "read_plain", "read_text", "remove_inside"]

# Without these (Windows) the checks by name and by `fstat` still hold.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# A pipe is opened and refused, and not waited for.
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
BINARY = getattr(os, "O_BINARY", 0)
LONGEST_NAME = 1000
CHUNK = 1 << 20
MOST_TEXT = 64 * 1024 * 1024


def is_name_inside(name: object) -> bool:
    """Whether `name` is a relative path that stays below its folder, spelt the one way we write it."""
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= LONGEST_NAME
        or "\\" in name
        or not name.isprintable()
    ):
        return False
    parts = name.split("/")
    # A drive of Windows ("c:x") is no name of ours either.
    return all(part not in ("", ".", "..") and ":" not in part for part in parts)


def read_plain(path: str | os.PathLike[str], most: int, *, ours: bool = False) -> bytes:
    """The bytes of a plain file, at most `most` of them.

    ours: a file that Glueprint keeps for itself and that decides no number, such as a secret: no journal
    notes it.
    A link is followed here: the user named it.   Raises OSError, also for what is not a plain file (a pipe,
    a device, a folder), which could have no end.
    """
    handle = os.open(path, os.O_RDONLY | NO_WAIT | BINARY)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            code = errno.EISDIR if stat.S_ISDIR(os.fstat(handle).st_mode) else errno.EINVAL
            raise OSError(code, "is not a plain file", os.fspath(path))
        content = _at_most(stream, most, os.fstat(handle).st_size)
        if not ours:
            journal.note_read(path, content, os.fstat(handle).st_size)
        return content


def _at_most(stream: BinaryIO, most: int, size: int) -> bytes:
    """So many bytes, with memory for what is there and not for what could be; a file may grow meanwhile."""
    content = stream.read(min(most, size + 1))
    while len(content) < most and (more := stream.read(min(CHUNK, most - len(content)))):
        content += more
    return content


def read_text(path: Path | Traversable) -> str:
    """The text of a file that a person wrote, with line feeds at the ends of lines; see `text.decoded`.

    Raises OSError, or ValueError with the reason.
    """
    content = read_plain(path, MOST_TEXT + 1) if isinstance(path, Path) else path.read_bytes()
    if len(content) > MOST_TEXT:
        raise ValueError(f"more than {MOST_TEXT} bytes")
    return decoded(content).replace("\r\n", "\n").replace("\r", "\n")


def open_own(path: Path, flags: int, mode: int = 0o644) -> int:
    """A handle of a plain file of ours that is written in place: no link, and no other name of another file.

    flags: as of `os.open`; a missing file is made if they say so.
    Raises OSError.
    """
    handle = os.open(path, flags | NO_FOLLOW | NO_WAIT | BINARY, mode)
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
        os.close(handle)
        raise OSError(errno.ELOOP, "is a link to another file, or no plain file", os.fspath(path))
    return handle


def odd_entries(folder: Path) -> list[str]:
    """What lies below a folder and is neither a plain file nor a folder, by name; links are not followed."""
    odd: list[str] = []
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with suppress(FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif not entry.is_file(follow_symlinks=False):
                    odd.append(Path(entry.path).relative_to(folder).as_posix())
    return sorted(odd)


def remove_inside(folder: Path, name: str) -> None:
    """Remove the file `name` below `folder`, if it is there; no link on the way is followed.

    Raises ValueError if the name leads out, OSError if a part of the way is a link or no folder.
    """
    if not is_name_inside(name):
        raise ValueError(f"{name!r} leads out of the folder")
    *way, last = PurePosixPath(name).parts
    if os.unlink not in os.supports_dir_fd:  # Windows, where making links asks for a privilege
        if any(folder.joinpath(*way[: n + 1]).is_symlink() for n in range(len(way))):
            raise OSError(errno.ELOOP, "is a link", name)
        (folder / name).unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError), _walked(folder, way) as place:
        os.unlink(last, dir_fd=place)


@contextmanager
def _walked(folder: Path, way: list[str]) -> Iterator[int]:
    """A handle of the folder below `folder` that the parts lead to, each opened from the one before."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in way:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | NO_FOLLOW, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)
