"""What is decided at a visit: progression, treatment after it, doses, G-CSF, the next visit.

Each function changes the ward for the patients of a visit, (m,), who are seen now.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.doserules import Action, Findings, apply_rules
from glueprint.trials.conduct.visit import Visit
from glueprint.trials.conduct.ward import Setting, Ward
from glueprint.trials.patients import Intolerance
from glueprint.trials.protocol import NO_REGIMEN

__all__ = ["decide"]

Integers = NDArray[np.int64]


def decide(setting: Setting, ward: Ward, visit: Visit) -> Integers:
    """Everything that a visit decides; returns what the rules did to the drug, (m,) `Action`."""
    _treat_progression(setting, ward, visit)
    action = _change_doses(setting, ward, visit)
    _give_gcsf(setting, ward, visit)
    _plan_next_visit(setting, ward, visit)
    return action


def _treat_progression(setting: Setting, ward: Ward, visit: Visit) -> None:
    """Progression ends the treatment in force; after the first one, another may follow."""
    at, day, plan = visit.patient, ward.follow_up.day, setting.treatments
    suspected = ward.disease.suspected_day.copy()
    progressed = ward.disease.look(visit, ward.dosing)
    line = ward.dosing.line[progressed]
    first, later = progressed[line == 0], progressed[line == 1]
    # Under what followed M-protein alone shows progression, dated at the first of two assessments.
    ward.dosing.later_progression_day[later] = suspected[later]
    ward.dosing.stop(progressed, day, "progression")
    follows = first[plan.following[first] != NO_REGIMEN]
    ward.dosing.second_day[follows] = day[follows] + plan.delay_days[follows]
    _leave(setting, ward, visit)
    begun = ward.dosing.begin_second(plan, at[ward.dosing.second_day[at] <= visit.day], day)
    # Whoever has another therapy before progression keeps the lowest value that progression is seen from.
    new = begun.who[np.isfinite(ward.disease.seen_progression_day[begun.who])]
    ward.disease.nadir[new] = np.inf
    ward.toxicity.intolerance[begun.glue] = Intolerance.NONE


def _leave(setting: Setting, ward: Ward, visit: Visit) -> None:
    """Before progression a patient may end the first treatment, or be given another therapy: that of the arm
    after progression, from this visit on, or one that nothing is known of."""
    dosing, leaving, day = ward.dosing, setting.leaving, ward.follow_up.day
    treated = visit.patient[dosing.treated[visit.patient] & (dosing.line[visit.patient] == 0)]
    turned = treated[leaving.next_therapy_day[treated] <= day[treated]]
    dosing.stop(turned, day, "next therapy")
    dosing.next_therapy_day[turned] = day[turned]
    follows = turned[setting.treatments.following[turned] != NO_REGIMEN]
    dosing.second_day[follows] = day[follows]
    stays = treated[leaving.next_therapy_day[treated] > day[treated]]
    dosing.stop(stays[leaving.stops_day[stays] <= day[stays]], day, "patient decision")


def _change_doses(setting: Setting, ward: Ward, visit: Visit) -> Integers:
    """Apply the dose rules of the regimens in force; returns the action per patient, (m,)."""
    at, dosing, toxicity = visit.patient, ward.dosing, ward.toxicity
    action = np.full(at.size, Action.NONE, dtype=np.int64)
    toxicity.see_intolerance(visit, dosing.glue_day, setting.fate, setting.tolerability)
    in_force = setting.treatments.rules_of[dosing.regimen[at]]
    for number, rules in enumerate(setting.treatments.rules):
        mine = in_force == number
        if not mine.any():
            continue
        who = at[mine]
        findings = Findings(
            anc_1e9_per_l=visit.labs.anc_1e9_per_l[mine],
            platelets_1e9_per_l=visit.labs.platelets_1e9_per_l[mine],
            cycle_begins=visit.cycle_begins[mine],
            toxicity_ongoing=toxicity.holds(visit, rules.other_toxicity.hold_days)[mine],
            intolerance=toxicity.intolerance[who],
        )
        after, done = apply_rules(rules, dosing.dose.take(who), findings)
        dosing.dose = dosing.dose.put(who, after)
        action[mine] = done
        dosing.stop(who[done == Action.STOP], ward.follow_up.day, "toxicity")
    return action


def _give_gcsf(setting: Setting, ward: Ward, visit: Visit) -> None:
    """Begin and end G-CSF by the neutrophils just measured.

    Secondary: a course of `gcsf_days` begins below the limit, and ends with the count that it aims at.
    Primary: from the first day to the last under a glue.
    Source: `supportive_care` of the protocol.
    """
    care, dosing = setting.care, ward.dosing
    if care.gcsf == "none":
        return
    at, day, anc = visit.patient, visit.day, visit.labs.anc_1e9_per_l
    under_glue = dosing.treated[at] & setting.treatments.with_glue[dosing.regimen[at]]
    until = dosing.gcsf_until_day[at]
    if care.gcsf == "primary":
        after = np.where(under_glue, np.inf, -np.inf)
    else:
        recovered = anc >= care.gcsf_until_1e9_per_l
        starts = under_glue & (anc < care.gcsf_below_1e9_per_l) & (until <= day)
        after = np.where(starts, day + care.gcsf_days, np.where(recovered, -np.inf, until))
    dosing.gcsf_courses[at] += (until <= day) & (after > day)
    dosing.gcsf_until_day[at] = after


def _plan_next_visit(setting: Setting, ward: Ward, visit: Visit) -> None:
    """The next planned visit, or an earlier extra one: to confirm a progression, while held, to begin
    treatment, at the end of a hold for intolerance or of a course of G-CSF.

    Without treatment only disease assessments are kept.
    """
    at, day, dosing = visit.patient, visit.day, ward.dosing
    treated, cut = dosing.treated[at], ward.follow_up.cut_day[at]
    held = dosing.dose.held[at] & treated
    planned = np.minimum(setting.timetable.next_after(at, day, treated), cut)
    looked_at = day + setting.treatments.counts_every_days[dosing.regimen[at]]
    planned = np.where(held, np.minimum(planned, looked_at), planned)
    extra = day + setting.visits.confirmation_after_days
    confirm = np.isfinite(ward.disease.suspected_day[at])
    planned = np.where(confirm, np.minimum(planned, extra), planned)
    second = dosing.second_day[at]
    planned = np.where(second > day, np.minimum(planned, second), planned)
    over = np.where(held, ward.toxicity.intolerance_until[at], -np.inf)
    for ends in (dosing.gcsf_until_day[at], over):
        planned = np.where(ends > day, np.minimum(planned, np.ceil(ends)), planned)
    ward.follow_up.next_day[at] = np.minimum(planned, cut).astype(np.int64)
