"""What the machine code computes: rates, Jacobian and time slope in lowered form, and what is hoisted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glueprint.engine.domains import violations
from glueprint.engine.linear import Elimination, eliminate
from glueprint.engine.system import System
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.expressions import Graph
from glueprint.formulas.lowering import STATE, TIME, Lowering, dependencies

__all__ = ["Program", "build", "time_breaks"]


@dataclass(frozen=True, eq=False)
class Program:
    """rates: node of each state's derivative.   jacobian: its nonzero entries, negated.
    time_slope: nonzero entries of d(rate)/d(time).   hoisted: nodes computed once per patient that the rest
    reads, in the order of their places in memory.   triggers: conditions of events.   violations: conditions
    that no accepted state may meet.   kinds: leaves each node reads.
    """

    graph: Graph
    states: int
    params: int
    rates: tuple[int, ...]
    jacobian: Mapping[tuple[int, int], int]
    time_slope: Mapping[int, int]
    hoisted: tuple[int, ...]
    triggers: tuple[int, ...]
    violations: tuple[int, ...]
    kinds: Mapping[int, int]
    elimination: Elimination


def build(system: System) -> Program:
    """Differentiate, lower and sort what is computed once per patient from what is computed at every step."""
    graph = system.graph
    lower = Lowering(graph)
    size = len(system.states)
    zero = graph.const(0.0)
    jacobian: dict[tuple[int, int], int] = {}
    slopes = [Differentiator(graph, graph.state(j)) for j in range(size)]
    moving = {j for j, root in enumerate(system.derivatives) if root != zero}
    for i, root in enumerate(system.derivatives):
        for j in sorted(moving.intersection(graph.leaves([root], "state"))):
            entry = lower(graph.apply("neg", slopes[j](root)))
            if entry != zero:
                jacobian[i, j] = entry
    by_time = Differentiator(graph, graph.time())
    time_slope = {i: lower(by_time(root)) for i, root in enumerate(system.derivatives)}
    time_slope = {i: node for i, node in time_slope.items() if node != zero}
    rates = tuple(lower(root) for root in system.derivatives)
    triggers = tuple(lower(event.trigger) for event in system.events)
    violated = tuple(lower(node) for node in violations(graph, system.derivatives))
    roots = [*rates, *jacobian.values(), *time_slope.values(), *triggers, *violated]
    kinds = dependencies(graph, roots)
    return Program(
        graph=graph,
        states=size,
        params=len(system.params),
        rates=rates,
        jacobian=jacobian,
        time_slope=time_slope,
        triggers=triggers,
        violations=violated,
        hoisted=_frontier(graph, roots, kinds),
        kinds=kinds,
        elimination=eliminate(size, jacobian),
    )


def _frontier(graph: Graph, roots: list[int], kinds: Mapping[int, int]) -> tuple[int, ...]:
    """Nodes that do not move within a run, not literal, and are read by something that does."""

    def fixed(number: int) -> bool:
        return kinds[number] != 0 and not kinds[number] & (STATE | TIME)

    found = {root for root in roots if fixed(root)}
    for number in graph.reachable(roots):
        if kinds[number] & (STATE | TIME):
            found.update(arg for arg in graph.nodes[number].args if fixed(arg))
    return tuple(sorted(found))


def time_breaks(system: System) -> tuple[int, ...]:
    """Nodes of times at which a condition on time alone changes, such as `time >= t0`: steps end there
    exactly.
    """
    graph = system.graph
    roots = [*system.derivatives, *(event.trigger for event in system.events)]
    kinds = dependencies(graph, roots)
    found = set()
    for number in graph.reachable(roots):
        op, args, _ = graph.nodes[number]
        if op in ("lt", "le", "gt", "ge", "eq", "ne"):
            for one, other in (args, args[::-1]):
                if graph.nodes[one].op == "time" and not kinds[other] & (STATE | TIME):
                    found.add(other)
    return tuple(sorted(found))
