"""Fits in machine code: many curves at once, one per lane of a vector. Kernel: arrays in, arrays out."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glueprint.curves.data import Data
from glueprint.curves.formula import PARAMETERS, Variant
from glueprint.curves.kernel_layout import STARTS, Context, Workspace
from glueprint.curves.kernel_llvm import module_text
from glueprint.curves.logistic import LN_ASYMMETRY, Flags, Floats, Rows
from glueprint.formulas.cache import default_cache
from glueprint.formulas.compiler import Machine, host, load, source_digest

__all__ = ["Minimum", "Task", "minimise", "rounding_of", "starts", "variant"]

ALIGNMENT = 64  # bytes of the widest vector
POINTER = ctypes.c_void_p
ENTRIES = {"fit": (POINTER, POINTER), "begin": (POINTER, POINTER)}


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
    """Where a batch ended: theta (n, p), cost (n,) the sum of squares, converged and at_bound (n, p)
    flags."""

    theta: Floats
    cost: Floats
    converged: Flags
    at_bound: Flags
    hessian: Floats

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
    return load(key, lambda: module_text(which, width), default_cache(), ENTRIES)


def starts(task: Task, *, width: int | None = None) -> Floats:
    """The starts of every curve, best first: (STARTS, n, 5).

    width: doubles per vector, by default what the processor holds.   Source: `kernel_starts_llvm`.
    """
    data, which = task.data, variant(task.pinned)
    theta = np.empty((STARTS, data.response.shape[0], PARAMETERS))
    theta[0] = np.nan_to_num(task.pinned)
    low, high = (np.nan_to_num(np.log10(dose)) for dose in (data.lowest_dose, data.highest_dose))
    _call(which, "begin", data, {"theta": theta, "low": low, "high": high}, width=width)
    return theta


def minimise(task: Task, start: Floats, rows: Rows, *, width: int | None = None) -> Minimum:
    """Fit curve rows[i] from start[i] (jobs, 5); fixed and held parameters stay as they are there.

    width: as in `starts`.   Source: `kernel_llvm`.
    """
    which = variant(task.pinned, level=task.level is not None, held=task.held)
    data, bounds = task.data, task.bounds
    jobs, free = start.shape[0], len(which.free)
    theta = np.array(start, order="C", dtype=float)
    rows = np.ascontiguousarray(rows)
    low, high = (np.ascontiguousarray(bound) for bound in bounds)
    cost, converged = np.empty(jobs), np.empty(jobs)
    triangle = np.empty((jobs, free * (free + 1) // 2))
    arrays = {
        "theta": theta, "low": low, "high": high, "rows": rows, "size": data.size, "cost": cost,
        "converged": converged, "hessian": triangle,
    }  # fmt: skip
    if task.level is not None:
        arrays["level"] = np.ascontiguousarray(task.level, dtype=float)
    _call(which, "fit", data, arrays, jobs=jobs, width=width)
    at_bound = np.zeros((jobs, PARAMETERS), dtype=bool)
    for i in which.free:
        at_bound[:, i] = (theta[:, i] <= low[rows, i]) | (theta[:, i] >= high[rows, i])
    return Minimum(theta, cost, converged > 0.0, at_bound, square(which, triangle))


def square(which: Variant, triangle: Floats) -> Floats:
    """The full matrices (jobs, 5, 5) of upper triangles, 0 where a parameter is fixed."""
    places = np.zeros((PARAMETERS, PARAMETERS), dtype=np.intp)
    pairs = [(i, j) for a, i in enumerate(which.free) for j in which.free[a:]]
    for k, (i, j) in enumerate(pairs):
        places[i, j] = places[j, i] = k + 1
    padded = np.pad(triangle, ((0, 0), (1, 0)))
    return np.asarray(np.take(padded, places, axis=1))


def _call(
    which: Variant,
    entry: str,
    data: Data,
    arrays: dict[str, NDArray[np.generic]],
    *,
    jobs: int = 0,
    width: int | None = None,
) -> None:
    """Run an entry of the machine code; all arrays must be in C order."""
    n, points = data.response.shape
    if not n or not points:
        return
    given: dict[str, NDArray[np.generic]] = {
        "dose": data.log10_dose,
        "response": data.response,
        "weight": data.weights,
    }
    fields: dict[str, int] = {}
    for name, array in given.items():
        if array.strides[1] != array.itemsize:
            array = given[name] = np.ascontiguousarray(array)
        fields |= {name: array.ctypes.data, f"{name}_step": array.strides[0] // array.itemsize}
    for name, array in arrays.items():
        assert array.flags.c_contiguous, name
        fields[name] = array.ctypes.data
    context = Context(jobs=jobs, next=0, curves=n, points=points, **fields)
    width = width or host().width
    numbers = (Workspace.of(which).data + 3 * points) * width
    memory = np.zeros(numbers + ALIGNMENT // 8)
    place = -(-memory.ctypes.data // ALIGNMENT) * ALIGNMENT
    _machine(which, width).functions[entry](ctypes.addressof(context), place)
