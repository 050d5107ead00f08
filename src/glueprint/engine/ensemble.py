"""Many patients of one model, advanced together, each with its own parameters, time and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import Batch, Settings
from glueprint.engine.doses import Doses
from glueprint.engine.evaluate import evaluate
from glueprint.engine.initial import column, slot_of, start
from glueprint.engine.schedule import DoseTable, dose_table, end_times, stops_until
from glueprint.engine.solver import Solver
from glueprint.engine.status import REASONS, Status
from glueprint.engine.system import System
from glueprint.errors import InputError, nearest

__all__ = ["Ensemble", "Outcome", "Trajectories"]

Floats = NDArray[np.float64]
RECORD_BYTES_PER_CHUNK = 64 * 2**20


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a call ended for each patient.

    status: (n,) codes of `Status`, 0 is fine.   steps: (n, 2) accepted and rejected steps of this call.
    """

    status: NDArray[np.int64]
    steps: NDArray[np.int64]

    @property
    def ok(self) -> bool:
        """Whether every patient is fine."""
        return not self.status.any()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What happened and the remedy, one text per patient, empty where all is fine."""
        return tuple(REASONS[int(code)] for code in self.status)


@dataclass(frozen=True, eq=False)
class Trajectories(Outcome):
    """Values over time.

    time_h: (times,).   outputs: names.   values: (n, times, outputs), NaN after a patient has failed.
    doses_after_end: doses at or after the last output time, which changed nothing.
    """

    time_h: Floats
    outputs: tuple[str, ...]
    values: Floats
    doses_after_end: int = 0

    def __getitem__(self, name: str) -> Floats:
        """One output, (n, times)."""
        return self.values[:, :, self.outputs.index(name)]


class Ensemble:
    """Patients of one model; made by `Model.ensemble`. Time is in hours and starts at 0."""

    def __init__(
        self, system: System, solver: Solver, given: Mapping[str, ArrayLike], patients: int, settings: Settings
    ) -> None:
        self._system, self._solver, self._settings = system, solver, settings
        self._state, self._params = start(system, given, patients)
        self._largest = np.abs(self._state)
        self._time = np.zeros(patients)
        self._step = np.zeros(patients)
        read = system.graph.leaves(system.derivatives, "param")
        finite = np.isfinite(self._state).all(axis=1) & np.isfinite(self._params[:, read]).all(axis=1)
        self._status = np.where(finite, Status.OK, Status.BAD_START).astype(np.int64)

    def __len__(self) -> int:
        return int(self._time.size)

    @property
    def time_h(self) -> Floats:
        """Present time of every patient, (n,) hours; it stands still where a patient has failed."""
        return self._time.copy()

    @property
    def status(self) -> NDArray[np.int64]:
        """Present status of every patient, (n,) codes of `Status`."""
        return self._status.copy()

    def __getitem__(self, name: str) -> Floats:
        """Present values of a species, parameter, compartment, rule or reaction rate, (n,)."""
        return self._evaluate([name], self._state, self._params, self._time)[:, 0]

    def set(self, name: str, values: ArrayLike) -> None:
        """Change a parameter, compartment or species from now on.

        values: scalar or (n,), in the symbol's own unit; a species keeps its amount when its compartment changes.
        Raises InputError GP-N010 (no such name, or computed by the model), GP-N011 (wrong length).
        """
        slot = slot_of(self._system, name)
        new = column(name, values, len(self))
        if slot.scale is not None:
            new = new * self._nodes([slot.scale], self._state, self._params, self._time)[0]
        if slot.kind == "param":
            self._params[:, slot.index] = new
        else:
            self._state[:, slot.index] = new
            self._largest[:, slot.index] = np.maximum(self._largest[:, slot.index], np.abs(new))
            self._step[:] = 0.0
        bad = ~np.isfinite(new) & (self._status == Status.OK)
        self._status[bad] = Status.BAD_START

    def advance(self, until_h: ArrayLike, doses: Doses | None = None) -> Outcome:
        """Take every patient from its present time to `until_h`.

        until_h: scalar or (n,) hours.   doses: at the present time or later, and before `until_h`.
        Raises InputError GP-N013 (time before the present), GP-N015 and N016 (unknown target or patient),
        GP-N017 (dose outside the interval).
        """
        active = self._status == Status.OK
        until = end_times(until_h, self._time, active)
        table = self._doses(doses)
        outside = (table.time < self._time[table.patient]) | (table.time >= until[table.patient])
        outside &= active[table.patient]
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            who = int(table.patient[row])
            raise InputError(
                "GP-N017",
                f"dose at {table.time[row]} h for patient {who}, who goes from {self._time[who]} to {until[who]} h",
                where="doses",
                expected="times from the present up to, but not at, until_h",
                next_step="give this dose in the call whose interval it falls into",
            )
        steps = self._run(0, len(self), until, table, np.zeros(0))[1]
        return Outcome(self._status.copy(), steps)

    def simulate(
        self, times_h: ArrayLike, doses: Doses | None = None, outputs: Sequence[str] | None = None
    ) -> Trajectories:
        """Values at `times_h`, each taken before a dose at the same time.

        times_h: (times,) hours, rising, none before a patient's present time.   outputs: names of species,
        parameters, rules or reactions; default all species.
        Raises as `advance`, and InputError GP-N018 (times not rising), GP-N019 (unknown output).
        """
        times = _rising(times_h)
        names = tuple(self._system.species if outputs is None else outputs)
        self._output_nodes(names)
        active = self._status == Status.OK
        until = end_times(times[-1], self._time, active)
        end_times(times[0], self._time, active)
        table = self._doses(doses)
        late = table.time >= until[table.patient]
        early = (table.time < self._time[table.patient]) & active[table.patient]
        if early.any():
            self._refuse_early(table, int(np.flatnonzero(early)[0]))
        values = np.full((len(self), times.size, len(names)), np.nan)
        steps = np.zeros((len(self), 2), dtype=np.int64)
        per_patient = 8 * times.size * max(len(self._system.states), 1)
        chunk = max(1, RECORD_BYTES_PER_CHUNK // per_patient)
        kept = table.keep(~late)
        for first in range(0, len(self), chunk):
            last = min(first + chunk, len(self))
            records, steps[first:last] = self._run(first, last, until[first:last], kept.of(first, last), times)
            params = np.repeat(self._params[first:last], times.size, axis=0)
            got = self._evaluate(names, records, params, np.tile(times, last - first))
            missing = np.isnan(records).any(axis=1)
            got[missing] = np.nan
            values[first:last] = got.reshape(last - first, times.size, len(names))
        return Trajectories(self._status.copy(), steps, times, names, values, int(late.sum()))

    def _refuse_early(self, table: DoseTable, row: int) -> None:
        who = int(table.patient[row])
        raise InputError(
            "GP-N017",
            f"dose at {table.time[row]} h for patient {who}, who stands at {self._time[who]} h",
            where="doses",
            expected="times from the present on",
            next_step="correct the time of the dose",
        )

    def _doses(self, doses: Doses | None) -> DoseTable:
        return dose_table(self._system, doses or Doses.none(), self._state, self._params, self._time)

    def _run(
        self, first: int, last: int, until: Floats, doses: DoseTable, outputs: Floats
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Integrate patients first to last - 1; returns their records (n * outputs, states) and step counts."""
        rows = slice(first, last)
        active = self._status[rows] == Status.OK
        records = np.full((until.size * outputs.size, len(self._system.states)), np.nan)
        batch = Batch(
            state=self._state[rows],
            largest=self._largest[rows],
            params=self._params[rows],
            time=self._time[rows],
            step=self._step[rows],
            status=self._status[rows],
            stops=stops_until(self._time[rows], until, doses, outputs, active),
            records=records,
            steps=np.zeros((until.size, 2), dtype=np.int64),
        )
        self._solver.run(batch, self._settings)
        return records, batch.steps

    def _nodes(self, nodes: Sequence[int], state: Floats, params: Floats, time: Floats) -> list[Floats]:
        values = evaluate(self._system.graph, nodes, states=state, params=params, time=time)
        return [np.broadcast_to(value, time.shape) for value in values]

    def _output_nodes(self, names: Sequence[str]) -> list[int]:
        symbols = self._system.symbols
        for name in names:
            if name not in symbols:
                raise InputError(
                    "GP-N019",
                    f'the model has no "{name}"{nearest(name, symbols)}',
                    where=self._system.name,
                    expected="a species, parameter, compartment, rule or reaction of the model",
                    next_step="see `glueprint model show` for the names",
                )
        return [symbols[name] for name in names]

    def _evaluate(self, names: Sequence[str], state: Floats, params: Floats, time: Floats) -> Floats:
        values = self._nodes(self._output_nodes(names), state, params, time)
        return np.stack(values, axis=1) if values else np.zeros((time.size, 0))


def _rising(times_h: ArrayLike) -> Floats:
    times = np.atleast_1d(np.asarray(times_h, dtype=np.float64))
    if times.ndim != 1 or times.size == 0 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise InputError(
            "GP-N018",
            "the output times are not a rising row of numbers",
            where="times_h",
            expected="at least one time, each later than the one before",
            next_step="sort the times and remove doubles",
        )
    return times
