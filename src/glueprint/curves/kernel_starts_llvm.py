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
from glueprint.curves.kernel_lanes_llvm import Code, Layout, Vector, program
from glueprint.curves.logistic import BACK, FRONT, LN2, LN10, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE

__all__ = ["GRID", "STARTS", "begin"]

# Each the double of the one before; the last is a step between two doses, the best fit of much noise.
SLOPES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
ASYMMETRIES = (0.25, 1.0, 4.0)  # powers of 2
DOSES = 20
# How far outside the tested range, in log10 dose, a start may lie.
MARGIN = 0.5
# Plateaus that carry less than this share of the weight, or two this close to one, cannot be told.
SEPARATE = 1e-12
COMMON = 3  # sums that all shapes share: w, w y, w y^2
STARTS = 8  # of the doses of the grid, the best
GRID = Layout(
    (("theta", PARAMETERS), ("low", 1), ("high", 1), ("start", STARTS * PARAMETERS)),
    scratch=(("cost_of_start", STARTS),),
)


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


def begin(g: Code, variant: Variant) -> str:
    """Code of @begin: the starts of every curve, best first.

    Pinned values stand in theta; `low` and `high` hold the lowest and highest log10 dose.
    """
    shapes = _shapes(variant)
    for slot in range(STARTS):
        g.put(g.real(math.inf), "cost_of_start", slot)
    lowest = g.get("low") - g.real(MARGIN)
    reach = g.get("high") + g.real(MARGIN) - lowest
    known = _hoist(g, variant)
    g.lines += ["  br label %dose", "dose:", "  %k = phi i64 [ 0, %work ], [ %nextk, %weigh ]"]
    half = _half(g, lowest, reach)
    sums = g.sums(COMMON + 3 * len(shapes), lambda: _terms(g, shapes, half, known), "weigh")
    _insert(g, _best_shape(g, variant, shapes, (half, sums)))
    g.lines += [
        "  %nextk = add i64 %k, 1",
        f"  %again = icmp slt i64 %nextk, {DOSES}",
        "  br i1 %again, label %dose, label %found",
        "found:",
    ]
    return program("begin", g, [])


def _half(g: Code, lowest: Vector, reach: Vector) -> Vector:
    """The dose of this turn."""
    step = g.let("sitofp i64 %k to double")
    one = g.let(f"insertelement {g.vector} poison, double {step}, i32 0")
    zeros = "<" + ", ".join(["i32 0"] * g.width) + ">"
    steps = g.let(f"shufflevector {g.vector} {one}, {g.vector} poison, <{g.width} x i32> {zeros}")
    return lowest + reach * (Vector(steps, g) * g.real(1.0 / (DOSES - 1)))


def _hoist(g: Code, variant: Variant) -> dict[str, Vector]:
    """What all points share: the pinned slope and asymmetry."""
    known: dict[str, Vector] = {}
    if LN_SLOPE not in variant.free:
        known["slope"] = g.apply("exp", g.get("theta", LN_SLOPE))
    if not variant.symmetric and LN_ASYMMETRY not in variant.free:
        known["asymmetry"] = g.apply("exp", g.get("theta", LN_ASYMMETRY))
        known["stretch"] = g.apply("exp", g.real(LN2) / known["asymmetry"]) - g.real(1.0)
    return known


def _terms(
    g: Code, shapes: list[_Shape], half: Vector, known: dict[str, Vector]
) -> list[tuple[Vector, Vector]]:
    """What one point adds to all sums."""
    dose, response, weight = (Vector(g.load("%point", k), g) for k in range(3))
    away, weighted = g.real(LN10) * (dose - half), weight * response
    terms = [(weight, g.real(1.0)), (weighted, g.real(1.0)), (weighted, response)]
    powers: dict[float | None, Vector] = {}
    if "slope" in known:
        powers[None] = g.apply("exp", known["slope"] * away)
    else:
        power = g.apply("exp", g.real(SLOPES[0]) * away)
        for slope in SLOPES:
            powers[slope] = power
            power = power * power
    for shape in shapes:
        in_front = _in_front(g, powers[shape.slope], shape.asymmetry, known)
        terms += [(weight, in_front), (weight * in_front, in_front), (weighted, in_front)]
    return terms


def _in_front(g: Code, power: Vector, asymmetry: float | None, known: dict[str, Vector]) -> Vector:
    """1 / (1 + (2^(1/f) - 1) power)^f; quarter and fourth powers without logarithms."""
    one = g.real(1.0)
    if asymmetry == 1.0:
        return one / (one + power)
    if asymmetry is None:
        grown = one + known["stretch"] * power
        return g.apply("exp", -(known["asymmetry"] * g.apply("log", grown)))
    before = one / (one + g.real(2.0 ** (1.0 / asymmetry) - 1.0) * power)
    while asymmetry > 1.0:
        before, asymmetry = before * before, asymmetry / 2.0
    while asymmetry < 1.0:
        before, asymmetry = g.apply("sqrt", before), asymmetry * 2.0
    return before


def _best_shape(
    g: Code, variant: Variant, shapes: list[_Shape], found: tuple[Vector, list[Vector]]
) -> list[Vector]:
    """Cost and parameters of the best shape at this dose, from the dose and the sums."""
    half, sums = found
    best = [g.real(math.inf), *[g.real(0.0)] * PARAMETERS]
    for place, shape in enumerate(shapes):
        front, back, cost = _plateaus(g, variant, sums[:COMMON], sums[COMMON + 3 * place :])
        ln_slope = g.get("theta", LN_SLOPE) if shape.slope is None else g.real(math.log(shape.slope))
        ln_asymmetry = g.get("theta", LN_ASYMMETRY)
        if shape.asymmetry is not None:
            ln_asymmetry = g.real(math.log(shape.asymmetry))
        values = {FRONT: front, BACK: back, LOG10_DOSE: half, LN_SLOPE: ln_slope, LN_ASYMMETRY: ln_asymmetry}
        better = cost < best[0]
        news = [cost, *(values[i] for i in range(PARAMETERS))]
        best = [g.pick(better, new, old) for new, old in zip(news, best, strict=True)]
    return best


def _plateaus(
    g: Code, variant: Variant, common: list[Vector], sums: list[Vector]
) -> tuple[Vector, Vector, Vector]:
    """Weighted least squares for the free plateaus, and the sum of squares they leave."""
    free, (share, ff, fy), (total, ty, yy) = variant.free, sums[:3], common
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


def _insert(g: Code, new: list[Vector]) -> None:
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
