"""Many patients of one model, advanced together, each with its own parameters, time and status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import NOTHING, Batch, Settings
from glueprint.engine.breaks import break_times
from glueprint.engine.compiled import processors
from glueprint.engine.domains import Guard
from glueprint.engine.doses import Doses
from glueprint.engine.events import Agenda
from glueprint.engine.infusions import balanced
from glueprint.engine.initial import column, slot_of, smallest_values, start
from glueprint.engine.outputs import divide, fill, plain
from glueprint.engine.patients import Patients
from glueprint.engine.results import Outcome, Trajectories
from glueprint.engine.schedule import (
    DoseTable,
    Reads,
    dose_table,
    end_times,
    require_target,
    stops_until,
)
from glueprint.engine.solver import Solver
from glueprint.engine.status import EVENT, Status
from glueprint.engine.steady import FINER, bring_to_steady
from glueprint.engine.switches import switches
from glueprint.engine.system import System
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.formulas.evaluate import Leaves

__all__ = ["Ensemble", "Outcome", "Trajectories"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Small enough for the processor's cache, large enough that threads seldom wait for the last patient.
RECORD_BYTES_PER_CHUNK = 4 * 2**20
LEAST_CHUNK = 64
LEAST_ACCURACY = 1e-12  # of copies that look for a steady state
NO_TIMES: Floats = np.zeros(0)


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
        finite = np.isfinite(state).all(axis=1) & np.isfinite(params[:, list(system.params_read)]).all(axis=1)
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
        self._given = given
        self._waiting = DoseTable.none()  # ends of infusions that run, and what lags behind

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
        GP-N017 (dose outside the interval), GP-N051, NotSupportedError GP-N052 to N054 (a steady state that
        cannot be had, an infusion that the model would not see).
        """
        active = self._now.status == Status.OK
        until = end_times(until_h, self._now.time, active)
        given = doses or Doses.none()
        table, ends = self._tables(given)
        patient, enters, _, _ = given.columns()
        when = np.asarray(given.given_h)
        outside = ((enters < self._now.time[patient]) | (when >= until[patient])) & active[patient]
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            who = int(patient[row])
            raise InputError(
                "GP-N017",
                f"dose at {when[row]} h for patient {who}, "
                f"who goes from {self._now.time[who]} to {until[who]} h",
                where="doses",
                expected="times from the present up to, but not at, until_h",
                next_step="give this dose in the call whose interval it falls into",
            )
        self._settle_steady(given)
        none = np.zeros((0, len(self._system.states)))
        due = self._due(table.join(ends), until)
        steps = self._run(slice(0, len(self)), until, due, Reads.none(), none)
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
        given = doses or Doses.none()
        table, ends = self._tables(given)
        patient, enters, _, _ = given.columns()
        when = np.asarray(given.given_h)
        early = (enters < self._now.time[patient]) & active[patient]
        if early.any():
            self._refuse_early(patient, when, int(np.flatnonzero(early)[0]))
        late = patient[enters >= until[patient]]
        late_of = np.bincount(late, minlength=len(self)) if late.size else None
        self._settle_steady(given)
        if (when >= until[patient]).any() or np.any(given.steady):
            table, ends = self._tables(given.take(when < until[patient]))
        kept = self._due(table.join(ends), until)
        for first in range(0, max(len(self), 1), patients_per_part):
            rows = slice(first, min(first + patients_per_part, len(self)))
            values, steps = self._part(rows, times, until, kept, nodes)
            unused = 0 if late_of is None else int(late_of[rows].sum())
            yield Trajectories(self._now.status[rows].copy(), steps, times, names, values, unused)

    def _part(
        self, rows: slice, times: Floats, until: Floats, doses: DoseTable, nodes: Sequence[int]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Outputs (n, times, outputs) and steps of some patients.

        States go straight into the outputs; where any other is asked for, through one small buffer.
        """
        count, states = rows.stop - rows.start, len(self._system.states)
        values = np.empty((count, times.size, len(nodes)))
        steps = np.zeros((count, 2), dtype=np.int64)
        found = plain(self._system.graph, nodes)
        direct = len(found) == len(nodes) > 0
        recorded = np.array([one.state for one in found.values()], dtype=np.int64)
        most = count if direct else max(LEAST_CHUNK, RECORD_BYTES_PER_CHUNK // (8 * times.size * states))
        threads, settings = 1, self._settings
        if not self._system.events and count >= 2 * LEAST_CHUNK:
            # Pieces side by side, each on one thread: reading out is then shared as well as integrating.
            threads, settings = settings.threads or processors(), replace(settings, threads=1)
        shares = max(threads * -(-count // max(most * threads, 1)), 1)
        chunk = max(-(-count // shares), 1)
        pieces = [slice(a, min(a + chunk, rows.stop)) for a in range(rows.start, rows.stop, chunk)]
        for node in nodes:
            self._now.guard(node)  # so that the threads only read the graph
        spare: SimpleQueue[Floats] = SimpleQueue()
        for _ in range(0 if direct else threads):
            spare.put(np.empty((min(chunk, count) * times.size, states)))

        def work(piece: slice) -> None:
            here = slice(piece.start - rows.start, piece.stop - rows.start)
            reads, grid = Reads.none(), times
            if settings.stop_at_outputs:
                reads, grid = Reads.common(piece.stop - piece.start, times), NO_TIMES
            if direct:
                records = values[here].reshape(-1, len(nodes))
                steps[here] = self._run(piece, until[piece], doses, reads, records, grid, recorded, settings)
                divide(values[here], found, self._now, piece)
                return
            buffer = spare.get()
            records = buffer[: (piece.stop - piece.start) * times.size]
            steps[here] = self._run(piece, until[piece], doses, reads, records, grid, settings=settings)
            fill(values[here], records, nodes, times, self._now, piece)
            spare.put(buffer)

        if threads == 1:
            for piece in pieces:
                work(piece)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, pieces))
        return values, steps

    def _refuse_early(self, patient: Integers, when: Floats, row: int) -> None:
        who = int(patient[row])
        raise InputError(
            "GP-N017",
            f"dose at {when[row]} h for patient {who}, who stands at {self._now.time[who]} h",
            where="doses",
            expected="times from the present on",
            next_step="correct the time of the dose",
        )

    def restart(
        self, patients: ArrayLike, time_h: ArrayLike, given: Mapping[str, ArrayLike] | None = None
    ) -> None:
        """Take some patients back to their initial values, at another time; infusions that run are stopped.

        patients: (m,) indices.   time_h: one time, or (m,) hours, which may lie before the present.   given:
        scalar or (n,) values by name from which the initial values are computed, beside those of the start.
        Parameters stay as they were set.
        """
        who = np.asarray(patients, dtype=np.int64)
        now, self._given = self._now, {**self._given, **(given or {})}
        now.state[who] = start(self._system, self._given, len(self))[0][who]
        now.largest[who] = np.abs(now.state[who])
        now.time[who], now.step[who] = time_h, 0.0
        self._waiting = self._waiting.keep(~np.isin(self._waiting.patient, who))
        self._agenda.restart(who)

    def _tables(self, doses: Doses, rank: Floats | None = None) -> tuple[DoseTable, DoseTable]:
        """Doses in the solver's terms, and the ends of infusions."""
        self._admit_infusions(doses)
        for state in self._switches.read:
            name = self._system.states[state]
            if np.any(np.asarray(doses.target) == name):
                raise NotSupportedError(
                    "GP-N062",
                    f'a dose into "{name}", a clock or a threshold by which time switches rates',
                    where=self._system.name,
                    next_step="move it by an event, or set it between two calls",
                )
        now = self._now
        return dose_table(self._system, doses, now.state, now.params, now.time, rank)

    def _admit_infusions(self, doses: Doses) -> None:
        """Go on with a system that has a rate of infusion into what the doses infuse."""
        slow = np.asarray(doses.duration_h) > 0
        targets = np.unique(np.asarray(doses.target)[slow]).tolist() if slow.any() else []
        for name in targets:
            require_target(self._system, name, "doses")
        more = tuple(name for name in targets if name not in self._system.inputs)
        if not more:
            return
        initials, now = self._system.initials, self._now
        self._solver = self._solver.infused(more)
        self._system = replace(
            self._solver.system, initials=(*initials, *self._solver.system.initials[-len(more) :])
        )
        self._switches = switches(self._system)
        now.state, now.largest = (
            np.concatenate([values, np.zeros((len(self), len(more)))], axis=1)
            for values in (now.state, now.largest)
        )
        now.guard = Guard(self._system.graph)
        self._smallest = np.concatenate([self._smallest, np.full(len(more), NOTHING)])
        self._agenda.system, self._agenda.solver = self._system, self._solver

    def _follow(
        self, until: Floats, doses: Doses, rank: Floats, reads: Reads, outputs: Sequence[str]
    ) -> tuple[Floats, Integers, int]:
        """Take patients to `until` (n,), doses at that time included, and read outputs on the way.

        rank: (m,) of the doses among what stops a patient at one time, infinite for those of which only the
        steady state is wanted.   Returns (reads, outputs), steps, and how many doses began to enter.
        Doses after `until` wait, until a steady state or a restart cancels them.
        """
        self._settle_steady(doses)
        given = np.isfinite(rank)
        table, ends = self._tables(doses.take(given), rank[given])
        nodes = self._output_nodes(outputs)
        due = self._due(table.join(ends), np.nextafter(until, np.inf))  # doses at `until` included
        records = np.empty((reads.time.size, len(self._system.states)))
        steps = self._run(slice(0, len(self)), until, due, reads, records)
        now, who = self._now, reads.patient
        leaves = Leaves(records, now.params[who], reads.time, now.largest[who], now.tolerance)
        values = np.empty((who.size, len(nodes)))
        for place, value in enumerate(now.evaluate(nodes, leaves)):
            values[:, place] = value
        values[np.isnan(records).any(axis=1)] = np.nan
        begun = (due.amount > 0) | ~np.isin(due.state, list(self._system.inputs.values()))
        return values, steps, int(begun.sum())

    def _due(self, doses: DoseTable, until: Floats) -> DoseTable:
        """What enters before `until`, of these doses and of what waits; the rest waits for a later call."""
        everything = balanced(doses.join(self._waiting), self._system.inputs.values(), self._now.state)
        now = everything.time < until[everything.patient]
        self._waiting = everything.keep(~now)
        return everything.keep(now)

    def _settle_steady(self, doses: Doses) -> None:
        """Bring to their steady states the patients whose doses say so."""
        if np.any(doses.steady):
            self._admit_infusions(doses)
            base, _ = start(self._system, self._given, len(self))
            self._waiting = bring_to_steady(
                self._system, self._now, base, doses, self._waiting, self._flow, self._settings.accuracy
            )

    def _flow(
        self, who: Integers, states: Floats, until: Floats, doses: Doses
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """What becomes of copies of some patients; see `steady.Flow`."""
        fine = replace(self._settings, accuracy=max(FINER * self._settings.accuracy, LEAST_ACCURACY))
        copies = Ensemble(self._system, self._solver, {}, 0, fine)
        zeros = np.zeros(who.size)
        copies._now = replace(  # the same parameters, other states
            self._now,
            state=states.copy(),
            largest=np.abs(states),
            params=self._now.params[who],
            time=zeros,
            step=zeros.copy(),
            status=np.zeros(who.size, dtype=np.int64),
            tolerance=fine.tolerance,
        )
        copies._smallest = self._smallest
        copies._agenda = Agenda.at_start(self._system, self._solver, who.size)
        outcome = copies.advance(until, doses)
        return copies._now.state, copies._now.largest, outcome.status == Status.OK

    def _run(
        self,
        rows: slice,
        until: Floats,
        doses: DoseTable,
        reads: Reads,
        records: Floats,
        grid: Floats = NO_TIMES,
        columns: Integers | None = None,
        settings: Settings | None = None,
    ) -> NDArray[np.int64]:
        """Integrate some patients, filling records: of reads, or of each patient at the times of a grid.

        columns: the states to record, by default all.   Returns step counts.
        """
        now = self._now
        if self._system.events:
            who = rows.start + np.flatnonzero(now.status[rows] == Status.OK)
            self._agenda.settle(now, who, self._agenda.triggers(now, who))
        breaks = self._breaks(rows, until)
        active = now.status[rows] == Status.OK
        mine = doses.of(rows.start, rows.stop)
        stops = stops_until(now.time[rows], until, mine, reads, active=active, breaks=breaks)
        if not grid.size:
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
            grid=np.ascontiguousarray(grid),
            output=np.zeros(until.size, dtype=np.int64),
            columns=np.arange(len(self._system.states)) if columns is None else columns,
        )
        self._solve(batch, rows.start, settings or self._settings, until)
        for who in np.flatnonzero(batch.output < grid.size):  # not reached
            records[who * grid.size + batch.output[who] : (who + 1) * grid.size] = np.nan
        return batch.steps

    def _solve(self, batch: Batch, first: int, settings: Settings, until: Floats) -> None:
        """Run to the end, coming back for events as often as any patient has them."""
        rows, read = slice(first, first + batch.time.size), list(self._switches.moved)
        moved: dict[int, Floats] = {}  # switches of patients, in order, since an event has moved them
        while True:
            if self._system.events:
                soonest = np.minimum(self._agenda.horizon(len(self))[rows], self._next_switch(rows))
                for who, times in moved.items():
                    ahead = times[np.searchsorted(times, batch.time[who], side="right") :]
                    soonest[who] = min([soonest[who], *ahead[:1]])
                batch.horizon[:] = soonest
            self._solver.run(batch, settings)
            waiting = np.flatnonzero(batch.status == EVENT)
            if waiting.size == 0:
                return
            batch.status[waiting] = Status.OK
            before = batch.state[waiting][:, read]
            self._agenda.settle(self._now, first + waiting, batch.bits[waiting])
            batch.bits[:] = self._agenda.bits[rows]
            for who in waiting[(batch.state[waiting][:, read] != before).any(axis=1)].tolist():
                moved[who] = self._breaks(slice(first + who, first + who + 1), until[[who]])[0]

    def _breaks(self, rows: slice, until: Floats) -> Floats:
        """Times (n, b) of patients' switches, in order, as they are seen at present."""
        if not self._switches:
            return np.zeros((until.size, 0))
        most = self._settings.step_limit
        return np.sort(break_times(self._system, self._switches, self._now, rows, until, most), axis=1)

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
