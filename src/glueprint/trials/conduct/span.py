"""The time between two visits, and what falls into it: a cumulative hazard that passes its draw, a rising
marker that passes its threshold. Kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HAZARDS", "Span", "crossing_day", "hazard_day"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
States = Mapping[str, Floats]

HAZARDS = (
    "hazard_death",
    "hazard_dropout",
    "hazard_progression",
    "hazard_pneumonia",
    "hazard_other_toxicity",
)
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
        """(n,) day of the event of a hazard, whose exponential draw is (n,); inf where there is none."""
        both = self.before[hazard], self.after[hazard]
        return np.where(self.live, hazard_day(self.start_day, self.end_day, both, draw), np.inf)

    def rise(self, threshold: Floats) -> Floats:
        """(n,) day on which M-protein rises to its threshold, (n,) g/L; inf where it does not."""
        both = self.before[MARKER], self.after[MARKER]
        return np.where(self.live, crossing_day(self.start_day, self.end_day, both, threshold), np.inf)


def hazard_day(start_day: Floats, end_day: Floats, hazard: tuple[Floats, Floats], draw: Floats) -> Floats:
    """(n,) day on which the cumulative hazard passes the exponential draw; inf where it does not in the
    interval.

    hazard: cumulative hazard at the start and at the end, (n,) each; linear between them, that is a constant
    hazard.
    Source: time change of a Poisson process; own derivation, see docs/trials.md.
    """
    before, after = hazard
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (draw - before) / (after - before)
        day = start_day + np.clip(part, 0.0, 1.0) * (end_day - start_day)
        return np.asarray(np.where((after >= draw) & (before < draw), day, np.inf))


def crossing_day(
    start_day: Floats, end_day: Floats, marker: tuple[Floats, Floats], threshold: Floats
) -> Floats:
    """(n,) day on which a positive marker rises to the threshold; log-linear inside the interval, inf where
    it does not.

    marker: values at the start and at the end, (n,) each.   threshold: (n,).
    """
    before, after = marker
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (np.log(threshold) - np.log(before)) / (np.log(after) - np.log(before))
        day = start_day + np.clip(part, 0.0, 1.0) * (end_day - start_day)
        return np.asarray(np.where((after >= threshold) & (before < threshold), day, np.inf))
