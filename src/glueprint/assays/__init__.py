"""Assays: plates and tables of raw numbers, read without guessing and turned into potencies."""

from __future__ import annotations

from glueprint.assays import degradation, plate, quality

__all__ = ["degradation", "plate", "quality"]
