"""Visits that do not take place or take place late, and treatment that ends by the patient's decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.patients.chance import Stream
from glueprint.trials.protocol import MONTH_DAYS, Departures

__all__ = ["NEVER", "Leaving", "attended"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max


def attended(departures: Departures, day: Integers, patients: Integers, stream: Stream) -> Integers:
    """(n, v) days on which patients come: those of `day`, (n, v), late or NEVER by chance.

    patients: (n,) numbers. The first visit is on its day; a late one stays before the next.
    """
    share, late = departures.missed_visit_share, departures.late_by_days
    if late:
        uniform = stream.uniforms("late visits", patients, 2 * day.shape[1])
        delay = np.ceil(late * uniform[:, 1::2]).astype(np.int64)
        next_day = np.append(day[:, 1:], day[:, -1:] + late + 1, axis=1)
        moved = np.minimum(day + delay, next_day - 1)
        is_late = uniform[:, 0::2] < departures.late_visit_share
        is_late[:, 0] = False
        day = np.where(is_late, moved, day)
    if share > 0:
        missed = stream.uniforms("missed visits", patients, day.shape[1]) < share
        missed[:, 0] = False
        day = np.where(missed, NEVER, day)
    return day


@dataclass(frozen=True)
class Leaving:
    """From which day each patient, (n,), wants to end the first treatment, and from which another therapy is
    given before progression; inf is never."""

    stops_day: Floats
    next_therapy_day: Floats

    @classmethod
    def of(cls, departures: Departures, patients: Integers, stream: Stream) -> Leaving:
        """That of patients by their numbers, (n,).

        Source: exponential times of constant hazards.
        """

        def day(what: str, percent_per_year: float) -> Floats:
            if percent_per_year == 0.0:
                return np.full(patients.size, np.inf)
            months = -np.log(stream.uniforms(what, patients)[:, 0]) / departures.per_month(percent_per_year)
            return np.asarray(months * MONTH_DAYS)

        return cls(
            day("stops treatment", departures.stops_treatment_percent_per_year),
            day("next therapy", departures.next_therapy_percent_per_year),
        )
