"""Assays: raw files of plates, blots and cells, read without guessing and turned into potencies."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "blot",
    "degradation",
    "elisa",
    "growth",
    "intake",
    "layout",
    "plate",
    "polarization",
    "quality",
    "readers",
    "twins",
    "wells",
]


def __getattr__(name: str) -> ModuleType:
    # One assay needs no image library and another no curve: each is loaded when it is first asked for.
    if name in __all__:
        return importlib.import_module(f"glueprint.assays.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
