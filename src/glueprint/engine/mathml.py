"""From SBML's mathematics (libsbml's syntax trees) to nodes of the expression graph."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import libsbml

from glueprint.errors import InputError, NotSupportedError
from glueprint.formulas.expressions import Graph
from glueprint.formulas.steps import Steps

__all__ = ["Translator"]

AVOGADRO = 6.02214179e23  # fixed by SBML L3V1, section 3.4.6

ONE_ARGUMENT = {
    libsbml.AST_FUNCTION_ABS: "abs",
    libsbml.AST_FUNCTION_EXP: "exp",
    libsbml.AST_FUNCTION_LN: "log",
    libsbml.AST_FUNCTION_FLOOR: "floor",
    libsbml.AST_FUNCTION_CEILING: "ceil",
    libsbml.AST_FUNCTION_SIN: "sin",
    libsbml.AST_FUNCTION_COS: "cos",
    libsbml.AST_FUNCTION_TAN: "tan",
    libsbml.AST_FUNCTION_ARCSIN: "asin",
    libsbml.AST_FUNCTION_ARCCOS: "acos",
    libsbml.AST_FUNCTION_ARCTAN: "atan",
    libsbml.AST_FUNCTION_SINH: "sinh",
    libsbml.AST_FUNCTION_COSH: "cosh",
    libsbml.AST_FUNCTION_TANH: "tanh",
    libsbml.AST_FUNCTION_ARCSINH: "asinh",
    libsbml.AST_FUNCTION_ARCCOSH: "acosh",
    libsbml.AST_FUNCTION_ARCTANH: "atanh",
}
RECIPROCAL_OF = {
    libsbml.AST_FUNCTION_SEC: "cos",
    libsbml.AST_FUNCTION_CSC: "sin",
    libsbml.AST_FUNCTION_COT: "tan",
    libsbml.AST_FUNCTION_SECH: "cosh",
    libsbml.AST_FUNCTION_CSCH: "sinh",
    libsbml.AST_FUNCTION_COTH: "tanh",
}
INVERSE_OF_RECIPROCAL = {
    libsbml.AST_FUNCTION_ARCSEC: "acos",
    libsbml.AST_FUNCTION_ARCCSC: "asin",
    libsbml.AST_FUNCTION_ARCCOT: "atan",
    libsbml.AST_FUNCTION_ARCSECH: "acosh",
    libsbml.AST_FUNCTION_ARCCSCH: "asinh",
    libsbml.AST_FUNCTION_ARCCOTH: "atanh",
}
COMPARISONS = {
    libsbml.AST_RELATIONAL_EQ: "eq",
    libsbml.AST_RELATIONAL_NEQ: "ne",
    libsbml.AST_RELATIONAL_GEQ: "ge",
    libsbml.AST_RELATIONAL_GT: "gt",
    libsbml.AST_RELATIONAL_LEQ: "le",
    libsbml.AST_RELATIONAL_LT: "lt",
}
LOGICAL = {
    libsbml.AST_LOGICAL_AND: ("and", True),
    libsbml.AST_LOGICAL_OR: ("or", False),
    libsbml.AST_LOGICAL_XOR: ("xor", False),
}


def _children(ast: Any) -> list[Any]:
    return [ast.getChild(place) for place in range(ast.getNumChildren())]


@dataclass(frozen=True)
class Translator:
    """Turns syntax trees into graph nodes.

    resolve: steps to the node of an identifier.   rate_of: node of an identifier's time derivative.
    functions: the model's function definitions by id.   called: calls that were written out, so that
    functions of functions cost no more than their formulas are long.
    Trees may be deep and definitions long chains: all of it goes by `formulas.steps`.
    """

    graph: Graph
    resolve: Callable[[str], Steps]
    rate_of: Callable[[str], int]
    functions: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    called: dict[tuple[str, tuple[int, ...]], int] = field(default_factory=dict)

    def number(self, ast: Any, names: Mapping[str, int]) -> Steps:
        """The tree as a real number; `names` holds function arguments and local parameters."""
        return self.graph.as_number((yield self.node(ast, names)))

    def truth(self, ast: Any, names: Mapping[str, int]) -> Steps:
        """The tree as a truth value."""
        return self.graph.as_truth((yield self.node(ast, names)))

    def node(self, ast: Any, names: Mapping[str, int]) -> Steps:
        """The tree as a node of either kind."""
        kind = ast.getType()
        if ast.isNumber() or kind in (libsbml.AST_CONSTANT_PI, libsbml.AST_CONSTANT_E):
            return self._constant(ast, kind)
        if kind == libsbml.AST_NAME:
            name = ast.getName()
            return names[name] if name in names else (yield self.resolve(name))
        if kind == libsbml.AST_NAME_TIME:
            return self.graph.time()
        if kind == libsbml.AST_NAME_AVOGADRO:
            return self.graph.const(AVOGADRO)
        if kind in (libsbml.AST_CONSTANT_TRUE, libsbml.AST_CONSTANT_FALSE):
            return self.graph.truth(kind == libsbml.AST_CONSTANT_TRUE)
        if kind == libsbml.AST_FUNCTION:
            return (yield self._call(ast, names))
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            return self._rate(ast, names)
        if kind == libsbml.AST_FUNCTION_DELAY:
            raise self._refuse("GP-N022", "delay(), the value of a quantity in the past", ast)
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return (yield self._piecewise(ast, names))
        if kind in LOGICAL or kind in COMPARISONS or kind == libsbml.AST_LOGICAL_NOT:
            return (yield self._logic(ast, kind, names))
        if kind == libsbml.AST_LOGICAL_IMPLIES:
            a = yield self.truth(ast.getChild(0), names)
            b = yield self.truth(ast.getChild(1), names)
            return self.graph.apply("or", self.graph.apply("not", a), b)
        args = yield from self._each(self.number, _children(ast), names)
        return self._arithmetic(ast, kind, args)

    def _each(
        self, step: Callable[[Any, Mapping[str, int]], Steps], trees: Iterable[Any], names: Mapping[str, int]
    ) -> Generator[Any, int, list[int]]:
        """The nodes of several trees, one after another."""
        found = []
        for tree in trees:
            node = yield step(tree, names)
            found.append(node)
        return found

    def _refuse(self, code: str, what: str, ast: Any) -> NotSupportedError:
        return NotSupportedError(
            code,
            f'{what} in "{libsbml.formulaToL3String(ast)}" cannot be run exactly',
            where=self.where,
            next_step="rewrite the model without it; docs/engine.md lists what the engine runs",
        )

    def _constant(self, ast: Any, kind: int) -> int:
        if kind == libsbml.AST_CONSTANT_PI:
            return self.graph.const(math.pi)
        if kind == libsbml.AST_CONSTANT_E:
            return self.graph.const(math.e)
        return self.graph.const(ast.getInteger() if kind == libsbml.AST_INTEGER else ast.getReal())

    def _call(self, ast: Any, names: Mapping[str, int]) -> Steps:
        """A function definition is written out where it is called."""
        definition = self.functions.get(ast.getName())
        if definition is None or definition.getBody() is None:
            raise InputError(
                "GP-N005",
                f'unknown or empty function "{ast.getName()}"',
                where=self.where,
                expected=f"one of {sorted(self.functions)}" if self.functions else "a function of the model",
                next_step="define the function or correct its name",
            )
        count = definition.getNumArguments()
        if count != ast.getNumChildren():
            raise InputError(
                "GP-N006",
                f'function "{ast.getName()}" called with {ast.getNumChildren()} arguments',
                where=self.where,
                expected=f"{count} arguments",
                next_step="correct the call",
            )
        bound = {}
        for place in range(count):
            bound[definition.getArgument(place).getName()] = yield self.node(ast.getChild(place), names)
        call = (ast.getName(), tuple(bound.values()))
        if call not in self.called:
            self.called[call] = yield self.node(definition.getBody(), bound)
        return self.called[call]

    def _rate(self, ast: Any, names: Mapping[str, int]) -> int:
        target = ast.getChild(0).getName()
        if target in names:
            bound = self.graph.nodes[names[target]]
            if bound.op == "const" or bound.op == "param":
                return self.graph.const(0.0)
            raise self._refuse("GP-N023", "rateOf() of a function argument", ast)
        return self.rate_of(target)

    def _piecewise(self, ast: Any, names: Mapping[str, int]) -> Steps:
        """Pairs (value, condition), then a default; without a default the value is undefined (NaN)."""
        children = _children(ast)
        values = yield from self._each(self.node, children[0::2], names)
        conditions = yield from self._each(self.truth, children[1::2], names)
        graph = self.graph
        if len(values) == len(conditions):
            all_truth = all(graph.is_boolean(value) for value in values)
            values.append(graph.truth(False) if all_truth and values else graph.const(math.nan))
        if not all(graph.is_boolean(value) for value in values):
            values = [graph.as_number(value) for value in values]
        result = values[-1]
        for value, condition in zip(reversed(values[:-1]), reversed(conditions), strict=True):
            result = graph.apply("select", condition, value, result)
        return result

    def _logic(self, ast: Any, kind: int, names: Mapping[str, int]) -> Steps:
        graph = self.graph
        children = _children(ast)
        if kind == libsbml.AST_LOGICAL_NOT:
            return graph.apply("not", (yield self.truth(children[0], names)))
        if kind in LOGICAL:
            op, neutral = LOGICAL[kind]
            result = graph.truth(neutral)
            for child in children:
                result = self._join(op, result, (yield self.truth(child, names)))
            return result
        args = yield from self._each(self.number, children, names)
        result = graph.truth(True)
        for a, b in itertools.pairwise(args):
            result = graph.apply("and", result, graph.apply(COMPARISONS[kind], a, b))
        return result

    def _join(self, op: str, a: int, b: int) -> int:
        if op != "xor":
            return self.graph.apply(op, a, b)
        either, both = self.graph.apply("or", a, b), self.graph.apply("and", a, b)
        return self.graph.apply("and", either, self.graph.apply("not", both))

    def _arithmetic(self, ast: Any, kind: int, args: list[int]) -> int:
        graph = self.graph
        one = graph.const(1.0)
        if kind == libsbml.AST_PLUS:
            return graph.total(args)
        if kind == libsbml.AST_TIMES:
            result = one
            for arg in args:
                result = graph.apply("mul", result, arg)
            return result
        if kind == libsbml.AST_MINUS:
            return graph.apply("neg", args[0]) if len(args) == 1 else graph.apply("sub", *args)
        if kind == libsbml.AST_DIVIDE:
            return graph.apply("div", *args)
        if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
            return graph.apply("pow", *args)
        if kind in ONE_ARGUMENT:
            return graph.apply(ONE_ARGUMENT[kind], args[0])
        if kind in RECIPROCAL_OF:
            return graph.apply("div", one, graph.apply(RECIPROCAL_OF[kind], args[0]))
        if kind in INVERSE_OF_RECIPROCAL:
            return graph.apply(INVERSE_OF_RECIPROCAL[kind], graph.apply("div", one, args[0]))
        return self._special(ast, kind, args)

    def _special(self, ast: Any, kind: int, args: list[int]) -> int:
        graph = self.graph
        if kind == libsbml.AST_FUNCTION_ROOT:
            degree, radicand = args if len(args) == 2 else (graph.const(2.0), args[0])
            return graph.apply("pow", radicand, graph.apply("div", graph.const(1.0), degree))
        if kind == libsbml.AST_FUNCTION_LOG:
            base, x = args if len(args) == 2 else (graph.const(10.0), args[0])
            return graph.apply("div", graph.apply("log", x), graph.apply("log", base))
        if kind == libsbml.AST_FUNCTION_FACTORIAL:
            return graph.apply("gamma", graph.apply("add", args[0], graph.const(1.0)))
        if kind in (libsbml.AST_FUNCTION_MIN, libsbml.AST_FUNCTION_MAX) and args:
            op = "min" if kind == libsbml.AST_FUNCTION_MIN else "max"
            result = args[0]
            for arg in args[1:]:
                result = graph.apply(op, result, arg)
            return result
        if kind == libsbml.AST_FUNCTION_QUOTIENT:
            return self._quotient(*args)
        if kind == libsbml.AST_FUNCTION_REM:
            product = graph.apply("mul", args[1], self._quotient(*args))
            return graph.apply("sub", args[0], product)
        raise self._refuse("GP-N024", "an operation the engine does not know", ast)

    def _quotient(self, a: int, b: int) -> int:
        """Whole-number quotient, truncated towards zero (SBML L3V2, section 3.4.10)."""
        graph = self.graph
        ratio = graph.apply("div", a, b)
        down, up = graph.apply("floor", ratio), graph.apply("ceil", ratio)
        return graph.apply("select", graph.apply("lt", ratio, graph.const(0.0)), up, down)
