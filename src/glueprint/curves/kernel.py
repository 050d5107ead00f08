"""Fits in machine code: many curves at once, one per lane of a vector. Kernel: arrays in, arrays out."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.curves.descent import Descent
from glueprint.curves.formula import PARAMETERS, Variant
from glueprint.curves.kernel_llvm import DAMPING_START, layouts, module_text, pairs
from glueprint.curves.kernel_starts_llvm import STARTS
from glueprint.curves.logistic import LN_ASYMMETRY, Flags, Floats, Rows
from glueprint.curves.problem import Problem
from glueprint.formulas.cache import default_cache
from glueprint.formulas.compiler import Machine, host, load, source_digest

__all__ = ["inverse", "minimise", "starts", "variant"]

ALIGNMENT = 64  # bytes of the widest vector
POINTER, NUMBER = ctypes.c_void_p, ctypes.c_int64
# records, jobs, curve of each job, points of all curves, points a curve, a lane's memory, who does what
ARGUMENTS = (POINTER, NUMBER, POINTER, POINTER, NUMBER, POINTER, POINTER)


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


def starts(problem: Problem, *, width: int | None = None) -> Floats:
    """The starts of every curve, best first: (STARTS, n, 5).

    width: doubles per vector, by default what the processor holds.   Source: `kernel_starts_llvm`.
    """
    n = len(problem.response)
    low, high = (np.nan_to_num(np.log10(dose))[:, None] for dose in problem.tested)
    given = {"theta": np.nan_to_num(problem.pinned), "low": low, "high": high}
    found = _call(variant(problem.pins), "begin", problem, np.arange(n), given, width=width)
    return found["start"].reshape(n, STARTS, PARAMETERS).transpose(1, 0, 2)


def minimise(
    problem: Problem, start: Floats, rows: Rows, *, held: tuple[int, ...] = (), width: int | None = None
) -> Descent:
    """Fit curve rows[i] from start[i] (jobs, 5); fixed and `held` parameters stay as they are there.

    width: as in `starts`.   Source: `kernel_llvm`.
    """
    which = variant(problem.pins, level=problem.level is not None, held=held)
    free, (low, high) = np.array(which.free), (bound[rows] for bound in problem.limits())
    moving = np.isin(np.arange(PARAMETERS), free)
    theta = np.where(moving, np.clip(start, low, high), start)
    # Nothing is known yet: any cost is better, no slope moves the start, and its acceptance sets the damping.
    given = {
        "theta": theta, "level": _level(problem, rows), "low": low, "high": high, "now": np.inf,
        "size": problem.size[rows, None], "damping": 10.0 * DAMPING_START,
    }  # fmt: skip
    found = _call(which, "fit", problem, rows, given, width=width)
    theta = found["theta"]
    at_bound = ((theta <= low) | (theta >= high)) & moving
    return Descent(theta, found["now"][:, 0], found["done"][:, 0] > 0.0, at_bound)


def inverse(problem: Problem, theta: Floats, at_bound: Flags) -> Floats:
    """As `Problem.inverse`."""
    which = variant(problem.pins, level=problem.level is not None)
    free, rows = list(which.free), np.arange(len(theta))
    given = {"theta": theta, "level": _level(problem, rows), "moving": ~at_bound[:, free]}
    triangle = _call(which, "invert", problem, rows, given)["inverse"]
    full = np.full((len(theta), PARAMETERS, PARAMETERS), np.nan)
    for k, (i, j) in enumerate(pairs(len(free))):
        full[:, free[i], free[j]] = full[:, free[j], free[i]] = triangle[:, k]
    return full


def _level(problem: Problem, rows: Rows) -> Floats | float:
    """The response at the dose that is fitted (jobs, 1), where it is not the EC50."""
    return 0.0 if problem.level is None else problem.level[rows, None]


def _call(
    which: Variant,
    entry: str,
    problem: Problem,
    rows: Rows,
    given: dict[str, Any],
    *,
    width: int | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Run an entry of the machine code on a record a job; its parts afterwards, (jobs, ...) each."""
    layout, points = layouts(which)[entry], problem.response.shape[1]
    records = np.zeros((rows.size, layout.length))
    parts = {name: records[:, layout.places[name]] for name, _ in layout.record}
    for name, value in given.items():
        parts[name][:] = value
    if not rows.size or not points:
        return parts
    width = width or host().width
    memory = np.zeros((layout.data + 3 * points) * width + ALIGNMENT // 8)
    place = -(-memory.ctypes.data // ALIGNMENT) * ALIGNMENT
    # The next job, then the job of each lane, none yet.
    book = np.array([0] + [-1] * width)
    every = np.ascontiguousarray(rows)
    of_records, of_rows, of_data, of_book = (
        part.ctypes.data for part in (records, every, problem.side_by_side, book)
    )
    run = _machine(which, width).functions[entry]
    run(of_records, rows.size, of_rows, of_data, points, place, of_book)
    return parts
