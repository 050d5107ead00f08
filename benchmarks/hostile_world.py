"""Where an attack takes place: a folder with what must stay as it is, and what tells that harm was done."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.hostile_changes import ADDRESS, MARK, SECRET, VICTIM, Change

__all__ = ["Attempt", "Kind", "Unsafe", "World", "called", "command", "of_file"]

# The secret is a model, too, so that who takes it in can go on with it.
PRECIOUS, HIDDEN, KNOWN_BY = "precious\n", "gphidden7261 = 1;\n", "gphidden7261"
# As `boundary.text` has it: what a terminal obeys, and what turns the direction of writing.
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
STARTS = ("=", "+", "-", "@", "\t", "\r")
STEMS = ("a\x1b[2Jb", "a\u202eb", "a\nb", "[1]*", "\u00e9 b", "%s", "-x", "a'b\"c")  # of an input's name
FILE, OUT = "{file}", "{out}"  # in the words of a command
Attempt = Callable[[], object]


class Unsafe(Exception):  # noqa: N818 - what was seen
    """Harm: something outside was read, written, asked or run, or a result says what it should not."""


class World:
    """A folder with a victim and a secret beside the place where inputs lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inside, self.out = folder / "inside", folder / "inside" / "out"
        self.victim, self.secret = folder / "victim.txt", folder / "secret.txt"
        self.victim.write_text(PRECIOUS)
        self.secret.write_text(HIDDEN)
        self.inside.mkdir()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._called = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        os.environ["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "1s"
        os.chdir(self.inside)
        self._around = sorted(path.name for path in folder.iterdir())

    def _listen(self) -> None:
        """Whoever calls is noted, and gets no answer."""
        with suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self._called.set()

    def real(self, content: bytes) -> bytes:
        """`content` with the places and the port of this world in it."""
        port = self._listener.getsockname()[1]
        pairs = ((VICTIM, self.victim), (SECRET, self.secret), (ADDRESS, f"tcp://127.0.0.1:{port}"))
        for name, value in pairs:
            content = content.replace(name.encode(), str(value).encode())
        return content

    def hide(self) -> None:
        """From here on a look at the secret leaves its trace in the time of its last reading."""
        os.utime(self.secret, (0, 1))

    def was_read(self) -> bool:
        """Whether somebody looked at the secret since `hide`, on file systems that note it."""
        return self.secret.stat().st_atime != 0

    def look(self) -> None:
        """Raises Unsafe if anything around was touched, or somebody called."""
        if not self.victim.is_file() or self.victim.read_text() != PRECIOUS:
            self.victim.unlink(missing_ok=True)
            self.victim.write_text(PRECIOUS)
            raise Unsafe("a file outside was changed or removed")
        if (there := sorted(path.name for path in self.folder.iterdir())) != self._around:
            for name in set(there) - set(self._around):
                _remove(self.folder / name)
            raise Unsafe(f"a file was made outside: {there}")
        if self._called.is_set():
            self._called.clear()
            raise Unsafe("it connected to an address that a file names")
        if strange := sorted(self.inside.glob("pwned*")):
            _remove(strange[0])
            raise Unsafe("a file of the input's choice was made")

    def close(self) -> None:
        """Nobody can call any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def clear(self) -> None:
        """Remove what inputs and outputs are there."""
        for path in self.inside.iterdir():
            _remove(path)

    def look_at_outputs(self, told: str) -> None:
        """Raises Unsafe if text or files of a command run or show what a reader does not want."""
        if OBEYED.search(told):
            raise Unsafe(f"the terminal is told {OBEYED.findall(told)[:3]}")
        if KNOWN_BY in told:
            raise Unsafe("it shows the content of a file that an input names")
        for path in self.out.rglob("*") if self.out.is_dir() else ():
            if path.suffix == ".html" and f"<script>{MARK}" in path.read_text(errors="replace"):
                raise Unsafe(f"{path.name} runs a script out of the input")
            if path.suffix == ".csv":
                _look_for_formulas(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink()


def _look_for_formulas(path: Path) -> None:
    before = csv.field_size_limit(1 << 30)
    try:
        for row in csv.reader(io.StringIO(path.read_bytes().decode(errors="replace"), newline="")):
            for cell in row:
                if len(cell) > 1 and cell.startswith(STARTS) and not _is_number(cell):
                    raise Unsafe(f"{path.name} has a cell that a spreadsheet computes: {cell[:40]!r}")
    finally:
        # The limit is the whole interpreter's, and what reads a file elsewhere counts on it.
        csv.field_size_limit(before)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Kind:
    """What is attacked. make: from the number's own chance, an attempt.   weight: turns of a round.

    Of a kind of file also: whole, a file as it should be; ending, of its name; use, what reads it.
    """

    name: str
    make: Callable[[World, Random], Attempt]
    weight: int = 1
    whole: bytes = b""
    ending: str = ""
    use: Callable[[World, Path], object] | None = None


def of_file(
    name: str,
    ending: str,
    whole: bytes,
    change: Change,
    use: Callable[[World, Path], object],
    weight: int = 1,
) -> Kind:
    """A kind of file: `whole` is one as it should be, `use` what reads it."""

    def make(world: World, chance: Random) -> Attempt:
        stem = chance.choice(STEMS) if chance.random() < 0.1 else "input"
        path = world.inside / f"{stem}{ending}"
        content = change(whole, chance) if chance.random() < 0.9999 else whole
        path.write_bytes(world.real(content))
        return lambda: use(world, path)

    return Kind(name, make, weight, whole, ending, use)


def called(where: str, *given: Any) -> Callable[[World, Path], object]:
    """A function by "package.module:name", which takes the path and `given`."""
    module, name = where.split(":")
    function = getattr(import_module(module), name)

    def use(_world: World, path: Path) -> object:
        return function(path, *given)

    return use


def command(*words: str) -> Callable[[World, Path], object]:
    """A command line of this process, with FILE and OUT in it; what it says and writes is looked at.

    Raises Unsafe, and RuntimeError for an exit code that no input may cause. Returns the exit code and text.
    """
    # The command line's own entry ends its process, and ignores Ctrl-C from there on.
    main = import_module("glueprint.cli.app").main

    def use(world: World, path: Path) -> tuple[int, str]:
        world.out.mkdir(exist_ok=True)
        asked = [word.replace(FILE, str(path)).replace(OUT, str(world.out)) for word in words]
        before = sys.argv, sys.stdout, sys.stderr
        told = io.BytesIO()
        stream = io.TextIOWrapper(told, encoding="utf-8", errors="backslashreplace", write_through=True)
        sys.argv, sys.stdout, sys.stderr = ["glueprint", *asked], stream, stream
        try:
            main()
            code: Any = 0
        except SystemExit as done:
            code = done.code or 0
        finally:
            sys.argv, sys.stdout, sys.stderr = before
        text = told.getvalue().decode(errors="replace")
        if code not in (0, 1, 2):
            raise RuntimeError(f"exit code {code}: {text[-300:]}")
        world.look_at_outputs(text)
        return code, text

    return use
