"""One writer per folder; a dead one leaves no lock."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import lock

HOLDER = """
import sys
from pathlib import Path
from glueprint.runs import lock
with lock.hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,  # it holds the lock until this closes
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_told_who_is_there(holder, tmp_path):
    with pytest.raises(InputError, match="GP-R006") as caught, lock.hold(tmp_path):
        pass
    assert f"process {holder.pid}" in str(caught.value)


def test_a_killed_process_leaves_no_lock(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with lock.hold(tmp_path):
        assert str(os.getpid()) in (tmp_path / lock.FILE_NAME).read_text()


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with pytest.raises(EnvironmentProblemError, match="GP-R007"), lock.hold(tmp_path):
        pass
