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


def test_a_blot_by_file_and_from_memory_says_the_same(bench):
    by_file, in_memory = bench.PROTOCOLS["blot"]
    found = [one for nth in (0, 1) for one in by_file(nth)]
    assert found == list(in_memory(range(2)))
    assert {name for _, name, _ in found} == {
        "log ratio of a lane", "DC50 relative at 6 h", "DC50 absolute at 6 h", "Dmax at 6 h",
    }  # fmt: skip


def test_the_fit_at_one_time_is_that_of_the_analysis(bench):
    made = bench.blot_twin.make(bench.BLOT, bench.Draws(bench.SEED, "blot", 3))
    (membrane,) = made.membranes
    bands = bench.blot.analyse(
        bench.blot.Scan(bench.blot.from_array(membrane.counts), membrane.boxes)
    ).tables["bands"]
    point = bench.degradation.analyse(bands).at(bench.TIME_H)
    assert bench.at_time(bands) == (point.relative, point.absolute, point.dmax_low, point.dmax_high)


@pytest.mark.parametrize(("experiments", "through", "processes"), [(10, 4, 1), (50, 30, 2), (7, 9, 3)])
def test_parts_of_a_run_are_the_whole_run(bench, monkeypatch, experiments, through, processes):
    files, memory = [], []
    planted = lambda nth: files.append(nth) or iter([(nth, "x", True)])  # noqa: E731
    both = (planted, lambda plates: memory.extend(plates) or iter([]))
    monkeypatch.setitem(bench.PROTOCOLS, "fp", both)
    for plates in bench.parts(experiments, processes):
        bench.part("fp", min(through, experiments), plates)
    assert files == list(range(min(through, experiments)))
    assert memory == list(range(min(through, experiments), experiments))


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
