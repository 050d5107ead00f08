"""States at the opening of cycle 3, patient by patient."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.trials.analysis.landmark import states

INF = np.inf


@pytest.mark.parametrize(
    ("response", "progression", "off", "end", "expected"),
    [
        (INF, INF, INF, 300, "stable"),
        (28, INF, INF, 300, "response"),
        (59, INF, INF, 300, "response"),  # a visit of day 56 may come three days late
        (60, INF, INF, 300, "stable"),  # responded after the landmark
        (28, 57, 64, 300, "progression"),  # progression ends a response
        (INF, 32, 39, 300, "progression"),
        (INF, 31, 38, 300, "left"),  # progressed at the visit that opened cycle 2
        (INF, 90, 97, 300, "stable"),  # progressed after the landmark
        (28, INF, 20, 300, "left"),  # stopped in cycle 1
        (28, INF, 40, 300, "response"),  # stopped for toxicity in cycle 2, still assessed
        (28, INF, INF, 59, "left"),  # died by the landmark
        (np.nan, INF, INF, 60, "stable"),
    ],
)
def test_state_when_cycle_3_opens(response, progression, off, end, expected):
    times = (np.array([float(value)]) for value in (response, progression, off, end))
    assert states(*times, cycle_days=28, window_days=3)[0] == expected


def test_another_cycle_moves_the_landmark():
    times = [np.array([value]) for value in (100.0, INF, INF, 300.0)]
    assert states(*times, cycle_days=28)[0] == "stable"
    assert states(*times, cycle_days=28, cycle=7)[0] == "response"
