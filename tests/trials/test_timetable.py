"""Planned visits are found by search as they are by looking at every one."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.trials.patients import Timetable
from glueprint.trials.patients.attendance import NEVER
from glueprint.trials.patients.timetable import _Days
from glueprint.trials.protocol import Calendar


@pytest.mark.parametrize("seed", range(40))
def test_search_finds_what_a_look_at_each_finds(seed):
    chance = np.random.default_rng(seed)
    n, v, window = chance.integers(1, 30), chance.integers(1, 25), chance.integers(0, 12)
    planned = np.sort(chance.choice(150, v, replace=False))
    day = planned + chance.integers(-window, window + 1, (n, v))  # some before day 0, some out of order
    day = np.where(chance.random((n, v)) < chance.choice([0.0, 0.2, 1.0]), NEVER, day)
    kinds = [chance.random(v) < share for share in (0.4, 0.2)]
    timetable = Timetable(
        Calendar(planned, *kinds), _Days.of(day), *(_Days.of(day[:, kind]) for kind in kinds)
    )
    at = np.arange(n)
    treated = chance.random(n) < 0.5
    for now in (*chance.integers(0, 170, (20, n)), np.where(day[:, 0] < 0, 0, np.minimum(day[:, 0], 400))):
        here = day == now[:, None]
        np.testing.assert_array_equal(timetable.assessments.on(at, now), (here & kinds[0]).any(axis=1))
        np.testing.assert_array_equal(timetable.cycles.on(at, now), (here & kinds[1]).any(axis=1))
        ahead = np.where((treated[:, None] | kinds[0]) & (day > now[:, None]), day, NEVER)
        np.testing.assert_array_equal(timetable.next_after(at, now, treated), ahead.min(axis=1))
        some = at[::2]
        np.testing.assert_array_equal(
            timetable.next_after(some, now[::2], treated[::2]), ahead.min(axis=1)[::2]
        )
