"""Levenberg-Marquardt in LLVM's text form: every lane of a vector fits its own curve from its own start.

Nothing a lane computes depends on another lane. The damped normal equations are solved by an unrolled L D L';
the same method in numpy is in tests/curves/reference.py, which tests hold it to.
Source: Levenberg (1944), Marquardt (1963); convergence test after Moré (1978), doi 10.1007/BFb0067700.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce
from operator import and_, or_

from glueprint.curves.formula import LEVEL, PARAMETERS, Formula, Variant, write
from glueprint.curves.kernel_lanes_llvm import COPY, Code, Layout, Vector, program
from glueprint.curves.kernel_starts_llvm import GRID, begin
from glueprint.curves.logistic import LOGARITHMS
from glueprint.formulas import mathlib_llvm
from glueprint.formulas.lowering import STATE, dependencies

__all__ = ["layouts", "module_text"]

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
DAMPING_START, DAMPING_LEAST, DAMPING_MOST = 1e-3, 1e-12, 1e14

# Of the inverse of a correlation matrix: its trace bounds 1 / (least eigenvalue) from above.
WORST_TRACE = 1e13
Place = tuple[int, int]


def layouts(variant: Variant) -> dict[str, Layout]:
    """What a lane holds for each entry; behind `now`, the cost, stand J'r and J'J."""
    free = len(variant.free)
    sums = 1 + free + len(list(pairs(free)))
    own = (("theta", PARAMETERS), ("level", 1))
    state = tuple((name, 1) for name in ("size", "damping", "steps", "done"))
    fit = (*own, ("low", PARAMETERS), ("high", PARAMETERS), *state, ("now", 1))
    inverse = (*own, ("moving", free), ("inverse", len(list(pairs(free)))))
    return {
        "fit": Layout(fit, (("normal", sums - 1),), (("trial", PARAMETERS + 1), ("new", sums))),
        "invert": Layout(inverse, (), (("new", sums),)),
        "begin": GRID,
    }


def module_text(variant: Variant, width: int) -> str:
    """LLVM text of a variant for vectors of `width` doubles, with the entries of `layouts`."""
    formula, parts = write(variant), layouts(variant)
    codes = {name: Code(layout, width) for name, layout in parts.items()}
    texts = [COPY, _evaluate(formula, evaluated := Code(parts["fit"], width))]
    texts += [
        _fit(codes["fit"], variant),
        _invert(codes["invert"], variant),
        begin(codes["begin"], variant),
    ]
    fma = f"llvm.fma.v{width}f64"
    used = evaluated.helpers.union(*(code.helpers for code in codes.values()))
    vector = f"<{width} x double>"
    declared = [f"declare {vector} @{fma}({vector}, {vector}, {vector})"]
    declared += [mathlib_llvm.definition(name, width) for name in sorted(used - {fma})]
    return "\n\n".join([*declared, *texts]) + "\n"


def pairs(count: int) -> Iterator[Place]:
    """Places of an upper triangle, row by row."""
    return ((i, j) for i in range(count) for j in range(i, count))


def _evaluate(formula: Formula, code: Code) -> str:
    """Code of @evaluate(theta, data, points, sums): weighted sums over the points, cost then J'r then J'J."""
    count, known, leaves = len(formula.slopes), dict[int, str](), {"state": "%theta", "param": "%point"}
    kinds = dependencies(formula.graph, [formula.response, *formula.slopes])
    alike = [node for node, kind in kinds.items() if kind in (0, STATE)]
    code.expressions(formula.graph, alike, known, leaves)

    def terms() -> list[tuple[Vector, Vector]]:
        code.expressions(formula.graph, [formula.response, *formula.slopes], known, leaves)
        response, weight = (Vector(code.load("%point", k), code) for k in (1, 2))
        miss = Vector(known[formula.response], code) - response
        weighted_miss = weight * miss
        slopes = [Vector(known[node], code) for node in formula.slopes]
        weighted = [weight * slope for slope in slopes]
        products = [(weighted_miss, miss), *((slope, weighted_miss) for slope in slopes)]
        return products + [(weighted[i], slopes[j]) for i, j in pairs(count)]

    for k, total in enumerate(code.sums(1 + count + len(list(pairs(count))), terms, "exit")):
        code.store(total.name, "%sums", k)
    arguments = "ptr noalias %theta, ptr noalias %data, i64 %points, ptr noalias %sums"
    head = [f"define internal void @evaluate({arguments}) noinline nounwind {{", "entry:"]
    return "\n".join([*head, *code.lines, "  ret void", "}"])


EVALUATE = "  call void @evaluate(ptr %{}, ptr %data, i64 %points, ptr %new)"


def _fit(f: Code, variant: Variant) -> str:
    """Code of @fit: all jobs, each from its start until it has ended."""
    moving, held_any, gain, sound = _step(f, variant)
    f.lines.append(EVALUATE.format("trial"))
    ended = _judge(f, variant, (moving, held_any, gain, sound))
    wide = f.mask_bits(ended)
    return program("fit", f, [f.address(name) for name in ("trial", "new")], wide)


def _invert(f: Code, variant: Variant) -> str:
    """Code of @invert: inv(J'J) of what moves, by way of its correlations; NaN where not sound."""
    count, zero, one = len(variant.free), f.real(0.0), f.real(1.0)
    f.lines.append(EVALUATE.format("theta"))
    matrix = {place: f.get("new", 1 + count + k) for k, place in enumerate(pairs(count))}
    usable = [(zero < f.get("moving", i)) & (zero < matrix[i, i]) for i in range(count)]
    scale = [f.pick(usable[i], f.apply("sqrt", matrix[i, i]), one) for i in range(count)]
    unit = {
        (i, j): one if i == j else f.pick(usable[i] & usable[j], matrix[i, j] / (scale[i] * scale[j]), zero)
        for i, j in pairs(count)
    }
    columns = []
    for j in range(count):
        column, sound = _solve(unit, [one if i == j else zero for i in range(count)])
        columns.append(column)
    trace = reduce(Vector.__add__, [columns[i][i] for i in range(count)])
    sound = sound & (trace < f.real(WORST_TRACE))
    for k, (i, j) in enumerate(pairs(count)):
        value = columns[j][i] / (scale[i] * scale[j])
        f.put(f.pick(usable[i] & usable[j] & sound, value, f.real(math.nan)), "inverse", k)
    return program("invert", f, [f.address(name) for name in ("theta", "new")])


def _step(f: Code, variant: Variant) -> tuple[list[Vector], Vector, Vector, Vector]:
    """Write the trial; returns the moving masks, whether any is held, the expected gain and sound pivots."""
    count, zero, one = len(variant.free), f.real(0.0), f.real(1.0)
    gradient = [f.get("now", 1 + i) for i in range(count)]
    matrix = {place: f.get("now", 1 + count + k) for k, place in enumerate(pairs(count))}
    for i in sorted({*range(PARAMETERS), LEVEL}.difference(variant.free)):
        f.put(f.get("theta", i), "trial", i)
    theta = [f.get("theta", i) for i in variant.free]
    bounds = [(f.get("low", i), f.get("high", i)) for i in variant.free]
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
        f.put(f.clip(theta[i] + step[i], *bounds[i]), "trial", variant.free[i])
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
    return f.real(4.0 * 2.0**-52) * (cost + f.apply("sqrt", cost * size))


def _diagonal(count: int) -> list[int]:
    """Where the sums hold the diagonal of J'J."""
    return [1 + count + k for k, (i, j) in enumerate(pairs(count)) if i == j]


def _flatter(f: Code, moving: list[Vector]) -> Vector:
    """Where the trial's gradient is much smaller than the present one."""
    zero, one = f.real(0.0), f.real(1.0)
    largest = {"now": zero, "new": zero}
    for i, place in enumerate(_diagonal(len(moving))):
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


def _judge(f: Code, variant: Variant, step: tuple[list[Vector], Vector, Vector, Vector]) -> Vector:
    """Take the trial where it is better; returns which lanes have ended."""
    moving, held_any, gain, sound = step
    one, count = f.real(1.0), len(variant.free)
    before, after, size = f.get("now"), f.get("new"), f.get("size")
    noise = _noise(f, before, size)
    better = (after < before) | (after <= before + noise) & _flatter(f, moving)
    now = [
        f.pick(better, f.get("new", k), f.get("now", k)) for k in range(1 + count + len(list(pairs(count))))
    ]
    for k, value in enumerate(now):
        f.put(value, "now", k)
    for i in variant.free:
        f.put(f.pick(better, f.get("trial", i), f.get("theta", i)), "theta", i)
    expected = noise < gain
    fall = (before - after) / f.pick(expected, gain, one)
    old = f.get("damping")
    damping = _damping(f, better, f.pick(expected, fall, one))
    cost = now[0]
    flat: list[Vector] = []
    nearly_flat: list[Vector] = []
    for i, place in enumerate(_diagonal(len(moving))):
        square, norm, still = now[1 + i] * now[1 + i], now[place] * cost, ~moving[i]
        if variant.free[i] in LOGARITHMS:
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
    return done | lost
