"""What the treatment does to a patient beside the disease: pneumonia, and intolerance that is no blood count.

Nothing is frozen at baseline: the engine integrates the hazards with the patient's own states, and an event
falls where a cumulative hazard passes the patient's exponential draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.span import Span
from glueprint.trials.conduct.visit import Visit
from glueprint.trials.patients import Fate, Intolerance, Tolerability

__all__ = ["Toxicity"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass
class Toxicity:
    """Toxicity of the n patients, (n,) each; days count from randomisation and inf is never.

    pneumonia_day: of the first one.   intolerance_hazard: cumulative hazard at which the next intolerance
    comes.   intolerances: so far.   intolerance_day: of the latest.   intolerance: what it still holds the
    drug for (`Intolerance`), until `intolerance_until`.
    """

    pneumonia_day: Floats
    intolerance_hazard: Floats
    intolerances: Integers
    intolerance_day: Floats
    intolerance: Integers
    intolerance_until: Floats

    @classmethod
    def begin(cls, fate: Fate) -> Toxicity:
        """Nobody has had any."""
        n = fate.pneumonia.size
        none = np.zeros(n, dtype=np.int64)
        return cls(
            pneumonia_day=np.full(n, np.inf),
            intolerance_hazard=fate.intolerance.hazards(np.arange(n), none),
            intolerances=none,
            intolerance_day=np.full(n, np.inf),
            intolerance=np.zeros(n, dtype=np.int64),
            intolerance_until=np.full(n, -np.inf),
        )

    def settle(self, span: Span, last: Floats, fate: Fate, treated: Bools) -> None:
        """Pneumonia and intolerance of a span, of those `treated`, (n,), before their `last` day, (n,)."""
        pneumonia = np.where(treated, span.event("hazard_pneumonia", fate.pneumonia), np.inf)
        self.pneumonia_day = np.where(
            pneumonia < last, np.minimum(self.pneumonia_day, pneumonia), self.pneumonia_day
        )
        day = np.where(treated, span.event("hazard_other_toxicity", self.intolerance_hazard), np.inf)
        new = np.flatnonzero(day < last)
        self.intolerance_day[new] = day[new]
        self.intolerances[new] += 1
        # The hazard has no memory: what builds up between the event and the visit that sees it is dropped.
        further = fate.intolerance.hazards(new, self.intolerances[new])
        self.intolerance_hazard[new] = span.after["hazard_other_toxicity"][new] + further

    def see_intolerance(
        self, visit: Visit, glue_day: Integers, fate: Fate, tolerability: Tolerability
    ) -> None:
        """Intolerance since the last visit holds the drug from now on; one whose time is over lets it go.

        glue_day: (n,) since when the patient takes the glue.
        """
        at, day = visit.patient, visit.day
        over = at[self.intolerance_until[at] <= day]
        self.intolerance[over] = Intolerance.NONE
        fresh = (self.intolerance_day[at] > visit.previous_day) & (self.intolerance_day[at] <= day)
        new, seen = at[fresh], day[fresh]
        self.intolerance_until[new] = seen + tolerability.hold_d
        self.intolerance[new] = fate.intolerance.outcomes(
            new, self.intolerances[new] - 1, seen - glue_day[new], tolerability
        )

    def pneumonia_holds(self, visit: Visit, hold_days: int) -> Bools:
        """(m,) whether pneumonia is new since the last visit, or not yet over."""
        began = self.pneumonia_day[visit.patient]
        fresh = (began > visit.previous_day) | (visit.day < began + hold_days)
        return np.asarray((began <= visit.day) & fresh)
