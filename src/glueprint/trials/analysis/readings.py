"""Two readings of the same visits: the investigator's, who treats, and the review committee's, who reads
later.

Kernels: a patient's assessments lie in a row, (n, k), the baseline first, NaN where there is none; days
count from randomisation and inf is never. The committee has a central laboratory's values of its own, which
`conduct` measures. What was taken after the investigator ended the treatment for progression may confirm an
earlier rise but shows none (SAF295), and progression without M-protein is believed only where it was
documented.
Source: own derivation, see docs/trials.md, "Endpoints"; censoring SAF299.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct import response

__all__ = [
    "Reading",
    "called_day",
    "committee",
    "interval",
    "investigator",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Reading:
    """Progression-free survival as one reader has it, (n,) each.

    progression_day: first progression, inf for none.   event: progression or death.   day: of the event, or
    of the last assessment that counts.   counts: (n, k) assessments before the progression and with it.
    """

    progression_day: Floats
    event: Bools
    day: Floats
    counts: Bools


def investigator(day: Floats, progression_day: Floats, death_day: Floats) -> Reading:
    """The reading that the trial was conducted by.

    day: (n, k) of the assessments.   progression_day, death_day: (n,) as the conduct has them.
    """
    return _reading(day, progression_day, death_day, np.isfinite(day))


def called_day(m_protein_g_per_l: Floats, day: Floats, progression_day: Floats) -> tuple[Floats, Bools]:
    """When the investigator was sure of each progression, (n,), and whether M-protein showed it, (n,).

    A rise of M-protein is dated at the first of two assessments and sure at the second.
    m_protein_g_per_l, day: (n, k) of the investigator.   progression_day: (n,) as dated.
    """
    found = response.progression(m_protein_g_per_l).column
    rows = np.arange(len(day))
    dated = np.where(found >= 0, day[rows, np.maximum(found, 0)], np.inf)
    by_marker = np.isfinite(progression_day) & (dated == progression_day)
    with np.errstate(invalid="ignore"):
        later = np.where(day > progression_day[:, None], day, np.inf).min(axis=1)
    return np.where(by_marker, later, progression_day), by_marker


def committee(
    m_protein_g_per_l: Floats,
    day: Floats,
    death_day: Floats,
    *,
    until_day: Floats,
    documented_day: Floats,
) -> Reading:
    """The reading of a committee that learns of the trial from its files.

    m_protein_g_per_l: (n, k) of the central laboratory.   until_day: (n,) when the investigator ended the
    treatment for progression.   documented_day: (n,) of a progression without M-protein that was documented.
    Without a progression of the committee's own the patient is censored there, dead later or not.
    """
    with np.errstate(invalid="ignore"):
        available = day <= until_day[:, None]
    risen = response.is_progression(m_protein_g_per_l, response.running_nadir(m_protein_g_per_l))
    category = np.where(np.isnan(day), response.NE, np.where(risen, response.PD, response.SD))
    category[:, 0] = response.NE
    sure = (response.settle_unconfirmed(category, np.isfinite(death_day)) == response.PD) & available
    dated = np.where(sure, day, np.inf).min(axis=1)
    progression = np.minimum(dated, documented_day)
    lost = np.isfinite(until_day) & ~np.isfinite(progression)
    return _reading(day, progression, np.where(lost, np.inf, death_day), available)


def _reading(day: Floats, progression_day: Floats, death_day: Floats, available: Bools) -> Reading:
    with np.errstate(invalid="ignore"):
        counts = available & (day <= progression_day[:, None])
    last = np.where(counts, day, 0.0).max(axis=1)
    first = np.minimum(progression_day, death_day)
    event = np.isfinite(first)
    return Reading(progression_day, event, np.where(event, first, last), counts)


def interval(day: Floats, reading: Reading) -> tuple[Floats, Floats]:
    """Between which days each event lies, (n,) each: what a statistician of interval-censored times needs.

    A progression lies after the last assessment before the one that shows it; a death lies on its day; a
    patient without an event has no right end (inf).
    """
    with np.errstate(invalid="ignore"):
        before = np.where(day < reading.progression_day[:, None], day, 0.0)
        before = np.where(reading.counts, before, 0.0).max(axis=1)
    progressed = reading.event & (reading.day == reading.progression_day)
    return np.where(progressed, before, reading.day), np.where(reading.event, reading.day, np.inf)
