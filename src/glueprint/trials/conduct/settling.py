"""What happened to each patient between two visits: death, loss, progression, pneumonia, intolerance.

Nothing is frozen at baseline: the engine integrates the hazards with the patient's own states, and an event
falls where a cumulative hazard passes the patient's exponential draw.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.events import crossing_day, hazard_day
from glueprint.trials.conduct.response import progression_threshold
from glueprint.trials.conduct.ward import Setting, Ward
from glueprint.trials.protocol import NO_REGIMEN

__all__ = ["HAZARDS", "settle"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
States = Mapping[str, Floats]

HAZARDS = (
    "hazard_death",
    "hazard_dropout",
    "hazard_progression",
    "hazard_pneumonia",
    "hazard_other_toxicity",
)


def settle(setting: Setting, ward: Ward, states: tuple[States, States], until: Integers) -> None:
    """Find the events of active patients up to `until`, (n,) days; nothing counts after death or loss.

    states: cumulative hazards and M-protein at the present visit and at the next, (n,) each by name.
    """
    before, after = states
    start, end = ward.day.astype(np.float64), until.astype(np.float64)
    draws, live = setting.draws, ward.active

    def event(name: str, draw: Floats) -> Floats:
        return np.where(live, hazard_day(start, end, (before[name], after[name]), draw), np.inf)

    death, dropout = event("hazard_death", draws.death), event("hazard_dropout", draws.dropout)
    last = np.minimum(death, dropout)
    ward.death_day = np.where(death <= dropout, np.minimum(ward.death_day, death), ward.death_day)
    ward.dropout_day = np.where(dropout < death, np.minimum(ward.dropout_day, dropout), ward.dropout_day)
    clinical = event("hazard_progression", draws.progression)
    ward.clinical_day = np.where(clinical < last, np.minimum(ward.clinical_day, clinical), ward.clinical_day)
    treated = ward.regimen != NO_REGIMEN
    pneumonia = np.where(treated, event("hazard_pneumonia", draws.pneumonia), np.inf)
    ward.pneumonia_day = np.where(
        pneumonia < last, np.minimum(ward.pneumonia_day, pneumonia), ward.pneumonia_day
    )
    intolerance = np.where(treated, event("hazard_other_toxicity", ward.intolerance_hazard), np.inf)
    _note_intolerance(setting, ward, np.where(intolerance < last, intolerance, np.inf), after)
    marker = (before["m_protein_g_per_l"], after["m_protein_g_per_l"])
    risen = crossing_day(start, end, marker, progression_threshold(ward.true_nadir))
    risen = np.where(live & (risen < last), risen, np.inf)
    ward.true_progression_day = np.minimum(ward.true_progression_day, np.minimum(risen, ward.clinical_day))
    ward.true_nadir = np.where(live, np.minimum(ward.true_nadir, marker[1]), ward.true_nadir)
    over = live & np.isfinite(last)
    ward.end_day[over] = last[over]
    ward.active &= ~over


def _note_intolerance(setting: Setting, ward: Ward, day: Floats, after: States) -> None:
    """Keep the day of new intolerance, (n,) or inf, and draw when the next one comes.

    The hazard has no memory: what builds up between the event and the visit that sees it is dropped.
    """
    new = np.flatnonzero(np.isfinite(day))
    ward.intolerance_day[new] = day[new]
    ward.intolerances[new] += 1
    ward.intolerance_hazard[new] = after["hazard_other_toxicity"][new] + setting.draws.intolerance.hazards(
        new, ward.intolerances[new]
    )
