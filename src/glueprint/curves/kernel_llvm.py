"""Levenberg-Marquardt in LLVM's text form: every lane of a vector fits its own curve from its own start.

A lane whose fit has ended writes it down and takes the next job, so lanes never wait for one another; nothing
a lane computes depends on another lane. The damped normal equations are solved by an unrolled L D L'; the
same method in numpy is in tests/curves/reference.py, which tests hold it to.
Source: Levenberg (1944), Marquardt (1963); convergence test after Moré (1978), doi 10.1007/BFb0067700.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce
from operator import and_, or_

from glueprint.curves.formula import Formula, Variant, write
from glueprint.curves.kernel_lanes_llvm import attend, load_points
from glueprint.curves.kernel_layout import Workspace
from glueprint.curves.kernel_starts_llvm import begin
from glueprint.curves.kernel_vectors_llvm import Code, Vector
from glueprint.curves.logistic import LOGARITHMS
from glueprint.formulas import mathlib_llvm
from glueprint.formulas.ir import Block
from glueprint.formulas.lowering import STATE, dependencies

__all__ = ["module_text"]

ITERATIONS = 400
# Converged: every free column of the Jacobian is orthogonal to the residuals to this cosine (MINPACK's
# gtol test).
ORTHOGONAL = 1e-9
# Looser, where rounding already stops the descent: no step lowers the cost by more than one unit in the
# last place.
ORTHOGONAL_AT_ROUNDING = 1e-4
# Where rounding hides the descent, a step counts if it brings the squared gradient down to this share.
FLATTER = 0.25
# At a bound (a step between two doses, a plateau out of sight) other columns may die: there the cost decides,
# but only of a step that the damping does not shorten.
SETTLED, FULL_STEP = 1e-10, 1e-3
# A logarithmic parameter is dead where moving it by 1 changes no residual by more than this share of the cost
# allows: the cost cannot fall by more than 2e-6 of itself, so its direction is not asked for.
DEAD = 1e-12
# On a ridge (a step between two doses fits with any steeper slope) the parameters creep for ever: there, too,
# the cost decides, once a fit has had time to converge.
CREEPING, PATIENCE = 1e-11, 40
PERFECT = 1e-28
# Residuals below 1e-8 of the data are rounding themselves: their direction says nothing.
NEGLIGIBLE = 1e-16
# The damping follows the ratio of the fall in cost to the fall expected (Nielsen 1999, IMM-REP-1999-05): a
# step that overshoots a curved valley is taken, but the next one is shorter.
EASE, TIGHTEN = 0.1, 4.0
DAMPING_LEAST, DAMPING_MOST = 1e-12, 1e14

Place = tuple[int, int]


def module_text(variant: Variant, width: int) -> str:
    """LLVM text of a variant for vectors of `width` doubles; entries @fit(context, workspace) and @begin."""
    workspace, formula = Workspace.of(variant), write(variant)
    helpers: set[str] = set()
    texts = [load_points(width), attend(variant, workspace, width)]
    for text, used in (
        _evaluate(formula, width),
        _fit(variant, workspace, width),
        begin(variant, workspace, width),
    ):
        texts.append(text)
        helpers |= used
    vector = f"<{width} x double>"
    fma = f"llvm.fma.v{width}f64"
    declared = [f"declare {vector} @{fma}({vector}, {vector}, {vector})"]
    declared += [mathlib_llvm.definition(name, width) for name in sorted(helpers - {fma})]
    return "\n\n".join([*declared, *texts]) + "\n"


def pairs(count: int) -> Iterator[Place]:
    """Places of an upper triangle, row by row."""
    return ((i, j) for i in range(count) for j in range(i, count))


def _evaluate(formula: Formula, width: int) -> tuple[str, set[str]]:
    """Code of @evaluate(theta, data, points, sums): weighted sums over the points, cost then J'r then J'J."""
    block = Block(width)
    v, count = block.vector, len(formula.slopes)
    roots = [formula.response, *formula.slopes]
    kinds = dependencies(formula.graph, roots)
    leaves = {"state": "%theta", "param": "%point"}
    known: dict[int, str] = {}
    block.expressions(formula.graph, [n for n, kind in kinds.items() if kind in (0, STATE)], known, leaves)
    arguments = "ptr noalias %theta, ptr noalias %data, i64 %points, ptr noalias %sums"
    head = [f"define internal void @evaluate({arguments}) noinline nounwind {{", "entry:"]
    head += [*block.lines, "  br label %loop", "loop:"]
    sums = 1 + count + count * (count + 1) // 2
    head.append("  %i = phi i64 [ 0, %entry ], [ %after, %loop ]")
    head += [f"  %s{k} = phi {v} [ zeroinitializer, %entry ], [ %n{k}, %loop ]" for k in range(sums)]
    block.lines = []
    block.lines.append("  %at = mul i64 %i, 3")
    block.lines.append(f"  %point = getelementptr {v}, ptr %data, i64 %at")
    block.expressions(formula.graph, roots, known, leaves)
    miss = block.infix("sub", known[formula.response], block.load("%point", 1))
    weight = block.load("%point", 2)
    weighted_miss = block.infix("mul", weight, miss)
    slopes = [known[node] for node in formula.slopes]
    weighted = [block.infix("mul", weight, slope) for slope in slopes]
    products = [(weighted_miss, miss), *((slope, weighted_miss) for slope in slopes)]
    products += [(weighted[i], slopes[j]) for i, j in pairs(count)]
    fma = f"llvm.fma.v{width}f64"
    for k, (a, b) in enumerate(products):
        block.lines.append(f"  %n{k} = call {v} @{fma}({v} {a}, {v} {b}, {v} %s{k})")
    tail = ["  %after = add i64 %i, 1", "  %more = icmp slt i64 %after, %points",
            "  br i1 %more, label %loop, label %exit", "exit:"]  # fmt: skip
    body = block.lines
    block.lines = []
    for k in range(sums):
        block.store(f"%n{k}", "%sums", k)
    return "\n".join([*head, *body, *tail, *block.lines, "  ret void", "}"]), block.helpers


def _fit(variant: Variant, workspace: Workspace, width: int) -> tuple[str, set[str]]:
    """Code of @fit(ctx, ws): all jobs of the context."""
    f = Code(variant, workspace, width)
    b = f.block
    every = (1 << width) - 1
    b.lines += [
        "define void @fit(ptr noalias %ctx, ptr noalias %ws) nounwind {",
        "entry:",
        f"  %trial = getelementptr {b.vector}, ptr %ws, i64 {workspace.offsets['trial']}",
        f"  %new = getelementptr {b.vector}, ptr %ws, i64 {workspace.offsets['new']}",
        f"  %data = getelementptr {b.vector}, ptr %ws, i64 {workspace.data}",
        "  %pointsat = getelementptr i64, ptr %ctx, i64 3",
        "  %points = load i64, ptr %pointsat",
        f"  %begun = call i1 @attend(ptr %ctx, ptr %ws, i64 {every}, i1 true)",
        "  br i1 %begun, label %loop, label %exit",
        "loop:",
    ]
    moving, held_any, gain, sound = _step(f)
    b.lines.append("  call void @evaluate(ptr %trial, ptr %data, i64 %points, ptr %new)")
    ended = _judge(f, (moving, held_any, gain, sound))
    bits = b.let(f"bitcast {b.mask} {ended.name} to i{width}")
    wide = b.let(f"zext i{width} {bits} to i64")
    b.lines += [
        f"  %none = icmp eq i64 {wide}, 0",
        "  br i1 %none, label %loop, label %attend",
        "attend:",
        f"  %going = call i1 @attend(ptr %ctx, ptr %ws, i64 {wide}, i1 false)",
        "  br i1 %going, label %loop, label %exit",
        "exit:",
        "  ret void",
        "}",
    ]
    return "\n".join(b.lines), b.helpers


def _step(f: Code) -> tuple[list[Vector], Vector, Vector, Vector]:
    """Write the trial; returns the moving masks, whether any is held, the expected gain and sound pivots."""
    count, zero, one = f.count, f.real(0.0), f.real(1.0)
    gradient = [f.get("now", 1 + i) for i in range(count)]
    matrix = {place: f.get("now", 1 + count + k) for k, place in enumerate(pairs(count))}
    theta = [f.get("theta", i) for i in f.free]
    bounds = [(f.get("low", i), f.get("high", i)) for i in f.free]
    held = [
        (value <= low) & (zero < slope) | (high <= value) & (slope < zero)
        for value, slope, (low, high) in zip(theta, gradient, bounds, strict=True)
    ]
    moving = [~mask for mask in held]
    damping = f.get("damping")
    kept, damped = {}, {}
    for i, j in pairs(count):
        mask = moving[i] if i == j else moving[i] & moving[j]
        kept[i, j] = damped[i, j] = f.pick(mask, matrix[i, j], zero)
    for i in range(count):
        scale = f.pick(zero < matrix[i, i], matrix[i, i], one)
        damped[i, i] = f.pick(moving[i], matrix[i, i] + damping * scale, one)
    right = [f.pick(mask, slope, zero) for mask, slope in zip(moving, gradient, strict=True)]
    step, sound = _solve(damped, [-slope for slope in right])
    gain = zero
    for i in range(count):
        f.put(f.clip(theta[i] + step[i], *bounds[i]), "trial", f.free[i])
        pull = right[i]
        for j in range(count):
            pull = pull + f.real(0.5) * kept[min(i, j), max(i, j)] * step[j]
        gain = gain - f.real(2.0) * pull * step[i]
    return moving, reduce(or_, held), gain, sound


def _solve(matrix: dict[Place, Vector], right: list[Vector]) -> tuple[list[Vector], Vector]:
    """The solution of the symmetric system by L D L', and where all pivots are above zero."""
    count, code = len(right), right[0].code
    lower: dict[Place, Vector] = {}
    raw: dict[Place, Vector] = {}
    inverse, positive = [], []
    for j in range(count):
        pivot = matrix[j, j]
        for k in range(j):
            pivot = pivot - raw[j, k] * lower[j, k]
        positive.append(code.real(0.0) < pivot)
        inverse.append(code.real(1.0) / pivot)
        for i in range(j + 1, count):
            entry = matrix[j, i]
            for k in range(j):
                entry = entry - raw[i, k] * lower[j, k]
            raw[i, j], lower[i, j] = entry, entry * inverse[j]
    found = list(right)
    for i in range(count):
        for k in range(i):
            found[i] = found[i] - lower[i, k] * found[k]
    found = [value * inverse[i] for i, value in enumerate(found)]
    for i in reversed(range(count)):
        for k in range(i + 1, count):
            found[i] = found[i] - lower[k, i] * found[k]
    return found, reduce(and_, positive)


