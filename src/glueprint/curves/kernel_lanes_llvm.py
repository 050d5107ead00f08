"""Code for the lanes of a vector in LLVM's text form: arithmetic written as in Python, and a supply of jobs.

A job is a record of numbers, which the machine code copies into a lane, works on, and copies back when the
lane has ended; the lane then takes the next job, so that lanes never wait for one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from glueprint.formulas.ir import Block

__all__ = ["Code", "Layout", "Parts", "Vector", "program"]

Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Layout:
    """Names and lengths of what a lane holds: its record, what is 0 when a job begins, and what may hold
    anything; its points follow."""

    record: Parts
    cleared: Parts = ()
    scratch: Parts = ()

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each part stands."""
        places, at = {}, 0
        for name, count in (*self.record, *self.cleared, *self.scratch):
            places[name] = slice(at, at + count)
            at += count
        return places

    @property
    def length(self) -> int:
        """Numbers in a record."""
        return sum(count for _, count in self.record)

    @property
    def data(self) -> int:
        """Where the points begin."""
        return sum(count for _, count in (*self.record, *self.cleared, *self.scratch))


@dataclass(frozen=True)
class Vector:
    """One number, or one truth, a lane; its arithmetic and comparisons emit code."""

    name: str
    code: Code

    def __add__(self, other: Vector) -> Vector:
        return self.code.apply("add", self, other)

    def __sub__(self, other: Vector) -> Vector:
        return self.code.apply("sub", self, other)

    def __mul__(self, other: Vector) -> Vector:
        return self.code.apply("mul", self, other)

    def __truediv__(self, other: Vector) -> Vector:
        return self.code.apply("div", self, other)

    def __neg__(self) -> Vector:
        return self.code.apply("neg", self)

    def __lt__(self, other: Vector) -> Vector:
        return self.code.apply("lt", self, other)

    def __le__(self, other: Vector) -> Vector:
        return self.code.apply("le", self, other)

    def __and__(self, other: Vector) -> Vector:
        return self.code.apply("and", self, other)

    def __or__(self, other: Vector) -> Vector:
        return self.code.apply("or", self, other)

    def __invert__(self) -> Vector:
        return self.code.apply("not", self)


class Code(Block):
    """Code over the parts of a lane, which begin at %ws."""

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__(width)
        self.layout = layout

    def apply(self, op: str, *args: Vector) -> Vector:
        """Emit an operation of `formulas`."""
        return Vector(self.operation(op, [arg.name for arg in args], False), self)

    def real(self, value: float) -> Vector:
        """The same number in every lane."""
        return Vector(self.const(value), self)

    def pick(self, mask: Vector, yes: Vector, no: Vector) -> Vector:
        """Emit a choice, lane by lane."""
        return self.apply("select", mask, yes, no)

    def at_least(self, value: Vector, low: Vector) -> Vector:
        """`value`, or `low` where that is more; what is no number stays so."""
        return self.pick(value < low, low, value)

    def clip(self, value: Vector, low: Vector, high: Vector) -> Vector:
        """Within bounds; what is no number stays so."""
        raised = self.at_least(value, low)
        return self.pick(high < raised, high, raised)

    def get(self, part: str, index: int = 0) -> Vector:
        """Load a part of the lanes."""
        return Vector(self.load("%ws", self.layout.places[part].start + index), self)

    def put(self, value: Vector, part: str, index: int = 0) -> None:
        """Store a part of the lanes."""
        self.store(value.name, "%ws", self.layout.places[part].start + index)

    def address(self, part: str) -> str:
        """A line that names the address of a part as itself."""
        return f"  %{part} = getelementptr {self.vector}, ptr %ws, i64 {self.layout.places[part].start}"

    def sums(self, count: int, terms: Callable[[], list[tuple[Vector, Vector]]], end: str) -> list[Vector]:
        """Emit a loop over the points, each at %point, of `count` sums of products; code goes on at `end`."""
        v, names = self.vector, [f"%s{k}" for k in range(count)]
        self.lines += ["  br label %ready", "ready:", "  br label %loop", "loop:"]
        self.lines.append("  %i = phi i64 [ 0, %ready ], [ %after, %loop ]")
        self.lines += [f"  {s} = phi {v} [ zeroinitializer, %ready ], [ {s}n, %loop ]" for s in names]
        self.lines += ["  %at = mul i64 %i, 3", f"  %point = getelementptr {v}, ptr %data, i64 %at"]
        for s, (x, y) in zip(names, terms(), strict=True):
            given = f"{v} {x.name}, {v} {y.name}, {v} {s}"
            self.lines.append(f"  {s}n = call {v} @llvm.fma.v{self.width}f64({given})")
        self.lines += ["  %after = add i64 %i, 1", "  %more = icmp slt i64 %after, %points"]
        self.lines += [f"  br i1 %more, label %loop, label %{end}", f"{end}:"]
        return [Vector(f"{s}n", self) for s in names]

    def mask_bits(self, mask: Vector) -> str:
        """The lanes of a mask as the bits of an i64."""
        bits = self.let(f"bitcast {self.mask} {mask.name} to i{self.width}")
        return self.let(f"zext i{self.width} {bits} to i64")


