"""Starting values in LLVM's text form: a grid over dose, slope and asymmetry, plateaus solved exactly.

For each dose of the grid the best shape is kept, and the best doses are the starts. A point lies in front of
a dose with a share g and in back of it with 1 - g, so the plateaus of every shape and their sum of squares
follow from three sums: w g, w g^2 and w g y.
"""

from __future__ import annotations

import math
from itertools import product
from typing import NamedTuple

from glueprint.curves.formula import PARAMETERS, Variant
from glueprint.curves.kernel_lanes_llvm import Scalar
from glueprint.curves.kernel_layout import STARTS, Workspace
from glueprint.curves.logistic import BACK, FRONT, LN2, LN10, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE
from glueprint.formulas.ir import Block

__all__ = ["begin"]

# Each the double of the one before; the last is a step between two doses, the best fit of much noise.
SLOPES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
ASYMMETRIES = (0.25, 1.0, 4.0)  # powers of 2
DOSES = 20
# How far outside the tested range, in log10 dose, a start may lie.
MARGIN = 0.5
# Plateaus that carry less than this share of the weight, or two this close to one, cannot be told.
SEPARATE = 1e-12
COMMON = 3  # sums that all shapes share: w, w y, w y^2


class _Shape(NamedTuple):
    """One slope and one asymmetry of the grid; None: pinned, and read from the lane."""

    slope: float | None
    asymmetry: float | None


def _shapes(variant: Variant) -> list[_Shape]:
    slopes: tuple[float | None, ...] = SLOPES if LN_SLOPE in variant.free else (None,)
    asymmetries: tuple[float | None, ...] = (None,)
    if variant.symmetric:
        asymmetries = (1.0,)
    elif LN_ASYMMETRY in variant.free:
        asymmetries = ASYMMETRIES
    return [_Shape(*pair) for pair in product(slopes, asymmetries)]


class _Grid:
    """Vectors of the search and where they are kept."""

    def __init__(self, variant: Variant, workspace: Workspace, width: int) -> None:
        self.block, self.variant, self.workspace = Block(width), variant, workspace
        self.shapes = _shapes(variant)
        self.sums = COMMON + 3 * len(self.shapes)

    def get(self, part: str, index: int = 0) -> str:
        return self.block.load("%ws", self.workspace.offsets[part] + index)

    def put(self, value: str, part: str, index: int = 0) -> None:
        self.block.store(value, "%ws", self.workspace.offsets[part] + index)

    def mul(self, a: str, b: str) -> str:
        return self.block.infix("mul", a, b)

    def add(self, a: str, b: str) -> str:
        return self.block.infix("add", a, b)

    def sub(self, a: str, b: str) -> str:
        return self.block.infix("sub", a, b)

    def div(self, a: str, b: str) -> str:
        return self.block.infix("div", a, b)

    def real(self, value: float) -> str:
        return self.block.const(value)

    def sqrt(self, a: str) -> str:
        return self.block.call(f"llvm.sqrt.v{self.block.width}f64", a)


