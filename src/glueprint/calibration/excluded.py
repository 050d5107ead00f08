"""Claims that were looked at and not used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Excluded:
    """A claim that was looked at and not used, with the reason."""

    claim_id: str
    reason: str
