"""Where every patient of a replicate stands, as arrays that `conduct` moves from visit to visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.doserules import DoseState
from glueprint.trials.conduct.dosing import Course
from glueprint.trials.patients import EventDraws, Population, Stream, Tolerability, missed_doses
from glueprint.trials.protocol import (
    NO_REGIMEN,
    Calendar,
    Protocol,
    Regimen,
    actual_days,
    compile_regimens,
    planned_visits,
)

__all__ = ["Draws", "Setting", "Ward", "admit"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]

# Fields of the ward that begin at 0, and days that begin at never.
COUNTS = (
    "day",
    "next_day",
    "start_day",
    "glue_day",
    "line",
    "holds_before",
    "reductions_before",
    "dosed_days",
    "intolerances",
    "intolerance",
    "gcsf_courses",
)
DAYS = (
    "suspected_day",
    "second_day",
    "death_day",
    "dropout_day",
    "clinical_day",
    "true_progression_day",
    "seen_progression_day",
    "off_day",
    "pneumonia_day",
    "intolerance_day",
)


@dataclass(frozen=True)
class Draws:
    """What chance holds for each patient, (n,): exponential draws of the hazards, whether therapy will
    follow, and intolerance, which comes back."""

    death: Floats
    dropout: Floats
    progression: Floats
    pneumonia: Floats
    continues: Bools
    intolerance: EventDraws


@dataclass(frozen=True)
class Setting:
    """What stays as it is for the whole replicate: plan, patients, chance.

    regimens: arms first.   following: (n,) regimen after progression (-1: none).   delay_days: (n,) until it
    begins.   visit_days: (n, v) day of each planned visit of `calendar`.
    starting_mg: (n,) of the glue, or of the first drug, of the arm.   missed: (n, days) days without a dose.
    """

    protocol: Protocol
    people: Population
    stream: Stream
    regimens: tuple[Regimen, ...]
    following: Integers
    delay_days: Integers
    calendar: Calendar
    visit_days: Integers
    starting_mg: Floats
    tolerability: Tolerability
    missed: Bools
    draws: Draws

    def planned(self, at: Integers, day: Integers, flags: Bools) -> Bools:
        """(m,) whether the visit of patients `at` on `day` (m,) is a planned one with the flag of the
        calendar, (v,)."""
        return np.asarray(((self.visit_days[at] == day[:, None]) & flags).any(axis=1))


@dataclass
class Ward:
    """State of the n patients, (n,) each; days count from randomisation and inf is never.

    day, previous_day, next_day: of visits.   cut_day: data cut.   active: still followed.
    regimen: in force (-1: none), since `start_day`.   dose: of its glue, first taken on `glue_day`.
    line: 0 first treatment, 1 what followed.
    nadir, true_nadir: lowest M-protein measured and true, g/L.   suspected_day: of a progression not yet
    confirmed.
    second_day: when the treatment that follows begins.   clinical_day: progression without M-protein.
    off_day, off_reason: end of the first treatment.   given_mg, planned_mg: of its first drug, or its glue.
    holds_before, reductions_before: counted when the first treatment gave way to another.
    dosed_days: on which the leading drug of the first treatment was taken.
    intolerance_hazard: cumulative hazard at which the next intolerance comes.   intolerances: so far.
    intolerance_day: of the latest.   intolerance: what it still holds the drug for (`Intolerance`), until
    `intolerance_until`.
    gcsf_until_day: G-CSF is given before this day.   gcsf_courses: begun.
    end_day: last day of follow-up.   failure: reason why the patient could not be computed, or "".
    """

    day: Integers
    next_day: Integers
    previous_day: Integers
    cut_day: Integers
    active: Bools
    regimen: Integers
    start_day: Integers
    glue_day: Integers
    dose: DoseState
    line: Integers
    nadir: Floats
    true_nadir: Floats
    suspected_day: Floats
    second_day: Floats
    death_day: Floats
    dropout_day: Floats
    clinical_day: Floats
    true_progression_day: Floats
    seen_progression_day: Floats
    off_day: Floats
    off_reason: Texts
    pneumonia_day: Floats
    given_mg: Floats
    planned_mg: Floats
    holds_before: Integers
    reductions_before: Integers
    dosed_days: Integers
    intolerance_hazard: Floats
    intolerances: Integers
    intolerance_day: Floats
    intolerance: Integers
    intolerance_until: Floats
    gcsf_until_day: Floats
    gcsf_courses: Integers
    end_day: Floats
    failure: NDArray[np.object_]

    def first_holds(self) -> Integers:
        """(n,) holds during the first treatment."""
        return np.where(self.line == 0, self.dose.holds, self.holds_before)

    def first_reductions(self) -> Integers:
        """(n,) reductions during the first treatment."""
        return np.where(self.line == 0, self.dose.reductions, self.reductions_before)

    def course(self) -> Course:
        """The doses in force."""
        return Course(self.regimen, self.start_day, self.dose.dose_mg, self.dose.held | self.dose.stopped)


def admit(
    protocol: Protocol, people: Population, stream: Stream, tolerability: Tolerability
) -> tuple[Setting, Ward]:
    """Everybody on day 0, on the regimen of the arm."""
    setting = _setting(protocol, people, stream, tolerability)
    n = people.size
    glue = np.array([plan.glue is not None for plan in setting.regimens])[people.arm]
    zeros: dict[str, Any] = {name: np.zeros(n, dtype=np.int64) for name in COUNTS}
    never: dict[str, Any] = {name: np.full(n, np.inf) for name in DAYS}
    return setting, Ward(
        **zeros,
        **never,
        previous_day=np.full(n, -1, dtype=np.int64),
        cut_day=np.floor(people.cut_day).astype(np.int64),
        active=np.ones(n, dtype=np.bool_),
        regimen=people.arm.copy(),
        dose=DoseState.start(np.where(glue, setting.starting_mg, 0.0)),
        nadir=np.full(n, np.inf),
        true_nadir=people.values["m_protein_g_per_l"].copy(),
        off_reason=np.full(n, "", dtype="<U16"),
        given_mg=np.zeros(n),
        planned_mg=np.zeros(n),
        intolerance_hazard=setting.draws.intolerance.hazards(np.arange(n), zeros["intolerances"]),
        intolerance_until=np.full(n, -np.inf),
        gcsf_until_day=np.full(n, -np.inf),
        end_day=np.floor(people.cut_day),
        failure=np.full(n, "", dtype=object),
    )


def _setting(protocol: Protocol, people: Population, stream: Stream, tolerability: Tolerability) -> Setting:
    regimens, following = compile_regimens(protocol)
    later = [arm.after_progression for arm in protocol.arms]
    shares = np.array([plan.share_of_progressed if plan else 0.0 for plan in later])[people.arm]
    calendar = planned_visits(protocol)
    draws = _draws(people, stream, shares)
    age, rows = people.values["age_y"], np.arange(people.size)
    doses = np.stack([plan.leading.planned_mg(age) for plan in regimens[: len(protocol.arms)]])
    return Setting(
        protocol=protocol,
        people=people,
        stream=stream,
        regimens=regimens,
        following=np.where(draws.continues, np.array(following)[people.arm], NO_REGIMEN),
        delay_days=np.array([plan.delay_days if plan else 0 for plan in later])[people.arm],
        calendar=calendar,
        visit_days=actual_days(
            calendar,
            protocol.visits.window_days,
            stream.uniforms("visit windows", people.number, calendar.day.size),
        ),
        starting_mg=doses[people.arm, rows],
        tolerability=tolerability,
        missed=missed_doses(tolerability, stream, people.number, int(calendar.day[-1])),
        draws=draws,
    )


def _draws(people: Population, stream: Stream, shares: Floats) -> Draws:
    def exponential(what: str) -> Floats:
        return np.asarray(-np.log(stream.uniforms(what, people.number)[:, 0]))

    return Draws(
        death=exponential("death"),
        dropout=exponential("dropout"),
        progression=exponential("clinical progression"),
        pneumonia=exponential("pneumonia"),
        continues=stream.uniforms("therapy after progression", people.number)[:, 0] < shares,
        intolerance=EventDraws.of(stream, people.number),
    )
