"""Fits in a folder that are stopped at any point, and go on to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from benchmarks import workshop_problems as problems

from glueprint import workshop
from glueprint.workshop import states

CASE = problems.CASES[0]
SETTINGS = workshop.Settings(starts=6, accuracy=1e-6)
# Keeps every state in the test's own process, and is slow enough to be killed in another.
PROGRAM = """
import sys, time
from pathlib import Path
from glueprint import workshop
from glueprint.workshop import states

states.EVERY_S = 0.0
settings = workshop.Settings(starts=6, accuracy=1e-6)
told = lambda *_: time.sleep(0.05)
workshop.fit_into(Path(sys.argv[2]), workshop.read(sys.argv[1]), settings, told=told)
"""


class StoppedError(Exception):
    pass


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    return problems.write(CASE, tmp_path_factory.mktemp("problem") / "problem")


@pytest.fixture(scope="module")
def whole(problem, tmp_path_factory):
    """A folder of a fit that nobody stopped, as bytes by name."""
    folder = tmp_path_factory.mktemp("whole")
    workshop.fit_into(folder, workshop.read(problem), SETTINGS)
    return contents(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_fit_that_is_stopped_again_and_again_ends_with_the_same_bytes(
    problem, whole, tmp_path, monkeypatch
):
    """Stopped after the k-th state is on disk, k = 1, 2, 3, ..., each run goes on where the last one was."""
    monkeypatch.setattr(states, "EVERY_S", 0.0)
    write, seen = states.write_tables, []
    left = [0]

    def stopping(folder, tables):
        written = write(folder, tables)
        seen.extend(tables)
        left[0] -= 1
        if left[0] == 0:
            raise StoppedError
        return written

    monkeypatch.setattr(states, "write_tables", stopping)
    for run in range(1, 60):
        left[0] = run
        try:
            workshop.fit_into(tmp_path, workshop.read(problem), SETTINGS)
        except StoppedError:
            continue
        break
    assert run > 4
    assert {"going-00001", "profiles-00001"} <= set(seen)
    assert contents(tmp_path) == whole


def test_a_fit_that_has_ended_is_read_and_not_done_again(problem, whole, tmp_path, monkeypatch):
    for name, content in whole.items():
        (tmp_path / name).write_bytes(content)
    for place in ("kept.search", "profiles.search"):
        monkeypatch.setattr(f"glueprint.workshop.{place}", lambda *_, **__: pytest.fail("it was searched"))
    workshop.fit_into(tmp_path, workshop.read(problem), SETTINGS)
    assert contents(tmp_path) == whole


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("kind", ["going", "profiles"])
def test_a_fit_that_is_killed_goes_on_to_the_same_bytes(problem, whole, tmp_path, kind):
    call = [sys.executable, "-c", PROGRAM, str(problem), str(tmp_path)]
    with subprocess.Popen(call) as process:
        until = time.monotonic() + 120.0
        while not list(tmp_path.glob(f"{kind}-*.parquet")):
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "result.json").exists()
    workshop.fit_into(tmp_path, workshop.read(problem), SETTINGS)
    found = {name: content for name, content in contents(tmp_path).items() if not name.endswith(".partial")}
    assert found == whole
