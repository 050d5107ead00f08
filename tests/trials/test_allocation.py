"""Randomisation: whole blocks hold the ratio, arms have their planned sizes, chance decides the rest."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.trials.patients.allocation import allocate
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population
from glueprint.trials.protocol.loading import protocol_from_text


@pytest.mark.parametrize(("name", "sizes"), [("mm003", [302, 153]), ("mm002", [113, 108])])
def test_shipped_trials_have_their_published_sizes(name, sizes):
    protocol = trials.load_protocol(name)
    for replicate in range(1, 21):
        assert np.bincount(draw_population(protocol, Stream(1, name, replicate)).arm).tolist() == sizes


def test_mm003_is_randomised_in_blocks():
    protocol = trials.load_protocol("mm003")
    for replicate in range(1, 4):
        people = draw_population(protocol, Stream(1, "mm003", replicate))
        for stratum in np.unique(people.stratum):
            inside = people.arm[people.stratum == stratum]
            # Whole blocks of six hold 4 and 2; only the last block of a stratum can be unbalanced.
            assert abs((inside == 0).sum() - 2 * (inside == 1).sum()) <= 4


def test_whole_blocks_hold_the_ratio():
    arms = allocate(np.zeros(60, dtype=np.int64), (2, 1), 6, (40, 20), seed=3, purpose="test")
    assert (arms.reshape(10, 6).sum(axis=1) == 2).all()


def test_the_order_within_blocks_is_chance():
    first = [
        allocate(np.zeros(2, dtype=np.int64), (1, 1), 2, (1, 1), seed=seed, purpose="test")[0]
        for seed in range(400)
    ]
    # 0.5 with a standard error of 0.025.
    assert np.mean(first) == pytest.approx(0.5, abs=0.1)


def test_sizes_that_blocks_cannot_reach_move_only_those_enrolled_last():
    strata = np.arange(200) % 2
    blocks = allocate(strata, (1, 1), 4, (100, 100), seed=1, purpose="test")
    assert np.bincount(blocks).tolist() == [100, 100]
    moved = allocate(strata, (1, 1), 4, (103, 97), seed=1, purpose="test")
    assert np.bincount(moved).tolist() == [103, 97]
    # Both strata end with whole blocks of four: three of their last eight patients changed arm.
    assert np.flatnonzero(blocks != moved).min() >= 192
    assert (blocks != moved).sum() == 3


def test_a_last_block_is_a_cut_off_permutation_of_a_block():
    # 31 patients in blocks of two leave one, who decides which arm is larger.
    for planned in ((16, 15), (15, 16)):
        arms = allocate(np.zeros(31, dtype=np.int64), (1, 1), 2, planned, seed=1, purpose="test")
        assert np.bincount(arms).tolist() == list(planned)
        assert (arms[:30].reshape(15, 2).sum(axis=1) == 1).all()


def test_sizes_far_from_the_ratio_are_a_mistake():
    text = trials.template().replace("ratio = [1, 1]\nblocks_of = 4", "ratio = [2, 1]\nblocks_of = 6")
    with pytest.raises(InputError, match=r"GP-T017 my\.toml, arms\[0\]\.patients: arm .* gives it"):
        protocol_from_text(text, where="my.toml")
