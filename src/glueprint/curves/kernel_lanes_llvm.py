"""Scalar code for one lane: write a finished fit down, take the next job, copy its curve into the lane."""

from __future__ import annotations

from glueprint.curves.formula import LEVEL, PARAMETERS, Variant
from glueprint.curves.kernel_layout import FIELDS, Workspace
from glueprint.formulas.ir import number

__all__ = ["Scalar", "attend", "load_points"]

DAMPING_START = 1e-3
PLACES = {name: (index, kind) for index, (name, kind) in enumerate(FIELDS)}


class Scalar:
    """Text of scalar code for the lane %lane, whose numbers begin at %lanes."""

    def __init__(self, workspace: Workspace | None, width: int) -> None:
        self.workspace, self.width = workspace, width
        self.lines: list[str] = []
        self.count = 0
        self.base = "%lanes"

    def add(self, *lines: str) -> None:
        """Lines as they stand."""
        self.lines += lines

    def let(self, right: str) -> str:
        """Emit `%name = right`; returns the name."""
        self.count += 1
        self.lines.append(f"  %s{self.count} = {right}")
        return f"%s{self.count}"

    def argument(self, name: str) -> str:
        """Value of a field of the context."""
        index, kind = PLACES[name]
        place = self.let(f"getelementptr i64, ptr %ctx, i64 {index}")
        return self.let(f"load {kind}, ptr {place}")

    def put(self, value: str, part: str, index: int = 0, kind: str = "double") -> None:
        """Set this lane's number of a part of the workspace."""
        self.add(f"  store {kind} {value}, ptr {self._lane(part, index)}")

    def get(self, part: str, index: int = 0, kind: str = "double") -> str:
        """This lane's number of a part of the workspace."""
        return self.let(f"load {kind}, ptr {self._lane(part, index)}")

    def _lane(self, part: str, index: int) -> str:
        assert self.workspace is not None
        at = (self.workspace.offsets[part] + index) * self.width
        return self.let(f"getelementptr double, ptr {self.base}, i64 {at}")

    def points(self) -> str:
        """Address of this lane's points."""
        assert self.workspace is not None
        return self.let(f"getelementptr double, ptr %lanes, i64 {self.workspace.data * self.width}")

    def row(self, name: str, index: str, count: int | str) -> str:
        """Address of row `index` of an array of the context with `count` numbers a row."""
        offset = self.let(f"mul i64 {index}, {count}")
        return self.let(f"getelementptr double, ptr {self.argument(name)}, i64 {offset}")

    def read(self, row: str, index: int = 0) -> str:
        """Number `index` of a row."""
        return self.let(f"load double, ptr {self.let(f'getelementptr double, ptr {row}, i64 {index}')}")

    def write(self, value: str, row: str, index: int = 0) -> None:
        """Set number `index` of a row."""
        place = self.let(f"getelementptr double, ptr {row}, i64 {index}")
        self.add(f"  store double {value}, ptr {place}")


def load_points(width: int) -> str:
    """Code of @points(ctx, lane, row): the points of curve `row` into the lane that begins at `lane`."""
    c = Scalar(None, width)
    c.add("define internal void @points(ptr %ctx, ptr %lane, i64 %row) noinline nounwind {", "entry:")
    rows = [c.row(part, "%row", c.argument(f"{part}_step")) for part in ("dose", "response", "weight")]
    count = c.argument("points")
    c.add("  br label %loop", "loop:", "  %i = phi i64 [ 0, %entry ], [ %after, %loop ]")
    base = c.let(f"mul i64 %i, {3 * width}")
    for k, row in enumerate(rows):
        value = c.let(f"load double, ptr {c.let(f'getelementptr double, ptr {row}, i64 %i')}")
        at = c.let(f"add i64 {base}, {k * width}")
        c.add(f"  store double {value}, ptr {c.let(f'getelementptr double, ptr %lane, i64 {at}')}")
    c.add("  %after = add i64 %i, 1", f"  %more = icmp slt i64 %after, {count}",
          "  br i1 %more, label %loop, label %exit", "exit:", "  ret void", "}")  # fmt: skip
    return "\n".join(c.lines)


