"""The course of the disease: M-protein that rises above its lowest value, and what is seen of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.dosing import Dosing
from glueprint.trials.conduct.response import is_progression, progression_threshold
from glueprint.trials.conduct.span import MARKER, Span
from glueprint.trials.conduct.visit import Visit
from glueprint.trials.patients import Fate

__all__ = ["Disease"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass
class Disease:
    """Disease of the n patients, (n,) each; days count from randomisation and inf is never.

    nadir, true_nadir: lowest M-protein measured and true, g/L.   suspected_day: of a progression not yet
    confirmed.   clinical_day: progression without M-protein.   true_progression_day: of either kind, as it
    happened.   seen_progression_day: of the first treatment, as the trial dates it.
    """

    nadir: Floats
    true_nadir: Floats
    suspected_day: Floats
    clinical_day: Floats
    true_progression_day: Floats
    seen_progression_day: Floats

    @classmethod
    def begin(cls, m_protein_g_per_l: Floats) -> Disease:
        """Nobody has progressed; m_protein_g_per_l: (n,) true, at randomisation."""
        never = [np.full(m_protein_g_per_l.size, np.inf) for _ in range(5)]
        return cls(never[0], m_protein_g_per_l.copy(), *never[1:])

    def settle(self, span: Span, last: Floats, fate: Fate) -> None:
        """Progression in a span before each patient's `last` day, (n,)."""
        clinical = span.event("hazard_progression", fate.progression)
        self.clinical_day = np.where(
            clinical < last, np.minimum(self.clinical_day, clinical), self.clinical_day
        )
        risen = span.rise(progression_threshold(self.true_nadir))
        risen = np.where(risen < last, risen, np.inf)
        self.true_progression_day = np.minimum(
            self.true_progression_day, np.minimum(risen, self.clinical_day)
        )
        lowest = np.minimum(self.true_nadir, span.after[MARKER])
        self.true_nadir = np.where(span.live, lowest, self.true_nadir)

    def look(self, visit: Visit, dosing: Dosing) -> Integers:
        """Who has progressed by what the visit shows, (k,): by M-protein when two assessments in a row show
        it, dated at the first; otherwise by clinical signs, which are looked for in the first treatment."""
        at, m_protein = visit.patient, visit.labs.m_protein_g_per_l
        # Another therapy may come before the first progression.
        first = ~np.isfinite(self.seen_progression_day[at])
        watched = first | ((dosing.line[at] == 1) & dosing.treated[at])
        suspected = self.suspected_day[at]
        shows = watched & visit.assessment & is_progression(m_protein, self.nadir[at])
        confirmed = shows & np.isfinite(suspected)
        clinical = watched & first & (self.clinical_day[at] <= visit.day) & ~confirmed
        now = confirmed | clinical
        here = np.where(shows & ~confirmed, visit.day, np.inf)
        self.suspected_day[at] = np.where(now, np.inf, np.where(visit.assessment, here, suspected))
        lowest = np.minimum(self.nadir[at], m_protein)
        self.nadir[at] = np.where(visit.assessment, lowest, self.nadir[at])
        dated = np.where(confirmed, suspected, visit.day)
        self.seen_progression_day[at[now & first]] = dated[now & first]
        return np.asarray(at[now])
