"""Reads a model from a path or a text, in Antimony or SBML, into a libsbml document."""

from __future__ import annotations

import os
import re
import threading
from functools import cache
from pathlib import Path
from typing import Any

import libsbml

from glueprint.boundary import Ended, Helper, Limits, decoded, model_text, read_plain, submodels
from glueprint.errors import InputError

__all__ = ["read"]

SUFFIXES = (".ant", ".antimony", ".txt", ".xml", ".sbml")
MOST_BYTES = 32 * 1024 * 1024  # ten times the largest model of the BioModels database
LIMITS = Limits(seconds=120, memory_mb=2048, stack_mb=4)
IMPORT = re.compile(r'(?:^|[;\n])[ \t]*import\s*"([^"\n]*)')
# What reads Antimony and what checks SBML take a time that grows with the square of a formula's length: about
# 5.5 s of a processor for 8,000 terms in Antimony; 40 to 51 s for 50,000 in SBML on a busy machine, and more
# than LIMITS for 100,000 (measured with antimony 3.1 and libsbml 5.20).
MOST_TERMS, MOST_IN_SBML = 20_000, 50_000
STATEMENT, TERM = re.compile(r"[^;\n]+"), re.compile(r"[\w.]+")
FORMULA, LEAF = (
    re.compile(r"<(?:\w+:)?math\b.*?</(?:\w+:)?math\b", re.DOTALL),
    re.compile(r"<(?:\w+:)?c[in]\b"),
)
# The antimony library keeps its loaded models in one global list.
_antimony_lock = threading.Lock()


def read(source: str | os.PathLike[str], *, ours: bool = False) -> tuple[Any, str]:
    """The libsbml document of `source` and its name for messages.

    source: path of a file, or the model's text itself; Antimony or SBML is told from the content.
    ours: the text was composed by Glueprint from parts that were read before, and cannot crash the libraries;
    all other text is read in a process of its own first.
    Raises InputError GP-N001 (no such file, empty, not text), GP-N002 (not readable as Antimony), GP-N003
    (not valid SBML), GP-N040 (the libraries crash on it, or take too long), GP-N041 (it imports a file),
    GP-N043 (a file of a submodel cannot be read, or does not fit), GP-N063 (a formula of too many terms).
    """
    text, where, folder = _text(source)
    files: dict[str, str] = {}
    _gather(text, where, folder, files)
    sbml = _valid_sbml(text, where, files, ours=ours)
    return libsbml.readSBMLFromString(sbml), where


def _gather(text: str, where: str, folder: Path | None, files: dict[str, str]) -> None:
    """The texts of the files that submodels are defined in, from the folder of the model and no other."""
    for name in submodels.sources(text):
        if name in files:
            continue
        try:
            if folder is None:
                raise ValueError("a text lies in no folder")
            if Path(name).name != name:
                raise ValueError("submodels are taken from the folder of the model only")
            content = read_plain(folder / name, MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
            files[name] = decoded(content)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                "GP-N043",
                f'takes a submodel from "{name}", which cannot be read: {reason}',
                where=where,
                expected="SBML files beside the model's own",
                next_step="put the file there, or write the submodels out (flatten) before",
            ) from error
        _gather(files[name], name, folder, files)


def _text(source: str | os.PathLike[str]) -> tuple[str, str, Path | None]:
    """The text, its name for messages, and the folder that it lies in."""
    as_text = os.fspath(source)
    is_path = isinstance(source, os.PathLike) or ("\n" not in as_text and as_text.endswith(SUFFIXES))
    where = as_text if is_path else "model text"
    try:
        # Text that a program hands over has the same rules as a file.
        content = read_plain(source, MOST_BYTES + 1) if is_path else as_text.encode()
        if len(content) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        text = decoded(content)
        if not text.strip():
            raise ValueError("it is empty")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            "GP-N001",
            f'cannot read "{where}": {reason}',
            where=where,
            expected="a readable Antimony or SBML file in UTF-8, or the model's text",
            next_step="check the path and what the file holds",
        ) from error
    return text, where, Path(as_text).parent if is_path else None


def _valid_sbml(text: str, where: str, files: dict[str, str], *, ours: bool) -> str:
    """SBML that libsbml has found valid, from either language."""
    is_antimony = "<sbml" not in text
    if is_antimony and (found := IMPORT.search(text)):
        raise InputError(
            "GP-N041",
            f'imports the file "{found[1]}", and a model reads no other file',
            where=where,
            expected="one text that holds all of the model",
            next_step="copy the imported model into the file",
        )
    if not ours:
        _refuse_long(
            text, where, *((STATEMENT, TERM, MOST_TERMS) if is_antimony else (FORMULA, LEAF, MOST_IN_SBML))
        )
    options = {"antimony": is_antimony, "files": files}
    if ours:
        with _antimony_lock:
            wrong, content = model_text.to_sbml(text.encode(), options)
    else:
        try:
            wrong, content = _helper().ask(text.encode(), options)
        except Ended as ended:
            raise InputError(
                "GP-N040",
                f"the libraries that read models cannot take this one: {ended}",
                where=where,
                expected=f"a model that is read within {LIMITS.seconds:g} s and {LIMITS.memory_mb} MB",
                next_step="split long or deeply nested expressions into assignment rules",
            ) from ended
    if wrong:
        raise _refused(wrong, where)
    return content.decode()


def _refuse_long(text: str, where: str, formula: re.Pattern[str], term: re.Pattern[str], most: int) -> None:
    """Raises InputError GP-N063 before a work that would not end."""
    for found in formula.finditer(text):
        if found.end() - found.start() < 2 * most:  # a term takes two letters or more
            continue
        terms = sum(1 for _ in term.finditer(found.group()))
        if terms > most:
            raise InputError(
                "GP-N063",
                f"a formula of {terms} terms, for which the libraries that read models would take hours",
                where=f"{where}, line {text.count(chr(10), 0, found.start()) + 1}",
                expected=f"at most {most} terms in one formula",
                next_step="split it into assignment rules of some thousand terms, and add these up",
            )


@cache
def _helper() -> Helper:
    return Helper("glueprint.boundary.model_text:to_sbml", LIMITS)


def _refused(wrong: dict[str, Any], where: str) -> InputError:
    if "antimony" in wrong:
        return InputError(
            "GP-N002",
            wrong["antimony"],
            where=where,
            expected="a model in Antimony (tellurium.readthedocs.io, Antimony reference) or SBML",
            next_step="correct the line named above",
        )
    if "composed" in wrong:
        return InputError(
            "GP-N043",
            wrong["composed"],
            where=where,
            expected="submodels of the same level and version that fit together",
            next_step="write the submodels out (flatten) with the program that made the file",
        )
    if "sbml" in wrong:
        return InputError(
            "GP-N003",
            f"not valid SBML: {wrong['sbml']}",
            where=f"{where}, line {wrong['line']}",
            expected="a valid SBML model",
            next_step="correct the element named above",
        )
    return InputError(
        "GP-N003",
        "the SBML document holds no model",
        where=where,
        expected="an <sbml> element with a <model>",
        next_step="export the model again",
    )
