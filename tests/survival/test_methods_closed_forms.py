"""Answers known without a program: closed forms, identities between methods, drawn data of known truth."""

from __future__ import annotations

import dataclasses
import math
import sys

import numpy as np
import pytest
from scipy.special import ndtr

from glueprint import survival
from glueprint.survival.locations import DISTRIBUTIONS
from glueprint.survival.normal_slabs import probability

MERCAPTOPURINE = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TIME, EVENT, TREATED = MERCAPTOPURINE + PLACEBO, ENDED + [1] * 21, [1] * 21 + [0] * 21


class TestNormalSlabs:
    @pytest.mark.parametrize("r", [-0.9, 0.0, 0.3, 0.999])
    def test_quadrant(self, r):
        matrix = np.array([[1, r], [r, 1]])
        assert probability(matrix, 0, np.inf) == pytest.approx(0.25 + math.asin(r) / (2 * math.pi), abs=1e-14)

    def test_octant(self):
        a, b, c = 0.3, -0.2, 0.5
        matrix = np.array([[1, a, b], [a, 1, c], [b, c, 1]])
        exact = 1 / 8 + sum(map(math.asin, (a, b, c))) / (4 * math.pi)
        assert probability(matrix, 0, np.inf) == pytest.approx(exact, abs=1e-14)

    @pytest.mark.parametrize("limit", [0.5, 1.96, 4.0])
    def test_independent_and_identical(self, limit):
        one = 1 - 2 * ndtr(-limit)
        assert probability(np.eye(3), -limit, limit) == pytest.approx(one**3, abs=1e-14)
        assert probability(np.ones((4, 4)), -limit, limit) == pytest.approx(one, abs=1e-14)

    def test_a_variable_that_is_a_sum_of_the_others(self):
        # |x| < c, |y| < c and |x + y| / sqrt 2 < c: a hexagon, as a mean over directions.
        rows = np.array([[1, 0], [0, 1], [1, 1] / np.sqrt(2)])
        angle = (np.arange(200_000) + 0.5) * 2 * np.pi / 200_000
        reach = 1.7 / np.abs(rows @ np.array([np.cos(angle), np.sin(angle)])).max(axis=0)
        expected = float((1 - np.exp(-(reach**2) / 2)).mean())
        assert probability(rows @ rows.T, -1.7, 1.7) == pytest.approx(expected, abs=1e-9)

    def test_more_than_three_dimensions_are_refused(self):
        with pytest.raises(ValueError, match="rank 4"):
            probability(np.eye(4), -1, 1)


class TestWeightedTests:
    def test_without_weights_it_is_the_log_rank_test(self):
        plain = survival.log_rank(TIME, EVENT, TREATED)
        test = survival.fleming_harrington(TIME, EVENT, TREATED, 0, 0)
        assert test.chi2 == pytest.approx(plain.chi2, rel=1e-14)
        assert test.z == pytest.approx(-math.sqrt(plain.chi2), rel=1e-14)
        trend = survival.log_rank_trend(TIME, EVENT, TREATED)
        assert (trend.z, trend.p_value) == pytest.approx((test.z, plain.p_value), rel=1e-12)

    def test_exchanged_labels_turn_the_sign(self):
        test, turned = (
            survival.max_combo(TIME, EVENT, group) for group in (TREATED, [1 - g for g in TREATED])
        )
        assert turned.z == pytest.approx(-test.z, rel=1e-12)
        assert turned.p_value == pytest.approx(test.p_value, rel=1e-9)
        assert test.one_sided_p_value < 0.001
        assert turned.one_sided_p_value > 0.999

    def test_the_maximum_costs_less_than_bonferroni_and_more_than_one_test(self):
        rng = np.random.Generator(np.random.Philox(3))
        for _ in range(5):
            group = np.arange(80) % 2
            time, limit = rng.exponential(1, 80), rng.exponential(2, 80)
            test = survival.max_combo(np.minimum(time, limit), time <= limit, group)
            single = 2 * ndtr(-np.abs(test.z)).min()
            assert single < test.p_value < min(1, 4 * single)

    def test_doses_that_are_shifted_or_stretched_change_nothing(self):
        group = np.arange(len(TIME)) % 3
        first, other = (
            survival.log_rank_trend(TIME, EVENT, group, scores=s) for s in ([0, 1, 4], [10, 12, 18])
        )
        assert first.chi2 == pytest.approx(other.chi2, rel=1e-12)


