"""Steady states of repeated doses: what a patient's states are after endlessly many intervals.

The map from one dose to the next has the steady state as its fixed point, which Newton's method finds: copies
of the patient, each with one state raised a little, give the map's derivative. A linear model needs one step.
What the map conserves (a receptor, free and bound) keeps its amount; where something grows from interval to
interval there is no steady state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.doses import Doses
from glueprint.engine.patients import Patients
from glueprint.engine.schedule import DoseTable
from glueprint.engine.status import Status
from glueprint.engine.system import System
from glueprint.errors import InputError, NotSupportedError
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["Flow", "bring_to_steady"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
# Copies of patients `who`, from `states` at time 0 under doses until their times: states, largest values, and
# who is fine.
Flow = Callable[[Integers, Floats, Floats, Doses], tuple[Floats, Floats, Bools]]

FINER = 1e-3  # accuracy of the copies by that of the run: a fixed point magnifies their errors
WARM = 4  # doses before Newton's first step, which show how large states become
MOST_STEPS = 60
RAISED = 1e-3  # of a state's largest value
LEAST = 1e-6  # of a state's largest value: below, only absolute accuracy is asked for
NULL = 1e-8  # a singular value of the map so small is none
GROWS = 1e-6  # of the largest value: what is gained in an interval, by something that nothing removes


@dataclass(frozen=True, eq=False)
class _Cycle:
    """A dose and its interval, (k,) each: the patient, and what the dose says."""

    who: Integers
    doses: Doses

    @property
    def interval(self) -> Floats:
        return np.asarray(self.doses.interval_h)

    def given(self, cycles: Integers) -> tuple[Doses, Floats]:
        """What copies, one of each of cycles (m,), get within an interval from its start, and (m,) how many
        infusions run throughout it.
        """
        every, over = self.interval[cycles], np.asarray(self.doses.duration_h)[cycles]
        amount = np.asarray(self.doses.amount)[cycles]
        throughout = np.floor(over / every)
        rest = over - throughout * every
        with np.errstate(all="ignore"):
            part = np.where(over > 0, amount * rest / over, amount)
        gives = (over == 0) | (rest > 0)
        target = np.asarray(self.doses.target)[cycles]
        return Doses(np.flatnonzero(gives), 0.0, target[gives], part[gives], rest[gives]), throughout

    def rates(self, cycles: Integers) -> Floats:
        """The rate of one infusion, 0 where doses enter at once."""
        over = np.asarray(self.doses.duration_h)[cycles]
        with np.errstate(all="ignore"):
            return np.where(over > 0, np.asarray(self.doses.amount)[cycles] / over, 0.0)


def bring_to_steady(
    system: System, now: Patients, base: Floats, doses: Doses, waiting: DoseTable, flow: Flow, accuracy: float
) -> DoseTable:
    """Set the states of patients whose doses ask for a steady state; returns the ends of infusions to come.

    base: (n, states) from which a steady state starts, and what it is apart from the doses.   waiting: ends
    of infusions that run.   accuracy: relative, of the steady states.
    A patient without a steady state gets the status NO_STEADY_STATE.
    Raises InputError GP-N051 (not at a patient's present time), NotSupportedError GP-N052 (a model whose
    steady state depends on the time of day, or has events), GP-N053 (superposition in a model that has none).
    """
    steady = np.asarray(doses.steady)
    patient = np.asarray(doses.patient, dtype=np.int64)
    asked = np.flatnonzero((steady != 0) & (now.status[patient] == Status.OK))
    _check(system, now, doses, asked)
    while asked.size:
        # One dose of a patient after another: the second may be added to the first.
        _, first = np.unique(patient[asked], return_index=True)
        rows = asked[np.sort(first)]
        asked = np.setdiff1d(asked, rows)
        cycle = _Cycle(patient[rows], doses.take(rows))
        fresh = steady[rows] == 1
        start = np.where(fresh[:, None], base[cycle.who], 0.0)
        states, fine = _Search(system, cycle, flow, accuracy).found(start)
        now.status[cycle.who[~fine]] = Status.NO_STEADY_STATE
        states, ends = _before_dose(system, cycle, states, flow)
        waiting = waiting.keep(~np.isin(waiting.patient, cycle.who[fresh])).join(ends)
        added = np.where(fresh[:, None], 0.0, now.state[cycle.who])
        now.state[cycle.who] = states + added
        now.largest[cycle.who] = np.maximum(now.largest[cycle.who], np.abs(now.state[cycle.who]))
        now.step[cycle.who] = 0.0
    return waiting


class _Search:
    """Newton's method for the fixed points of some cycles at once."""

    def __init__(self, system: System, cycle: _Cycle, flow: Flow, accuracy: float) -> None:
        self.system, self.cycle, self.flow, self.accuracy = system, cycle, flow, accuracy
        self.inputs = np.array(sorted(system.inputs.values()), dtype=np.int64)

    def after(self, cycles: Integers, states: Floats) -> tuple[Floats, Floats, Bools]:
        """States one interval later, rates of infusion aside; largest values; who is fine."""
        doses, throughout = self.cycle.given(cycles)
        begun = states.copy()
        begun[:, self.inputs] = 0.0
        _run_throughout(self.system, self.cycle, cycles, begun, throughout)
        ended, largest, fine = self.flow(self.cycle.who[cycles], begun, self.cycle.interval[cycles], doses)
        ended, largest = ended.copy(), largest.copy()
        ended[:, self.inputs], largest[:, self.inputs] = 0.0, 0.0
        return ended, largest, fine

    def found(self, start: Floats) -> tuple[Floats, Bools]:
        """Fixed points (k, states), and which were found."""
        states, everyone = start.copy(), np.arange(len(start))
        scale, fine = np.abs(start), np.ones(len(start), dtype=bool)
        for _ in range(WARM):
            states, largest, ended = self.after(everyone, states)
            scale, fine = np.maximum(scale, largest), fine & ended
        open_, before = everyone[fine], np.full(len(start), np.inf)
        solved = np.zeros(len(start), dtype=bool)
        for _ in range(MOST_STEPS):
            if not open_.size:
                break
            moved = np.flatnonzero((scale[open_] > 0).any(axis=0))
            new, size, plain = self._step(open_, states[open_], scale[open_], moved)
            grown = ~(size <= 2.0 * before[open_])  # Newton leads away: a dose leads on
            states[open_] = np.where(grown[:, None], plain, new)
            before[open_] = np.where(grown, np.inf, size)
            limit = 0.1 * self.accuracy
            done = ~grown & (size <= limit)
            solved[open_[done]] = True
            hopeless = ~np.isfinite(states[open_]).all(axis=1)
            open_ = open_[~done & ~hopeless]
        return states, solved

    def _step(
        self, cycles: Integers, states: Floats, scale: Floats, moved: Integers
    ) -> tuple[Floats, Floats, Floats]:
        """States after Newton's step, the largest relative change, and states after another dose."""
        k, u = len(cycles), moved.size
        raised = np.repeat(states[:, None, :], u + 1, axis=1)
        by = RAISED * np.where(scale > 0, scale, scale.max(axis=1, keepdims=True))[:, moved]
        raised[:, 1 + np.arange(u), moved] += by
        ended, _, fine = self.after(np.repeat(cycles, u + 1), raised.reshape(k * (u + 1), -1))
        ended, fine = ended.reshape(k, u + 1, -1), fine.reshape(k, u + 1)
        plain = ended[:, 0]
        unit = np.where(scale > 0, scale, 1.0)[:, moved]
        residual = (plain - states)[:, moved] / unit
        slope = (ended[:, 1:, moved] - plain[:, None, moved]) / by[:, :, None]
        slope = slope.transpose(0, 2, 1) * unit[:, None, :] / unit[:, :, None]
        change = np.full((k, u), np.nan)
        for i in np.flatnonzero(fine.all(axis=1) & np.isfinite(slope).all(axis=(1, 2))):
            change[i] = _solved(np.eye(u) - slope[i], residual[i])
        new = states.copy()
        new[:, moved] += change * unit
        with np.errstate(all="ignore"):
            size = np.abs(change) / (np.abs(new[:, moved]) / unit + LEAST)
        stopped = np.isnan(change).any(axis=1)
        size = np.where(stopped, np.inf, size.max(axis=1, initial=0.0))
        return np.where(stopped[:, None], np.nan, new), size, np.where(fine[:, :1], plain, np.nan)


