"""The conduct of a trial, visit by visit: measure, decide, dose, let time pass, see what happened.

A patient's k-th visit is computed together with the k-th visit of all others, on days of their own. Nothing
is
frozen at baseline: hazards are integrated with the patient's states by the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Ensemble, Model
from glueprint.mechanism import models
from glueprint.trials.compounds import DEXAMETHASONE, target_of
from glueprint.trials.decisions import change_doses, decide_progression, plan_next_visit
from glueprint.trials.dosing import NO_REGIMEN, Course, DoseList, doses_between
from glueprint.trials.events import crossing_day, hazard_day
from glueprint.trials.measuring import LABS, Labs, measure
from glueprint.trials.population import Population, Stream, glue_of, model_parameters
from glueprint.trials.protocol import Protocol
from glueprint.trials.response import PROGRESSION_G_PER_L, PROGRESSION_RISE
from glueprint.trials.ward import Setting, Ward, admit

__all__ = ["Conducted", "VisitLog", "conduct"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

HOURS_PER_DAY = 24.0
HAZARDS = ("hazard_death", "hazard_dropout", "hazard_progression", "hazard_pneumonia")


@dataclass(frozen=True)
class VisitLog:
    """One round of visits, (m,) each: patient, day, labs, whether disease was assessed, and the doses from
    then on."""

    patient: Integers
    day: Integers
    start_day: Integers
    labs: Labs
    assessment: Bools
    action: Integers
    dose_mg: Floats
    regimen: Integers
    line: Integers


@dataclass(frozen=True)
class Conducted:
    """A conducted replicate: its patients, where each ended, all visits in order, how many integrations
    failed."""

    people: Population
    ward: Ward
    visits: tuple[VisitLog, ...]


def conduct(
    protocol: Protocol,
    people: Population,
    stream: Stream,
    progress: Callable[[float], None] | None = None,
) -> Conducted:
    """Take every patient from randomisation to death, loss or the data cut.

    progress: called with the share of all follow-up that is done, 0 to 1.
    Source: rules of the protocol and its dose rules; see docs/trials.md.
    """
    setting, ward = admit(protocol, people, stream)
    ensemble, lag_h = _ensemble(protocol, people, stream)
    log: list[VisitLog] = []
    while ward.active.any():
        at = np.flatnonzero(ward.active)
        labs = _labs(ensemble, setting, at, len(log))
        assessment = setting.planned(at, ward.day[at], setting.calendar.assessment)
        assessment |= np.isfinite(ward.suspected_day[at])
        decide_progression(setting, ward, at, labs, assessment)
        action = change_doses(setting, ward, at, labs)
        log.append(_entry(setting, ward, at, (labs, assessment, action)))
        plan_next_visit(setting, ward, at)
        _let_time_pass(ensemble, setting, ward, lag_h)
        if progress:
            done = np.where(ward.active, ward.day, ward.cut_day)
            progress(float(done.sum() / max(ward.cut_day.sum(), 1)))
    return Conducted(people, ward, tuple(log))


@lru_cache(maxsize=4)
def _model(compound: str) -> Model:
    """The trial model, compiled once for all replicates."""
    return models.trial(compound)


def _ensemble(protocol: Protocol, people: Population, stream: Stream) -> tuple[Ensemble, Floats]:
    """The patients as an ensemble of the trial model, and the absorption lag of each, (n,) h."""
    values, lag_h = model_parameters(protocol, people, stream)
    model = _model(glue_of(protocol.arms[0]))
    parameters, initial = models.split(model, values)
    return model.ensemble(parameters, initial=initial, patients=people.size), lag_h


def _labs(ensemble: Ensemble, setting: Setting, at: Integers, round_number: int) -> Labs:
    true = Labs(*(np.asarray(ensemble[name])[at] for name in LABS))
    normal = setting.stream.normals(f"labs/{round_number}", setting.people.number[at], 5)
    return measure(true, setting.protocol.measurement, normal)


def _entry(setting: Setting, ward: Ward, at: Integers, seen: tuple[Labs, Bools, Integers]) -> VisitLog:
    labs, assessment, action = seen
    course = ward.course()
    dose = np.where(course.glue_held | (ward.regimen == NO_REGIMEN), 0.0, course.glue_mg)[at]
    for number, regimen in enumerate(setting.regimens):
        if regimen.glue is None:
            mine = ward.regimen[at] == number
            dose[mine] = regimen.drugs[0].planned_mg(setting.people.values["age_y"])[at[mine]]
    return VisitLog(
        patient=at,
        day=ward.day[at],
        start_day=ward.start_day[at],
        labs=labs,
        assessment=assessment,
        action=action,
        dose_mg=dose,
        regimen=ward.regimen[at],
        line=ward.line[at],
    )


def _let_time_pass(ensemble: Ensemble, setting: Setting, ward: Ward, lag_h: Floats) -> None:
    """Give the doses up to the next visit of each patient, integrate, and settle what happened."""
    until = np.where(ward.active, ward.next_day, ward.day)
    doses = doses_between(setting.regimens, ward.course(), setting.people.values["age_y"], ward.day, until)
    _count_doses(setting, ward, doses, until)
    lag = np.where(doses.target == target_of(DEXAMETHASONE), 0.0, lag_h[doses.patient])
    before = _states(ensemble)
    outcome = ensemble.advance(
        np.where(ward.active, HOURS_PER_DAY * until, ensemble.time_h),
        doses=Doses(doses.patient, HOURS_PER_DAY * doses.day + lag, doses.target.tolist(), doses.amount_mg),
    )
    failed = ward.active & (np.asarray(outcome.status) != 0)
    for patient in np.flatnonzero(failed):
        ward.failure[patient] = str(outcome.reasons[patient])
    ward.end_day[failed] = ward.day[failed]
    ward.active &= ~failed
    _settle(setting, ward, (before, _states(ensemble)), until)
    ward.previous_day = np.where(ward.active, ward.day, ward.previous_day)
    ward.day = np.where(ward.active, until, ward.day)
    ward.active &= ward.day < ward.cut_day


def _states(ensemble: Ensemble) -> dict[str, Floats]:
    return {name: np.array(ensemble[name]) for name in (*HAZARDS, "m_protein_g_per_l")}


def _count_doses(setting: Setting, ward: Ward, doses: DoseList, until: Integers) -> None:
    """Add what is given and what was planned of the first treatment's leading drug, mg."""
    first = ward.line == 0
    full = Course(
        np.where(first, ward.regimen, NO_REGIMEN),
        ward.start_day,
        _leading_mg(setting),
        np.zeros(first.size, dtype=np.bool_),
    )
    planned = doses_between(setting.regimens, full, setting.people.values["age_y"], ward.day, until)
    target = np.array([_leading_target(setting, number) for number in range(len(setting.regimens))])
    for part, total in ((doses, ward.given_mg), (planned, ward.planned_mg)):
        leading = first[part.patient] & (part.target == target[ward.regimen[part.patient]])
        np.add.at(total, part.patient[leading], part.amount_mg[leading])


