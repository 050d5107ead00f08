"""When a patient is seen: planned visits, windows, extra visits. Kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol.document import Protocol
from glueprint.trials.protocol.schedule import MONTH_DAYS

__all__ = ["Calendar", "actual_days", "planned_visits"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    """Planned visits of a protocol, (v,) each: day from randomisation, whether disease is assessed, whether
    a cycle begins."""

    day: Integers
    assessment: Bools
    cycle_begins: Bools


def planned_visits(protocol: Protocol) -> Calendar:
    """Blood counts weekly and then monthly, assessments, to the longest follow-up and one visit beyond."""
    visits = protocol.visits
    last = int(protocol.follow_up.maximum_months * MONTH_DAYS) + max(
        visits.then_every_days, visits.assessment_every_days
    )
    weekly_end = 7 * visits.weekly_for_weeks
    counts = {*range(0, weekly_end + 1, 7), *range(weekly_end, last + 1, visits.then_every_days)}
    assessments = set(range(0, last + 1, visits.assessment_every_days))
    day = np.array(sorted(counts | assessments), dtype=np.int64)
    return Calendar(day, np.isin(day, list(assessments)), (day > 0) & (day % protocol.cycle_days == 0))


def actual_days(calendar: Calendar, window_days: int, uniform: Floats) -> Integers:
    """(n, v) day of each visit of each patient: the planned day, early or late by up to `window_days`.

    uniform: (n, v) in (0, 1). The first visit is on day 0.
    """
    shift = np.floor(uniform * (2 * window_days + 1)).astype(np.int64) - window_days
    shift[:, 0] = 0
    return np.asarray(calendar.day + shift)
