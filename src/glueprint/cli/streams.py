"""Standard output and error that are closed, full, or of another encoding: a reason and no traceback."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from glueprint.errors import EnvironmentProblemError

__all__ = ["READER_GONE", "Told", "finish", "prepare", "refused"]

# As the system's loader and libraries in C++ say it.
NO_MEMORY = ("failed to map segment", "annot allocate memory", "std::bad_alloc", "can't start new thread")
READER_GONE = 141  # as the shell says of a program that SIGPIPE ended (128 + 13)


class Told:
    """A text stream that says in our words why it cannot be written; everything else is the stream's own.

    inner: the stream, None if it is closed.   must: whether what cannot be written is an error, as on
    standard output; on standard error nobody could be told.
    """

    def __init__(self, inner: Any, *, must: bool) -> None:
        self._inner, self._must, self._given_up = inner, must, False
        self.reason: EnvironmentProblemError | None = None  # why nothing more can be written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def encoding(self) -> str:
        """That of the stream, UTF-8 if it is closed."""
        return str(getattr(self._inner, "encoding", None) or "utf-8")

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        return self._inner is not None and bool(self._inner.isatty())

    def write(self, text: str) -> int:
        """Raises EnvironmentProblemError GP-X002, or SystemExit if the reader has gone, as `head` does."""
        return int(self._done("write", text) or 0)

    def flush(self) -> None:
        """Raises as `write`."""
        self._done("flush")

    def _done(self, what: str, *given: str) -> Any:
        if self._given_up:
            return len(given[0]) if given else None
        try:
            if self._inner is None:
                if not given:
                    return None
                raise OSError("it is closed")
            return getattr(self._inner, what)(*given)
        except BrokenPipeError:
            self._give_up()
            raise SystemExit(READER_GONE) from None
        except (OSError, ValueError) as error:
            self._give_up()
            if not self._must:
                return 0
            reason = getattr(error, "strerror", None) or error
            self.reason = EnvironmentProblemError(
                "GP-X002",
                f"standard output cannot be written: {reason}",
                expected="a terminal, a pipe or a file with room",
                next_step="free some space, or send the output elsewhere; files that were written are whole",
            )
            raise self.reason from error

    def _give_up(self) -> None:
        """What is still in the stream's memory goes nowhere, so that nothing is said about it at the end."""
        self._given_up = True
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._inner.fileno())
            os.close(nowhere)


def prepare() -> None:
    """Make both streams `Told`, for characters that their encoding lacks, too.

    Descriptors that are closed are taken by the null device, or the next file opened would be one of them and
    hold what libraries write to standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, Told):
            continue
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, Told(stream, must=name == "stdout"))


def finish() -> None:
    """Write what is still in memory. Raises as `Told.write`, also for what a library caught on its way."""
    sys.stdout.flush()
    reason = sys.stdout.reason if isinstance(sys.stdout, Told) else None
    if reason is not None:
        raise reason


def refused(error: Exception) -> EnvironmentProblemError | None:
    """What the system refused, where that explains an error that no room expected; else None."""
    if _folder_is_gone():
        return EnvironmentProblemError(
            "GP-X003",
            "the working directory was deleted",
            expected="a folder that is there",
            next_step="change into another folder and give the command again",
        )
    if isinstance(error, MemoryError) or _lacks_memory(error):
        return EnvironmentProblemError(
            "GP-X004",
            f"the memory does not suffice: {error}".removesuffix(": "),
            expected="room for all that was asked for at once",
            next_step="ask for fewer patients, replicates or times, or use a machine with more memory",
        )
    if isinstance(error, OSError) and error.errno is not None:
        return EnvironmentProblemError(
            "GP-X005",
            f"the system refused: {error.strerror}",
            where=str(error.filename or ""),
            expected="files and folders that may be used",
            next_step="check the path, its permissions and the space on its disk",
        )
    return None


def _lacks_memory(error: BaseException) -> bool:
    """Whether a library could not be loaded, or give a reason of its own, for want of memory."""
    reasons = []
    reason: BaseException | None = error
    while reason is not None:
        reasons.append(str(reason))
        reason = reason.__cause__ or reason.__context__
    return any(words in said for said in reasons for words in NO_MEMORY)


def _folder_is_gone() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False
