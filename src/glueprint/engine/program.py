"""What the machine code computes: rates, Jacobian and time slope in lowered form, and what is hoisted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glueprint.engine.domains import violations
from glueprint.engine.linear import Elimination, eliminate
from glueprint.engine.rounding import gains
from glueprint.engine.switches import steady
from glueprint.engine.system import System
from glueprint.engine.watched import watched
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.expressions import Graph
from glueprint.formulas.lowering import STATE, TIME, Lowering, dependencies

__all__ = ["Program", "build"]

SATURATING = frozenset({"exp", "pow", "div", "sinh", "cosh"})  # of these slopes may be 0 times infinity


@dataclass(frozen=True, eq=False)
class Program:
    """rates: node of each state's derivative.   jacobian: its nonzero entries, negated.
    time_slope: nonzero entries of d(rate)/d(time).   hoisted: nodes computed once per patient that the rest
    reads, in the order of their places in memory.   triggers: conditions of events.   violations: conditions
    that no accepted state may meet.   watched: conditions at whose changes steps end; empty where they need
    not.   gains: by state, what rounding of its rate is in proportion to; empty where rounding need not be
    reckoned with.   beside: as of the system, where rounding is reckoned with.   switched: whether rates
    read the middle of a step (`switches`).   kinds: leaves each node reads.
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
    watched: tuple[int, ...]
    gains: Mapping[int, int]
    beside: Mapping[int, int]
    switched: bool
    kinds: Mapping[int, int]
    elimination: Elimination

    @property
    def has_conditions(self) -> bool:
        """Whether steps end where conditions change: triggers of events, or what is watched."""
        return bool(self.triggers or self.watched)


def build(system: System, *, in_steps: bool = True, fine: bool = False) -> Program:
    """Differentiate, lower and sort what is computed once per patient from what is computed at every step.

    in_steps: switches on time are read at the middle of a step, as a solver needs it, and not at the time.
    fine: rounding is reckoned with (`rounding`), conditions on states are watched (`watched`), slopes of what
    saturates are 0.
    """
    graph = system.graph
    derivatives = steady(system) if in_steps else system.derivatives
    lower = Lowering(graph)
    size = len(system.states)
    zero = graph.const(0.0)

    def slope(found: int) -> int:
        return lower(_sound(graph, found) if fine else found)

    jacobian: dict[tuple[int, int], int] = {}
    slopes = [Differentiator(graph, graph.state(j)) for j in range(size)]
    moving = {j for j, root in enumerate(derivatives) if root != zero}
    for i, root in enumerate(derivatives):
        for j in sorted(moving.intersection(graph.leaves([root], "state"))):
            entry = slope(graph.apply("neg", slopes[j](root)))
            if entry != zero:
                jacobian[i, j] = entry
    by_time = Differentiator(graph, graph.time())
    time_slope = {i: slope(by_time(root)) for i, root in enumerate(derivatives)}
    time_slope = {i: node for i, node in time_slope.items() if node != zero}
    rates = tuple(lower(root) for root in derivatives)
    triggers = tuple(lower(event.trigger) for event in system.events)
    violated = tuple(lower(node) for node in violations(graph, system.derivatives))
    seen = tuple(lower(node) for node in watched(system)) if fine else ()
    gained = {i: lower(node) for i, node in gains(graph, derivatives).items()} if fine else {}
    roots = [*rates, *jacobian.values(), *time_slope.values(), *triggers, *violated, *seen, *gained.values()]
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
        watched=seen,
        gains=gained,
        beside=system.beside if fine else {},
        switched=any(graph.nodes[number].op == "middle" for number in graph.reachable(roots)),
        hoisted=_frontier(graph, roots, kinds),
        kinds=kinds,
        elimination=eliminate(size, jacobian),
    )


def _sound(graph: Graph, slope: int) -> int:
    """A slope, 0 where it is no number: 1/(1 + exp(x)) and 1/(1 + (K/C)^n) are flat where exp(x) overflows
    or C is 0, and their slopes come out as 0 times infinity.
    """
    if not any(graph.nodes[number].op in SATURATING for number in graph.reachable([slope])):
        return slope
    return graph.apply("select", graph.apply("eq", slope, slope), slope, graph.const(0.0))


def _frontier(graph: Graph, roots: list[int], kinds: Mapping[int, int]) -> tuple[int, ...]:
    """Nodes that do not move within a run, not literal, and are read by something that does."""

    def fixed(number: int) -> bool:
        return kinds[number] != 0 and not kinds[number] & (STATE | TIME)

    found = {root for root in roots if fixed(root)}
    for number in graph.reachable(roots):
        if kinds[number] & (STATE | TIME):
            found.update(arg for arg in graph.nodes[number].args if fixed(arg))
    return tuple(sorted(found))
