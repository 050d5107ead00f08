"""The conduct of a trial, visit by visit: measure, decide, dose, let time pass, see what happened.

A patient's k-th visit is computed together with the k-th visit of all others, on days of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.decisions import decide
from glueprint.trials.conduct.physiology import Physiology
from glueprint.trials.conduct.records import Assessments, VisitLog, assessments, by_round, entry, joined
from glueprint.trials.conduct.review import ReviewFiles, files_for_review
from glueprint.trials.conduct.span import Span
from glueprint.trials.conduct.visit import LABS, Labs, Visit, measure
from glueprint.trials.conduct.ward import Setting, Ward
from glueprint.trials.patients import Population, Stream, some_of
from glueprint.trials.protocol import Protocol

__all__ = ["Conducted", "WithoutLater", "conduct"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Progress = Callable[[float], None]


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
    """A conducted replicate: its patients and where each ended, all visits in one log by patient and day, the
    disease assessments among them, what an independent review is sent, and survival without later therapy if
    that was asked for."""

    people: Population
    ward: Ward
    log: VisitLog
    seen: Assessments
    review: ReviewFiles
    without_later: WithoutLater | None = None

    @property
    def visits(self) -> tuple[VisitLog, ...]:
        """The visits round by round: each patient's first, each one's second, and so on."""
        return by_round(self.log)


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
    seen = assessments(log, np.isfinite(ward.dosing.next_therapy_day))
    review = files_for_review(protocol.measurement, people, stream, seen)
    return Conducted(people, ward, log, seen, review, without)


def _conduct(
    protocol: Protocol, people: Population, stream: Stream, progress: Progress | None
) -> tuple[Ward, tuple[VisitLog, ...]]:
    setting = Setting.of(protocol, people, stream)
    ward, physiology = Ward.admit(setting, people), Physiology.admit(protocol, people, stream)
    log: list[VisitLog] = []
    while ward.follow_up.active.any():
        at = np.flatnonzero(ward.follow_up.active)
        normal = stream.normals(f"labs/{len(log)}", people.number[at], 5)
        visit = _see(setting, ward, physiology, at, normal)
        action = decide(setting, ward, visit)
        log.append(entry(setting.treatments, ward.dosing, visit, action))
        _let_time_pass(setting, ward, physiology)
        if progress:
            progress(ward.follow_up.done)
    return ward, tuple(log)


def _see(setting: Setting, ward: Ward, physiology: Physiology, at: Integers, normal: Floats) -> Visit:
    """The visit of the patients `at`, (m,); normal: (m, 5) standard normal numbers behind its errors."""
    true = Labs(*(physiology.states[name][at] for name in LABS))
    day, timetable = ward.follow_up.day[at], setting.timetable
    assessment = timetable.assessments.on(at, day)
    return Visit(
        patient=at,
        day=day,
        previous_day=ward.follow_up.previous_day[at],
        labs=measure(true, setting.error, normal),
        # A suspected progression is looked at again at once.
        assessment=assessment | np.isfinite(ward.disease.suspected_day[at]),
        cycle_begins=timetable.cycles.on(at, day),
        true_m_protein_g_per_l=true.m_protein_g_per_l,
    )


def _let_time_pass(setting: Setting, ward: Ward, physiology: Physiology) -> None:
    """Give the doses up to the next visit of each patient, integrate, and settle what happened."""
    follow_up, dosing = ward.follow_up, ward.dosing
    day, until, before = follow_up.day, follow_up.until, physiology.states
    doses = dosing.give(setting.treatments, day, until)
    if setting.care.gcsf != "none":
        given = dosing.gcsf_until_day > day
        physiology.bodies.set("gcsf_fold", np.where(given, setting.care.gcsf_fold, 1.0))
    physiology.cover(ward.disease.seen_progression_day <= day, dosing.later_lines)
    outcome = physiology.advance(until, follow_up.active, doses)
    follow_up.fail(outcome)
    start_day, end_day = day.astype(np.float64), until.astype(np.float64)
    ward.settle(Span(start_day, end_day, before, physiology.states, follow_up.active), setting.fate)
    physiology.forget(~follow_up.active)


def _without_later(protocol: Protocol, people: Population, stream: Stream, ward: Ward) -> WithoutLater:
    """Only those who received something after progression have another fate without it."""
    end_day, died = ward.follow_up.end_day.copy(), np.isfinite(ward.follow_up.death_day)
    who = np.flatnonzero(ward.dosing.line > 0)
    if who.size:
        other, _ = _conduct(_nothing_later(protocol), some_of(people, who), stream, None)
        alone = other.follow_up
        end_day[who] = np.where(alone.failure == "", alone.end_day, np.nan)
        died[who] = np.isfinite(alone.death_day)
    return WithoutLater(end_day, died)


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
