"""A user's own model from a formula text, with exact derivatives."""

from __future__ import annotations

import ast
from typing import NoReturn

import numpy as np

from glueprint.curves.models.model import Curve, Floats, Given, Model, Parameter
from glueprint.errors import InputError
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate
from glueprint.formulas.expressions import Graph

__all__ = ["model_from_formula"]

OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
FUNCTIONS = frozenset(
    {"exp", "log", "sqrt", "abs", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"}
)
LONGEST = 2000


def model_from_formula(
    text: str, *, inputs: tuple[str, ...] = ("x",), positive: tuple[str, ...] = ()
) -> Model:
    """A model from a formula such as "top * (1 - exp(-rate * x))"; every other name is a parameter.

    text: + - * / **, ^ for powers, parentheses, and the functions exp, log, sqrt, abs, sin, cos, tan, asin,
    acos, atan, sinh, cosh, tanh.   inputs: names of what varies from point to point.
    positive: parameters that are positive by nature, fitted as logarithms.
    Returns a `Model`; it has no starts of its own, so `fit` needs `start=`.
    Raises InputError GP-C026 for what is no such formula, naming the place.
    """
    graph = Graph()
    reader = _Reader(text, graph, inputs)
    root = reader.read()
    names = tuple(reader.parameters)
    if not names or not set(positive) <= set(names):
        _refuse(text, text, "at least one parameter, and positive= naming some of them")
    slopes = [Differentiator(graph, graph.param(i))(root) for i in range(len(names))]
    own = tuple(Parameter(name, scale="log10" if name in positive else "linear") for name in names)
    return Model(text, text, inputs, own, _curve(graph, root, slopes, inputs), any_sign=True)


def _curve(graph: Graph, root: int, slopes: list[int], inputs: tuple[str, ...]) -> Curve:
    def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
        shape = given.used.shape
        states = np.stack([np.broadcast_to(given[name], shape) for name in inputs], axis=-1)
        leaves = Leaves(states=states, params=theta[:, None, :], time=np.zeros(1))
        y, *columns = evaluate(graph, [root, *slopes], leaves)
        jacobian = np.stack([np.broadcast_to(column, shape) for column in columns], axis=-1)
        return np.broadcast_to(y, shape).astype(float), jacobian.astype(float)

    return curve


class _Reader:
    """Reads Python's own grammar of expressions, and only the part of it that is arithmetic."""

    def __init__(self, text: str, graph: Graph, inputs: tuple[str, ...]) -> None:
        self.text, self.graph, self.inputs = text, graph, inputs
        self.parameters: dict[str, int] = {}

    def read(self) -> int:
        """The node of the whole formula."""
        if len(self.text) > LONGEST:
            _refuse(self.text, self.text[:40] + " ...", f"at most {LONGEST} characters")
        try:
            tree = ast.parse(self.text.replace("^", "**").strip(), mode="eval")
            return self.node(tree.body)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise _refusal(self.text, str(error), "a formula such as a * exp(-k * x)") from error

    def node(self, tree: ast.expr) -> int:
        """The node of a part."""
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.graph.const(float(value))
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.graph.apply("neg", self.node(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return self.graph.apply(OPERATORS[type(operator)], self.node(left), self.node(right))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self.graph.apply(name, self.node(argument))
            case _:
                place = ast.get_source_segment(self.text.replace("^", "**").strip(), tree) or self.text
                allowed = "arithmetic and the functions " + ", ".join(sorted(FUNCTIONS))
                raise _refusal(self.text, place, allowed)

    def name(self, name: str) -> int:
        """The leaf of an input or a parameter."""
        if name in self.inputs:
            return self.graph.state(self.inputs.index(name))
        if name in FUNCTIONS:
            _refuse(self.text, name, f"an argument: {name}(...)")
        index = self.parameters.setdefault(name, len(self.parameters))
        return self.graph.param(index)


def _refusal(text: str, place: str, expected: str) -> InputError:
    return InputError(
        "GP-C026", f'cannot read "{place}"', where=f'formula "{text[:80]}"', expected=expected,
        next_step="correct the formula, or give a function with its derivatives",
    )  # fmt: skip


def _refuse(text: str, place: str, expected: str) -> NoReturn:
    raise _refusal(text, place, expected)
