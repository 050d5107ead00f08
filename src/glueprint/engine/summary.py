"""What a model contains, in plain numbers and texts: for people who meet it for the first time."""

from __future__ import annotations

from typing import Any

import numpy as np

from glueprint.engine.initial import start
from glueprint.engine.model import Model
from glueprint.engine.system import System
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["describe", "eigenvalues"]


def describe(model: Model) -> dict[str, Any]:
    """States and parameters with their values at time 0, reactions, and facts about size and stiffness.

    Returns plain dictionaries: `states`, `parameters` (name to number), `reactions` (name to stoichiometry),
    `facts` (text to text).
    """
    system = model.system
    hidden = [name for name in system.states if name in model.defaults]
    own = model.measures.time
    # Without a unit the model's own time counts as the hour; a time that is none has no hours.
    in_hours = own is None or own.seconds > 0
    unit = "per hour" if in_hours else "per unit of time"
    rates = eigenvalues(system).real / (own.hours if own is not None and in_hours else 1.0)
    facts = {
        "states": str(len(hidden)),
        "reactions": str(len(model.reactions)),
        "events": str(len(system.events)),
        "unit of time": "h, as the file states none" if own is None else own.name or "none (dimensionless)",
        f"fastest and slowest decay, {unit}": _decays(rates),
        "hash": model.hash[:16],
    }
    program = getattr(model.solver, "program", None)
    if program is not None:
        facts["nonzeros of the Jacobian"] = str(len(program.jacobian))
        facts["computed once per patient"] = str(len(program.hoisted))
        facts["machine code, bytes"] = str(model.solver.machine.size)  # type: ignore[attr-defined]
    return {
        "name": model.name,
        "states": {name: model.defaults[name] for name in hidden},
        "parameters": {name: model.defaults[name] for name in model.parameters},
        "reactions": {name: _reaction(model, j) for j, name in enumerate(model.reactions)},
        "facts": facts,
    }


def eigenvalues(system: System) -> np.ndarray:
    """Eigenvalues of the Jacobian at time 0 with the model's own values, per unit of time."""
    graph = system.graph
    states, params = start(system, {}, 1)
    size = len(system.states)
    slopes = [Differentiator(graph, graph.state(j)) for j in range(size)]
    nodes = [slope(root) for root in system.derivatives for slope in slopes]
    values = evaluate(graph, nodes, Leaves(states, params, np.zeros(1)))
    matrix = np.array([float(np.ravel(value)[0]) for value in values]).reshape(size, size)
    if not np.isfinite(matrix).all():
        return np.full(size, np.nan)
    return np.linalg.eigvals(matrix)


def _decays(rates: np.ndarray) -> str:
    if np.isnan(rates).any():
        return "not known: a value is missing or not finite at time 0"
    decaying = -rates[rates < 0]
    if decaying.size == 0:
        return "none"
    return f"{decaying.max():.3g} and {decaying.min():.3g}"


def _reaction(model: Model, column: int) -> str:
    change = model.stoichiometry[:, column]
    parts = [f"{change[i]:+g} {name}" for i, name in enumerate(model.species) if change[i] != 0]
    return ", ".join(parts) if parts else "changes no species"