def begin(variant: Variant, workspace: Workspace, width: int) -> tuple[str, set[str]]:
    """Code of @begin(ctx, ws): the starts of all curves into theta, (STARTS, n, 5), best first.

    Pinned values stand in theta already; `low` and `high` hold the lowest and highest log10 dose, (n,) each.
    """
    g = _Grid(variant, workspace, width)
    b = g.block
    head = Scalar(workspace, width)
    head.add(
        "define void @begin(ptr noalias %ctx, ptr noalias %ws) nounwind {",
        "entry:",
        f"  %data = getelementptr {b.vector}, ptr %ws, i64 {workspace.data}",
    )
    curves, points = head.argument("curves"), head.argument("points")
    head.add("  br label %group", "group:", "  %from = phi i64 [ 0, %entry ], [ %onward, %written ]")
    _fill(head, curves, width)
    head.add("  br label %prepare", "prepare:")
    lowest, reach = _prepare(g)
    b.lines += ["  br label %dose", "dose:", "  %k = phi i64 [ 0, %prepare ], [ %nextk, %weigh ]"]
    half = _half(g, lowest, reach)
    powers = _hoist(g)
    b.lines += ["  br label %loop", "loop:", "  %i = phi i64 [ 0, %dose ], [ %after, %loop ]"]
    b.lines += [
        f"  %a{k} = phi {b.vector} [ zeroinitializer, %dose ], [ %n{k}, %loop ]" for k in range(g.sums)
    ]
    _point(g, half, powers)
    b.lines += [
        "  %after = add i64 %i, 1",
        f"  %more = icmp slt i64 %after, {points}",
        "  br i1 %more, label %loop, label %weigh",
        "weigh:",
    ]
    _insert(g, _best_shape(g, half))
    b.lines += [
        "  %nextk = add i64 %k, 1",
        f"  %again = icmp slt i64 %nextk, {DOSES}",
        "  br i1 %again, label %dose, label %write",
    ]
    tail = Scalar(workspace, width)
    tail.count = head.count
    _write(tail, curves, width)
    tail.add(f"  %onward = add i64 %from, {width}", f"  %rest = icmp slt i64 %onward, {curves}",
             "  br i1 %rest, label %group, label %exit", "exit:", "  ret void", "}")  # fmt: skip
    return "\n".join([*head.lines, *b.lines, *tail.lines]), b.helpers


def _fill(c: Scalar, curves: str, width: int) -> None:
    """Points, tested range and pinned values of the next curves; the last stands in for those missing."""
    c.add("  br label %fill", "fill:", "  %lane = phi i64 [ 0, %group ], [ %nextlane, %fill ]")
    c.add("  %lanes = getelementptr double, ptr %ws, i64 %lane")
    wished, last = c.let("add i64 %from, %lane"), c.let(f"sub i64 {curves}, 1")
    row = c.let(f"select i1 {c.let(f'icmp slt i64 {wished}, {last}')}, i64 {wished}, i64 {last}")
    theta = c.row("theta", row, PARAMETERS)
    for i in range(PARAMETERS):
        c.put(c.read(theta, i), "theta", i)
    for part in ("low", "high"):
        c.put(c.read(c.row(part, row, 1)), part)
    c.add(f"  call void @points(ptr %ctx, ptr {c.points()}, i64 {row})", "  %nextlane = add i64 %lane, 1",
          f"  %filled = icmp eq i64 %nextlane, {width}", "  br i1 %filled, label %filledall, label %fill",
          "filledall:")  # fmt: skip


def _prepare(g: _Grid) -> tuple[str, str]:
    """Empty places for the starts; the first dose of the grid and the width of its range."""
    for slot in range(STARTS):
        g.put(g.real(math.inf), "cost_of_start", slot)
    lowest = g.sub(g.get("low"), g.real(MARGIN))
    return lowest, g.sub(g.add(g.get("high"), g.real(MARGIN)), lowest)


def _half(g: _Grid, lowest: str, reach: str) -> str:
    b = g.block
    step = b.let("sitofp i64 %k to double")
    one = b.let(f"insertelement {b.vector} poison, double {step}, i32 0")
    zeros = "<" + ", ".join(["i32 0"] * b.width) + ">"
    steps = b.let(f"shufflevector {b.vector} {one}, {b.vector} poison, <{b.width} x i32> {zeros}")
    return g.add(lowest, g.mul(reach, g.mul(steps, g.real(1.0 / (DOSES - 1)))))


def _hoist(g: _Grid) -> dict[str, str]:
    """What all points share: the pinned slope and asymmetry."""
    known: dict[str, str] = {}
    if LN_SLOPE not in g.variant.free:
        known["slope"] = g.block.call("vector_exp", g.get("theta", LN_SLOPE))
    if not g.variant.symmetric and LN_ASYMMETRY not in g.variant.free:
        known["asymmetry"] = g.block.call("vector_exp", g.get("theta", LN_ASYMMETRY))
        by_log = g.div(g.real(LN2), known["asymmetry"])
        known["stretch"] = g.sub(g.block.call("vector_exp", by_log), g.real(1.0))
    return known


