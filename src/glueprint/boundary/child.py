"""The other end of `guarded`: one function, few rights, questions in and answers out until nobody asks."""

from __future__ import annotations

import codecs
import importlib
import json
import os
import signal
import struct
import sys
from contextlib import suppress
from typing import Any, BinaryIO

__all__ = ["serve"]

HEAD = struct.Struct(">QQ")
ENCODINGS = ("ascii", "cp437", "cp1252", "latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
MOST_OPEN = 1024  # descriptors that are looked at; a fresh process has a handful


def serve() -> None:
    """Answer on the descriptors that were standard input and output; libraries print into nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the owner decides
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    asked, _ = _next(questions)
    module, name = str(asked["function"]).split(":")
    library = importlib.import_module(module)
    function = getattr(library, name)
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    # What a library would load at its first use must be there before no file can be opened any more.
    getattr(library, "prepare", lambda: None)()
    _limit(int(asked["memory_mb"]), int(asked["stack_mb"]))
    _answer(answers, {}, b"")
    while True:
        options, content = _next(questions)
        try:
            table, beside = function(content, options)
        except MemoryError:
            table, beside = {"raised": f"it needs more than {asked['memory_mb']} MB"}, b""
        except Exception as error:
            table, beside = {"raised": f"{type(error).__name__}: {error}"[:500]}, b""
        _answer(answers, table, beside)


def _next(questions: BinaryIO) -> tuple[dict[str, Any], bytes]:
    head = questions.read(HEAD.size)
    if len(head) < HEAD.size:  # the owner has gone
        sys.exit(0)
    said, beside = HEAD.unpack(head)
    return json.loads(questions.read(said)), questions.read(beside)


def _answer(answers: BinaryIO, table: dict[str, Any], beside: bytes) -> None:
    said = json.dumps(table).encode()
    answers.write(HEAD.pack(len(said), len(beside)) + said)
    answers.write(beside)
    answers.flush()


def _taken() -> int:
    """How many descriptors there are, once all below the highest are taken: no further one can be opened."""
    highest = max(number for number in range(MOST_OPEN) if _is_open(number))
    while (number := os.dup(0)) < highest:
        pass
    os.close(number)
    return highest + 1


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _limit(memory_mb: int, stack_mb: int) -> None:
    """Give up rights, where the system has such: memory, stack, files written, files opened, core dumps."""
    try:
        import resource
    except ImportError:  # Windows: the owner's clock remains
        return
    for what, most in (
        (resource.RLIMIT_DATA, memory_mb << 20),
        (resource.RLIMIT_STACK, stack_mb << 20),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _taken()),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
