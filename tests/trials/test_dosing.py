"""Days of a cycle, and the doses between two visits."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic_core import PydanticCustomError

from glueprint.trials import load_protocol
from glueprint.trials.dosing import Course, compile_regimens, doses_between
from glueprint.trials.schedule import day_mask, parse_days

MM003 = load_protocol("mm003")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1-21", tuple(range(1, 22))),
        ("1,8,15,22", (1, 8, 15, 22)),
        ("1-4, 9-12,17-20", (1, 2, 3, 4, 9, 10, 11, 12, 17, 18, 19, 20)),
        ("5", (5,)),
        ("3,1-3", (1, 2, 3)),
    ],
)
def test_days(text, days):
    assert parse_days(text) == days
    assert (np.flatnonzero(day_mask(text, 28)) + 1).tolist() == list(days)


@pytest.mark.parametrize("text", ["", "0", "0-3", "4-2", "a", "1;8", "1,,2", "-1"])
def test_days_that_cannot_be_read(text):
    with pytest.raises(PydanticCustomError) as caught:
        parse_days(text)
    assert caught.value.type == "GP-T009"


def doses(arm, from_day, to_day, *, age=60.0, glue_mg=4.0, held=False, start=0):
    regimens, _ = compile_regimens(MM003)
    course = Course(np.array([arm]), np.array([start]), np.array([glue_mg]), np.array([held]))
    return doses_between(regimens, course, np.array([age]), np.array([from_day]), np.array([to_day]))


def test_one_cycle_of_each_arm_of_mm003():
    pom = doses(0, 0, 28)
    assert (pom.amount_mg[pom.target == "pom_gut"].sum(), (pom.target == "pom_gut").sum()) == (84.0, 21)
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
    glue = lower.target == "pom_gut"
    assert set(lower.amount_mg[glue]) == {3.0}
    assert lower.day[glue].tolist() == list(range(10, 31))


def test_intervals_join_without_gap_or_overlap():
    whole = doses(0, 0, 56)
    parts = [doses(0, first, last) for first, last in ((0, 9), (9, 27), (27, 40), (40, 56))]
    assert np.concatenate([part.day for part in parts]).tolist() == whole.day.tolist()
    assert np.concatenate([part.target for part in parts]).tolist() == whole.target.tolist()


def test_no_regimen_no_dose():
    assert doses(-1, 0, 28).day.size == 0
