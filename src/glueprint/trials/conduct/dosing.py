"""What each patient is given: the regimen in force, its dose under the rules, what is counted of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.doserules import DoseState
from glueprint.trials.conduct.doses import Course, DoseList, days_due, doses_between
from glueprint.trials.conduct.treatments import Treatments
from glueprint.trials.protocol import NO_REGIMEN

__all__ = ["Begun", "Dosing"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Begun:
    """Whose second treatment begins: all of them, (m,), and those among them whose glue begins with it."""

    who: Integers
    glue: Integers


@dataclass
class Dosing:
    """Treatment of the n patients, (n,) each; days count from randomisation and inf is never.

    regimen: in force (-1: none), since `start_day`.   dose: of its glue, first taken on `glue_day`.
    line: 0 first treatment, 1 what followed, which begins on `second_day`.
    off_day, off_reason: end of the first treatment.
    given_mg, planned_mg, dosed_days: of the leading drug of the first treatment, and days on which it was
    taken.   holds_before, reductions_before: counted when the first treatment gave way to another.
    gcsf_until_day: G-CSF is given before this day.   gcsf_courses: begun.
    next_therapy_day: another therapy before progression.   later_progression_day: under what followed.
    """

    regimen: Integers
    start_day: Integers
    glue_day: Integers
    dose: DoseState
    line: Integers
    second_day: Floats
    off_day: Floats
    off_reason: Texts
    given_mg: Floats
    planned_mg: Floats
    dosed_days: Integers
    holds_before: Integers
    reductions_before: Integers
    gcsf_until_day: Floats
    gcsf_courses: Integers
    next_therapy_day: Floats
    later_progression_day: Floats

    @classmethod
    def begin(cls, plan: Treatments) -> Dosing:
        """Everybody on the regimen of the arm, at its starting dose."""
        n = plan.first.size

        def zeros() -> Integers:
            return np.zeros(n, dtype=np.int64)

        return cls(
            regimen=plan.first.copy(),
            start_day=zeros(),
            glue_day=zeros(),
            dose=DoseState.start(plan.glue_mg(plan.first, np.arange(n))),
            line=zeros(),
            second_day=np.full(n, np.inf),
            off_day=np.full(n, np.inf),
            off_reason=np.full(n, "", dtype="<U16"),
            given_mg=np.zeros(n),
            planned_mg=np.zeros(n),
            dosed_days=zeros(),
            holds_before=zeros(),
            reductions_before=zeros(),
            gcsf_until_day=np.full(n, -np.inf),
            gcsf_courses=zeros(),
            next_therapy_day=np.full(n, np.inf),
            later_progression_day=np.full(n, np.inf),
        )

    @property
    def treated(self) -> Bools:
        """(n,) who is on a regimen."""
        return np.asarray(self.regimen != NO_REGIMEN)

    @property
    def later_lines(self) -> Integers:
        """(n,) lines after the first: none, the one that followed, and one more when that has ended."""
        return np.where(self.line == 0, 0, np.where(self.treated, 1, 2))

    @property
    def holds(self) -> Integers:
        """(n,) holds during the first treatment."""
        return np.where(self.line == 0, self.dose.holds, self.holds_before)

    @property
    def reductions(self) -> Integers:
        """(n,) reductions during the first treatment."""
        return np.where(self.line == 0, self.dose.reductions, self.reductions_before)

    def stop(self, who: Integers, day: Integers, reason: str) -> None:
        """End the treatment of `who` on `day`, (n,); a first treatment that ended before keeps its date."""
        first = who[(self.line[who] == 0) & ~np.isfinite(self.off_day[who])]
        self.off_day[first] = day[first]
        self.off_reason[first] = reason
        self.regimen[who] = NO_REGIMEN

    def begin_second(self, plan: Treatments, who: Integers, day: Integers) -> Begun:
        """Begin what follows progression on `day`, (n,): the glue at its starting dose, or as it stands if it
        goes on."""
        who = who[self.line[who] == 0]
        goes_on = plan.goes_on[who]
        # A glue that is added to what goes on begins as well: only one that was given before stays as it is.
        begins = who[~(goes_on & plan.with_glue[plan.first[who]])]
        self.holds_before[who] = self.dose.holds[who]
        self.reductions_before[who] = self.dose.reductions[who]
        start_mg = plan.glue_mg(plan.following[begins], begins)
        self.dose = self.dose.put(begins, DoseState.start(start_mg)) if who.size else self.dose
        self.regimen[who] = plan.following[who]
        self.line[who] = 1
        fresh, keeps = who[~goes_on], who[goes_on]
        self.start_day[fresh] = day[fresh]
        self.glue_day[begins] = day[begins]
        self.start_day[keeps] += (day[keeps] - self.start_day[keeps]) // plan.cycle_days * plan.cycle_days
        return Begun(who, begins)

    def course(self) -> Course:
        """The doses in force."""
        return Course(self.regimen, self.start_day, self.dose.dose_mg, self.dose.held | self.dose.stopped)

    def daily_mg(self, plan: Treatments, at: Integers) -> Floats:
        """(m,) dose of the glue of the patients `at` (m,) from now on, or of the first drug without one."""
        regimen = self.regimen[at]
        given = regimen != NO_REGIMEN
        out = ~given | self.dose.held[at] | self.dose.stopped[at]
        glue_mg = np.where(out, 0.0, self.dose.dose_mg[at])
        return np.where(given & ~plan.with_glue[regimen], plan.leading_mg[regimen, at], glue_mg)

    def give(self, plan: Treatments, day: Integers, until: Integers) -> DoseList:
        """The doses from `day` to `until`, (n,) each, the last not included; those of the leading drug of the
        first treatment are counted beside what was planned."""
        doses = doses_between(plan.regimens, self.course(), plan.age_y, (day, until), plan.missed)
        counted = doses.leading & (self.line[doses.patient] == 0)
        patient = doses.patient[counted]
        self.given_mg += np.bincount(patient, doses.amount_mg[counted], minlength=day.size)
        self.dosed_days += np.bincount(patient, minlength=day.size)
        for number in plan.first_ones:
            mine = np.flatnonzero((self.regimen == number) & (self.line == 0))
            on_day = plan.regimens[number].leading.on_day
            due = days_due(on_day, self.start_day[mine], day[mine], until[mine])
            self.planned_mg[mine] += due * plan.starting_mg[mine]
        return doses
