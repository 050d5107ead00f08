"""Files, folders and surroundings of somebody else's by the thousand; each must end well.

    python -m benchmarks.hostile --inputs 100000 --seed 1 --journal hostile.jsonl

Inputs are changed in ways that keep their form (`hostile_changes`), read by functions and by commands
(`hostile_kinds`), and there are folders, questions and surroundings (`hostile_scenes`). An input that ends
well is read, or refused with an error of ours. Anything else is a fault: another exception, an error that is
our bug, a signal, more than the seconds allowed, or harm that `hostile_world` sees. A process makes one input
after another; when one kills or hangs it, the next process goes on behind it. With a journal a second call
goes on where the first one ended. Prints JSON with counts and the faults, by what was said.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.hostile_world import Attempt, Kind, Unsafe, World

__all__ = ["attack", "every_kind", "make", "outcome", "summary"]

SLOW_S = 150.0  # beyond the longest that a library may take
START_S = 300.0  # for imports on a busy machine
MEMORY_MB = 3072  # of the process that makes inputs
FINE = ("read", "refused")
Found = tuple[int, str, str, float]
BIT = 160  # letters of what was said


def outcome(attempt: Attempt) -> str:
    """ "read", "refused", or what went wrong."""
    from glueprint.errors import GlueprintError, InternalError

    begun = time.monotonic()
    try:
        done = attempt()
        said = "refused" if isinstance(done, tuple) and done[:1] == (2,) else "read"
    except InternalError as error:
        said = f"internal error: {error.message}"
    except GlueprintError:
        said = "refused"
    except Unsafe as harm:
        said = f"unsafe: {harm}"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of a Rust library is no Exception
        said = f"{type(error).__name__}: {error}"
    return said if time.monotonic() - begun < SLOW_S else f"slow: {said}"


def turns(kinds: Sequence[Kind]) -> list[Kind]:
    """One round: every kind as often as its weight."""
    return [kind for kind in kinds for _ in range(kind.weight)]


def every_kind(only: Sequence[str]) -> list[Kind]:
    """All kinds, or those named; surroundings only if named, for each input is a process of its own."""
    from benchmarks.hostile_kinds import kinds
    from benchmarks.hostile_scenes import scenes, surroundings

    made = [*kinds(), *scenes(), *(surroundings() if "surroundings" in only else ())]
    return [kind for kind in made if not only or kind.name in only]


def make(kinds: Sequence[Kind], numbers: range, seed: int, folder: Path) -> Iterator[Found]:
    """Number, kind, outcome and processor seconds of each input; before it number and kind, no outcome."""
    round_ = turns(kinds)
    with closing(World(folder)) as world:
        for number in numbers:
            kind = round_[number % len(round_)]
            yield number, kind.name, "", 0.0
            begun = time.process_time()
            said = one(world, kind, Random(f"{seed}/{kind.name}/{number}"))
            yield number, kind.name, said, round(time.process_time() - begun, 4)


def one(world: World, kind: Kind, chance: Random) -> str:
    """Make one input, let it be read, look around, clear up; the outcome."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)  # for deep inputs; they are read under the usual one
    try:
        attempt = kind.make(world, chance)
    except (OSError, ValueError, OverflowError, MemoryError) as error:  # an input that cannot be
        said = f"not made: {type(error).__name__}"
    else:
        sys.setrecursionlimit(usual)
        said = outcome(attempt)
    sys.setrecursionlimit(usual)
    try:
        world.look()
    except Unsafe as harm:
        said = f"unsafe: {harm} ({said[:60]})"
    world.clear()
    return said[:2000]


def work(given: argparse.Namespace) -> None:
    """The process that makes inputs: a line when one begins, a line when it has ended."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MB << 20, MEMORY_MB << 20))
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with tempfile.TemporaryDirectory() as place:
        os.environ["GLUEPRINT_CACHE"] = os.environ.get("GLUEPRINT_CACHE", str(Path(place) / "objects"))
        kinds = every_kind(given.only)
        Path(place, "world").mkdir()
        numbers = range(given.start, given.inputs)
        for found in make(kinds, numbers, given.seed, Path(place, "world")):
            lines.write(json.dumps(found) + "\n")
            lines.flush()
        os.chdir("/")


def watch(given: argparse.Namespace, start: int) -> Iterator[Found]:
    """The outcomes of a process of its own, until it ends; its own end is the outcome of its last input."""
    call = [sys.executable, "-m", "benchmarks.hostile", "--work", "--start", str(start)]
    call += ["--inputs", str(given.inputs), "--seed", str(given.seed)]
    call += [word for name in given.only for word in ("--only", name)]
    number, name = start, "none"
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=errors) as process,
        selectors.DefaultSelector() as waiting,
    ):
        assert process.stdout is not None
        waiting.register(process.stdout, selectors.EVENT_READ)
        held, begun = b"", False
        try:
            while True:
                if not waiting.select(timeout=given.patience if begun else START_S):
                    yield number, name, "hang", given.patience
                    return
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part:
                    break
                *lines, held = (held + part).split(b"\n")
                begun = True
                for line in lines:
                    number, name, said, cost = json.loads(line)
                    if said:
                        yield number, name, said, cost
                        name = "none"
            process.wait()
        finally:
            process.kill()
        errors.seek(0)
        told = errors.read().decode(errors="replace")[-300:]
    if process.returncode < 0 and name != "none":
        yield number, name, f"signal {-process.returncode}", 0.0
    elif process.returncode:
        yield number, name, f"exit {process.returncode}: {told}", 0.0


def attack(given: argparse.Namespace) -> dict[str, Any]:
    """Counts of outcomes by kind, and faults by what was said, each with the first number that makes it."""
    book = Path(given.journal) if given.journal else None
    done = [json.loads(line) for line in book.read_text().splitlines()] if book and book.exists() else []
    next_one = done[-1][0] + 1 if done else 0
    begun = time.monotonic()
    while next_one < given.inputs and time.monotonic() - begun < given.seconds:
        for found in watch(given, next_one):
            done.append(found)
            next_one = found[0] + 1
            if book:
                with book.open("a") as stream:
                    stream.write(json.dumps(done[-1]) + "\n")
            if time.monotonic() - begun > given.seconds:
                break
        else:
            if done and done[-1][1] == "none":
                break  # it could not even begin
    return summary(done)


def summary(done: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Of all outcomes."""
    counts: dict[str, Counter[str]] = {}
    faults: dict[str, dict[str, Any]] = {}
    for number, name, said, *_ in done:
        fine = said in FINE or said.startswith("not made")
        counts.setdefault(name, Counter())[said.split(":")[0] if fine else "fault"] += 1
        if not fine:
            alike = re.sub(r"0x[0-9a-f]+|\d+|/[^\s:]*|'[^']*'", "_", said)[:BIT]
            one = faults.setdefault(
                f"{name}: {alike}", {"kind": name, "number": number, "said": said[:400], "times": 0}
            )
            one["times"] += 1
    return {
        "inputs": len(done),
        "counts": {name: dict(count) for name, count in sorted(counts.items())},
        "faults": sorted(faults.values(), key=lambda one: -one["times"]),
    }


def main() -> None:
    """Attack as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], help="a kind; repeat for more")
    parser.add_argument("--journal", help="a file of outcomes to go on from")
    parser.add_argument("--patience", type=float, default=SLOW_S + 100, help="seconds of one input")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given)
        return
    found = attack(given)
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")
    sys.exit(1 if found["faults"] else 0)


if __name__ == "__main__":
    main()
