"""Formulas of observables and noise, as people write them, with exact derivatives by everything they read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import libsbml
import numpy as np
from numpy.typing import NDArray

from glueprint.engine.mathml import Translator
from glueprint.errors import InputError
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate
from glueprint.formulas.expressions import Graph
from glueprint.formulas.steps import Steps, run

__all__ = ["Formula", "compiled", "reserved_in"]

Floats = NDArray[np.float64]
LONGEST = 20_000  # characters; what is longer was made by a program and belongs into the model
# What the parser reads as a number or the time, in these letters.
RESERVED = ("time", "pi", "exponentiale", "avogadro", "true", "false", "inf", "infinity", "nan", "notanumber")
LOGARITHM_OF_BASE = re.compile(r"\blog\s*\((?:[^()]|\([^()]*\))*,")


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula ready to be computed.

    names: what it reads, in the order of its arguments.   root, slopes: nodes of its value and of its
    derivative by each name.
    """

    text: str
    names: tuple[str, ...]
    graph: Graph = field(repr=False)
    root: int = field(repr=False)
    slopes: tuple[int, ...] = field(repr=False)

    def __call__(self, columns: Sequence[Floats], time: Floats) -> tuple[Floats, list[Floats]]:
        """Value and derivatives, (m, rows) each.

        columns: one for each name, of shapes that broadcast to (m, rows).   time: (rows,).
        """
        shape = np.broadcast_shapes(time.shape, *(column.shape for column in columns))
        params = (
            np.stack([np.broadcast_to(column, shape) for column in columns], -1) if columns else np.zeros(0)
        )
        found = evaluate(self.graph, [self.root, *self.slopes], Leaves(np.zeros(0), params, time))
        value, *slopes = [np.broadcast_to(one, shape) for one in found]
        return value, slopes


def compiled(text: str, *, where: str, functions: Mapping[str, str] | None = None) -> Formula:
    """A formula from its text.

    text: infix; log is the natural logarithm, log10 and log2 the others; time is the model's.
    where: file, line and column for messages.   functions: names that stand for other formulas, written out;
    within its own formula a name is that of the model.
    Raises InputError GP-W005.
    """
    graph, order = Graph(), dict[str, int]()
    inner = dict(functions or {})
    within: list[str] = []

    def resolve(name: str) -> Steps:
        if name in inner and name not in within:
            within.append(name)
            node = yield translator.number(_tree(inner[name], where), {})
            within.pop()
            return node
        return graph.param(order.setdefault(name, len(order)))

    def rate_of(name: str) -> int:
        raise _refused(text, f"the rate of {name} is no observable; name a reaction or a rule instead", where)

    translator = Translator(graph, resolve, rate_of, _own_functions(), where=where)
    root = run(translator.number(_tree(text, where), {}))
    slopes = tuple(Differentiator(graph, graph.param(index))(root) for index in order.values())
    return Formula(text, tuple(order), graph, root, slopes)


@lru_cache(maxsize=1)
def _own_functions() -> dict[str, Any]:
    """Functions that formulas of PEtab have, and SBML has not."""
    sign = libsbml.FunctionDefinition(3, 2)
    sign.setMath(libsbml.parseL3Formula("lambda(x, piecewise(1, x > 0, -1, x < 0, 0))"))
    return {"sign": sign}


def reserved_in(text: str) -> tuple[str, ...]:
    """Words of a formula that stand for a number or the time, whatever a model calls so."""
    return tuple(word for word in RESERVED if re.search(rf"\b{word}\b", text))


def _tree(text: str, where: str) -> Any:
    if not text.strip() or len(text) > LONGEST:
        raise _refused(text[:80], "it is empty" if not text.strip() else "it is too long", where)
    if LOGARITHM_OF_BASE.search(text):
        raise _refused(text, "log with two arguments means different things in different programs", where)
    plain = re.sub(r"\blog2\s*\(", "(1/ln(2))*ln(", text.replace("**", "^"))
    settings = libsbml.L3ParserSettings()
    settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
    # By itself the parser reads a species PI, or Pi, as the number.
    settings.setComparisonCaseSensitivity(libsbml.L3P_COMPARE_BUILTINS_CASE_SENSITIVE)
    tree = libsbml.parseL3FormulaWithSettings(plain, settings)
    if tree is None:
        said = " ".join(str(libsbml.getLastParseL3Error()).split())
        raise _refused(text, said, where)
    return tree


def _refused(text: str, fault: str, where: str) -> InputError:
    return InputError(
        "GP-W005",
        f'"{text}" is no formula that can be computed: {fault}',
        where=where,
        expected="for example scale*central/V, or 0.1*conc + sigma",
        next_step="correct the formula; log is natural, ln(x)/ln(b) is the logarithm to another base",
    )
