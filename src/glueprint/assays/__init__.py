"""Assays: plates and tables of raw numbers, read without guessing and turned into potencies."""

from __future__ import annotations

from glueprint.assays import degradation, layout, plate, quality, readers, wells

__all__ = ["degradation", "layout", "plate", "quality", "readers", "wells"]
