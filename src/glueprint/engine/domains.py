"""Where powers and roots are defined: conditions that an accepted state must not break.

A base that has decayed to 0 wavers about it by the integrator's error, so the machine code reads a negative
base as 0 (docs/engine.md, "Guarded powers"). That is right only within the error: a base further below 0 than
the tolerance times the size of its terms is truly negative, and the patient ends with a status instead of a
wrong number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from glueprint.formulas.expressions import Graph

__all__ = ["Guard", "violations"]

MARGIN = 10.0  # global error over the tolerance of one step


class Guard:
    """Rewrites expressions so that a base within the error of 0 counts as 0, for evaluation between steps."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[int, int] = {}

    def __call__(self, root: int) -> int:
        """The rewritten form of `root`."""
        graph = self.graph
        for number in () if root in self.known else graph.reachable([root]):
            if number not in self.known:
                op, args, _ = graph.nodes[number]
                inner = tuple(self.known[arg] for arg in args)
                if _may_be_undefined(graph, number):
                    keeps = graph.apply("lt", inner[0], _limit(graph, inner[0]))
                    if op == "pow":
                        keeps = graph.apply("or", keeps, _is_whole(graph, inner[1]))
                    positive = graph.apply("max", inner[0], graph.const(0.0))
                    inner = (graph.apply("select", keeps, inner[0], positive), *inner[1:])
                self.known[number] = graph.apply(op, *inner) if args else number
        return self.known[root]


def violations(graph: Graph, roots: Iterable[int]) -> tuple[int, ...]:
    """Conditions, one for each power or root in `roots`, that hold where its base is truly negative."""
    found = []
    for number in graph.reachable(roots):
        op, args, _ = graph.nodes[number]
        if _may_be_undefined(graph, number):
            below = graph.apply("lt", args[0], _limit(graph, args[0]))
            if op == "pow":
                below = graph.apply("and", below, graph.apply("not", _is_whole(graph, args[1])))
            if graph.nodes[below].op != "false":
                found.append(below)
    return tuple(dict.fromkeys(found))


def _may_be_undefined(graph: Graph, number: int) -> bool:
    """Whether a node is a root, or a power whose exponent is not known to be whole."""
    op, args, _ = graph.nodes[number]
    if op != "pow":
        return op == "sqrt"
    exponent = graph.constant(args[1])
    return exponent is None or exponent != math.floor(exponent)


def _is_whole(graph: Graph, number: int) -> int:
    return graph.apply("eq", graph.apply("floor", number), number)


def _limit(graph: Graph, base: int) -> int:
    """The value that a base of 0 does not fall below by error alone."""
    allowed = graph.apply("mul", graph.tolerance(), graph.const(-MARGIN))
    return graph.apply("mul", allowed, _size(graph, base))


def _size(graph: Graph, number: int) -> int:
    """The size of an expression's terms: all signs taken as plus, states at their running maxima."""
    op, args, value = graph.nodes[number]
    if op == "state":
        return graph.largest(int(value))
    if op in ("add", "sub"):
        return graph.apply("add", *(_size(graph, arg) for arg in args))
    if op == "mul":
        return graph.apply("mul", *(_size(graph, arg) for arg in args))
    if op == "div":
        return graph.apply("div", _size(graph, args[0]), graph.apply("abs", args[1]))
    if op == "neg":
        return _size(graph, args[0])
    return graph.apply("abs", number)
