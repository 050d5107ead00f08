"""Formulas of observables and noise, as people write them, with exact derivatives by everything they read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

__all__ = ["Formula", "compiled"]

Floats = NDArray[np.float64]
LONGEST = 20_000  # characters; what is longer was made by a program and belongs into the model
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
    where: file, line and column for messages.   functions: names that stand for other formulas, written out.
    Raises InputError GP-W005.
    """
    graph, order = Graph(), dict[str, int]()
    inner = {name: _tree(other, where) for name, other in (functions or {}).items()}

    def resolve(name: str) -> Steps:
        if name in inner:
            return (yield translator.number(inner[name], {}))
        return graph.param(order.setdefault(name, len(order)))

    def rate_of(name: str) -> int:
        raise _refused(text, f"the rate of {name} is no observable; name a reaction or a rule instead", where)

    translator = Translator(graph, resolve, rate_of, where=where)
    root = run(translator.number(_tree(text, where), {}))
    slopes = tuple(Differentiator(graph, graph.param(index))(root) for index in order.values())
    return Formula(text, tuple(order), graph, root, slopes)


def _tree(text: str, where: str) -> Any:
    if not text.strip() or len(text) > LONGEST:
        raise _refused(text[:80], "it is empty" if not text.strip() else "it is too long", where)
    if LOGARITHM_OF_BASE.search(text):
        raise _refused(text, "log with two arguments means different things in different programs", where)
    plain = re.sub(r"\blog2\s*\(", "(1/ln(2))*ln(", text.replace("**", "^"))
    settings = libsbml.L3ParserSettings()
    settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
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
