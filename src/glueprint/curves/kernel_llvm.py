"""Levenberg-Marquardt in LLVM's text form: every lane of a vector fits its own curve from its own start.

A lane whose fit has ended writes it down and takes the next job, so lanes never wait for one another; nothing
a lane computes depends on another lane. The damped normal equations are solved by an unrolled L D L'; the
same method in numpy is in tests/curves/reference.py, which tests hold it to.
Source: Levenberg (1944), Marquardt (1963); convergence test after Moré (1978), doi 10.1007/BFb0067700.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from glueprint.curves.formula import Formula, Variant, write
from glueprint.curves.kernel_lanes_llvm import attend, load_points
from glueprint.curves.kernel_layout import Workspace
from glueprint.curves.kernel_starts_llvm import begin
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


class _Fit:
    """Vectors of one step, and where they are kept."""

    def __init__(self, variant: Variant, workspace: Workspace, width: int) -> None:
        self.block, self.free, self.workspace = Block(width), variant.free, workspace
        self.count, self.width = len(variant.free), width

    def get(self, part: str, index: int = 0) -> str:
        return self.block.load("%ws", self.workspace.offsets[part] + index)

    def put(self, value: str, part: str, index: int = 0) -> None:
        self.block.store(value, "%ws", self.workspace.offsets[part] + index)

    def both(self, a: str, b: str) -> str:
        return self.block.let(f"and {self.block.mask} {a}, {b}")

    def either(self, a: str, b: str) -> str:
        return self.block.let(f"or {self.block.mask} {a}, {b}")

    def all_of(self, masks: Sequence[str]) -> str:
        result = masks[0]
        for mask in masks[1:]:
            result = self.both(result, mask)
        return result

    def opposite(self, mask: str) -> str:
        ones = "<" + ", ".join(["i1 true"] * self.width) + ">"
        return self.block.let(f"xor {self.block.mask} {mask}, {ones}")

    def less(self, a: str, b: str) -> str:
        return self.block.compare("olt", a, b)

    def at_most(self, a: str, b: str) -> str:
        return self.block.compare("ole", a, b)

    def mul(self, a: str, b: str) -> str:
        return self.block.infix("mul", a, b)

    def clip(self, value: str, low: str, high: str) -> str:
        """Within bounds; what is no number stays so."""
        raised = self.block.choose(self.less(value, low), low, value)
        return self.block.choose(self.less(high, raised), high, raised)


def _fit(variant: Variant, workspace: Workspace, width: int) -> tuple[str, set[str]]:
    """Code of @fit(ctx, ws): all jobs of the context."""
    f = _Fit(variant, workspace, width)
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
    bits = b.let(f"bitcast {b.mask} {ended} to i{width}")
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


def _step(f: _Fit) -> tuple[list[str], str, str, str]:
    """Write the trial; returns the moving masks, whether any is held, the expected gain and sound pivots."""
    b, count = f.block, f.count
    zero, one = b.const(0.0), b.const(1.0)
    gradient = [f.get("now", 1 + i) for i in range(count)]
    matrix = {place: f.get("now", 1 + count + k) for k, place in enumerate(pairs(count))}
    theta = [f.get("theta", i) for i in f.free]
    bounds = [(f.get("low", i), f.get("high", i)) for i in f.free]
    held = []
    for value, slope, (low, high) in zip(theta, gradient, bounds, strict=True):
        down = f.both(f.at_most(value, low), f.less(zero, slope))
        held.append(f.either(down, f.both(f.at_most(high, value), f.less(slope, zero))))
    moving = [f.opposite(mask) for mask in held]
    damping = f.get("damping")
    kept, damped = {}, {}
    for i, j in pairs(count):
        mask = moving[i] if i == j else f.both(moving[i], moving[j])
        kept[i, j] = damped[i, j] = b.choose(mask, matrix[i, j], zero)
    for i in range(count):
        scale = b.choose(f.less(zero, matrix[i, i]), matrix[i, i], one)
        raised = b.infix("add", matrix[i, i], f.mul(damping, scale))
        damped[i, i] = b.choose(moving[i], raised, one)
    right = [b.choose(mask, slope, zero) for mask, slope in zip(moving, gradient, strict=True)]
    step, sound = _solve(f, damped, [b.let(f"fneg {b.vector} {slope}") for slope in right])
    held_any = held[0]
    gain = zero
    for i in range(count):
        held_any = f.either(held_any, held[i])
        trial = b.infix("add", theta[i], step[i])
        f.put(f.clip(trial, *bounds[i]), "trial", f.free[i])
        pull = right[i]
        for j in range(count):
            entry = kept[min(i, j), max(i, j)]
            pull = b.infix("add", pull, f.mul(f.mul(b.const(0.5), entry), step[j]))
        gain = b.infix("sub", gain, f.mul(f.mul(b.const(2.0), pull), step[i]))
    return moving, held_any, gain, sound


def _solve(f: _Fit, matrix: dict[Place, str], right: list[str]) -> tuple[list[str], str]:
    """The solution of the symmetric system by L D L', and where all pivots are above zero."""
    b, count = f.block, f.count
    lower: dict[Place, str] = {}
    raw: dict[Place, str] = {}
    inverse: list[str] = []
    positive = []
    for j in range(count):
        pivot = matrix[j, j]
        for k in range(j):
            pivot = b.infix("sub", pivot, f.mul(raw[j, k], lower[j, k]))
        positive.append(f.less(b.const(0.0), pivot))
        inverse.append(b.infix("div", b.const(1.0), pivot))
        for i in range(j + 1, count):
            entry = matrix[j, i]
            for k in range(j):
                entry = b.infix("sub", entry, f.mul(raw[i, k], lower[j, k]))
            raw[i, j] = entry
            lower[i, j] = f.mul(entry, inverse[j])
    found = list(right)
    for i in range(count):
        for k in range(i):
            found[i] = b.infix("sub", found[i], f.mul(lower[i, k], found[k]))
    found = [f.mul(value, inverse[i]) for i, value in enumerate(found)]
    for i in reversed(range(count)):
        for k in range(i + 1, count):
            found[i] = b.infix("sub", found[i], f.mul(lower[k, i], found[k]))
    return found, f.all_of(positive)