def _point(g: _Grid, half: str, known: dict[str, str]) -> None:
    """Add one point to all sums."""
    b = g.block
    b.lines += ["  %at = mul i64 %i, 3", f"  %point = getelementptr {b.vector}, ptr %data, i64 %at"]
    dose, response, weight = (b.load("%point", k) for k in range(3))
    away = g.mul(g.real(LN10), g.sub(dose, half))
    weighted = g.mul(weight, response)
    terms = [(weight, g.real(1.0)), (weighted, g.real(1.0)), (weighted, response)]
    powers: dict[float | None, str] = {}
    if "slope" in known:
        powers[None] = b.call("vector_exp", g.mul(known["slope"], away))
    else:
        power = b.call("vector_exp", g.mul(g.real(SLOPES[0]), away))
        for slope in SLOPES:
            powers[slope] = power
            power = g.mul(power, power)
    for shape in g.shapes:
        in_front = _in_front(g, powers[shape.slope], shape.asymmetry, known)
        weighted_share = g.mul(weight, in_front)
        terms += [(weight, in_front), (weighted_share, in_front), (weighted, in_front)]
    fma = f"llvm.fma.v{b.width}f64"
    for k, (x, y) in enumerate(terms):
        b.lines.append(f"  %n{k} = call {b.vector} @{fma}({b.vector} {x}, {b.vector} {y}, {b.vector} %a{k})")


def _in_front(g: _Grid, power: str, asymmetry: float | None, known: dict[str, str]) -> str:
    """1 / (1 + (2^(1/f) - 1) power)^f; quarter and fourth powers without logarithms."""
    one = g.real(1.0)
    if asymmetry == 1.0:
        return g.div(one, g.add(one, power))
    if asymmetry is None:
        grown = g.add(one, g.mul(known["stretch"], power))
        minus = g.mul(known["asymmetry"], g.block.call("vector_log", grown))
        return g.block.call("vector_exp", g.block.let(f"fneg {g.block.vector} {minus}"))
    before = g.div(one, g.add(one, g.mul(g.real(2.0 ** (1.0 / asymmetry) - 1.0), power)))
    while asymmetry > 1.0:
        before, asymmetry = g.mul(before, before), asymmetry / 2.0
    while asymmetry < 1.0:
        before, asymmetry = g.sqrt(before), asymmetry * 2.0
    return before


def _best_shape(g: _Grid, half: str) -> list[str]:
    """Cost and parameters of the best shape at this dose."""
    b = g.block
    best = [g.real(math.inf), *[g.real(0.0)] * PARAMETERS]
    for place, shape in enumerate(g.shapes):
        front, back, cost = _plateaus(g, [f"%n{COMMON + 3 * place + k}" for k in range(3)])
        ln_slope = g.get("theta", LN_SLOPE) if shape.slope is None else g.real(math.log(shape.slope))
        ln_asymmetry = g.get("theta", LN_ASYMMETRY)
        if shape.asymmetry is not None:
            ln_asymmetry = g.real(math.log(shape.asymmetry))
        values = {FRONT: front, BACK: back, LOG10_DOSE: half, LN_SLOPE: ln_slope, LN_ASYMMETRY: ln_asymmetry}
        better = b.compare("olt", cost, best[0])
        found = [cost, *(values[i] for i in range(PARAMETERS))]
        best = [b.choose(better, new, old) for new, old in zip(found, best, strict=True)]
    return best


