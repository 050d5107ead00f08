"""Straight-line machine code of one model: set-up per patient, factorisation, and one stage of the method.

Rows of the linear system are kept in registers from the rates to the end of the substitution; only the
factors and the stages go to memory. Names of pointers: y states, q hoisted values, s df/dt, l factors, u the
stage.
"""

from __future__ import annotations

from glueprint.engine.elimination_llvm import factor_places, is_large
from glueprint.engine.program import Program
from glueprint.engine.rounding import ROUNDING
from glueprint.formulas.ir import Block
from glueprint.formulas.pieces_llvm import function

__all__ = ["compute_known", "factor", "middle", "setup", "stage", "violated"]

Place = tuple[int, int]


def middle(program: Program, vector: str, name: str = "%m") -> str:
    """The argument `name` for the middle of the step, empty where the program does not read it."""
    return f"{vector} {name}, " if program.switched else ""


def _function(block: Block, name: str, arguments: str) -> str:
    return function(name, arguments, block.lines, block.width, ("%p", "%q", "%y"))


def setup(program: Program, width: int) -> tuple[str, set[str]]:
    """Code of @setup(parameters, hoisted): everything that depends on parameters alone."""
    block = Block(width)
    known: dict[int, str] = {}
    for place, node in enumerate(program.hoisted):
        block.expressions(program.graph, [node], known, {"param": "%p"})
        value = known[node]
        if program.graph.is_boolean(node):
            value = block.choose(value, block.const(1.0), block.const(0.0))
        block.store(value, "%q", place)
    return _function(block, "setup", "ptr noalias %p, ptr noalias %q"), block.helpers


class _Loaded(dict[int, str]):
    """Values known so far; hoisted ones are loaded when first asked for."""

    def __init__(self, block: Block, program: Program) -> None:
        super().__init__()
        self.block, self.program = block, program
        self.places = {node: place for place, node in enumerate(program.hoisted)}

    def __contains__(self, node: object) -> bool:
        if super().__contains__(node):
            return True
        if not isinstance(node, int) or node not in self.places:
            return False
        value = self.block.load("%q", self.places[node])
        if self.program.graph.is_boolean(node):
            value = self.block.compare("une", value, self.block.const(0.0))
        self[node] = value
        return True


def _compute(block: Block, program: Program, wanted: list[int], known: _Loaded) -> list[str]:
    leaves = {"state": "%y", "time": "%t", "middle": "%m", "largest": "%g", "tolerance": "%tol"}
    block.expressions(program.graph, wanted, known, leaves)
    return [known[node] for node in wanted]


def compute_known(block: Block, program: Program, wanted: list[int]) -> list[str]:
    """Emit `wanted` from states %y, hoisted values %q and time %t; returns their names."""
    return _compute(block, program, wanted, _Loaded(block, program))


def factor(program: Program, width: int) -> tuple[str, set[str]]:
    """Code of @factor(y, q, t, m, invhg, hg, s, l, u): f, df/dt, LU of I/(h gamma) - J, and the first stage.

    m, the middle of the step, is an argument only where the program reads it (`middle`); r, what rounding
    does to each state, only where it is reckoned with.
    """
    block = Block(width)
    known = _Loaded(block, program)
    if is_large(program):
        _factor_by_tables(block, program, known)
    else:
        _factor_in_line(block, program, known)
    vector = block.vector
    arguments = (
        f"ptr noalias %y, ptr noalias %q, {vector} %t, {middle(program, vector)}{vector} %invhg, "
        f"{vector} %hg, "
        "ptr noalias %s, ptr noalias %l, ptr noalias %u" + (", ptr noalias %r" if program.gains else "")
    )
    return _function(block, "factor", arguments), block.helpers


def _factor_in_line(block: Block, program: Program, known: _Loaded) -> None:
    right = _compute(block, program, list(program.rates), known)
    for i in program.time_slope:
        right[i] = _with_slope(block, program, known, i, right[i])
    places = program.jacobian
    entries = dict(zip(places, _compute(block, program, list(places.values()), known), strict=True))
    for k in range(program.states):
        diagonal = entries.get((k, k))
        entries[k, k] = "%invhg" if diagonal is None else block.infix("add", diagonal, "%invhg")
    for k in program.gains:
        _round(block, program, known, k, entries[k, k])
    _factorise(block, program, entries)
    for place, index in factor_places(program).items():
        block.store(entries[place], "%l", index)
    _substitute(block, program, entries, right)


def _factor_by_tables(block: Block, program: Program, known: _Loaded) -> None:
    """Everything goes to memory as soon as it is known."""
    for i, node in enumerate(program.rates):
        rate = _compute(block, program, [node], known)[0]
        if i in program.time_slope:
            rate = _with_slope(block, program, known, i, rate)
        block.store(rate, "%u", i)
    block.lines.append("  call void @clear(ptr %l)")
    memory = factor_places(program)
    for place, node in program.jacobian.items():
        if place[0] != place[1]:
            block.store(_compute(block, program, [node], known)[0], "%l", memory[place])
    for k in range(program.states):
        diagonal, entry = program.jacobian.get((k, k)), "%invhg"
        if diagonal is not None:
            entry = block.infix("add", _compute(block, program, [diagonal], known)[0], "%invhg")
        block.store(entry, "%l", memory[k, k])
        if k in program.gains:
            _round(block, program, known, k, entry)
    block.lines += ["  call void @decompose(ptr %l)", "  call void @substitute(ptr %l, ptr %u)"]