def _noise(f: _Fit, cost: str, size: str) -> str:
    """As `kernel.rounding_of`."""
    root = f.block.call(f"llvm.sqrt.v{f.width}f64", f.mul(cost, size))
    return f.mul(f.block.const(4.0 * 2.0**-52), f.block.infix("add", cost, root))


def _flatter(f: _Fit, moving: list[str]) -> str:
    """Where the trial's gradient is much smaller than the present one."""
    b, count = f.block, f.count
    zero, one = b.const(0.0), b.const(1.0)
    diagonal = [1 + count + k for k, (i, j) in enumerate(pairs(count)) if i == j]
    largest = {"now": zero, "new": zero}
    for i in range(count):
        scale = f.get("now", diagonal[i])
        inverse = b.infix("div", one, b.choose(f.less(zero, scale), scale, one))
        for part, most in largest.items():
            slope = b.choose(moving[i], f.get(part, 1 + i), zero)
            share = f.mul(f.mul(slope, slope), inverse)
            largest[part] = b.choose(f.less(share, most), most, share)
    return f.less(largest["new"], f.mul(b.const(FLATTER), largest["now"]))


def _damping(f: _Fit, better: str, ratio: str) -> str:
    """The next damping, from the ratio of the fall in cost to the fall expected."""
    b = f.block
    one = b.const(1.0)
    twice = b.infix("sub", b.infix("add", ratio, ratio), one)
    factor = b.infix("sub", one, f.mul(twice, f.mul(twice, twice)))
    ease = b.const(EASE)
    factor = b.choose(f.less(factor, ease), ease, factor)
    damping = f.mul(f.get("damping"), b.choose(better, factor, b.const(TIGHTEN)))
    least = b.const(DAMPING_LEAST)
    damping = b.choose(f.less(damping, least), least, damping)
    f.put(damping, "damping")
    return damping


def _judge(f: _Fit, step: tuple[list[str], str, str, str]) -> str:
    """Take the trial where it is better; returns which lanes have ended."""
    b, count = f.block, f.count
    moving, held_any, gain, sound = step
    sums = 1 + count + count * (count + 1) // 2
    before, after, size = f.get("now"), f.get("new"), f.get("size")
    noise = _noise(f, before, size)
    level = f.at_most(after, b.infix("add", before, noise))
    better = f.either(f.less(after, before), f.both(level, _flatter(f, moving)))
    now = [b.choose(better, f.get("new", k), f.get("now", k)) for k in range(sums)]
    for k, value in enumerate(now):
        f.put(value, "now", k)
    for i in f.free:
        f.put(b.choose(better, f.get("trial", i), f.get("theta", i)), "theta", i)
    expected = f.less(noise, gain)
    fall = b.infix("div", b.infix("sub", before, after), b.choose(expected, gain, b.const(1.0)))
    old = f.get("damping")
    damping = _damping(f, better, b.choose(expected, fall, b.const(1.0)))
    cost = now[0]
    diagonal = [1 + count + k for k, (i, j) in enumerate(pairs(count)) if i == j]
    flat: list[str] = []
    nearly_flat: list[str] = []
    for i in range(count):
        square = f.mul(now[1 + i], now[1 + i])
        norm = f.mul(now[diagonal[i]], cost)
        still = f.opposite(moving[i])
        if f.free[i] in LOGARITHMS:
            still = f.either(still, f.at_most(now[diagonal[i]], f.mul(b.const(DEAD), cost)))
        for masks, cosine in ((flat, ORTHOGONAL), (nearly_flat, ORTHOGONAL_AT_ROUNDING)):
            masks.append(f.either(still, f.at_most(square, f.mul(b.const(cosine * cosine), norm))))
    noise = _noise(f, cost, size)
    exact = f.at_most(cost, f.mul(b.const(NEGLIGIBLE), size))
    stuck = f.both(f.both(f.opposite(better), sound), f.at_most(gain, noise))
    rounding = f.both(stuck, f.either(exact, f.all_of(nearly_flat)))
    full = f.at_most(old, b.const(FULL_STEP))
    settled = f.all_of([held_any, full, f.at_most(gain, f.mul(b.const(SETTLED), cost))])
    perfect = f.at_most(cost, f.mul(b.const(PERFECT), size))
    steps = b.infix("add", f.get("steps"), b.const(1.0))
    f.put(steps, "steps")
    late = f.less(b.const(float(PATIENCE)), steps)
    small = f.at_most(gain, f.mul(b.const(CREEPING), cost))
    creeping = f.all_of([better, late, full, small])
    done = f.either(f.either(f.all_of(flat), rounding), f.either(f.either(settled, creeping), perfect))
    done = f.both(done, f.less(cost, b.const(math.inf)))
    f.put(b.choose(done, b.const(1.0), b.const(0.0)), "done")
    lost = f.opposite(f.less(damping, b.const(DAMPING_MOST)))
    lost = f.either(lost, f.less(b.const(float(ITERATIONS)), steps))
    return f.both(f.either(done, lost), f.less(b.const(0.0), f.get("active")))
