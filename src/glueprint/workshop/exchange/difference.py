"""What two models differ by: elements by their names, attribute by attribute, formulas as text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import libsbml
import polars as pl

from glueprint.workshop.exchange.sbml import read_document

__all__ = ["difference"]

SCHEMA = {"kind": pl.String, "name": pl.String, "what": pl.String, "a": pl.String, "b": pl.String}
THERE = "there"
Facts = dict[str, str]


def difference(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> pl.DataFrame:
    """One row for each fact that differs between two models: kind, name, what, a, b.

    a, b: paths or texts, Antimony or SBML. A value that is not there is empty; an element that only one of
    them has is one row. The order of elements and the spelling of equal numbers do not count.
    Raises as `engine.compile` for what cannot be read.
    """
    first, second = (_facts(read_document(source).getModel()) for source in (a, b))
    rows = []
    for key in sorted(first.keys() | second.keys(), key=lambda key: (ORDER.index(key[0]), key[1])):
        one, other = first.get(key), second.get(key)
        if one is None or other is None:
            there = tuple("" if facts is None else THERE for facts in (one, other))
            rows.append((*key, "element", *there))
            continue
        rows += [
            (*key, what, one.get(what, ""), other.get(what, ""))
            for what in {**one, **other}
            if one.get(what, "") != other.get(what, "")
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _facts(model: Any) -> dict[tuple[str, str], Facts]:
    found: dict[tuple[str, str], Facts] = {("model", ""): _of_model(model)}
    lists: tuple[tuple[str, Any, Callable[[Any], Facts]], ...] = (
        ("unit", model.getListOfUnitDefinitions(), _of_unit),
        ("function", model.getListOfFunctionDefinitions(), _of_formula),
        ("compartment", model.getListOfCompartments(), _of_compartment),
        ("species", model.getListOfSpecies(), _of_species),
        ("parameter", model.getListOfParameters(), _of_parameter),
        ("reaction", model.getListOfReactions(), _of_reaction),
        ("initial assignment", model.getListOfInitialAssignments(), _of_formula),
        ("rule", model.getListOfRules(), _of_rule),
        ("event", model.getListOfEvents(), _of_event),
        ("constraint", model.getListOfConstraints(), _of_formula),
    )
    for kind, items, of in lists:
        for number, item in enumerate(items):
            found[kind, _name(item, number)] = of(item)
    return found


ORDER = (
    *("model", "unit", "function", "compartment", "species", "parameter", "reaction", "initial assignment"),
    *("rule", "event", "constraint"),
)


def _name(item: Any, number: int) -> str:
    for reader in ("getSymbol", "getVariable", "getId"):
        found = str(getattr(item, reader)()) if hasattr(item, reader) else ""
        if found:
            return found
    return f"number {number + 1}"


def _of_model(model: Any) -> Facts:
    kinds = ("Substance", "Time", "Volume", "Area", "Length", "Extent")
    units = {f"{kind.lower()} unit": str(getattr(model, f"get{kind}Units")()) for kind in kinds}
    return {**units, "conversion factor": str(model.getConversionFactor())}


def _of_compartment(item: Any) -> Facts:
    return {
        "size": _number(item.getSize(), item.isSetSize()),
        "unit": str(item.getUnits()),
        "dimensions": _number(item.getSpatialDimensionsAsDouble(), item.isSetSpatialDimensions()),
        "constant": str(item.getConstant()),
    }


def _of_species(item: Any) -> Facts:
    return {
        "initial amount": _number(item.getInitialAmount(), item.isSetInitialAmount()),
        "initial concentration": _number(item.getInitialConcentration(), item.isSetInitialConcentration()),
        "compartment": str(item.getCompartment()),
        "unit": str(item.getSubstanceUnits()),
        "counts amounts": str(item.getHasOnlySubstanceUnits()),
        "boundary": str(item.getBoundaryCondition()),
        "constant": str(item.getConstant()),
        "conversion factor": str(item.getConversionFactor()),
    }


def _of_parameter(item: Any) -> Facts:
    return {
        "value": _number(item.getValue(), item.isSetValue()),
        "unit": str(item.getUnits()),
        "constant": str(item.getConstant()),
    }


def _of_reaction(item: Any) -> Facts:
    law = item.getKineticLaw()
    local = [] if law is None else [*law.getListOfLocalParameters(), *law.getListOfParameters()]
    return {
        "reactants": _side(item.getListOfReactants()),
        "products": _side(item.getListOfProducts()),
        "modifiers": ", ".join(sorted(one.getSpecies() for one in item.getListOfModifiers())),
        "rate": "" if law is None else _text(law.getMath()),
        "local parameters": ", ".join(
            sorted({f"{one.getId()} = {_number(one.getValue(), one.isSetValue())}" for one in local})
        ),
        "reversible": str(item.getReversible()),
    }


def _side(items: Iterable[Any]) -> str:
    return " + ".join(sorted(f"{_number(one.getStoichiometry(), True)} {one.getSpecies()}" for one in items))


def _of_formula(item: Any) -> Facts:
    return {"formula": _text(item.getMath())}


def _of_rule(item: Any) -> Facts:
    kind = "rate" if item.isRate() else "assignment" if item.isAssignment() else "algebraic"
    return {"kind": kind, "formula": _text(item.getMath())}


def _of_event(item: Any) -> Facts:
    trigger = item.getTrigger()
    changes = {f"sets {one.getVariable()}": _text(one.getMath()) for one in item.getListOfEventAssignments()}
    return {
        "trigger": "" if trigger is None else _text(trigger.getMath()),
        "trigger at the start": "" if trigger is None else str(trigger.getInitialValue()),
        "persistent": "" if trigger is None else str(trigger.getPersistent()),
        "delay": "" if item.getDelay() is None else _text(item.getDelay().getMath()),
        "priority": "" if item.getPriority() is None else _text(item.getPriority().getMath()),
        "values from trigger time": str(item.getUseValuesFromTriggerTime()),
        **changes,
    }


def _of_unit(item: Any) -> Facts:
    return {"means": str(libsbml.UnitDefinition.printUnits(item, True))}


def _text(tree: Any) -> str:
    return "" if tree is None else str(libsbml.formulaToL3String(tree))


def _number(value: float, is_set: object) -> str:
    return repr(float(value)) if is_set else ""
