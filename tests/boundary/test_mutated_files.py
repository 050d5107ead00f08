"""Some hundred changed files of every kind; `python -m benchmarks.hostile` makes as many as one waits for."""

from __future__ import annotations

import random

import pytest
from benchmarks import hostile

from glueprint.errors import InternalError


def test_every_changed_file_is_read_or_refused_with_an_error_of_ours():
    found = hostile.attack(14 * 12, seed=20)
    assert found["faults"] == []
    assert sum(sum(count.values()) for count in found["counts"].values()) == 14 * 12
    assert len(found["counts"]) == 14
    refused = sum(count.get("refused", 0) for count in found["counts"].values())
    assert refused > 50  # the changes do harm


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InternalError("GP-X001", "a bug"), "internal error"),
        (RecursionError("deep"), "RecursionError"),
        (MemoryError("big"), "MemoryError"),
    ],
)
def test_the_attack_notices_faults(tmp_path, error, words):
    def reads(path):
        raise error

    assert words in hostile.outcome(reads, tmp_path)


def test_the_same_seed_makes_the_same_file():
    first, second = (hostile.mutated(hostile.PLATE, random.Random("1/tidy/5")) for _ in range(2))
    assert first == second != hostile.PLATE