class TestCompetingRisks:
    def test_one_cause_is_a_cox_regression_with_breslow_ties(self):
        x = np.column_stack([TREATED, np.arange(42) % 5])
        fit, cox = survival.fine_gray(TIME, EVENT, x), survival.cox(TIME, EVENT, x, ties="breslow")
        assert fit.coefficients == pytest.approx(cox.coefficients, rel=1e-10)
        assert fit.log_likelihood == pytest.approx(cox.log_likelihood, rel=1e-12)

    def test_gray_with_one_group_per_cause_finds_it(self):
        time = np.arange(1.0, 41)
        group = np.arange(40) % 2
        test = survival.gray(time, 1 + group, group)
        assert test.score.sum(axis=1) == pytest.approx([0, 0], abs=1e-9)
        assert (test.score[0, 0] > 0) & (test.score[1, 1] > 0)
        assert (test.p_value < 1e-6).all()

    def test_the_scores_of_the_groups_sum_to_nothing(self):
        rng = np.random.Generator(np.random.Philox(5))
        test = survival.gray(rng.exponential(1, 60), rng.integers(0, 3, 60), np.arange(60) % 3, rho=0.5)
        assert test.variance.sum(axis=2) == pytest.approx(np.zeros((2, 3)), abs=1e-9)


class TestParametric:
    def test_exponential_rate_is_events_over_time(self):
        fit = survival.parametric(TIME, EVENT, distribution="exponential")
        assert fit.coefficients[0] == pytest.approx(math.log(sum(TIME) / sum(EVENT)), rel=1e-12)
        assert fit.std_error[0] == pytest.approx(1 / math.sqrt(sum(EVENT)), rel=1e-10)
        rate = sum(EVENT) / sum(TIME)
        assert fit.log_likelihood == pytest.approx(sum(EVENT) * (math.log(rate) - 1), rel=1e-12)
        assert fit.aic == pytest.approx(2 - 2 * fit.log_likelihood)
        assert fit.survival([0.0, 10.0]) == pytest.approx([1.0, math.exp(-10 * rate)], rel=1e-10)

    def test_lognormal_without_censoring_is_mean_and_spread_of_the_logs(self):
        logs = np.log(PLACEBO)
        fit = survival.parametric(PLACEBO, [1] * 21, distribution="lognormal")
        assert fit.coefficients[0] == pytest.approx(logs.mean(), rel=1e-10)
        assert fit.scale == pytest.approx(logs.std(), rel=1e-10)
        assert fit.std_error[0] == pytest.approx(logs.std() / math.sqrt(21), rel=1e-8)

    @pytest.mark.parametrize("distribution", DISTRIBUTIONS)
    @pytest.mark.parametrize("width", [1e-7, 3e-5, 1e-4])
    def test_narrow_intervals_are_exact_times(self, distribution, width):
        x = np.array(TREATED, dtype=float)
        time, event = np.array(TIME, dtype=float), np.array(EVENT, dtype=bool)
        seen = survival.parametric(time, event, x, distribution=distribution)
        right = np.where(event, time * (1 + width), np.inf)
        between = survival.parametric_between(time, right, x, distribution=distribution)
        assert between.coefficients == pytest.approx(seen.coefficients, rel=2 * width)
        assert between.scale == pytest.approx(seen.scale, rel=2 * width)
        assert between.std_error == pytest.approx(seen.std_error, rel=2 * width)
        # A density times a width.
        log_width = np.log(width * time[event]).sum()
        assert between.log_likelihood == pytest.approx(seen.log_likelihood + log_width, rel=2 * width)

    @pytest.mark.parametrize("distribution", DISTRIBUTIONS)
    def test_integrated_and_subtracted_intervals_agree(self, distribution, monkeypatch):
        x = np.array(TREATED, dtype=float)
        time, event = np.array(TIME, dtype=float), np.array(EVENT, dtype=bool)
        interval = time, np.where(event, time * 1.04, np.inf), x
        integrated = survival.parametric_between(*interval, distribution=distribution)
        monkeypatch.setattr(sys.modules["glueprint.survival.parametric"], "NARROW", 0.0)
        subtracted = survival.parametric_between(*interval, distribution=distribution)
        assert integrated.log_likelihood == pytest.approx(subtracted.log_likelihood, rel=1e-12)
        assert integrated.coefficients == pytest.approx(subtracted.coefficients, rel=1e-10)
        assert integrated.covariance == pytest.approx(subtracted.covariance, rel=1e-8, abs=1e-12)
        assert integrated.log_likelihood != subtracted.log_likelihood

    def test_two_looks_give_the_proportion_between_them(self):
        # Exponential, all looked at once at 5: 30 of 100 before, so exp(-5 / mean) = 0.7.
        left = np.where(np.arange(100) < 30, 0.0, 5.0)
        right = np.where(np.arange(100) < 30, 5.0, np.inf)
        fit = survival.parametric_between(left, right, distribution="exponential")
        assert fit.coefficients[0] == pytest.approx(math.log(-5 / math.log(0.7)), rel=1e-10)

    @pytest.mark.parametrize("distribution", DISTRIBUTIONS)
    def test_slopes_are_derivatives(self, distribution):
        kind = DISTRIBUTIONS[distribution]
        z, step = np.linspace(-4, 3, 15), 1e-6
        numeric = (kind.log_density(z + step) - kind.log_density(z - step)) / (2 * step)
        assert kind.slope(z) == pytest.approx(numeric, rel=1e-7, abs=1e-8)
        bend = (kind.slope(z + step) - kind.slope(z - step)) / (2 * step)
        assert kind.bend(z) == pytest.approx(bend, rel=1e-7, abs=1e-8)
        low = np.full_like(z, -np.inf)
        density = (np.exp(kind.log_between(low, z + step)) - np.exp(kind.log_between(low, z - step))) / (
            2 * step
        )
        assert np.exp(kind.log_density(z)) == pytest.approx(density, rel=1e-5, abs=1e-9)

    @pytest.mark.parametrize("distribution", DISTRIBUTIONS)
    def test_a_known_truth_is_found(self, distribution):
        rng = np.random.Generator(np.random.Philox(12))
        n = 20_000
        x, sigma = rng.integers(0, 2, n), 1.0 if distribution == "exponential" else 0.6
        z = DISTRIBUTIONS[distribution].quantile(rng.random(n))
        time, limit = np.exp(2.0 - 0.5 * x + sigma * z), rng.exponential(30, n)
        fit = survival.parametric(np.minimum(time, limit), time <= limit, x, distribution=distribution)
        assert np.abs((fit.coefficients - [2.0, -0.5]) / fit.std_error).max() < 3
        assert fit.scale == pytest.approx(sigma, rel=0.03)


