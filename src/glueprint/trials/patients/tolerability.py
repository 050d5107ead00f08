"""Intolerance that is not a blood count (fatigue, rash, fever, the patient's wish), and missed doses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.patients.chance import Stream

__all__ = ["EventDraws", "Intolerance", "Tolerability", "missed_doses"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

PURPOSE = "intolerance"
# Two uniform numbers for each event of a patient: when it comes, and what follows it.
NUMBERS_PER_EVENT = 2
EVENTS_DRAWN = 6  # at once for everybody; more are drawn for those who have more
PATIENTS_AT_ONCE = 1000  # the numbers behind the days take 500 times the memory of the days


class Intolerance(IntEnum):
    """What follows intolerance that is not a blood count, once its hold is over."""

    NONE = 0
    SAME_DOSE = 1
    LOWER_DOSE = 2
    STOP = 3


@dataclass(frozen=True)
class Tolerability:
    """How patients bear the glue: days of a hold, shares of the holds that resume lower or end the treatment,
    share of doses that are missed. Its hazard is the mechanism's.

    The share that resumes lower is that of the first day and falls by e in `early_d` days, since reductions
    come mostly in the first cycles (SAF190): whoever has borne a dose for long is not held for the dose.
    Each is one number for all patients, or (n,), one for each.
    """

    hold_d: float | Floats
    reduced_share: float | Floats
    early_d: float | Floats
    stopped_share: float | Floats
    missed_dose_share: float | Floats

    @classmethod
    def of(cls, typical: Mapping[str, float]) -> Tolerability:
        """Out of the parameters of the trial model."""
        return cls(
            hold_d=typical["other_toxicity_hold_d"],
            reduced_share=typical["other_toxicity_reduced_share"],
            early_d=typical["early_d"],
            stopped_share=typical["other_toxicity_stopped_share"],
            missed_dose_share=typical["missed_dose_share"],
        )

    @classmethod
    def joined(cls, parts: Sequence[Tolerability], patients: Sequence[int]) -> Tolerability:
        """That of several replicates, with so many patients each."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.repeat(column, patients) for column in zip(*map(astuple, parts), strict=True)))

    def take(self, who: Integers) -> Tolerability:
        """That of the patients `who`, (m,)."""
        return Tolerability(*(one[who] if isinstance(one, np.ndarray) else one for one in astuple(self)))


@dataclass(frozen=True)
class EventDraws:
    """What chance holds for each patient's intolerance, event by event, counted from 0.

    number: (n,) of the patients.   drawn: (n, k) uniform numbers of the first events.
    """

    stream: Stream
    number: Integers
    drawn: Floats

    @classmethod
    def of(cls, stream: Stream, number: Integers) -> EventDraws:
        """For patients of these numbers, (n,)."""
        return cls(stream, number, stream.uniforms(PURPOSE, number, NUMBERS_PER_EVENT * EVENTS_DRAWN))

    def hazards(self, who: Integers, events: Integers) -> Floats:
        """(m,) hazard, exponential with mean 1, that builds up before event number `events` (m,) of the
        patients `who` (m,)."""
        return np.asarray(-np.log(self._numbers(who, NUMBERS_PER_EVENT * events)))

    def outcomes(
        self, who: Integers, events: Integers, days_on_glue: Integers, tolerability: Tolerability
    ) -> Integers:
        """(m,) `Intolerance` code of event number `events` (m,) of the patients `who` (m,), who have been on
        the glue for `days_on_glue` (m,).   tolerability: theirs."""
        uniform = self._numbers(who, NUMBERS_PER_EVENT * events + 1)
        reduced = tolerability.reduced_share * np.exp(-days_on_glue / tolerability.early_d)
        lower = uniform < tolerability.stopped_share + reduced
        code = np.where(lower, Intolerance.LOWER_DOSE, Intolerance.SAME_DOSE)
        return np.asarray(np.where(uniform < tolerability.stopped_share, Intolerance.STOP, code))

    def _numbers(self, who: Integers, column: Integers) -> Floats:
        if int(column.max(initial=0)) < self.drawn.shape[1]:
            return np.asarray(self.drawn[who, column])
        longer = self.stream.uniforms(PURPOSE, self.number[who], int(column.max()) + 1)
        return np.asarray(longer[np.arange(who.size), column])


def missed_doses(tolerability: Tolerability, stream: Stream, patients: Integers, days: int) -> Bools:
    """(n, days) days from randomisation on which a patient forgets all drugs; (n, 0) where nobody does.

    A day belongs to the patient, whatever is due on it, so that arms and rules can be compared on the same
    days.
    """
    share = np.broadcast_to(tolerability.missed_dose_share, patients.shape)[:, None]
    missed = np.zeros((patients.size, days if (share > 0.0).any() else 0), dtype=np.bool_)
    if missed.size:
        for first in range(0, patients.size, PATIENTS_AT_ONCE):
            some = slice(first, first + PATIENTS_AT_ONCE)
            uniform = stream.uniforms("missed doses", patients[some], days)
            missed[some] = uniform < share[some]
    return missed
