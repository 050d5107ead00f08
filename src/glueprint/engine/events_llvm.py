"""Triggers of events: which hold, and when inside a step the first of them changes.

Each trigger is a bit. After a step the dense output is sampled at a few points, then the first change is
enclosed by bisection; the driver repeats the step up to there, so that the state at an event has the full
order of the method.
"""

from __future__ import annotations

from glueprint.engine import tableau
from glueprint.engine.kernels_llvm import compute_known, middle
from glueprint.engine.layout import Workspace
from glueprint.engine.program import Program
from glueprint.formulas.expressions import Graph
from glueprint.formulas.ir import Block

__all__ = ["SAMPLES", "check", "locate", "own_bits", "triggers"]

SAMPLES = 8  # points of a step at which triggers are looked at
BISECTIONS = 44
BITS = 64  # of a word


def triggers(program: Program, width: int) -> tuple[str, set[str]]:
    """Code of @triggers(y, q, t, m): one bit per trigger that holds, then those of what is watched.

    What is watched shares the bits that are left; a bit that several share changes with each of them.
    """
    if not program.has_conditions:
        return "", set()
    block = Block(width)
    words = f"<{width} x i64>"
    own = len(program.triggers)
    shared = program.watched if own < BITS else ()
    held = compute_known(block, program, [*program.triggers, *shared])
    result = "zeroinitializer"
    for place, mask in enumerate(held):
        at = place if place < own else own + (place - own) % (BITS - own)
        bit = "<" + ", ".join([f"i64 {_signed(1 << at)}"] * width) + ">"
        chosen = block.let(f"select {block.mask} {mask}, {words} {bit}, {words} zeroinitializer")
        result = block.let(f"xor {words} {result}, {chosen}")
    v = block.vector
    last = ", " + middle(program, v).removesuffix(", ") if program.switched else ""
    head = f"define internal {words} @triggers(ptr noalias %y, ptr noalias %q, {v} %t{last}) noinline"
    return "\n".join([f"{head} {{", *block.lines, f"  ret {words} {result}", "}"]), block.helpers


def check(program: Program, workspace: Workspace, width: int) -> str:
    """Code of @check(n, state, params, time, bits, ws): the triggers that hold for each of n patients.

    It runs the very instructions of the solver, so both agree to the last bit about a value on the edge.
    """
    if not program.has_conditions:
        return ""
    v, offsets = f"<{width} x double>", workspace.offsets
    parts = "\n".join(
        f"  %p_{part} = getelementptr {v}, ptr %ws, i64 {offsets[part]}" for part in ("y", "p", "q", "t")
    )
    return f"""define void @check(i64 %n, ptr %state, ptr %params, ptr %time, ptr %bits, ptr %ws) nounwind {{
entry:
{parts}
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %body, label %done
body:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %first = mul i64 %k, {program.states}
  %row = getelementptr double, ptr %state, i64 %first
  call void @gather(ptr %p_y, ptr %row, i64 {program.states})
  %firstp = mul i64 %k, {program.params}
  %rowp = getelementptr double, ptr %params, i64 %firstp
  call void @gather(ptr %p_p, ptr %rowp, i64 {program.params})
  %place = getelementptr double, ptr %time, i64 %k
  %now = load double, ptr %place
  store double %now, ptr %p_t
  call void @setup(ptr %p_p, ptr %p_q)
  %t = load {v}, ptr %p_t, align {8 * width}
  %held = call <{width} x i64> @triggers(ptr %p_y, ptr %p_q, {v} %t{f", {v} %t" if program.switched else ""})
  %every = extractelement <{width} x i64> %held, i32 0
  %word = and i64 %every, {own_bits(program)}
  %target = getelementptr i64, ptr %bits, i64 %k
  store i64 %word, ptr %target
  %next = add i64 %k, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %body, label %done
done:
  ret void
}}"""


def own_bits(program: Program) -> int:
    """The bits of triggers, which outlive a run: what else is watched is the run's own affair."""
    return _signed((1 << len(program.triggers)) - 1)


def _signed(bit: int) -> int:
    """A word of bits as LLVM writes it."""
    return bit - 2**64 if bit >= 2**63 else bit


def _read_states(graph: Graph, program: Program) -> list[int]:
    return graph.leaves([*program.triggers, *program.watched], "state")


def locate(program: Program, width: int) -> str:
    """Code of @locate(y, z, u, d, q, t, h, end, bits).

    Returns the fraction of the step after which a trigger has first changed, 2 where none has. y, z: states
    before and after.   d: room for states in between.   end: the time after the step.   bits: triggers that
    held before.
    """
    if not program.has_conditions:
        return ""
    block = Block(width)
    v, w = block.vector, f"<{width} x i64>"
    states = _read_states(program.graph, program)
    curves = {i: _curve(block, program, i) for i in states}
    head = (
        f"define internal {v} @locate(ptr %y, ptr %z, ptr %u, ptr %d, ptr %q, "
        f"{v} %t, {v} %h, {v} %end, {middle(program, v)}{w} %bits)"
        " noinline {"
    )
    lines = [head, "entry:", *block.lines, "  br label %sample"]
    sampling, low, high = _sampling(block, curves, switched=program.switched)
    bisection = _bisection(block, curves, low, high, switched=program.switched)
    return "\n".join([*lines, *sampling, *bisection, "}"])