def _noise(f: Code, cost: Vector, size: Vector) -> Vector:
    """As `kernel.rounding_of`."""
    return f.real(4.0 * 2.0**-52) * (cost + f.sqrt(cost * size))


def _diagonal(count: int) -> list[int]:
    """Where the sums hold the diagonal of J'J."""
    return [1 + count + k for k, (i, j) in enumerate(pairs(count)) if i == j]


def _flatter(f: Code, moving: list[Vector]) -> Vector:
    """Where the trial's gradient is much smaller than the present one."""
    zero, one = f.real(0.0), f.real(1.0)
    largest = {"now": zero, "new": zero}
    for i, place in enumerate(_diagonal(f.count)):
        scale = f.get("now", place)
        inverse = one / f.pick(zero < scale, scale, one)
        for part, most in largest.items():
            slope = f.pick(moving[i], f.get(part, 1 + i), zero)
            largest[part] = f.at_least(slope * slope * inverse, most)
    return largest["new"] < f.real(FLATTER) * largest["now"]


def _damping(f: Code, better: Vector, ratio: Vector) -> Vector:
    """The next damping, from the ratio of the fall in cost to the fall expected."""
    one = f.real(1.0)
    twice = ratio + ratio - one
    factor = f.at_least(one - twice * (twice * twice), f.real(EASE))
    damping = f.at_least(f.get("damping") * f.pick(better, factor, f.real(TIGHTEN)), f.real(DAMPING_LEAST))
    f.put(damping, "damping")
    return damping


