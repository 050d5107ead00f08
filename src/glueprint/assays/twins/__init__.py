"""Twins: each protocol of the guides as a simulator that writes raw files from a known truth."""

from __future__ import annotations

from glueprint.assays.twins.twin import PROTOCOLS, Protocol, Twin, simulate, write

__all__ = ["PROTOCOLS", "Protocol", "Twin", "simulate", "write"]
