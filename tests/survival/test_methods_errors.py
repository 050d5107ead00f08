"""The newer functions refuse what cannot be analysed by code and place; what has no answer gets a status."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import survival
from glueprint.errors import InputError

TIME = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
EVENT = [1, 0, 1, 1, 1, 0]
ARM = ["a", "a", "a", "b", "b", "b"]
CAUSE = [1, 0, 2, 1, 2, 0]
X = [0.0, 1.0, 0.5, 2.0, 0.1, 1.4]


def refusal(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert caught.value.expected
    assert caught.value.next_step
    return caught.value.code, caught.value.where


GROUPED = {
    "fleming_harrington": lambda t, e, g: survival.fleming_harrington(t, e, g, 0, 1),
    "max_combo": survival.max_combo,
    "log_rank_trend": survival.log_rank_trend,
    "rmst_difference": lambda t, e, g: survival.rmst_difference(t, e, g, 3.0),
    "milestone_difference": lambda t, e, g: survival.milestone_difference(t, e, g, 3.0),
    "gray": survival.gray,
}
UNGROUPED = {
    "fine_gray": lambda t, e: survival.fine_gray(t, e, X),
    "parametric": survival.parametric,
}


@pytest.mark.parametrize("name", GROUPED)
class TestEveryComparisonChecksItsArrays:
    def test_empty_text_and_shape(self, name):
        call = GROUPED[name]
        assert refusal(call, [], [], []) == ("GP-V001", "time")
        assert refusal(call, ["x", *TIME[1:]], EVENT, ARM) == ("GP-V002", "time")
        assert refusal(call, TIME, EVENT[:-1], ARM)[0] == "GP-V003"
        assert refusal(call, TIME, EVENT, ARM[:-1]) == ("GP-V003", "group")
        assert refusal(call, [1, 2, -3, 4, 5, 6], EVENT, ARM) == ("GP-V004", "time[2]")

    def test_groups(self, name):
        assert refusal(GROUPED[name], TIME, EVENT, ["a"] * 6) == ("GP-V006", "group")
        assert refusal(GROUPED[name], TIME, EVENT, [0.0, np.nan, 1, 1, 0, 0]) == ("GP-V008", "group[1]")


@pytest.mark.parametrize("name", UNGROUPED)
def test_every_model_checks_its_arrays(name):
    call = UNGROUPED[name]
    assert refusal(call, [], []) == ("GP-V001", "time")
    assert refusal(call, TIME, EVENT[:-1])[0] == "GP-V003"
    assert refusal(call, [np.inf, *TIME[1:]], EVENT) == ("GP-V004", "time[0]")


@pytest.mark.parametrize("name", ["max_combo", "rmst_difference", "milestone_difference"])
def test_two_groups_are_two(name):
    assert refusal(GROUPED[name], TIME, EVENT, [0, 0, 1, 1, 2, 2]) == ("GP-V020", "group")


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: survival.fleming_harrington(TIME, EVENT, ARM, -1, 0), "rho"),
        (lambda: survival.fleming_harrington(TIME, EVENT, ARM, 0, np.inf), "gamma"),
        (lambda: survival.gray(TIME, CAUSE, ARM, rho=np.nan), "rho"),
        (lambda: survival.rmst_difference(TIME, EVENT, ARM, -1.0), "tau"),
        (lambda: survival.milestone_difference(TIME, EVENT, ARM, 0.0), "at"),
        (lambda: survival.milestone_difference(TIME, EVENT, ARM, 2.0, scale="log"), "scale"),
        (lambda: survival.fine_gray(TIME, CAUSE, X, level=95), "level"),
        (lambda: survival.parametric(TIME, EVENT, distribution="gamma"), "distribution"),
        (lambda: survival.parametric(TIME, EVENT).quantile(0.0), "probability"),
        (lambda: survival.reconstruct([0, 1], [1, 0.5], [0], [10], placed="near"), "placed"),
        (lambda: survival.bootstrap(np.mean, TIME, n=10, seed=1), "n"),
        (lambda: survival.bootstrap(np.mean, TIME, seed=-1), "seed"),
        (lambda: survival.bootstrap(np.mean, TIME, seed=1, method="t"), "method"),
    ],
)
def test_options_out_of_range(call, where):
    assert refusal(call) == ("GP-V007", where)


@pytest.mark.parametrize(
    ("scores", "where"),
    [([1.0], "scores"), ([1.0, np.nan], "scores[1]"), ([2.0, 2.0], "scores"), ([1.0, 2.0, 3.0], "scores")],
)
def test_scores_of_a_trend(scores, where):
    assert refusal(survival.log_rank_trend, TIME, EVENT, ARM, scores=scores) == ("GP-V021", where)


def test_a_milestone_lies_within_the_follow_up():
    censored_last = [1, 1, 0, 1, 1, 0]
    assert refusal(survival.milestone_difference, TIME, censored_last, ARM, 3.5) == ("GP-V022", "at")


def test_a_cause_that_is_regressed_has_happened():
    assert refusal(survival.fine_gray, TIME, CAUSE, X, of=3) == ("GP-V023", "of")
    assert refusal(survival.fine_gray, TIME, [0] * 6, X) == ("GP-V011", "cause")
    assert refusal(survival.gray, TIME, [0.5] * 6, ARM) == ("GP-V011", "cause[0]")


def test_covariates():
    assert refusal(survival.fine_gray, TIME, CAUSE, [*X[:-1], np.nan]) == ("GP-V008", "covariates[5, 0]")
    assert refusal(survival.parametric, TIME, EVENT, [[1.0]] * 5) == ("GP-V003", "covariates")
    assert refusal(survival.parametric(TIME, EVENT, X).quantile, 0.5, [1.0, 2.0]) == ("GP-V003", "covariates")


def test_an_event_at_the_origin_has_no_logarithm():
    assert refusal(survival.parametric, [0, *TIME[1:]], EVENT) == ("GP-V024", "time[0]")
    assert refusal(survival.parametric_between, [0, 1], [0, 2]) == ("GP-V024", "right[0]")
    censored_at_zero = survival.parametric([*TIME, 0.0], [*EVENT, 0])
    assert censored_at_zero.n == 7
    assert censored_at_zero.log_likelihood == survival.parametric(TIME, EVENT).log_likelihood


@pytest.mark.parametrize(
    ("left", "right"), [([2.0, 1], [1.0, 2]), ([-1.0, 1], [1.0, 2]), ([np.inf, 1], [np.inf, 2])]
)
def test_intervals(left, right):
    assert refusal(survival.parametric_between, left, right) == ("GP-V012", "left[0]")
    assert refusal(survival.parametric_between, [1.0, 2.0], [3.0]) == ("GP-V003", "right")


class TestReconstruction:
    T = (0.0, 1.0, 2.0, 3.0, 4.0)
    S = (1.0, 0.8, 0.6, 0.5, 0.4)

    @pytest.mark.parametrize(
        ("times", "survival_", "where"),
        [
            (T, [100, 80, 60, 50, 40], "survival[0]"),
            (T, [1.0, 0.8, -0.2, 0.1, 0.1], "survival[2]"),
            (T, [1.0, 0.8, np.nan, 0.1, 0.1], "survival[2]"),
            ([0, 1, -2, 3, 4], S, "times[2]"),
        ],
    )
    def test_clicks(self, times, survival_, where):
        assert refusal(survival.reconstruct, times, survival_, [0], [50]) == ("GP-V025", where)

    def test_a_curve_that_rises(self):
        code, where = refusal(survival.reconstruct, self.T, [1.0, 0.5, 0.6, 0.8, 0.4], [0], [50])
        assert code == "GP-V026"
        assert where.startswith("survival[")

    @pytest.mark.parametrize(
        ("times", "numbers", "where"),
        [
            ([1, 2], [50, 40], "at_risk_times[0]"),
            ([0, 2, 2], [50, 40, 30], "at_risk_times[2]"),
            ([0, 2, np.nan], [50, 40, 30], "at_risk_times[2]"),
            ([0, 2], [50, 60], "at_risk[1]"),
            ([0, 2], [50, 40.5], "at_risk[1]"),
            ([0, 2], [50, -1], "at_risk[1]"),
            ([0, 2], [0, 0], "at_risk[0]"),
        ],
    )
    def test_numbers_at_risk(self, times, numbers, where):
        assert refusal(survival.reconstruct, self.T, self.S, times, numbers) == ("GP-V027", where)

    @pytest.mark.parametrize("events", [-1, 51, 2.5])
    def test_events(self, events):
        assert refusal(survival.reconstruct, self.T, self.S, [0], [50], events=events) == (
            "GP-V028",
            "events",
        )

    def test_shapes(self):
        assert refusal(survival.reconstruct, self.T, self.S[:-1], [0], [50]) == ("GP-V003", "survival")
        assert refusal(survival.reconstruct, self.T, self.S, [0], [50, 40]) == ("GP-V003", "at_risk")


def test_a_statistic_gives_a_number():
    assert refusal(survival.bootstrap, lambda t: t[0] * np.nan, TIME, seed=1) == ("GP-V029", "statistic")
    assert refusal(survival.bootstrap, np.mean, TIME, TIME[:-1], seed=1) == ("GP-V003", "columns")
    assert refusal(survival.bootstrap, np.mean, seed=1) == ("GP-V003", "columns")


class TestStatus:
    def test_nobody_has_the_event(self):
        nobody = [0] * 6
        test = survival.fleming_harrington(TIME, nobody, ARM, 0, 1)
        assert (test.status, test.df) == ("no comparison", 0)
        assert np.isnan([test.z, test.chi2, test.p_value]).all()
        combo = survival.max_combo(TIME, nobody, ARM)
        assert combo.status == "no comparison"
        assert np.isnan([combo.statistic, combo.p_value, combo.one_sided_p_value]).all()
        trend = survival.log_rank_trend(TIME, nobody, ARM)
        assert trend.status == "no comparison"
        assert np.isnan(trend.p_value)
        fit = survival.parametric(TIME, nobody)
        assert fit.status == "no events"
        assert np.isnan(fit.coefficients).all()
        assert np.isnan(fit.quantile(0.5)).all()
        assert np.isnan(fit.survival([1.0])).all()
        assert "longer follow-up" in fit.advice
        difference = survival.rmst_difference(TIME, nobody, ARM, 3.0)
        assert difference.difference.value == 0
        assert np.isnan([difference.difference.p_value, difference.lost_ratio.value]).all()

    def test_a_late_weight_without_a_late_event_is_no_comparison(self):
        # The only event is the first, when the weight 1 - S is still 0.
        test = survival.fleming_harrington(TIME, [1, 0, 0, 0, 0, 0], ARM, 0, 1)
        assert test.status == "no comparison"
        combo = survival.max_combo(TIME, [1, 0, 0, 0, 0, 0], ARM)
        assert np.isnan(combo.z).tolist() == [False, True, False, True]
        log_rank = survival.log_rank(TIME, [1, 0, 0, 0, 0, 0], ARM)
        assert combo.p_value == pytest.approx(log_rank.p_value, rel=1e-12)

    def test_groups_never_at_risk_together(self):
        test = survival.gray(TIME, CAUSE, ARM, strata=ARM)
        assert test.status.tolist() == ["no comparison"] * 2
        assert np.isnan(test.p_value).all()
        assert test.df.tolist() == [0, 0]

    def test_a_pooled_incidence_that_passes_one(self):
        # Once the first group is gone, the incidence of all goes on to above 1, and its root has no meaning.
        time = np.concatenate([np.full(10, 1.0), np.arange(5, 25.0)])
        group = np.concatenate([np.zeros(10), np.arange(20) % 2 + 1])
        test = survival.gray(time, np.ones(30), group, rho=0.5)  # R's cuminc stops with NaN here
        assert test.status.tolist() == ["no comparison"]
        assert np.isnan(test.chi2).all()
        # cmprsk 2.2-11: cuminc(time, cause, group, rho = 0)$Tests and rho = 1.
        for rho, chi2 in ((0, 29.0621637703114), (1, 29.0057313326185)):
            assert survival.gray(time, np.ones(30), group, rho=rho).chi2[0] == pytest.approx(chi2, rel=1e-12)

    def test_a_covariate_that_separates_the_cause(self):
        time = np.arange(1.0, 11.0)
        cause = np.array([1] * 4 + [2, 2, 0, 0, 0, 0])
        fit = survival.fine_gray(time, cause, (cause == 1) * 1.0)
        assert fit.status == "no maximum"
        assert np.isnan(fit.coefficients).all()
        assert "Gray's test" in fit.advice

    def test_covariates_that_are_aliased(self):
        x = np.column_stack([X, np.ones(6), 2 * np.array(X)])
        fit = survival.fine_gray(TIME, CAUSE, x)
        alone = survival.fine_gray(TIME, CAUSE, X)
        assert (fit.status, alone.status) == ("aliased", "ok")
        assert np.isnan(fit.coefficients).tolist() == [False, True, True]
        assert fit.coefficients[0] == pytest.approx(alone.coefficients[0], rel=1e-12)
        model, plain = survival.parametric(TIME, EVENT, x), survival.parametric(TIME, EVENT, X)
        assert (model.status, plain.status) == ("aliased", "ok")
        assert np.isnan(model.coefficients).tolist() == [False, False, True, True]
        assert model.quantile(0.5, x[0]) == pytest.approx(plain.quantile(0.5, X[:1]), rel=1e-10)

    @pytest.mark.parametrize("distribution", ["weibull", "lognormal", "loglogistic"])
    def test_events_that_lie_on_the_model(self, distribution):
        x = np.array([0.0, 1, 2, 3])
        fit = survival.parametric(np.exp(1 + x), [1] * 4, x, distribution=distribution)
        assert fit.status == "no maximum"
        assert "exactly on the model" in fit.advice
        assert np.isnan([fit.scale, fit.aic, fit.log_likelihood]).all()

    def test_a_covariate_that_separates_the_events(self):
        fit = survival.parametric(TIME, [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], distribution="exponential")
        assert fit.status == "no maximum"

    def test_milestones_without_variance(self):
        test = survival.milestone_difference(TIME, EVENT, ARM, 0.5)
        assert test.difference.value == 0
        assert np.isnan([test.difference.low, test.difference.p_value]).all()
        assert test.at_risk.tolist() == [3, 3]

    def test_resamples_without_an_answer(self):
        median = survival.bootstrap(
            lambda t, e: survival.kaplan_meier(t, e).median, range(1, 9), [1, 1, 1, 1, 0, 0, 0, 0], seed=1
        )
        assert median.status == "undefined"
        assert median.undefined > 100
        assert np.isnan([median.low, median.high]).all()
        assert "restricted mean" in median.advice
        same = survival.bootstrap(np.mean, [2.0] * 5, seed=1)
        assert same.status == "no spread"
        assert np.isnan(same.low)
