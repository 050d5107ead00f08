"""The two readings of progression by hand-made visits."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.trials import load_protocol
from glueprint.trials.analysis import readings
from glueprint.trials.conduct.review import central_laboratory

DAY = np.array([[0.0, 28.0, 56.0, 63.0, 84.0]])
NEVER = np.array([np.inf])
ERROR = load_protocol("mm003").measurement


def row(*values):
    return np.array([values], dtype=float)


def committee(marker, until=np.inf, documented=np.inf, death=np.inf):
    reading = readings.committee(
        marker, DAY, np.array([death]), until_day=np.array([until]), documented_day=np.array([documented])
    )
    return float(reading.progression_day[0]), bool(reading.event[0]), float(reading.day[0])


def test_both_readers_agree_on_the_same_clear_rise():
    marker = row(20, 10, 16, 17, 18)
    assert committee(marker, until=63.0) == (56.0, True, 56.0)
    own = readings.investigator(DAY, np.array([56.0]), NEVER)
    assert (own.progression_day[0], own.event[0], own.day[0]) == (56.0, True, 56.0)


def test_what_was_taken_after_the_treatment_ended_may_confirm_a_rise_but_shows_none():
    marker = row(20, 10, 14, 16, 17)  # 25 % above nadir but less than 5 g/L at day 56; sure on day 84
    assert committee(marker) == (63.0, True, 63.0)
    assert committee(marker, until=63.0) == (63.0, True, 63.0)
    assert committee(marker, until=56.0) == (np.inf, False, 56.0)


def test_death_confirms_a_last_rise_for_the_committee():
    marker = row(20, 10, 10, 10, 16)
    assert committee(marker) == (np.inf, False, 84.0)
    assert committee(marker, death=90.0) == (84.0, True, 84.0)


def test_without_a_progression_of_its_own_the_committee_censors_whoever_dies_later():
    flat = row(20, 20, 20, 20, 20)
    assert committee(flat, until=56.0, death=100.0) == (np.inf, False, 56.0)
    assert committee(flat, death=100.0) == (np.inf, True, 100.0)


def test_progression_without_m_protein_counts_if_it_was_documented():
    flat = row(20, 20, 20, 20, 20)
    assert committee(flat, until=56.0) == (np.inf, False, 56.0)
    assert committee(flat, until=56.0, documented=56.0) == (56.0, True, 56.0)


@pytest.mark.parametrize(
    ("marker", "dated", "called", "by_marker"),
    [
        (row(20, 10, 16, 17, 18), 56.0, 63.0, True),  # sure at the confirming visit
        (row(20, 10, 10, 10, 10), 56.0, 56.0, False),  # clinical signs are sure at once
        (row(20, 10, 16, 17, 18), 28.0, 28.0, False),  # clinical, before M-protein rose
        (row(20, 20, 20, 20, 20), np.inf, np.inf, False),
    ],
)
def test_when_the_investigator_was_sure(marker, dated, called, by_marker):
    day, shown = readings.called_day(marker, DAY, np.array([dated]))
    assert (day[0], bool(shown[0])) == (called, by_marker)


def test_a_progression_lies_between_two_assessments_and_a_death_on_its_day():
    progressed = readings.interval(DAY, readings.investigator(DAY, np.array([63.0]), NEVER))
    assert (progressed[0][0], progressed[1][0]) == (56.0, 63.0)
    died = readings.interval(DAY, readings.investigator(DAY, NEVER, np.array([70.0])))
    assert (died[0][0], died[1][0]) == (70.0, 70.0)
    free = readings.interval(DAY, readings.investigator(DAY, NEVER, NEVER))
    assert (free[0][0], free[1][0]) == (84.0, np.inf)


def test_visits_that_did_not_take_place_count_for_nothing():
    day = np.array([[0.0, 28.0, np.nan, np.nan]])
    own = readings.investigator(day, NEVER, NEVER)
    assert (own.day[0], bool(own.event[0]), own.counts[0].tolist()) == (
        28.0,
        False,
        [True, True, False, False],
    )


def test_the_central_laboratory_errs_as_much_as_the_protocol_says():
    true = np.full((4000, 2), 20.0)
    normal = np.random.default_rng(5).standard_normal((4000, 4))
    seen = central_laboratory(true, ERROR, normal)
    spread = np.hypot(20 * ERROR.m_protein_cv, ERROR.m_protein_sd_g_per_l)
    # Four standard errors of a mean and of a standard deviation of 8,000 values.
    assert abs(seen.mean() - 20.0) < 4 * spread / np.sqrt(8000)
    assert abs(seen.std() / spread - 1) < 4 / np.sqrt(16000)
    assert (central_laboratory(np.zeros((1, 1)), ERROR, np.full((1, 2), -3.0)) == 0).all()
