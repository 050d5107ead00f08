"""Replicates conducted at once come out as each does alone, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import trials
from glueprint.trials.patients import Stream, draw_population, joined, separate
from glueprint.trials.protocol.document import Arm
from glueprint.trials.running import (
    MOST_TOGETHER,
    PATIENTS_TOGETHER,
    groups_of,
    keep_group,
    run_group,
    units_of,
)

MM003 = trials.load_protocol("mm003")
SMALL = MM003.model_copy(
    update={
        "arms": tuple(
            arm.model_copy(update={"patients": size}) for arm, size in zip(MM003.arms, (24, 12), strict=True)
        )
    }
)
# Of what a trial reads as one number for all: missed doses, intolerance; and what the bodies are given.
DRAWS = trials.ParameterDraws(
    ("missed_dose_share", "other_toxicity_hold_d", "growth_per_d", "omega2.growth_per_d"),
    np.array([[0.05, 7.0, 0.018, 0.3], [1e-9, 14.0, 0.03, 0.9]]),
)
BURDEN = trials.ParameterDraws(("growth_per_d",), np.array([[0.018], [0.02]]), structure="burden")


def seldom(arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
    """Arms of whose patients few receive anything after progression: in some replicates nobody."""
    return tuple(
        arm.model_copy(
            update={
                "after_progression": arm.after_progression
                and arm.after_progression.model_copy(update={"share_of_progressed": 0.08})
            }
        )
        for arm in arms
    )


RARE = SMALL.model_copy(update={"arms": seldom(SMALL.arms)})


@pytest.mark.parametrize(
    ("protocol", "draws", "counterfactual"),
    [
        (SMALL, None, False),
        (SMALL, DRAWS, True),
        (SMALL, BURDEN, False),
        (RARE, None, True),
    ],
    ids=["one truth", "a truth each", "next lines", "few have later therapy"],
)
def test_each_is_what_it_is_alone(protocol, draws, counterfactual):
    work = list(units_of(protocol, 4, 6, draws=draws, counterfactual=counterfactual))
    groups = groups_of(work)
    assert [len(group) for group in groups] == [4]
    for unit, done in zip(work, run_group(groups[0]), strict=True):
        alone = run_group((unit,))[0]
        assert alone.named.keys() == done.named.keys()
        for name, table in alone.named.items():
            assert table.equals(done.named[name]), name
        assert done.tables[0].get_column("replicate").unique().to_list() == [unit.replicate]


def test_in_some_replicates_nobody_has_later_therapy():
    """Otherwise the last case above would be none of its own."""
    units = tuple(units_of(RARE, 4, 6))
    had = [done.tables[0].get_column("crossover_months").count() > 0 for done in run_group(units)]
    assert any(had)
    assert not all(had)


def test_groups_have_a_size_and_one_kind():
    assert [len(group) for group in groups_of(units_of(MM003, 16, 1))] == [8, 8]
    assert 8 * MM003.patients <= PATIENTS_TOGETHER < 9 * MM003.patients
    assert [len(group) for group in groups_of(units_of(SMALL, 130, 1))] == [44, 44, 42]
    assert MOST_TOGETHER == 64
    large = SMALL.model_copy(
        update={"arms": (SMALL.arms[0].model_copy(update={"patients": 9_000}), SMALL.arms[1])}
    )
    assert [len(group) for group in groups_of(units_of(large, 2, 1))] == [1, 1]
    mixed = [*units_of(SMALL, 2, 1), *units_of(SMALL, 1, 2), *units_of(SMALL, 1, 2, counterfactual=True)]
    mixed += [*units_of(SMALL, 2, 2, draws=DRAWS), *units_of(SMALL, 2, 2, draws=BURDEN)]
    groups = groups_of(mixed)
    assert [len(group) for group in groups] == [2, 1, 1, 2, 2]
    assert [unit for group in groups for unit in group] == mixed


@pytest.mark.parametrize(
    ("replicates", "hands", "sizes"),
    [
        (5, 2, [3, 2]),
        (3, 8, [1, 1, 1]),
        # Groups of 8 would be 25 for 16: one round more, in which 7 have nothing to do.
        (200, 16, [7] * 28 + [4]),
        (20, 1, [7, 7, 6]),
    ],
)
def test_groups_are_shared_out_evenly(replicates, hands, sizes):
    work = list(units_of(MM003, replicates, 1))
    groups = groups_of(work, hands)
    assert [len(group) for group in groups] == sizes
    assert [unit for group in groups for unit in group] == work


def test_trials_with_data_cuts_are_conducted_one_by_one():
    cuts = trials.load_protocol("mm003").model_copy(update={"data_cuts": ("any",)})
    assert [len(group) for group in groups_of(units_of(cuts, 3, 1))] == [1, 1, 1]


def test_patients_come_apart_as_they_were_joined():
    streams = [Stream(3, SMALL.name, number) for number in (4, 9, 5)]
    parts = [
        draw_population(SMALL, stream, DRAWS.truth(number)) for number, stream in enumerate(streams, start=1)
    ]
    together = Stream(3, SMALL.name, 4, (9, 5))
    whole = joined(parts)
    assert together.alone() == streams
    for (people, stream), before, chance in zip(separate(whole, together), parts, streams, strict=True):
        assert stream == chance
        assert people.truth == before.truth
        np.testing.assert_array_equal(people.number, before.number)
        np.testing.assert_array_equal(people.values["age_y"], before.values["age_y"])
    drawn = together.normals("anything", whole.number, 3)
    each = [stream.normals("anything", part.number, 3) for part, stream in zip(parts, streams, strict=True)]
    np.testing.assert_array_equal(drawn, np.concatenate(each))


def test_kept_units_of_a_group_are_those_of_a_run(tmp_path):
    (group,) = groups_of(units_of(SMALL, 3, 8))
    receipts = keep_group(tmp_path, group)
    assert [receipt.facts["patients"] for receipt in receipts] == [36, 36, 36]
    whole = trials.run(SMALL, replicates=3, seed=8)
    kept = trials.read_units(tmp_path, SMALL, 3, 8)
    for name, table in whole.tables().items():
        assert table.equals(kept.tables()[name]), name
