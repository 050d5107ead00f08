"""The coefficients of Rodas5P satisfy the order conditions of Rosenbrock methods up to order 5."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.engine import tableau


@pytest.fixture(scope="module")
def plain():
    """The method before the change of variables: C = 1/gamma - G^-1, A = alpha G^-1."""
    inverse = np.eye(tableau.STAGES) / tableau.GAMMA - tableau.C
    gamma = np.linalg.inv(inverse)
    alpha = tableau.A @ gamma
    weights = np.append(tableau.A[-1, :-1], 1.0)
    return weights @ gamma, alpha, alpha + gamma, gamma


def test_order_conditions_up_to_five(plain):
    # Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.7, table 7.1.
    b, alpha, beta, _ = plain
    one = np.ones(tableau.STAGES)
    a, g = alpha @ one, beta @ one
    conditions = [
        (b @ one, 1),
        (b @ g, 1 / 2),
        (b @ a**2, 1 / 3),
        (b @ beta @ g, 1 / 6),
        (b @ a**3, 1 / 4),
        (b @ (a * (alpha @ g)), 1 / 8),
        (b @ beta @ a**2, 1 / 12),
        (b @ beta @ beta @ g, 1 / 24),
        (b @ a**4, 1 / 5),
        (b @ (a**2 * (alpha @ g)), 1 / 10),
        (b @ (alpha @ g) ** 2, 1 / 20),
        (b @ (a * (alpha @ a**2)), 1 / 15),
        (b @ beta @ a**3, 1 / 20),
        (b @ (a * (alpha @ beta @ g)), 1 / 30),
        (b @ beta @ (a * (alpha @ g)), 1 / 40),
        (b @ beta @ beta @ a**2, 1 / 60),
        (b @ beta @ beta @ beta @ g, 1 / 120),
    ]
    got, wanted = np.array(conditions).T
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-12)


def test_stage_times_and_time_weights_are_row_sums(plain):
    _, alpha, _, gamma = plain
    np.testing.assert_allclose(alpha.sum(axis=1), tableau.ALPHA, atol=1e-12)
    np.testing.assert_allclose(gamma.sum(axis=1), tableau.GAMMA_SUMS, atol=1e-12)


def test_embedded_method_has_order_four_and_not_five(plain):
    b, alpha, beta, gamma = plain
    embedded = b - gamma[-1]  # the estimate is the last stage
    one = np.ones(tableau.STAGES)
    a, g = alpha @ one, beta @ one
    assert embedded @ a**3 == pytest.approx(1 / 4, abs=1e-12)
    assert embedded @ beta @ beta @ g == pytest.approx(1 / 24, abs=1e-12)
    assert abs(embedded @ beta @ beta @ beta @ g - 1 / 120) > 1e-5


def test_dense_output_has_order_four(plain):
    # y(x) for y' = f: the weights of the stages at fraction x satisfy the conditions up to order 4 with x^k.
    _, alpha, beta, gamma = plain
    one = np.ones(tableau.STAGES)
    a, g = alpha @ one, beta @ one
    end = np.append(tableau.A[-1, :-1], 1.0)
    for x in (0.2, 0.5, 0.9):
        k1, k2, k3 = (np.array(row) for row in tableau.DENSE)
        b = x * (end + (1 - x) * (k1 + x * (k2 + x * k3))) @ gamma
        assert b @ one == pytest.approx(x, abs=1e-11)
        assert b @ g == pytest.approx(x**2 / 2, abs=1e-11)
        assert b @ a**2 == pytest.approx(x**3 / 3, abs=1e-11)
        assert b @ beta @ g == pytest.approx(x**3 / 6, abs=1e-11)
        assert b @ a**3 == pytest.approx(x**4 / 4, abs=1e-10)
        assert b @ (a * (alpha @ g)) == pytest.approx(x**4 / 8, abs=1e-10)
