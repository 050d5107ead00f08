"""The coverage benchmark says the same of a twin by its files and from memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(ROOT))
    from benchmarks import twins_coverage as module

    sys.path.remove(str(ROOT))
    return module


@pytest.mark.parametrize("protocol", ["fp", "growth"])
def test_files_and_batches_agree_on_every_interval(bench, protocol):
    by_file, in_memory = bench.PROTOCOLS[protocol]
    assert sorted(one for nth in (0, 1) for one in by_file(nth)) == sorted(in_memory(range(2)))


def test_donors_by_file_and_from_memory_agree(bench):
    by_file, in_memory = bench.PROTOCOLS["elisa"]
    found = sorted(by_file(0))
    assert found == sorted(in_memory(range(bench.DONORS)))
    assert len(found) == 2 * bench.DONORS + 2


def test_a_blot_by_file_says_more_and_nothing_else(bench):
    by_file, in_memory = bench.PROTOCOLS["blot"]
    found = list(by_file(0))
    ratios = [one for one in found if one[1] == "log ratio of a lane"]
    assert ratios == list(in_memory(range(1)))
    assert {name for _, name, _ in found} - {"log ratio of a lane"} == {
        "DC50 relative at 6 h", "DC50 absolute at 6 h", "Dmax at 6 h",
    }  # fmt: skip


def test_the_shares_are_counted_over_experiments(bench, monkeypatch):
    planted = lambda nth: iter([(nth, "x", nth % 2 == 0)])  # noqa: E731
    both = (planted, lambda plates: (one for nth in plates for one in planted(nth)))
    monkeypatch.setitem(bench.PROTOCOLS, "fp", both)
    told = bench.cover("fp", 10, 4)
    assert told["coverage"] == {"x": 0.5}
    assert told["counted"] == {"x": 10}
    assert told["standard_error"]["x"] == pytest.approx(0.5 / 10**0.5)
    assert told["within"] == {"x": False}
    assert told["through_files"] == 4
