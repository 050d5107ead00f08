"""Processes that tests start: one that does not end in time is asked where it stands before it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

import pytest

# With it Python writes the stacks of all threads to standard error when SIGABRT ends it.
TELLING = {"PYTHONFAULTHANDLER": "1"}
LAST_WORDS_S = 60


def ended(process, patience_s):
    """What a process, started with TELLING in its environment, printed and told; its stack if it does not
    end."""
    try:
        return process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGABRT)
    try:
        printed, told = process.communicate(timeout=LAST_WORDS_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.kill()
        printed, told = process.communicate()
    pytest.fail(f"{process.args} did not end in {patience_s} s.\nprinted: {printed}\ntold: {told}")


def run(call, patience_s, **how):
    """As `subprocess.run` with captured text and no check of the exit code, and what `ended` does."""
    environment = {**how.pop("env", os.environ), **TELLING}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(call, env=environment, start_new_session=True, **pipes, **how) as process:
        printed, told = ended(process, patience_s)
    return subprocess.CompletedProcess(call, process.returncode, printed, told)


def _signal(process, number):
    """To the process, and to all of its group where it leads one."""
    with suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
