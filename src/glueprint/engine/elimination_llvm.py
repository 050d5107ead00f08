"""Elimination and substitution of large systems, as loops over tables instead of one straight line.

A straight line keeps small systems in registers and is the fastest there, but a compiler's time grows faster
than the line. The tables are of 32-bit indices into the factors (`kernels_llvm.factor_places`) and states.
"""

from __future__ import annotations

from collections.abc import Iterable

from glueprint.engine.loops_llvm import loop
from glueprint.engine.program import Program
from glueprint.formulas.ir import Block, splat

__all__ = ["factor_places", "functions", "is_large"]

LARGE, MANY = 800, 150  # updates of an elimination, and states, that are no longer written out

Place = tuple[int, int]


def factor_places(program: Program) -> dict[Place, int]:
    """Where each number of the factors lies in memory: inverse pivots, then lower, then upper."""
    plan = program.elimination
    places = [(k, k) for k in plan.order] + [*plan.lower, *plan.upper]
    return {place: i for i, place in enumerate(places)}


def is_large(program: Program) -> bool:
    """Whether the elimination runs over tables."""
    updates = sum(len(columns) for _, _, columns in program.elimination.updates)
    return updates > LARGE or program.states > MANY


def functions(program: Program, width: int) -> str:
    """Code of @clear(l), @decompose(l) and @substitute(l, u), nothing for small systems."""
    if not is_large(program):
        return ""
    clear = loop("clear", "ptr noalias %l", _cleared(width), len(factor_places(program)))
    return "\n".join([*_tables(program), clear, _decompose(program, width), _substitute(program, width)])


def _cleared(width: int) -> list[str]:
    block = Block(width)
    block.store_at(block.const(0.0), "%l", "%k")
    return block.lines


def _tables(program: Program) -> list[str]:
    """Rows are numbered by pivot: those of @upper_start, and of @row_start into @rows and @lower_*."""
    plan, places = program.elimination, factor_places(program)
    size = program.states
    upper: dict[int, list[int]] = {k: [] for k in plan.order}
    for i, j in plan.upper:
        upper[i].append(j)
    rows: dict[int, list[tuple[int, tuple[int, ...]]]] = {k: [] for k in plan.order}
    for i, k, columns in plan.updates:
        rows[k].append((i, columns))
    starts, first = [0], [0]
    targets: list[int] = []
    for k in plan.order:
        starts.append(starts[-1] + len(upper[k]))
        first.append(first[-1] + len(rows[k]))
        targets += [places[i, j] for i, columns in rows[k] for j in columns]
    assert [places[k, k] for k in plan.order] == list(range(size))
    return [
        _table("order", plan.order),
        _table("upper_start", starts),
        _table("upper_state", (j for k in plan.order for j in upper[k])),
        _table("row_start", first),
        _table("lower_state", (i for i, _ in plan.lower)),
        _table("target", targets),
    ]


def _table(name: str, values: Iterable[int]) -> str:
    entries = [f"i32 {value}" for value in values] or ["i32 0"]
    return f"@{name} = internal constant [{len(entries)} x i32] [{', '.join(entries)}]"


class _Text:
    """Text of nested loops over tables."""

    def __init__(self, width: int) -> None:
        self.v, self.align = f"<{width} x double>", 8 * width
        self.lines: list[str] = []
        self.count = 0

    def let(self, right: str) -> str:
        self.count += 1
        self.lines.append(f"  %e{self.count} = {right}")
        return f"%e{self.count}"

    def entry(self, table: str, index: str) -> str:
        place = self.let(f"getelementptr i32, ptr @{table}, i64 {index}")
        return self.let(f"zext i32 {self.let(f'load i32, ptr {place}')} to i64")

    def place(self, array: str, index: str) -> str:
        return self.let(f"getelementptr {self.v}, ptr {array}, i64 {index}")

    def load(self, place: str) -> str:
        return self.let(f"load {self.v}, ptr {place}, align {self.align}")

    def store(self, value: str, place: str) -> None:
        self.lines.append(f"  store {self.v} {value}, ptr {place}, align {self.align}")

    def less(self, value: str, factor: str, other: str) -> str:
        """value - factor * other."""
        product = self.let(f"fmul contract {self.v} {factor}, {other}")
        return self.let(f"fsub contract {self.v} {value}, {product}")

    def add(self, *lines: str) -> None:
        self.lines += lines