def _with_slope(block: Block, program: Program, known: _Loaded, i: int, rate: str) -> str:
    """A rate with its change by time, which is kept at %s for the other stages."""
    slope = _compute(block, program, [program.time_slope[i]], known)[0]
    block.store(slope, "%s", i)
    return block.infix("add", rate, block.infix("mul", "%hg", slope))


def _round(block: Block, program: Program, known: _Loaded, k: int, diagonal: str) -> None:
    """Keep at %r what rounding does to a state."""
    size = _compute(block, program, [program.gains[k]], known)[0]
    slower = block.choose(block.compare("ogt", diagonal, "%invhg"), diagonal, "%invhg")
    share = block.infix("mul", size, block.const(ROUNDING))
    block.store(block.infix("div", share, slower), "%r", k)


def violated(program: Program, width: int) -> tuple[str, set[str]]:
    """Code of @violated(y, q, t, g, tol): lanes whose state y, with maxima g, lies where a rate is
    undefined.
    """
    if not program.violations:
        return "", set()
    block = Block(width)
    result = "zeroinitializer"
    for mask in compute_known(block, program, list(program.violations)):
        result = block.let(f"or {block.mask} {result}, {mask}")
    v = block.vector
    arguments = f"ptr noalias %y, ptr noalias %q, {v} %t, ptr noalias %g, {v} %tol"
    head = f"define internal {block.mask} @violated({arguments}) noinline nounwind"
    return "\n".join([f"{head} {{", *block.lines, f"  ret {block.mask} {result}", "}"]), block.helpers


def _factorise(block: Block, program: Program, entries: dict[Place, str]) -> None:
    """In place: lower factors scaled, pivots inverted."""
    inverted: dict[str, str] = {}
    pivots = iter(program.elimination.order)
    current = -1

    def invert(k: int) -> None:
        value = entries[k, k]
        if value not in inverted:
            inverted[value] = block.infix("div", block.const(1.0), value)
        entries[k, k] = inverted[value]

    for i, k, columns in program.elimination.updates:
        while current != k:
            current = next(pivots)
            invert(current)
        entries[i, k] = block.infix("mul", entries[i, k], entries[k, k])
        for j in columns:
            product = block.infix("mul", entries[i, k], entries[k, j])
            before = entries.get((i, j))
            if before is None:
                entries[i, j] = block.let(f"fneg {block.vector} {product}")
            else:
                entries[i, j] = block.infix("sub", before, product)
    for k in pivots:
        invert(k)


def _substitute(block: Block, program: Program, entries: dict[Place, str], right: list[str]) -> None:
    """Solve with the factors and store the stage at %u."""
    plan = program.elimination
    for i, k in plan.lower:
        right[i] = block.infix("sub", right[i], block.infix("mul", entries[i, k], right[k]))
    upper: dict[int, list[int]] = {}
    for i, j in plan.upper:
        upper.setdefault(i, []).append(j)
    for k in reversed(plan.order):
        for j in upper.get(k, []):
            right[k] = block.infix("sub", right[k], block.infix("mul", entries[k, j], right[j]))
        right[k] = block.infix("mul", right[k], entries[k, k])
        block.store(right[k], "%u", k)


class _FromMemory(dict[Place, str]):
    """Factors, loaded when first asked for."""

    def __init__(self, block: Block, program: Program) -> None:
        super().__init__()
        self.block, self.places = block, factor_places(program)

    def __missing__(self, place: Place) -> str:
        value = self[place] = self.block.load("%l", self.places[place])
        return value


def stage(program: Program, width: int) -> tuple[str, set[str]]:
    """Code of @stage(y, q, t, m, hd, s, l, u): u holds the sum of C_ij U_j / h and becomes the stage."""
    block = Block(width)
    known = _Loaded(block, program)
    large = is_large(program)
    right = [] if large else _compute(block, program, list(program.rates), known)
    for i, node in enumerate(program.rates):
        rate = _compute(block, program, [node], known)[0] if large else right[i]
        total = block.infix("add", rate, block.load("%u", i))
        if i in program.time_slope:
            slope = block.load("%s", i)
            total = block.infix("add", total, block.infix("mul", "%hd", slope))
        if large:
            block.store(total, "%u", i)
        else:
            right[i] = total
    if large:
        block.lines.append("  call void @substitute(ptr %l, ptr %u)")
    else:
        _substitute(block, program, _FromMemory(block, program), right)
    vector = block.vector
    arguments = (
        f"ptr noalias %y, ptr noalias %q, {vector} %t, {middle(program, vector)}{vector} %hd, "
        "ptr noalias %s, ptr noalias %l, ptr noalias %u"
    )
    return _function(block, "stage", arguments), block.helpers
