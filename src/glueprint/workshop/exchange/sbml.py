"""A model as SBML Level 3 Version 2: units checked, other initial values, doses as events."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import libsbml

from glueprint.engine import Doses, compile, dosable, reading  # noqa: A004 - the interface of docs/design.md
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.workshop.exchange.dose_events import Later, add_changes, add_doses

__all__ = ["Finding", "Written", "read_document", "sbml"]

# Unit checks that only say that a number has no unit, so that libsbml can check no further.
UNDECLARED = frozenset({99505, 99506, 99507, 99508})


@dataclass(frozen=True)
class Finding:
    """What libsbml says of a line.   kind: "error", "unit" or "undeclared unit"."""

    kind: str
    line: int
    message: str


@dataclass(frozen=True)
class Written:
    """SBML text of a model, and what libsbml's checks with units say of it."""

    name: str
    text: str
    findings: tuple[Finding, ...]

    def count(self, kind: str) -> int:
        """How many findings of a kind."""
        return sum(one.kind == kind for one in self.findings)


def read_document(source: str | os.PathLike[str]) -> Any:
    """The libsbml document of a model.   source: path or text, Antimony or SBML.

    Raises as `engine.compile` for what cannot be read.
    """
    return reading.read(source)[0]


def sbml(
    source: str | os.PathLike[str],
    given: Mapping[str, float] | None = None,
    doses: Doses | None = None,
    later: Later = (),
) -> Written:
    """A model as SBML Level 3 Version 2.

    source: path or text, Antimony or SBML.   given: values at time 0 by name, written in place of the
    model's.   doses: of patient 0, written as events.   later: parameters changed on the way, as events.
    Raises InputError GP-W029 (a value of what the model does not have or computes), NotSupportedError GP-W030
    (it has no form in this version of SBML, or a dose none as an event), and as `engine.compile`.
    """
    document = read_document(source)
    if not document.setLevelAndVersion(3, 2, False, True):
        raise NotSupportedError(
            "GP-W030",
            f"it cannot be written as SBML Level 3 Version 2: {_first_of(document)}",
            where=os.fspath(source) if isinstance(source, os.PathLike) else "model text",
            next_step="export it with the program that made it",
        )
    model = document.getModel()
    for name, value in (given or {}).items():
        _set_value(model, name, value)
    if doses is not None:
        add_doses(model, doses, dosable(compile(source)))
    add_changes(model, later)
    text = str(libsbml.writeSBMLToString(document))
    return Written(str(model.getId() or "model"), text, findings(text))


def findings(text: str) -> tuple[Finding, ...]:
    """What libsbml's checks say of SBML, those of units among them; modelling advice is left out."""
    document = libsbml.readSBMLFromString(text)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    found = []
    for number in range(document.getNumErrors()):
        error = document.getError(number)
        if error.getErrorId() in UNDECLARED:
            kind = "undeclared unit"
        elif error.getCategory() == libsbml.LIBSBML_CAT_UNITS_CONSISTENCY:
            kind = "unit"
        elif error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            kind = "error"
        else:
            continue
        found.append(Finding(kind, int(error.getLine()), " ".join(error.getMessage().split())))
    return tuple(found)


def _set_value(model: Any, name: str, value: float) -> None:
    """Write a value at time 0; an initial assignment of the same name goes."""
    species, other = model.getSpecies(name), model.getParameter(name) or model.getCompartment(name)
    if (species is None and other is None) or model.getAssignmentRule(name) is not None:
        ids = [
            item.getId()
            for items in (
                model.getListOfSpecies(),
                model.getListOfParameters(),
                model.getListOfCompartments(),
            )
            for item in items
        ]
        raise InputError(
            "GP-W029",
            f'"{name}" has no value of its own in the model{nearest(name, ids)}',
            where=model.getId(),
            expected="a parameter, species or compartment that no rule computes",
            next_step="correct the name",
        )
    model.removeInitialAssignment(name)
    if species is None:
        (other.setSize if model.getCompartment(name) is not None else other.setValue)(value)
    elif species.getHasOnlySubstanceUnits():
        species.unsetInitialConcentration()
        species.setInitialAmount(value)
    else:
        species.unsetInitialAmount()
        species.setInitialConcentration(value)


def _first_of(document: Any) -> str:
    return (
        " ".join(document.getError(0).getMessage().split()) if document.getNumErrors() else "no reason given"
    )
