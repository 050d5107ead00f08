"""Every equilibrium against 60-digit arithmetic, over totals and constants of 1e-6 to 1e7 nM.

The balances have one positive root, as they are the gradient of a convex function; so whatever 60-digit
Newton settles on from the tested answer is the truth, however it was started.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from glueprint.mechanism import binding, mass_action

DIGITS = 60
POINTS = 60
# What docs/binding.md states.
RELATIVE_ERROR = 1e-14


def balances(free, totals, constants, members):
    """Excess of each balance and the complexes, in Decimal."""
    complexes = []
    for constant, parts in zip(constants, members, strict=True):
        product = constant
        for part in parts:
            product *= free[part]
        complexes.append(product)
    excess = [
        f - t + sum((c for c, parts in zip(complexes, members, strict=True) if i in parts), Decimal(0))
        for i, (f, t) in enumerate(zip(free, totals, strict=True))
    ]
    return excess, complexes


def eliminated(matrix, right):
    """Solution of a small linear system in Decimal, with pivoting."""
    k = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(k):
        best = max(range(i, k), key=lambda row: abs(rows[row][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for j in range(i + 1, k):
            factor = rows[j][i] / rows[i][i]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    found = [Decimal(0)] * k
    for i in reversed(range(k)):
        found[i] = (rows[i][k] - sum(rows[i][j] * found[j] for j in range(i + 1, k))) / rows[i][i]
    return found


def truth(start, totals, constants, members):
    """Free components and complexes to far more than 30 digits, by Newton's method in logarithms."""
    with localcontext() as context:
        context.prec = DIGITS
        free = [Decimal(float(x)) for x in start]
        goal = [Decimal(float(x)) for x in totals]
        for _ in range(60):
            excess, complexes = balances(free, goal, constants, members)
            if all(abs(e) <= Decimal(10) ** -40 * f for e, f in zip(excess, free, strict=True)):
                break
            k = range(len(free))
            slopes = [
                [
                    sum((c for c, p in zip(complexes, members, strict=True) if i in p and j in p), Decimal(0))
                    + (free[i] if i == j else 0)
                    for j in k
                ]
                for i in k
            ]
            step = eliminated(slopes, excess)
            free = [f * (-s).exp() for f, s in zip(free, step, strict=True)]
        else:
            pytest.fail("the 60-digit balance did not settle")
        return free, balances(free, goal, constants, members)[1]


def worst(found, exact):
    """Largest relative error of any number."""
    return max(float(abs(Decimal(float(f)) - e) / e) for f, e in zip(np.ravel(found), exact, strict=True))


def spread(rng, *shape):
    return 10.0 ** rng.uniform(-6.0, 7.0, shape)


def reciprocal(*values):
    with localcontext() as context:
        context.prec = DIGITS
        product = Decimal(1)
        for value in values:
            product /= Decimal(float(value))
        return product


@pytest.mark.parametrize("equal", [False, True], ids=["any totals", "equal totals"])
def test_a_glue_that_runs_short(equal):
    rng = np.random.default_rng(71)
    glue, cereblon, s = spread(rng, POINTS, 1), spread(rng, POINTS), spread(rng, POINTS, 2)
    if equal:  # the tightest titration: every partner used up by the other
        glue[:], s[:] = cereblon[:, None], cereblon[:, None]
    kd, k0 = spread(rng, POINTS, 1), spread(rng, POINTS, 2)
    alpha = 10.0 ** rng.uniform(-3.0, 3.0, (POINTS, 1, 2))
    got = binding.ternary_depleted(glue, cereblon, s, kd=kd, intrinsic_kd=k0, alpha=alpha)
    members = ((0, 1), (0, 2), (0, 3), (0, 1, 2), (0, 1, 3))
    errors = []
    for i in range(POINTS):
        constants = [reciprocal(kd[i, 0]), *(reciprocal(k) for k in k0[i])]
        constants += [
            Decimal(float(a)) * reciprocal(kd[i, 0], k) for a, k in zip(alpha[i, 0], k0[i], strict=True)
        ]
        free = np.concatenate([got.cereblon_free[[i]], got.glue_free[i], got.substrate_free[i]])
        exact_free, exact = truth(free, [cereblon[i], glue[i, 0], *s[i]], constants, members)
        complexes = np.concatenate([got.binary[i], got.bound_without_glue[i], got.ternary[i, 0]])
        errors += [worst(free, exact_free), worst(complexes, exact)]
    assert max(errors) < RELATIVE_ERROR


@pytest.mark.parametrize("alpha", [1.0, 1e3])
@pytest.mark.parametrize("kd", [1e-6, 1e-4])
def test_the_tightest_titration_keeps_its_digits(kd, alpha):
    # All totals 1e7 nM: without the polish 2e-8 of what is free would be wrong.
    totals, k = np.full((1, 3), 1e7), 1.0 / kd
    constants, members = np.array([[k, k, alpha * k * k]]), ((0, 1), (1, 2), (0, 1, 2))
    found = mass_action.solve(totals, constants, members)
    exact_free, exact = truth(found.free[0], totals[0], [Decimal(float(c)) for c in constants[0]], members)
    assert worst(found.free[0], exact_free) < RELATIVE_ERROR
    assert worst(found.complexes[0], exact) < RELATIVE_ERROR


