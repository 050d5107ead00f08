"""Conditions on moving states that rates or triggers read: steps end where they change, as at stops.

A step must not leap over a window such as `S < 0.5 and S > 0.499`, or over a pulse such as
exp(-((S - c)/w)^2): both its ends would lie outside, and no estimate of the error would see it. So every
comparison, the sides of abs, min and max, and where the base of a power or the argument of an exponential
passes 0 are looked at on their own. A comparison is also looked at where its sides are nearest, since it may
hold there alone.
"""

from __future__ import annotations

from glueprint.engine.rounding import sizes
from glueprint.engine.switches import BENDING, COMPARE, ROUNDING, STATE, Kinds, steady
from glueprint.engine.system import System
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.expressions import Graph

__all__ = ["watched"]

# Of the gains and losses of what is compared: where both cancel, the sign of their sum is rounding.
STILL = 1e-3
CURVED = BENDING - {"mul", "div"}


def watched(system: System) -> tuple[int, ...]:
    """Nodes of conditions, in terms of the derivatives that `steady` gives."""
    graph, derivatives = system.graph, steady(system)
    roots = [*derivatives, *(event.trigger for event in system.events)]
    kinds = Kinds(system, roots)
    zero = graph.const(0.0)
    found: list[int] = []
    for number in graph.reachable(roots):
        op, args, _ = graph.nodes[number]
        if op in COMPARE or op in ("min", "max"):
            if (kinds.of(args[0]) | kinds.of(args[1])) & STATE:
                apart = graph.apply("sub", *args)
                found += [graph.apply("lt", apart, zero), _falls(graph, derivatives, apart)]
        elif not args or not kinds.of(args[0]) & STATE:
            continue
        elif op == "abs":
            found.append(graph.apply("lt", args[0], zero))
        elif op in ROUNDING:
            found.append(_is_even(graph, graph.apply("floor", args[0])))
        elif (op in CURVED or (op == "mul" and args[0] == args[1])) and _may_pass_zero(graph, args[0], kinds):
            found.append(graph.apply("lt", args[0], zero))
    return tuple(node for node in dict.fromkeys(found) if graph.nodes[node].op not in ("true", "false"))


def _falls(graph: Graph, derivatives: tuple[int, ...], node: int) -> int:
    """Whether a node falls with time, by more than rounding."""
    slope, size = graph.const(0.0), graph.const(0.0)
    for state in graph.leaves([node], "state"):
        by_state = Differentiator(graph, graph.state(state))(node)
        rate = derivatives[state]
        slope = graph.apply("add", slope, graph.apply("mul", by_state, rate))
        part = graph.apply("mul", graph.apply("abs", by_state), sizes(graph, rate))
        size = graph.apply("add", size, part)
    by_time = Differentiator(graph, graph.time())(node)
    slope = graph.apply("add", slope, by_time)
    size = graph.apply("add", size, graph.apply("abs", by_time))
    return graph.apply("lt", slope, graph.apply("mul", graph.const(-STILL), size))


def _is_even(graph: Graph, whole: int) -> int:
    two = graph.const(2.0)
    return graph.apply(
        "eq", graph.apply("mul", graph.apply("floor", graph.apply("div", whole, two)), two), whole
    )


def _may_pass_zero(graph: Graph, number: int, kinds: Kinds) -> bool:
    """Whether a node is a difference or a sum, perhaps scaled."""
    op, args, _ = graph.nodes[number]
    while op in ("mul", "div", "neg"):
        moving = [arg for arg in args if kinds.of(arg) & STATE]
        if len(moving) != 1:
            return False
        op, args, _ = graph.nodes[moving[0]]
    return op in ("add", "sub")
