"""What cannot be analysed is refused with code, place and next step; what has no answer gets a status."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import survival
from glueprint.errors import InputError

TIME = [1.0, 2.0, 3.0, 4.0]
EVENT = [1, 0, 1, 1]
ARM = ["a", "a", "b", "b"]


def refusal(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert caught.value.expected
    assert caught.value.next_step
    return caught.value.code, caught.value.where


ON_TIME_AND_EVENT = {
    "kaplan_meier": survival.kaplan_meier,
    "log_rank": lambda t, e: survival.log_rank(t, e, ["a", "b"] * (max(len(t), 2) // 2)),
    "cox": lambda t, e: survival.cox(t, e, np.arange(len(t))),
    "rmst": lambda t, e: survival.rmst(t, e, 2.0),
    "cumulative_incidence": survival.cumulative_incidence,
}


@pytest.mark.parametrize("name", ON_TIME_AND_EVENT)
class TestEveryFunctionChecksItsArrays:
    def test_empty(self, name):
        assert refusal(ON_TIME_AND_EVENT[name], [], []) == ("GP-V001", "time")

    def test_text(self, name):
        assert refusal(ON_TIME_AND_EVENT[name], ["1", "2", "x", "4"], EVENT) == ("GP-V002", "time")

    def test_unequal_lengths(self, name):
        code, where = refusal(ON_TIME_AND_EVENT[name], TIME, [1, 0])
        assert (code, where) in [("GP-V003", "event"), ("GP-V003", "cause")]

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_times_that_are_none(self, name, bad):
        assert refusal(ON_TIME_AND_EVENT[name], [1.0, 2.0, bad, 4.0], EVENT) == ("GP-V004", "time[2]")


@pytest.mark.parametrize("bad", [2, 0.5, np.nan])
def test_an_event_is_0_or_1(bad):
    assert refusal(survival.kaplan_meier, TIME, [1, 0, 1, bad]) == ("GP-V005", "event[3]")


def test_one_group_has_nothing_to_compare():
    assert refusal(survival.log_rank, TIME, EVENT, ["a"] * 4) == ("GP-V006", "group")


def test_replicates_compare_groups_0_and_1():
    assert refusal(survival.replicate_cox, [TIME], [EVENT], [0, 1, 2, 1]) == ("GP-V006", "group[0, 2]")
    assert refusal(survival.replicate_log_rank, TIME, EVENT, [0, 1, 0, 1]) == ("GP-V002", "time")


@pytest.mark.parametrize(
    "call",
    [
        lambda: survival.kaplan_meier(TIME, EVENT, level=95),
        lambda: survival.kaplan_meier(TIME, EVENT).quantile(1.0),
        lambda: survival.cox(TIME, EVENT, [0, 1, 0, 1], ties="exact"),
        lambda: survival.replicate_cox([TIME], [EVENT], [0, 1, 0, 1], ties="exact"),
        lambda: survival.rmst(TIME, EVENT, -1.0),
        lambda: survival.clopper_pearson(1, 2, 0.0),
    ],
)
def test_options_out_of_range(call):
    assert refusal(call)[0] == "GP-V007"


def test_missing_covariates_and_labels():
    assert refusal(survival.cox, TIME, EVENT, [[0, 1], [1, np.nan], [0, 2], [1, 1]]) == (
        "GP-V008",
        "covariates[1, 1]",
    )
    assert refusal(survival.log_rank, TIME, EVENT, [0.0, np.nan, 1.0, 1.0]) == ("GP-V008", "group[1]")
    assert refusal(survival.log_rank, TIME, EVENT, ["a", None, "b", "b"]) == ("GP-V008", "group")
    assert refusal(survival.cox, TIME, EVENT, [[0.0], [1.0]]) == ("GP-V003", "covariates")


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (0.5, 2), (0, 0)])
def test_proportions_are_made_of_counts(successes, n):
    assert refusal(survival.clopper_pearson, successes, n) == ("GP-V009", "successes")


def test_a_restricted_mean_ends_with_the_follow_up():
    assert refusal(survival.rmst, TIME, [1, 0, 1, 0], 5.0) == ("GP-V010", "tau")


@pytest.mark.parametrize(
    ("cause", "where"), [([1, 0, 2, 1.5], "cause[3]"), ([0, -1, 0, 1], "cause[1]"), ([0] * 4, "cause")]
)
def test_causes_are_whole_numbers(cause, where):
    assert refusal(survival.cumulative_incidence, TIME, cause) == ("GP-V011", where)


def test_all_censored_is_a_status():
    nobody = [0, 0, 0, 0]
    curve = survival.kaplan_meier(TIME, nobody)
    assert (curve.survival == 1).all()
    assert np.isnan([curve.median, *curve.median_interval]).all()
    test = survival.log_rank(TIME, nobody, ARM)
    assert (test.status, test.df) == ("no comparison", 0)
    assert np.isnan([test.chi2, test.p_value]).all()
    fit = survival.cox(TIME, nobody, [0, 1, 0, 1])
    assert (fit.status, fit.converged) == ("no comparison", False)
    assert np.isnan(fit.coefficients).all()
    assert "nothing can be estimated" in fit.advice
    many = survival.replicate_cox([TIME], [nobody], [0, 1, 0, 1])
    assert many.status.tolist() == ["no comparison"]
    assert np.isnan(many.coefficient).all()
    assert survival.replicate_log_rank([TIME], [nobody], [0, 1, 0, 1]).status.tolist() == ["no comparison"]
    assert np.isnan(survival.replicate_median([TIME], [nobody])).all()


def test_groups_never_at_risk_together_are_a_status():
    test = survival.log_rank([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], ARM, strata=ARM)
    assert test.status == "no comparison"
    assert np.isnan(test.p_value)
