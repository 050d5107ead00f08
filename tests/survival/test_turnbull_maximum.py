"""Whatever the intervals, the maximum is proven: Kuhn and Tucker's conditions, worked out anew from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from glueprint import survival
from glueprint.survival import masses


def holds(left, right, found):
    """(n, m) whether an interval (left, right], or an exact time, holds a cell."""
    exact, point = (left == right)[:, None], (found.left == found.right)[None, :]
    inside = (left[:, None] <= found.left) & (found.right <= right[:, None])
    begins_there = point & (found.left[None, :] == left[:, None])
    return inside & np.where(exact, point, ~begins_there)


def proven(left, right, gap=1e-9):
    """The estimate, when no mass can move for a gain and cells that hold mass gain all the same."""
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    found = survival.turnbull(left, right)
    assert found.status == "ok"
    cover = holds(left, right, found).astype(float)
    gain = (cover / (cover @ found.mass)[:, None]).mean(axis=0)
    assert gain.max() <= 1 + gap + 1e-11
    # Gains weighted by mass are 1 in sum, so that what lacks to 1 where there is mass is bounded by the gap.
    assert found.mass @ np.abs(gain - 1) <= 2 * gap + 1e-11
    assert found.mass.sum() == pytest.approx(1.0, abs=1e-12)
    assert (found.mass >= 0).all()
    return found


def test_the_last_digits_of_the_likelihood_do_not_hold_the_masses_back():
    # A step judged by the likelihood stalls here at a gap of 4e-9: the likelihood's change is below rounding.
    proven(np.arange(11), [7, 2, 9, 6, 13, 12, 13, 12, 10, 14, 17])


def test_a_step_by_hand():
    # Seen in (0, 2], twice in (1, 3], in (2, 4]: cells (1, 2] and (2, 3], p + q = 1 and p q at its largest.
    found = proven([0, 1, 1, 2], [2, 3, 3, 4])
    assert found.left.tolist() == [1, 2]
    assert found.mass.tolist() == pytest.approx([0.5, 0.5], abs=1e-9)


def test_cells_that_share_their_mass_in_many_ways_have_a_maximum_all_the_same():
    # Gentleman and Geyer's case of no single answer: only two sums of masses are determined.
    proven([0, 0, 2, 4, 1, 3], [3, 1, 5, 5, 4, 4])


def test_one_interval_of_thousands_has_its_thousandth():
    left, right = np.append(np.zeros(9999), 5), np.append(np.ones(9999), 6)
    assert proven(left, right).mass.tolist() == pytest.approx([0.9999, 0.0001], abs=1e-9)


TIMES = st.one_of(st.integers(0, 8).map(float), st.floats(0, 1e6), st.sampled_from([0.0, 1e-300, 1e300]))
INTERVALS = st.tuples(TIMES, st.one_of(TIMES, st.just(np.inf), st.just(0.0)), st.integers(1, 40))


@settings(max_examples=150, deadline=None)
@given(st.lists(INTERVALS, min_size=1, max_size=30))
def test_any_times_with_any_ties(rows):
    left = np.array([min(low, high) if high else low for low, high, _ in rows])
    right = np.array([max(low, high) for low, high, _ in rows])
    times = [count for _, _, count in rows]
    proven(np.repeat(left, times), np.repeat(right, times))


def mixture(rng):
    """Intervals of every kind: from 0, without end, exact, tied, long ladders, one kind far more often."""
    n = int(rng.integers(1, 90))
    left = rng.exponential(5, n) if rng.random() < 0.5 else rng.integers(0, rng.integers(2, 30), n)
    right = left + rng.choice([0.1, 1, 5, 30]) * rng.exponential(1, n)
    if rng.random() < 0.5:
        left, right = np.round(left), np.round(right)
    kind = rng.choice(4, n, p=rng.dirichlet(np.ones(4)))
    left, right = np.where(kind == 1, 0.0, left), np.where(kind == 2, np.inf, right)
    right = np.where(kind == 3, left, right)
    often = (10 ** rng.uniform(0, 2, n)).astype(int) if rng.random() < 0.3 else np.ones(n, dtype=int)
    return np.repeat(left, often), np.repeat(right, often)


@pytest.mark.parametrize("seed", range(5))
def test_hundreds_of_mixtures(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        proven(*mixture(rng))


def test_thousands_of_cells_that_cheap_steps_do_not_finish(monkeypatch):
    rng = np.random.default_rng(8)
    time, look = rng.exponential(8, (2, 12000))
    left, right = np.where(time < look, 0.0, look), np.where(time < look, look, np.inf)
    monkeypatch.setattr(masses, "SELF_CONSISTENT_STEPS", 200)
    monkeypatch.setattr(masses, "MANY", 1500)
    found = survival.turnbull(left, right)
    assert found.mass.size > masses.MANY
    assert found.status == "ok"
    assert found.gap <= 1e-9
    # Each patient is seen once: the maximum is the isotonic regression, and most cells hold nothing.
    order = np.argsort(look)
    expected = isotonic_regression((time < look)[order].astype(float)).x
    below = np.concatenate([[0.0], np.cumsum(found.mass)])
    ours = below[np.searchsorted(found.right, look[order], side="right")]
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_fewer_rounds_than_needed_are_said(monkeypatch):
    monkeypatch.setattr(masses, "INTERIOR_STEPS", 2)
    found = survival.turnbull(np.arange(11), [7, 2, 9, 6, 13, 12, 13, 12, 10, 14, 17])
    assert found.status == "not converged"
    assert found.gap > 1e-9
