"""The model as readable C99: its rates and their Jacobian, from the very graph that machine code is made of.

It is for review and for cross-checking, not for speed: one patient, one function for each question, every rule
and reaction under its own name.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from glueprint.engine.expressions import SMALLEST_BASE, Graph
from glueprint.engine.lowering import Lowering
from glueprint.engine.model import Model
from glueprint.engine.program import Program, build
from glueprint.engine.system import System, pristine_graph

__all__ = ["c_source"]

ADDITIVE, MULTIPLICATIVE, UNARY, PRIMARY = 1, 2, 3, 4
INFIX = {
    "add": ("+", ADDITIVE),
    "sub": ("-", ADDITIVE),
    "mul": ("*", MULTIPLICATIVE),
    "div": ("/", MULTIPLICATIVE),
}
LOGIC = {
    **{"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="},
    **{"and": "&&", "or": "||", "xor": "!="},
}
CALL = {"abs": "fabs", "gamma": "tgamma", "min": "smaller", "max": "larger", "slopebase": "slope_base"}
MOST_INLINE = 6  # operations that a line may hold beyond its own

# What a name of the model must not be called: words of C, what this file uses, and macros of old compilers.
RESERVED = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile "
    "while asm typeof main linux unix i386 DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS HUGE HUGE_VAL "
    "HUGE_VALF HUGE_VALL INFINITY NAN MATH_ERRNO MATH_ERREXCEPT math_errhandling "
    "STATES PARAMETERS time_h state parameter rate jacobian rates smaller larger slope_base k "
    "exp log sqrt floor ceil fabs sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh tgamma".split()
)
HELPERS = f"""\
/* A base or radicand of a power that touches 0 keeps its slope finite. */
static inline double slope_base(double a) {{ return fabs(a) > {SMALLEST_BASE!r} ? a : {SMALLEST_BASE!r}; }}
static inline double smaller(double a, double b) {{ return a < b ? a : b; }}
static inline double larger(double a, double b) {{ return a > b ? a : b; }}"""


def c_source(model: Model) -> str:
    """C99 text of a model's right-hand side and Jacobian.

    Returns text with `rates(time_h, state, parameter, rate)` and `jacobian(time_h, state, parameter,
    jacobian)`, the latter row by row, d(rate i)/d(state j) at i * STATES + j; states are in the units of the
    solver (amounts, where the model has amounts). The same model gives the same text.
    """
    system = dataclasses.replace(model.system, graph=pristine_graph(model.system))
    return _Writer(system, build(system)).text()


class _Writer:
    """Names for what the model names, and the functions that use them."""

    def __init__(self, system: System, program: Program) -> None:
        self.system, self.program = system, program
        self.graph = system.graph
        self.taken: set[str] = set()
        symbols, graph = system.symbols, system.graph
        plain = {node: name for name, node in symbols.items() if not graph.nodes[node].args}
        self.states = [self._unused(self._own(graph.state(i), n, plain)) for i, n in enumerate(system.states)]
        self.params = [self._unused(self._own(graph.param(i), n, plain)) for i, n in enumerate(system.params)]
        lower = Lowering(graph)
        self.named: dict[int, str] = {}
        for name, node in symbols.items():
            lowered = lower(node)
            if graph.nodes[lowered].args and lowered not in self.named:
                self.named[lowered] = self._unused(name)

    @staticmethod
    def _own(leaf: int, name: str, plain: dict[int, str]) -> str:
        """A leaf that stands for an amount, where the model's name means the concentration, says so."""
        return name if plain.get(leaf) == name or name.startswith("(") else f"{name}_amount"

    def _unused(self, name: str) -> str:
        word = re.sub(r"\W+", "_", name).strip("_") or "value"
        while word in RESERVED or word in self.taken or re.fullmatch(r"v\d+|[a-z]+[01n]|[A-Z]_\w+", word):
            word += "_"
        self.taken.add(word)
        return word

    def text(self) -> str:
        """The whole file."""
        program, size = self.program, len(self.states)
        rates = [(f"rate[{i}]", node) for i, node in enumerate(program.rates)]
        entries = [
            (f"jacobian[{i} * STATES + {j}]", self.graph.apply("neg", node))
            for (i, j), node in sorted(program.jacobian.items())
        ]
        return "\n".join(
            [
                f"/* {_comment(self.system.name)}: rates and Jacobian, time in hours.",
                *(f" * state[{i}] {_comment(name)}" for i, name in enumerate(self.system.states)),
                *(f" * parameter[{i}] {_comment(name)}" for i, name in enumerate(self.system.params)),
                " */",
                "#include <math.h>",
                "",
                f"enum {{ STATES = {size}, PARAMETERS = {len(self.params)} }};",
                "",
                HELPERS,
                "",
                *self._function("rates", "rate", rates, []),
                "",
                *self._function(
                    "jacobian_of_rates",
                    "jacobian",
                    entries,
                    ["for (int k = 0; k < STATES * STATES; ++k) jacobian[k] = 0.0;"],
                ),
                "",
            ]
        )

    def _function(
        self, name: str, result: str, targets: Sequence[tuple[str, int]], first: Iterable[str]
    ) -> list[str]:
        body = _Body(self.graph, self.named)
        roots = [node for _, node in targets]
        reads = {
            kind: self.graph.leaves(roots, kind) for kind in ("state", "param")
        }
        lines = [f"const double {self.states[i]} = state[{i}];" for i in reads["state"]]
        lines += [f"const double {self.params[i]} = parameter[{i}];" for i in reads["param"]]
        for i in reads["state"]:
            body.words[self.graph.state(i)] = self.states[i]
        for i in reads["param"]:
            body.words[self.graph.param(i)] = self.params[i]
        return [
            f"void {name}(double time_h, const double *state, const double *parameter, double *{result})",
            "{",
            *(f"    {line}" for line in ["(void)time_h, (void)state, (void)parameter;", *first, *lines]),
            *(f"    {line}" for line in body.lines(targets)),
            "}",
        ]


