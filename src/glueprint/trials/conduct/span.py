"""The time between two visits, and what falls into it: a cumulative hazard that passes its draw, a rising
marker that passes its threshold. Kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HAZARDS", "MARKER", "Span"]

Floats = NDArray[np.float64]
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
        with np.errstate(invalid="ignore", divide="ignore"):
            part = (draw - before) / (after - before)
        return self._at(part, self.live & (after >= draw) & (before < draw))

    def rise(self, threshold: Floats) -> Floats:
        """(n,) day on which M-protein, log-linear in between, rises to its threshold, (n,) g/L; inf where it
        does not."""
        before, after = self.before[MARKER], self.after[MARKER]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = (np.log(threshold) - np.log(before)) / (np.log(after) - np.log(before))
        return self._at(part, self.live & (after >= threshold) & (before < threshold))

    def _at(self, part: Floats, happens: Bools) -> Floats:
        """(n,) the day at a part, (n,), of the span; inf where nothing happens."""
        with np.errstate(invalid="ignore"):
            day = self.start_day + np.clip(part, 0.0, 1.0) * (self.end_day - self.start_day)
        return np.where(happens, day, np.inf)
