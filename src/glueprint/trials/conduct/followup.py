"""Who is followed until when: visits, death, loss, the data cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.span import Span
from glueprint.trials.patients import Fate, Outcome

__all__ = ["FollowUp"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass
class FollowUp:
    """Follow-up of the n patients, (n,) each; days count from randomisation and inf is never.

    day, previous_day, next_day: of visits.   cut_day: data cut.   active: still followed.
    end_day: last day of follow-up.   failure: reason why the patient could not be computed, or "".
    """

    day: Integers
    previous_day: Integers
    next_day: Integers
    cut_day: Integers
    active: Bools
    death_day: Floats
    dropout_day: Floats
    end_day: Floats
    failure: NDArray[np.object_]

    @classmethod
    def begin(cls, cut_day: Floats) -> FollowUp:
        """Everybody on day 0; cut_day: (n,) days to the data cut."""
        n, cut = cut_day.size, np.floor(cut_day)
        return cls(
            day=np.zeros(n, dtype=np.int64),
            previous_day=np.full(n, -1, dtype=np.int64),
            next_day=np.zeros(n, dtype=np.int64),
            cut_day=cut.astype(np.int64),
            active=np.ones(n, dtype=np.bool_),
            death_day=np.full(n, np.inf),
            dropout_day=np.full(n, np.inf),
            end_day=cut,
            failure=np.full(n, "", dtype=object),
        )

    @property
    def until(self) -> Integers:
        """(n,) day of the next visit of those who are followed, and the last one of the others."""
        return np.where(self.active, self.next_day, self.day)

    @property
    def done(self) -> float:
        """Share of all follow-up that is behind us, 0 to 1."""
        done = np.where(self.active, self.day, self.cut_day)
        return float(done.sum() / max(self.cut_day.sum(), 1))

    def fail(self, outcome: Outcome) -> None:
        """End the follow-up of patients who could not be computed, at their last visit."""
        failed = self.active & (outcome.status != 0)
        for patient in np.flatnonzero(failed):
            self.failure[patient] = outcome.reasons[int(patient)]
        self.end_day[failed] = self.day[failed]
        self.active = self.active & ~failed

    def settle(self, span: Span, fate: Fate) -> Floats:
        """Deaths and losses of a span; returns the day of either, (n,) or inf, after which nothing counts."""
        death = span.event("hazard_death", fate.death)
        dropout = span.event("hazard_dropout", fate.dropout)
        last = np.minimum(death, dropout)
        self.death_day = np.where(death <= dropout, np.minimum(self.death_day, death), self.death_day)
        self.dropout_day = np.where(dropout < death, np.minimum(self.dropout_day, dropout), self.dropout_day)
        over = span.live & np.isfinite(last)
        self.end_day[over] = last[over]
        self.active = self.active & ~over
        return last

    def move(self, until: Integers) -> None:
        """Come to the visits on the days `until`, (n,); whoever has reached the data cut is followed no
        more."""
        self.previous_day = np.where(self.active, self.day, self.previous_day)
        self.day = np.where(self.active, until, self.day)
        self.active = self.active & (self.day < self.cut_day)
