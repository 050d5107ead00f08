"""Whether a process lives, told by a lock that the operating system takes from it when it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from glueprint.boundary import files
from glueprint.errors import EnvironmentProblemError

if sys.platform != "win32":
    import fcntl

__all__ = ["check_system", "is_held", "take"]

FILE_NAME = ".lock"


def check_system() -> None:
    """Raise EnvironmentProblemError GP-B040 where a lock cannot be handed to another process."""
    if sys.platform == "win32":
        raise EnvironmentProblemError(
            "GP-B040",
            "the workbench's jobs need locks that processes inherit, which Windows has not",
            expected="Linux or macOS",
            next_step="run it in the Windows Subsystem for Linux; all commands work here without it",
        )


def take(place: Path) -> int | None:
    """The lock of a folder as a handle that a process can inherit; None if somebody holds it."""
    handle = files.open_own(place / FILE_NAME, os.O_RDWR | os.O_CREAT)
    if not _locked(handle, alone=True):
        os.close(handle)
        return None
    return handle


def is_held(place: Path) -> bool:
    """Whether a process lives that was given the lock. Those who ask do not disturb each other."""
    try:
        handle = files.open_own(place / FILE_NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(handle, alone=False)
    finally:
        os.close(handle)


def _locked(handle: int, *, alone: bool) -> bool:
    if sys.platform == "win32":
        check_system()
        return False
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
