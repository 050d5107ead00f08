"""What must hold for any data; and that many replicates at once give what one by one gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glueprint import survival
from glueprint.survival.counts import tie

SEEDS = st.integers(0, 10**6)


def trial(seed, *, replicates=1, n=40, ticks=12):
    """Tied times, two groups and three strata; now and then a replicate without an event."""
    rng = np.random.Generator(np.random.Philox(seed))
    time = rng.integers(0, ticks, (replicates, n)).astype(float)
    event = rng.random((replicates, n)) < rng.choice([0.0, 0.05, 0.5, 1.0], (replicates, 1))
    group = rng.integers(0, 2, n)
    group[:2] = [0, 1]
    return time, event.astype(int), group, rng.integers(0, 3, n)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_only_the_order_of_the_times_counts(seed):
    time, event, group, strata = (np.squeeze(part) for part in trial(seed))
    stretched = np.exp(time) * 3
    for function in (
        lambda t: survival.log_rank(t, event, group, strata=strata).chi2,
        lambda t: survival.cox(t, event, group, strata=strata).log_likelihood,
        lambda t: survival.kaplan_meier(t, event).survival,
    ):
        np.testing.assert_allclose(function(stretched), function(time), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_order_of_the_patients_does_not_count(seed):
    time, event, group, strata = (np.squeeze(part) for part in trial(seed))
    shuffle = np.random.Generator(np.random.Philox(seed)).permutation(time.size)
    one = survival.log_rank(time, event, group, strata=strata)
    other = survival.log_rank(time[shuffle], event[shuffle], group[shuffle], strata=strata[shuffle])
    np.testing.assert_allclose(other.chi2, one.chi2, rtol=1e-11, atol=1e-14)
    first, second = (
        survival.cox(t, e, g)
        for t, e, g in [(time, event, group), (time[shuffle], event[shuffle], group[shuffle])]
    )
    assert first.status == second.status
    np.testing.assert_allclose(first.log_likelihood, second.log_likelihood, rtol=1e-11)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_swapping_the_groups_turns_the_hazard_ratio_over(seed):
    time, event, group, _ = (np.squeeze(part) for part in trial(seed))
    one, other = survival.cox(time, event, group), survival.cox(time, event, 1 - group)
    assert one.status == other.status
    np.testing.assert_allclose(one.coefficients, -other.coefficients, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(one.interval[0], 1 / np.maximum(other.interval[1], 1e-300), rtol=1e-7)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_without_ties_the_score_test_is_the_log_rank_test(seed):
    rng = np.random.Generator(np.random.Philox(seed))
    time, event, group = rng.permutation(30) + 1.0, rng.integers(0, 2, 30), rng.integers(0, 2, 30)
    event[0], group[:2] = 1, [0, 1]
    test, fit = survival.log_rank(time, event, group), survival.cox(time, event, group)
    if test.status == "ok":
        np.testing.assert_allclose(fit.score.chi2, test.chi2, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_replicates_equal_one_by_one(seed, stratified, masked):
    time, event, group, strata = trial(seed, replicates=6)
    use = np.random.Generator(np.random.Philox(seed + 1)).random(time.shape) < (0.8 if masked else 2.0)
    use[:, :2] = True
    messy = np.where(use, time, np.nan)
    layers = {"strata": strata if stratified else None}
    tests = survival.replicate_log_rank(messy, event, group, included=use, **layers)
    fits = survival.replicate_cox(messy, event, group, included=use, **layers)
    medians = survival.replicate_median(messy, event, included=use)
    for r in range(time.shape[0]):
        rows = use[r]
        one = {"strata": strata[rows] if stratified else None}
        t, e, g = time[r, rows], event[r, rows], group[rows]
        test, fit = survival.log_rank(t, e, g, **one), survival.cox(t, e, g, **one)
        assert tests.status[r] == test.status
        np.testing.assert_allclose(tests.chi2[r], test.chi2, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(tests.p_value[r], test.p_value, rtol=1e-9)
        assert fits.status[r] == fit.status
        np.testing.assert_allclose(fits.coefficient[r], fit.coefficients[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(fits.std_error[r], fit.std_error[0], rtol=1e-9)
        np.testing.assert_allclose(medians[r], survival.kaplan_meier(t, e).median, rtol=1e-15)


def test_a_replicate_without_patients_is_a_status():
    time, event, group, _ = trial(3, replicates=3)
    use = np.ones(time.shape, dtype=bool)
    use[1] = False
    assert survival.replicate_log_rank(time, event, group, included=use).status[1] == "no comparison"
    assert survival.replicate_cox(time, event, group, included=use).status[1] == "no comparison"
    medians = survival.replicate_median(time, event, included=use)
    assert np.isnan(medians[1])
    alone = survival.replicate_median(time[[0, 2]], event[[0, 2]])
    np.testing.assert_array_equal(medians[[0, 2]], alone)
    assert np.isnan(survival.replicate_median(time, event, included=np.zeros_like(use))).all()


def test_times_that_differ_by_rounding_are_one_time():
    months = np.array([182.625 / 30.4375, 6.0 * (1 + 2e-16), 6.0 + 1e-9, 6.1])
    assert np.unique(tie(months)).size == 2
    both = tie(np.array([months, [1.0, 2.0, 3.0, 4.0]]))
    np.testing.assert_array_equal(both[0], tie(months))
    np.testing.assert_array_equal(both[1], [1, 2, 3, 4])


def test_results_are_frozen():
    curve = survival.kaplan_meier([1, 2], [1, 0])
    with pytest.raises(AttributeError):
        curve.level = 0.5
