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
class _Days:
    """Days of one kind of visit of n patients, found by search.

    key: of each visit, in order: patient times `span`, and the day from `first` on, `span` - 1 for NEVER; one
    that no search passes at the end.
    """

    key: Integers
    span: int
    first: int

    @classmethod
    def of(cls, day: Integers) -> _Days:
        """Those of (n, k) days."""
        there = day[day != NEVER]
        first = int(there.min(initial=0))
        span = int(there.max(initial=0)) - first + 3
        from_first = np.sort(np.where(day == NEVER, span - 1, day - first), axis=1)
        key = (from_first + span * np.arange(day.shape[0])[:, None]).ravel()
        return cls(np.append(key, NEVER), span, first)

    def on(self, at: Integers, day: Integers) -> Bools:
        """(m,) whether patients `at` have one on `day` (m,)."""
        key = self._key(at, day)
        return np.asarray(self.key[np.searchsorted(self.key, key)] == key)

    def after(self, at: Integers, day: Integers) -> Integers:
        """(m,) the first of patients `at` after `day` (m,), or NEVER."""
        place = np.searchsorted(self.key, self._key(at, day), side="right")
        found = self.key[place] - self.span * at
        return np.where(found < self.span - 1, found + self.first, NEVER)

    def _key(self, at: Integers, day: Integers) -> Integers:
        # Whatever lies behind the last visit is one day, on which there is none.
        return np.asarray(self.span * at + np.minimum(day - self.first, self.span - 2))


@dataclass(frozen=True)
class Timetable:
    """The planned visits of n patients: the calendar of the protocol, and when each comes: to any visit, to
    one with a disease assessment, to one at which a cycle begins."""

    calendar: Calendar
    visits: _Days
    assessments: _Days
    cycles: _Days

    @classmethod
    def of(cls, protocol: Protocol, people: Population, stream: Stream) -> Timetable:
        """That of a replicate: planned days, early or late by chance within the window of the protocol."""
        calendar = planned_visits(protocol)
        uniform = stream.uniforms("visit windows", people.number, calendar.day.size)
        day = actual_days(calendar, protocol.visits.window_days, uniform)
        day = attended(protocol.departures, day, people.number, stream)
        kinds = (day, day[:, calendar.assessment], day[:, calendar.cycle_begins])
        return cls(calendar, *map(_Days.of, kinds))

    def next_after(self, at: Integers, day: Integers, treated: Bools) -> Integers:
        """(m,) the next planned visit of patients `at` after `day` (m,): any of the treated, of the others a
        disease assessment."""
        return np.where(treated, self.visits.after(at, day), self.assessments.after(at, day))
