"""Doses as parts of an SBML model: an amount at once is an event; an infusion is a reaction, or a term of a
rate rule, that two events switch on and off. A parameter that is changed on the way is an event, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libsbml
import numpy as np

from glueprint.engine import Doses
from glueprint.errors import InputError, NotSupportedError, nearest

__all__ = ["Later", "add_changes", "add_doses"]

# Parameters changed on the way: (time, name, value), in the model's units.
Later = Sequence[tuple[float, str, float]]
SAME_GAP = 1e-9  # relative difference of intervals that are one


def add_doses(model: Any, doses: Doses, targets: Sequence[str]) -> None:
    """Write the doses of patient 0 into a libsbml model.

    targets: species that the model lets dose.
    Raises NotSupportedError GP-W030 for a steady state of doses.
    """
    if np.asarray(doses.steady).any():
        raise _refused("a steady state of doses", "write out the doses before")
    # Amounts at once into one species at one time are one event: of two, SBML lets one undo the other.
    at_once: dict[tuple[float, str], float] = {}
    count = 0
    columns = (doses.time_h, doses.target, doses.amount, doses.duration_h)
    for time, target, amount, duration in zip(*(np.asarray(one).tolist() for one in columns), strict=True):
        if target not in targets:
            raise _refused(f"a dose into {target}", f"one of {', '.join(targets)}")
        if duration > 0.0:
            count += 1
            _infuse(model, target, f"infusion_{count}", time, amount, duration)
        else:
            at_once[time, target] = at_once.get((time, target), 0.0) + amount
    series: dict[tuple[str, float], list[float]] = {}
    for (time, target), amount in sorted(at_once.items()):
        series.setdefault((target, amount), []).append(time)
    number = 0
    for (target, amount), times in series.items():
        gaps = np.diff(times)
        is_even = gaps.size > 1 and np.ptp(gaps) <= SAME_GAP * gaps[0]
        for part in [times] if is_even else [[time] for time in times]:
            number += 1
            _give(model, target, f"dose_{number}", part, amount)


def add_changes(model: Any, later: Later) -> None:
    """Write changes of parameters into a libsbml model, each as an event at its time.

    Raises InputError GP-W029 for what is no parameter, or one that a rule computes.
    """
    for time, name, value in later:
        parameter = model.getParameter(name)
        if parameter is None or model.getRule(name) is not None:
            known = [one.getId() for one in model.getListOfParameters() if not model.getRule(one.getId())]
            raise InputError(
                "GP-W029",
                f'"{name}" is no parameter whose value can be changed{nearest(name, known)}',
                where=str(model.getId()),
                expected="a parameter that no rule computes",
                next_step="correct the name",
            )
        parameter.setConstant(False)
        becomes = _parameter(model, f"{name}_later", value, str(parameter.getUnits()))
        when = _parameter(model, f"{name}_time", time, model.getTimeUnits())
        _event(model, f"{name}_changes", f"time >= {when}", {name: becomes})


def _give(model: Any, target: str, head: str, times: Sequence[float], amount: float) -> None:
    """An amount at evenly spaced times: one event, which sets the time at which it happens again."""
    value = _parameter(model, f"{head}_amount", amount, _amount_unit(model, target))
    change = {target: f"{target} + {_in_symbol(model, target, value)}"}
    again = len(times) > 1
    when = _parameter(model, f"{head}_time", times[0], model.getTimeUnits(), constant=not again)
    trigger = f"time >= {when}"
    if again:
        every = _parameter(model, f"{head}_interval", times[1] - times[0], model.getTimeUnits())
        left = _parameter(model, f"{head}_left", float(len(times)), "dimensionless", constant=False)
        change |= {when: f"{when} + {every}", left: f"{left} - 1 dimensionless"}
        trigger += f" && {left} > 0.5 dimensionless"
    _event(model, f"{head}_enters", trigger, change)


def _infuse(model: Any, target: str, head: str, time: float, amount: float, duration: float) -> None:
    size = _parameter(model, f"{head}_amount", amount, _amount_unit(model, target))
    over = _parameter(model, f"{head}_duration", duration, model.getTimeUnits())
    switch = _parameter(model, f"{head}_on", 0.0, "dimensionless", constant=False)
    begin = _parameter(model, f"{head}_begin", time, model.getTimeUnits())
    end = _parameter(model, f"{head}_end", time + duration, model.getTimeUnits())
    _event(model, f"{head}_begins", f"time >= {begin}", {switch: "1 dimensionless"})
    _event(model, f"{head}_ends", f"time >= {end}", {switch: "0 dimensionless"})
    flow = f"{switch} * {size} / {over}"
    rule = model.getRateRule(target)
    if rule is not None:
        both = libsbml.ASTNode(libsbml.AST_PLUS)
        both.addChild(rule.getMath().deepCopy())
        both.addChild(_tree(_in_symbol(model, target, flow)))
        rule.setMath(both)
        return
    species = model.getSpecies(target)
    factor = species.getConversionFactor() or model.getConversionFactor()
    reaction = model.createReaction()
    reaction.setId(_free(model, head))
    reaction.setReversible(False)
    product = reaction.createProduct()
    product.setSpecies(target)
    product.setStoichiometry(1.0)
    product.setConstant(True)
    reaction.createKineticLaw().setMath(_tree(f"({flow}) / {factor}" if factor else flow))


def _event(model: Any, name: str, when: str, changes: dict[str, str]) -> None:
    event = model.createEvent()
    event.setId(_free(model, name))
    event.setUseValuesFromTriggerTime(False)
    trigger = event.createTrigger()
    trigger.setMath(_tree(when))
    trigger.setInitialValue(False)
    trigger.setPersistent(True)
    for target, formula in changes.items():
        change = event.createEventAssignment()
        change.setVariable(target)
        change.setMath(_tree(formula))


def _parameter(model: Any, name: str, value: float, unit: str, *, constant: bool = True) -> str:
    parameter = model.createParameter()
    parameter.setId(_free(model, name))
    parameter.setValue(value)
    parameter.setConstant(constant)
    if unit:
        parameter.setUnits(unit)
    return str(parameter.getId())


def _free(model: Any, name: str) -> str:
    """The name, or one with a number behind it that nothing has."""
    found, number = name, 1
    while model.getElementBySId(found) is not None:
        number += 1
        found = f"{name}_{number}"
    return found


def _amount_unit(model: Any, target: str) -> str:
    species = model.getSpecies(target)
    if species is None:
        return str(model.getParameter(target).getUnits())
    return str(species.getSubstanceUnits() or model.getSubstanceUnits())


def _in_symbol(model: Any, target: str, amount: str) -> str:
    """An amount in what the symbol of `target` counts: a concentration where it is one."""
    species = model.getSpecies(target)
    is_amount = species is None or species.getHasOnlySubstanceUnits()
    return f"({amount})" if is_amount else f"({amount}) / {species.getCompartment()}"


def _tree(text: str) -> Any:
    settings = libsbml.L3ParserSettings()
    # By itself the parser reads a compartment PI, or Pi, as the number.
    settings.setComparisonCaseSensitivity(libsbml.L3P_COMPARE_BUILTINS_CASE_SENSITIVE)
    tree = libsbml.parseL3FormulaWithSettings(text, settings)
    assert tree is not None, libsbml.getLastParseL3Error()
    return tree


def _refused(what: str, next_step: str) -> NotSupportedError:
    return NotSupportedError(
        "GP-W030", f"{what} has no form in SBML here", where="doses", next_step=next_step
    )
