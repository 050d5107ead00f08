"""Hold, resume, reduce, stop: rules one visit at a time, those of labels and others."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.trials.conduct.doserules import Action, DoseState, Findings, apply_rules
from glueprint.trials.patients.tolerability import Intolerance
from glueprint.trials.protocol.ladder import ladder
from glueprint.trials.protocol.rules_document import Reductions
from glueprint.trials.protocol.rules_loading import available_rules, load_rules

LABEL = load_rules("pomalidomide-us-label")
LENALIDOMIDE = load_rules("lenalidomide-us-label")


def at_visit(state, anc=3.0, platelets=150.0, rules=LABEL, **seen):
    findings = Findings(
        np.array([anc]),
        np.array([platelets]),
        np.array([seen.get("cycle_begins", False)]),
        np.array([seen.get("toxicity", False)]),
        np.array([seen.get("intolerance", Intolerance.NONE)]),
    )
    after, action = apply_rules(rules, state, findings)
    return after, Action(int(action[0]))


def start(dose_mg=4.0):
    return DoseState.start(np.array([dose_mg]))


def test_the_label_comes_with_its_evidence():
    assert "pomalidomide-us-label" in available_rules()
    assert {"CL155", "CL156", "CL157"} <= set(LABEL.sources)


@pytest.mark.parametrize(
    ("anc", "platelets", "expected"),
    [
        (0.5, 25.0, Action.NONE),
        (0.499, 150.0, Action.HOLD),
        (3.0, 24.9, Action.HOLD),
        (0.6, 30.0, Action.NONE),
    ],
)
def test_hold_below_the_limits(anc, platelets, expected):
    assert at_visit(start(), anc, platelets)[1] == expected


@pytest.mark.parametrize(
    ("anc", "platelets", "expected"),
    [
        (0.5, 50.0, Action.RESUME_LOWER),
        (0.49, 150.0, Action.KEEP_HELD),
        (3.0, 49.0, Action.KEEP_HELD),
    ],
)
def test_resume_when_both_have_recovered(anc, platelets, expected):
    held, _ = at_visit(start(), anc=0.4)
    assert held.held[0]
    assert at_visit(held, anc, platelets)[1] == expected


def test_first_resumes_at_3_mg_then_one_less_each_time_and_stops_below_1():
    state, doses, actions = start(), [], []
    for _ in range(4):
        state, _ = at_visit(state, anc=0.4)
        state, action = at_visit(state)
        doses.append(float(state.dose_mg[0]))
        actions.append(action)
    assert doses == [3.0, 2.0, 1.0, 0.0]
    assert actions == [Action.RESUME_LOWER] * 3 + [Action.STOP]
    assert (state.reductions[0], state.holds[0], bool(state.stopped[0])) == (3, 4, True)
    assert at_visit(state, anc=0.4)[1] == Action.NONE


def test_a_start_at_2_mg_goes_to_1_mg():
    state, _ = at_visit(start(2.0), anc=0.4)
    assert at_visit(state)[0].dose_mg[0] == 1.0


def test_the_gate_of_a_cycle_delays_without_a_reduction():
    state, action = at_visit(start(), platelets=40.0, cycle_begins=True)
    assert action == Action.HOLD
    state, action = at_visit(state, platelets=60.0)
    assert (action, float(state.dose_mg[0]), int(state.reductions[0])) == (Action.RESUME_SAME, 4.0, 0)


def test_a_drop_during_the_delay_makes_it_a_reduction():
    state, _ = at_visit(start(), platelets=40.0, cycle_begins=True)
    state, _ = at_visit(state, platelets=20.0)
    assert at_visit(state)[1] == Action.RESUME_LOWER


def test_other_toxicity_holds_until_it_is_over():
    state, action = at_visit(start(), toxicity=True)
    assert action == Action.HOLD
    assert at_visit(state, toxicity=True)[1] == Action.KEEP_HELD
    assert at_visit(state)[1] == Action.RESUME_LOWER


@pytest.mark.parametrize(
    ("follows", "dose_mg", "action"),
    [
        (Intolerance.SAME_DOSE, 4.0, Action.RESUME_SAME),
        (Intolerance.LOWER_DOSE, 3.0, Action.RESUME_LOWER),
    ],
)
def test_intolerance_holds_until_it_is_over_and_resumes_as_drawn(follows, dose_mg, action):
    state, first = at_visit(start(), intolerance=follows)
    assert first == Action.HOLD
    state, second = at_visit(state, intolerance=follows)
    assert second == Action.KEEP_HELD
    state, third = at_visit(state)
    assert (third, float(state.dose_mg[0]), int(state.holds[0])) == (action, dose_mg, 1)
    assert state.reductions[0] == (action == Action.RESUME_LOWER)


@pytest.mark.parametrize("before", [{}, {"anc": 0.4}])
def test_intolerance_may_end_the_treatment_at_once(before):
    state, _ = at_visit(start(), **before)
    state, action = at_visit(state, intolerance=Intolerance.STOP)
    assert action == Action.STOP
    assert (bool(state.stopped[0]), bool(state.held[0]), float(state.dose_mg[0])) == (True, False, 0.0)
    assert at_visit(state, intolerance=Intolerance.STOP)[1] == Action.NONE


def test_low_counts_during_intolerance_still_lower_the_dose():
    state, _ = at_visit(start(), intolerance=Intolerance.SAME_DOSE)
    state, _ = at_visit(state, anc=0.4)
    assert at_visit(state)[1] == Action.RESUME_LOWER


def test_taking_and_putting_back_some_patients():
    state = DoseState.start(np.array([4.0, 2.0, 3.0]))
    some = state.take(np.array([0, 2]))
    assert some.dose_mg.tolist() == [4.0, 3.0]
    held, _ = at_visit(state.take(np.array([1])), anc=0.1)
    after = state.put(np.array([1]), held)
    assert after.held.tolist() == [False, True, False]
    assert state.held.tolist() == [False, False, False]


def others(rules=LABEL, **changes):
    """The rules with other parts, checked as in a file."""
    parts = {
        name: getattr(rules, name).model_dump() | change if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return type(rules).model_validate(rules.model_dump() | parts)


def fallen(rules, start_mg, times=6):
    """The doses after each of several falls of the neutrophils, until the drug is stopped."""
    state, doses = start(start_mg), []
    for _ in range(times):
        state, _ = at_visit(state, anc=0.1, rules=rules)
        state, action = at_visit(state, rules=rules)
        doses.append(float(state.dose_mg[0]))
        if action == Action.STOP:
            break
    return doses


STEPS = {"levels_mg": (), "lowest_mg": 1.0}


@pytest.mark.parametrize(
    ("reductions", "start_mg", "expected"),
    [
        ({}, 4.0, [3, 2, 1, 0]),
        ({"at_lowest": "stay"}, 4.0, [3, 2, 1, 1, 1, 1]),
        ({"other_starts": "next level"}, 8.0, [4, 3, 2, 1, 0]),
        ({"other_starts": "next level"}, 2.5, [2, 1, 0]),
        (STEPS | {"step_mg": 2.0}, 8.0, [6, 4, 2, 0]),
        (STEPS | {"step_mg": 2.0, "at_lowest": "stay"}, 4.0, [2, 1, 1, 1, 1, 1]),
        (STEPS | {"step_mg": 1.0, "first_mg": 3.0}, 8.0, [3, 2, 1, 0]),
        (STEPS | {"step_percent": 25.0}, 8.0, [6, 4.5, 3.375, 2.53125, 1.8984375, 1.423828125]),
        (STEPS | {"step_percent": 50.0}, 4.0, [2, 1, 0]),
        (STEPS | {"step_mg": 0.1, "lowest_mg": 0.1}, 0.4, [0.3, 0.2, 0.1, 0]),
    ],
)
def test_ways_down(reductions, start_mg, expected):
    rules = others(reductions=reductions)
    assert fallen(rules, start_mg) == pytest.approx(expected)
    given = list(dict.fromkeys(dose for dose in expected if dose > 0))
    assert ladder(rules.reductions, start_mg)[: 1 + len(given)] == pytest.approx((start_mg, *given))


def test_a_fall_ends_at_the_lowest_dose():
    assert ladder(LABEL.reductions, 1.0) == (1.0,)
    assert ladder(Reductions(levels_mg=(4, 2), at_lowest="stay", other_starts="next level"), 6.0) == (6, 4, 2)


def test_a_dose_that_stays_at_the_lowest_is_not_counted_as_reduced():
    rules = others(reductions={"at_lowest": "stay"})
    state, _ = at_visit(start(1.0), anc=0.1, rules=rules)
    state, action = at_visit(state, rules=rules)
    assert (action, float(state.dose_mg[0])) == (Action.RESUME_SAME, 1.0)
    assert (int(state.reductions[0]), bool(state.stopped[0])) == (0, False)


def test_the_label_of_lenalidomide():
    # GLU055: at the same dose after the first neutropenia alone, a level lower after each later one.
    assert fallen(LENALIDOMIDE, 25.0, times=7) == [25, 15, 10, 5, 2.5, 2.5, 2.5]
    # GLU054: platelets lower the dose each time, from 30 (1e9/L).
    state, action = at_visit(start(25.0), platelets=29.9, rules=LENALIDOMIDE)
    assert action == Action.HOLD
    state, action = at_visit(state, platelets=30.0, rules=LENALIDOMIDE)
    assert (action, float(state.dose_mg[0])) == (Action.RESUME_LOWER, 15.0)


@pytest.mark.parametrize(
    "beside",
    [{"platelets": 20.0}, {"toxicity": True}, {"intolerance": Intolerance.SAME_DOSE}],
)
@pytest.mark.parametrize("later", [False, True])
def test_the_first_neutropenia_of_lenalidomide_beside_other_toxicity_lowers(beside, later):
    seen = [{"anc": 0.9}, {"anc": 0.9} | beside] if later else [{"anc": 0.9} | beside]
    state = start(25.0)
    for visit in seen:
        state, _ = at_visit(state, rules=LENALIDOMIDE, **visit)
    state, action = at_visit(state, rules=LENALIDOMIDE)
    assert (action, float(state.dose_mg[0])) == (Action.RESUME_LOWER, 15.0)


def test_falls_are_counted_for_each_lineage():
    rules = others(platelets={"first_fall": "same"}, anc={"first_fall": "same"})
    state, _ = at_visit(start(), anc=0.1, rules=rules)
    state, _ = at_visit(state, rules=rules)
    assert state.falls.tolist() == [[1, 0]]
    state, _ = at_visit(state, platelets=1.0, rules=rules)
    state, action = at_visit(state, rules=rules)
    assert (action, state.falls.tolist()) == (Action.RESUME_SAME, [[1, 1]])
    state, _ = at_visit(state, platelets=1.0, rules=rules)
    assert at_visit(state, rules=rules)[1] == Action.RESUME_LOWER


@pytest.mark.parametrize(("lineage", "seen"), [("anc", {"anc": 0.01}), ("platelets", {"platelets": 0.1})])
def test_a_lineage_without_a_limit_holds_nothing(lineage, seen):
    never = {"hold_below_1e9_per_l": 0, "resume_at_least_1e9_per_l": 0, "cycle_at_least_1e9_per_l": 0}
    rules = others(**{lineage: never})
    assert at_visit(start(), rules=rules, cycle_begins=True, **seen)[1] == Action.NONE
    assert at_visit(start(), cycle_begins=True, **seen)[1] == Action.HOLD


def test_a_cycle_waits_for_its_gate_and_not_for_the_limit_of_a_hold():
    rules = others(anc={"cycle_at_least_1e9_per_l": 1.0})
    state, action = at_visit(start(), anc=0.7, rules=rules, cycle_begins=True)
    assert action == Action.HOLD
    state, action = at_visit(state, anc=0.7, rules=rules)
    assert action == Action.KEEP_HELD
    state, action = at_visit(state, anc=1.0, rules=rules)
    assert (action, float(state.dose_mg[0])) == (Action.RESUME_SAME, 4.0)
    # Within a cycle the gate does not matter.
    assert at_visit(state, anc=0.7, rules=rules)[1] == Action.NONE


def test_other_toxicity_may_resume_at_the_same_dose():
    rules = others(other_toxicity={"resume": "same"})
    state, _ = at_visit(start(), rules=rules, toxicity=True)
    state, action = at_visit(state, rules=rules)
    assert (action, float(state.dose_mg[0])) == (Action.RESUME_SAME, 4.0)
