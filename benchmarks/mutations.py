"""Mutated plate files and layouts: whatever is cut or inserted, an answer or a coded error comes out.

    python -m benchmarks.mutations [--files 10000] [--seed 1] [--readers-only] [--json]

Takes the examples of the tests (and the real files under ../shared/data where they are), mutates them, and
runs each through reader, layout, inspection and the assay's analysis. Counts the outcomes by code; an
exception without a code is a failure, printed with the seed and number that reproduce it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fuzzing import Outcomes, arguments, attempts, conduct
from glueprint.assays import elisa, layout, polarization, readers
from glueprint.assays.plate import Plate
from glueprint.assays.quality import inspection
from glueprint.assays.wells import Wells
from glueprint.errors import GlueprintError, InternalError

__all__ = ["Subject", "mutated", "outcome", "run", "subjects"]

ROOT = Path(__file__).parents[1]
OWN = ROOT / "tests" / "assays" / "data"
SHARED = ROOT.parent / "shared" / "data"
# Bytes that mean something to a parser, beside random ones.
TELLING = (
    b"\t",
    b"\n",
    b"\r\n",
    b",",
    b";",
    b'"',
    b"0",
    b"-",
    b"1e999",
    b"nan",
    b"\x00",
    b"\xff",
    b"A1",
    b"=",
    b"[",
)
MOST_CHANGES = 6
LONGEST_CUT = 200


@dataclass(frozen=True)
class Subject:
    """A file to mutate. reader: whose it is, "layout" for a layout file."""

    name: str
    reader: str
    content: bytes


def subjects() -> list[Subject]:
    """The examples of the tests, the real files where they are, and the layout templates."""
    paths = (
        sorted(OWN.iterdir()) + sorted(SHARED.glob("plate-*/*.*")) + sorted(SHARED.glob("elisa-*/plate.txt"))
    )
    files = [path for path in paths if path.suffix in (".txt", ".csv", ".xlsx", ".toml")]
    found = []
    for path in files:
        reader = "layout" if path.suffix == ".toml" else readers.identify(path)
        found.append(Subject(path.name, reader, path.read_bytes()))
    return found + [
        Subject(f"{kind}.toml", "layout", layout.template(kind).encode()) for kind in layout.TEMPLATES
    ]


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """The content with one to six changes: bytes cut, swapped, inserted, lines doubled, the end cut."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, MOST_CHANGES + 1))):
        if not changed:
            return bytes(changed)
        place = int(random.integers(0, len(changed)))
        length = int(random.integers(1, LONGEST_CUT))
        match int(random.integers(0, 7)):
            case 0:
                del changed[place : place + length]
            case 1:
                changed[place] = int(random.integers(0, 256))
            case 2:
                changed[place:place] = random.bytes(int(random.integers(1, 5)))
            case 3:
                changed[place:place] = TELLING[int(random.integers(0, len(TELLING)))]
            case 4:
                changed[place : place + length] = changed[place : place + length] * 2
            case 5:
                lines = bytes(changed).split(b"\n")
                one, other = random.integers(0, len(lines), 2)
                lines.insert(int(one), lines[int(other)])
                changed = bytearray(b"\n".join(lines))
            case _:
                del changed[max(place, len(changed) // 4) :]
    return bytes(changed)


def outcome(subject: Subject, content: bytes, *, analyse: bool = True) -> list[str]:
    """The codes that reading and analysing the content gives, "read" where it gives a plate or a layout.

    Raises whatever is no GlueprintError, and InternalError.
    """
    if subject.reader == "layout":
        return _coded(lambda: _layout_of(content))
    then = _analysed if analyse else _only_inspected
    codes = _coded(lambda: then(readers.parse(content, subject.name)))
    if codes[-1] in ("GP-A012", "GP-A013"):
        # Nobody knows the file any more; its own reader must still not stumble.
        codes += _coded(lambda: then(readers.parse(content, subject.name, subject.reader)))
    return codes


def _coded(action: Callable[[], list[str]]) -> list[str]:
    try:
        return ["read", *action()]
    except InternalError:
        raise
    except GlueprintError as error:
        return [error.code]


def _layout_of(content: bytes) -> list[str]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ["not UTF-8"]
    layout.draw(layout.parse(text, "layout.toml"))
    return []


def _inspected(plate: Plate) -> Wells:
    wells = layout.apply(plate)
    inspection.inspect(wells.table, findings=wells.findings).as_dict()
    return wells


def _only_inspected(plate: Plate) -> list[str]:
    _inspected(plate)
    return []


def _analysed(plate: Plate) -> list[str]:
    """Codes of the analyses of a plate that was read: each analysis may refuse by itself."""
    wells = _inspected(plate)
    try:
        if "parallel" in plate.channels:
            polarization.analyse(wells.table)
        else:
            elisa.analyse(wells.table)
    except InternalError:
        raise
    except GlueprintError as error:
        return [f"analysis {error.code}"]
    return ["analysed"]


def run(files: int, seed: int, *, analyse: bool = True) -> Outcomes:
    """Outcomes by code, and failures, of many mutations; without the analyses if they are not asked for."""
    every = subjects()

    def mutation(random: np.random.Generator) -> tuple[str, Callable[[], list[str]]]:
        subject = every[int(random.integers(0, len(every)))]
        content = mutated(subject.content, random)
        return subject.name, lambda: outcome(subject, content, analyse=analyse)

    return attempts(files, seed, mutation)


def main() -> None:
    parser = arguments(__doc__, 10_000)
    parser.add_argument("--readers-only", action="store_true", help="without the analyses of assays")
    options = parser.parse_args()
    conduct(
        options,
        lambda: run(options.files, options.seed, analyse=not options.readers_only),
        subjects=[subject.name for subject in subjects()],
    )


if __name__ == "__main__":
    main()
