"""On which days each patient comes to the planned visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.patients.attendance import NEVER, attended
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import Population
from glueprint.trials.protocol import Calendar, Protocol, actual_days, planned_visits

__all__ = ["Timetable"]

Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Timetable:
    """The planned visits of n patients: the calendar of the protocol, and (n, v) the day of each visit, NEVER
    of one that is missed."""

    calendar: Calendar
    day: Integers

    @classmethod
    def of(cls, protocol: Protocol, people: Population, stream: Stream) -> Timetable:
        """That of a replicate: planned days, early or late by chance within the window of the protocol."""
        calendar = planned_visits(protocol)
        uniform = stream.uniforms("visit windows", people.number, calendar.day.size)
        day = actual_days(calendar, protocol.visits.window_days, uniform)
        return cls(calendar, attended(protocol.departures, day, people.number, stream))

    def planned(self, at: Integers, day: Integers, flags: Bools) -> Bools:
        """(m,) whether the visit of patients `at` on `day` (m,) is a planned one with the flag of the
        calendar, (v,)."""
        return np.asarray(((self.day[at] == day[:, None]) & flags).any(axis=1))

    def next_after(self, at: Integers, day: Integers, treated: Bools) -> Integers:
        """(m,) the next planned visit of patients `at` after `day` (m,): any of the treated, of the others a
        disease assessment."""
        kept = treated[:, None] | self.calendar.assessment
        ahead = np.where(kept & (self.day[at] > day[:, None]), self.day[at], NEVER)
        return np.asarray(ahead.min(axis=1))
