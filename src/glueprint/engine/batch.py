"""What a solver works on: patients' states, their stop times, and the settings, as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InputError

__all__ = ["Batch", "Settings", "Stops"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The step controller's relative tolerance per wished accuracy; docs/engine.md, "Accuracy".
TOLERANCE_PER_ACCURACY = 1.0
# Relative accuracy ends at this part of a state's largest value; only rounding asks for an end at all.
FLOOR = 1e-30
# Of `Settings.coarse`; calibrated in benchmarks/engine.py.
COARSE_TOLERANCE, COARSE_FLOOR, COARSE_SMALLEST = 4.0, 1e-3, 1e-9
NOTHING = 1e-300  # added to every weight, so that a state that is 0 has one


@dataclass(frozen=True)
class Settings:
    """How to integrate.

    accuracy: wished relative error of the results, e.g. 1e-5; what is promised: docs/engine.md, "Accuracy".
    smallest: values below this need no relative accuracy: one number in the units of the states (amounts), or
    by name, in the unit of the name.   floor: the same, as a part of the largest value that a state has had.
    tolerance_per_accuracy: of the step controller.   longest_step: in the model's unit of time.
    step_limit: steps a patient may take between two calls.   threads: 0 means one per processor.
    stop_at_outputs: whether a step ends at every output time; otherwise outputs are interpolated (`dense`).
    Raises InputError GP-N067 for a number that no run can keep to.
    """

    accuracy: float = 1e-5
    smallest: float | Mapping[str, float] = 0.0
    floor: float = FLOOR
    tolerance_per_accuracy: float = TOLERANCE_PER_ACCURACY
    longest_step: float = math.inf
    step_limit: int = 1_000_000
    threads: int = 0
    stop_at_outputs: bool = False

    def __post_init__(self) -> None:
        for name, value, fine, expected in (
            ("accuracy", self.accuracy, 0.0 < self.accuracy <= 1.0, "above 0, up to 1, such as 1e-5"),
            ("floor", self.floor, 0.0 <= self.floor < math.inf, "of 0 or more"),
            ("longest_step", self.longest_step, self.longest_step > 0.0, "above 0"),
            ("step_limit", self.step_limit, self.step_limit >= 1, "of 1 or more"),
            ("threads", self.threads, self.threads >= 0, "of 0 or more"),
        ):
            if not fine:
                raise InputError(
                    "GP-N067",
                    f"{name} {value}",
                    where="settings",
                    expected=f"a number {expected}",
                    next_step="correct it; docs/engine.md, Accuracy, says what is promised",
                )

    @classmethod
    def coarse(cls, accuracy: float, *, threads: int = 0, stop_at_outputs: bool = False) -> Settings:
        """For many patients of a known model: about twice as fast, calibrated on the benchmark's model.

        Values below a thousandth of a state's largest, or below 1e-9, have no relative accuracy, so nothing
        that falls deeper may rise again.
        """
        return cls(
            accuracy,
            smallest=COARSE_SMALLEST,
            floor=COARSE_FLOOR,
            tolerance_per_accuracy=COARSE_TOLERANCE,
            threads=threads,
            stop_at_outputs=stop_at_outputs,
        )

    @property
    def tolerance(self) -> float:
        """Relative tolerance of the step controller."""
        return self.tolerance_per_accuracy * self.accuracy

    @property
    def between(self) -> float:
        """Relative tolerance of outputs inside a step: what was asked, where that of a step is laxer."""
        return min(self.tolerance, self.accuracy)

    @property
    def is_fine(self) -> bool:
        """Whether values are followed so far down that rounding must be reckoned with."""
        return self.floor < COARSE_FLOOR


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
    records: (rows, k) of the states `columns`.   cursor: (n,) next stop.   horizon: (n,) time at which to
    stop for events.
    grid: (k,) rising times at which every patient is recorded without a stop, before what stops him there;
    record i k + j is patient i at grid[j].   output: (n,) next place in the grid.
    bits: (n,) which triggers hold, one bit each.   smallest: (states,) values that need no relative accuracy.
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
    smallest: Floats
    grid: Floats
    output: Integers
    columns: Integers
