"""Progression-free survival by rule: a patient made by hand for each row of the FDA guidance's table."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.survival import EMA, FDA, PfsRule, pfs, pfs_table

NEVER = math.nan
# Weeks; assessed every 8 with a window of 1. What happened -> progression, death, new therapy, assessments,
# baseline, then time, event and reason by FDA and by EMA.
PATIENTS = {
    "no baseline assessment": ((16, NEVER, NEVER), [8, 16], 0, (0, 0, "no baseline"), (16, 1, "progression")),
    "progression at a planned visit": (
        (24, NEVER, NEVER),
        [8, 16, 24],
        1,
        (24, 1, "progression"),
        (24, 1, "progression"),
    ),
    "progression between planned visits": (
        (20, NEVER, NEVER),
        [8, 16, 20],
        1,
        (20, 1, "progression"),
        (20, 1, "progression"),
    ),
    "no progression": ((NEVER, NEVER, NEVER), [8, 16, 25], 1, (25, 0, "no event"), (25, 0, "no event")),
    "stopped for toxicity, still assessed": (
        (NEVER, NEVER, NEVER),
        [8, 16],
        1,
        (16, 0, "no event"),
        (16, 0, "no event"),
    ),
    "new therapy, then progression": (
        (32, NEVER, 20),
        [8, 16, 24, 32],
        1,
        (16, 0, "new therapy"),
        (32, 1, "progression"),
    ),
    "new therapy, then death": ((NEVER, 30, 18), [8, 16], 1, (16, 0, "new therapy"), (30, 1, "death")),
    "new therapy, no event": (
        (NEVER, NEVER, 20),
        [8, 16, 24],
        1,
        (16, 0, "new therapy"),
        (24, 0, "no event"),
    ),
    "new therapy on the day of progression": (
        (24, NEVER, 24),
        [8, 16, 24],
        1,
        (24, 1, "progression"),
        (24, 1, "progression"),
    ),
    "new therapy after progression": (
        (16, 60, 20),
        [8, 16],
        1,
        (16, 1, "progression"),
        (16, 1, "progression"),
    ),
    "death before the first assessment": ((NEVER, 5, NEVER), [], 1, (5, 1, "death"), (5, 1, "death")),
    "death between assessments": ((NEVER, 21, NEVER), [8, 16], 1, (21, 1, "death"), (21, 1, "death")),
    "death after one missed assessment": ((NEVER, 30, NEVER), [8, 16], 1, (30, 1, "death"), (30, 1, "death")),
    "death after two missed assessments": (
        (NEVER, 34, NEVER),
        [8, 16],
        1,
        (16, 0, "missed assessments"),
        (34, 1, "death"),
    ),
    "death at the end of the second window": (
        (NEVER, 33, NEVER),
        [8, 16],
        1,
        (33, 1, "death"),
        (33, 1, "death"),
    ),
    "progression after two missed assessments": (
        (40, NEVER, NEVER),
        [8, 16, 40],
        1,
        (16, 0, "missed assessments"),
        (40, 1, "progression"),
    ),
    "progression after one missed assessment": (
        (32, NEVER, NEVER),
        [8, 16, 32],
        1,
        (32, 1, "progression"),
        (32, 1, "progression"),
    ),
    "missed assessments, then two good ones": (
        (56, NEVER, NEVER),
        [8, 40, 48, 56],
        1,
        (56, 1, "progression"),
        (56, 1, "progression"),
    ),
    "nobody looked, and alive": (
        (NEVER, NEVER, NEVER),
        [],
        1,
        (0, 0, "no assessment"),
        (0, 0, "no assessment"),
    ),
    "nobody looked, death late": (
        (NEVER, 50, NEVER),
        [],
        1,
        (0, 0, "missed assessments"),
        (50, 1, "death"),
    ),
    "progression and death on one day": (
        (24, 24, NEVER),
        [8, 16, 24],
        1,
        (24, 1, "progression"),
        (24, 1, "progression"),
    ),
    "new therapy before any assessment": (
        (16, NEVER, 4),
        [8, 16],
        1,
        (0, 0, "new therapy"),
        (16, 1, "progression"),
    ),
}


def columns(names=PATIENTS):
    chosen = [PATIENTS[name] for name in names]
    times = np.array([one[0] for one in chosen], dtype=float).T
    who = [k for k, one in enumerate(chosen) for _ in one[1]]
    when = [time for one in chosen for time in one[1]]
    return times, (who, when), [one[2] for one in chosen]


@pytest.mark.parametrize("name", PATIENTS)
@pytest.mark.parametrize(("rule", "place"), [(FDA, 3), (EMA, 4)], ids=["FDA", "EMA"])
def test_each_row_of_the_table(name, rule, place):
    times, assessments, baseline = columns([name])
    found = pfs(*times, assessments, every=8, window=1, rule=rule, baseline=baseline)
    assert (found.time[0], int(found.event[0]), found.reason[0]) == PATIENTS[name][place]


def test_all_at_once_are_each_alone():
    times, assessments, baseline = columns()
    for rule, place in ((FDA, 3), (EMA, 4)):
        found = pfs(*times, assessments, every=8, window=1, rule=rule, baseline=baseline)
        told = list(
            zip(found.time.tolist(), found.event.astype(int).tolist(), found.reason.tolist(), strict=True)
        )
        assert told == [PATIENTS[name][place] for name in PATIENTS]
        assert sum(found.counts().values()) == len(PATIENTS)


def test_a_new_therapy_may_be_an_event_itself():
    rule = PfsRule("composite", "event", None)
    times, assessments, _ = columns(["new therapy, then progression", "new therapy after progression"])
    found = pfs(*times, assessments, every=8, rule=rule)
    assert found.time.tolist() == [20.0, 16.0]
    assert found.reason.tolist() == ["new therapy", "progression"]
    assert found.event.all()
    assert [r.strategy for r in (FDA, EMA, rule)] == ["hypothetical", "treatment policy", "composite"]


def test_more_missed_assessments_may_be_allowed():
    times, assessments, _ = columns(["death after two missed assessments"])
    kept = pfs(*times, assessments, every=8, window=1, rule=PfsRule("two", "censor", 2))
    assert kept.event.tolist() == [True]
    strict = pfs(
        *columns(["death after one missed assessment"])[0],
        columns(["death after one missed assessment"])[1],
        every=8,
        window=1,
        rule=PfsRule("none", "censor", 0),
    )
    assert (strict.time[0], strict.event[0]) == (16.0, False)


def test_rules_side_by_side_from_two_tables():
    times, (who, when), baseline = columns()
    names = list(PATIENTS)
    people = pl.DataFrame(
        {
            "USUBJID": names,
            "progression": times[0],
            "death": times[1],
            "new_therapy": times[2],
            "baseline": baseline,
        }
    ).with_columns(pl.col("progression", "death", "new_therapy").fill_nan(None))
    looks = pl.DataFrame({"USUBJID": [names[k] for k in who], "week": [float(w) for w in when]})
    found = pfs_table(people, looks, every=8, window=1, columns={"patient": "USUBJID", "time": "week"})
    assert found["patient"].to_list() == names
    for rule, place in ((FDA, 3), (EMA, 4)):
        told = found.select(
            f"{rule.name}_time", pl.col(f"{rule.name}_event").cast(int), f"{rule.name}_reason"
        )
        assert told.rows() == [PATIENTS[name][place] for name in names]
    shuffled = pfs_table(
        people,
        looks.sample(fraction=1.0, shuffle=True, seed=2),
        every=8,
        window=1,
        columns={"patient": "USUBJID", "time": "week"},
    )
    assert shuffled.equals(found)


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"progression": [-1.0]}, "GP-V044", "progression[0]"),
        ({"progression": [12.0]}, "GP-V044", "progression[0]"),
        ({"new_therapy": [11.0]}, "GP-V044", "new_therapy[0]"),
        ({"assessments": ([0], [11.0])}, "GP-V044", "assessments[0]"),
        ({"assessments": ([1], [8.0])}, "GP-V003", "assessments"),
        ({"assessments": ([0, 0], [8.0])}, "GP-V003", "assessments"),
        ({"every": 0.0}, "GP-V007", "every"),
        ({"window": -1.0}, "GP-V007", "every"),
    ],
)
def test_dates_at_odds(change, code, where):
    given = {"progression": [NEVER], "death": [10.0], "new_therapy": [NEVER], "assessments": ([0], [8.0])}
    options = {"every": 8.0, **given, **change}
    with pytest.raises(InputError) as caught:
        pfs(**options)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert caught.value.next_step


def test_tables_at_odds():
    people = {
        "patient": ["a", "b"],
        "progression": [8.0, None],
        "death": [None, None],
        "new_therapy": [None, None],
    }
    looks = {"patient": ["a"], "time": [8.0]}
    for patients, assessments, said in (
        ({**people, "patient": ["a", "a"]}, looks, "two rows"),
        (people, {"patient": ["c"], "time": [8.0]}, "no patient"),
        (people, {"patient": ["a"]}, '"time"'),
    ):
        with pytest.raises(InputError) as caught:
            pfs_table(patients, assessments, every=8)
        assert caught.value.code == "GP-V030"
        assert said in caught.value.render()


def test_a_rule_that_is_none():
    with pytest.raises(InputError) as caught:
        PfsRule("x", "drop")
    assert caught.value.code == "GP-V007"
