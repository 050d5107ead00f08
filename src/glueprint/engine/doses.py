"""Amounts given to patients at exact times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError

__all__ = ["Doses"]


@dataclass(frozen=True, eq=False)
class Doses:
    """A table of doses: one row adds `amount` to species `target` of `patient` at `time_h`.

    patient: (m,) indices into the ensemble.   time_h: (m,) hours.   target: one name, or (m,) names.
    amount: (m,) in the model's unit of amount. Scalars are repeated.
    Raises InputError GP-N014 if lengths differ or a number is not finite.
    """

    patient: ArrayLike
    time_h: ArrayLike
    target: str | Sequence[str] | NDArray[np.str_]
    amount: ArrayLike

    def __post_init__(self) -> None:
        targets = np.asarray(self.target, dtype=np.str_)
        try:
            columns = np.broadcast_arrays(
                np.asarray(self.patient),
                np.asarray(self.time_h, dtype=np.float64),
                targets,
                np.asarray(self.amount, dtype=np.float64),
            )
        except ValueError as error:
            raise _unusable(f"the columns of the doses do not fit together: {error}") from error
        patient, time_h, target, amount = (np.atleast_1d(column) for column in columns)
        if patient.size and not np.issubdtype(patient.dtype, np.integer):
            raise _unusable(f"patients must be whole numbers, not {patient.dtype}")
        bad = ~(np.isfinite(time_h) & np.isfinite(amount))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise _unusable(f"row {row} has time {time_h[row]} h and amount {amount[row]}")
        for name, column in (
            ("patient", patient),
            ("time_h", time_h),
            ("target", target),
            ("amount", amount),
        ):
            object.__setattr__(self, name, column)

    @classmethod
    def none(cls) -> Doses:
        """No doses at all."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.str_), np.zeros(0))

    @classmethod
    def every_patient(cls, patients: int, times_h: ArrayLike, target: str, amount: ArrayLike) -> Doses:
        """The same schedule for all patients.

        patients: their number n.   times_h: (k,) hours.   amount: scalar, or (n,) one amount per patient.
        """
        times = np.atleast_1d(np.asarray(times_h, dtype=np.float64))
        who = np.repeat(np.arange(patients), times.size)
        amounts = np.broadcast_to(np.asarray(amount, dtype=np.float64), (patients,))
        return cls(who, np.tile(times, patients), target, np.repeat(amounts, times.size))

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.str_], NDArray[np.float64]]:
        """Patient, time_h, target and amount as arrays of one length."""
        patient: Any = self.patient
        return (
            np.asarray(patient, dtype=np.int64),
            np.asarray(self.time_h),
            np.asarray(self.target),
            np.asarray(self.amount),
        )

    def __len__(self) -> int:
        return int(np.size(self.time_h))


def _unusable(message: str) -> InputError:
    return InputError(
        "GP-N014",
        message,
        where="doses",
        expected="columns patient, time_h, target and amount of one length, all finite",
        next_step="correct the table of doses",
    )