COPY = """
@zero = internal constant double 0.0

define internal void @copy(ptr noalias %to, i64 %tostep, ptr noalias %from, i64 %fromstep,
                           i64 %count) nounwind {
entry:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %loop, label %exit
loop:
  %i = phi i64 [ 0, %entry ], [ %after, %loop ]
  %a = mul i64 %i, %fromstep
  %p = getelementptr double, ptr %from, i64 %a
  %x = load double, ptr %p
  %b = mul i64 %i, %tostep
  %q = getelementptr double, ptr %to, i64 %b
  store double %x, ptr %q
  %after = add i64 %i, 1
  %more = icmp slt i64 %after, %count
  br i1 %more, label %loop, label %exit
exit:
  ret void
}"""

# book: the next job, then the job of each lane, -1 for none.
PROGRAM = """
define internal i1 @attend_NAME(ptr %records, i64 %jobs, ptr %rows, ptr %all, i64 %points, ptr %ws, ptr %book,
                                i64 %ended) noinline nounwind {
entry:
  br label %look
look:
  %lane = phi i64 [ 0, %entry ], [ %nextlane, %next ]
  %some = phi i1 [ false, %entry ], [ %busy, %next ]
  %bit = shl i64 1, %lane
  %hit = and i64 %bit, %ended
  %is = icmp ne i64 %hit, 0
  %here = getelementptr double, ptr %ws, i64 %lane
  %nextlane = add i64 %lane, 1
  %place = getelementptr i64, ptr %book, i64 %nextlane
  %job = load i64, ptr %place
  br i1 %is, label %stands, label %next
stands:
  %had = icmp sge i64 %job, 0
  br i1 %had, label %store, label %take
store:
  %done = mul i64 %job, LENGTH
  %written = getelementptr double, ptr %records, i64 %done
  call void @copy(ptr %written, i64 1, ptr %here, i64 WIDTH, i64 LENGTH)
  br label %take
take:
  %new = load i64, ptr %book
  %left = icmp slt i64 %new, %jobs
  %taken = select i1 %left, i64 %new, i64 -1
  store i64 %taken, ptr %place
  br i1 %left, label %load, label %next
load:
  %later = add i64 %new, 1
  store i64 %later, ptr %book
  %begun = mul i64 %new, LENGTH
  %read = getelementptr double, ptr %records, i64 %begun
  call void @copy(ptr %here, i64 WIDTH, ptr %read, i64 1, i64 LENGTH)
  %after = getelementptr double, ptr %here, i64 FIRST
  call void @copy(ptr %after, i64 WIDTH, ptr @zero, i64 0, i64 CLEARED)
  %rowplace = getelementptr i64, ptr %rows, i64 %new
  %row = load i64, ptr %rowplace
  %numbers = mul i64 %points, 3
  %offset = mul i64 %row, %numbers
  %curve = getelementptr double, ptr %all, i64 %offset
  %lanepoints = getelementptr double, ptr %here, i64 DATA
  call void @copy(ptr %lanepoints, i64 WIDTH, ptr %curve, i64 1, i64 %numbers)
  br label %next
next:
  %now = load i64, ptr %place
  %has = icmp sge i64 %now, 0
  %busy = or i1 %some, %has
  %last = icmp eq i64 %nextlane, WIDTH
  br i1 %last, label %exit, label %look
exit:
  ret i1 %busy
}

define void @NAME(ptr noalias %records, i64 %jobs, ptr noalias %rows, ptr noalias %all, i64 %points,
                  ptr noalias %ws, ptr noalias %book) nounwind {
entry:
  %data = getelementptr double, ptr %ws, i64 DATA
BEFORE
  br label %attend
attend:
  %ended = phi i64 [ -1, %entry ], [ %wide, %ending ]
  %going = call i1 @attend_NAME(ptr %records, i64 %jobs, ptr %rows, ptr %all, i64 %points, ptr %ws, ptr %book,
                                i64 %ended)
  br i1 %going, label %work, label %exit
work:
BODY
  br label %ending
ending:
  %wide = add i64 WIDE, 0
  %none = icmp eq i64 %wide, 0
  br i1 %none, label %work, label %attend
exit:
  ret void
}"""


def program(name: str, code: Code, before: list[str], wide: str = "-1") -> str:
    """LLVM text of an entry: `code` works on all lanes until the bits `wide` say that some have ended.

    before: lines that all jobs share. The text needs `COPY` beside it.
    """
    text = PROGRAM.replace("NAME", name).replace("BEFORE", "\n".join(before)).replace("WIDE", wide)
    cleared = sum(count for _, count in code.layout.cleared)
    text = text.replace("CLEARED", str(cleared)).replace("FIRST", str(code.layout.length * code.width))
    text = text.replace("LENGTH", str(code.layout.length)).replace("DATA", str(code.layout.data * code.width))
    return text.replace("WIDTH", str(code.width)).replace("BODY", "\n".join(code.lines))
