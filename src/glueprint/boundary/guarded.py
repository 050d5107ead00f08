"""Libraries that read files of somebody else's, in a process of their own: a crash there is an answer here.

The process starts at the first question, stays for the next ones, and is ended when it takes too long. It may
use so much memory, write no file and open no further one, so a model that imports files or an image that
never ends harms nothing. It answers with JSON and bytes, which nothing here runs.
"""

from __future__ import annotations

import atexit
import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

__all__ = ["Ended", "Helper", "Limits"]

HEAD = struct.Struct(">QQ")  # bytes of the JSON, bytes beside it
START_S = 120.0  # for imports on a busy machine
CHUNK = 1 << 20
CODE = "from glueprint.boundary.child import serve; serve()"
MOST_JSON = 1 << 30


class Ended(Exception):  # noqa: N818 - what happened, which the caller makes an error of
    """The process crashed, took too long or had too little memory; the text says which."""


@dataclass(frozen=True)
class Limits:
    """What one question may cost. memory_mb: of the process.   stack_mb: of its main thread."""

    seconds: float = 60.0
    memory_mb: int = 2048
    stack_mb: int = 4


class Helper:
    """A process that answers questions with one function.

    function: "package.module:name"; it takes bytes and a table of options, and returns a table and bytes.
    """

    def __init__(self, function: str, limits: Limits) -> None:
        self._function, self._limits = function, limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        atexit.register(self.close)

    def ask(self, content: bytes, options: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The function's answer. Raises `Ended`."""
        with self._lock:
            if self._process is None or self._owner != os.getpid():  # a fork's pipes are its parent's
                self._start()
            try:
                answer, beside = self._exchange(content, options, self._limits.seconds)
            except BaseException:  # Ctrl-C, too: half an answer must not be taken for the next one
                self._stop()
                raise
        if "raised" in answer:
            raise Ended(str(answer["raised"]))
        return answer, beside

    def close(self) -> None:
        """End the process, if it is ours."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            # -P: what lies in the working directory is not imported.
            [sys.executable, "-P", "-c", CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        limits = self._limits
        asked = {"function": self._function, "memory_mb": limits.memory_mb, "stack_mb": limits.stack_mb}
        try:
            self._exchange(b"", asked, START_S)
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()

    def _exchange(
        self, content: bytes, options: Mapping[str, Any], seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None  # noqa: PT018
        deadline = time.monotonic() + seconds
        said = json.dumps(options).encode()
        watch = threading.Timer(seconds, process.kill)  # while we write, too
        watch.daemon = True
        watch.start()
        try:
            process.stdin.write(HEAD.pack(len(said), len(content)) + said + content)
            process.stdin.flush()
            sizes = HEAD.unpack(_read(process.stdout, HEAD.size))
            if sizes[0] > MOST_JSON:
                raise Ended("it answered without end")
            answer = json.loads(_read(process.stdout, sizes[0]))
            return answer, _read(process.stdout, sizes[1])
        except (OSError, EOFError, ValueError) as error:
            if time.monotonic() >= deadline:
                raise Ended(f"it took more than {seconds:g} s") from error
            raise Ended(_end_of(process)) from error
        finally:
            watch.cancel()


def _read(stream: Any, size: int) -> bytes:
    """Exactly so many bytes. Raises EOFError at the end of the stream."""
    parts, missing = [], size
    while missing:
        part = stream.read(min(missing, CHUNK))
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _end_of(process: subprocess.Popen[bytes]) -> str:
    """Why a process has gone, in words."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "it stopped answering"
    return f"the library crashed (signal {-code})" if code < 0 else f"the library gave up (exit code {code})"
