"""Memory shared by Python and the machine code of the fits: the arguments of a call and its workspace."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from glueprint.curves.formula import PARAMETERS, Variant

__all__ = ["FIELDS", "STARTS", "Context", "Workspace"]

STARTS = 8  # of the doses of the grid, the best
# Name and kind of each argument, in order; all are 8 bytes wide.
FIELDS: tuple[tuple[str, str], ...] = (
    ("jobs", "i64"),
    ("next", "i64"),
    ("curves", "i64"),
    ("points", "i64"),
    ("dose", "ptr"),
    ("dose_step", "i64"),
    ("response", "ptr"),
    ("response_step", "i64"),
    ("weight", "ptr"),
    ("weight_step", "i64"),
    ("rows", "ptr"),
    ("theta", "ptr"),
    ("low", "ptr"),
    ("high", "ptr"),
    ("size", "ptr"),
    ("level", "ptr"),
    ("cost", "ptr"),
    ("converged", "ptr"),
    ("hessian", "ptr"),
)
_C_TYPES: dict[str, Any] = {"i64": ctypes.c_int64, "ptr": ctypes.c_void_p}


class Context(ctypes.Structure):
    """The arguments of one call.

    jobs: fits to do; next: the first not yet begun.   curves, points: n, m.   dose (log10), response, weight:
    (n, m), each with the step from one row to the next in numbers, 0 where all curves share a row.
    rows: (jobs,) curve of each job.   theta: (jobs, 5), in and out.   low, high: (n, 5).   size, level: (n,).
    cost, converged: (jobs,) out.   hessian: (jobs, free (free + 1) / 2) out, the upper triangle of J'J.
    """

    _fields_ = tuple((name, _C_TYPES[kind]) for name, kind in FIELDS)


@dataclass(frozen=True)
class Workspace:
    """Where the parts of a workspace begin, in vectors; the points of the curves follow at `data`."""

    offsets: dict[str, int]
    data: int

    @classmethod
    def of(cls, variant: Variant) -> Workspace:
        """The workspace that a variant needs."""
        free = len(variant.free)
        sums = 1 + free + free * (free + 1) // 2
        parts = [
            ("theta", PARAMETERS + 1),
            ("trial", PARAMETERS + 1),
            ("low", PARAMETERS),
            ("high", PARAMETERS),
            ("now", sums),
            ("new", sums),
            *((name, 1) for name in ("damping", "size", "steps", "active", "done", "job")),
            ("cost_of_start", STARTS),
            ("start", STARTS * PARAMETERS),
        ]
        offsets, at = {}, 0
        for name, count in parts:
            offsets[name] = at
            at += count
        return cls(offsets, at)
