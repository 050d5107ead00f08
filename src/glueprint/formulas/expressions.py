"""Formulas as one value-numbered graph of expressions: the same value is computed once.

A node is a number; its operation, arguments and payload stand in `Graph.nodes`. Arguments have smaller
numbers than their node, so the order of numbers is an order of evaluation. Every operation that enters
through `Graph.apply` is folded and simplified, and equal operations get the same number (value numbering).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["BOOLEAN", "SMALLEST_BASE", "Graph", "Node"]

# Operations whose value is a truth value; all others are real numbers.
BOOLEAN = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "xor", "true", "false"})
COMMUTATIVE = frozenset({"add", "mul", "and", "or", "xor", "eq", "ne", "min", "max"})
LARGEST_POWER_BY_PRODUCTS = 8
SMALLEST_BASE = 1e-30  # d(a^b)/da = b a^b / a counts as 0 at a = 0; see "Guarded powers" in docs/engine.md

UNARY: dict[str, Callable[[float], float]] = {
    "neg": lambda a: -a,
    "abs": abs,
    "exp": math.exp,
    "log": math.log,
    "plog": lambda a: math.log(a) if a > 0 else -1e300,
    "sqrt": math.sqrt,
    "floor": math.floor,
    "ceil": math.ceil,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": math.acosh,
    "atanh": math.atanh,
    "gamma": math.gamma,
    "slopebase": lambda a: a if abs(a) > SMALLEST_BASE else math.inf,
}
BINARY: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": math.pow,
    "min": min,
    "max": max,
}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}


class Node(NamedTuple):
    """One operation: `value` holds a constant, or the index of a state or parameter."""

    op: str
    args: tuple[int, ...] = ()
    value: float = 0.0


@dataclass(eq=False)
class Graph:
    """Expressions over states, parameters and time, with common parts shared."""

    nodes: list[Node] = field(default_factory=list)
    numbers: dict[Node, int] = field(default_factory=dict)
    # A graph may be shared by several threads.
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def _intern(self, node: Node) -> int:
        number = self.numbers.get(node)
        if number is None:
            with self.lock:
                number = self.numbers.get(node, len(self.nodes))
                if number == len(self.nodes):
                    self.nodes.append(node)
                    self.numbers[node] = number
        return number

    def const(self, value: float) -> int:
        """The node of a number; -0.0 and 0.0 are one."""
        if math.isnan(value):
            return self._intern(Node("nan"))
        return self._intern(Node("const", (), float(value) + 0.0))

    def truth(self, value: bool) -> int:
        """The node of `true` or `false`."""
        return self._intern(Node("true" if value else "false"))

    def state(self, index: int) -> int:
        """The node that reads state `index`."""
        return self._intern(Node("state", (), index))

    def param(self, index: int) -> int:
        """The node that reads parameter `index`."""
        return self._intern(Node("param", (), index))

    def time(self) -> int:
        """The node that reads time."""
        return self._intern(Node("time"))

    def middle(self) -> int:
        """The node of the middle of the present step; known only to a running solver."""
        return self._intern(Node("middle"))

    def largest(self, index: int) -> int:
        """The node of the largest size that state `index` has had; known only to a running solver."""
        return self._intern(Node("largest", (), index))

    def tolerance(self) -> int:
        """The node of the solver's relative tolerance; known only to a running solver."""
        return self._intern(Node("tolerance"))

    def constant(self, number: int) -> float | None:
        """The value of a constant node, else None."""
        node = self.nodes[number]
        return node.value if node.op == "const" else None

    def is_boolean(self, number: int) -> bool:
        """Whether the node's value is a truth value (a choice takes the kind of its branches)."""
        while self.nodes[number].op == "select":
            number = self.nodes[number].args[1]
        return self.nodes[number].op in BOOLEAN

    def as_number(self, number: int) -> int:
        """The node as a real number: true is 1."""
        if not self.is_boolean(number):
            return number
        return self.apply("select", number, self.const(1.0), self.const(0.0))

    def as_truth(self, number: int) -> int:
        """The node as a truth value: any number but 0 is true."""
        return number if self.is_boolean(number) else self.apply("ne", number, self.const(0.0))

    def apply(self, op: str, *args: int) -> int:
        """The node of `op` on `args`, folded, simplified and shared."""
        simpler = self._simplify(op, args)
        if simpler is not None:
            return simpler
        if op in COMMUTATIVE:
            args = tuple(sorted(args))
        return self._intern(Node(op, args))

    def total(self, terms: Iterable[int]) -> int:
        """The sum of `terms`."""
        result = self.const(0.0)
        for term in terms:
            result = self.apply("add", result, term)
        return result

    def _simplify(self, op: str, args: tuple[int, ...]) -> int | None:
        if op in BOOLEAN or op == "select":
            return self._simplify_logic(op, args)
        values = [self.constant(arg) for arg in args]
        folded = self._fold(op, values)
        if folded is not None:
            return self.const(folded)
        return self._identity(op, args, values)

    def _fold(self, op: str, values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        try:
            result = UNARY[op](known[0]) if op in UNARY else BINARY[op](known[0], known[1])
        except (ValueError, OverflowError, ZeroDivisionError, KeyError):
            return None  # left to run time, where the caller decides what it means
        return float(result)

    def _identity(self, op: str, args: tuple[int, ...], values: list[float | None]) -> int | None:
        """x + 0, x * 1 and their kin."""
        if op == "neg" and self.nodes[args[0]].op == "neg":
            return self.nodes[args[0]].args[0]
        if len(args) != 2:
            return None
        (a, b), (x, y) = args, values
        if op == "add":
            return self._identity_add(a, b, x, y)
        if op == "sub":
            return self._identity_sub(a, b, x, y)
        if op == "mul":
            return self._identity_mul(a, b, x, y)
        if op == "div" and y == 1.0:
            return a
        if op == "div" and x == 0.0:
            return self.const(0.0)
        if op == "pow":
            return self._identity_pow(a, y)
        return None

    def _identity_add(self, a: int, b: int, x: float | None, y: float | None) -> int | None:
        if x == 0.0:
            return b
        if y == 0.0:
            return a
        if self.nodes[b].op == "neg":
            return self.apply("sub", a, self.nodes[b].args[0])
        if self.nodes[a].op == "neg":
            return self.apply("sub", b, self.nodes[a].args[0])
        return None

    def _identity_sub(self, a: int, b: int, x: float | None, y: float | None) -> int | None:
        if y == 0.0:
            return a
        if x == 0.0:
            return self.apply("neg", b)
        if self.nodes[b].op == "neg":
            return self.apply("add", a, self.nodes[b].args[0])
        return None

    def _identity_mul(self, a: int, b: int, x: float | None, y: float | None) -> int | None:
        for value, other in ((x, b), (y, a)):
            if value == 0.0:
                return self.const(0.0)
            if value == 1.0:
                return other
            if value == -1.0:
                return self.apply("neg", other)
        for node, other in ((a, b), (b, a)):
            if self.nodes[node].op == "neg":
                return self.apply("neg", self.apply("mul", self.nodes[node].args[0], other))
        return None

    def _identity_pow(self, a: int, exponent: float | None) -> int | None:
        """Small whole powers become products, which hold for negative bases too; halves become roots."""
        if exponent is None:
            return None
        if exponent == 0.5:
            return self.apply("sqrt", a)
        if exponent != math.floor(exponent) or abs(exponent) > LARGEST_POWER_BY_PRODUCTS:
            return None
        if exponent < 0:
            return self.apply("div", self.const(1.0), self.apply("pow", a, self.const(-exponent)))
        if exponent == 0:
            return self.const(1.0)
        half = self.apply("pow", a, self.const(exponent // 2)) if exponent > 1 else self.const(1.0)
        square = self.apply("mul", half, half)
        return self.apply("mul", square, a) if exponent % 2 else square

    def _simplify_logic(self, op: str, args: tuple[int, ...]) -> int | None:
        ops = [self.nodes[arg].op for arg in args]
        if op == "select":
            if ops[0] in ("true", "false"):
                return args[1] if ops[0] == "true" else args[2]
            return args[1] if args[1] == args[2] else None
        if op in COMPARE and ops == ["const", "const"]:
            return self.truth(COMPARE[op](self.nodes[args[0]].value, self.nodes[args[1]].value))
        if op == "not" and ops[0] in ("true", "false"):
            return self.truth(ops[0] == "false")
        if op in ("and", "or"):
            absorbing, neutral = ("false", "true") if op == "and" else ("true", "false")
            if absorbing in ops:
                return self.truth(absorbing == "true")
            if neutral in ops:
                return args[1 - ops.index(neutral)]
        return None

    def reachable(self, roots: Iterable[int]) -> list[int]:
        """All nodes that `roots` need, themselves included, in order of evaluation."""
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            number = stack.pop()
            if number not in seen:
                seen.add(number)
                stack.extend(self.nodes[number].args)
        return sorted(seen)

    def leaves(self, roots: Iterable[int], op: str) -> list[int]:
        """Indices of the states or parameters (`op`) that `roots` read; of "time" it is 0."""
        return sorted({int(self.nodes[n].value) for n in self.reachable(roots) if self.nodes[n].op == op})
