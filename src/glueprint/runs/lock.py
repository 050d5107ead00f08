"""One writer per folder. The operating system holds the lock, so a dead process leaves none behind."""

from __future__ import annotations

import errno
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glueprint.boundary import clock, files, shown
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs.store import disk_errors

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FILE_NAME", "hold"]

FILE_NAME = ".lock"
MOST_BYTES = 1000  # of its text, which says who holds it


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Be the only writer of `folder`, which exists, until the block ends or the process does.

    The lock is the system's (flock; a byte range on Windows): it goes with the process, even by SIGKILL, and
    workers do not inherit it. On network file systems it holds between machines where the mount supports
    locks (NFS 4, NFS 3 with lockd, Lustre with -o flock); where it does not, the run is refused.
    Raises InputError GP-R006 if another process holds it, EnvironmentProblemError GP-R007 if the file system
    has no locks, and what `store.disk_errors` raises.
    """
    path = folder / FILE_NAME
    with disk_errors(path):
        handle = files.open_own(path, os.O_RDWR | os.O_CREAT)
    try:
        _take(handle, path)
        owner = f"process {os.getpid()} on {platform.node()} since {clock.now():%Y-%m-%d %H:%M:%S} UTC"
        with disk_errors(path):
            os.ftruncate(handle, 0)
            os.write(handle, owner.encode())
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}:
            raise InputError(
                "GP-R006",
                f"another run is writing here: {_owner(path)}",
                where=str(path.parent),
                expected="a folder that no other run is using",
                next_step="wait for it, end it, or choose another folder with --out",
            ) from error
        raise EnvironmentProblemError(
            "GP-R007",
            f"the file system cannot lock files: {error.strerror}",
            where=str(path),
            expected="a file system with locks, so that two runs cannot mix their results",
            next_step="choose a folder on a local disk with --out and copy it afterwards",
        ) from error


def _owner(path: Path) -> str:
    try:
        said = files.read_plain(path, MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return "its process is unknown"
    return shown(said) or "a process that has just begun"