class _Body:
    """Statements that compute nodes: what is used once and small is written out where it is used."""

    def __init__(self, graph: Graph, named: dict[int, str]) -> None:
        self.graph, self.named = graph, named
        self.words: dict[int, str] = {}

    def lines(self, targets: Sequence[tuple[str, int]]) -> list[str]:
        """Assignments to all targets, and of what they share before them."""
        graph, lines = self.graph, []
        order = graph.reachable([node for _, node in targets])
        uses = Counter(arg for number in order for arg in graph.nodes[number].args)
        uses.update(node for _, node in targets)
        weight: dict[int, int] = {}
        count = 0
        for number in order:
            args = graph.nodes[number].args
            inner = sum(weight[arg] for arg in args)
            weight[number] = inner + 1 if args else 0
            if not args or (number not in self.named and uses[number] == 1 and inner <= MOST_INLINE):
                continue
            text = self.write(number)[0]
            weight[number] = 0
            count += 1
            self.words[number] = self.named.get(number, f"v{count}")
            kind = "int" if graph.is_boolean(number) else "double"
            lines.append(f"const {kind} {self.words[number]} = {text};")
        return [*lines, *(f"{target} = {self.write(node)[0]};" for target, node in targets)]

    def write(self, number: int) -> tuple[str, int]:
        """The text of a node and how tightly it binds."""
        if number in self.words:
            return self.words[number], PRIMARY
        op, args, value = self.graph.nodes[number]
        if not args:
            return _leaf(op, value)
        if op in INFIX:
            sign, rank = INFIX[op]
            return f"{self._inside(args[0], rank)} {sign} {self._inside(args[1], rank + 1)}", rank
        if op in LOGIC:
            return f"({self._inside(args[0], UNARY)} {LOGIC[op]} {self._inside(args[1], UNARY)})", PRIMARY
        if op == "select":
            condition, one, other = (self._inside(arg, ADDITIVE) for arg in args)
            return f"({condition} ? {one} : {other})", PRIMARY
        if op in ("neg", "not"):
            return f"{'-' if op == 'neg' else '!'}{self._inside(args[0], PRIMARY)}", UNARY
        return f"{CALL.get(op, op)}({', '.join(self.write(arg)[0] for arg in args)})", PRIMARY

    def _inside(self, number: int, rank: int) -> str:
        text, own = self.write(number)
        return text if own >= rank else f"({text})"


def _leaf(op: str, value: float) -> tuple[str, int]:
    if op == "const":
        if math.isinf(value):
            return ("INFINITY", PRIMARY) if value > 0 else ("-INFINITY", UNARY)
        return repr(value), PRIMARY if value >= 0 else UNARY
    if op == "time":
        return "time_h", PRIMARY
    return {"nan": "NAN", "true": "1", "false": "0"}[op], PRIMARY


def _comment(name: str) -> str:
    return name.replace("*/", "* /")
