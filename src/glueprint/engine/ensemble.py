"""Many patients of one model, advanced together, each with its own parameters, time and status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import Batch, Settings
from glueprint.engine.breaks import break_times
from glueprint.engine.compiled import processors
from glueprint.engine.domains import Guard
from glueprint.engine.doses import Doses
from glueprint.engine.events import Agenda
from glueprint.engine.initial import column, slot_of, smallest_values, start
from glueprint.engine.patients import Patients
from glueprint.engine.results import Outcome, Trajectories
from glueprint.engine.schedule import DoseTable, dose_table, end_times, stops_until
from glueprint.engine.solver import Solver
from glueprint.engine.status import EVENT, Status
from glueprint.engine.switches import switches
from glueprint.engine.system import System
from glueprint.errors import InputError, nearest
from glueprint.formulas.evaluate import Leaves

__all__ = ["Ensemble", "Outcome", "Trajectories"]

Floats = NDArray[np.float64]
# Small enough for the processor's cache, large enough that threads seldom wait for the last patient.
RECORD_BYTES_PER_CHUNK = 4 * 2**20
LEAST_CHUNK = 64


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
        self._switches = switches(system)
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
        self._smallest = smallest_values(system, settings.smallest, state, params)
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
        return self.values([name])[name]

    def values(self, names: Sequence[str]) -> dict[str, Floats]:
        """Present values of several names at once, (n,) each; what they share is computed once.

        Raises InputError GP-N019 (no such name).
        """
        found = self._now.values(self._output_nodes(names))
        return {name: value.copy() for name, value in zip(names, found, strict=True)}

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
        none = np.zeros((0, len(self._system.states)))
        steps = self._run(slice(0, len(self)), until, table, np.zeros(0), none)
        return Outcome(self._now.status.copy(), steps)

    def simulate(
        self, times_h: ArrayLike, doses: Doses | None = None, outputs: Sequence[str] | None = None
    ) -> Trajectories:
        """Values at `times_h`, each taken before a dose at the same time.

        times_h: (times,) hours, rising, none before a patient's present time.   outputs: names of species,
        parameters, rules or reactions; default all species and what rate rules move.
        Raises as `advance`, and InputError GP-N018 (times not rising), GP-N019 (unknown output).
        """
        parts = list(self.stream(times_h, doses, outputs, patients_per_part=max(len(self), 1)))
        return parts[0]

    def stream(
        self,
        times_h: ArrayLike,
        doses: Doses | None = None,
        outputs: Sequence[str] | None = None,
        *,
        patients_per_part: int = 10_000,
    ) -> Iterator[Trajectories]:
        """As `simulate`, a part of the patients at a time and in order, so that memory stays flat.

        Each part must be used (reduced, written) before the next is computed; a patient's values do not
        depend on the parts.
        """
        times = _rising(times_h)
        names = self._system.followed if outputs is None else tuple(outputs)
        nodes = self._output_nodes(names)
        active = self._now.status == Status.OK
        until = end_times(times[-1], self._now.time, active)
        end_times(times[0], self._now.time, active)
        table = self._doses(doses)
        early = (table.time < self._now.time[table.patient]) & active[table.patient]
        if early.any():
            self._refuse_early(table, int(np.flatnonzero(early)[0]))
        late = table.time >= until[table.patient]
        kept = table.keep(~late)
        late_of = np.bincount(table.patient[late], minlength=len(self)) if late.any() else None
        for first in range(0, max(len(self), 1), patients_per_part):
            rows = slice(first, min(first + patients_per_part, len(self)))
            values, steps = self._part(rows, times, until, kept, nodes)
            unused = 0 if late_of is None else int(late_of[rows].sum())
            yield Trajectories(self._now.status[rows].copy(), steps, times, names, values, unused)

    def _part(
        self, rows: slice, times: Floats, until: Floats, doses: DoseTable, nodes: Sequence[int]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Outputs (n, times, outputs) and steps of some patients; records go through one small buffer."""
        count, states = rows.stop - rows.start, len(self._system.states)
        values = np.full((count, times.size, len(nodes)), np.nan)
        steps = np.zeros((count, 2), dtype=np.int64)
        most = max(LEAST_CHUNK, RECORD_BYTES_PER_CHUNK // (8 * times.size * states))
        threads, settings = 1, self._settings
        if not self._system.events and count >= 2 * LEAST_CHUNK:
            # Pieces side by side, each on one thread: reading out is then shared as well as integrating.
            threads, settings = settings.threads or processors(), replace(settings, threads=1)
        shares = max(threads * -(-count // (most * threads)), 1)
        chunk = max(-(-count // shares), 1)
        pieces = [slice(a, min(a + chunk, rows.stop)) for a in range(rows.start, rows.stop, chunk)]
        for node in nodes:
            self._now.guard(node)  # so that the threads only read the graph
        spare: SimpleQueue[Floats] = SimpleQueue()
        for _ in range(threads):
            spare.put(np.empty((min(chunk, count) * times.size, states)))

        def work(piece: slice) -> None:
            buffer = spare.get()
            records = buffer[: (piece.stop - piece.start) * times.size]
            here = slice(piece.start - rows.start, piece.stop - rows.start)
            steps[here] = self._run(piece, until[piece], doses, times, records, settings=settings)
            self._fill(values[here], records, nodes, times, piece)
            spare.put(buffer)

        if threads == 1:
            for piece in pieces:
                work(piece)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, pieces))
        return values, steps

    def _fill(
        self, values: Floats, records: Floats, nodes: Sequence[int], times: Floats, rows: slice
    ) -> None:
        """Outputs (n, times, outputs) from the states recorded."""
        n, count = values.shape[:2]
        states = records.reshape(n, count, -1)
        graph = self._system.graph
        plain = {
            k: int(graph.nodes[node].value) for k, node in enumerate(nodes) if graph.nodes[node].op == "state"
        }
        # A record that was not reached is NaN throughout, so a state needs no more than its copy.
        values[:, :, list(plain)] = states[:, :, list(plain.values())]
        others = [k for k in range(len(nodes)) if k not in plain]
        if not others:
            return
        params, largest = self._now.params[rows][:, None], self._now.largest[rows][:, None]
        leaves = Leaves(states, params, times[None, :], largest, self._now.tolerance)
        missing = np.isnan(states).any(axis=2)
        for place, value in zip(others, self._now.evaluate([nodes[k] for k in others], leaves), strict=True):
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
        self,
        rows: slice,
        until: Floats,
        doses: DoseTable,
        outputs: Floats,
        records: Floats,
        *,
        settings: Settings | None = None,
    ) -> NDArray[np.int64]:
        """Integrate some patients, filling records (n * outputs, states); returns their step counts."""
        now = self._now
        if self._system.events:
            who = rows.start + np.flatnonzero(now.status[rows] == Status.OK)
            self._agenda.settle(now, who, self._agenda.triggers(now, who))
        breaks = np.zeros((until.size, 0))
        if self._switches:
            most = self._settings.step_limit
            breaks = break_times(self._system, self._switches, now, rows, until, most)
        active = now.status[rows] == Status.OK
        mine = doses.of(rows.start, rows.stop)
        stops = stops_until(now.time[rows], until, mine, outputs, active=active, breaks=breaks)
        records.fill(np.nan)
        batch = Batch(
            **now.rows(rows),
            stops=stops,
            records=records,
            steps=np.zeros((until.size, 2), dtype=np.int64),
            cursor=stops.start[:-1].copy(),
            horizon=np.full(until.size, np.inf),
            bits=self._agenda.bits[rows].copy(),
            smallest=self._smallest,
        )
        self._solve(batch, rows.start, settings or self._settings)
        return batch.steps

    def _solve(self, batch: Batch, first: int, settings: Settings) -> None:
        """Run to the end, coming back for events as often as any patient has them."""
        while True:
            if self._system.events:
                rows = slice(first, first + batch.time.size)
                batch.horizon[:] = np.minimum(self._agenda.horizon(len(self))[rows], self._next_switch(rows))
            self._solver.run(batch, settings)
            waiting = np.flatnonzero(batch.status == EVENT)
            if waiting.size == 0:
                return
            batch.status[waiting] = Status.OK
            self._agenda.settle(self._now, first + waiting, batch.bits[waiting])
            batch.bits[:] = self._agenda.bits[first : first + batch.time.size]

    def _next_switch(self, rows: slice) -> Floats:
        """The next time at which a switch that events move is due, (n,); infinite where none is."""
        soonest = np.full(rows.stop - rows.start, np.inf)
        if self._switches.between:
            for times in self._now.values(self._switches.between, rows):
                ahead = times > self._now.time[rows]
                soonest = np.where(ahead, np.minimum(soonest, times), soonest)
        return soonest

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
