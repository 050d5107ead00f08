"""Times at which hazards and markers cross their thresholds, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.runs.streams import uniforms
from glueprint.trials.conduct.span import MARKER, Span


def one(value):
    return np.array([float(value)])


def between(start, end, before, after, state="hazard_death"):
    """A span of one or many patients, all of them followed."""
    return Span(start, end, {state: before}, {state: after}, np.ones(start.shape, dtype=np.bool_))


def hazard_day(start, end, before, after, draw):
    return between(start, end, before, after).event("hazard_death", draw)


def crossing_day(before, after):
    return between(one(0), one(28), one(before), one(after), MARKER).rise(one(25.0))


def test_a_hazard_crosses_in_proportion():
    assert hazard_day(one(10), one(20), one(0.2), one(0.6), one(0.3)) == 12.5


@pytest.mark.parametrize(("before", "after", "draw"), [(0.2, 0.6, 0.7), (0.2, 0.6, 0.1), (0.3, 0.3, 0.3)])
def test_no_event_outside_the_interval(before, after, draw):
    assert np.isinf(hazard_day(one(0), one(1), one(before), one(after), one(draw)))


def test_a_constant_hazard_gives_exponential_times():
    # 20,000 patients, hazard 0.01 per day, visits every 28 days: mean 100 days, standard error 0.7.
    draw = -np.log(uniforms(7, "test", np.arange(20_000), 1)[:, 0])
    day = np.full(draw.shape, np.inf)
    for k in range(60):
        start, end = np.full(draw.shape, 28.0 * k), np.full(draw.shape, 28.0 * (k + 1))
        day = np.minimum(day, hazard_day(start, end, 0.01 * start, 0.01 * end, draw))
    assert np.isfinite(day).all()
    assert day.mean() == pytest.approx(100.0, abs=2.8)
    assert day == pytest.approx(100.0 * draw)


def test_an_exponential_marker_crosses_at_its_closed_form():
    rate = 0.03
    assert crossing_day(20.0, 20.0 * np.exp(28 * rate)) == pytest.approx(np.log(1.25) / rate)


def test_a_marker_that_falls_or_stays_below_never_crosses():
    assert np.isinf(crossing_day(20.0, 10.0))
    assert np.isinf(crossing_day(26.0, 30.0))


def test_nothing_happens_to_those_who_are_not_followed():
    gone = Span(one(0), one(28), {"hazard_death": one(0)}, {"hazard_death": one(1)}, np.array([False]))
    assert np.isinf(gone.event("hazard_death", one(0.5)))
