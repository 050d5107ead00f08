"""Patients read back from curves: exactly where every step is clicked, within limits from noisy clicks."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import survival

MERCAPTOPURINE = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def digitised(curve, marks, rng, *, clicks=100, noise=0.004, slip=0.002):
    """Clicks at even distances with noise in both axes, and the numbers at risk."""
    end = curve.times[-1]
    grid = np.linspace(0, end, clicks)
    later = grid > 0
    times = np.abs(grid + rng.normal(0, slip * end, clicks) * later)
    return (
        times,
        np.clip(curve.at(grid) + rng.normal(0, noise, clicks) * later, 0, 1),
        curve.risk_table(marks),
    )


def drawn_trial(rng):
    """Two Weibull arms with a hazard ratio of 0.5 to 1, staggered entry and drop-out."""
    n, ratio, shape = int(rng.integers(100, 301)), rng.uniform(0.5, 1), rng.uniform(0.8, 1.5)
    median = rng.uniform(4, 15)
    arms = []
    for rate in (1.0, ratio):
        true = median * (rng.exponential(1, n) / (np.log(2) * rate)) ** (1 / shape)
        limit = np.minimum(rng.uniform(1.2 * median, 3 * median, n), rng.exponential(12 * median, n))
        arms.append((np.minimum(true, limit), true <= limit))
    return arms, 3.0


def study(events_known, trials=60):
    """Log ratio of hazard ratios, relative errors of medians, errors of numbers at risk and of events."""
    rng = np.random.Generator(np.random.Philox(2012))
    ratio, median, at_risk, events, error = [], [], [], [], []
    for _ in range(trials):
        arms, step = drawn_trial(rng)
        parts = []
        for time, event in arms:
            curve = survival.kaplan_meier(time, event)
            marks = np.arange(0, time.max(), step)
            total = int(event.sum()) if events_known else None
            clicks = digitised(curve, marks, rng)
            found = survival.reconstruct(
                clicks[0], clicks[1], marks, clicks[2], events=total, placed="between clicks"
            )
            assert found.time.size == time.size
            assert found.largest_repair < 0.03
            parts.append((found.time, found.event))
            median.append(survival.kaplan_meier(*parts[-1]).median / curve.median - 1)
            at_risk.append(np.abs(found.at_risk - found.at_risk_reported).max())
            events.append(found.events - event.sum())
        group = np.repeat([0, 1], arms[0][0].size)
        truth, again = (
            survival.cox(np.concatenate([a[0] for a in both]), np.concatenate([a[1] for a in both]), group)
            for both in (arms, parts)
        )
        ratio.append(float(np.log(again.hazard_ratio[0] / truth.hazard_ratio[0])))
        error.append(float(again.std_error[0] / truth.std_error[0] - 1))
    return tuple(np.array(values) for values in (ratio, median, at_risk, events, error))


@pytest.mark.parametrize("events_known", [False, True])
def test_sixty_trials_read_back_from_noisy_clicks(events_known):
    ratio, median, at_risk, events, error = study(events_known)
    # docs/survival.md prints these limits.
    assert np.abs(ratio).mean() < 0.008
    assert np.abs(ratio).max() < 0.05
    assert abs(ratio.mean()) < 0.004
    assert np.nanmean(np.abs(median)) < 0.016
    assert np.nanmax(np.abs(median)) < 0.08
    assert at_risk.mean() < 0.5
    assert at_risk.max() <= 5
    assert np.abs(events).mean() < 2
    assert np.abs(events).max() <= 5
    assert np.abs(error).max() < 0.015


def test_a_curve_clicked_at_its_corners_comes_back_exactly():
    curve = survival.kaplan_meier(MERCAPTOPURINE, ENDED)
    corners = np.append(0.0, curve.times[curve.events > 0])
    marks = np.append(0.0, curve.times)
    found = survival.reconstruct(corners, curve.at(corners), marks, curve.risk_table(marks), events=9)
    again = survival.kaplan_meier(found.time, found.event)
    assert found.events == 9
    assert found.largest_gap < 1e-12
    assert (found.repaired, found.sorted_clicks, found.largest_repair) == (0, 0, 0.0)
    assert found.time[found.event].tolist() == [6, 6, 6, 7, 10, 13, 16, 22, 23]
    assert again.at(corners).tolist() == pytest.approx(curve.at(corners).tolist(), abs=1e-12)
    assert found.at_risk.tolist() == curve.risk_table(marks).tolist()


def test_without_later_numbers_at_risk_nobody_is_censored_before_the_end():
    found = survival.reconstruct([0, 1, 2, 3], [1.0, 0.8, 0.6, 0.6], [0], [10])
    assert found.time.tolist() == [1, 1, 2, 2, 3, 3, 3, 3, 3, 3]
    assert found.event.tolist() == [True] * 4 + [False] * 6
    assert "nobody is censored before the end of the curve" in found.assumed
    fewer = survival.reconstruct([0, 1, 2, 3], [1.0, 0.8, 0.6, 0.6], [0], [10], events=3)
    assert (fewer.events, fewer.events_reported) == (3, 3)
    assert any("number of events asks for" in note for note in fewer.assumed)


def test_clicks_that_rise_or_are_out_of_order_are_repaired_and_said():
    found = survival.reconstruct([2, 1, 3, 4], [0.6, 0.8, 0.62, 0.4], [0, 3], [100, 60])
    assert found.sorted_clicks == 1
    assert found.repaired == 2
    assert found.largest_repair == pytest.approx(0.01)
    assert "clicks that rose are level with their neighbours" in found.assumed
    assert "the curve begins at 1 at time 0" in found.assumed
    assert found.at_risk.tolist() == [100, 60]


def test_numbers_at_risk_beyond_the_last_click_are_kept():
    found = survival.reconstruct([0, 1, 2], [1.0, 0.9, 0.8], [0, 2, 4], [50, 40, 10])
    assert found.at_risk.tolist() == [50, 40, 10]
    assert any("flat from its last click" in note for note in found.assumed)


def test_numbers_at_risk_that_do_not_fit_the_curve_are_shown():
    # The curve loses half, the numbers lose nobody.
    found = survival.reconstruct([0, 1, 2], [1.0, 0.5, 0.5], [0, 2], [100, 100])
    assert found.at_risk_reported.tolist() == [100, 100]
    assert found.at_risk.tolist() == [100, 50]


def test_events_between_clicks_lie_half_a_distance_earlier():
    corners, middle = (
        survival.reconstruct([0, 2, 4], [1.0, 0.5, 0.25], [0], [8], placed=placed)
        for placed in ("at clicks", "between clicks")
    )
    assert corners.time[corners.event].tolist() == [2] * 4 + [4] * 2
    assert middle.time[middle.event].tolist() == [1] * 4 + [3] * 2
    assert "events lie in the middle between two clicks" in middle.assumed
