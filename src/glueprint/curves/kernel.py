"""Fits in machine code: many curves at once, one per lane of a vector. Kernel: arrays in, arrays out."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.curves.data import Data
from glueprint.curves.formula import PARAMETERS, Variant
from glueprint.curves.kernel_llvm import DAMPING_START, layouts, module_text, pairs
from glueprint.curves.kernel_starts_llvm import STARTS
from glueprint.curves.logistic import LN_ASYMMETRY, Flags, Floats, Rows
from glueprint.formulas.cache import default_cache
from glueprint.formulas.compiler import Machine, host, load, source_digest

__all__ = ["Minimum", "Task", "inverse", "minimise", "rounding_of", "starts", "variant"]

ALIGNMENT = 64  # bytes of the widest vector
POINTER, NUMBER = ctypes.c_void_p, ctypes.c_int64
# records, jobs, curve of each job, points of all curves, points a curve, a lane's memory, who does what
ARGUMENTS = (POINTER, NUMBER, POINTER, POINTER, NUMBER, POINTER, POINTER)


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
    held: tuple[int, ...] = ()

    @property
    def free(self) -> Flags:
        """Which parameters move (5,)."""
        free = np.isnan(self.pinned)
        free[list(self.held)] = False
        return free


@dataclass(frozen=True)
class Minimum:
    """Where a batch ended: theta (n, p), cost (n,) the sum of squares, converged (n,) and at_bound (n, p)."""

    theta: Floats
    cost: Floats
    converged: Flags
    at_bound: Flags

    def rows(self, which: Rows) -> Minimum:
        """Copies of some of the problems."""
        return Minimum(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def put(self, rows: Rows, other: Minimum) -> None:
        """Replace some of the problems, in place."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


def rounding_of(cost: Floats, size: Floats) -> Floats:
    """How far rounding alone moves the cost: residuals carry the rounding of the data they are taken from.

    Source: own derivation: d(r'r) = 2 r'dr with |dr| <= eps |y|, and the rounding of the sum itself.
    """
    return np.asarray(4.0 * np.finfo(float).eps * (cost + np.sqrt(cost * size)))


def variant(pinned: Floats, *, level: bool = False, held: tuple[int, ...] = ()) -> Variant:
    """The machine code for parameters pinned at `pinned` (5,), NaN where free, and others `held` for now."""
    free = tuple(i for i in range(PARAMETERS) if np.isnan(pinned[i]) and i not in held)
    return Variant(free, bool(pinned[LN_ASYMMETRY] == 0.0), level)


@functools.cache
def _machine(which: Variant, width: int) -> Machine:
    key = f"curves/{which}/{width}/{source_digest(Path(__file__).parent)}"
    return load(
        key, lambda: module_text(which, width), default_cache(), dict.fromkeys(layouts(which), ARGUMENTS)
    )


def starts(task: Task, *, width: int | None = None) -> Floats:
    """The starts of every curve, best first: (STARTS, n, 5).

    width: doubles per vector, by default what the processor holds.   Source: `kernel_starts_llvm`.
    """
    data, which = task.data, variant(task.pinned)
    low, high = (np.nan_to_num(np.log10(dose))[:, None] for dose in (data.lowest_dose, data.highest_dose))
    n = len(data.response)
    given = {"theta": np.nan_to_num(task.pinned), "low": low, "high": high, "start": 0.0}
    found = _call(which, "begin", data, np.arange(n), given, width=width)
    return found["start"].reshape(n, STARTS, PARAMETERS).transpose(1, 0, 2)


def minimise(task: Task, start: Floats, rows: Rows, *, width: int | None = None) -> Minimum:
    """Fit curve rows[i] from start[i] (jobs, 5); fixed and held parameters stay as they are there.

    width: as in `starts`.   Source: `kernel_llvm`.
    """
    which = variant(task.pinned, level=task.level is not None, held=task.held)
    free, (low, high) = np.array(which.free, dtype=int), (bound[rows] for bound in task.bounds)
    theta = start.astype(float)
    theta[:, free] = np.clip(theta[:, free], low[:, free], high[:, free])
    # Nothing is known yet: any cost is better, no slope moves the start, and its acceptance sets the damping.
    now = np.zeros(1 + free.size + len(list(pairs(free.size))))
    now[0] = np.inf
    given = {
        "theta": _with_level(task, theta, rows), "low": low, "high": high, "now": now,
        "size": task.data.size[rows, None], "damping": 10.0 * DAMPING_START, "steps": 0.0, "done": 0.0,
    }  # fmt: skip
    found = _call(which, "fit", task.data, rows, given, width=width)
    theta = found["theta"][:, :PARAMETERS].copy()
    at_bound = np.zeros(theta.shape, dtype=bool)
    at_bound[:, free] = ((theta <= low) | (theta >= high))[:, free]
    return Minimum(theta, found["now"][:, 0].copy(), found["done"][:, 0] > 0.0, at_bound)


def inverse(task: Task, theta: Floats, moving: Flags) -> Floats:
    """inv(J'J) (n, 5, 5) at theta (n, 5) of what moves (n, 5); NaN elsewhere and where unsound."""
    which, rows = variant(task.pinned, level=task.level is not None, held=task.held), np.arange(len(theta))
    free = list(which.free)
    given = {"theta": _with_level(task, theta, rows), "moving": moving[:, free], "inverse": 0.0}
    triangle = _call(which, "invert", task.data, rows, given)["inverse"]
    full = np.full((len(theta), PARAMETERS, PARAMETERS), np.nan)
    for k, (i, j) in enumerate(pairs(len(free))):
        full[:, free[i], free[j]] = full[:, free[j], free[i]] = triangle[:, k]
    return full


def _with_level(task: Task, theta: Floats, rows: Rows) -> Floats:
    """theta (jobs, 6), its last column the level."""
    level = np.zeros(len(theta)) if task.level is None else task.level[rows]
    return np.column_stack([theta, level])


def _call(
    which: Variant, entry: str, data: Data, rows: Rows, given: dict[str, Any], *, width: int | None = None
) -> dict[str, NDArray[np.float64]]:
    """Run an entry of the machine code on a record a job; its parts afterwards, (jobs, ...) each."""
    layout, points = layouts(which)[entry], data.response.shape[1]
    records = np.empty((rows.size, layout.length))
    parts = {name: records[:, layout.places[name]] for name, _ in layout.record}
    for name, value in given.items():
        parts[name][:] = value
    if not rows.size or not points:
        return parts
    width = width or host().width
    memory = np.zeros((layout.data + 3 * points) * width + ALIGNMENT // 8)
    book = np.full(1 + width, -1)
    book[0] = 0
    place = -(-memory.ctypes.data // ALIGNMENT) * ALIGNMENT
    every = np.ascontiguousarray(rows)
    addresses = (array.ctypes.data for array in (records, every, data.machine, book))
    of_records, of_rows, of_data, of_book = addresses
    run = _machine(which, width).functions[entry]
    run(of_records, rows.size, of_rows, of_data, points, place, of_book)
    return parts
