"""The model as readable C99: its rates and their Jacobian, from the graph that machine code is made of.

It is for review and for cross-checking, not for speed: one patient, one function for each question, every
rule and reaction under its own name.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from collections import Counter
from collections.abc import Sequence

from glueprint.engine.model import Model
from glueprint.engine.program import Program, build
from glueprint.engine.system import System
from glueprint.engine.tangent import fresh_graph
from glueprint.formulas.expressions import SMALLEST_BASE, Graph
from glueprint.formulas.lowering import Lowering

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
CALL = {
    **{"abs": "fabs", "gamma": "tgamma", "min": "smaller", "max": "larger"},
    **{"slopebase": "slope_base", "plog": "log_of_base"},
    **{name: name for name in ("exp", "log", "sqrt", "floor", "ceil", "sin", "cos", "tan", "asin", "acos")},
    **{name: name for name in ("atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")},
}
MOST_INLINE = 6  # operations that a line may hold beyond its own

# What a name of the model must not be called: words of C, what this file uses, macros of old compilers.
WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
while asm typeof main linux unix i386 DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS HUGE HUGE_VAL HUGE_VALF
HUGE_VALL INFINITY NAN MATH_ERRNO MATH_ERREXCEPT math_errhandling STATES PARAMETERS time_h state
parameter rate slope jacobian rates place
"""
RESERVED = frozenset([*WORDS.split(), *CALL.values()])
HELPERS = f"""\
/* A base or radicand of a power that touches 0 keeps its slope finite. */
static inline double slope_base(double a) {{ return fabs(a) > {SMALLEST_BASE!r} ? a : {SMALLEST_BASE!r}; }}
/* The logarithm in a power: a base of 0 gives 0 or, to a negative power, infinity. */
static inline double log_of_base(double a) {{ return a < {sys.float_info.min!r} ? -1e300 : log(a); }}
static inline double smaller(double a, double b) {{ return a < b ? a : b; }}
static inline double larger(double a, double b) {{ return a > b ? a : b; }}"""


def c_source(model: Model) -> str:
    """C99 text of a model's right-hand side and Jacobian.

    Returns text with `rates(time_h, state, parameter, rate)` and `jacobian(time_h, state, parameter,
    slope)`, the latter row by row, d(rate i)/d(state j) at i * STATES + j; states are in the units of the
    solver (amounts, where the model has amounts). The same model gives the same text.
    """
    system = dataclasses.replace(model.system, graph=fresh_graph(model.system))
    return _Writer(system, build(system, in_steps=False)).text()


class _Writer:
    """Names for what the model names, and the functions that use them."""

    def __init__(self, system: System, program: Program) -> None:
        self.system, self.program = system, program
        self.graph = system.graph
        self.taken: set[str] = set()
        self.states = [self._leaf_word(name) for name in system.states]
        self.params = [self._leaf_word(name) for name in system.params]
        lower = Lowering(self.graph)
        self.named: dict[int, str] = {}
        for name, node in system.symbols.items():
            lowered = lower(node)
            if self.graph.nodes[lowered].args and lowered not in self.named:
                self.named[lowered] = self._word(name)

    def _leaf_word(self, name: str) -> str:
        """An amount, where the model's own name means the concentration, says so."""
        slot = self.system.slots.get(name)
        return self._word(name if slot is None or slot.scale is None else f"{name}_amount")

    def _word(self, name: str) -> str:
        """An unused identifier of C, the name itself where possible."""
        word = re.sub(r"\W+", "_", name).strip("_") or "value"
        while word in RESERVED or word in self.taken or re.fullmatch(r"v\d+|(M|FP)_\w+", word):
            word += "_"
        self.taken.add(word)
        return word

    def text(self) -> str:
        """The whole file."""
        program = self.program
        rates = [(f"rate[{i}]", node) for i, node in enumerate(program.rates)]
        slopes = [
            (f"slope[{i} * STATES + {j}]", self.graph.apply("neg", node))
            for (i, j), node in sorted(program.jacobian.items())
        ]
        lines = [
            f"/* {self.system.name}: rates and Jacobian, time in hours.",
            *(f" * state[{i}] {name}" for i, name in enumerate(self.system.states)),
            *(f" * parameter[{i}] {name}" for i, name in enumerate(self.system.params)),
            *(f" * Not here: the event {event.name}." for event in self.system.events),
            " */",
            "#include <math.h>",
            "",
            f"enum {{ STATES = {len(self.states)}, PARAMETERS = {len(self.params)} }};",
            "",
            HELPERS,
            "",
            *self._function("rates", "rate", rates),
            "",
            *self._function("jacobian", "slope", slopes),
        ]
        return "\n".join(lines) + "\n"

    def _function(self, name: str, result: str, targets: Sequence[tuple[str, int]]) -> list[str]:
        """One function; results that are not assigned are 0."""
        roots = [node for _, node in targets]
        reads = {kind: self.graph.leaves(roots, kind) for kind in ("time", "state", "param")}
        arguments = {"time": "time_h", "state": "state", "param": "parameter"}
        lines = [f"(void){arguments[kind]};" for kind, indices in reads.items() if not indices]
        if result == "slope":
            lines.append("for (int place = 0; place < STATES * STATES; ++place) slope[place] = 0.0;")
        words: dict[int, str] = {}
        for i in reads["state"]:
            words[self.graph.state(i)] = self.states[i]
            lines.append(f"const double {self.states[i]} = state[{i}];")
        for i in reads["param"]:
            words[self.graph.param(i)] = self.params[i]
            lines.append(f"const double {self.params[i]} = parameter[{i}];")
        lines += _Body(self.graph, self.named, words).lines(targets)
        head = f"void {name}(double time_h, const double *state, const double *parameter, double *{result})"
        return [head, "{", *(f"    {line}" for line in lines), "}"]


class _Body:
    """Statements that compute nodes: what is used once and small is written out where it is used."""

    def __init__(self, graph: Graph, named: dict[int, str], words: dict[int, str]) -> None:
        self.graph, self.named, self.words = graph, named, words

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
            count += number not in self.named
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
        return f"{CALL[op]}({', '.join(self.write(arg)[0] for arg in args)})", PRIMARY

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
