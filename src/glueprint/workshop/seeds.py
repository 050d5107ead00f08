"""A model whose initial values carry derivatives that something before time 0 has left in them.

A steady state that is waited for first depends on parameters, and so do the states in which the experiment
then begins. Each parameter gets a column of sensitivities of its own for that: the model's initial values are
x0 + gate (seed_1 + seed_2 + ...) with a gate of 0, which changes no number and makes "d(x)/d(seed_1)" a
quantity that can be given at the start.
"""

from __future__ import annotations

import dataclasses
import hashlib

from glueprint.engine import Model
from glueprint.engine.compiled import CompiledSolver
from glueprint.engine.system import Initial, Slot
from glueprint.engine.tangent import fresh_graph

__all__ = ["seed", "seeded"]

GATE = "gate of seeds"  # a name that no file can hold


def seed(number: int) -> str:
    """Name of a seed."""
    return f"seed {number}"


def seeded(model: Model, count: int) -> Model:
    """The same model with `count` seeds."""
    system = model.system
    graph = fresh_graph(system)
    names = [GATE, *(seed(number) for number in range(count))]
    places = {name: len(system.params) + place for place, name in enumerate(names)}
    nodes = {name: graph.param(place) for name, place in places.items()}
    zero = graph.const(0.0)
    term = graph.apply("mul", nodes[GATE], graph.total(nodes[seed(number)] for number in range(count)))
    begun = [Initial(name, Slot("param", places[name]), zero) for name in names]
    moved = [
        dataclasses.replace(item, node=graph.apply("add", item.node, term))
        if item.slot.kind == "state"
        else item
        for item in system.initials
    ]
    made = dataclasses.replace(
        system,
        graph=graph,
        params=(*system.params, *names),
        symbols={**system.symbols, **nodes},
        slots={**system.slots, **{item.name: item.slot for item in begun}},
        initials=(*begun, *moved),
    )
    key = hashlib.sha256(f"{model.hash}/seeds/{count}".encode()).hexdigest()
    return dataclasses.replace(
        model,
        hash=key,
        system=made,
        solver=CompiledSolver(made, key),
        observables=tuple(made.symbols),
        defaults={**model.defaults, **dict.fromkeys(names, 0.0)},
    )
