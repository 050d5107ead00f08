"""How many faults that were once found by hand the hostile inputs find on the version that had them.

    python -m benchmarks.rediscovery OLD/*.jsonl --seed 11 --json

Run `benchmarks.hostile` with the source of that version first, with a journal for each group of kinds; this
reads the journals. The 36 faults are those that a review of strangers' files, surroundings and numbers listed
before the boundary was built. Each is told by what an input of its kind ended in, and, where a hang or a
signal does not say of what, by the input itself, which its number makes again. Below 80 % the generators are
too tame.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from benchmarks.hostile import FINE, every_kind
from benchmarks.hostile_world import Kind, World

__all__ = ["FAULTS", "Fault", "found"]

ENOUGH = 0.8
STUCK = r"^(hang|signal|slow|exit)|MemoryError|Unable to allocate|allowed size|too big"


def _far(name: str, least: float, most: float = float("inf")) -> Callable[[str], bool]:
    """A number of a protocol that is so many times what it was."""

    def is_so(said: str) -> bool:
        times = re.search(rf"# {name} times (\S+)", said)
        return times is not None and least <= float(times[1]) <= most

    return is_so


def _has(pattern: bytes) -> Callable[[bytes], bool]:
    return lambda content: re.search(pattern, content) is not None


def _grown(content: bytes) -> bool:
    """A workbook that is small and large when unpacked."""
    with suppress(zipfile.BadZipFile, ValueError), zipfile.ZipFile(io.BytesIO(content)) as packed:
        return sum(entry.file_size for entry in packed.infolist()) > 100_000_000 > 10 * len(content)
    return False


def _any(_said: str) -> bool:
    return True


@dataclass(frozen=True)
class Fault:
    """One that was listed. kinds: of inputs.   said: a pattern of outcomes, and `also` what they must hold.

    of_input: what its files must hold, where an outcome does not say of what it comes.
    """

    name: str
    kinds: tuple[str, ...]
    said: str
    also: Callable[[str], bool] = _any
    of_input: Callable[[bytes], bool] | None = None


DEEP = rb"(?:sin\(|\(|-){5000}|(?:<apply>\s*<\w+/>\s*){5000}"
WIDE = rb"(?:\+k|\*S){50000}|(?:<c[in]>[^<]*</c[in]>\s*){50000}"
MODELS = ("antimony", "sbml", "simulated")
RECURSION = "RecursionError"
AROUND = r"(exit code (?!0|1|2)-?\d+|exit code 1.*Traceback).*: .*\| [^:]*"
FAULTS = (
    Fault("a study names a Dask scheduler, and is obeyed", ("run-study",), "connected to an address"),
    Fault("the name of a table is SQL", ("folder",), r"input's choice|Parser Error.*\n.*create view"),
    Fault("a forged entry of a ledger removes a file outside", ("folder",), "outside was changed or removed"),
    Fault("a linked lock is followed", ("folder",), "outside was changed.*_linked|outside was changed"),
    Fault("a name runs as a script", ("named",), "runs a script"),
    Fault("a forged table is vouched for", ("folder",), r"changed folder is queried.*'_rewritten'\]"),
    Fault("a ledger or record that is gone is not missed", ("folder",), r"changed folder.*\['_removed'\]"),
    Fault("a ledger that is cut off or emptied is not missed", ("folder",), r"changed folder.*'_removed'"),
    Fault("objects of the cache are exchanged", ("cache",), "somebody else's is taken"),
    Fault("a cache that all may write", ("cache",), "others may write"),
    Fault("a cell of a CSV is a formula", ("growth", "saved", "fitted", "read"), "a spreadsheet computes"),
    Fault("a terminal obeys a name", ("named", "growth", "run-study", "simulated"), "the terminal is told"),
    Fault("a model imports any file", MODELS, "reads another file"),
    Fault("a small workbook aborts the process", ("workbook",), "^signal", of_input=lambda c: not _grown(c)),
    Fault("a small TIFF never ends", ("tiff",), "^hang"),
    Fault("a workbook takes the memory", ("workbook",), STUCK, of_input=_grown),
    Fault("a sum of some hundred terms", MODELS, RECURSION),
    Fault("a formula nested by thousands", MODELS, r"^signal|^hang", of_input=_has(DEEP)),
    Fault("a sum of hundred thousands", MODELS, r"^signal|^hang", of_input=_has(WIDE)),
    Fault("a mark of UTF-8 before a model", ("same",), "antimony with (a mark|both)|UnicodeDecodeError"),
    Fault("a mark of UTF-8 before TOML", ("same",), r"(study|protocol|compound|layout) with (a mark|both)"),
    Fault("text after a zero byte is dropped", MODELS, "zero byte was dropped"),
    Fault(
        "a folder whose name is a pattern",
        ("folder",),
        r"it_patients does not exist|folder that nobody changed is refused",
    ),
    Fault("a fork after a call hangs", ("surroundings",), "hangs: def"),
    Fault("ten million replicates", ("options",), STUCK, of_input=_has(rb"--replicates \d{7,}")),
    Fault("a billion patients", ("options",), STUCK, of_input=_has(rb'"patients": \d{8,}|patients = \d{8,}')),
    Fault("steps of a picosecond", ("options",), STUCK, of_input=_has(rb"--every \S*(e-|\d{7})|--until")),
    Fault("output that is closed", ("surroundings",), AROUND + "closed"),
    Fault("output that is full", ("surroundings",), AROUND + "stdout full"),
    Fault("a working directory that is gone", ("surroundings",), AROUND + "working directory deleted"),
    Fault("output in Latin-1", ("surroundings",), AROUND + "(latin-1|ascii)"),
    Fault("a hundredfold dose", ("far",), "without a remark", _far("dose_mg", 30, 3000)),
    Fault("a dose of a kilogram", ("far",), "without a remark", _far("dose_mg", 30_000)),
    Fault("hardly a neutrophil", ("far",), "without a remark", _far("anc_1e9_per_l", 0, 0.03)),
    Fault("a patient of a milligram", ("far",), "without a remark", _far("weight_kg", 0, 0.03)),
    Fault("a follow-up of a century", ("far",), "without a remark", _far("months", 30)),
)


def _inputs(journal: Path) -> Iterator[tuple[int, str, str]]:
    """Number, kind and outcome of what did not end well."""
    for line in journal.read_text().splitlines():
        number, kind, said, *_ = json.loads(line)
        if said not in FINE and not said.startswith("not made"):
            yield number, kind, said


class _Maker:
    """Makes inputs again by their number."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed = world, seed

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        return {kind.name: kind for kind in every_kind([])}

    def files(self, kind: str, number: int) -> bytes:
        """What lies there once the input is made."""
        with suppress(OSError, ValueError, OverflowError):
            self._kinds[kind].make(self._world, Random(f"{self._seed}/{kind}/{number}"))
        paths = sorted(path for path in self._world.inside.iterdir() if path.is_file())
        content = b"\n".join(path.read_bytes() for path in paths)
        self._world.clear()
        return content


