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
from glueprint.curves.kernel_vectors_llvm import Code, Vector
from glueprint.curves.logistic import BACK, FRONT, LN2, LN10, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE

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


class _Grid(Code):
    """Code of the search, with the shapes that it tries and the sums that they need."""

    def __init__(self, variant: Variant, workspace: Workspace, width: int) -> None:
        super().__init__(variant, workspace, width)
        self.shapes = _shapes(variant)
        self.sums = COMMON + 3 * len(self.shapes)


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


def _prepare(g: _Grid) -> tuple[Vector, Vector]:
    """Empty places for the starts; the first dose of the grid and the width of its range."""
    for slot in range(STARTS):
        g.put(g.real(math.inf), "cost_of_start", slot)
    lowest = g.get("low") - g.real(MARGIN)
    return lowest, g.get("high") + g.real(MARGIN) - lowest


def _half(g: _Grid, lowest: Vector, reach: Vector) -> Vector:
    b = g.block
    step = b.let("sitofp i64 %k to double")
    one = b.let(f"insertelement {b.vector} poison, double {step}, i32 0")
    zeros = "<" + ", ".join(["i32 0"] * b.width) + ">"
    steps = g.let(f"shufflevector {b.vector} {one}, {b.vector} poison, <{b.width} x i32> {zeros}")
    return lowest + reach * (steps * g.real(1.0 / (DOSES - 1)))


def _hoist(g: _Grid) -> dict[str, Vector]:
    """What all points share: the pinned slope and asymmetry."""
    known: dict[str, Vector] = {}
    if LN_SLOPE not in g.free:
        known["slope"] = g.call("vector_exp", g.get("theta", LN_SLOPE))
    if not g.variant.symmetric and LN_ASYMMETRY not in g.free:
        known["asymmetry"] = g.call("vector_exp", g.get("theta", LN_ASYMMETRY))
        known["stretch"] = g.call("vector_exp", g.real(LN2) / known["asymmetry"]) - g.real(1.0)
    return known


def _point(g: _Grid, half: Vector, known: dict[str, Vector]) -> None:
    """Add one point to all sums."""
    b = g.block
    b.lines += ["  %at = mul i64 %i, 3", f"  %point = getelementptr {b.vector}, ptr %data, i64 %at"]
    dose, response, weight = (Vector(b.load("%point", k), g) for k in range(3))
    away, weighted = g.real(LN10) * (dose - half), weight * response
    terms = [(weight, g.real(1.0)), (weighted, g.real(1.0)), (weighted, response)]
    powers: dict[float | None, Vector] = {}
    if "slope" in known:
        powers[None] = g.call("vector_exp", known["slope"] * away)
    else:
        power = g.call("vector_exp", g.real(SLOPES[0]) * away)
        for slope in SLOPES:
            powers[slope] = power
            power = power * power
    for shape in g.shapes:
        in_front = _in_front(g, powers[shape.slope], shape.asymmetry, known)
        terms += [(weight, in_front), (weight * in_front, in_front), (weighted, in_front)]
    fma = f"llvm.fma.v{b.width}f64"
    for k, (x, y) in enumerate(terms):
        given = f"{b.vector} {x.name}, {b.vector} {y.name}, {b.vector} %a{k}"
        b.lines.append(f"  %n{k} = call {b.vector} @{fma}({given})")


def _in_front(g: _Grid, power: Vector, asymmetry: float | None, known: dict[str, Vector]) -> Vector:
    """1 / (1 + (2^(1/f) - 1) power)^f; quarter and fourth powers without logarithms."""
    one = g.real(1.0)
    if asymmetry == 1.0:
        return one / (one + power)
    if asymmetry is None:
        grown = one + known["stretch"] * power
        return g.call("vector_exp", -(known["asymmetry"] * g.call("vector_log", grown)))
    before = one / (one + g.real(2.0 ** (1.0 / asymmetry) - 1.0) * power)
    while asymmetry > 1.0:
        before, asymmetry = before * before, asymmetry / 2.0
    while asymmetry < 1.0:
        before, asymmetry = g.sqrt(before), asymmetry * 2.0
    return before


def _best_shape(g: _Grid, half: Vector) -> list[Vector]:
    """Cost and parameters of the best shape at this dose."""
    best = [g.real(math.inf), *[g.real(0.0)] * PARAMETERS]
    for place, shape in enumerate(g.shapes):
        front, back, cost = _plateaus(g, [Vector(f"%n{COMMON + 3 * place + k}", g) for k in range(3)])
        ln_slope = g.get("theta", LN_SLOPE) if shape.slope is None else g.real(math.log(shape.slope))
        ln_asymmetry = g.get("theta", LN_ASYMMETRY)
        if shape.asymmetry is not None:
            ln_asymmetry = g.real(math.log(shape.asymmetry))
        values = {FRONT: front, BACK: back, LOG10_DOSE: half, LN_SLOPE: ln_slope, LN_ASYMMETRY: ln_asymmetry}
        found = [cost, *(values[i] for i in range(PARAMETERS))]
        better = cost < best[0]
        best = [g.pick(better, new, old) for new, old in zip(found, best, strict=True)]
    return best


def _plateaus(g: _Grid, sums: list[Vector]) -> tuple[Vector, Vector, Vector]:
    """Weighted least squares for the free plateaus, and the sum of squares they leave."""
    free, (share, ff, fy) = g.free, sums
    total, ty, yy = (Vector(f"%n{k}", g) for k in range(COMMON))
    fb = share - ff
    bb, by = total - share - fb, ty - fy
    front, back = g.get("theta", FRONT), g.get("theta", BACK)
    one, least = g.real(1.0), g.real(SEPARATE) * total
    seen_front, seen_back = least < ff, least < bb
    mean = ty / g.pick(g.real(0.0) < total, total, one)
    if FRONT in free and BACK in free:
        squares = ff * bb
        determinant = squares - fb * fb
        solvable = (g.real(SEPARATE) * squares < determinant) & (seen_front & seen_back)
        inverse = one / g.pick(solvable, determinant, one)
        front = g.pick(solvable, (fy * bb - by * fb) * inverse, mean)
        back = g.pick(solvable, (by * ff - fy * fb) * inverse, mean)
    elif FRONT in free:
        front = g.pick(seen_front, (fy - back * fb) / g.pick(seen_front, ff, one), mean)
    elif BACK in free:
        back = g.pick(seen_back, (by - front * fb) / g.pick(seen_back, bb, one), mean)
    of_front = front * (front * ff - g.real(2.0) * (fy - back * fb))
    return front, back, yy + (of_front + back * (back * bb - g.real(2.0) * by))


def _insert(g: _Grid, new: list[Vector]) -> None:
    """Keep the best starts in order."""
    parts = [("cost_of_start", 1), ("start", PARAMETERS)]
    names = [(part, count, k) for part, count in parts for k in range(count)]
    held = [[g.get(part, slot * count + k) for part, count, k in names] for slot in range(STARTS)]
    better = [new[0] < slot[0] for slot in held]
    for slot in range(STARTS):
        for at, (part, count, k) in enumerate(names):
            result = g.pick(better[slot], new[at], held[slot][at])
            if slot:
                result = g.pick(better[slot - 1], held[slot - 1][at], result)
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
