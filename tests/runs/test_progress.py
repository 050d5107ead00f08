"""Progress: rate and time that remains from this run's own units; events as JSON lines."""

from __future__ import annotations

import json

import pytest

from glueprint.errors import EnvironmentProblemError
from glueprint.runs.progress import Counter, Step, events_into


def test_rate_counts_only_what_this_run_computed():
    step = Step("trials", done=30, total=50, failed_patients=2, seconds=5.0, here=10)
    assert step.share == 0.6
    assert step.per_second == 2.0
    assert step.remaining_s == 10.0


def test_nothing_is_known_before_the_first_unit():
    step = Step("trials", done=20, total=50, failed_patients=0, seconds=5.0, here=0)
    assert step.per_second is None
    assert step.remaining_s is None
    assert Step("", 0, 0, 0, 0.0, 0).share == 1.0


def test_units_and_failures_add_up_and_are_written_as_lines(tmp_path):
    file = tmp_path / "events.jsonl"
    for _ in range(2):
        with events_into(file) as listener:
            count = Counter(listener, total=6, found=2, failed_patients=1)
            count.tell("begin")
            count.tell("trials", units=1, failed=3)
            assert json.loads(file.read_text().splitlines()[-1])["units_done"] == 3  # while the run goes on
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 4
    assert lines[0]["units_per_second"] is None
    last = lines[-1]
    assert (last["kind"], last["version"], last["what"]) == ("glueprint-progress", 1, "trials")
    assert (last["units_done"], last["units_total"], last["failed_patients"]) == (3, 6, 4)


def test_a_place_that_cannot_be_written_is_said_before_the_run(tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-R001"), events_into(tmp_path / "none" / "events"):
        pass