def _curve(block: Block, program: Program, state: int) -> tuple[str, ...]:
    """Values before and after, and the three coefficients of the interpolant of one state."""
    stages = [block.load("%u", j * program.states + state) for j in range(tableau.STAGES)]
    weights = []
    for row in tableau.DENSE:
        total = block.infix("mul", stages[0], block.const(row[0]))
        for value, weight in zip(stages[1:], row[1:], strict=True):
            total = block.infix("add", total, block.infix("mul", value, block.const(weight)))
        weights.append(total)
    return (block.load("%y", state), block.load("%z", state), *weights)


def _bits_at(block: Block, curves: dict[int, tuple[str, ...]], x: str, *, switched: bool) -> str:
    """Emit the triggers at fraction x of the step; at 1 they see exactly the new state and time."""
    one = block.const(1.0)
    rest = block.infix("sub", one, x)
    for state, (before, after, k1, k2, k3) in curves.items():
        inner = block.infix("add", k2, block.infix("mul", x, k3))
        inner = block.infix("add", k1, block.infix("mul", x, inner))
        inner = block.infix("add", after, block.infix("mul", rest, inner))
        value = block.infix("add", block.infix("mul", rest, before), block.infix("mul", x, inner))
        block.store(value, "%d", state)
    inside = block.infix("add", "%t", block.infix("mul", x, "%h"))
    time = block.choose(block.compare("oge", x, one), "%end", inside)
    words = f"<{block.width} x i64>"
    last = f", {block.vector} %m" if switched else ""
    return block.let(f"call {words} @triggers(ptr %d, ptr %q, {block.vector} {time}{last})")


def _sampling(
    block: Block, curves: dict[int, tuple[str, ...]], *, switched: bool
) -> tuple[list[str], str, str]:
    """Loop over the samples; the two names enclose the first change, the second is 2 where there is none."""
    v, m, w = block.vector, block.mask, f"<{block.width} x i64>"
    block.lines = []
    step = block.const(1.0 / SAMPLES)
    next_x = block.infix("add", "%x", step)
    changed = block.let(f"icmp ne {w} {_bits_at(block, curves, next_x, switched=switched)}, %bits")
    ones = "<" + ", ".join(["i1 true"] * block.width) + ">"
    first = block.let(f"and {m} {changed}, {block.let(f'xor {m} %found, {ones}')}")
    low, high = block.choose(first, "%x", "%low"), block.choose(first, next_x, "%high")
    found = block.let(f"or {m} %found, {changed}")
    lines = [
        "sample:",
        f"  %x = phi {v} [ zeroinitializer, %entry ], [ {next_x}, %sample ]",
        f"  %low = phi {v} [ zeroinitializer, %entry ], [ {low}, %sample ]",
        f"  %high = phi {v} [ {block.const(2.0)}, %entry ], [ {high}, %sample ]",
        f"  %found = phi {m} [ zeroinitializer, %entry ], [ {found}, %sample ]",
        "  %i = phi i64 [ 0, %entry ], [ %i2, %sample ]",
        *block.lines,
        "  %i2 = add i64 %i, 1",
        f"  %more = icmp ult i64 %i2, {SAMPLES}",
        "  br i1 %more, label %sample, label %sampled",
        "sampled:",
        f"  %any = bitcast {m} {found} to i{block.width}",
        f"  %none = icmp eq i{block.width} %any, 0",
        "  br i1 %none, label %done, label %bisect",
    ]
    return lines, low, high


def _bisection(
    block: Block, curves: dict[int, tuple[str, ...]], low: str, high: str, *, switched: bool
) -> list[str]:
    v, w = block.vector, f"<{block.width} x i64>"
    block.lines = []
    half = block.infix("mul", block.infix("add", "%a", "%b"), block.const(0.5))
    changed = block.let(f"icmp ne {w} {_bits_at(block, curves, half, switched=switched)}, %bits")
    a, b = block.choose(changed, "%a", half), block.choose(changed, half, "%b")
    return [
        "bisect:",
        f"  %a = phi {v} [ {low}, %sampled ], [ {a}, %bisect ]",
        f"  %b = phi {v} [ {high}, %sampled ], [ {b}, %bisect ]",
        "  %j = phi i64 [ 0, %sampled ], [ %j2, %bisect ]",
        *block.lines,
        "  %j2 = add i64 %j, 1",
        f"  %again = icmp ult i64 %j2, {BISECTIONS}",
        "  br i1 %again, label %bisect, label %enclosed",
        "enclosed:",
        f"  %is = fcmp ole {v} {high}, {block.const(1.0)}",
        f"  %result = select {block.mask} %is, {v} {b}, {v} {block.const(2.0)}",
        f"  ret {v} %result",
        "done:",
        f"  ret {v} {block.const(2.0)}",
    ]
