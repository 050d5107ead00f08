"""Assays: plates and tables of raw numbers, read without guessing and turned into potencies."""

from __future__ import annotations

from glueprint.assays import degradation, elisa, layout, plate, polarization, quality, readers, wells

__all__ = ["degradation", "elisa", "layout", "plate", "polarization", "quality", "readers", "wells"]
