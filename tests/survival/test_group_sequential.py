"""Boundaries against printed ones, the joint normal distribution, closed forms and simulated trials."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, multivariate_normal, norm
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import survival
from glueprint.cli.app import app
from glueprint.errors import InputError
from glueprint.survival import Assumptions, behaviour, group_sequential, plan

EQUAL = {n: [(k + 1) / n for k in range(n)] for n in (1, 2, 3, 5)}
# Bounds of spending at alpha 0.025 one-sided and equal steps, as tables of Lan-DeMets designs print them.
PRINTED = {
    ("obrien-fleming", 2): (2.963, 1.969),
    ("obrien-fleming", 3): (3.710, 2.511, 1.993),
    ("obrien-fleming", 5): (4.877, 3.357, 2.680, 2.290, 2.031),
    ("pocock", 2): (2.157, 2.201),
    ("pocock", 3): (2.279, 2.295, 2.296),
    ("pocock", 5): (2.438, 2.427, 2.410, 2.397, 2.386),
}


def joint(t, theta=0.0):
    """The distribution of the statistics at all looks."""
    t = np.asarray(t)
    return theta * np.sqrt(t), np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))


def below(bounds, t, theta=0.0):
    """Probability that every statistic stays below its bound."""
    mean, covariance = joint(t, theta)
    return multivariate_normal(mean, covariance, abseps=1e-9, releps=1e-9, maxpts=2_000_000).cdf(bounds)


@pytest.mark.parametrize(("spending", "looks"), PRINTED)
def test_bounds_are_the_printed_ones(spending, looks):
    found = group_sequential(EQUAL[looks], spending=spending)
    assert np.round(found.efficacy, 3) == pytest.approx(PRINTED[spending, looks], abs=1.01e-3)


def test_one_look_is_the_usual_test():
    found = group_sequential([1.0], alpha=0.025, power=0.9)
    assert found.efficacy[0] == pytest.approx(norm.isf(0.025), rel=1e-12)
    assert found.drift == pytest.approx(norm.isf(0.025) + norm.ppf(0.9), rel=1e-10)
    assert (found.inflation, found.expected_information) == pytest.approx((1.0, 1.0), rel=1e-10)


@pytest.mark.parametrize("t", [(0.5, 1.0), (0.2, 0.3, 1.0), (0.05, 0.6, 1.0)])
@pytest.mark.parametrize("spending", survival.SPENDING)
def test_error_and_power_are_those_of_the_joint_distribution(t, spending):
    found = group_sequential(t, spending=spending, alpha=0.025, power=0.8)
    assert 1.0 - below(found.efficacy, t) == pytest.approx(0.025, abs=1e-6)
    assert 1.0 - below(found.efficacy, t, found.drift) == pytest.approx(0.8, abs=1e-6)
    assert found.alpha == pytest.approx(0.025, rel=1e-9)
    assert found.spent[-1] == pytest.approx(0.025, rel=1e-12)
    assert found.stop_for_benefit.sum() == pytest.approx(found.power, rel=1e-12)


def test_looks_that_nearly_coincide():
    """R 4.2.2, mvtnorm 1.1-3: 1 - pmvnorm(upper=b, sigma=S, algorithm=TVPACK(1e-12)) is 0.02499999975."""
    found = group_sequential((0.5, 0.501, 1.0))
    assert found.efficacy == pytest.approx([2.9625880431, 3.0079982583, 1.96871421], abs=1e-8)


def test_futility_keeps_power_and_does_not_bind():
    t = (0.4, 0.7, 1.0)
    found = group_sequential(t, futility="pocock", power=0.9)
    alone = group_sequential(t, power=0.9)
    assert found.efficacy.tolist() == alone.efficacy.tolist()
    assert found.alpha == pytest.approx(0.025, rel=1e-9)
    assert found.stop_under_null.sum() < 0.025
    assert (found.power, found.stop_for_futility.sum()) == pytest.approx((0.9, 0.1), rel=1e-8)
    assert found.futility[-1] == found.efficacy[-1]
    assert found.inflation > alone.inflation
    assert found.expected_information < 1.0
    spent = np.cumsum(found.stop_for_futility)
    assert spent == pytest.approx([survival.SPENDING["pocock"](x, 0.1) for x in t], rel=1e-8)


def test_events_are_schoenfelds():
    for ratio, share in ((1.0, 0.5), (2.0, 2 / 3)):
        found = plan(Assumptions(0.7, 10.0, ratio=ratio))
        exact = (norm.isf(0.025) + norm.ppf(0.9)) ** 2 / (math.log(0.7) ** 2 * share * (1 - share))
        assert found.events == math.ceil(exact)
    assert plan(Assumptions(0.7, 10.0)).events == 331


def test_expected_events_are_the_integral():
    given = Assumptions(0.6, 8.0, ratio=1.5, accrual=10.0, follow_up=5.0, dropout=0.02)
    came = np.linspace(0.0, 10.0, 200_001)
    for time in (4.0, 10.0, 15.0):
        expected = 0.0
        for share, hazard in zip((0.4, 0.6), given.hazards, strict=True):
            leaving = hazard + 0.02
            seen = np.where(
                came < time, hazard / leaving * -np.expm1(-leaving * np.maximum(time - came, 0)), 0
            )
            expected += share * np.trapezoid(seen, came) / 10.0
        assert given.events_by(time) == pytest.approx(expected, rel=1e-8)


def test_looks_come_when_their_events_are_expected():
    found = plan(Assumptions(0.7, 10.0, accrual=18.0, follow_up=12.0), (0.5, 1.0))
    for events, time in zip(found.look_events, found.look_times, strict=True):
        assert found.patients * found.assumptions.events_by(time) == pytest.approx(events, rel=1e-8)
    assert found.look_times[-1] == pytest.approx(30.0, rel=0.01)


@pytest.mark.parametrize("true", [0.5, 1.0])
def test_simulated_trials_do_what_the_boundaries_say(true):
    planned = plan(
        Assumptions(0.5, 6.0, accrual=8.0, follow_up=8.0, dropout=0.01), (0.5, 1.0), futility="pocock"
    )
    seen = behaviour(planned, true, trials=3000, seed=5)
    bounds = planned.boundaries
    expected = bounds.stop_for_benefit if true < 1.0 else bounds.stop_under_null
    interval = binomtest(round(seen.power * 3000), 3000).proportion_ci(0.999)
    # The normal law is that of many events; a trial of this size has 110.
    assert interval.low - 0.01 < expected.sum() < interval.high + 0.01
    assert seen.stop_for_benefit.sum() + seen.stop_for_futility.sum() == pytest.approx(1.0)
    again, other = (behaviour(planned, true, trials=200, seed=seed).events for seed in (5, 6))
    assert behaviour(planned, true, trials=200, seed=5).events == again != other


def test_a_statistic_is_that_of_the_log_rank_test():
    from glueprint.survival.design import _statistics

    chance = np.random.default_rng(3)
    came, span = chance.uniform(0, 5, (1, 60)), chance.exponential(4, (1, 60))
    happened, new = chance.uniform(size=(1, 60)) < 0.8, np.arange(60) < 30
    z = _statistics(span, happened, came, np.array([6.0]), new)[0]
    there = came[0] < 6.0
    time = np.minimum(span[0], 6.0 - came[0])[there]
    event = (happened[0] & (span[0] <= 6.0 - came[0]))[there]
    test = survival.log_rank(time, event, new[there])
    assert z**2 == pytest.approx(test.chi2, rel=1e-12)
    assert np.sign(z) == np.sign(test.expected[1] - test.observed[1])


def test_the_command_says_what_python_says():
    arguments = ["--hazard-ratio", "0.7", "--median-months", "10", "--looks", "0.5,1", "--ratio", "2"]
    done = CliRunner().invoke(app, ["trial", "design", *arguments, "--simulate", "50", "--json"])
    assert done.exit_code == 0, done.output
    told = payload(done.stdout)
    expected = plan(Assumptions(0.7, 10.0, ratio=2.0), (0.5, 1.0))
    assert (told["events"], told["patients"]) == (expected.events, expected.patients)
    assert [row["z"] for row in told["looks"]] == expected.boundaries.efficacy.tolist()
    assert [row["trials"] for row in told["simulated"]] == [50, 50]


@pytest.mark.parametrize(
    ("idle", "fine"),
    [
        (("--spending", "pocock"), ("--looks", "0.5,1")),
        (("--futility", "linear"), ("--looks", "0.5,1")),
        (("--seed", "2"), ("--simulate", "20")),
    ],
)
def test_an_option_that_acts_on_nothing_is_refused(idle, fine):
    words = ["trial", "design", "--hazard-ratio", "0.6", "--median-months", "6", *idle]
    refused = CliRunner().invoke(app, words)
    assert getattr(refused.exception, "code", "") == "GP-V036"
    assert CliRunner().invoke(app, [*words, *fine]).exit_code == 0


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (lambda: group_sequential([0.5, 0.4, 1.0]), "GP-V035", "information[1]"),
        (lambda: group_sequential([0.5, 0.9]), "GP-V035", "0.9"),
        (lambda: group_sequential([0.0, 1.0]), "GP-V035", "information[0]"),
        (lambda: group_sequential([1.0], alpha=0.5), "GP-V007", "alpha"),
        (lambda: group_sequential([1.0], power=0.01), "GP-V007", "power"),
        (lambda: group_sequential([1.0], spending="obrien"), "GP-V007", "obrien-fleming"),
        (lambda: Assumptions(1.2, 10.0), "GP-V036", "below 1"),
        (lambda: Assumptions(0.7, -1.0), "GP-V036", "median"),
        (lambda: plan(Assumptions(0.9999, 10.0)), "GP-V036", "patients"),
        (lambda: behaviour(plan(Assumptions(0.7, 10.0)), 0.0), "GP-V036", "hazard_ratio"),
    ],
)
def test_bad_requests_say_how_to_go_on(call, code, said):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == code
    assert said in caught.value.render()
