"""Vectors of machine code as Python values, whose arithmetic and comparisons emit LLVM text."""

from __future__ import annotations

from dataclasses import dataclass

from glueprint.curves.formula import Variant
from glueprint.curves.kernel_layout import Workspace
from glueprint.formulas.ir import Block

__all__ = ["Code", "Vector"]


@dataclass(frozen=True)
class Vector:
    """One number, or one truth, a lane."""

    name: str
    code: Code

    def __add__(self, other: Vector) -> Vector:
        return self.code.infix("add", self, other)

    def __sub__(self, other: Vector) -> Vector:
        return self.code.infix("sub", self, other)

    def __mul__(self, other: Vector) -> Vector:
        return self.code.infix("mul", self, other)

    def __truediv__(self, other: Vector) -> Vector:
        return self.code.infix("div", self, other)

    def __neg__(self) -> Vector:
        return self.code.let(f"fneg {self.code.block.vector} {self.name}")

    def __lt__(self, other: Vector) -> Vector:
        return Vector(self.code.block.compare("olt", self.name, other.name), self.code)

    def __le__(self, other: Vector) -> Vector:
        return Vector(self.code.block.compare("ole", self.name, other.name), self.code)

    def __and__(self, other: Vector) -> Vector:
        return self.code.let(f"and {self.code.block.mask} {self.name}, {other.name}")

    def __or__(self, other: Vector) -> Vector:
        return self.code.let(f"or {self.code.block.mask} {self.name}, {other.name}")

    def __invert__(self) -> Vector:
        ones = "<" + ", ".join(["i1 true"] * self.code.block.width) + ">"
        return self.code.let(f"xor {self.code.block.mask} {self.name}, {ones}")


class Code:
    """Text of vector code, and where its vectors are kept in the workspace %ws."""

    def __init__(self, variant: Variant, workspace: Workspace, width: int) -> None:
        self.block, self.variant, self.workspace = Block(width), variant, workspace
        self.free, self.count = variant.free, len(variant.free)

    def let(self, right: str) -> Vector:
        """Emit the value of `right`."""
        return Vector(self.block.let(right), self)

    def infix(self, operator: str, a: Vector, b: Vector) -> Vector:
        """Emit an operation on two vectors."""
        return Vector(self.block.infix(operator, a.name, b.name), self)

    def call(self, function: str, value: Vector) -> Vector:
        """Emit a function of one vector."""
        return Vector(self.block.call(function, value.name), self)

    def sqrt(self, value: Vector) -> Vector:
        """Emit a square root."""
        return self.call(f"llvm.sqrt.v{self.block.width}f64", value)

    def real(self, value: float) -> Vector:
        """The same number in every lane."""
        return Vector(self.block.const(value), self)

    def pick(self, mask: Vector, yes: Vector, no: Vector) -> Vector:
        """Emit a choice, lane by lane."""
        return Vector(self.block.choose(mask.name, yes.name, no.name), self)

    def at_least(self, value: Vector, low: Vector) -> Vector:
        """`value`, or `low` where that is more; what is no number stays so."""
        return self.pick(value < low, low, value)

    def clip(self, value: Vector, low: Vector, high: Vector) -> Vector:
        """Within bounds; what is no number stays so."""
        raised = self.at_least(value, low)
        return self.pick(high < raised, high, raised)

    def get(self, part: str, index: int = 0) -> Vector:
        """Load a part of the workspace."""
        return Vector(self.block.load("%ws", self.workspace.offsets[part] + index), self)

    def put(self, value: Vector, part: str, index: int = 0) -> None:
        """Store a part of the workspace."""
        self.block.store(value.name, "%ws", self.workspace.offsets[part] + index)