def _solved(matrix: Floats, right: Floats) -> Floats:
    """The change that leaves what is conserved as it is; NaN where something grows that nothing removes."""
    left, sizes, _ = np.linalg.svd(matrix)
    kept = left[:, sizes < NULL * max(sizes.max(initial=1.0), 1.0)]
    if not kept.size:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    if (np.abs(kept.T @ right) > GROWS).any():
        return np.full(right.size, np.nan)
    both = np.concatenate([matrix, kept.T])
    found = np.linalg.lstsq(both, np.concatenate([right, np.zeros(kept.shape[1])]), rcond=None)
    return np.asarray(found[0], dtype=np.float64)


def _run_throughout(system: System, cycle: _Cycle, cycles: Integers, states: Floats, running: Floats) -> None:
    """Set rates of infusion to what `running` infusions give."""
    rates, target = cycle.rates(cycles) * running, np.asarray(cycle.doses.target)[cycles]
    for row in np.flatnonzero(rates > 0):
        states[row, system.inputs[str(target[row])]] = rates[row]


def _before_dose(system: System, cycle: _Cycle, states: Floats, flow: Flow) -> tuple[Floats, DoseTable]:
    """States when the dose is given, by its lag before it enters, and the ends of infusions that run then."""
    doses = cycle.doses
    given, lag = np.asarray(doses.given_h), np.asarray(doses.time_h) - np.asarray(doses.given_h)
    over, every = np.asarray(doses.duration_h), cycle.interval
    states, late = states.copy(), np.flatnonzero(lag > 0)
    if late.size:
        in_cycle, throughout = cycle.given(late)
        _run_throughout(system, cycle, late, begun := states[late], throughout)
        states[late] = flow(cycle.who[late], begun, (every - lag)[late], in_cycle)[0]
    states[:, sorted(system.inputs.values())] = 0.0
    ends: list[tuple[int, float, int, float]] = []
    rates = cycle.rates(np.arange(lag.size))
    for row in np.flatnonzero(over > 0):
        place = system.inputs[str(np.asarray(doses.target)[row])]
        left = lag[row] + over[row] - every[row]  # of the infusion before
        while left > 0:
            states[row, place] += rates[row]
            ends.append((int(cycle.who[row]), given[row] + left, place, -rates[row]))
            left -= every[row]
    if not ends:
        return states, DoseTable.none()
    who, when, place_of, change = zip(*ends, strict=True)
    return states, DoseTable(
        np.array(who, dtype=np.int64), np.array(when), np.array(place_of, dtype=np.int64), np.array(change)
    )


