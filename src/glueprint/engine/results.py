"""What a call gives back: how each patient fared, and its values over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.status import REASONS

__all__ = ["Outcome", "Trajectories"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a call ended for each patient.

    status: (n,) codes of `Status`, 0 is fine.   steps: (n, 2) accepted and rejected steps of this call.
    """

    status: NDArray[np.int64]
    steps: NDArray[np.int64]

    @property
    def ok(self) -> bool:
        """Whether every patient is fine."""
        return not self.status.any()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What happened and the remedy, one text per patient, empty where all is fine."""
        return tuple(REASONS[int(code)] for code in self.status)


@dataclass(frozen=True, eq=False)
class Trajectories(Outcome):
    """Values over time.

    time_h: (times,).   outputs: names.   values: (n, times, outputs), NaN after a patient has failed.
    doses_after_end: doses at or after the last output time, which changed nothing.
    """

    time_h: Floats
    outputs: tuple[str, ...]
    values: Floats
    doses_after_end: int = 0

    def __getitem__(self, name: str) -> Floats:
        """One output, (n, times)."""
        return self.values[:, :, self.outputs.index(name)]
