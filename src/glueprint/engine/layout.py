"""Memory shared by Python and the machine code: the call's arguments and a thread's workspace."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from glueprint.engine import tableau
from glueprint.engine.elimination_llvm import factor_places
from glueprint.engine.program import Program

__all__ = ["CONTEXT_FIELDS", "Context", "Workspace"]

# Name and LLVM type of each argument, in order; all are 8 bytes wide.
CONTEXT_FIELDS: tuple[tuple[str, str], ...] = (
    ("patients", "i64"),
    ("next", "ptr"),
    ("state", "ptr"),
    ("largest", "ptr"),
    ("params", "ptr"),
    ("time", "ptr"),
    ("step", "ptr"),
    ("status", "ptr"),
    ("stop_start", "ptr"),
    ("stop_time", "ptr"),
    ("stop_record", "ptr"),
    ("stop_target", "ptr"),
    ("stop_amount", "ptr"),
    ("records", "ptr"),
    ("steps", "ptr"),
    ("cursor", "ptr"),
    ("horizon", "ptr"),
    ("bits", "ptr"),
    ("step_limit", "i64"),
    ("tolerance", "double"),
    ("floor", "double"),
    ("longest", "double"),
    ("smallest", "ptr"),
    ("grid", "ptr"),
    ("outputs", "i64"),
    ("output", "ptr"),
    ("columns", "ptr"),
    ("recorded", "i64"),
    ("between", "double"),
)
_C_TYPES: dict[str, Any] = {"i64": ctypes.c_int64, "ptr": ctypes.c_void_p, "double": ctypes.c_double}


class Context(ctypes.Structure):
    """The arguments of one call of the machine code."""

    _fields_ = tuple((name, _C_TYPES[kind]) for name, kind in CONTEXT_FIELDS)


LANE_VARIABLES = (
    "t",
    "h",
    "tstop",
    "patient",
    "cursor",
    "stop_end",
    "active",
    "accepted",
    "rejected",
    "horizon",
    "bits",
    "trial",
    "nudge",
    "suspect",
    "tout",
    "output",
)


@dataclass(frozen=True)
class Workspace:
    """Offsets, in vectors, of the parts of a thread's workspace."""

    offsets: dict[str, int]
    vectors: int

    @classmethod
    def of(cls, program: Program) -> Workspace:
        """The workspace that a program needs."""
        size = program.states
        parts = [
            ("y", size),
            ("largest", size),
            ("z", size),
            ("s", size),
            ("d", size),
            ("e", size),
            ("d2", size),
            ("e2", size),
            ("k", 4 * size),  # of the interpolant: the state before, and three coefficients
            ("r", size if program.gains else 0),
            ("u", tableau.STAGES * size),
            ("l", len(factor_places(program))),
            ("p", program.params),
            ("q", len(program.hoisted)),
            *((name, 1) for name in LANE_VARIABLES),
        ]
        offsets, at = {}, 0
        for name, count in parts:
            offsets[name] = at
            at += count
        return cls(offsets, at)
