"""Running and keeping: random streams, stored tables, provenance. Knows no science."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "answers",
    "audit",
    "cluster",
    "executor",
    "keys",
    "ledger",
    "lock",
    "processes",
    "progress",
    "provenance",
    "query",
    "records",
    "reduce",
    "signatures",
    "store",
    "streams",
    "units",
    "verify",
    "workspace",
]


def __getattr__(name: str) -> ModuleType:
    # A stream of random numbers needs no database: each is loaded when it is first asked for.
    if name in __all__:
        return importlib.import_module(f"glueprint.runs.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
