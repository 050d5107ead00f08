"""The time between two visits, and what falls into it: a cumulative hazard that passes its draw, a rising
marker that passes its threshold. Kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HAZARDS", "MARKER", "Span"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
States = Mapping[str, Floats]

# Hazards that every trial settles; those of clinical adverse events come with their records.
HAZARDS = ("hazard_death", "hazard_dropout", "hazard_progression", "hazard_other_toxicity")
MARKER = "m_protein_g_per_l"


@dataclass(frozen=True)
class Span:
    """The time from each patient's visit to the next, (n,) days, with the states at both by name, (n,) each:
    cumulative hazards and M-protein.

    live: (n,) who is followed through it.
    """

    start_day: Floats
    end_day: Floats
    before: States
    after: States
    live: Bools

    def event(self, hazard: str, draw: Floats) -> Floats:
        """(n,) day on which a cumulative hazard passes its exponential draw, (n,); inf where it does not.

        Linear between the two visits, that is a constant hazard.
        Source: time change of a Poisson process; own derivation, see docs/trials.md.
        """
        before, after = self.before[hazard], self.after[hazard]
        who = np.flatnonzero(self.live & (after >= draw) & (before < draw))
        before, after, draw = before[who], after[who], draw[who]
        with np.errstate(invalid="ignore"):
            return self._at(who, (draw - before) / (after - before))

    def rise(self, threshold: Floats) -> Floats:
        """(n,) day on which M-protein, log-linear in between, rises to its threshold, (n,) g/L; inf where it
        does not."""
        before, after = self.before[MARKER], self.after[MARKER]
        who = np.flatnonzero(self.live & (after >= threshold) & (before < threshold))
        with np.errstate(invalid="ignore", divide="ignore"):
            first, last = np.log(before[who]), np.log(after[who])
            return self._at(who, (np.log(threshold[who]) - first) / (last - first))

    def _at(self, who: Integers, part: Floats) -> Floats:
        """(n,) the day at a part of the span, (m,), of the patients `who`, (m,); inf for the others."""
        day, start = np.full(self.start_day.size, np.inf), self.start_day[who]
        day[who] = start + np.clip(part, 0.0, 1.0) * (self.end_day[who] - start)
        return day
