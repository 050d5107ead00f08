"""Fits without a finite maximum, or with covariates that say nothing, are named and not invented."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from glueprint import survival
from glueprint.survival.monotone import separating_direction
from glueprint.survival.partial_likelihood import risk_sets


@pytest.mark.parametrize("sign", [1, -1])
def test_deaths_in_one_group_only_have_an_open_interval(sign):
    # One death among a = 3 of group 0 and b = 2 of group 1: L = h/(a + b h), which rises to 1/b.
    group = np.array([1, 1, 0, 0, 0])
    fit = survival.cox([1, 2, 3, 4, 5], [1, 0, 0, 0, 0], sign * group)
    assert (fit.status, fit.converged) == ("monotone", False)
    assert "likelihood rises for ever" in fit.advice
    assert fit.coefficients[0] == sign * math.inf
    assert math.isnan(fit.std_error[0])
    assert fit.log_likelihood == pytest.approx(-math.log(2), rel=1e-12)
    assert fit.likelihood_ratio.chi2 == pytest.approx(2 * math.log(5 / 2), rel=1e-12)
    edge = 3 / (2 * (math.exp(stats.norm.ppf(0.975) ** 2 / 2) - 1))
    low, high = fit.interval[0][0], fit.interval[1][0]
    assert (low, high) == pytest.approx((edge, math.inf) if sign > 0 else (0, 1 / edge), rel=1e-9)
    assert math.isnan(fit.wald.chi2)
    assert fit.score.chi2 == pytest.approx(0.6**2 / (0.4 * 0.6), rel=1e-12)


def test_a_combination_of_covariates_may_separate():
    # Neither covariate alone separates; their sum is largest in each that dies.
    x = np.array([[2, 0], [0, 2], [1, 0.5], [0.5, 1], [0, 1], [1, 0]])
    fit = survival.cox([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0], x)
    assert fit.status == "monotone"
    assert np.isposinf(fit.coefficients).all()
    for column in (0, 1):
        assert survival.cox([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0], x[:, column]).status == "ok"


def test_a_large_but_finite_effect_is_not_monotone():
    time = np.arange(1.0, 101.0)
    group = (np.arange(100) < 50).astype(int)
    group[[0, 60]] = [0, 1]
    fit = survival.cox(time, np.ones(100), group)
    assert fit.status == "ok"
    assert fit.converged
    assert math.isfinite(fit.std_error[0])


def test_an_aliased_covariate_is_nan_and_the_rest_unharmed():
    rng = np.random.Generator(np.random.Philox(8))
    time, event = rng.exponential(size=50), rng.integers(0, 2, 50)
    x = rng.normal(size=(50, 2))
    wide = np.column_stack([x[:, 0], np.full(50, 3.0), x[:, 1], x[:, 0] - 2 * x[:, 1]])
    fit, plain = survival.cox(time, event, wide), survival.cox(time, event, x)
    assert fit.status == "aliased"
    assert "leave it out" in fit.advice
    assert np.isnan(fit.coefficients[[1, 3]]).all()
    np.testing.assert_allclose(fit.coefficients[[0, 2]], plain.coefficients, rtol=1e-10)
    np.testing.assert_allclose(fit.std_error[[0, 2]], plain.std_error, rtol=1e-10)
    assert fit.wald.df == 2


def test_a_covariate_constant_within_strata_is_aliased():
    strata = np.repeat([0, 1], 10)
    fit = survival.cox(np.arange(20.0), np.ones(20), strata, strata=strata)
    assert fit.status == "no comparison"
    assert np.isnan(fit.coefficients).all()


def test_a_search_cut_short_says_so(monkeypatch):
    monkeypatch.setattr("glueprint.survival.newton.MAX_ITERATIONS", 1)
    monkeypatch.setattr("glueprint.survival.two_group.MAX_ITERATIONS", 1)
    time, event, group = [1, 2, 3, 4], [1, 1, 1, 1], [1, 0, 1, 0]
    fit = survival.cox(time, event, group)
    assert (fit.status, fit.converged) == ("not converged", False)
    assert "did not settle" in fit.advice
    assert np.isnan(fit.std_error).all()
    assert survival.replicate_cox([time], [event], group).status.tolist() == ["not converged"]


def separates_by_search(time, event, x):
    """Bryson and Johnson's condition in the plane: try every ray at which the cone of directions can end."""
    differences = np.array(
        [x[i] - x[j] for i in np.flatnonzero(event) for j in np.flatnonzero(time >= time[i])]
    )
    differences = differences[(differences != 0).any(axis=1)]
    if not differences.size:
        return False
    turned = np.column_stack([-differences[:, 1], differences[:, 0]])
    rays = np.concatenate([turned, -turned, differences, -differences])
    gains = differences @ rays.T
    return bool(((gains >= 0).all(axis=0) & (gains > 0).any(axis=0)).any())


patients = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 1), st.integers(-2, 2), st.integers(-2, 2)),
    min_size=3,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(patients)
def test_monotone_exactly_when_some_direction_separates(rows):
    table = np.array(rows, dtype=float)
    time, event, x = table[:, 0], table[:, 1].astype(bool), table[:, 2:]
    if not event.any():
        return
    sets = risk_sets(time, event, x, np.zeros(time.size, dtype=np.int64), "efron")
    found = separating_direction(sets)
    assert (found is not None) == separates_by_search(time, event, x)
    fit = survival.cox(time, event, x)
    if fit.status in ("ok", "monotone"):
        assert (fit.status == "monotone") == (found is not None)


def test_a_search_that_runs_far_out_keeps_a_likelihood_and_an_interval():
    # Of these sets one lets the search run to where all weights of its risk sets vanish.
    rng = np.random.default_rng(1)
    monotone = 0
    for _ in range(140):
        n = int(rng.integers(6, 200))
        late = rng.random(n) < rng.uniform(0.02, 0.5)
        if late.sum() in (0, n):
            continue
        time = np.where(late, 10 + rng.integers(1, 6, n), rng.integers(1, 9, n)).astype(float)
        died = (rng.random(n) < 0.7) | late
        if rng.random() < 0.5:
            died &= ~late
        if died.sum() < 2:
            continue
        fit = survival.cox(time, died.astype(int), late.astype(float)[:, None])
        assert np.isfinite(fit.log_likelihood)
        if fit.status == "monotone":
            monotone += 1
            assert fit.log_likelihood > fit.log_likelihood_null
            assert fit.hazard_ratio[0] == fit.interval[0][0] == 0.0
            assert 0.0 < fit.interval[1][0] < math.inf
    assert monotone > 50