def _judge(f: Code, step: tuple[list[Vector], Vector, Vector, Vector]) -> Vector:
    """Take the trial where it is better; returns which lanes have ended."""
    moving, held_any, gain, sound = step
    one = f.real(1.0)
    before, after, size = f.get("now"), f.get("new"), f.get("size")
    noise = _noise(f, before, size)
    better = (after < before) | (after <= before + noise) & _flatter(f, moving)
    now = [
        f.pick(better, f.get("new", k), f.get("now", k))
        for k in range(1 + f.count + f.count * (f.count + 1) // 2)
    ]
    for k, value in enumerate(now):
        f.put(value, "now", k)
    for i in f.free:
        f.put(f.pick(better, f.get("trial", i), f.get("theta", i)), "theta", i)
    expected = noise < gain
    fall = (before - after) / f.pick(expected, gain, one)
    old = f.get("damping")
    damping = _damping(f, better, f.pick(expected, fall, one))
    cost = now[0]
    flat: list[Vector] = []
    nearly_flat: list[Vector] = []
    for i, place in enumerate(_diagonal(f.count)):
        square, norm, still = now[1 + i] * now[1 + i], now[place] * cost, ~moving[i]
        if f.free[i] in LOGARITHMS:
            still = still | (now[place] <= f.real(DEAD) * cost)
        for masks, cosine in ((flat, ORTHOGONAL), (nearly_flat, ORTHOGONAL_AT_ROUNDING)):
            masks.append(still | (square <= f.real(cosine * cosine) * norm))
    noise = _noise(f, cost, size)
    exact = cost <= f.real(NEGLIGIBLE) * size
    rounding = ~better & sound & (gain <= noise) & (exact | reduce(and_, nearly_flat))
    full = old <= f.real(FULL_STEP)
    settled = held_any & full & (gain <= f.real(SETTLED) * cost)
    steps = f.get("steps") + one
    f.put(steps, "steps")
    creeping = better & (f.real(float(PATIENCE)) < steps) & full & (gain <= f.real(CREEPING) * cost)
    perfect = cost <= f.real(PERFECT) * size
    done = reduce(and_, flat) | rounding | settled | creeping | perfect
    done = done & (cost < f.real(math.inf))
    f.put(f.pick(done, one, f.real(0.0)), "done")
    lost = ~(damping < f.real(DAMPING_MOST)) | (f.real(float(ITERATIONS)) < steps)
    return (done | lost) & (f.real(0.0) < f.get("active"))
