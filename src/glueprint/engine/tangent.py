"""The system [y; S] of a model and its sensitivities S = dy/dp, written on the model's own graph.

The chain rule gives S' = J S + df/dp and S(0) = dy(0)/dp. Parameters that an initial assignment computes
from p move with it: their derivatives are constants of a run. S is kept in units of dy per reference size of
p, so that one tolerance fits y and S.
Source: Dickinson and Gelinas 1976, doi 10.1016/0021-9991(76)90007-3 (the direct method);
docs/sensitivities.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from glueprint.engine.system import Initial, Slot, System
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.expressions import SMALLEST_BASE, Graph

__all__ = ["Tangent", "fresh_graph", "symbol", "tangent"]

Leaf = tuple[str, int]  # ("state" or "param", index)


def symbol(name: str, by: str) -> str:
    """The name of the sensitivity of `name` to `by`."""
    return f"d({name})/d({by})"


@dataclass(frozen=True, eq=False)
class Tangent:
    """system: states and parameters of the model first, then their sensitivities.   moves: for each name, the
    leaves that depend on it.   if_given: sensitivities at time 0 where the caller gives a value, by its name.
    """

    system: System
    moves: Mapping[str, Mapping[Leaf, int]]
    if_given: Mapping[str, tuple[Initial, ...]]

    def starting_with(self, given: Iterable[str]) -> System:
        """The system where the values `given` do not depend on the parameters asked about."""
        replaced = {item.name: item for name in given for item in self.if_given.get(name, ())}
        initials = tuple(replaced.get(item.name, item) for item in self.system.initials)
        return dataclasses.replace(self.system, initials=initials)


def tangent(system: System, references: Mapping[str, float]) -> Tangent:
    """Differentiate a system without events.

    references: for each name asked about, a settable name of the system, its usual size (not 0).
    """
    return _Builder(system, references).build()


class _Builder:
    """Collects states, parameters and initial values of the sensitivities."""

    def __init__(self, system: System, references: Mapping[str, float]) -> None:
        self.base, self.references = system, references
        self.graph = fresh_graph(system)
        self.states, self.params = list(system.states), list(system.params)
        self.slots, self.symbols = dict(system.slots), dict(system.symbols)
        self.dose_scale = dict(system.dose_scale)
        self.slopes: dict[Leaf, Differentiator] = {}
        self.smooth: dict[int, int] = {}
        self.moves: dict[str, dict[Leaf, int]] = {name: {} for name in references}
        self.initials: dict[str, list[Initial]] = {item.name: [item] for item in system.initials}
        self.if_given: dict[str, list[Initial]] = {}
        self.beside: dict[int, int] = {}

    def build(self) -> Tangent:
        system, graph = self.base, self.graph
        derivatives = list(system.derivatives)
        for by in self.references:
            for item in system.initials:
                self._start(item, by)
            self._spread(by)
            reference = graph.const(self.references[by])
            for name, node in system.symbols.items():
                self.symbols[symbol(name, by)] = graph.apply("div", self.total(node, by), reference)
        for by in self.references:
            rates = (system.derivatives[index] for _, index in self._moving_states(by))
            derivatives += [self.total(rate, by) for rate in rates]
        made = dataclasses.replace(
            system,
            graph=graph,
            states=tuple(self.states),
            params=tuple(self.params),
            derivatives=tuple(derivatives),
            symbols=self.symbols,
            slots=self.slots,
            initials=tuple(item for items in self.initials.values() for item in items),
            dose_scale=self.dose_scale,
            beside=self.beside,
        )
        given = {name: tuple(items) for name, items in self.if_given.items()}
        return Tangent(made, self.moves, given)

    def _moving_states(self, by: str) -> list[Leaf]:
        """Leaves of the states that have a sensitivity, in the order of their sensitivities."""
        moves, nodes = self.moves[by], self.graph.nodes
        moving = [leaf for leaf in moves if leaf[0] == "state"]
        return sorted(moving, key=lambda leaf: nodes[moves[leaf]].value)

    def total(self, root: int, by: str) -> int:
        """d(root)/d(by) in units of the reference, through everything that moves."""
        graph, moves = self.graph, self.moves[by]
        terms = []
        for op in ("state", "param"):
            for index in graph.leaves([root], op):
                move = moves.get((op, index))
                if move is not None:
                    terms.append(graph.apply("mul", self._slope((op, index), root), move))
        return graph.total(terms)

    def _slope(self, leaf: Leaf, root: int) -> int:
        if leaf not in self.slopes:
            node = self.graph.state(leaf[1]) if leaf[0] == "state" else self.graph.param(leaf[1])
            self.slopes[leaf] = Differentiator(self.graph, node)
        return self._differentiable(self.slopes[leaf](root))

    def _differentiable(self, root: int) -> int:
        """The same value without `slopebase`, which has no derivative of its own."""
        graph = self.graph
        for number in graph.reachable([root]):
            if number not in self.smooth:
                op, args, _ = graph.nodes[number]
                inner = [self.smooth[arg] for arg in args]
                if op == "slopebase":
                    small = graph.const(SMALLEST_BASE)
                    large = graph.apply("gt", graph.apply("abs", inner[0]), small)
                    self.smooth[number] = graph.apply("select", large, inner[0], small)
                else:
                    self.smooth[number] = graph.apply(op, *inner) if args else number
        return self.smooth[root]

    def _start(self, item: Initial, by: str) -> None:
        """The sensitivity of one initial value: by the model, and if the caller gives the value."""
        graph, slot = self.graph, item.slot
        zero = graph.const(0.0)
        scale_slope = zero if slot.scale is None else self.total(slot.scale, by)
        if item.name == by:
            reference = graph.const(self.references[by])
            if slot.kind == "param" and slot.scale is None:
                self.moves[by]["param", slot.index] = reference
                return
            node = reference if slot.scale is None else graph.apply("mul", reference, slot.scale)
            self._add(item, by, node, node)
            return
        node = self.total(item.node, by)
        given = graph.apply("mul", self.base.symbols[item.name], scale_slope) if slot.scale else zero
        if node != zero or given != zero:
            self._add(item, by, node, given)

    def _add(self, item: Initial, by: str, node: int, given: int) -> None:
        """A new state or parameter for the sensitivity of `item`."""
        graph, slot, name = self.graph, item.slot, symbol(item.name, by)
        reference = graph.const(self.references[by])
        if slot.kind == "state":
            self.states.append(name)
            index = len(self.states) - 1
            self.moves[by]["state", slot.index] = graph.state(index)
            self.beside[index] = slot.index
            scale = self.base.dose_scale[self.base.states[slot.index]]
            self.dose_scale[name] = reference if scale is None else graph.apply("mul", reference, scale)
        else:
            self.params.append(name)
            index = len(self.params) - 1
            self.moves[by]["param", slot.index] = graph.param(index)
        mine = Slot(slot.kind, index)
        if slot.scale is None or self.total(slot.scale, by) == graph.const(0.0):
            size = reference if slot.scale is None else graph.apply("mul", reference, slot.scale)
            mine = self.slots[name] = Slot(slot.kind, index, size)
        self.initials[item.name].append(Initial(name, mine, node))
        self.if_given.setdefault(item.name, []).append(Initial(name, mine, given))

    def _spread(self, by: str) -> None:
        """Give a sensitivity to every state whose rate depends, through others, on `by`."""
        graph, moves = self.graph, self.moves[by]
        zero = graph.const(0.0)
        reads = [
            {(op, i) for op in ("state", "param") for i in graph.leaves([root], op)}
            for root in self.base.derivatives
        ]
        items = {item.slot.index: item for item in self.base.initials if item.slot.kind == "state"}
        while True:
            found = [
                i for i, leaves in enumerate(reads) if ("state", i) not in moves and leaves & moves.keys()
            ]
            if not found:
                return
            for i in found:
                self._add(items[i], by, zero, zero)


def fresh_graph(system: System) -> Graph:
    """A copy of the graph as the front end left it; what was added since depends on what was asked."""
    roots = [*system.derivatives, *system.symbols.values()]
    roots += [item.node for item in system.initials]
    optional = [slot.scale for slot in system.slots.values()] + list(system.dose_scale.values())
    for event in system.events:
        roots += [event.trigger, *(item.node for item in event.assignments)]
        optional += [event.delay, event.priority, *(item.slot.scale for item in event.assignments)]
    roots += [node for node in optional if node is not None]
    nodes = system.graph.nodes[: max(roots) + 1]
    return Graph(list(nodes), {node: number for number, node in enumerate(nodes)})
