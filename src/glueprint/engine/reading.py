"""Reads a model from a path or a text, in Antimony or SBML, into a libsbml document."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import antimony
import libsbml

from glueprint.errors import InputError

__all__ = ["read"]

SUFFIXES = (".ant", ".antimony", ".txt", ".xml", ".sbml")
# SBML rule 10313: a unit that is named but not defined changes no number.
DANGLING_UNIT = 10313
# The antimony library keeps its loaded models in one global list.
_antimony_lock = threading.Lock()


def read(source: str | os.PathLike[str]) -> tuple[Any, str]:
    """The libsbml document of `source` and its name for messages.

    source: path of a file, or the model's text itself; Antimony or SBML is told from the content.
    Raises InputError GP-N001 (no such file), GP-N002 (not readable as Antimony), GP-N003 (not valid SBML).
    """
    text, where = _text(source)
    if "<sbml" not in text:
        text = _antimony_to_sbml(text, where)
    document = libsbml.readSBMLFromString(text)
    _raise_first_error(document, where)
    if document.getModel() is None:
        raise InputError(
            "GP-N003",
            "the SBML document holds no model",
            where=where,
            expected="an <sbml> element with a <model>",
            next_step="export the model again",
        )
    return document, where


def _text(source: str | os.PathLike[str]) -> tuple[str, str]:
    as_text = os.fspath(source)
    is_path = isinstance(source, os.PathLike) or ("\n" not in as_text and as_text.endswith(SUFFIXES))
    if not is_path:
        return as_text, "model text"
    try:
        return Path(source).read_text(encoding="utf-8"), as_text
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "GP-N001",
            f'cannot read "{as_text}": {error}',
            where=as_text,
            expected="a readable Antimony or SBML file, or the model's text",
            next_step="check the path",
        ) from error


def _antimony_to_sbml(text: str, where: str) -> str:
    with _antimony_lock:
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(text) < 0:
            raise InputError(
                "GP-N002",
                str(antimony.getLastError()).strip(),
                where=where,
                expected="a model in Antimony (tellurium.readthedocs.io, Antimony reference) or SBML",
                next_step="correct the line named above",
            )
        return str(antimony.getSBMLString(antimony.getMainModuleName()))


def _raise_first_error(document: Any, where: str) -> None:
    for category in (libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
        document.setConsistencyChecks(category, False)
    if (
        document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) + document.getNumErrors(libsbml.LIBSBML_SEV_FATAL)
        == 0
    ):
        document.checkConsistency()
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() != DANGLING_UNIT:
            raise InputError(
                "GP-N003",
                f"not valid SBML: {error.getMessage().strip()}",
                where=f"{where}, line {error.getLine()}",
                expected="a valid SBML model",
                next_step="correct the element named above",
            )
