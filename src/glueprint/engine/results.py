"""What a call gives back: how each patient fared, and its values over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glueprint import forks
from glueprint.engine.status import REASONS
from glueprint.frames import Framed, library

if TYPE_CHECKING:
    import polars as pl

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
class Trajectories(Framed, Outcome):
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

    def to_table(self) -> pl.DataFrame:
        """One row a patient and time: patient, time_h, and a column for each output."""
        forks.refuse()
        import polars as pl

        n, times, _ = self.values.shape
        index = {"patient": np.repeat(np.arange(n), times), "time_h": np.tile(self.time_h, n)}
        flat = self.values.reshape(n * times, -1)
        return pl.DataFrame(index | {name: flat[:, k] for k, name in enumerate(self.outputs)})

    def to_xarray(self) -> Any:
        """An array by patient, time and output. Raises EnvironmentProblemError GP-N090 without xarray."""
        coords = {
            "patient": np.arange(self.values.shape[0]),
            "time": self.time_h,
            "output": list(self.outputs),
        }
        return library("xarray").DataArray(self.values, coords, ("patient", "time", "output"))