def _leading_target(setting: Setting, number: int) -> str:
    regimen = setting.regimens[number]
    return (regimen.glue or regimen.drugs[0]).target


def _leading_mg(setting: Setting) -> Floats:
    """(n,) starting dose of the glue of each patient's arm, mg; 0 where the arm has none."""
    age, arm = setting.people.values["age_y"], setting.people.arm
    plans = [r.glue.planned_mg(age) if r.glue else np.zeros(age.size) for r in setting.regimens]
    return np.asarray(np.stack(plans)[arm, np.arange(age.size)])


def _settle(
    setting: Setting, ward: Ward, states: tuple[dict[str, Floats], dict[str, Floats]], until: Integers
) -> None:
    """Find the events between two visits; death and loss end the patient, and nothing after them counts."""
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
    marker = (before["m_protein_g_per_l"], after["m_protein_g_per_l"])
    threshold = np.maximum(ward.true_nadir * (1 + PROGRESSION_RISE), ward.true_nadir + PROGRESSION_G_PER_L)
    risen = np.where(live, crossing_day(start, end, marker, threshold), np.inf)
    risen = np.minimum(np.where(risen < last, risen, np.inf), ward.clinical_day)
    ward.true_progression_day = np.minimum(ward.true_progression_day, risen)
    ward.true_nadir = np.where(live, np.minimum(ward.true_nadir, marker[1]), ward.true_nadir)
    over = live & np.isfinite(last)
    ward.end_day[over] = last[over]
    ward.active &= ~over
