"""Two solvers of the same least-squares problems: machine code, and the numpy it is checked against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from glueprint.curves import kernel, levenberg
from glueprint.curves import starts as grid
from glueprint.curves.data import Data
from glueprint.curves.kernel_layout import STARTS
from glueprint.curves.levenberg import Flags, Minimum
from glueprint.curves.logistic import LOGARITHMS, Floats, Rows, residuals

__all__ = ["STARTS", "MachineSolver", "ReferenceSolver", "Solver", "Task"]


@dataclass(frozen=True)
class Task:
    """What is fitted: curves of `data`, within bounds low and high (n, 5).

    pinned: (5,) values of fixed parameters, NaN where free.   level: (n,) response at the dose that the third
    parameter then is, or None for the EC50.   held: parameters that stay at their start.
    """

    data: Data
    pinned: Floats
    bounds: tuple[Floats, Floats]
    level: Floats | None = None
    held: tuple[int, ...] = field(default=())

    @property
    def free(self) -> Flags:
        """Which parameters move (5,)."""
        free = np.isnan(self.pinned)
        free[list(self.held)] = False
        return free


class Solver(Protocol):
    """Starts, and minima from given starts."""

    def starts(self, task: Task) -> Floats:
        """The starts of every curve, best first: (STARTS, n, 5)."""

    def minimise(self, task: Task, start: Floats, rows: Rows) -> Minimum:
        """Fit curve rows[i] from start[i] (jobs, 5)."""


@dataclass(frozen=True)
class MachineSolver:
    """Machine code: `kernel`.   width: doubles per vector, by default what the processor holds."""

    width: int | None = None

    def starts(self, task: Task) -> Floats:
        """As in `Solver`."""
        return kernel.starts(kernel.variant(task.pinned), task.data, task.pinned, width=self.width)

    def minimise(self, task: Task, start: Floats, rows: Rows) -> Minimum:
        """As in `Solver`."""
        which = kernel.variant(task.pinned, level=task.level is not None, held=task.held)
        return kernel.minimise(
            which, task.data, start, task.bounds, rows=rows, level=task.level, width=self.width
        )


class ReferenceSolver:
    """numpy, written to be read: `starts` and `levenberg`."""

    def starts(self, task: Task) -> Floats:
        """As in `Solver`."""
        data = task.data
        fixed = np.tile(task.pinned, (data.response.shape[0], 1))
        return grid.starts(data.log10_dose, data.response, data.weights, fixed, STARTS)

    def minimise(self, task: Task, start: Floats, rows: Rows) -> Minimum:
        """As in `Solver`."""
        data, (low, high) = task.data, task.bounds
        evaluate = residuals(data.log10_dose, data.response, data.weights, task.level)
        held = ~task.free
        low, high = (np.where(held, start, bound[rows]) for bound in (low, high))
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return levenberg.minimise(
                lambda theta, jobs: evaluate(theta, rows[jobs]), start, task.free, (low, high),
                size=data.size[rows], logarithms=LOGARITHMS,
            )  # fmt: skip
