"""Every experiment of a problem at many parameter vectors, as patients of one ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Model, Settings
from glueprint.engine.tangent import symbol
from glueprint.errors import NotSupportedError
from glueprint.workshop.flow import Course, Differenced, Flow, Seen, flow
from glueprint.workshop.formula import Formula
from glueprint.workshop.problem import Experiment, Fill, Problem, Value
from glueprint.workshop.seeds import seed, seeded

__all__ = ["STEP_LIMIT", "Simulated", "Simulator"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# A parameter vector that needs more steps than this lies where nobody wants to wait; it counts as failed.
STEP_LIMIT = 50_000
BY_DIFFERENCES = (
    "derivatives are differences of runs: the model has events, or jumps whose time moves with a parameter"
)


@dataclass(frozen=True, eq=False)
class Simulated:
    """values: (m, rows, outputs).   slopes: (m, rows, outputs, p), by what is estimated (not scaled).
    reasons: for each vector, why an experiment failed; empty where none did.
    """

    values: Floats
    slopes: Floats
    reasons: tuple[str, ...]


Column = tuple[Floats, Floats]
"""Values (n,) of a name, a patient each, and their slopes (n, p) by what is estimated."""


@dataclass(frozen=True, eq=False)
class _Stage:
    """One period of several experiments that run side by side.

    sets: of each experiment, what it sets at the start.   keeps: names that are what they were at the end of
    the stage before.   times: (t,) since that start at which any is read.
    end: how long it lasts; infinite where its steady state is waited for, None for the last one.
    to_steady: whether any is read at its steady state.   rows: (k,) rows of the problem.   slot, when: (k,)
    places among the experiments and the times of each row.
    """

    sets: tuple[Mapping[str, Value], ...]
    keeps: frozenset[str]
    times: Floats
    end: float | None
    to_steady: bool
    rows: Integers
    slot: Integers
    when: Integers
    flow: Flow | Differenced


@dataclass(frozen=True, eq=False)
class _Group:
    """Experiments that can run side by side, because the same names are set in them at the same times.

    members: their places.   stages: their periods, a steady state that is waited for first among them.
    """

    members: tuple[int, ...]
    stages: tuple[_Stage, ...]


class Simulator:
    """Runs a problem's experiments and reads them at its rows.

    outputs: names of the model that formulas read.   accuracy: of the runs.
    Raises as `engine.sensitivities` for what has no derivative, and NotSupportedError GP-W020 for later
    periods of a model that reads the time, has events, or computes parameters at the start.
    """

    def __init__(self, problem: Problem, outputs: Sequence[str], accuracy: float) -> None:
        self.problem, self.outputs = problem, tuple(outputs)
        self.settings = replace(Settings(accuracy, stop_at_outputs=True), step_limit=STEP_LIMIT, threads=0)
        self.free = {parameter.name: k for k, parameter in enumerate(problem.estimated)}
        self.values = {parameter.name: parameter.value for parameter in problem.parameters}
        slots = problem.model.system.slots
        self.shared = {one.name: one.name for one in problem.parameters if one.name in slots}
        self.states = tuple(name for name in problem.model.system.states if name in slots)
        self.groups = self._grouped()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how derivatives were had."""
        flows = [stage.flow for group in self.groups for stage in group.stages]
        return (BY_DIFFERENCES,) if any(isinstance(one, Differenced) for one in flows) else ()

    def __call__(self, theta: Floats) -> Simulated:
        """Outputs at every row, and their slopes.   theta: (m, p) values of what is estimated."""
        m, rows = theta.shape[0], len(self.problem.rows)
        values = np.full((m, rows, len(self.outputs)), np.nan)
        slopes = np.zeros((m, rows, len(self.outputs), len(self.free)))
        reasons = [""] * m
        for group in self.groups if self.outputs else ():  # formulas may read time and parameters alone
            e = len(group.members)
            before: dict[str, Column] | None = None
            for number, stage in enumerate(group.stages):
                given = self._given(stage, theta, before)
                seen, total = self._run(group, number, given, m)
                for place, reason in enumerate(seen.reasons):
                    if reason and not reasons[place // e]:
                        name = self.problem.experiments[group.members[place % e]].name
                        reasons[place // e] = f"{name}: {reason}"
                wide = len(self.outputs)
                shape = (m, e, *seen.values.shape[1:])
                at = (slice(None), stage.slot, stage.when, slice(wide))
                values[:, stage.rows] = seen.values.reshape(shape)[at]
                slopes[:, stage.rows] = total.reshape(*shape, len(self.free))[at]
                if stage.end is not None:
                    names = self._columns(group, number)
                    ended = {name: (seen.values[:, -1, k], total[:, -1, k]) for k, name in enumerate(names)}
                    before = given | ended
        return Simulated(values, slopes, tuple(reasons))

    def _columns(self, group: _Group, number: int) -> tuple[str, ...]:
        """What a stage shows: outputs; before another stage the states and what its formulas read, too."""
        names = dict.fromkeys(self.outputs)
        if group.stages[number].end is not None:
            read = (
                name
                for sets in group.stages[number + 1].sets
                for value in sets.values()
                if isinstance(value, Formula)
                for name in value.names
                if name in self.problem.model.system.symbols and name not in self.values
            )
            names |= dict.fromkeys((*self.states, *read))
        return tuple(names)

    def _run(self, group: _Group, number: int, given: Mapping[str, Column], m: int) -> tuple[Seen, Floats]:
        """One stage, and the slopes of all it shows by what is estimated, (patients, times, names, p)."""
        stage = group.stages[number]
        columns = {name: values for name, (values, _) in given.items()}
        names = [name for name in stage.flow.names if name in given]
        if number:
            for name in self.states:
                if name in stage.keeps:
                    for place in range(len(self.free)):
                        columns[symbol(name, seed(place))] = given[name][1][:, place]
        doses = self._doses(group, m) if number == len(group.stages) - 1 else None
        times, waits = stage.times, stage.to_steady
        if stage.end is not None:
            waits = bool(np.isinf(stage.end))
            times = times if waits else np.union1d(times, [stage.end])
        course = Course(times, self._columns(group, number), self.settings, doses, waits)
        seen = stage.flow.simulate(columns, m * len(group.members), course)
        total = np.zeros((*seen.values.shape, len(self.free)))
        if names:
            chain = np.stack([given[name][1] for name in names], axis=1)
            total += np.einsum("ntov,nvp->ntop", seen.slopes[..., : len(names)], chain)
        if number:
            total += seen.slopes[..., len(names) :]
        return seen, total

    def _given(self, stage: _Stage, theta: Floats, before: Mapping[str, Column] | None) -> dict[str, Column]:
        """What every patient is given at the start of a stage.   before: what was there before it."""
        m, e, p = theta.shape[0], len(stage.sets), theta.shape[1]
        found = {name: one for name, one in (before or {}).items() if name in stage.keeps}
        for name in stage.sets[0]:
            column, slope = np.empty((m, e)), np.zeros((m, e, p))
            for slot, one in enumerate(stage.sets):
                earlier = {
                    other: (values.reshape(m, e)[:, slot], slopes.reshape(m, e, p)[:, slot])
                    for other, (values, slopes) in (before or {}).items()
                    if isinstance(one[name], Formula)
                }
                column[:, slot], slope[:, slot] = self._valued(one[name], theta, earlier)
            found[name] = (column.reshape(-1), slope.reshape(m * e, p))
        return found

    def _valued(
        self, given: Value, theta: Floats, earlier: Mapping[str, Column]
    ) -> tuple[Floats | float, Floats | float]:
        """A value at each vector, (m,), and its slopes (m, p).   earlier: what formulas may read."""
        if not isinstance(given, Formula):
            slope = np.zeros(theta.shape[1])
            if isinstance(given, str) and given in self.free:
                slope[self.free[given]] = 1.0
            return self.value(given, theta), slope
        m, p = theta.shape
        columns = [
            (
                np.broadcast_to(self.value(name, theta), m),
                np.eye(p)[self.free[name]] if name in self.free else 0.0,
            )
            if name in self.values
            else earlier[name]
            for name in given.names
        ]
        value, slopes = given([one[:, None] for one, _ in columns], np.zeros(1))
        total = np.zeros((m, p))
        for slope, (_, chain) in zip(slopes, columns, strict=True):
            total += slope * chain
        return value[:, 0], total

    def value(self, given: Fill, theta: Floats) -> Floats | float:
        """A number, or a parameter at each vector, (m,)."""
        if not isinstance(given, str):
            return given
        return theta[:, self.free[given]] if given in self.free else self.values[given]

    def _doses(self, group: _Group, m: int) -> Doses | None:
        e, parts = len(group.members), []
        for slot, member in enumerate(group.members):
            one = self.problem.experiments[member].doses
            if one is None:
                continue
            count = np.size(one.patient)
            parts += [replace(one, patient=np.full(count, vector * e + slot)) for vector in range(m)]
        return Doses.together(*parts) if parts else None

    def _grouped(self) -> list[_Group]:
        """Experiments by what they set and when; those without rows are not run."""
        kinds: dict[tuple[object, ...], list[int]] = {}
        for place in sorted(set(self.problem.rows.experiment.tolist())):
            one = self.problem.experiments[place]
            if one.later or one.begin:
                _require_steady_rules(self.problem.model, one)
            names = tuple(frozenset(given) for given in one.settings)
            times = (one.begin, *(time for time, _ in one.later))
            kinds.setdefault((one.before is None, one.keeps, names, times), []).append(place)
        plain: dict[tuple[str, ...], Flow | Differenced] = {}
        return [self._group(tuple(members), plain) for members in kinds.values()]

    def _group(self, members: tuple[int, ...], plain: dict[tuple[str, ...], Flow | Differenced]) -> _Group:
        rows, ones = self.problem.rows, [self.problem.experiments[member] for member in members]
        begins = [ones[0].begin, *(time for time, _ in ones[0].later)]
        begins = [-np.inf, *begins] if ones[0].before is not None else begins
        mine = np.flatnonzero(np.isin(rows.experiment, members))
        # What is measured when a period begins is read after its changes.
        period = np.searchsorted(begins, rows.time[mine], side="right") - 1
        slots = {member: slot for slot, member in enumerate(members)}
        stages, varied, was_set = [], set[str](), set[str]()
        for number, begin in enumerate(begins):
            sets = tuple(one.settings[number] for one in ones)
            if number == 0 or (number == 1 and ones[0].before is not None):
                sets = tuple({**self.shared, **one} for one in sets)
            if number == 1 and ones[0].before is not None and not ones[0].keeps:
                was_set = set()
            keeps = frozenset({*self.states, *was_set} - set(sets[0]) if number else ())
            varied = {name for name in varied if name in keeps and name not in self.states}
            was_set |= set(sets[0]) - set(self.states)
            varied |= {name for one in sets for name, value in one.items() if self._follows(value)}
            seeds = [seed(place) for place in range(len(self.free))] if number else []
            here = mine[period == number]
            since = rows.time[here] - begin
            finite = np.isfinite(since)
            times = np.unique(since[finite])
            when = np.where(finite, np.searchsorted(times, np.where(finite, since, 0.0)), -1)
            last = number == len(begins) - 1
            stages.append(
                _Stage(
                    sets=sets,
                    keeps=keeps,
                    times=times,
                    end=None if last else np.inf if np.isinf(begin) else begins[number + 1] - begin,
                    to_steady=not bool(finite.all()),
                    rows=here,
                    slot=np.array([slots[one] for one in rows.experiment[here].tolist()], dtype=np.int64),
                    when=when.astype(np.int64),
                    flow=_once(plain, self.problem.model, (*sorted(varied), *seeds), len(seeds)),
                )
            )
        return _Group(members, tuple(stages))

    def _follows(self, value: Value) -> bool:
        """Whether a value follows what is estimated."""
        if isinstance(value, Formula):
            return any(name in self.free or name not in self.values for name in value.names)
        return isinstance(value, str) and value in self.free


def _once(
    plain: dict[tuple[str, ...], Flow | Differenced], model: Model, names: tuple[str, ...], seeds: int
) -> Flow | Differenced:
    """The flow of a model by some names, made when it is first asked for."""
    if names not in plain:
        plain[names] = flow(seeded(model, seeds) if seeds else model, names)
    return plain[names]


def _require_steady_rules(model: Model, one: Experiment) -> None:
    """Refuse what a period that begins anew would change: NotSupportedError GP-W020.

    A later period begins the model at its time 0 with the states of the one before: right where nothing reads
    the time, no event is pending, and nothing but states is computed at the start.
    """
    system = model.system
    computed = [
        item.name
        for item in system.initials
        if item.slot.kind == "param" and system.graph.nodes[item.node].op != "const"
    ]
    reads_time = any(node.op == "time" for node in system.graph.nodes)
    for is_there, what in (
        (reads_time, "reads the time"),
        (bool(system.events), "has events"),
        (bool(computed), f"computes {', '.join(computed)} at the start"),
    ):
        if is_there:
            raise NotSupportedError(
                "GP-W020",
                f"{one.name} starts at another time than 0 or has later periods, and the model {what}",
                where=one.where,
                next_step="write the changes into the model as events, or as functions of time",
            )
