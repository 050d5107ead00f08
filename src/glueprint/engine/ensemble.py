"""Many patients of one model, advanced together, each with its own parameters, time and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import Batch, Settings
from glueprint.engine.domains import Guard
from glueprint.engine.doses import Doses
from glueprint.engine.evaluate import Leaves
from glueprint.engine.events import Agenda
from glueprint.engine.initial import column, slot_of, start
from glueprint.engine.patients import Patients
from glueprint.engine.program import time_breaks
from glueprint.engine.schedule import DoseTable, dose_table, end_times, stops_until
from glueprint.engine.solver import Solver
from glueprint.engine.status import EVENT, REASONS, Status
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
        self,
        system: System,
        solver: Solver,
        given: Mapping[str, ArrayLike],
        patients: int,
        settings: Settings,
    ) -> None:
        self._system, self._solver, self._settings = system, solver, settings
        self._breaks = time_breaks(system)
        state, params = start(system, given, patients)
        read = system.graph.leaves(system.derivatives, "param")
        finite = np.isfinite(state).all(axis=1) & np.isfinite(params[:, read]).all(axis=1)
        status = np.where(finite, Status.OK, Status.BAD_START).astype(np.int64)
        zeros = np.zeros(patients)
        self._now = Patients(
            state=state,
            largest=np.abs(state),
            params=params,
            time=zeros,
            step=zeros.copy(),
            status=status,
            guard=Guard(system.graph),
            tolerance=settings.tolerance,
        )
        self._agenda = Agenda.at_start(system, solver, patients)

    def __len__(self) -> int:
        return int(self._now.time.size)

    @property
    def time_h(self) -> Floats:
        """Present time of every patient, (n,) hours; it stands still where a patient has failed."""
        return self._now.time.copy()

    @property
    def status(self) -> NDArray[np.int64]:
        """Present status of every patient, (n,) codes of `Status`."""
        return self._now.status.copy()

    def __getitem__(self, name: str) -> Floats:
        """Present values of a species, parameter, compartment, rule or reaction rate, (n,)."""
        return self._now.values(self._output_nodes([name]))[0].copy()

    def set(self, name: str, values: ArrayLike) -> None:
        """Change a parameter, compartment or species from now on.

        values: scalar or (n,), in the symbol's own unit; a species keeps its amount when its compartment
        changes. Raises InputError GP-N010 (no such name, or computed by the model), GP-N011 (wrong length).
        """
        slot = slot_of(self._system, name)
        new = column(name, values, len(self))
        if slot.scale is not None:
            new = new * self._now.values([slot.scale])[0]
        self._now.assign(self._system, name, new)
        bad = ~np.isfinite(new) & (self._now.status == Status.OK)
        self._now.status[bad] = Status.BAD_START

    def advance(self, until_h: ArrayLike, doses: Doses | None = None) -> Outcome:
        """Take every patient from its present time to `until_h`.

        until_h: scalar or (n,) hours.   doses: at the present time or later, and before `until_h`.
        Raises InputError GP-N013 (time before the present), GP-N015 and N016 (unknown target or patient),
        GP-N017 (dose outside the interval).
        """
        active = self._now.status == Status.OK
        until = end_times(until_h, self._now.time, active)
        table = self._doses(doses)
        outside = (table.time < self._now.time[table.patient]) | (table.time >= until[table.patient])
        outside &= active[table.patient]
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            who = int(table.patient[row])
            raise InputError(
                "GP-N017",
                f"dose at {table.time[row]} h for patient {who}, "
                f"who goes from {self._now.time[who]} to {until[who]} h",
                where="doses",
                expected="times from the present up to, but not at, until_h",
                next_step="give this dose in the call whose interval it falls into",
            )
        steps = self._run(0, len(self), until, table, np.zeros(0))[1]
        return Outcome(self._now.status.copy(), steps)

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
        nodes = self._output_nodes(names)
        active = self._now.status == Status.OK
        until = end_times(times[-1], self._now.time, active)
        end_times(times[0], self._now.time, active)
        table = self._doses(doses)
        late = table.time >= until[table.patient]
        early = (table.time < self._now.time[table.patient]) & active[table.patient]
        if early.any():
            self._refuse_early(table, int(np.flatnonzero(early)[0]))
        values = np.full((len(self), times.size, len(names)), np.nan)
        steps = np.zeros((len(self), 2), dtype=np.int64)
        per_patient = 8 * times.size * max(len(self._system.states), 1)
        chunk = max(1, RECORD_BYTES_PER_CHUNK // per_patient)
        kept = table.keep(~late)
        for first in range(0, len(self), chunk):
            last = min(first + chunk, len(self))
            records, steps[first:last] = self._run(
                first, last, until[first:last], kept.of(first, last), times
            )
            self._fill(values[first:last], records, nodes, times, slice(first, last))
        return Trajectories(self._now.status.copy(), steps, times, names, values, int(late.sum()))

    def _fill(
        self, values: Floats, records: Floats, nodes: Sequence[int], times: Floats, rows: slice
    ) -> None:
        """Outputs (n, times, outputs) from the states recorded."""
        n, count = values.shape[:2]
        states = records.reshape(n, count, -1)
        params, largest = self._now.params[rows][:, None], self._now.largest[rows][:, None]
        leaves = Leaves(states, params, times[None, :], largest, self._now.tolerance)
        missing = np.isnan(states).any(axis=2)
        for place, value in enumerate(self._now.evaluate(nodes, leaves)):
            values[:, :, place] = np.where(missing, np.nan, value)

    def _refuse_early(self, table: DoseTable, row: int) -> None:
        who = int(table.patient[row])
        raise InputError(
            "GP-N017",
            f"dose at {table.time[row]} h for patient {who}, who stands at {self._now.time[who]} h",
            where="doses",
            expected="times from the present on",
            next_step="correct the time of the dose",
        )

    def _doses(self, doses: Doses | None) -> DoseTable:
        now = self._now
        return dose_table(self._system, doses or Doses.none(), now.state, now.params, now.time)

    def _run(
        self, first: int, last: int, until: Floats, doses: DoseTable, outputs: Floats
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Integrate patients first to last - 1; returns their records (n * outputs, states) and step
        counts.
        """
        rows, now = slice(first, last), self._now
        if self._system.events:
            who = first + np.flatnonzero(now.status[rows] == Status.OK)
            self._agenda.settle(now, who, self._agenda.triggers(now, who))
        breaks = np.stack(now.values(self._breaks, rows), axis=1) if self._breaks else None
        none = np.zeros((until.size, 0))
        active = now.status[rows] == Status.OK
        stops = stops_until(now.time[rows], until, doses, outputs, active, none if breaks is None else breaks)
        batch = Batch(
            **now.rows(rows),
            stops=stops,
            records=np.full((until.size * outputs.size, len(self._system.states)), np.nan),
            steps=np.zeros((until.size, 2), dtype=np.int64),
            cursor=stops.start[:-1].copy(),
            horizon=np.full(until.size, np.inf),
            bits=self._agenda.bits[rows].copy(),
        )
        self._solve(batch, first)
        return batch.records, batch.steps

    def _solve(self, batch: Batch, first: int) -> None:
        """Run to the end, coming back for events as often as any patient has them."""
        while True:
            if self._system.events:
                batch.horizon[:] = self._agenda.horizon(len(self))[first : first + batch.time.size]
            self._solver.run(batch, self._settings)
            waiting = np.flatnonzero(batch.status == EVENT)
            if waiting.size == 0:
                return
            batch.status[waiting] = Status.OK
            self._agenda.settle(self._now, first + waiting, batch.bits[waiting])
            batch.bits[:] = self._agenda.bits[first : first + batch.time.size]

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
