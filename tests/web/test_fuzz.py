"""Nonsense on every address: no answer is an error of ours, and the project stays as it was."""

from __future__ import annotations

from benchmarks.workbench import fuzz, snapshot


def test_three_hundred_requests_of_nonsense(browser, bench, demo):
    before = snapshot(demo)
    statuses = fuzz(browser, requests=300, seed=7)
    assert sum(statuses.values()) == 300
    assert [status for status in statuses if status >= 500] == []
    assert snapshot(demo) == before
