"""What an ensemble asks of a solver."""

from __future__ import annotations

from typing import Protocol

from glueprint.engine.batch import Batch, Settings

__all__ = ["Solver"]


class Solver(Protocol):
    """Takes every patient of a batch through its stops; results do not depend on the neighbours."""

    def run(self, batch: Batch, settings: Settings) -> None:
        """Integrate, changing the arrays of `batch` in place."""
