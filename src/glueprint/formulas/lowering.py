"""Rewrites expressions into what machine code does well: guarded powers, reciprocals of constants.

The rewritten nodes join the same graph, so their parts are shared and hoisted like all others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from glueprint.formulas.expressions import Graph, Node

__all__ = ["PARAM", "STATE", "TIME", "Lowering", "dependencies"]

STATE, TIME, PARAM = 1, 2, 4
_LEAVES = {"state": STATE, "largest": STATE, "tolerance": STATE, "time": TIME, "middle": TIME, "param": PARAM}


def dependencies(graph: Graph, roots: Iterable[int]) -> dict[int, int]:
    """For every node that `roots` need, the kinds of leaves it reads: a sum of STATE, TIME and PARAM."""
    kinds: dict[int, int] = {}
    for number in graph.reachable(roots):
        node = graph.nodes[number]
        kind = _LEAVES.get(node.op, 0)
        for arg in node.args:
            kind |= kinds[arg]
        kinds[number] = kind
    return kinds


class Lowering:
    """Maps nodes to their rewritten forms, memoised."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[int, int] = {}
        self.kinds: dict[int, int] = {}

    def __call__(self, root: int) -> int:
        """The rewritten form of `root`."""
        graph = self.graph
        for number in graph.reachable([root]):
            if number not in self.known:
                node = graph.nodes[number]
                args = tuple(self.known[arg] for arg in node.args)
                self.known[number] = self._rewrite(node, number, args)
        return self.known[root]

    def _moves(self, number: int) -> bool:
        """Whether a node changes while a solver runs."""
        if number not in self.kinds:
            self.kinds.update(dependencies(self.graph, [number]))
        return bool(self.kinds[number] & (STATE | TIME))

    def _rewrite(self, node: Node, number: int, args: tuple[int, ...]) -> int:
        graph = self.graph
        if not args:
            return number
        if node.op == "pow":
            return self._power(*args)
        if node.op == "sqrt":
            return graph.apply("sqrt", graph.apply("max", args[0], graph.const(0.0)))
        if node.op == "div" and self._moves(args[0]) and not self._moves(args[1]):
            # One multiplication a step instead of a division; the reciprocal is computed once.
            return graph.apply("mul", args[0], graph.apply("div", graph.const(1.0), args[1]))
        if node.op in ("floor", "ceil"):
            return graph.apply(node.op, self._exact_quotient(node, args[0]))
        return graph.apply(node.op, *args)

    def _exact_quotient(self, node: Node, lowered: int) -> int:
        """Steps of a quotient need the true division: 6 * (1 / 3) may fall below 2."""
        inner = self.graph.nodes[node.args[0]]
        if inner.op != "div":
            return lowered
        return self.graph.apply("div", *(self.known[arg] for arg in inner.args))

    def _power(self, base: int, exponent: int) -> int:
        """exp(b log |a|), with the sign of a whole power, and 0 where a base has slipped below 0."""
        graph = self.graph
        zero = graph.const(0.0)
        value = graph.constant(exponent)
        if value is not None and value != math.floor(value):
            logarithm = graph.apply("plog", graph.apply("max", base, zero))
            return graph.apply("exp", graph.apply("mul", exponent, logarithm))
        logarithm = graph.apply("plog", graph.apply("abs", base))
        magnitude = graph.apply("exp", graph.apply("mul", exponent, logarithm))
        half = graph.apply("mul", exponent, graph.const(0.5))
        is_whole = graph.apply("eq", graph.apply("floor", exponent), exponent)
        is_even = graph.apply("eq", graph.apply("floor", half), half)
        sign = graph.apply("select", is_even, graph.const(1.0), graph.const(-1.0))
        below = graph.apply("select", is_whole, sign, zero)
        signed = graph.apply("mul", magnitude, below)
        return graph.apply("select", graph.apply("lt", base, zero), signed, magnitude)
