"""What an ensemble asks of a solver."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.batch import Batch, Settings
from glueprint.engine.system import System

__all__ = ["Solver"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Solver(Protocol):
    """Takes every patient of a batch through its stops; results do not depend on the neighbours."""

    def run(self, batch: Batch, settings: Settings) -> None:
        """Integrate, changing the arrays of `batch` in place."""

    @property
    def system(self) -> System:
        """What it integrates."""

    def infused(self, targets: tuple[str, ...]) -> Solver:
        """The solver of the same system with rates of infusion into `targets`."""

    def triggers(self, state: Floats, params: Floats, time: Floats) -> Integers:
        """Which triggers hold, one bit each, (n,); for rows of (n, states), (n, parameters), (n,)."""