def _check(system: System, now: Patients, doses: Doses, asked: Integers) -> None:
    patient, given = np.asarray(doses.patient), np.asarray(doses.given_h)
    apart = asked[given[asked] != now.time[patient[asked]]]
    if apart.size:
        row = int(apart[0])
        raise InputError(
            "GP-N051",
            f"a steady state at {given[row]} h for patient {patient[row]}, "
            f"who stands at {now.time[patient[row]]} h",
            where=f"doses, row {row}",
            expected="steady states at the patient's present time",
            next_step="take the patient there with `advance`, then give the dose",
        )
    if not asked.size:
        return
    graph = system.graph
    if system.events or graph.leaves(system.derivatives, "time"):
        what = f'the event "{system.events[0].name}"' if system.events else "rates that depend on time"
        raise NotSupportedError(
            "GP-N052",
            f"a steady state of a model with {what}",
            where=system.name,
            next_step="give the doses that lead there one by one (`additional`)",
        )
    if (np.asarray(doses.steady)[asked] == 2).any() and not _is_linear(system, now):
        raise NotSupportedError(
            "GP-N053",
            "a steady state that is added to what is there (SS = 2), in a model whose doses do not add up",
            where=system.name,
            next_step="give the doses that lead there one by one (`additional`)",
        )


def _is_linear(system: System, now: Patients) -> bool:
    """Whether solutions add up: rates are linear in the states, and nothing happens without them."""
    graph = system.graph
    for j in range(len(system.states)):
        slope = Differentiator(graph, graph.state(j))
        if graph.leaves([slope(root) for root in system.derivatives], "state"):
            return False
    rest = evaluate(graph, system.derivatives, Leaves(np.zeros_like(now.state), now.params, now.time))
    return all(not np.any(value) for value in rest)
