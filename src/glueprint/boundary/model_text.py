"""Antimony and libsbml, called where they may crash: a model's text to SBML that libsbml has found valid."""

from __future__ import annotations

from typing import Any

import antimony
import libsbml

from glueprint.boundary.submodels import CompositionError, composed, flattened

__all__ = ["to_antimony", "to_sbml"]

# SBML rule 10313: a unit that is named but not defined changes no number.
DANGLING_UNIT = 10313


def to_sbml(content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """SBML of a model's text, or what is wrong with it.

    content: the text, UTF-8.   options: antimony, whether it is Antimony; files, texts of the files that it
    takes models from.
    Returns ({}, SBML), or a table with `antimony` (the complaint), `sbml` and `line`, `composed`, or `empty`.
    """
    text = content.decode()
    if options["antimony"]:
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(text) < 0:
            return {"antimony": str(antimony.getLastError()).strip()}, b""
        text = str(antimony.getSBMLString(antimony.getMainModuleName()))
    try:
        text = composed(text, options.get("files", {}))
        document = libsbml.readSBMLFromString(text)
        wrong = _first_error(document)
        if wrong is None and document.getModel() is None:
            return {"empty": True}, b""
        if wrong is None and document.getPlugin("comp") is not None:
            flattened(document)
            text = libsbml.writeSBMLToString(document)
    except CompositionError as error:
        return {"composed": str(error)}, b""
    return wrong or {}, b"" if wrong else text.encode()


def to_antimony(content: bytes, _options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Antimony of a model's SBML.   Returns ({}, text), or a table with `antimony`, the complaint."""
    antimony.clearPreviousLoads()
    if antimony.loadSBMLString(content.decode()) < 0:
        return {"antimony": str(antimony.getLastError()).strip()}, b""
    return {}, str(antimony.getAntimonyString(antimony.getMainModuleName())).encode()


def _first_error(document: Any) -> dict[str, Any] | None:
    for category in (libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
        document.setConsistencyChecks(category, False)
    grave = (libsbml.LIBSBML_SEV_ERROR, libsbml.LIBSBML_SEV_FATAL)
    if not any(document.getNumErrors(severity) for severity in grave):
        document.checkConsistency()
    for number in range(document.getNumErrors()):
        error = document.getError(number)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() != DANGLING_UNIT:
            return {"sbml": error.getMessage().strip(), "line": error.getLine()}
    return None
