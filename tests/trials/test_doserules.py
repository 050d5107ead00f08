"""Hold, resume, reduce, stop: the label's rules one visit at a time."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.trials.doserules import (
    Action,
    DoseState,
    Findings,
    Intolerance,
    apply_rules,
    available_rules,
    load_rules,
)

LABEL = load_rules("pomalidomide-us-label")


def at_visit(state, anc=3.0, platelets=150.0, **seen):
    findings = Findings(
        np.array([anc]),
        np.array([platelets]),
        np.array([seen.get("cycle_begins", False)]),
        np.array([seen.get("toxicity", False)]),
        np.array([seen.get("intolerance", Intolerance.NONE)]),
    )
    after, action = apply_rules(LABEL, state, findings)
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
