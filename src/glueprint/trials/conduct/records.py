"""A replicate's visits put together: one log in the order of patients, and the disease assessments in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.dosing import Dosing
from glueprint.trials.conduct.treatments import Treatments
from glueprint.trials.conduct.visit import LABS, Labs, Visit

__all__ = ["Assessments", "VisitLog", "assessments", "by_round", "entry", "joined"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class VisitLog:
    """One round of visits, (m,) each: patient, day, labs, whether disease was assessed, the doses from then
    on, whether G-CSF is given, and M-protein without error, g/L."""

    patient: Integers
    day: Integers
    start_day: Integers
    labs: Labs
    assessment: Bools
    action: Integers
    dose_mg: Floats
    regimen: Integers
    line: Integers
    gcsf: Bools
    true_m_protein_g_per_l: Floats


def entry(plan: Treatments, dosing: Dosing, visit: Visit, action: Integers) -> VisitLog:
    """What is written down of a visit; action: (m,) what the rules did to the drug."""
    at = visit.patient
    return VisitLog(
        patient=at,
        day=visit.day,
        start_day=dosing.start_day[at],
        labs=visit.labs,
        assessment=visit.assessment,
        action=action,
        dose_mg=dosing.daily_mg(plan, at),
        regimen=dosing.regimen[at],
        line=dosing.line[at],
        gcsf=dosing.gcsf_until_day[at] > visit.day,
        true_m_protein_g_per_l=visit.true_m_protein_g_per_l,
    )


@dataclass(frozen=True)
class Assessments:
    """Disease assessments of the first treatment and its follow-up: (n, k) M-protein and days, padded with
    NaN.

    m_protein_g_per_l: as the trial's laboratory measured it.   true_m_protein_g_per_l: without error.
    column: (v,) where each visit of the log stands among them, -1 for a visit that is none.
    """

    m_protein_g_per_l: Floats
    true_m_protein_g_per_l: Floats
    day: Floats
    column: Integers


def by_round(log: VisitLog) -> tuple[VisitLog, ...]:
    """A log by patient and day as one of each patient's first visits, one of the second, and so on."""
    begin = np.searchsorted(log.patient, log.patient)
    place = np.arange(log.patient.size) - begin
    return tuple(
        _chosen(log, np.flatnonzero(place == number)) for number in range(int(place.max(initial=-1)) + 1)
    )


def _chosen(log: VisitLog, rows: Integers) -> VisitLog:
    labs = Labs(**{name: getattr(log.labs, name)[rows] for name in LABS})
    rest = {f.name: getattr(log, f.name)[rows] for f in fields(VisitLog) if f.name != "labs"}
    return VisitLog(labs=labs, **rest)


def joined(logs: Sequence[VisitLog]) -> VisitLog:
    """All rounds of visits in one log, by patient and day."""
    parts = {
        f.name: np.concatenate([getattr(log, f.name) for log in logs])
        for f in fields(VisitLog)
        if f.name != "labs"
    }
    labs = {name: np.concatenate([getattr(log.labs, name) for log in logs]) for name in LABS}
    order = np.lexsort((parts["day"], parts["patient"]))
    return _chosen(VisitLog(labs=Labs(**labs), **parts), order)


def assessments(log: VisitLog, turned: Bools) -> Assessments:
    """The assessments in a joined log.

    turned: (n,) who was given another therapy before progression, and is assessed for it under that as well.
    """
    patients = turned.size
    chosen = log.assessment & ((log.line == 0) | turned[log.patient])
    patient = log.patient[chosen]
    count = np.bincount(patient, minlength=patients)
    place = np.arange(patient.size) - np.repeat(np.cumsum(count) - count, count)
    width = max(int(count.max(initial=1)), 1)

    def spread(values: NDArray[np.generic]) -> Floats:
        whole = np.full((patients, width), np.nan)
        whole[patient, place] = values[chosen]
        return whole

    column = np.full(log.patient.size, -1, dtype=np.int64)
    column[chosen] = place
    measured, true = log.labs.m_protein_g_per_l, log.true_m_protein_g_per_l
    return Assessments(spread(measured), spread(true), spread(log.day), column)
