"""Turns doses and output times into each patient's ordered list of stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.batch import Stops
from glueprint.engine.doses import Doses
from glueprint.engine.system import System
from glueprint.errors import InputError, nearest
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["DoseTable", "Reads", "dose_table", "end_times", "require_target", "stops_until"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Of what stops a patient at the same time: outputs first, then doses, the end last.
READS, DOSES = 0.0, 1.0


class DoseTable:
    """Doses in the solver's terms, sorted by patient: state numbers and changes of the state.

    rank: order among what stops a patient at the same time.
    """

    def __init__(
        self, patient: Integers, time: Floats, state: Integers, amount: Floats, rank: Floats | None = None
    ) -> None:
        rank = np.full(time.shape, DOSES) if rank is None else rank
        step = np.diff(patient)
        if ((step < 0) | ((step == 0) & (np.diff(time) < 0))).any():
            order = _in_order(patient, time)
            patient, time, state, amount = patient[order], time[order], state[order], amount[order]
            rank = rank[order]
        self.patient, self.time, self.state, self.amount, self.rank = patient, time, state, amount, rank

    @classmethod
    def none(cls) -> DoseTable:
        """No doses at all."""
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        return cls(whole, real, whole, real)

    def of(self, first: int, last: int) -> DoseTable:
        """The doses of patients first to last - 1, renumbered from 0."""
        part = self.keep(slice(*np.searchsorted(self.patient, [first, last])))
        part.patient = part.patient - first
        return part

    def keep(self, rows: NDArray[np.bool_] | slice) -> DoseTable:
        """The doses where `rows` is true."""
        part = object.__new__(DoseTable)  # in order, as the whole is
        for name, column in vars(self).items():
            setattr(part, name, column[rows])
        return part

    def join(self, other: DoseTable) -> DoseTable:
        """Both tables as one."""
        if not other.time.size:
            return self
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return DoseTable(*(np.concatenate(pair) for pair in pairs))


def dose_table(
    system: System,
    doses: Doses,
    states: Floats,
    params: Floats,
    time: Floats,
    rank: Floats | None = None,
) -> tuple[DoseTable, DoseTable]:
    """Checks names and patients, and turns amounts into changes of states.

    rank: (m,) of each dose among what stops a patient at the same time; by default after all outputs.
    Returns what enters at once or begins to enter, and the ends of infusions.
    Raises InputError GP-N015 (target is not a state) and GP-N016 (no such patient).
    """
    patient, time_h, target, amount = doses.columns()
    n = len(time)
    wrong = (patient < 0) | (patient >= n)
    if wrong.any():
        raise InputError(
            "GP-N016",
            f"dose for patient {patient[wrong][0]}, but there are {n}",
            where=f"doses, row {int(np.flatnonzero(wrong)[0])}",
            expected=f"patients 0 to {n - 1}",
            next_step="correct the patient's number",
        )
    duration = np.asarray(doses.duration_h)
    slow = duration > 0
    state = np.full(len(patient), -1, dtype=np.int64)
    change = amount.astype(np.float64, copy=True)
    index = {name: i for i, name in enumerate(system.states)}
    left = np.ones(len(patient), dtype=np.bool_)
    while left.any():
        row = int(left.argmax())
        name = str(target[row])
        rows = target == name
        left &= ~rows
        require_target(system, name, f"doses, row {row}")
        state[rows] = index[name]
        scale = system.dose_scale[name]
        if scale is not None:
            factor = evaluate(system.graph, [scale], Leaves(states, params, time))[0]
            change[rows & ~slow] *= np.broadcast_to(factor, (n,))[patient[rows & ~slow]]
        if name in system.inputs:
            state[rows & slow] = system.inputs[name]
    start = time_h.astype(np.float64)
    if not slow.any():
        return DoseTable(patient, start, state, change, rank), DoseTable.none()
    change[slow] /= duration[slow]
    ends = DoseTable(patient[slow], (start + duration)[slow], state[slow], -change[slow])
    return DoseTable(patient, start, state, change, rank), ends


def _in_order(patient: Integers, time: Floats) -> Integers:
    """Places (m,) by patient and time; equal ones as they stand. A stable sort of one key is quick where
    tables that are in order stand one behind another, and complex numbers are such a key."""
    key = np.empty(time.shape, dtype=np.complex128)
    key.real, key.imag = patient, time
    return np.argsort(key, kind="stable")


def require_target(system: System, name: str, where: str) -> None:
    """Raise InputError GP-N015 where a dose cannot go into `name`."""
    if name not in system.states:
        raise InputError(
            "GP-N015",
            f'"{name}" cannot be dosed{nearest(name, system.states)}',
            where=where,
            expected="a species that the model's reactions or rate rules change",
            next_step="see `glueprint model show` for the states",
        )


def end_times(until_h: object, time: Floats, active: NDArray[np.bool_]) -> Floats:
    """`until_h` as one time per patient, none before the present; raises InputError GP-N013."""
    until = np.asarray(until_h, dtype=np.float64)
    if until.ndim > 1 or (until.ndim == 1 and until.size not in (1, time.size)):
        fault = f"shape {until.shape} for {time.size} patients"
    else:
        until = np.broadcast_to(until.reshape(-1) if until.ndim else until, time.shape)
        early = active & ~(np.isfinite(until) & (until >= time))
        if not early.any():
            return np.asarray(until, dtype=np.float64)
        who = int(np.flatnonzero(early)[0])
        fault = f"patient {who} stands at {time[who]} h and is to go to {until[who]} h"
    raise InputError(
        "GP-N013",
        fault,
        where="until_h",
        expected="one time, or one per patient, not before the patient's present time",
        next_step="correct the time",
    )


@dataclass(frozen=True, eq=False)
class Reads:
    """What is to be recorded, (m,) each: patient, time, and rank among what stops a patient at that time."""

    patient: Integers
    time: Floats
    rank: Floats

    @classmethod
    def none(cls) -> Reads:
        """Nothing is recorded."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))

    @classmethod
    def common(cls, patients: int, times: Floats) -> Reads:
        """Every patient at the same times; record i * k + j is patient i at times[j], of k."""
        who = np.repeat(np.arange(patients), times.size)
        return cls(who, np.tile(times, patients), np.full(who.size, READS))


