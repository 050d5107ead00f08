"""Every experiment of a problem at many parameter vectors, as patients of one ensemble."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Settings
from glueprint.engine.tangent import symbol
from glueprint.workshop.flow import Course, Differenced, Flow, Seen, flow
from glueprint.workshop.problem import Problem, Value
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


@dataclass(frozen=True, eq=False)
class _Group:
    """Experiments that can run side by side, because the same names are set in them.

    members: places of experiments.   times: (t,) at which any of them is read.   to_steady: whether any is
    read at its steady state.   rows: (k,) rows of the problem.   slot, when: (k,) place in `members` and in
    the times of each.
    """

    members: tuple[int, ...]
    times: Floats
    to_steady: bool
    rows: Integers
    slot: Integers
    when: Integers
    flow: Flow | Differenced
    first: Flow | Differenced | None


class Simulator:
    """Runs a problem's experiments and reads them at its rows.

    outputs: names of the model that formulas read.   accuracy: of the runs.
    Raises as `engine.sensitivities` for what has no derivative.
    """

    def __init__(self, problem: Problem, outputs: Sequence[str], accuracy: float) -> None:
        self.problem, self.outputs = problem, tuple(outputs)
        self.settings = replace(Settings(accuracy, stop_at_outputs=True), step_limit=STEP_LIMIT, threads=0)
        self.names = [parameter.name for parameter in problem.parameters]
        self.free = {parameter.name: k for k, parameter in enumerate(problem.estimated)}
        self.values = {parameter.name: parameter.value for parameter in problem.parameters}
        settable = problem.model.system.slots
        shared = {name: name for name in self.names if name in settable}
        self.given: list[Mapping[str, Value]] = []
        self.before: list[Mapping[str, Value] | None] = []
        for one in problem.experiments:
            self.given.append({**shared, **one.values})
            self.before.append(None if one.before is None else {**shared, **one.before})
        self.groups = self._grouped()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how derivatives were had."""
        flows = [one for group in self.groups for one in (group.flow, group.first)]
        return (BY_DIFFERENCES,) if any(isinstance(one, Differenced) for one in flows) else ()

    def __call__(self, theta: Floats) -> Simulated:
        """Outputs at every row, and their slopes.   theta: (m, p) values of what is estimated."""
        m, rows = theta.shape[0], len(self.problem.rows)
        values = np.full((m, rows, len(self.outputs)), np.nan)
        slopes = np.zeros((m, rows, len(self.outputs), len(self.free)))
        reasons = [""] * m
        for group in self.groups if self.outputs else ():  # formulas may read time and parameters alone
            seen, direct = self._run(group, theta)
            e = len(group.members)
            for place, reason in enumerate(seen.reasons):
                if reason and not reasons[place // e]:
                    name = self.problem.experiments[group.members[place % e]].name
                    reasons[place // e] = f"{name}: {reason}"
            shape = (m, e, *seen.values.shape[1:])
            values[:, group.rows] = seen.values.reshape(shape)[:, group.slot, group.when]
            found = seen.slopes.reshape(*shape, len(group.flow.names))
            varied = len(group.flow.names) - direct
            for slot, member in enumerate(group.members):
                mine = group.slot == slot
                here = found[:, slot][:, group.when[mine]]
                chain = self._chain(group.flow.names[:varied], self.given[member])
                total = here[..., :varied] @ chain
                if direct:
                    total = total + here[..., varied:]
                slopes[:, group.rows[mine]] = total
        return Simulated(values, slopes, tuple(reasons))

    def _run(self, group: _Group, theta: Floats) -> tuple[Seen, int]:
        """One group; also how many of its names are seeds."""
        m, e = theta.shape[0], len(group.members)
        given = self._columns([self.given[member] for member in group.members], theta)
        seeds = 0
        if group.first is not None:
            seeds = len(self.free)
            given = {**self._settled(group, theta), **given}
        doses = self._doses(group, m)
        course = Course(group.times, self.outputs, self.settings, doses, group.to_steady)
        return group.flow.simulate(given, m * e, course), seeds

    def _settled(self, group: _Group, theta: Floats) -> dict[str, Floats]:
        """States of the experiments of a group after their first phase, with derivatives for the seeds."""
        first, m, e = group.first, theta.shape[0], len(group.members)
        assert first is not None
        given = self._columns([self.before[member] or {} for member in group.members], theta)
        slots = self.problem.model.system.slots
        states = tuple(name for name in self.problem.model.system.states if name in slots)
        seen = first.simulate(given, m * e, Course(np.zeros(0), states, self.settings, to_steady=True))
        values = seen.values[:, 0]
        slopes = seen.slopes[:, 0].reshape(m, e, len(states), len(first.names))
        own = self.given[group.members[0]]
        settled = {name: values[:, k] for k, name in enumerate(states) if name not in own}
        total = np.stack(
            [
                slopes[:, slot] @ self._chain(first.names, self.before[member] or {})
                for slot, member in enumerate(group.members)
            ],
            axis=1,
        ).reshape(m * e, len(states), len(self.free))
        for k, name in enumerate(states):
            if name in settled:
                for number in range(len(self.free)):
                    settled[symbol(name, seed(number))] = total[:, k, number]
        return settled

    def _columns(self, given: Sequence[Mapping[str, Value]], theta: Floats) -> dict[str, Floats]:
        """What every patient is given, (m * experiments,) by name."""
        m, e = theta.shape[0], len(given)
        columns = {}
        for name in given[0]:
            column = np.empty((m, e))
            for slot, one in enumerate(given):
                column[:, slot] = self.value(one[name], theta)
            columns[name] = column.reshape(-1)
        return columns

    def value(self, given: Value, theta: Floats) -> Floats | float:
        """A number, or a parameter at each vector, (m,)."""
        if not isinstance(given, str):
            return given
        return theta[:, self.free[given]] if given in self.free else self.values[given]

    def _chain(self, names: Sequence[str], given: Mapping[str, Value]) -> Floats:
        """d(name)/d(parameter), (names, p): 1 where a name is set to what is estimated."""
        chain = np.zeros((len(names), len(self.free)))
        for place, name in enumerate(names):
            source = given.get(name)
            if isinstance(source, str) and source in self.free:
                chain[place, self.free[source]] = 1.0
        return chain

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
        rows = self.problem.rows
        with_rows = set(rows.experiment.tolist())
        kinds: dict[tuple[frozenset[str], frozenset[str] | None], list[int]] = {}
        for place in range(len(self.problem.experiments)):
            before = self.before[place]
            key = (frozenset(self.given[place]), None if before is None else frozenset(before))
            if place in with_rows:
                kinds.setdefault(key, []).append(place)
        model, groups = self.problem.model, []
        plain: dict[tuple[str, ...], Flow | Differenced] = {}

        def once(names: Iterable[str], seeds: int = 0) -> Flow | Differenced:
            key = (*names, str(seeds))
            if key not in plain:
                base = seeded(model, seeds) if seeds else model
                plain[key] = flow(base, [*key[:-1], *(seed(number) for number in range(seeds))])
            return plain[key]

        for (_, waits), members in kinds.items():
            varied = self._varied(self.given[member] for member in members)
            first, seeds = None, 0
            if waits is not None:
                first, seeds = (
                    once(self._varied(self.before[member] or {} for member in members)),
                    len(self.free),
                )
            mine = np.flatnonzero(np.isin(rows.experiment, members))
            finite = np.isfinite(rows.time[mine])
            times = np.unique(rows.time[mine][finite])
            when = np.where(
                finite, np.searchsorted(times, np.where(finite, rows.time[mine], 0.0)), times.size
            )
            slots = {member: slot for slot, member in enumerate(members)}
            slot = np.array([slots[one] for one in rows.experiment[mine].tolist()], dtype=np.int64)
            groups.append(
                _Group(tuple(members), times, not finite.all(), mine, slot, when, once(varied, seeds), first)
            )
        return groups

    def _varied(self, given: Iterable[Mapping[str, Value]]) -> list[str]:
        """Names that follow what is estimated in any of several experiments."""
        return sorted({name for one in given for name, source in one.items() if source in self.free})