def attend(variant: Variant, workspace: Workspace, width: int) -> str:
    """Code of @attend(ctx, ws, ended, first): the lanes of the mask `ended` write down and take their next.

    Returns whether any lane has work.
    """
    c = Scalar(workspace, width)
    c.add(
        "define internal i1 @attend(ptr %ctx, ptr %ws, i64 %ended, i1 %first) noinline nounwind {",
        "entry:",
        "  br label %look",
        "look:",
        "  %lane = phi i64 [ 0, %entry ], [ %nextlane, %next ]",
        "  %bit = shl i64 1, %lane",
        "  %hit = and i64 %bit, %ended",
        "  %is = icmp ne i64 %hit, 0",
        "  br i1 %is, label %stands, label %next",
        "stands:",
        "  %lanes = getelementptr double, ptr %ws, i64 %lane",
        "  br i1 %first, label %take, label %store",
        "store:",
    )
    _store(c, variant)
    c.add("  br label %take", "take:")
    job, jobs = c.argument("next"), c.argument("jobs")
    more = c.let(f"icmp slt i64 {job}, {jobs}")
    c.add(f"  br i1 {more}, label %load, label %rest", "rest:")
    c.put(number(0.0), "active")  # an idle lane repeats its last fit, and nobody looks
    c.add("  br label %next", "load:")
    _load(c, variant, job)
    c.add("  br label %next", "next:", "  %nextlane = add i64 %lane, 1",
          f"  %last = icmp eq i64 %nextlane, {width}", "  br i1 %last, label %count, label %look",
          "count:")  # fmt: skip
    vector = f"<{width} x double>"
    place = c.let(f"getelementptr {vector}, ptr %ws, i64 {workspace.offsets['active']}")
    active = c.let(f"fcmp une {vector} {c.let(f'load {vector}, ptr {place}')}, zeroinitializer")
    bits = c.let(f"bitcast <{width} x i1> {active} to i{width}")
    c.add(f"  ret i1 {c.let(f'icmp ne i{width} {bits}, 0')}", "}")
    return "\n".join(c.lines)


def _sums(variant: Variant) -> int:
    free = len(variant.free)
    return 1 + free + free * (free + 1) // 2


def _store(c: Scalar, variant: Variant) -> None:
    job = c.get("job", kind="i64")
    theta = c.row("theta", job, PARAMETERS)
    for i in variant.free:
        c.write(c.get("theta", i), theta, i)
    c.write(c.get("now"), c.row("cost", job, 1))
    c.write(c.get("done"), c.row("converged", job, 1))
    first, sums = 1 + len(variant.free), _sums(variant)
    hessian = c.row("hessian", job, sums - first)
    for k in range(first, sums):
        c.write(c.get("now", k), hessian, k - first)


def _load(c: Scalar, variant: Variant, job: str) -> None:
    place = c.let(f"getelementptr i64, ptr %ctx, i64 {PLACES['next'][0]}")
    c.add(f"  store i64 {c.let(f'add i64 {job}, 1')}, ptr {place}")
    row_place = c.let(f"getelementptr i64, ptr {c.argument('rows')}, i64 {job}")
    row = c.let(f"load i64, ptr {row_place}")
    c.put(job, "job", kind="i64")
    theta = c.row("theta", job, PARAMETERS)
    low, high = c.row("low", row, PARAMETERS), c.row("high", row, PARAMETERS)
    for i in range(PARAMETERS):
        value = c.read(theta, i)
        if i in variant.free:
            least, most = c.read(low, i), c.read(high, i)
            c.put(least, "low", i)
            c.put(most, "high", i)
            under = c.let(f"fcmp olt double {value}, {least}")
            value = c.let(f"select i1 {under}, double {least}, double {value}")
            over = c.let(f"fcmp ogt double {value}, {most}")
            value = c.let(f"select i1 {over}, double {most}, double {value}")
        c.put(value, "theta", i)
        c.put(value, "trial", i)
    if variant.level:
        c.put(c.read(c.row("level", row, 1)), "trial", LEVEL)
    c.put(c.read(c.row("size", row, 1)), "size")
    # Nothing is known yet: any cost is better, no slope moves the start, and its acceptance sets the damping.
    c.put(number(float("inf")), "now")
    for k in range(1, _sums(variant)):
        c.put(number(0.0), "now", k)
    c.put(number(10.0 * DAMPING_START), "damping")
    for part, begun in (("steps", 0.0), ("done", 0.0), ("active", 1.0)):
        c.put(number(begun), part)
    at = c.points()
    c.add(f"  call void @points(ptr %ctx, ptr {at}, i64 {row})")
