"""What the benchmark of the type-I error stands on: patients are independent, and its truths hold."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from glueprint.survival import replicate_cox, replicate_log_rank
from glueprint.trials.conduct.conducting import conduct
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population
from glueprint.trials.protocol.regimens import NO_REGIMEN

PATIENTS = 90


@pytest.fixture(scope="module")
def bench():
    from benchmarks import no_effect as module

    return module


@pytest.fixture(scope="module")
def pool(bench):
    """Exponential times, seen at visits every four weeks for one of the endpoints."""
    chance, n = np.random.default_rng(5), 5000
    true, cut = chance.exponential(8.0, n), chance.uniform(4.0, 24.0, n)
    seen = np.ceil(true / 0.92) * 0.92
    return bench.Pool(
        bench.no_effect("any", 455),
        chance.integers(0, 9, n),
        {"pfs": np.minimum(seen, cut), "os": np.minimum(true, cut)},
        {"pfs": seen <= cut, "os": true <= cut},
    )


def test_a_patients_course_is_the_same_in_either_of_two_equal_arms(bench):
    plan = bench.no_effect("equal-arms", PATIENTS)
    stream = Stream(3, plan.name, 1)
    people = draw_population(plan, stream)
    assert np.bincount(people.arm).tolist() == [60, 30]
    one, other = (conduct(plan, who, stream) for who in (people, replace(people, arm=1 - people.arm)))
    for part in fields(one.ward):
        first, second = getattr(one.ward, part.name), getattr(other.ward, part.name)
        for field in fields(first):
            if field.name in ("dose", "regimen"):
                continue
            mine, theirs = getattr(first, field.name), getattr(second, field.name)
            if isinstance(mine, dict):
                mine, theirs = (np.stack([days[name] for name in mine]) for days in (mine, theirs))
            np.testing.assert_array_equal(mine, theirs, err_msg=field.name)
    # Regimens are numbered by arm; whether there is one is the same.
    np.testing.assert_array_equal(
        one.ward.dosing.regimen == NO_REGIMEN, other.ward.dosing.regimen == NO_REGIMEN
    )
    assert (one.ward.follow_up.end_day > 0).all()


def test_drawn_trials_have_the_protocols_arms_and_nobody_twice(bench, pool):
    (some,) = bench.drawn(pool, 3, seed=1)
    assert (np.array([np.bincount(arm) for arm in some.arm]) == [302, 153]).all()
    for own, other in zip(some.patient, some.partner, strict=True):
        assert np.unique(np.concatenate([own, other])).size == 910
    np.testing.assert_array_equal(some.stratum, pool.stratum[some.patient])


def test_controls_are_the_earlier_of_two_and_die_twice_as_fast(bench, pool):
    (some,) = bench.drawn(pool, 40, seed=2)
    treated = some.arm == 0
    for name in bench.ENDPOINTS:
        months, event = bench.earlier(pool, name, some)
        np.testing.assert_array_equal(months[treated], pool.months[name][some.patient][treated])
        assert (months <= pool.months[name][some.partner])[~treated].all()
        fit = replicate_cox(months, event, treated)
        # A log hazard ratio has a standard error of 0.11 a trial, so 0.02 over all.
        assert abs(fit.coefficient.mean() - np.log(bench.HAZARD_RATIO)) < 0.06


def test_shares_are_those_of_the_kernels_on_the_same_trials(bench, pool):
    rows = {
        (row["endpoint"], row["stratified"], row["what"]): row["percent"]
        for row in bench.rejections(pool, 200, seed=3)
    }
    (some,) = bench.drawn(pool, 200, seed=3)
    event, months = pool.event["os"][some.patient], pool.months["os"][some.patient]
    test = replicate_log_rank(months, event, some.arm == 0, strata=some.stratum)
    low = (test.p_value < 0.05) & (test.difference < 0)
    assert rows["os", True, "log-rank, treated better"] == pytest.approx(100 * low.mean())
    fit = replicate_cox(months, event, some.arm == 0)
    assert rows["os", False, "interval holds 1"] == pytest.approx(
        100 * ((fit.low <= 1) & (fit.high >= 1)).mean()
    )
    assert 90 < rows["os", False, "interval holds 1"] < 99


def test_a_share_has_its_binomial_error(bench):
    assert bench.share(0.03, 10_000, 0.025)["standard_error"] == pytest.approx(0.1561, abs=1e-4)
