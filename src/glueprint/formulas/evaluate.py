"""Evaluates graph nodes with numpy, for many rows of leaves at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from glueprint.formulas.expressions import SMALLEST_BASE, Graph

__all__ = ["Leaves", "evaluate"]

Array = NDArray[Any]
# A base below 0 by no more than this is rounding of a value that has decayed to 0; see docs/engine.md.
POWER_GUARD = 1e-6


def guarded_power(base: Array, exponent: Array) -> Array:
    """base^exponent, where a base that has slipped just below 0 counts as 0."""
    slipped = (base < 0.0) & (base > -POWER_GUARD) & (exponent != np.floor(exponent))
    return np.asarray(np.power(np.where(slipped, 0.0, base), exponent))


def guarded_root(a: Array) -> Array:
    """Square root, where a radicand that has slipped just below 0 counts as 0."""
    return np.asarray(np.sqrt(np.where((a < 0.0) & (a > -POWER_GUARD), 0.0, a)))


def _slope_base(a: Array) -> Array:
    return np.where(np.abs(a) > SMALLEST_BASE, a, np.inf)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": guarded_power,
    "sqrt": guarded_root,
    "slopebase": _slope_base,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "plog": lambda a: np.where(a == 0, -1e300, np.log(a)),
    "floor": np.floor,
    "ceil": np.ceil,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "gamma": special.gamma,
    "min": np.minimum,
    "max": np.maximum,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
    "not": np.logical_not,
    "select": np.where,
}


@dataclass(frozen=True, eq=False)
class Leaves:
    """What expressions read.

    states: (..., states).   params: (..., parameters).   time: (...,), of shapes that broadcast.   largest:
    (n, states) running maxima of the
    states, tolerance: of the solver, and middle: of its step; only where a running solver gives them.
    """

    states: Array
    params: Array
    time: Array
    largest: Array | None = None
    tolerance: float = 0.0
    middle: Array | None = None

    def read(self, op: str, index: int) -> Any:
        """Values of a leaf."""
        if op == "state":
            return self.states[..., index]
        if op == "param":
            return self.params[..., index]
        if op == "largest":
            return 0.0 if self.largest is None else self.largest[..., index]
        middle = self.time if self.middle is None else self.middle
        known = {"time": self.time, "middle": middle, "tolerance": self.tolerance}
        return np.float64(np.nan) if op == "nan" else known[op]


def evaluate(graph: Graph, roots: Sequence[int], leaves: Leaves) -> list[Array]:
    """Values of `roots`.

    Returns one array per root, (n,) or scalar where it depends on nothing.
    """
    values: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for number in graph.reachable(roots):
            op, args, value = graph.nodes[number]
            if op == "const":
                values[number] = np.float64(value)
            elif op in ("true", "false"):
                values[number] = np.bool_(op == "true")
            elif not args:
                values[number] = leaves.read(op, int(value))
            else:
                values[number] = OPERATIONS[op](*[values[arg] for arg in args])
    return [np.asarray(values[root]) for root in roots]
