"""The solver written plainly in numpy: every patient its own step, dense linear algebra, no compiler.

It runs where machine code cannot, and the compiled solver is tested against it.
"""

from __future__ import annotations

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
        taken = np.zeros(len(batch.time), dtype=np.int64)
        while True:
            busy = np.flatnonzero((cursor < batch.stops.start[1:]) & (batch.status == Status.OK))
            if busy.size == 0:
                return
            self._step(batch, busy, cursor, settings)
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
            open_stop = np.flatnonzero((cursor < stops.start[1:]) & (batch.status == Status.OK))
            here = open_stop[stops.time[cursor[open_stop]] <= batch.time[open_stop]]
            if here.size == 0:
                return
            rows = cursor[here]
            records = stops.record[rows]
            batch.records[records[records >= 0]] = batch.state[here[records >= 0]]
            dosed = stops.target[rows] >= 0
            patients, targets = here[dosed], stops.target[rows][dosed]
            batch.state[patients, targets] += stops.amount[rows][dosed]
            batch.step[patients] = np.minimum(batch.step[patients], FIRST_STEP)
            batch.largest[here] = np.maximum(batch.largest[here], np.abs(batch.state[here]))
            cursor[here] += 1

    def _step(self, batch: Batch, busy: Any, cursor: NDArray[np.int64], settings: Settings) -> None:
        left = batch.stops.time[cursor[busy]] - batch.time[busy]
        wished = batch.step[busy]
        hits = wished * 1.0001 >= left
        wished = np.minimum(wished, settings.longest_step)
        h = np.where(hits, left, np.where(2.0 * wished >= left, 0.5 * left, wished))
        state, params, time = batch.state[busy], batch.params[busy], batch.time[busy]
        hits |= time + h >= batch.stops.time[cursor[busy]]
        with np.errstate(all="ignore"):
            new, error, rounded = self._stages(state, params, time, h)
            largest = np.maximum(batch.largest[busy], np.abs(new))
            weight = settings.tolerance * (np.abs(new) + settings.floor * largest + batch.smallest)
            if settings.is_fine:
                weight = weight + rounded
            unborn = (batch.largest[busy] == 0) & np.isfinite(new) & (h <= INSTANT * left)[:, None]
            norm = np.sqrt(
                0.0 * new.sum(axis=1) + np.mean(np.where(unborn, 0.0, error / weight) ** 2, axis=1)
            )
            factor = np.clip(SAFETY * norm ** (-1.0 / tableau.ORDER), SHRINK, GROW)
        finite = np.isfinite(norm)
        accepted = finite & (norm <= 1.0)
        factor = np.where(finite, factor, SHRINK)
        taken = busy[accepted]
        batch.steps[busy, np.where(accepted, 0, 1)] += 1
        batch.state[taken], batch.largest[taken] = new[accepted], largest[accepted]
        batch.time[taken] = np.where(hits, batch.stops.time[cursor[busy]], time + h)[accepted]
        batch.step[busy] = np.where(accepted & (h < wished), np.maximum(wished, h * factor), h * factor)
        stuck = ~accepted & (h <= SHORTEST * np.maximum(np.abs(time), 1e-3))
        batch.status[busy[stuck]] = np.where(finite[stuck], Status.STEP_TOO_SMALL, Status.NOT_FINITE)

    def _stages(
        self, state: Floats, params: Floats, time: Floats, h: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """New states, their errors, and what rounding does to them."""
        system, (n, size) = self.system, state.shape
        jacobian = np.zeros((n, size, size))
        nodes = list(self.jacobian.values())
        middle = time + 0.5 * h
        leaves = Leaves(state, params, time, middle=middle)
        values = evaluate(system.graph, [*nodes, *self.time_slope], leaves)
        for (i, j), value in zip(self.jacobian, values[: len(nodes)], strict=True):
            jacobian[:, i, j] = value
        by_time = np.stack([np.broadcast_to(v, n) for v in values[len(nodes) :]], axis=1)
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
        return at + stages[-1], stages[-1], rounded

    def _rates(self, leaves: Leaves) -> Floats:
        values = evaluate(self.system.graph, self.rates, leaves)
        return np.stack([np.broadcast_to(value, len(leaves.time)) for value in values], axis=1)