def test_a_racemate():
    rng = np.random.default_rng(72)
    glues, cereblon, s = spread(rng, POINTS, 2), spread(rng, POINTS), spread(rng, POINTS, 1)
    kd, k0 = spread(rng, POINTS, 2), spread(rng, POINTS, 1)
    alpha = 10.0 ** rng.uniform(-3.0, 3.0, (POINTS, 2, 1))
    got = binding.ternary_depleted(glues, cereblon, s, kd=kd, intrinsic_kd=k0, alpha=alpha)
    members = ((0, 1), (0, 2), (0, 3), (0, 1, 3), (0, 2, 3))
    errors = []
    for i in range(POINTS):
        constants = [reciprocal(kd[i, 0]), reciprocal(kd[i, 1]), reciprocal(k0[i, 0])]
        constants += [
            Decimal(float(a)) * reciprocal(k, k0[i, 0]) for a, k in zip(alpha[i, :, 0], kd[i], strict=True)
        ]
        free = np.concatenate([got.cereblon_free[[i]], got.glue_free[i], got.substrate_free[i]])
        exact_free, exact = truth(free, [cereblon[i], *glues[i], s[i, 0]], constants, members)
        complexes = np.concatenate([got.binary[i], got.bound_without_glue[i], got.ternary[i, :, 0]])
        errors += [worst(free, exact_free), worst(complexes, exact)]
    assert max(errors) < RELATIVE_ERROR


def test_a_bivalent_degrader():
    rng = np.random.default_rng(73)
    b, a, c = spread(rng, POINTS), spread(rng, POINTS), spread(rng, POINTS)
    b[::2] = a[::2]
    k1, k2, alpha = spread(rng, POINTS), spread(rng, POINTS), 10.0 ** rng.uniform(-3.0, 3.0, POINTS)
    got = binding.bivalent(b, a, c, kd_ligase=k1, kd_target=k2, alpha=alpha)
    members = ((0, 1), (1, 2), (0, 1, 2))
    errors = []
    for i in range(POINTS):
        constants = [
            reciprocal(k1[i]),
            reciprocal(k2[i]),
            Decimal(float(alpha[i])) * reciprocal(k1[i], k2[i]),
        ]
        free = [got.ligase_free[i], got.degrader_free[i], got.target_free[i]]
        exact_free, exact = truth(free, [a[i], b[i], c[i]], constants, members)
        errors += [
            worst(free, exact_free),
            worst([got.with_ligase[i], got.with_target[i], got.ternary[i]], exact),
        ]
    assert max(errors) < RELATIVE_ERROR


def test_a_glue_in_excess():
    rng = np.random.default_rng(74)
    glue, cereblon, s = spread(rng, POINTS), spread(rng, POINTS), spread(rng, POINTS, 3)
    s[::2, 0] = cereblon[::2]
    kd, k0 = spread(rng, POINTS), spread(rng, POINTS, 3)
    alpha = 10.0 ** rng.uniform(-3.0, 3.0, (POINTS, 3))
    got = binding.ternary(glue, cereblon, s, kd=kd, intrinsic_kd=k0, alpha=alpha)
    members = ((0, 1), (0, 2), (0, 3))
    errors = []
    for i in range(POINTS):
        with localcontext() as context:
            context.prec = DIGITS
            liganded = Decimal(float(glue[i])) * reciprocal(kd[i])
            constants = [
                reciprocal(k) * (1 + Decimal(float(x)) * liganded) / (1 + liganded)
                for x, k in zip(alpha[i], k0[i], strict=True)
            ]
            pool = Decimal(float(got.cereblon_free[i])) * (1 + liganded)
            exact_free, exact = truth(
                [pool, *got.substrate_free[i]], [cereblon[i], *s[i]], constants, members
            )
            exact_bare = exact_free[0] / (1 + liganded)
            errors += [worst([got.cereblon_free[i]], [exact_bare])]
            errors += [worst([got.binary[i]], [exact_bare * liganded])]
            errors += [worst(got.substrate_free[i], exact_free[1:])]
            errors += [worst(got.ternary[i] + got.bound_without_glue[i], exact)]
    assert max(errors) < RELATIVE_ERROR


def test_two_partners_alone():
    rng = np.random.default_rng(75)
    a, b, kd = spread(rng, POINTS), spread(rng, POINTS), spread(rng, POINTS)
    a[::2] = b[::2]
    got = binding.binary_complex(a, b, kd)
    totals, members = np.stack([a, b], axis=-1), ((0, 1),)
    starts = mass_action.solve(totals, 1.0 / kd[:, None], members).free
    exact = [truth(starts[i], totals[i], [reciprocal(kd[i])], members)[1][0] for i in range(POINTS)]
    assert worst(got, exact) < RELATIVE_ERROR


def test_a_competition_of_tracer_and_ligand():
    rng = np.random.default_rng(76)
    p, tracer, rival = spread(rng, POINTS), spread(rng, POINTS), spread(rng, POINTS)
    tracer[::2] = p[::2]
    kd, ki = spread(rng, POINTS), spread(rng, POINTS)
    got = binding.competition(p, tracer, rival, tracer_kd=kd, ki=ki)
    totals, members = np.stack([p, tracer, rival], axis=-1), ((0, 1), (0, 2))
    starts = mass_action.solve(totals, np.stack([1 / kd, 1 / ki], axis=-1), members).free
    errors = []
    for i in range(POINTS):
        exact_free, exact = truth(starts[i], totals[i], [reciprocal(kd[i]), reciprocal(ki[i])], members)
        errors += [worst([got.tracer_bound[i], got.competitor_bound[i]], exact)]
        errors += [worst([got.protein_free[i]], exact_free[:1])]
    assert max(errors) < RELATIVE_ERROR