def _plateaus(g: _Grid, sums: list[str]) -> tuple[str, str, str]:
    """Weighted least squares for the free plateaus, and the sum of squares they leave."""
    b, free = g.block, g.variant.free
    share, ff, fy = sums
    total, ty, yy = "%n0", "%n1", "%n2"
    fb = g.sub(share, ff)
    bb = g.sub(g.sub(total, share), fb)
    by = g.sub(ty, fy)
    front, back = g.get("theta", FRONT), g.get("theta", BACK)
    one, least = g.real(1.0), g.mul(g.real(SEPARATE), total)
    seen_front, seen_back = b.compare("ogt", ff, least), b.compare("ogt", bb, least)
    mean = g.div(ty, b.choose(b.compare("ogt", total, g.real(0.0)), total, one))
    if FRONT in free and BACK in free:
        squares = g.mul(ff, bb)
        determinant = g.sub(squares, g.mul(fb, fb))
        solvable = b.compare("ogt", determinant, g.mul(g.real(SEPARATE), squares))
        both = b.let(f"and {b.mask} {seen_front}, {seen_back}")
        solvable = b.let(f"and {b.mask} {solvable}, {both}")
        inverse = g.div(one, b.choose(solvable, determinant, one))
        front = b.choose(solvable, g.mul(g.sub(g.mul(fy, bb), g.mul(by, fb)), inverse), mean)
        back = b.choose(solvable, g.mul(g.sub(g.mul(by, ff), g.mul(fy, fb)), inverse), mean)
    elif FRONT in free:
        alone = g.div(g.sub(fy, g.mul(back, fb)), b.choose(seen_front, ff, one))
        front = b.choose(seen_front, alone, mean)
    elif BACK in free:
        alone = g.div(g.sub(by, g.mul(front, fb)), b.choose(seen_back, bb, one))
        back = b.choose(seen_back, alone, mean)
    of_front = g.mul(front, g.sub(g.mul(front, ff), g.mul(g.real(2.0), g.sub(fy, g.mul(back, fb)))))
    of_back = g.mul(back, g.sub(g.mul(back, bb), g.mul(g.real(2.0), by)))
    return front, back, g.add(yy, g.add(of_front, of_back))


def _insert(g: _Grid, new: list[str]) -> None:
    """Keep the best starts in order."""
    b = g.block
    parts = [("cost_of_start", 1), ("start", PARAMETERS)]
    names = [(part, count, k) for part, count in parts for k in range(count)]
    held = [[g.get(part, slot * count + k) for part, count, k in names] for slot in range(STARTS)]
    better = [b.compare("olt", new[0], slot[0]) for slot in held]
    for slot in range(STARTS):
        for (part, count, k), value, old in zip(names, new, held[slot], strict=True):
            result = b.choose(better[slot], value, old)
            if slot:
                place = names.index((part, count, k))
                result = b.choose(better[slot - 1], held[slot - 1][place], result)
            g.put(result, part, slot * count + k)


def _write(c: Scalar, curves: str, width: int) -> None:
    """Write the starts of the lanes that have a curve of their own."""
    c.add("write:", "  br label %out", "out:", "  %lane2 = phi i64 [ 0, %write ], [ %nextlane2, %outnext ]")
    c.add("  %lanes2 = getelementptr double, ptr %ws, i64 %lane2", "  %row2 = add i64 %from, %lane2",
          f"  %own = icmp slt i64 %row2, {curves}", "  br i1 %own, label %outone, label %outnext",
          "outone:")  # fmt: skip
    c.base = "%lanes2"
    for slot in range(STARTS):
        index = c.let(f"add i64 %row2, {c.let(f'mul i64 {curves}, {slot}')}")
        theta = c.row("theta", index, PARAMETERS)
        for i in range(PARAMETERS):
            c.write(c.get("start", slot * PARAMETERS + i), theta, i)
    c.add("  br label %outnext", "outnext:", "  %nextlane2 = add i64 %lane2, 1",
          f"  %outall = icmp eq i64 %nextlane2, {width}", "  br i1 %outall, label %written, label %out",
          "written:")  # fmt: skip
