"""Values at time 0: defaults, values given for each patient, and initial assignments in their order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import NOTHING
from glueprint.engine.system import Slot, System
from glueprint.errors import InputError, nearest
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["column", "count_patients", "require_values", "slot_of", "smallest_values", "start"]

Floats = NDArray[np.float64]


def slot_of(system: System, name: str) -> Slot:
    """Where a settable name lives; raises InputError GP-N010."""
    slot = system.slots.get(name)
    if slot is not None:
        return slot
    computed = name in system.symbols
    raise InputError(
        "GP-N010",
        f'"{name}" is computed by the model and cannot be set'
        if computed
        else f'the model has no "{name}"{nearest(name, system.slots)}',
        where=system.name,
        expected="a parameter, compartment or species without an assignment rule",
        next_step="see `glueprint model show` for the names",
    )


def column(name: str, values: ArrayLike, patients: int) -> Floats:
    """`values` as (patients,); raises InputError GP-N011 on another length."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1 or (array.ndim == 1 and array.size not in (1, patients)):
        raise InputError(
            "GP-N011",
            f'"{name}" has shape {array.shape} for {patients} patients',
            where=name,
            expected=f"one number, or {patients} numbers",
            next_step="give one value per patient, or state `patients=`",
        )
    return np.broadcast_to(array.reshape(-1) if array.ndim else array, (patients,))


def count_patients(given: Mapping[str, ArrayLike], patients: int | None) -> int:
    """The number of patients: stated, or the longest column given."""
    if patients is not None:
        if patients < 0:
            raise InputError(
                "GP-N012",
                f"{patients} patients",
                where="patients",
                expected="a number >= 0",
                next_step="correct it",
            )
        return patients
    return max((int(np.size(values)) for values in given.values()), default=1)


def require_values(system: System, given: Mapping[str, ArrayLike]) -> None:
    """Raise InputError GP-N008 where the model gives no value for something its rates need, nor does the
    caller.
    """
    read = set(system.params_read)
    for item in system.initials:
        needed = item.slot.kind == "state" or item.slot.index in read
        if needed and item.name not in given and system.graph.nodes[item.node].op == "nan":
            raise InputError(
                "GP-N008",
                f'"{item.name}" has no value',
                where=system.name,
                expected="a number or an initial assignment in the model, or values for the patients",
                next_step=f'write "{item.name} = ..." in the model, or give it: --set {item.name}=NUMBER',
            )


def start(system: System, given: Mapping[str, ArrayLike], patients: int) -> tuple[Floats, Floats]:
    """States (n, states) and parameters (n, parameters) at time 0.

    given: values by name, in the symbol's own unit (a species' concentration where it stands for one).
    What is given wins over the model's value and initial assignment; everything derived from it follows.
    """
    states = np.full((patients, len(system.states)), np.nan)
    params = np.full((patients, len(system.params)), np.nan)
    columns = {name: column(name, values, patients) for name, values in given.items()}
    for name in columns:
        slot_of(system, name)
    time = np.zeros(patients)
    for item in system.initials:
        roots = [item.node] if item.slot.scale is None else [item.node, item.slot.scale]
        values = evaluate(system.graph, roots, Leaves(states, params, time))
        value = values[0]
        if item.name in columns:
            value = columns[item.name] if len(values) == 1 else columns[item.name] * values[1]
        target = states if item.slot.kind == "state" else params
        target[:, item.slot.index] = value
    return states, params


def smallest_values(
    system: System, wished: float | Mapping[str, float], state: Floats, params: Floats
) -> Floats:
    """Below which value each state needs no relative accuracy, (states,).

    wished: one number in the states' units, or by name, in the unit of the name; a concentration is turned
    into an amount by the first patient's compartment.   Raises InputError GP-N010 and GP-N049 (negative).
    """
    by_name = isinstance(wished, Mapping)
    given: Mapping[str, float] = wished if isinstance(wished, Mapping) else {"smallest": wished}
    for name, value in given.items():
        if not value >= 0:
            raise InputError(
                "GP-N049",
                f'the smallest value of "{name}" is {value}',
                where="smallest",
                expected="0 or a number above it",
                next_step="correct the number",
            )
    least = np.full(len(system.states), NOTHING if by_name else given["smallest"])
    for name, value in given.items() if by_name else ():
        slot = slot_of(system, name)
        if slot.kind == "state":
            least[slot.index] = value
            if slot.scale is not None and len(state):
                leaves = Leaves(state[:1], params[:1], np.zeros(1))
                least[slot.index] *= float(np.ravel(evaluate(system.graph, [slot.scale], leaves)[0])[0])
    return np.asarray(np.maximum(least, NOTHING))