def _decompose(program: Program, width: int) -> str:
    """In place: lower factors scaled, pivots inverted."""
    t, size = _Text(width), program.states
    above = size + len(program.elimination.lower)  # place of the first upper factor
    t.add(
        "define internal void @decompose(ptr noalias %l) noinline nounwind {",
        "entry:",
        "  br label %pivot",
        "pivot:",
        "  %p = phi i64 [ 0, %entry ], [ %p2, %ended ]",
        "  %goal0 = phi i64 [ 0, %entry ], [ %goal, %ended ]",
    )
    diagonal = t.place("%l", "%p")
    inverse = t.let(f"fdiv {t.v} {splat(1.0, width)}, {t.load(diagonal)}")
    t.store(inverse, diagonal)
    t.add("  %p2 = add i64 %p, 1")
    first, last = t.entry("row_start", "%p"), t.entry("row_start", "%p2")
    start, end = t.entry("upper_start", "%p"), t.entry("upper_start", "%p2")
    t.add(
        f"  %some = icmp ult i64 {first}, {last}",
        "  br i1 %some, label %row, label %ended",
        "row:",
        f"  %r = phi i64 [ {first}, %pivot ], [ %r2, %rowended ]",
        "  %goal1 = phi i64 [ %goal0, %pivot ], [ %goal2, %rowended ]",
    )
    lower = t.place("%l", t.let(f"add i64 %r, {size}"))
    scaled = t.let(f"fmul {t.v} {t.load(lower)}, {inverse}")
    t.store(scaled, lower)
    t.add(
        f"  %wide = icmp ult i64 {start}, {end}",
        "  br i1 %wide, label %update, label %rowended",
        "update:",
        f"  %c = phi i64 [ {start}, %row ], [ %c2, %update ]",
        "  %g = phi i64 [ %goal1, %row ], [ %g2, %update ]",
    )
    upper = t.load(t.place("%l", t.let(f"add i64 %c, {above}")))
    target = t.place("%l", t.entry("target", "%g"))
    t.store(t.less(t.load(target), scaled, upper), target)
    t.add(
        "  %c2 = add i64 %c, 1",
        "  %g2 = add i64 %g, 1",
        f"  %morec = icmp ult i64 %c2, {end}",
        "  br i1 %morec, label %update, label %rowended",
        "rowended:",
        "  %goal2 = phi i64 [ %goal1, %row ], [ %g2, %update ]",
        "  %r2 = add i64 %r, 1",
        f"  %morer = icmp ult i64 %r2, {last}",
        "  br i1 %morer, label %row, label %ended",
        "ended:",
        "  %goal = phi i64 [ %goal0, %pivot ], [ %goal2, %rowended ]",
        f"  %morep = icmp ult i64 %p2, {size}",
        "  br i1 %morep, label %pivot, label %done",
        "done:",
        "  ret void",
        "}",
    )
    return "\n".join(t.lines)


def _substitute(program: Program, width: int) -> str:
    """In place, u from the right side to the solution."""
    t, size = _Text(width), program.states
    above = size + len(program.elimination.lower)
    t.add(
        "define internal void @substitute(ptr noalias %l, ptr noalias %u) noinline nounwind {",
        "entry:",
        "  br label %pivot",
        "pivot:",
        "  %p = phi i64 [ 0, %entry ], [ %p2, %ended ]",
        "  %p2 = add i64 %p, 1",
    )
    known = t.load(t.place("%u", t.entry("order", "%p")))
    first, last = t.entry("row_start", "%p"), t.entry("row_start", "%p2")
    t.add(
        f"  %some = icmp ult i64 {first}, {last}",
        "  br i1 %some, label %row, label %ended",
        "row:",
        f"  %r = phi i64 [ {first}, %pivot ], [ %r2, %row ]",
    )
    factor = t.load(t.place("%l", t.let(f"add i64 %r, {size}")))
    target = t.place("%u", t.entry("lower_state", "%r"))
    t.store(t.less(t.load(target), factor, known), target)
    t.add(
        "  %r2 = add i64 %r, 1",
        f"  %morer = icmp ult i64 %r2, {last}",
        "  br i1 %morer, label %row, label %ended",
        "ended:",
        f"  %morep = icmp ult i64 %p2, {size}",
        "  br i1 %morep, label %pivot, label %back",
        "back:",
        f"  %q2 = phi i64 [ {size}, %ended ], [ %q, %stored ]",
        "  %q = sub i64 %q2, 1",
    )
    place = t.place("%u", t.entry("order", "%q"))
    begun = t.load(place)
    start, end = t.entry("upper_start", "%q"), t.entry("upper_start", "%q2")
    t.add(
        f"  %wide = icmp ult i64 {start}, {end}",
        "  br i1 %wide, label %column, label %stored",
        "column:",
        f"  %c = phi i64 [ {start}, %back ], [ %c2, %column ]",
        f"  %sum = phi {t.v} [ {begun}, %back ], [ %sum2, %column ]",
    )
    upper = t.load(t.place("%l", t.let(f"add i64 %c, {above}")))
    other = t.load(t.place("%u", t.entry("upper_state", "%c")))
    product = t.let(f"fmul contract {t.v} {upper}, {other}")
    t.add(
        f"  %sum2 = fsub contract {t.v} %sum, {product}",
        "  %c2 = add i64 %c, 1",
        f"  %morec = icmp ult i64 %c2, {end}",
        "  br i1 %morec, label %column, label %stored",
        "stored:",
        f"  %total = phi {t.v} [ {begun}, %back ], [ %sum2, %column ]",
    )
    diagonal = t.load(t.place("%l", "%q"))
    t.store(t.let(f"fmul {t.v} %total, {diagonal}"), place)
    t.add(
        "  %moreq = icmp ugt i64 %q, 0",
        "  br i1 %moreq, label %back, label %done",
        "done:",
        "  ret void",
        "}",
    )
    return "\n".join(t.lines)
