"""What a solver works on: patients' states, their stop times, and the settings, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "Settings", "Stops"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Achieved accuracy to the controller's relative tolerance; calibrated in benchmarks/engine.py,
# docs/engine.md.
TOLERANCE_PER_ACCURACY = 4.0


@dataclass(frozen=True)
class Settings:
    """How to integrate.

    accuracy: wished relative error of the results, e.g. 1e-5.   smallest: values below this, in the model's
    own units, need no relative accuracy.   step_limit: steps a patient may take between two calls.
    threads: 0 means one per processor.
    """

    accuracy: float = 1e-5
    smallest: float = 1e-9
    step_limit: int = 1_000_000
    threads: int = 0

    @property
    def tolerance(self) -> float:
        """Relative tolerance of the step controller."""
        return TOLERANCE_PER_ACCURACY * self.accuracy


@dataclass(frozen=True)
class Stops:
    """Times hit exactly, patient by patient: those of patient i are rows start[i] to start[i + 1], in order.

    time: (m,).   record: (m,) row of `records` to fill, or -1.   target: (m,) state that gets `amount`, or
    -1; a record is taken before a dose.
    """

    start: Integers
    time: Floats
    record: Integers
    target: Integers
    amount: Floats


@dataclass(eq=False)
class Batch:
    """The patients of one call; a solver changes the arrays in place.

    state, largest: (n, states), current values and their running maxima.   params: (n, parameters).
    time: (n,).   step: (n,) last step size, 0 where none.   status: (n,).   steps: (n, 2) accepted and
    rejected.
    records: (rows, states).   cursor: (n,) next stop.   horizon: (n,) time at which to stop for events.
    bits: (n,) which triggers hold, one bit each.
    """

    state: Floats
    largest: Floats
    params: Floats
    time: Floats
    step: Floats
    status: Integers
    stops: Stops
    records: Floats
    steps: Integers
    cursor: Integers
    horizon: Floats
    bits: Integers
