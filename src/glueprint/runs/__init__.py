"""Running and keeping: random streams, stored tables, provenance. Knows no science."""

from __future__ import annotations

from types import ModuleType

from glueprint.errors import part_of

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
    "workbooks",
    "workspace",
]


def __getattr__(name: str) -> ModuleType:
    return part_of(__name__, name, __all__)
