"""What is decided at a visit: progression, treatment after it, doses, the next visit.

Each function changes the ward for the patients `at`, (m,) indices, who are seen now.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.doserules import Action, DoseState, Findings, apply_rules
from glueprint.trials.conduct.measuring import Labs
from glueprint.trials.conduct.response import is_progression
from glueprint.trials.conduct.ward import Setting, Ward
from glueprint.trials.patients import Intolerance
from glueprint.trials.protocol import NO_REGIMEN

__all__ = ["change_doses", "decide_progression", "plan_next_visit"]

Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


def decide_progression(setting: Setting, ward: Ward, at: Integers, labs: Labs, assessment: Bools) -> None:
    """Progression by M-protein when two assessments in a row show it, dated at the first; otherwise by
    clinical signs.

    Progression ends the treatment in force; after the first one, another may follow.
    """
    m_protein = labs.m_protein_g_per_l
    watched = (ward.line[at] == 0) & ~np.isfinite(ward.seen_progression_day[at])
    watched |= (ward.line[at] == 1) & (ward.regimen[at] != NO_REGIMEN)
    shows = watched & assessment & is_progression(m_protein, ward.nadir[at])
    confirmed = shows & np.isfinite(ward.suspected_day[at])
    clinical = watched & (ward.line[at] == 0) & (ward.clinical_day[at] <= ward.day[at]) & ~confirmed
    first_day = np.where(confirmed, ward.suspected_day[at], ward.day[at])
    ward.suspected_day[at] = np.where(
        assessment, np.where(shows & ~confirmed, ward.day[at], np.inf), ward.suspected_day[at]
    )
    ward.nadir[at] = np.where(assessment, np.minimum(ward.nadir[at], m_protein), ward.nadir[at])

    now = confirmed | clinical
    first = at[now & (ward.line[at] == 0)]
    ward.seen_progression_day[first] = first_day[now & (ward.line[at] == 0)]
    _stop(ward, first, "progression")
    again = at[now & (ward.line[at] == 1)]
    ward.regimen[again] = NO_REGIMEN
    ward.suspected_day[at[now]] = np.inf
    follows = first[setting.following[first] != NO_REGIMEN]
    ward.second_day[follows] = ward.day[follows] + setting.delay_days[follows]
    _begin_second(setting, ward, at[ward.second_day[at] <= ward.day[at]])


def _stop(ward: Ward, who: Integers, reason: str) -> None:
    """End the first treatment of `who`; one that ended before keeps its date."""
    running = who[~np.isfinite(ward.off_day[who])]
    ward.off_day[running] = ward.day[running]
    ward.off_reason[running] = reason
    ward.regimen[who] = NO_REGIMEN


def _begin_second(setting: Setting, ward: Ward, who: Integers) -> None:
    """Begin what follows progression: the glue at its starting dose, or as it stands if it was kept."""
    who = who[ward.line[who] == 0]
    if not who.size:
        return
    age = setting.people.values["age_y"]
    kept = np.array(
        [bool(a.after_progression and a.after_progression.keep_current) for a in setting.protocol.arms]
    )
    fresh = who[~kept[setting.people.arm[who]]]
    # A glue that is added to what goes on begins as well: only one that was given before stays as it is.
    had_glue = np.array([plan.glue is not None for plan in setting.regimens])[setting.people.arm[who]]
    begins = who[~(kept[setting.people.arm[who]] & had_glue)]
    start = np.zeros(age.size)
    for number, regimen in enumerate(setting.regimens):
        mine = begins[setting.following[begins] == number]
        start[mine] = regimen.glue.planned_mg(age)[mine] if regimen.glue else 0.0
    ward.holds_before[who] = ward.dose.holds[who]
    ward.reductions_before[who] = ward.dose.reductions[who]
    ward.dose = ward.dose.put(begins, DoseState.start(start[begins]))
    cycle_days = setting.protocol.cycle_days
    ward.regimen[who] = setting.following[who]
    ward.line[who] = 1
    keeps = who[kept[setting.people.arm[who]]]
    ward.start_day[fresh] = ward.day[fresh]
    ward.glue_day[begins] = ward.day[begins]
    ward.start_day[keeps] += (ward.day[keeps] - ward.start_day[keeps]) // cycle_days * cycle_days
    ward.nadir[who] = np.inf
    ward.intolerance[begins] = Intolerance.NONE


def change_doses(setting: Setting, ward: Ward, at: Integers, labs: Labs) -> Integers:
    """Apply the dose rules of the regimen in force; returns the action per patient, (m,)."""
    action = np.full(at.size, Action.NONE, dtype=np.int64)
    cycle_begins = setting.planned(at, ward.day[at], setting.calendar.cycle_begins)
    _see_intolerance(setting, ward, at)
    for number, regimen in enumerate(setting.regimens):
        glue, mine = regimen.glue, ward.regimen[at] == number
        if glue is None or glue.rules is None or not mine.any():
            continue
        rules, who = glue.rules, at[mine]
        findings = Findings(
            anc_1e9_per_l=labs.anc_1e9_per_l[mine],
            platelets_1e9_per_l=labs.platelets_1e9_per_l[mine],
            cycle_begins=cycle_begins[mine],
            toxicity_ongoing=_pneumonia_holds(ward, who, rules.other_toxicity.hold_days),
            intolerance=ward.intolerance[who],
        )
        after, done = apply_rules(rules, ward.dose.take(who), findings)
        ward.dose = ward.dose.put(who, after)
        action[mine] = done
        stopped = who[done == Action.STOP]
        _stop(ward, stopped[ward.line[stopped] == 0], "toxicity")
        ward.regimen[stopped] = NO_REGIMEN
    return action


def _pneumonia_holds(ward: Ward, who: Integers, hold_days: int) -> Bools:
    """(m,) whether pneumonia is new since the last visit, or not yet over."""
    began, day = ward.pneumonia_day[who], ward.day[who]
    return np.asarray((began <= day) & ((began > ward.previous_day[who]) | (day < began + hold_days)))


def _see_intolerance(setting: Setting, ward: Ward, at: Integers) -> None:
    """Intolerance since the last visit holds the drug from now on; one whose time is over lets it go."""
    over = at[ward.intolerance_until[at] <= ward.day[at]]
    ward.intolerance[over] = Intolerance.NONE
    new = at[(ward.intolerance_day[at] > ward.previous_day[at]) & (ward.intolerance_day[at] <= ward.day[at])]
    ward.intolerance_until[new] = ward.day[new] + setting.tolerability.hold_d
    ward.intolerance[new] = setting.draws.intolerance.outcomes(
        new, ward.intolerances[new] - 1, ward.day[new] - ward.glue_day[new], setting.tolerability
    )


def _days_between_counts(setting: Setting) -> Integers:
    """(regimens,) days between two looks at the counts of a held drug; without rules none is held."""
    rules = [regimen.glue.rules if regimen.glue else None for regimen in setting.regimens]
    return np.array([one.counts_while_held_every_days if one else 1 for one in rules], dtype=np.int64)


def plan_next_visit(setting: Setting, ward: Ward, at: Integers) -> None:
    """The next planned visit, or an earlier extra one: to confirm a progression, while held, to begin
    treatment, at the end of a hold for intolerance or of a course of G-CSF.

    Without treatment only disease assessments are kept.
    """
    day = ward.day[at]
    kept = (ward.regimen[at] != NO_REGIMEN)[:, None] | setting.calendar.assessment
    ahead = np.where(
        kept & (setting.visit_days[at] > day[:, None]), setting.visit_days[at], np.iinfo(np.int64).max
    )
    planned = np.minimum(ahead.min(axis=1), ward.cut_day[at])
    held = ward.dose.held[at] & (ward.regimen[at] != NO_REGIMEN)
    confirm = np.isfinite(ward.suspected_day[at])
    looked_at = day + _days_between_counts(setting)[ward.regimen[at]]
    planned = np.where(held, np.minimum(planned, looked_at), planned)
    extra = day + setting.protocol.visits.confirmation_after_days
    planned = np.where(confirm, np.minimum(planned, extra), planned)
    waiting = ward.second_day[at] > day
    planned = np.where(waiting, np.minimum(planned, ward.second_day[at]), planned)
    for ends in (ward.gcsf_until_day[at], np.where(held, ward.intolerance_until[at], -np.inf)):
        planned = np.where(ends > day, np.minimum(planned, np.ceil(ends)), planned)
    ward.next_day[at] = np.minimum(planned, ward.cut_day[at]).astype(np.int64)
