"""Derivatives on the expression graph: exact, sharing every common part with the value itself.

Where a function has a kink (choices, |x|, floor, minimum) the one-sided derivative of the branch taken is
used.
"""

from __future__ import annotations

from collections.abc import Sequence

from glueprint.formulas.expressions import Graph, Node

__all__ = ["Differentiator"]

STEPS = frozenset({"floor", "ceil"})


class Differentiator:
    """Derivatives of nodes with respect to one leaf (a state, a parameter or time), memoised."""

    def __init__(self, graph: Graph, leaf: int) -> None:
        self.graph = graph
        self.leaf = leaf
        self.known: dict[int, int] = {leaf: graph.const(1.0)}

    def __call__(self, root: int) -> int:
        """The node of d(root)/d(leaf)."""
        for number in self.graph.reachable([root]):
            if number not in self.known:
                node = self.graph.nodes[number]
                slopes = [self.known[arg] for arg in node.args]
                self.known[number] = self._rule(number, node, slopes)
        return self.known[root]

    def _rule(self, number: int, node: Node, slopes: Sequence[int]) -> int:
        graph = self.graph
        zero = graph.const(0.0)
        moving = slopes[1:] if node.op == "select" else slopes
        if all(slope == zero for slope in moving) or node.op in STEPS or graph.is_boolean(number):
            return zero
        if node.op == "add":
            return graph.apply("add", slopes[0], slopes[1])
        if node.op == "sub":
            return graph.apply("sub", slopes[0], slopes[1])
        if node.op == "neg":
            return graph.apply("neg", slopes[0])
        if node.op == "select":
            return graph.apply("select", node.args[0], slopes[1], slopes[2])
        parts = [
            graph.apply("mul", slope, self._partial(number, node, position))
            for position, slope in enumerate(slopes)
            if slope != zero
        ]
        return graph.total(parts)

    def _partial(self, number: int, node: Node, position: int) -> int:
        """Partial derivative of an operation with respect to one of its arguments."""
        graph, op, a = self.graph, node.op, node.args[0]
        if len(node.args) == 1:
            return self._partial_unary(number, op, a)
        b = node.args[1]
        first = position == 0
        if op == "mul":
            return b if first else a
        if op == "div":
            return (
                graph.apply("div", graph.const(1.0), b)
                if first
                else graph.apply("neg", graph.apply("div", number, b))
            )
        if op == "pow":
            return self._partial_pow(number, a, b, first)
        if op in ("min", "max"):
            a_chosen = graph.apply("le" if op == "min" else "ge", a, b)
            one, zero = graph.const(1.0), graph.const(0.0)
            return graph.apply("select", a_chosen, *((one, zero) if first else (zero, one)))
        if op == "fmod":
            if first:
                return graph.const(1.0)
            return graph.apply("neg", graph.apply("div", graph.apply("sub", a, number), b))
        raise AssertionError(f"no derivative rule for {op}")

    def _partial_pow(self, number: int, a: int, b: int, first: bool) -> int:
        """a^b: `slopebase` keeps the quotient finite where the base touches 0 (docs/engine.md)."""
        graph = self.graph
        if first:
            return graph.apply("mul", b, graph.apply("div", number, graph.apply("slopebase", a)))
        return graph.apply("mul", number, graph.apply("log", graph.apply("max", a, graph.const(1e-300))))

    def _partial_unary(self, number: int, op: str, a: int) -> int:
        graph = self.graph
        one = graph.const(1.0)

        def square(node: int) -> int:
            return graph.apply("mul", node, node)

        if op == "exp":
            return number
        if op == "log":
            return graph.apply("div", one, a)
        if op == "sqrt":
            return graph.apply("div", graph.const(0.5), graph.apply("slopebase", number))
        if op == "abs":
            sign = graph.apply("lt", a, graph.const(0.0))
            return graph.apply("select", sign, graph.const(-1.0), one)
        if op in ("sin", "cos", "sinh", "cosh"):
            other = {"sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh"}[op]
            slope = graph.apply(other, a)
            return graph.apply("neg", slope) if op == "cos" else slope
        if op == "tan":
            return graph.apply("add", one, square(number))
        if op == "tanh":
            return graph.apply("sub", one, square(number))
        if op in ("asin", "acos"):
            slope = graph.apply("div", one, graph.apply("sqrt", graph.apply("sub", one, square(a))))
            return graph.apply("neg", slope) if op == "acos" else slope
        if op in ("asinh", "acosh"):
            shifted = graph.apply("add" if op == "asinh" else "sub", square(a), one)
            return graph.apply("div", one, graph.apply("sqrt", shifted))
        if op in ("atan", "atanh"):
            shifted = graph.apply("add" if op == "atan" else "sub", one, square(a))
            return graph.apply("div", one, shifted)
        if op == "gamma":
            return graph.const(0.0)  # only met as factorial of whole numbers, a step function
        raise AssertionError(f"no derivative rule for {op}")
