"""The solver written plainly in numpy: every patient its own step, dense linear algebra, no compiler.

It runs where machine code cannot, and the compiled solver is tested against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import tableau
from glueprint.engine.batch import Batch, Settings
from glueprint.engine.infusions import infused
from glueprint.engine.rounding import ROUNDING, gains
from glueprint.engine.status import Status
from glueprint.engine.switches import steady
from glueprint.engine.system import System
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate
from glueprint.formulas.lowering import Lowering

__all__ = ["ReferenceSolver"]

Floats = NDArray[np.float64]

PLACES, CURVE_SAFETY = (0.25, 0.8), 2.0  # `dense_llvm`
SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
FIRST_STEP = 1e-2
SHORTEST = 1e-14
INSTANT = 1e-10  # of the time to the next stop


class ReferenceSolver:
    """Integrates batches of one system."""

    def __init__(self, system: System) -> None:
        self.system = system
        graph, roots = system.graph, steady(system)
        slopes = [Differentiator(graph, graph.state(j)) for j in range(len(system.states))]
        zero = graph.const(0.0)
        entries = {(i, j): slope(root) for i, root in enumerate(roots) for j, slope in enumerate(slopes)}
        lower = Lowering(graph)
        self.jacobian = {place: lower(node) for place, node in entries.items() if node != zero}
        by_time = Differentiator(graph, graph.time())
        self.time_slope = [lower(by_time(root)) for root in roots]
        self.rates = [lower(root) for root in roots]
        self.gains = {i: lower(node) for i, node in gains(graph, roots).items()}

    def run(self, batch: Batch, settings: Settings) -> None:
        """Take every patient through its stops; changes `batch` in place."""
        if self.system.events:
            raise AssertionError("the reference solver knows no events")
        cursor = batch.cursor
        self._pass_stops(batch, cursor)
        batch.status[~np.isfinite(batch.state).all(axis=1) & (batch.status == 0)] = Status.BAD_START
        batch.step[batch.step <= 0] = FIRST_STEP
        due = np.full(len(batch.time), np.inf)  # outputs at which a step must end
        taken = np.zeros(len(batch.time), dtype=np.int64)
        while True:
            busy = np.flatnonzero((cursor < batch.stops.start[1:]) & (batch.status == Status.OK))
            if busy.size == 0:
                return
            self._step(batch, busy, cursor, settings, due)
            taken[busy] += 1
            limit = busy[(taken[busy] >= settings.step_limit) & (batch.status[busy] == Status.OK)]
            batch.status[limit] = Status.STEP_LIMIT
            self._pass_stops(batch, cursor)

    def infused(self, targets: tuple[str, ...]) -> ReferenceSolver:
        """The solver of the same system with rates of infusion into `targets`."""
        return ReferenceSolver(infused(self.system, targets))

    def triggers(self, state: Floats, params: Floats, time: Floats) -> NDArray[np.int64]:
        """The reference solver knows no events: no trigger holds."""
        del state, params
        return np.zeros(time.size, dtype=np.int64)

    def _pass_stops(self, batch: Batch, cursor: NDArray[np.int64]) -> None:
        """Record and dose every patient that stands at its next stop."""
        stops = batch.stops
        while True:
            self._record(batch, (cursor < stops.start[1:]) & (batch.status == Status.OK))
            open_stop = np.flatnonzero((cursor < stops.start[1:]) & (batch.status == Status.OK))
            here = open_stop[stops.time[cursor[open_stop]] <= batch.time[open_stop]]
            if here.size == 0:
                return
            rows = cursor[here]
            records = stops.record[rows]
            batch.records[records[records >= 0]] = batch.state[here[records >= 0]][:, batch.columns]
            dosed = stops.target[rows] >= 0
            patients, targets = here[dosed], stops.target[rows][dosed]
            batch.state[patients, targets] += stops.amount[rows][dosed]
            batch.step[patients] = np.minimum(batch.step[patients], FIRST_STEP)
            batch.largest[here] = np.maximum(batch.largest[here], np.abs(batch.state[here]))
            cursor[here] += 1

    def _record(self, batch: Batch, busy: NDArray[np.bool_]) -> None:
        """Outputs that patients stand at."""
        ahead = _next_output(batch) <= batch.time
        while (here := np.flatnonzero(busy & ahead)).size:
            rows = here * batch.grid.size + batch.output[here]
            batch.records[rows] = batch.state[here][:, batch.columns]
            batch.output[here] += 1
            ahead = _next_output(batch) <= batch.time

    def _step(
        self, batch: Batch, busy: Any, cursor: NDArray[np.int64], settings: Settings, due: Floats
    ) -> None:
        stop = np.minimum(batch.stops.time[cursor[busy]], due[busy])
        left = stop - batch.time[busy]
        wished = batch.step[busy]
        hits = wished * 1.0001 >= left
        wished = np.minimum(wished, settings.longest_step)
        h = np.where(hits, left, np.where(2.0 * wished >= left, 0.5 * left, wished))
        state, params, time = batch.state[busy], batch.params[busy], batch.time[busy]
        hits |= time + h >= stop
        after = np.where(hits, stop, time + h)
        with np.errstate(all="ignore"):
            new, error, rounded, curve = self._stages(state, params, time, h)
            largest = np.maximum(batch.largest[busy], np.abs(new))
            near = (
                [self.system.beside.get(k, k) for k in range(new.shape[1])]
                if settings.is_fine
                else slice(None)
            )
            size = np.maximum(np.abs(new), np.abs(new[:, near]))
            weight = settings.tolerance * (size + settings.floor * largest + batch.smallest)
            if settings.is_fine:
                weight = weight + rounded
            last = h <= SHORTEST * np.maximum(np.abs(time), 1e-3)
            if settings.is_fine:  # what reaches 0 within the resolution of time is 0
                ends = last[:, None] & (np.abs(new) + np.abs(error) < INSTANT * batch.largest[busy])
                new = np.where(ends & (np.abs(error) > 0.1 * np.abs(new)), 0.0, new)
                error = np.where(ends, 0.0, error)
            unborn = (batch.largest[busy] == 0) & np.isfinite(new) & (h <= INSTANT * left)[:, None]
            norm = np.sqrt(
                0.0 * new.sum(axis=1) + np.mean(np.where(unborn, 0.0, error / weight) ** 2, axis=1)
            )
            least = settings.floor * batch.largest[busy] + batch.smallest
            between = curve.error(settings.between, least, rounded * settings.is_fine)
            inside = (_next_output(batch)[busy] < after) & (norm <= 1.0)
            between = np.where(inside, np.where(np.isfinite(between), between, np.inf), 0.0)
            refused = between > 1.0
            factor = np.clip(SAFETY * np.maximum(norm, between) ** (-1.0 / tableau.ORDER), SHRINK, GROW)
        finite = np.isfinite(norm)
        accepted = finite & (norm <= 1.0) & ~refused
        factor = np.where(finite, factor, SHRINK)
        self._between(batch, busy[accepted & inside], curve, (time, h, after), accepted & inside)
        ends = refused & (time + h * factor <= _next_output(batch)[busy])
        due[busy] = np.where(ends, _next_output(batch)[busy], np.where(accepted, np.inf, due[busy]))
        taken = busy[accepted]
        batch.steps[busy, np.where(accepted, 0, 1)] += 1
        batch.state[taken], batch.largest[taken] = new[accepted], largest[accepted]
        batch.time[taken] = after[accepted]
        new_step = np.where(accepted & (h < wished), np.maximum(wished, h * factor), h * factor)
        batch.step[busy] = np.where(ends, wished, new_step)
        stuck = ~accepted & ~refused & last
        batch.status[busy[stuck]] = np.where(finite[stuck], Status.STEP_TOO_SMALL, Status.NOT_FINITE)

    def _between(
        self, batch: Batch, who: Any, curve: _Curve, step: tuple[Floats, Floats, Floats], rows: Any
    ) -> None:
        """Record what lies inside the steps of patients `who`."""
        time, h, after = (values[rows] for values in step)
        while (inside := _next_output(batch)[who] < after).any():
            x = np.where(inside, (_next_output(batch)[who] - time) / h, 0.0)
            values = curve.take(rows).at(x)[:, batch.columns]
            at = who[inside] * batch.grid.size + batch.output[who[inside]]
            batch.records[at] = values[inside]
            batch.output[who[inside]] += 1

    def _stages(
        self, state: Floats, params: Floats, time: Floats, h: Floats
    ) -> tuple[Floats, Floats, Floats, _Curve]:
        """New states, their errors, what rounding does to them, and the interpolant."""
        system, (n, size) = self.system, state.shape
        jacobian = np.zeros((n, size, size))
        nodes = list(self.jacobian.values())
        middle = time + 0.5 * h
        leaves = Leaves(state, params, time, middle=middle)
        values = evaluate(system.graph, [*nodes, *self.time_slope], leaves)
        for (i, j), value in zip(self.jacobian, values[: len(nodes)], strict=True):
            jacobian[:, i, j] = np.where(np.isnan(value), 0.0, value)  # `program`: where a rate saturates
        by_time = np.stack([np.broadcast_to(v, n) for v in values[len(nodes) :]], axis=1)
        by_time = np.where(np.isnan(by_time), 0.0, by_time)
        slower = np.maximum(1 / (h * tableau.GAMMA)[:, None], 0.0) * np.ones(size)
        slower = np.maximum(slower, slower - jacobian.diagonal(axis1=1, axis2=2))
        rounded = np.zeros((n, size))
        gained = evaluate(system.graph, list(self.gains.values()), leaves)
        for i, value in zip(self.gains, gained, strict=True):
            rounded[:, i] = ROUNDING * value / slower[:, i]
        matrix = np.eye(size) / (h * tableau.GAMMA)[:, None, None] - jacobian
        broken = ~np.isfinite(matrix).all(axis=(1, 2))
        matrix[broken] = np.eye(size)
        inverse = np.linalg.inv(matrix)
        inverse[broken] = np.nan
        stages: list[Floats] = []
        for i in range(tableau.STAGES):
            at = state + sum((tableau.A[i, j] * stages[j] for j in range(i)), np.zeros_like(state))
            slope = self._rates(Leaves(at, params, time + tableau.ALPHA[i] * h, middle=middle))
            past = sum((tableau.C[i, j] * stages[j] for j in range(i)), np.zeros_like(state))
            right = slope + past / h[:, None] + tableau.GAMMA_SUMS[i] * h[:, None] * by_time
            stages.append((inverse @ right[:, :, None])[:, :, 0])
        new = at + stages[-1]

        def miss(x: float, inner: Floats, slope: Floats) -> Floats:
            rates = self._rates(Leaves(inner, params, time + x * h, middle=middle))
            return (inverse @ (rates - slope / h[:, None])[:, :, None])[:, :, 0]

        return new, stages[-1], rounded, _Curve.of(state, new, stages, miss, self._moving)

    @property
    def _moving(self) -> int:
        return max(sum(self.system.graph.constant(node) != 0.0 for node in self.rates), 1)

    def _rates(self, leaves: Leaves) -> Floats:
        values = evaluate(self.system.graph, self.rates, leaves)
        return np.stack([np.broadcast_to(value, len(leaves.time)) for value in values], axis=1)


@dataclass(frozen=True, eq=False)
class _Curve:
    """The interpolant of a step: states before and after, three coefficients, (n, states) each."""

    before: Floats
    after: Floats
    k: tuple[Floats, ...]
    miss: Callable[[float, Floats, Floats], Floats]
    moving: int

    @classmethod
    def of(
        cls,
        before: Floats,
        after: Floats,
        stages: list[Floats],
        miss: Callable[[float, Floats, Floats], Floats],
        moving: int,
    ) -> _Curve:
        zero = np.zeros_like(before)
        k = (sum((w * u for w, u in zip(row, stages, strict=True)), zero) for row in tableau.DENSE)
        return cls(before, after, tuple(k), miss, moving)

    def take(self, rows: Any) -> _Curve:
        k = tuple(values[rows] for values in self.k)
        return _Curve(self.before[rows], self.after[rows], k, self.miss, self.moving)

    def at(self, x: Floats) -> Floats:
        """States at fractions x (n,) of the step."""
        x = x[:, None]
        inner = self.k[0] + x * (self.k[1] + x * self.k[2])
        return np.asarray((1 - x) * self.before + x * (self.after + (1 - x) * inner))

    def error(self, tolerance: float, least: Floats, rounded: Floats) -> Floats:
        """As a norm, (n,); see `dense_llvm`."""
        values, misses = [], []
        for x in PLACES:
            inner = self.k[0] + x * (self.k[1] + x * self.k[2])
            outer = self.after + (1 - x) * inner
            value = (1 - x) * self.before + x * outer
            slope = outer + x * ((1 - x) * (self.k[1] + 2 * x * self.k[2]) - inner) - self.before
            values.append(np.abs(value))
            misses.append(np.abs(self.miss(x, value, slope)))
        weight = tolerance * (np.minimum(*values) + least) + rounded
        ratio = np.maximum(*misses) / weight
        return np.asarray(CURVE_SAFETY * np.sqrt(np.sum(ratio**2, axis=1) / self.moving))


def _next_output(batch: Batch) -> Floats:
    """The time of each patient's next output, infinite where there is none."""
    return np.append(batch.grid, np.inf)[np.minimum(batch.output, batch.grid.size)]
