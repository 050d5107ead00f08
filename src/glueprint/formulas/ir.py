"""A small writer of LLVM's text form: vectors of doubles, one lane per problem."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

from glueprint.formulas import mathlib_llvm
from glueprint.formulas.expressions import SMALLEST_BASE, Graph

__all__ = ["Block", "number", "splat"]

COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
INFIX = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
INTRINSIC = {"abs": "fabs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil"}
LOGIC = {"and": "and", "or": "or", "xor": "xor"}


def number(value: float) -> str:
    """A double as LLVM reads it without loss."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def splat(value: float, width: int) -> str:
    """A vector constant with `value` in every lane."""
    return "<" + ", ".join([f"double {number(value)}"] * width) + ">"


class Block:
    """Straight-line code in single-assignment form; remembers which helpers it calls."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.vector = f"<{width} x double>"
        self.mask = f"<{width} x i1>"
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        self.count = 0

    def let(self, right: str) -> str:
        """Emit `%name = right`; returns the name."""
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"  {name} = {right}")
        return name

    def load(self, array: str, index: int) -> str:
        """Vector `index` of the array at pointer `array`."""
        return self.let(f"load {self.vector}, ptr {self._place(array, index)}, align {8 * self.width}")

    def store(self, value: str, array: str, index: int) -> None:
        """Write vector `index` of the array at pointer `array`."""
        self.lines.append(
            f"  store {self.vector} {value}, ptr {self._place(array, index)}, align {8 * self.width}"
        )

    def _place(self, array: str, index: int) -> str:
        return self.let(f"getelementptr {self.vector}, ptr {array}, i64 {index}")

    def load_at(self, array: str, index: str) -> str:
        """Vector at a run-time index."""
        place = self.let(f"getelementptr {self.vector}, ptr {array}, i64 {index}")
        return self.let(f"load {self.vector}, ptr {place}, align {8 * self.width}")

    def store_at(self, value: str, array: str, index: str) -> None:
        """Write the vector at a run-time index."""
        place = self.let(f"getelementptr {self.vector}, ptr {array}, i64 {index}")
        self.lines.append(f"  store {self.vector} {value}, ptr {place}, align {8 * self.width}")

    def const(self, value: float) -> str:
        """A literal vector."""
        return splat(value, self.width)

    def infix(self, op: str, a: str, b: str) -> str:
        """`add`, `sub`, `mul` or `div` of two vectors; multiply-adds may fuse."""
        return self.let(f"{INFIX[op]} contract {self.vector} {a}, {b}")

    def choose(self, condition: str, a: str, b: str) -> str:
        """Lane by lane `condition ? a : b`."""
        return self.let(f"select {self.mask} {condition}, {self.vector} {a}, {self.vector} {b}")

    def compare(self, kind: str, a: str, b: str) -> str:
        """A mask."""
        return self.let(f"fcmp {kind} {self.vector} {a}, {b}")

    def call(self, helper: str, a: str) -> str:
        """A vector function of one vector."""
        self.helpers.add(helper)
        return self.let(f"call {self.vector} @{helper}({self.vector} {a})")

    def operation(self, op: str, args: list[str], boolean: bool) -> str:
        """One graph operation on vectors or masks."""
        if op in INFIX:
            return self.infix(op, *args)
        if op in COMPARE:
            return self.compare(COMPARE[op], *args)
        if op in LOGIC:
            return self.let(f"{LOGIC[op]} {self.mask} {args[0]}, {args[1]}")
        if op == "not":
            ones = "<" + ", ".join(["i1 true"] * self.width) + ">"
            return self.let(f"xor {self.mask} {args[0]}, {ones}")
        if op == "neg":
            return self.let(f"fneg {self.vector} {args[0]}")
        if op in ("min", "max"):
            return self.choose(self.compare("olt" if op == "min" else "ogt", *args), *args)
        if op == "select":
            kind = self.mask if boolean else self.vector
            return self.let(f"select {self.mask} {args[0]}, {kind} {args[1]}, {kind} {args[2]}")
        if op in INTRINSIC:
            return self.call(f"llvm.{INTRINSIC[op]}.v{self.width}f64", args[0])
        if op == "slopebase":
            size = self.call(f"llvm.fabs.v{self.width}f64", args[0])
            large = self.compare("ogt", size, self.const(SMALLEST_BASE))
            return self.choose(large, args[0], self.const(math.inf))
        return self.call(mathlib_llvm.helper(op), args[0])

    def expressions(
        self, graph: Graph, wanted: list[int], known: dict[int, str], leaves: Mapping[str, str]
    ) -> None:
        """Compute nodes into `known`; leaves: pointer of "state" and "param", value of "time"."""
        stack = [*reversed(wanted)]
        while stack:
            top = stack[-1]
            if top in known:
                stack.pop()
                continue
            node = graph.nodes[top]
            missing = [arg for arg in node.args if arg not in known]
            if missing:
                stack.extend(reversed(missing))
                continue
            known[top] = self._node(graph, top, known, leaves)
            stack.pop()

    def _node(self, graph: Graph, top: int, known: dict[int, str], leaves: Mapping[str, str]) -> str:
        op, args, value = graph.nodes[top]
        if op == "const":
            return self.const(value)
        if op == "nan":
            return self.const(float("nan"))
        if op in ("true", "false"):
            return "<" + ", ".join([f"i1 {op}"] * self.width) + ">"
        if op in ("time", "middle", "tolerance"):
            return leaves[op]
        if op in ("state", "largest", "param"):
            return self.load(leaves[op], int(value))
        return self.operation(op, [known[arg] for arg in args], graph.is_boolean(top))
