"""A compound as people give it: name, SMILES, InChI, InChIKey, CAS number, or a file of structures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

from glueprint.chemistry import structures
from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError, NotSupportedError

__all__ = ["ENDINGS", "Drawing", "drawing", "drawings", "is_structure_file"]

ENDINGS = (".mol", ".mdl", ".sdf", ".sd", ".smi", ".smiles")
INCHIKEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
CAS = re.compile(r"(?:CAS(?: RN)?:? *)?(\d{2,7})-(\d\d)-(\d)")
# What looks like a word and not like SMILES: letters, and the marks that names have.
WORD = re.compile(r"(?=.*[a-z]{3})[A-Za-z(][A-Za-z' ,()+-]{3,}[A-Za-z)]")
# Longer than the molfile of any small molecule.
MAX_RECORD_BYTES = 1_000_000


@dataclass(frozen=True)
class Drawing:
    """A molecule as it was drawn: RDKit molecule, name if one came with it, the text, and where it stood."""

    mol: Any
    name: str
    text: str
    where: str = ""


def is_structure_file(text: str) -> bool:
    """Whether a text is the path of a file of structures, by its ending."""
    return Path(text).suffix.lower() in ENDINGS


def drawing(text: str, *, where: str = "") -> Drawing:
    """The molecule behind a name, SMILES, InChI, InChIKey of a built-in structure, or CAS number.

    Raises InputError GP-H001 (an unknown name), GP-H002 (unreadable SMILES), GP-H015 (InChI, InChIKey or CAS
    number that cannot be read or is not known); NotSupportedError GP-H019 for a polymer.
    """
    said = text.strip()
    if cas := CAS.fullmatch(said):
        return _built_in(_by_cas("-".join(cas.groups()), said, where), said, where)
    if INCHIKEY.fullmatch(said := said.removeprefix("InChIKey=")):
        return _built_in(_by_inchikey(said, where), said, where)
    if said.startswith("InChI="):
        return _inchi(said, where)
    if "{" in said:
        raise NotSupportedError(
            "GP-H019",
            f'"{said[:80]}" is written as a polymer (BigSMILES)',
            where=where,
            expected="a molecule with all its atoms",
            next_step="write one whole molecule; a polymer has no single mass or key",
        )
    try:
        return _built_in(structures.load(said), said, where)
    except InputError as unknown:
        if WORD.fullmatch(said) and not _is_smiles(said):
            raise unknown
    return Drawing(structures.molecule(said, where=where), "", said, where)


def drawings(path: str | Path) -> Iterator[Drawing | GlueprintError]:
    """The molecules of a molfile, an SDF or a list of SMILES, each; a bad one is an error with its line.

    Raises EnvironmentProblemError GP-H008 if the file cannot be read, InputError GP-H016 if it is empty.
    """
    place = Path(path)
    try:
        handle = place.open(encoding="utf-8-sig", errors="replace", newline=None)
    except OSError as error:
        raise EnvironmentProblemError(
            "GP-H008",
            f"cannot read the file: {error.strerror or error}",
            where=str(path),
            next_step="check the path and the permissions",
        ) from error
    smiles = place.suffix.lower() in (".smi", ".smiles")
    found = False
    with handle:
        for one in _lines(handle, place) if smiles else _records(handle, place):
            found = True
            yield one
    if not found:
        raise _bad("no structure in the file", str(path))


def _built_in(found: structures.Structure, text: str, where: str) -> Drawing:
    return Drawing(structures.molecule(found.smiles), found.name, text, where)


def _is_smiles(text: str) -> bool:
    try:
        structures.molecule(text)
    except InputError:
        return False
    return True


def _by_cas(number: str, text: str, where: str) -> structures.Structure:
    digits = number.replace("-", "")
    total = sum(place * int(digit) for place, digit in enumerate(reversed(digits[:-1]), start=1))
    found = structures.by_cas(number)
    if found is None:
        wrong = total % 10 != int(digits[-1])
        raise InputError(
            "GP-H015",
            f'"{text}" has a wrong check digit'
            if wrong
            else f'no built-in structure has CAS number "{number}"',
            where=where,
            expected="the CAS number of a built-in structure",
            next_step="give the structure as SMILES or InChI: a CAS number holds no structure",
        )
    return found


def _by_inchikey(text: str, where: str) -> structures.Structure:
    # The last letter counts protons: the key of an anion or cation of the compound ends in another one.
    found = structures.by_key(text) or structures.by_key(f"{text[:-1]}N")
    if found is None:
        raise InputError(
            "GP-H015",
            f'no built-in structure has InChIKey "{text}"',
            where=where,
            expected="the key of a built-in structure (glueprint compound list)",
            next_step="give the structure as SMILES or InChI: a key cannot be turned back into a structure",
        )
    return found


def _inchi(text: str, where: str) -> Drawing:
    with rdBase.BlockLogs():
        mol = Chem.MolFromInchi(text)  # type: ignore[no-untyped-call]
    if mol is None:
        raise InputError(
            "GP-H015",
            f'cannot read "{text[:80]}" as InChI',
            where=where,
            expected='an InChI such as "InChI=1S/C13H10N2O4/c16-10-6-5-9(11(17)14-10)15-12(18)7-3-1-2-4-8(7)'
            '13(15)19/h1-4,9H,5-6H2,(H,14,16,17)" (thalidomide), whole and on one line',
            next_step="copy it again, or give SMILES",
        )
    return Drawing(mol, "", text, where)


def _lines(handle: Any, path: Path) -> Iterator[Drawing | GlueprintError]:
    """A list of SMILES: structure, then an optional name; empty lines and # comments are passed over."""
    for number, line in enumerate(handle, start=1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        smiles, _, name = said.replace("\t", " ").partition(" ")
        where = f"{path}, line {number}"
        try:
            yield Drawing(structures.molecule(smiles, where=where), name.strip(), smiles, where)
        except InputError as error:
            yield error


def _records(handle: Any, path: Path) -> Iterator[Drawing | GlueprintError]:
    """The records of an SDF, or the one of a molfile, with the line each begins on."""
    lines: list[str] = []
    start, size, number = 1, 0, 0
    for number, line in enumerate(handle, start=1):
        if line.startswith("$$$$"):
            yield _record(lines, start, size, path)
            lines, start, size = [], number + 1, 0
            continue
        size += len(line)
        # A record that never ends is counted on, not kept.
        if size <= MAX_RECORD_BYTES:
            lines.append(line.rstrip("\r\n"))
    if any(line.strip() for line in lines):
        yield _record(lines, start, size, path)


def _record(lines: list[str], start: int, size: int, path: Path) -> Drawing | GlueprintError:
    where = f"{path}, line {start}"
    if size > MAX_RECORD_BYTES:
        return _bad(f"a record of {size / 1e6:.1f} MB without an end ($$$$)", where)
    if len(lines) < 4:
        return _bad("a record of fewer than the four lines of its head", where)
    end = next((place for place, line in enumerate(lines) if line.startswith("M  END")), None)
    if end is None:
        return _bad('a record without "M  END"', where)
    if reason := _counts(lines, end):
        return _bad(reason[1], f"{path}, line {start + reason[0]}")
    block = "\n".join(lines[: end + 1]) + "\n"
    with rdBase.BlockLogs():
        raw = Chem.MolFromMolBlock(block, sanitize=False, strictParsing=True)
        if raw is None:
            return _bad("atoms or bonds that cannot be read", where)
        if raw.GetNumAtoms() == 0:
            return _bad("a record without atoms", where)
        problems = Chem.DetectChemistryProblems(raw)
        if problems:
            line = start + 4 + problems[0].GetAtomIdx() if hasattr(problems[0], "GetAtomIdx") else start
            return _bad(str(problems[0].Message()), f"{path}, line {line}")
        mol = Chem.MolFromMolBlock(block)
    return Drawing(mol, lines[0].strip(), block, where)


def _counts(lines: list[str], end: int) -> tuple[int, str] | None:
    """The line and the reason, if the counts line (the fourth) is not one or promises more than there is."""
    head = lines[3]
    if "V3000" in head:
        return None
    try:
        atoms, bonds = int(head[:3]), int(head[3:6])
    except ValueError:
        return 3, f'the counts line cannot be read: "{head[:40]}"'
    there = next((place for place, line in enumerate(lines[:end]) if line.startswith("M  ")), end) - 4
    if there < atoms + bonds:
        return 3, f"the counts line promises {atoms} atoms and {bonds} bonds, but {there} lines follow"
    return None


def _bad(reason: str, where: str) -> InputError:
    return InputError(
        "GP-H016",
        reason,
        where=where,
        expected="a molfile (V2000 or V3000), or records that end in $$$$",
        next_step="write the structure again from the drawing program",
    )
