"""Assays: raw files of plates, blots and cells, read without guessing and turned into potencies."""

from __future__ import annotations

from types import ModuleType

from glueprint.errors import part_of

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
    "tidy_table",
    "twins",
    "wells",
]


def __getattr__(name: str) -> ModuleType:
    return part_of(__name__, name, __all__)
