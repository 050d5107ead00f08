"""Answers that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from glueprint import survival


def test_without_censoring_the_curve_is_the_share_still_free():
    curve = survival.kaplan_meier([3.0, 1.0, 2.0, 2.0, 5.0], [1] * 5)
    np.testing.assert_allclose(curve.survival, [0.8, 0.4, 0.2, 0.0], rtol=1e-15, atol=0)
    share = curve.survival[:-1]
    # Greenwood's variance is then the binomial one.
    np.testing.assert_allclose(curve.std_error[:-1], np.sqrt(share * (1 - share) / 5), rtol=1e-14)
    assert curve.n == 5


def test_a_curve_by_hand_with_censoring():
    # Of 6 one at 2, of 5 one at 3 (the one censored at 3 is still at risk for it), of 2 one at 8.
    curve = survival.kaplan_meier([2, 3, 3, 5, 8, 9], [1, 1, 0, 0, 1, 0])
    np.testing.assert_allclose(curve.survival, [5 / 6, 4 / 6, 4 / 6, 2 / 6, 2 / 6], rtol=1e-15)
    assert curve.at_risk.tolist() == [6, 5, 3, 2, 1]
    assert curve.censored.tolist() == [0, 1, 1, 0, 1]
    assert curve.median == 8
    greenwood = 1 / (6 * 5) + 1 / (5 * 4) + 1 / (2 * 1)
    assert curve.std_error[-1] == pytest.approx(2 / 6 * math.sqrt(greenwood), rel=1e-14)


def test_the_curve_is_read_as_steps():
    curve = survival.kaplan_meier([2, 3, 3, 5, 8, 9], [1, 1, 0, 0, 1, 0])
    np.testing.assert_allclose(curve.at([0, 1.99, 2, 4, 8.5, 9]), [1, 1, 5 / 6, 4 / 6, 2 / 6, 2 / 6])
    assert math.isnan(curve.at([9.01])[0])
    assert curve.risk_table([0, 2, 3, 3.5, 9, 10]).tolist() == [6, 6, 5, 3, 1, 0]
    down = survival.kaplan_meier([1, 2], [1, 1])
    assert down.at([7.0])[0] == 0
    assert float(down.at(1.5)) == 0.5


def test_a_flat_step_at_one_half_gives_its_middle():
    assert survival.kaplan_meier([1, 4, 7, 9], [1, 1, 1, 1]).median == 5.5
    assert survival.kaplan_meier([1, 4, 7, 9], [1, 1, 0, 0]).median == 6.5
    assert math.isnan(survival.kaplan_meier([1, 4, 7, 9], [1, 0, 0, 0]).median)


def test_the_band_is_symmetric_for_the_log_log():
    curve = survival.kaplan_meier(np.arange(1.0, 21.0), [1, 0] * 10, level=0.9)
    known = np.isfinite(curve.low)
    middle = np.log(-np.log(curve.survival[known]))
    up = np.log(-np.log(curve.low[known])) - middle
    down = middle - np.log(-np.log(curve.high[known]))
    np.testing.assert_allclose(up, down, rtol=1e-12)
    slope = curve.survival[known] * np.abs(np.log(curve.survival[known]))
    np.testing.assert_allclose(up, stats.norm.ppf(0.95) * curve.std_error[known] / slope, rtol=1e-12)


def test_log_rank_of_three_deaths_by_hand():
    # a dies at 1 and 3, b at 2; at risk (2, 2), (1, 2), (1, 1); b leaves at 4.
    test = survival.log_rank([1, 3, 2, 4], [1, 1, 1, 0], ["a", "a", "b", "b"])
    expected = 2 / 4 + 1 / 3 + 1 / 2
    variance = 1 / 4 + 2 / 9 + 1 / 4
    assert test.groups.tolist() == ["a", "b"]
    assert test.n.tolist() == [2, 2]
    np.testing.assert_allclose(test.expected, [expected, 3 - expected], rtol=1e-15)
    assert test.chi2 == pytest.approx((2 - expected) ** 2 / variance, rel=1e-14)
    assert test.p_value == pytest.approx(stats.chi2.sf(test.chi2, 1), rel=1e-13)


def test_cox_of_four_deaths_solves_its_quadratic():
    # Groups 1, 0, 1, 0 die in turn: 2/(1+h) = h/(2+h), so h = (1 + sqrt 17)/2.
    fit = survival.cox([1, 2, 3, 4], [1, 1, 1, 1], [1, 0, 1, 0])
    assert fit.hazard_ratio[0] == pytest.approx((1 + math.sqrt(17)) / 2, rel=1e-13)
    assert fit.log_likelihood_null == pytest.approx(-math.log(4 * 3 * 2), rel=1e-14)


def test_efron_averages_over_the_order_of_the_tied_deaths():
    # Two of three die together: exp(b) / [(1 + 2e)(1 + 2e - (1 + e)/2)] with e = exp(b).
    fit = survival.cox([1, 1, 2], [1, 1, 0], [1, 0, 1])
    e = fit.hazard_ratio[0]
    efron = math.log(e) - math.log(1 + 2 * e) - math.log((1 + 3 * e) / 2)
    assert fit.log_likelihood == pytest.approx(efron, rel=1e-13)
    assert e == pytest.approx(1 / math.sqrt(6), rel=1e-13)
    breslow = survival.cox([1, 1, 2], [1, 1, 0], [1, 0, 1], ties="breslow")
    assert breslow.hazard_ratio[0] == pytest.approx(1 / 2, rel=1e-13)


def test_the_restricted_mean_of_everyone_is_the_mean():
    area = survival.rmst([1.0, 2.0, 6.0, 7.0], [1] * 4, 50.0)
    assert area.value == pytest.approx(4.0, rel=1e-15)
    # Without censoring and with tau beyond the last event: the variance of a mean, with n for n - 1.
    assert area.std_error == pytest.approx(np.std([1, 2, 6, 7]) / 2, rel=1e-14)
    assert survival.rmst([4.0, 5.0], [1, 1], 3.0).value == 3.0


def test_incidences_without_censoring_are_shares():
    ours = survival.cumulative_incidence([1, 2, 3, 4, 5, 6], [1, 2, 1, 7, 2, 1])
    assert ours.causes.tolist() == [1, 2, 7]
    np.testing.assert_allclose(ours.incidence[-1], [3 / 6, 2 / 6, 1 / 6], rtol=1e-14)
    share = ours.incidence[2]
    np.testing.assert_allclose(ours.std_error[2], np.sqrt(share * (1 - share) / 6), rtol=1e-12, atol=1e-12)


def test_incidences_and_the_event_free_share_sum_to_one():
    rng = np.random.Generator(np.random.Philox(4))
    time, cause = rng.integers(1, 20, 80), rng.integers(0, 4, 80)
    ours = survival.cumulative_incidence(time, cause)
    free = survival.kaplan_meier(time, cause > 0).survival
    np.testing.assert_allclose(ours.incidence.sum(axis=1) + free, 1.0, rtol=1e-13)
    one = survival.cumulative_incidence(time, cause > 0)
    curve = survival.kaplan_meier(time, cause > 0)
    alive = curve.survival > 0
    np.testing.assert_allclose(one.std_error[alive, 0], curve.std_error[alive], rtol=1e-7, atol=1e-9)
    inside = np.isfinite(ours.low)
    assert (ours.low[inside] <= ours.incidence[inside]).all()
    assert (ours.high[inside] >= ours.incidence[inside]).all()


def test_clopper_pearson_at_the_ends():
    ours = survival.clopper_pearson([0, 5], [5, 5], 0.95)
    np.testing.assert_allclose(ours.high, [1 - 0.025 ** (1 / 5), 1.0], rtol=1e-14)
    np.testing.assert_allclose(ours.low, [0.0, 0.025 ** (1 / 5)], rtol=1e-14)


@pytest.mark.parametrize("successes", [1, 33, 112])
def test_clopper_pearson_inverts_the_binomial_tails(successes):
    ours = survival.clopper_pearson(successes, 113)
    assert stats.binom.sf(successes - 1, 113, ours.low) == pytest.approx(0.025, rel=1e-10)
    assert stats.binom.cdf(successes, 113, ours.high) == pytest.approx(0.025, rel=1e-10)


def test_cumulative_incidence_that_has_reached_one_but_for_rounding_has_no_band():
    # Ten shares of a tenth add to 1 - 1e-16; a band about it would overflow.
    ours = survival.cumulative_incidence(np.arange(1, 11), np.ones(10))
    assert ours.incidence[-1, 0] == pytest.approx(1.0)
    assert np.isnan(ours.low[-1, 0])
    assert np.isnan(ours.high[-1, 0])
    assert np.isfinite(ours.low[:-1]).all()