def found(journals: Sequence[Path], seed: int) -> dict[str, int]:
    """How many inputs found each fault."""
    counts = dict.fromkeys((one.name for one in FAULTS), 0)
    usual, here = sys.getrecursionlimit(), Path.cwd()
    sys.setrecursionlimit(20_000)  # as the inputs were made
    try:
        with tempfile.TemporaryDirectory() as place, closing(World(Path(place))) as world:
            maker = _Maker(world, seed)
            for journal in journals:
                for number, kind, said in _inputs(journal):
                    for one in FAULTS:
                        if kind in one.kinds and re.search(one.said, said, re.DOTALL) and one.also(said):
                            is_so = one.of_input is None or one.of_input(maker.files(kind, number))
                            counts[one.name] += is_so
            os.chdir(here)
    finally:
        sys.setrecursionlimit(usual)
    return counts


def main() -> None:
    """Read the journals that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("journals", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=1, help="that the inputs were made with")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    counts = found([path.absolute() for path in given.journals], given.seed)
    share = sum(map(bool, counts.values())) / len(counts)
    if given.json:
        print(json.dumps({"faults": counts, "share": round(share, 3)}, indent=1))
    else:
        for name, count in counts.items():
            print(f"{count:5d}  {name}")
        print(f"{share:.0%} of {len(counts)}")
    sys.exit(0 if share >= ENOUGH else 1)


if __name__ == "__main__":
    main()
