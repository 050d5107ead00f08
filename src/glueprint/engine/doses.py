"""Amounts given to patients at exact times: at once or as infusions, repeated, and from a steady state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError

__all__ = ["MOST_DOSES", "Doses"]

MOST_DOSES = 50_000_000  # of a table; more is a slip

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# What a column is read as; all others are numbers.
AS_GIVEN: dict[str, Any] = {"patient": None, "target": np.str_, "steady": None}


@dataclass(frozen=True, eq=False)
class Doses:
    """A table of doses: one row adds `amount` to species `target` of `patient` at `time_h`.

    patient: (m,) indices into the ensemble.   time_h: (m,) hours at which a dose enters.   target: one name,
    or (m,) names.   amount: (m,) in the model's unit of amount.   duration_h: (m,) hours over which it enters
    evenly, 0 at once.   steady: (m,) 1 where the patient is first brought to the steady state of this dose
    every `interval_h`, 2 where that steady state is added to what is there, 0 elsewhere.   given_h: (m,)
    hours at which a dose is given and a steady state holds; before `time_h` by a lag.
    Scalars are repeated. `regimen` makes a table from what a label says: rates, lags, repeated doses.
    Raises InputError GP-N014 (lengths differ, a number is not finite), GP-N050 (a negative duration, an
    infusion of a negative amount, a steady state without interval).
    """

    patient: ArrayLike
    time_h: ArrayLike
    target: str | Sequence[str] | NDArray[np.str_]
    amount: ArrayLike
    duration_h: ArrayLike = 0.0
    steady: ArrayLike = 0
    interval_h: ArrayLike = 0.0
    given_h: ArrayLike | None = None

    def __post_init__(self) -> None:
        if self.given_h is None:
            object.__setattr__(self, "given_h", self.time_h)
        given = [np.asarray(getattr(self, name), dtype=AS_GIVEN.get(name, np.float64)) for name in COLUMNS]
        try:
            shape = np.broadcast(*given).shape or (1,)
        except ValueError as error:
            raise _unusable(f"the columns of the doses do not fit together: {error}") from error
        for name, column in zip(COLUMNS, given, strict=True):
            whole = column if column.shape == shape else np.broadcast_to(column, shape)
            object.__setattr__(self, name, whole)
        self._check()

    @classmethod
    def _checked(cls, columns: Iterable[NDArray[Any]]) -> Doses:
        """A table whose columns, (m,) each in the order of `COLUMNS`, were checked in other tables."""
        table = object.__new__(cls)
        for name, column in zip(COLUMNS, columns, strict=True):
            object.__setattr__(table, name, column)
        return table

    def _check(self) -> None:
        given: Any = self
        if given.patient.size and not np.issubdtype(given.patient.dtype, np.integer):
            raise _unusable(f"patients must be whole numbers, not {given.patient.dtype}")
        bad = ~(np.isfinite(given.time_h) & np.isfinite(given.amount))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise _unusable(f"row {row} has time {given.time_h[row]} h and amount {given.amount[row]}")
        duration, interval, lag = given.duration_h, given.interval_h, given.time_h - given.given_h
        if not (duration.any() or given.steady.any() or lag.any()):
            return
        for wrong, words in (
            (~((duration >= 0) & np.isfinite(duration)), "a duration that is no number of hours from 0 on"),
            ((duration > 0) & (given.amount < 0), "an infusion of a negative amount"),
            (~np.isin(given.steady, (0, 1, 2)), "a steady state that is none of 0, 1 and 2"),
            ((given.steady != 0) & ~((interval > 0) & np.isfinite(interval)), "a steady state, no interval"),
            ((given.steady != 0) & (given.amount < 0), "a steady state of a negative amount"),
            (~(lag >= 0), "a lag that is negative or no number"),
            ((given.steady != 0) & ~(lag < interval), "a lag as long as the interval of its steady state"),
        ):
            if wrong.any():
                raise _odd(f"row {int(np.flatnonzero(wrong)[0])} of the doses has {words}")

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

    @classmethod
    def regimen(
        cls,
        patient: ArrayLike,
        time_h: ArrayLike,
        target: str | Sequence[str] | NDArray[np.str_],
        amount: ArrayLike,
        *,
        rate: ArrayLike = 0.0,
        duration_h: ArrayLike = 0.0,
        lag_h: ArrayLike = 0.0,
        bioavailability: ArrayLike = 1.0,
        additional: ArrayLike = 0,
        interval_h: ArrayLike = 0.0,
        steady: ArrayLike = 0,
    ) -> Doses:
        """Doses as a label or a data set states them; one row stands for `additional` + 1 doses.

        patient, time_h, target, amount: (m,) as of `Doses`, the amounts as given.   rate: (m,) amount per
        hour of an infusion, whose duration follows the amount that is bioavailable.   duration_h: (m,) hours
        of an infusion, whose rate does; one of the two, 0 for what is given at once.   lag_h: (m,) hours
        until a dose begins to enter.   bioavailability: (m,) share that enters.   additional: (m,) further
        doses, one every `interval_h`.   steady: (m,) as of `Doses`, for the first of them.
        Raises InputError as `Doses`, GP-N050 also where these numbers contradict each other.
        """
        names = (patient, target, steady)
        numbers = (time_h, amount, rate, duration_h, lag_h, bioavailability, additional, interval_h)
        try:
            columns = np.broadcast_arrays(
                *(np.asarray(one) for one in names), *(np.asarray(one, dtype=np.float64) for one in numbers)
            )
        except ValueError as error:
            raise _unusable(f"the columns of the doses do not fit together: {error}") from error
        who, into, is_steady, given, amounts, rates, over, lag, share, more, every = map(
            np.atleast_1d, columns
        )
        _check_regimen(given=given, rate=rates, duration=over, lag=lag, share=share, more=more, every=every)
        enters = amounts * share
        with np.errstate(all="ignore"):
            over = np.where(rates > 0, enters / rates, over)
        counts = more.astype(np.int64) + 1
        row = np.repeat(np.arange(who.size), counts)
        number = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
        when = given[row] + number * every[row]
        return cls(
            who[row],
            when + lag[row],
            into[row],
            enters[row],
            np.where(enters != 0, over, 0.0)[row],
            np.where(number == 0, is_steady[row], 0),
            every[row],
            when,
        )

    @classmethod
    def together(cls, *tables: Doses) -> Doses:
        """Several tables as one."""
        parts = [table for table in tables if len(table)]
        if len(parts) < 2:
            return parts[0] if parts else cls.none()
        return cls._checked(np.concatenate([getattr(one, name) for one in parts]) for name in COLUMNS)

    def take(self, rows: Integers | NDArray[np.bool_]) -> Doses:
        """Some of the rows."""
        return self._checked(getattr(self, name)[rows] for name in COLUMNS)

    def columns(self) -> tuple[Integers, Floats, NDArray[np.str_], Floats]:
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


COLUMNS = tuple(field.name for field in fields(Doses))


def _check_regimen(
    *, given: Floats, rate: Floats, duration: Floats, lag: Floats, share: Floats, more: Floats, every: Floats
) -> None:
    if (more + 1.0).sum() > MOST_DOSES:
        raise _odd(f"{(more + 1.0).sum():.3g} doses, more than the {MOST_DOSES} that a table may hold")
    for wrong, words in (
        (~np.isfinite(given), "no time"),
        (~((rate >= 0) & np.isfinite(rate)), "a rate that is no number from 0 on"),
        ((rate > 0) & (duration > 0), "both a rate and a duration"),
        (~((lag >= 0) & np.isfinite(lag)), "a lag that is no number of hours from 0 on"),
        (~((share >= 0) & np.isfinite(share)), "a bioavailability that is no number from 0 on"),
        (~((more >= 0) & (more == np.floor(more))), "additional doses that are no whole number from 0 on"),
        ((more > 0) & ~((every > 0) & np.isfinite(every)), "additional doses, but no interval above 0"),
    ):
        if wrong.any():
            raise _odd(f"row {int(np.flatnonzero(wrong)[0])} of the doses has {words}")


def _unusable(message: str) -> InputError:
    return InputError(
        "GP-N014",
        message,
        where="doses",
        expected="columns patient, time_h, target and amount of one length, all finite",
        next_step="correct the table of doses",
    )


def _odd(message: str) -> InputError:
    return InputError(
        "GP-N050",
        message,
        where="doses",
        expected="numbers of hours, rates, shares and counts that fit together (docs/dosing.md)",
        next_step="correct the table of doses",
    )
