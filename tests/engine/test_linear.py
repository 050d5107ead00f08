"""The plan of elimination solves linear systems of any pattern."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glueprint.engine.linear import eliminate


@given(st.integers(1, 9), st.integers(0, 10_000))
def test_elimination_solves_any_pattern(size, seed):
    rng = np.random.default_rng(seed)
    matrix = np.where(rng.random((size, size)) < 0.3, rng.standard_normal((size, size)), 0.0)
    np.fill_diagonal(matrix, size + rng.random(size))
    plan = eliminate(size, zip(*np.nonzero(matrix), strict=True))
    factors = matrix.copy()
    for i, k, columns in plan.updates:
        factors[i, k] /= factors[k, k]
        for j in columns:
            factors[i, j] -= factors[i, k] * factors[k, j]
    right = rng.standard_normal(size)
    x = right.copy()
    for i, k in plan.lower:
        x[i] -= factors[i, k] * x[k]
    for k in reversed(plan.order):
        x[k] = (x[k] - sum(factors[k, j] * x[j] for i, j in plan.upper if i == k)) / factors[k, k]
    np.testing.assert_allclose(matrix @ x, right, atol=1e-9)
