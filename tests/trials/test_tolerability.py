"""Intolerance and forgotten doses: distributions of the draws, and what they do in a conducted trial."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from glueprint.trials import load_protocol
from glueprint.trials.conduct.conducting import conduct
from glueprint.trials.conduct.doserules import Action
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.draws import Truth
from glueprint.trials.patients.population import draw_population
from glueprint.trials.patients.tolerability import (
    EVENTS_DRAWN,
    PATIENTS_AT_ONCE,
    EventDraws,
    Intolerance,
    Tolerability,
    missed_doses,
)

MM003 = load_protocol("mm003")
STREAM = Stream(5, "mm003", 1)
MANY = np.arange(20_000)
NONE_YET = np.zeros(MANY.size, dtype=np.int64)
DRAWS = EventDraws.of(STREAM, MANY)
USUAL = Tolerability(hold_d=10.0, reduced_share=0.3, early_d=90.0, stopped_share=0.1, missed_dose_share=0.05)


def lived(**overrides):
    """One trial of MM-003 in which these parameters hold."""
    people = draw_population(MM003, STREAM, Truth(overrides))
    return conduct(MM003, people, STREAM)


def test_the_hazard_until_the_next_event_is_exponential():
    first, second = DRAWS.hazards(MANY, NONE_YET), DRAWS.hazards(MANY, NONE_YET + 1)
    # 20,000 patients: standard error 0.007 of a mean, of a median 0.007, of a correlation 0.007.
    assert first.mean() == pytest.approx(1.0, abs=0.03)
    assert np.median(first) == pytest.approx(np.log(2.0), abs=0.03)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_a_patients_draws_depend_on_nobody_else():
    alone = EventDraws.of(STREAM, MANY[9:10])
    for event in (0, 3, EVENTS_DRAWN + 4):
        whole = DRAWS.hazards(np.array([7, 8, 9]), np.array([0, 1, event]))
        assert whole[2] == alone.hazards(np.array([0]), np.array([event]))[0]


def test_more_events_than_are_drawn_at_once():
    event = np.full(MANY.size, EVENTS_DRAWN + 1)
    assert DRAWS.hazards(MANY, event).mean() == pytest.approx(1.0, abs=0.03)
    code = DRAWS.outcomes(MANY, event, NONE_YET, USUAL)
    assert (code == Intolerance.STOP).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(("days_on_glue", "lowered"), [(0, 0.3), (90, 0.3 / np.e), (5000, 0.0)])
def test_shares_of_what_follows(days_on_glue, lowered):
    code = DRAWS.outcomes(MANY, NONE_YET, np.full(MANY.size, days_on_glue), USUAL)
    # Binomial standard errors of 20,000 patients are below 0.0033.
    for wanted, share in (
        (Intolerance.STOP, 0.1),
        (Intolerance.LOWER_DOSE, lowered),
        (Intolerance.SAME_DOSE, 0.9 - lowered),
    ):
        assert (code == wanted).mean() == pytest.approx(share, abs=0.013)


def reduction_days(early_d):
    """Days from the first dose of the glue to each reduction, of the first and of the second treatment."""
    done = lived(
        other_toxicity_per_month=1.0,
        other_toxicity_reduced_share=0.9,
        neutrophil_arrested_death=0.0,
        early_d=early_d,
    )
    second = np.full(done.people.size, np.inf)
    days = ([], [])
    for log in done.visits:
        second[log.patient] = np.minimum(second[log.patient], np.where(log.line == 1, log.day, np.inf))
        since = log.day - np.where(log.line == 1, second[log.patient], 0)
        for line in (0, 1):
            days[line].extend(since[(log.action == Action.RESUME_LOWER) & (log.line == line)].tolist())
    return days


def test_dose_is_lowered_early_and_anew_after_cross_over():
    for early, always in zip(reduction_days(30.0), reduction_days(1e6), strict=True):
        # What platelets and pneumonia lower does not know of it, so a part stays late.
        assert sum(day > 42 for day in early) < 0.5 * sum(day > 42 for day in always)
        assert sum(day <= 42 for day in early) > 15


def test_share_and_independence_of_missed_days():
    missed = missed_doses(USUAL, STREAM, MANY[:2000], 100)
    assert missed.mean() == pytest.approx(0.05, abs=0.002)  # 200,000 days: standard error 0.0005
    alone = missed_doses(USUAL, STREAM, MANY[PATIENTS_AT_ONCE + 3 :][:1], 40)
    assert (alone == missed[PATIENTS_AT_ONCE + 3, :40]).all()
    assert missed_doses(dataclasses.replace(USUAL, missed_dose_share=0.0), STREAM, MANY, 100).shape[1] == 0


def test_without_its_hazard_there_is_none():
    done = lived(other_toxicity_per_month=0.0)
    assert (done.ward.toxicity.intolerances == 0).all()
    assert (done.ward.toxicity.intolerance == Intolerance.NONE).all()


def test_only_patients_who_take_the_glue_have_it():
    done = lived(other_toxicity_per_month=2.0)
    never = np.ones(done.people.size, dtype=np.bool_)
    for log in done.visits:
        glue = np.isin(log.regimen, (0, 2, 3))  # POM+LoDEX, and what follows in either arm
        never[log.patient[glue]] = False
    assert never.any()
    assert (done.ward.toxicity.intolerances[never] == 0).all()
    assert done.ward.toxicity.intolerances[done.people.arm == 0].mean() > 1.0


@pytest.mark.parametrize(
    ("shares", "after"),
    [
        ({"other_toxicity_reduced_share": 1e-9, "other_toxicity_stopped_share": 1e-9}, Action.RESUME_SAME),
        ({"other_toxicity_reduced_share": 1 - 1e-9, "other_toxicity_stopped_share": 1e-9}, None),
        ({"other_toxicity_reduced_share": 1e-9, "other_toxicity_stopped_share": 1 - 1e-9}, Action.STOP),
    ],
)
def test_each_outcome_of_a_hold(shares, after):
    done = lived(other_toxicity_per_month=1.0, neutrophil_arrested_death=0.0, **shares)
    actions = np.concatenate([log.action[log.line == 0] for log in done.visits])
    if after is None:
        # Lowered each time; some resume at the same dose after platelets alone delayed a cycle.
        assert (actions == Action.RESUME_LOWER).sum() > 100
    else:
        assert (actions == after).sum() > 50
    stopped = done.ward.dosing.off_reason == "toxicity"
    intolerant = done.ward.toxicity.intolerance_day < done.ward.dosing.off_day
    if after == Action.STOP:
        first = stopped & (
            done.ward.dosing.line == 0
        )  # what followed progression has intolerances of its own
        assert (done.ward.toxicity.intolerances[first] == 1).mean() > 0.9
        assert not (actions == Action.RESUME_LOWER).sum() > 20
    else:
        assert stopped.sum() < intolerant.sum()


def test_a_hold_lasts_at_least_its_days():
    done = lived(other_toxicity_per_month=1.0, other_toxicity_hold_d=20.0, pneumonia_per_month=0.0)
    began = np.full(done.people.size, np.nan)
    lengths = []
    for log in done.visits:
        resumed = np.isin(log.action, [Action.RESUME_SAME, Action.RESUME_LOWER]) & (log.line == 0)
        calm = (log.labs.platelets_1e9_per_l >= 50.0) & (log.labs.anc_1e9_per_l >= 0.5)
        held = (log.action == Action.HOLD) & (log.line == 0) & calm
        lengths += (log.day - began[log.patient])[resumed].tolist()
        began[log.patient[log.action == Action.HOLD]] = np.nan
        began[log.patient[held]] = log.day[held]
    length = np.array(lengths)[np.isfinite(lengths)]
    assert length.size > 50
    assert length.min() == 20.0  # seen on the day it is over, unless counts or more intolerance keep the hold
    assert (length == 20.0).mean() > 0.4


def test_forgotten_doses_lower_what_is_given():
    some, none = lived(missed_dose_share=0.2), lived(missed_dose_share=1e-12)
    arm = none.people.arm == 1  # fixed doses
    assert (none.ward.dosing.given_mg[arm] == none.ward.dosing.planned_mg[arm]).all()
    ratio = some.ward.dosing.given_mg[arm].sum() / some.ward.dosing.planned_mg[arm].sum()
    assert ratio == pytest.approx(0.8, abs=0.02)
    assert some.ward.dosing.dosed_days[arm].sum() < none.ward.dosing.dosed_days[arm].sum()
