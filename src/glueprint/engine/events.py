"""Events, carried out for all waiting patients at once: triggers, delays, priorities, cancellation.

The solver stops a patient where a trigger changes or an execution is due; `settle` then does what SBML
demands at that moment. Events of equal priority come in an order that changes from time to time, as SBML
asks, but is the same in every run; events without priority come in the order of the model.
Source: SBML Level 3 Version 2 Core, section 4.11, doi 10.1515/jib-2019-0021.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.patients import Patients
from glueprint.engine.solver import Solver
from glueprint.engine.status import Status
from glueprint.engine.system import Event, System

__all__ = ["MOST_EVENTS", "Agenda"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_EVENTS = 64  # triggers are bits of one machine word
MOST_ROUNDS = 10_000  # executions of one patient at one moment


@dataclass(frozen=True, eq=False)
class _Due:
    """Executions to come: one row each.   values: (m, most assignments), fixed at the trigger where the event
    says so.
    """

    patient: Integers
    event: Integers
    time: Floats
    values: Floats

    def keep(self, rows: NDArray[np.bool_]) -> _Due:
        return _Due(self.patient[rows], self.event[rows], self.time[rows], self.values[rows])

    def join(self, other: _Due) -> _Due:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Due(*(np.concatenate(pair) for pair in pairs))


@dataclass(eq=False)
class Agenda:
    """Which triggers hold, and which executions wait, for every patient of an ensemble."""

    system: System
    solver: Solver
    bits: Integers
    due: _Due = field(init=False)
    executed: Integers = field(init=False)

    def __post_init__(self) -> None:
        width = max((len(event.assignments) for event in self.system.events), default=0)
        self.executed = np.zeros_like(self.bits)
        none = np.zeros(0, dtype=np.int64)
        self.due = _Due(none, none, np.zeros(0), np.zeros((0, width)))

    @classmethod
    def at_start(cls, system: System, solver: Solver, patients: int) -> Agenda:
        """Before time 0 a trigger holds if its event says so (`initialValue`)."""
        before = sum(1 << i for i, event in enumerate(system.events) if event.initial_value)
        return cls(system, solver, np.full(patients, np.uint64(before).astype(np.int64)))

    def restart(self, who: Integers) -> None:
        """As before time 0 for patients `who`: nothing waits."""
        self.bits[who] = Agenda.at_start(self.system, self.solver, 1).bits[0]
        self.executed[who] = 0
        self.due = self.due.keep(~np.isin(self.due.patient, who))

    def horizon(self, count: int) -> Floats:
        """Time of each patient's next execution, infinite where none waits."""
        times = np.full(count, np.inf)
        np.minimum.at(times, self.due.patient, self.due.time)
        return times

    def triggers(self, patients: Patients, who: Integers) -> Integers:
        """Which triggers hold now, one bit each."""
        return self.solver.triggers(patients.state[who], patients.params[who], patients.time[who])

    def settle(self, patients: Patients, who: Integers, now: Integers) -> None:
        """Carry out everything that is due at the present of patients `who`, whose triggers now hold as
        `now`.
        """
        for _ in range(MOST_ROUNDS):
            self._notice(patients, who, now)
            chosen = self._choose(patients, who)
            if chosen.size == 0:
                return
            acting = self._execute(patients, chosen)
            who = np.unique(acting)
            now = self.triggers(patients, who)
        patients.status[who] = Status.EVENT_STORM

    def _notice(self, patients: Patients, who: Integers, now: Integers) -> None:
        """Enter what has just been triggered; strike out what has lost its trigger."""
        before = self.bits[who]
        rising, falling = now & ~before, before & ~now
        self.bits[who] = now
        for i, event in enumerate(self.system.events):
            if not event.persistent:
                lost = who[_bit(falling, i)]
                if lost.size:
                    struck = (self.due.event == i) & np.isin(self.due.patient, lost)
                    self.due = self.due.keep(~struck)
        for i, event in enumerate(self.system.events):
            fired = who[_bit(rising, i)]
            if fired.size:
                self._enter(patients, fired, i, event)

    def _enter(self, patients: Patients, fired: Integers, number: int, event: Event) -> None:
        delay = np.zeros(fired.size)
        if event.delay is not None:
            delay = patients.values([event.delay], fired)[0]
        impossible = ~(delay >= 0)
        patients.status[fired[impossible]] = Status.BAD_DELAY
        values = np.full((fired.size, self.due.values.shape[1]), np.nan)
        if event.use_trigger_values:
            nodes = [assignment.node for assignment in event.assignments]
            for column, value in enumerate(patients.values(nodes, fired)):
                values[:, column] = value
        rows = np.full(fired.size, number, dtype=np.int64)
        self.due = self.due.join(_Due(fired, rows, patients.time[fired] + delay, values).keep(~impossible))

    def _choose(self, patients: Patients, who: Integers) -> Integers:
        """One execution for each patient that has any due now: the highest priority first."""
        due = self.due
        rows: Integers = np.flatnonzero((due.time <= patients.time[due.patient]) & np.isin(due.patient, who))
        rows = rows[patients.status[due.patient[rows]] == Status.OK]
        if rows.size == 0:
            return rows
        priority = np.full(rows.size, -np.inf)
        for i, event in enumerate(self.system.events):
            here = due.event[rows] == i
            if event.priority is not None and here.any():
                value = patients.values([event.priority], due.patient[rows[here]])[0]
                priority[here] = np.where(np.isnan(value), -np.inf, value)
        tie = _shuffled(self.executed[due.patient[rows]], due.event[rows])
        tie = np.where(np.isinf(priority), due.event[rows].astype(np.uint64), tie)
        order = np.lexsort((tie, -priority, due.patient[rows]))
        rows = rows[order]
        first = np.ones(rows.size, dtype=bool)
        first[1:] = due.patient[rows][1:] != due.patient[rows][:-1]
        return np.asarray(rows[first])

    def _execute(self, patients: Patients, rows: Integers) -> Integers:
        """Carry out the executions `rows`, at most one per patient, and remove them."""
        due = self.due
        for i, event in enumerate(self.system.events):
            here = rows[due.event[rows] == i]
            if here.size:
                self._assign(patients, due.patient[here], event, due.values[here])
        keep = np.ones(due.patient.size, dtype=bool)
        keep[rows] = False
        self.due = due.keep(keep)
        self.executed[due.patient[rows]] += 1
        return np.asarray(due.patient[rows])

    def _assign(self, patients: Patients, who: Integers, event: Event, saved: Floats) -> None:
        """All assignments of an event at once: values and sizes of compartments as they were before any."""
        if event.use_trigger_values:
            values = [saved[:, column] for column in range(len(event.assignments))]
        else:
            values = patients.values([assignment.node for assignment in event.assignments], who)
        scaled = []
        for assignment, value in zip(event.assignments, values, strict=True):
            scale = assignment.slot.scale
            scaled.append(value.copy() if scale is None else value * patients.values([scale], who)[0])
        for assignment, value in zip(event.assignments, scaled, strict=True):
            patients.assign(self.system, assignment.name, value, who)


def _shuffled(count: Integers, event: Integers) -> NDArray[np.uint64]:
    """Keys that order events of equal priority anew each time, the same in every run and for every
    patient.
    """
    word = count.astype(np.uint64) * np.uint64(64) + event.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # doi 10.1145/2660193.2660195
        word = (word + np.uint64(0x9E3779B97F4A7C15)) ^ (word >> np.uint64(shift))
        word = word * np.uint64(factor)
    return word ^ (word >> np.uint64(31))


def _bit(words: Integers, number: int) -> NDArray[np.bool_]:
    shifted = words.astype(np.uint64) >> np.uint64(number)
    return np.asarray((shifted & np.uint64(1)).astype(bool))
