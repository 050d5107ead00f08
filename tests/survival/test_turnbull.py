"""Interval-censored times against closed forms, Kaplan-Meier, isotonic regression and lifelines."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from scipy.optimize import isotonic_regression

from glueprint import survival
from glueprint.errors import InputError
from glueprint.survival import masses


def visits_of(rng, n, every=4.0, mean=10.0, end=30.0):
    """Intervals between visits that contain exponential times; later events are not seen."""
    true = rng.exponential(mean, n)
    left = np.floor(true / every) * every
    seen = left + every <= end
    return np.where(seen, left, end), np.where(seen, left + every, np.inf)


def test_two_patients_by_hand():
    # (0, 2] and (1, 3] share (1, 2]: all mass there explains both.
    found = survival.turnbull([0, 1], [2, 3])
    assert (found.left.tolist(), found.right.tolist(), found.mass.tolist()) == ([1.0], [2.0], [1.0])
    assert found.median == 1.5


def test_without_intervals_it_is_kaplan_meier():
    rng = np.random.default_rng(1)
    time, event = np.round(rng.exponential(5, 60), 1) + 0.1, rng.uniform(size=60) < 0.7
    found = survival.turnbull(time, np.where(event, time, np.inf))
    curve = survival.kaplan_meier(time, event)
    assert found.status == "ok"
    exact = found.left == found.right
    np.testing.assert_allclose(1 - np.cumsum(found.mass[exact]), curve.at(found.right[exact]), atol=1e-8)
    assert found.quantile(0.5) == pytest.approx((curve.median, curve.median))


def test_one_look_per_patient_is_isotonic_regression():
    # Current status: each patient is seen once, with the event before or after.
    rng = np.random.default_rng(2)
    look = np.sort(rng.uniform(1, 20, 80))
    had = rng.exponential(8, 80) < look
    found = survival.turnbull(np.where(had, 0.0, look), np.where(had, look, np.inf))
    expected = isotonic_regression(had.astype(float)).x
    for time, share in zip(look, expected, strict=True):
        assert found.mass[found.right <= time].sum() == pytest.approx(share, abs=1e-6)


def test_agrees_with_lifelines_where_no_two_visits_meet():
    # lifelines 0.30 takes intervals as closed at both ends, which matters only where ends meet.
    rng = np.random.default_rng(3)
    left, right = visits_of(rng, 120)
    left, right = left + rng.uniform(0, 1, 120), right + rng.uniform(1, 2, 120)
    found = survival.turnbull(left, right)
    theirs = KaplanMeierFitter().fit_interval_censoring(left, right, tol=1e-10).survival_function_
    # Theirs stops by its own rule, ours by the proof of the maximum, so they are near and not equal.
    for time in found.right[:-1]:
        ours = 1 - found.mass[found.right <= time].sum()
        assert theirs.loc[time, "NPMLE_estimate_lower"] == pytest.approx(ours, abs=2e-3)


def test_agrees_with_r_where_visits_meet():
    # R 4.2 survival 3.5-3: survfit(Surv(left, right, type = "interval2") ~ 1)$surv, right NA where not seen;
    # it stops by its own rule, hence four digits.
    theirs = [0.70000000, 0.41446156, 0.30774894, 0.21594270, 0.15512244, 0.11305582, 0.09333333]
    rng = np.random.default_rng(3)
    left, right = visits_of(rng, 150)
    left = np.maximum(left - rng.integers(0, 3, 150) * (left > 4), 0.0)
    found = survival.turnbull(left, right)
    np.testing.assert_allclose(1 - np.cumsum(found.mass)[:-1], theirs, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=25))
def test_the_maximum_is_proven_whatever_the_intervals(pairs):
    left = np.array([low for low, _ in pairs], dtype=float)
    right = np.array([low + width if width < 8 else np.inf for low, width in pairs], dtype=float)
    found = survival.turnbull(left, right)
    assert found.status == "ok"
    assert found.gap <= 1e-9
    assert found.mass.sum() == pytest.approx(1.0)
    assert (found.mass >= 0).all()
    assert (found.left <= found.right).all()


def test_visits_date_events_late_and_the_interval_estimate_does_not():
    rng = np.random.default_rng(4)
    left, right = visits_of(rng, 4000)
    seen = survival.kaplan_meier(np.where(np.isfinite(right), right, left), np.isfinite(right)).median
    truth = 10 * math.log(2)
    # Four standard errors of the median of 4,000 exponential times.
    error = 4 * 10 / math.sqrt(4000)
    assert seen == 8.0
    assert abs(survival.turnbull(left, right).median - truth) < error


def thousands():
    rng = np.random.default_rng(6)
    left, right = visits_of(rng, 6000, every=0.01)
    left, right = np.maximum(left - rng.uniform(0, 4, 6000), 0), right + rng.uniform(0, 4, 6000)
    died = rng.uniform(size=6000) < 0.3
    time = rng.exponential(10, 6000)
    return survival.turnbull(np.where(died, time, left), np.where(died, time, right))


def test_thousands_of_different_times_have_the_whole_proof():
    found = thousands()
    assert found.mass.size > 3000
    assert found.status == "ok"
    assert found.gap <= 1e-9
    # Wide intervals tell less than exact times, whose four standard errors are 0.52.
    assert found.median == pytest.approx(10 * math.log(2), abs=0.6)


def test_more_than_many_are_as_good_to_a_wider_gap(monkeypatch):
    for place in (masses, sys.modules["glueprint.survival.turnbull"]):
        monkeypatch.setattr(place, "MANY", 1500)
    found = thousands()
    assert found.status == "ok"
    assert 1e-9 < found.gap <= 1e-4
    assert found.median == pytest.approx(10 * math.log(2), abs=0.6)


def test_a_median_beyond_follow_up_has_no_end():
    found = survival.turnbull([0, 5, 5], [2, np.inf, np.inf])
    assert found.quantile(0.5) == (5.0, np.inf)
    assert math.isnan(found.median)


@pytest.mark.parametrize(
    ("left", "right", "code", "where"),
    [
        ([], [], "GP-V001", "left"),
        ([1, 2], [2], "GP-V003", "right"),
        ([1, 3], [2, 2], "GP-V012", "left[1]"),
        ([-1], [2], "GP-V012", "left[0]"),
        ([np.nan], [2], "GP-V012", "left[0]"),
        ([1], [np.nan], "GP-V012", "left[0]"),
    ],
)
def test_times_that_are_no_interval_are_refused(left, right, code, where):
    with pytest.raises(InputError) as caught:
        survival.turnbull(left, right)
    assert (caught.value.code, caught.value.where) == (code, where)


def test_a_probability_is_between_0_and_1():
    with pytest.raises(InputError, match="GP-V007"):
        survival.turnbull([1], [2]).quantile(1.0)