class TestDifferences:
    def test_one_arm_against_itself(self):
        double = MERCAPTOPURINE * 2, ENDED * 2, [0] * 21 + [1] * 21
        area = survival.rmst_difference(*double, 20.0)
        alone = survival.rmst(MERCAPTOPURINE, ENDED, 20.0)
        assert (area.difference.value, area.ratio.value, area.lost_ratio.value) == (0.0, 1.0, 1.0)
        half = 1.959963984540054 * math.sqrt(2) * alone.std_error
        assert (area.difference.low, area.difference.high) == pytest.approx((-half, half), rel=1e-12)
        assert area.difference.p_value == pytest.approx(1)
        milestone = survival.milestone_difference(*double, 10.0)
        assert milestone.difference.value == 0
        assert milestone.difference.low == pytest.approx(-milestone.difference.high)

    def test_without_censoring_a_milestone_is_a_share(self):
        time = list(range(1, 11)) + [x + 3 for x in range(1, 11)]
        test = survival.milestone_difference(time, [1] * 20, [0] * 10 + [1] * 10, 5.0, scale="plain")
        assert test.survival == pytest.approx([0.5, 0.8])
        error = math.sqrt(0.5 * 0.5 / 10 + 0.8 * 0.2 / 10)
        assert test.difference.high - test.difference.value == pytest.approx(1.959963984540054 * error)


def scalars(result):
    """Every number of a result that is not an array, those of results within it included."""
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(item):
                yield from scalars(item)
            else:
                yield item


@pytest.mark.parametrize(
    "result",
    [
        survival.fleming_harrington(TIME, EVENT, TREATED, 0, 1),
        survival.max_combo(TIME, EVENT, TREATED),
        survival.log_rank_trend(TIME, EVENT, TREATED),
        survival.rmst_difference(TIME, EVENT, TREATED, 20),
        survival.milestone_difference(TIME, EVENT, TREATED, 10),
        survival.gray(TIME, EVENT, TREATED),
        survival.fine_gray(TIME, EVENT, TREATED),
        survival.parametric(TIME, EVENT, TREATED),
        survival.royston_parmar(TIME, EVENT, TREATED),
        survival.reconstruct([0, 1, 2], [1, 0.5, 0.4], [0, 1], [10, 5]),
        survival.bootstrap(np.mean, TIME, n=100, seed=1),
    ],
    ids=lambda result: type(result).__name__,
)
def test_numbers_of_results_are_plain_and_results_are_frozen(result):
    assert not [value for value in scalars(result) if isinstance(value, np.generic)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.level = 0.5
