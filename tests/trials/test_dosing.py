"""Days of a cycle, and the doses between two visits."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic_core import PydanticCustomError

from glueprint.trials import load_protocol
from glueprint.trials.conduct.doses import Course, days_due, doses_between
from glueprint.trials.protocol.regimens import compile_regimens
from glueprint.trials.protocol.schedule import day_mask, parse_days

MM003 = load_protocol("mm003")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1-21", tuple(range(1, 22))),
        ("1,8,15,22", (1, 8, 15, 22)),
        ("1-4, 9-12,17-20", (1, 2, 3, 4, 9, 10, 11, 12, 17, 18, 19, 20)),
        ("5", (5,)),
        ("3,1-3", (1, 2, 3)),
        ("1-21/2", (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21)),
        ("2-8/3, 28", (2, 5, 8, 28)),
    ],
)
def test_days(text, days):
    assert parse_days(text) == days
    assert (np.flatnonzero(day_mask(text, 28)) + 1).tolist() == list(days)


@pytest.mark.parametrize("text", ["", "0", "0-3", "4-2", "a", "1;8", "1,,2", "-1", "1-9/0", "5/2"])
def test_days_that_cannot_be_read(text):
    with pytest.raises(PydanticCustomError) as caught:
        parse_days(text)
    assert caught.value.type == "GP-T009"


def doses(arm, from_day, to_day, missed=None, **patient):
    regimens, _ = compile_regimens(MM003)
    course = Course(
        np.array([arm]),
        np.array([patient.get("start", 0)]),
        np.array([patient.get("glue_mg", 4.0)]),
        np.array([patient.get("held", False)]),
    )
    age = np.array([patient.get("age", 60.0)])
    return doses_between(regimens, course, age, (np.array([from_day]), np.array([to_day])), missed)


def test_one_cycle_of_each_arm_of_mm003():
    pom = doses(0, 0, 28)
    assert (pom.amount_mg[pom.target == "glue_gut"].sum(), (pom.target == "glue_gut").sum()) == (84.0, 21)
    assert pom.day[pom.target == "dex_depot"].tolist() == [0, 7, 14, 21]
    high = doses(1, 0, 28)
    assert (high.day + 1).tolist() == [1, 2, 3, 4, 9, 10, 11, 12, 17, 18, 19, 20]
    assert set(high.amount_mg) == {40.0}


def test_dexamethasone_is_halved_above_75():
    assert set(doses(1, 0, 28, age=75.0).amount_mg) == {40.0}
    assert set(doses(1, 0, 28, age=75.1).amount_mg) == {20.0}


def test_a_held_glue_leaves_its_partner():
    assert set(doses(0, 0, 28, held=True).target) == {"dex_depot"}


def test_a_lower_dose_and_a_later_start():
    lower = doses(0, 10, 38, glue_mg=3.0, start=10)
    glue = lower.target == "glue_gut"
    assert set(lower.amount_mg[glue]) == {3.0}
    assert lower.day[glue].tolist() == list(range(10, 31))


def test_intervals_join_without_gap_or_overlap():
    whole = doses(0, 0, 56)
    parts = [doses(0, first, last) for first, last in ((0, 9), (9, 27), (27, 40), (40, 56))]
    assert np.concatenate([part.day for part in parts]).tolist() == whole.day.tolist()
    assert np.concatenate([part.target for part in parts]).tolist() == whole.target.tolist()


def test_no_regimen_no_dose():
    assert doses(-1, 0, 28).day.size == 0


def test_a_missed_day_has_no_dose_of_any_drug():
    missed = np.zeros((1, 10), dtype=np.bool_)
    missed[0, [0, 3]] = True
    given = doses(0, 0, 28, missed)
    assert sorted(set(range(21)) - set(given.day[given.target == "glue_gut"].tolist())) == [0, 3]
    assert given.day[given.target == "dex_depot"].tolist() == [7, 14, 21]


def test_the_leading_drug_is_the_glue_or_the_first():
    given = doses(0, 0, 28)
    assert set(given.target[given.leading]) == {"glue_gut"}
    assert doses(1, 0, 28).leading.all()


@pytest.mark.parametrize("start", [0, 5, 40])
def test_days_due_are_those_that_are_dosed(start):
    mask = day_mask("1-4,9-12,17-20", 28)
    for first, last in ((0, 1), (0, 28), (3, 33), (7, 7), (50, 120)):
        counted = days_due(mask, np.array([start]), np.array([first]), np.array([last]))
        assert counted[0] == doses(1, first, last, start=start).day.size
