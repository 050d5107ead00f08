"""Turns doses and output times into each patient's ordered list of stops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.batch import Stops
from glueprint.engine.doses import Doses
from glueprint.engine.system import System
from glueprint.errors import InputError, nearest
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["DoseTable", "dose_table", "end_times", "stops_until"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class DoseTable:
    """Doses in the solver's terms, sorted by patient: state numbers and changes of the state."""

    def __init__(self, patient: Integers, time: Floats, state: Integers, amount: Floats) -> None:
        step = np.diff(patient)
        if ((step < 0) | ((step == 0) & (np.diff(time) < 0))).any():
            order = np.lexsort((time, patient))
            patient, time, state, amount = patient[order], time[order], state[order], amount[order]
        self.patient, self.time, self.state, self.amount = patient, time, state, amount

    def of(self, first: int, last: int) -> DoseTable:
        """The doses of patients first to last - 1, renumbered from 0."""
        rows = slice(*np.searchsorted(self.patient, [first, last]))
        return DoseTable(self.patient[rows] - first, self.time[rows], self.state[rows], self.amount[rows])

    def keep(self, rows: NDArray[np.bool_]) -> DoseTable:
        """The doses where `rows` is true."""
        return DoseTable(self.patient[rows], self.time[rows], self.state[rows], self.amount[rows])


def dose_table(system: System, doses: Doses, states: Floats, params: Floats, time: Floats) -> DoseTable:
    """Checks names and patients, and turns amounts into changes of states.

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
    state = np.full(len(patient), -1, dtype=np.int64)
    change = amount.astype(np.float64, copy=True)
    index = {name: i for i, name in enumerate(system.states)}
    for name in np.unique(target):
        rows = target == name
        if name not in index:
            raise InputError(
                "GP-N015",
                f'"{name}" cannot be dosed{nearest(str(name), system.states)}',
                where=f"doses, row {int(np.flatnonzero(rows)[0])}",
                expected="a species that the model's reactions or rate rules change",
                next_step="see `glueprint model show` for the states",
            )
        state[rows] = index[str(name)]
        scale = system.dose_scale[str(name)]
        if scale is not None:
            factor = evaluate(system.graph, [scale], Leaves(states, params, time))[0]
            change[rows] *= np.broadcast_to(factor, (n,))[patient[rows]]
    return DoseTable(patient, time_h.astype(np.float64), state, change)


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


def stops_until(
    time: Floats,
    until: Floats,
    doses: DoseTable,
    outputs: Floats,
    *,
    active: NDArray[np.bool_],
    breaks: Floats,
) -> Stops:
    """Stops of every patient: outputs (records) before doses, the end last; none where not `active`.

    outputs: (k,) common output times.   breaks: (n, b) times to hit where nothing is recorded.
    Row i * k + j of the records is patient i at outputs[j].
    """
    n, k = time.size, outputs.size
    used = active[doses.patient]
    within = (breaks > time[:, None]) & (breaks < until[:, None])
    counts = [n * k, int(used.sum()), int(within.sum()), n]
    who = np.concatenate(
        [np.repeat(np.arange(n), k), doses.patient[used], np.nonzero(within)[0], np.arange(n)]
    )
    when = np.concatenate([np.tile(outputs, n), doses.time[used], breaks[within], until])
    rank = np.repeat([0, 1, 1, 2], counts)
    record = np.full(who.size, -1, dtype=np.int64)
    record[: n * k] = np.arange(n * k)
    target = np.full(who.size, -1, dtype=np.int64)
    amount = np.zeros(who.size)
    dosed = slice(n * k, n * k + counts[1])
    target[dosed], amount[dosed] = doses.state[used], doses.amount[used]
    order = np.lexsort((rank, when, who))
    order = order[active[who[order]]]
    start = np.searchsorted(who[order], np.arange(n + 1))
    return Stops(start.astype(np.int64), when[order], record[order], target[order], amount[order])
