"""The conduct of a trial, visit by visit: measure, decide, dose, let time pass, see what happened.

A patient's k-th visit is computed together with the k-th visit of all others, on days of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses
from glueprint.mechanism import parameters, pharmacokinetics
from glueprint.trials.conduct.decisions import change_doses, decide_progression, plan_next_visit
from glueprint.trials.conduct.dosing import DoseList, days_due, doses_between
from glueprint.trials.conduct.intake import GlueIntake, intakes, swallowed
from glueprint.trials.conduct.measuring import LABS, Labs, measure
from glueprint.trials.conduct.records import Assessments, VisitLog, assessments, joined
from glueprint.trials.conduct.review import ReviewFiles, files_for_review
from glueprint.trials.conduct.settling import HAZARDS, settle
from glueprint.trials.conduct.supportive import decide_gcsf
from glueprint.trials.conduct.ward import Setting, Ward, admit
from glueprint.trials.patients import (
    Bodies,
    Population,
    Stream,
    Tolerability,
    admit_bodies,
    model_parameters,
    scenarios,
)
from glueprint.trials.protocol import NO_REGIMEN, Protocol

__all__ = ["Conducted", "WithoutLater", "conduct"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
States = dict[str, Floats]
Progress = Callable[[float], None]

HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class WithoutLater:
    """Survival of each patient had nothing followed progression, (n,) each: last day, and whether of death.
    The day is NaN where it could not be computed.

    Source: the same patients and the same chance, conducted again; see docs/trials.md, "Conduct".
    """

    end_day: Floats
    died: Bools


@dataclass(frozen=True)
class Conducted:
    """A conducted replicate: its patients and where each ended, all visits, round by round and in one log by
    patient and day, the disease assessments among them, what an independent review is sent, and survival
    without later therapy if that was asked for."""

    people: Population
    ward: Ward
    visits: tuple[VisitLog, ...]
    log: VisitLog
    seen: Assessments
    review: ReviewFiles
    without_later: WithoutLater | None = None


def conduct(
    protocol: Protocol,
    people: Population,
    stream: Stream,
    progress: Progress | None = None,
    *,
    counterfactual: bool = False,
) -> Conducted:
    """Take every patient from randomisation to death, loss or the data cut.

    progress: called with the share of all follow-up that is done, 0 to 1.
    counterfactual: also let each patient live without what follows progression.
    Source: rules of the protocol and its dose rules; see docs/trials.md.
    """
    ward, visits = _conduct(protocol, people, stream, progress)
    without = _without_later(protocol, people, stream, ward) if counterfactual else None
    log = joined(visits)
    seen = assessments(log, people.size)
    review = files_for_review(protocol.measurement, people, stream, seen)
    return Conducted(people, ward, visits, log, seen, review, without)


def _conduct(
    protocol: Protocol, people: Population, stream: Stream, progress: Progress | None
) -> tuple[Ward, tuple[VisitLog, ...]]:
    setting, ward = admit(protocol, people, stream, _tolerability(protocol, people))
    values, arms = model_parameters(protocol, people, stream), scenarios(protocol, people.truth)
    bodies, glues = admit_bodies(arms, people.arm, values), intakes(arms, people.arm, values)
    waiting = Doses.none()
    log: list[VisitLog] = []
    states = _states(bodies)
    while ward.active.any():
        at = np.flatnonzero(ward.active)
        labs = _labs(states, setting, at, len(log))
        assessment = setting.planned(at, ward.day[at], setting.calendar.assessment)
        assessment |= np.isfinite(ward.suspected_day[at])
        decide_progression(setting, ward, at, labs, assessment)
        action = change_doses(setting, ward, at, labs)
        decide_gcsf(setting, ward, at, labs.anc_1e9_per_l)
        log.append(_entry(setting, ward, (at, states["m_protein_g_per_l"][at]), (labs, assessment, action)))
        plan_next_visit(setting, ward, at)
        states, waiting = _let_time_pass(bodies, setting, ward, glues, (states, waiting))
        if progress:
            done = np.where(ward.active, ward.day, ward.cut_day)
            progress(float(done.sum() / max(ward.cut_day.sum(), 1)))
    return ward, tuple(log)


def _without_later(protocol: Protocol, people: Population, stream: Stream, ward: Ward) -> WithoutLater:
    """Only those who received something after progression have another fate without it."""
    end_day, died = ward.end_day.copy(), np.isfinite(ward.death_day)
    who = np.flatnonzero(ward.line > 0)
    if who.size:
        alone, _ = _conduct(_nothing_later(protocol), _only(people, who), stream, None)
        end_day[who] = np.where(alone.failure == "", alone.end_day, np.nan)
        died[who] = np.isfinite(alone.death_day)
    return WithoutLater(end_day, died)


def _only(people: Population, who: Integers) -> Population:
    """Some of the patients, who keep their numbers and so their chance."""
    return replace(
        people,
        number=people.number[who],
        levels={name: level[who] for name, level in people.levels.items()},
        values={name: value[who] for name, value in people.values.items()},
        stratum=people.stratum[who],
        arm=people.arm[who],
        cut_day=people.cut_day[who],
    )


def _nothing_later(protocol: Protocol) -> Protocol:
    """The protocol with the same arms, of whom nobody receives anything after progression."""
    arms = [
        arm.model_copy(
            update={
                "after_progression": arm.after_progression
                and arm.after_progression.model_copy(update={"share_of_progressed": 0.0})
            }
        )
        for arm in protocol.arms
    ]
    return protocol.model_copy(update={"arms": tuple(arms)})


def _tolerability(protocol: Protocol, people: Population) -> Tolerability:
    return Tolerability.of(parameters.typical(scenarios(protocol, people.truth)[0]))


def _states(bodies: Bodies) -> States:
    return bodies.values((*HAZARDS, *LABS))


def _labs(states: States, setting: Setting, at: Integers, round_number: int) -> Labs:
    true = Labs(*(states[name][at] for name in LABS))
    normal = setting.stream.normals(f"labs/{round_number}", setting.people.number[at], 5)
    return measure(true, setting.protocol.measurement, normal)


def _entry(
    setting: Setting, ward: Ward, who: tuple[Integers, Floats], seen: tuple[Labs, Bools, Integers]
) -> VisitLog:
    at, true_m_protein = who
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
        gcsf=ward.gcsf_until_day[at] > ward.day[at],
        true_m_protein_g_per_l=true_m_protein,
    )


def _let_time_pass(
    bodies: Bodies,
    setting: Setting,
    ward: Ward,
    glues: tuple[GlueIntake, ...],
    now: tuple[States, Doses],
) -> tuple[States, Doses]:
    """Give the doses up to the next visit of each patient, integrate, and settle what happened.

    now: states at the visit, and what earlier doses still have to give; both are returned as they are then.
    """
    before, waiting = now
    until = np.where(ward.active, ward.next_day, ward.day)
    age_y = setting.people.values["age_y"]
    doses = doses_between(setting.regimens, ward.course(), age_y, (ward.day, until), setting.missed)
    _count_doses(setting, ward, doses, until)
    if setting.protocol.supportive_care.gcsf != "none":
        fold = setting.protocol.supportive_care.gcsf_fold
        bodies.set("gcsf_fold", np.where(ward.gcsf_until_day > ward.day, fold, 1.0))
    until_h = np.where(ward.active, HOURS_PER_DAY * until, bodies.time_h)
    given = pharmacokinetics.together(waiting, swallowed(doses, glues))
    given, waiting = pharmacokinetics.due(given, until_h)
    outcome = bodies.advance(until_h, given)
    failed = ward.active & (outcome.status != 0)
    for patient in np.flatnonzero(failed):
        ward.failure[patient] = outcome.reasons[int(patient)]
    ward.end_day[failed] = ward.day[failed]
    ward.active &= ~failed
    after = _states(bodies)
    settle(setting, ward, (before, after), until)
    ward.previous_day = np.where(ward.active, ward.day, ward.previous_day)
    ward.day = np.where(ward.active, until, ward.day)
    ward.active &= ward.day < ward.cut_day
    return after, _of_active(waiting, ward.active)


def _of_active(doses: Doses, active: Bools) -> Doses:
    """The doses of those who are still followed."""
    return doses.take(active[doses.columns()[0]])


def _count_doses(setting: Setting, ward: Ward, doses: DoseList, until: Integers) -> None:
    """Add what is given and was planned of the first treatment's leading drug, mg, and its days."""
    counted = doses.leading & (ward.line[doses.patient] == 0)
    patient = doses.patient[counted]
    ward.given_mg += np.bincount(patient, doses.amount_mg[counted], minlength=ward.day.size)
    ward.dosed_days += np.bincount(patient, minlength=ward.day.size)
    for number, regimen in enumerate(setting.regimens[: len(setting.protocol.arms)]):
        mine = (ward.regimen == number) & (ward.line == 0)
        due = days_due(regimen.leading.on_day, ward.start_day, (ward.day, until))
        ward.planned_mg += np.where(mine, due * setting.starting_mg, 0.0)
