"""Glueprint: cereblon molecular glues from the plate to the patient.

Rooms are imported when they are first used, so `import glueprint` stays quick.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from glueprint import forks as forks  # from the first room on, a fork is answered

__version__ = "0.1.0"

ROOMS = (
    "assays",
    "calibration",
    "chemistry",
    "curves",
    "engine",
    "errors",
    "evidence",
    "experiments",
    "inference",
    "mechanism",
    "references",
    "report",
    "runs",
    "study",
    "survival",
    "trials",
    "units",
)

__all__ = ["__version__"]


def __getattr__(name: str) -> ModuleType:
    if name in ROOMS:
        return importlib.import_module(f"glueprint.{name}")
    raise AttributeError(f"module 'glueprint' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *ROOMS])