def stops_until(
    time: Floats,
    until: Floats,
    doses: DoseTable,
    reads: Reads,
    *,
    active: NDArray[np.bool_],
    breaks: Floats,
) -> Stops:
    """Stops of every patient in order of time and rank, the end last; none where not `active`.

    reads: what to record, record i for row i.   breaks: (n, b) times to hit where nothing is recorded.
    """
    n, k = time.size, reads.time.size
    if not k and not breaks.size and (doses.rank == DOSES).all():
        return _dosing_alone(until, doses.keep(active[doses.patient]), active)
    used = active[doses.patient]
    within = (breaks > time[:, None]) & (breaks < until[:, None])
    dosed = slice(k, k + int(used.sum()))
    who = np.concatenate([reads.patient, doses.patient[used], np.nonzero(within)[0], np.arange(n)])
    when = np.concatenate([reads.time, doses.time[used], breaks[within], until])
    rank = np.concatenate(
        [reads.rank, doses.rank[used], np.full(int(within.sum()), DOSES), np.full(n, np.inf)]
    )
    record = np.full(who.size, -1, dtype=np.int64)
    record[:k] = np.arange(k)
    target = np.full(who.size, -1, dtype=np.int64)
    amount = np.zeros(who.size)
    target[dosed], amount[dosed] = doses.state[used], doses.amount[used]
    order = np.lexsort((rank, when, who))
    order = order[active[who[order]]]
    start = np.searchsorted(who[order], np.arange(n + 1))
    return Stops(start.astype(np.int64), when[order], record[order], target[order], amount[order])


def _dosing_alone(until: Floats, doses: DoseTable, active: NDArray[np.bool_]) -> Stops:
    """Stops of patients who are dosed, none after `until`, and read out nowhere: the doses are in order."""
    counts = np.bincount(doses.patient, minlength=until.size)
    stop = np.cumsum(counts + active)
    start = np.concatenate([[0], stop])
    place = np.arange(doses.time.size) + (np.cumsum(active) - active)[doses.patient]
    end = stop[active] - 1
    m = int(start[-1])
    when, target, amount = np.empty(m), np.full(m, -1, dtype=np.int64), np.zeros(m)
    when[place], when[end] = doses.time, until[active]
    target[place], amount[place] = doses.state, doses.amount
    return Stops(start.astype(np.int64), when, np.full(m, -1, dtype=np.int64), target, amount)
