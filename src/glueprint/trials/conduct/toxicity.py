"""What the treatment does to a patient beside the disease: clinical events, and intolerance that is none of
them and no blood count.

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
from glueprint.trials.protocol import OTHER_TOXICITY, clinical_events

__all__ = ["Toxicity"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass
class Toxicity:
    """Toxicity of the n patients, (n,) each; days count from randomisation and inf is never.

    first_day: of each clinical adverse event, by its name.   intolerance_hazard: cumulative hazard at which
    the next intolerance comes.   intolerances: so far.   intolerance_day: of the latest.   intolerance: what
    it still holds the drug for (`Intolerance`), until `intolerance_until`.
    """

    first_day: dict[str, Floats]
    intolerance_hazard: Floats
    intolerances: Integers
    intolerance_day: Floats
    intolerance: Integers
    intolerance_until: Floats

    @classmethod
    def begin(cls, fate: Fate) -> Toxicity:
        """Nobody has had any."""
        n = fate.death.size
        none = np.zeros(n, dtype=np.int64)
        return cls(
            first_day={name: np.full(n, np.inf) for name in fate.events},
            intolerance_hazard=fate.intolerance.hazards(np.arange(n), none),
            intolerances=none,
            intolerance_day=np.full(n, np.inf),
            intolerance=np.zeros(n, dtype=np.int64),
            intolerance_until=np.full(n, -np.inf),
        )

    def settle(self, span: Span, last: Floats, fate: Fate, treated: Bools) -> None:
        """Events and intolerance of a span, of those `treated`, (n,), before their `last` day, (n,)."""
        for event, rule in clinical_events():
            known = self.first_day[event.name]
            day = np.where(treated, span.event(rule.hazard, fate.events[event.name]), np.inf)
            self.first_day[event.name] = np.where(day < last, np.minimum(known, day), known)
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
        borne = tolerability.take(new)
        self.intolerance_until[new] = seen + borne.hold_d
        self.intolerance[new] = fate.intolerance.outcomes(
            new, self.intolerances[new] - 1, seen - glue_day[new], borne
        )

    def holds(self, visit: Visit, hold_days: int) -> Bools:
        """(m,) whether an event that holds the drug is new since the last visit, or not yet over."""
        ongoing = np.zeros(visit.patient.size, dtype=np.bool_)
        for event, _ in clinical_events():
            if event.dosing == OTHER_TOXICITY:
                began = self.first_day[event.name][visit.patient]
                fresh = (began > visit.previous_day) | (visit.day < began + hold_days)
                ongoing |= (began <= visit.day) & fresh
        return ongoing
