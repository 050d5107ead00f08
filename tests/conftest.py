"""What holds for all tests: a busy machine fails none of them, and how a command is run in one."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from typer.testing import CliRunner

# How far a slow machine is would stand between what a command prints.
os.environ["GLUEPRINT_PROGRESS"] = "none"
# Tests look for whole rows, which a width of the shell, or of a pipe, would break.
os.environ["COLUMNS"] = "1000"
# Tests start some hundred processes; each would compile every module of ours once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell's background job has Ctrl-C ignored, as would all that it starts; tests send it as a terminal does.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The workers of xdist share the processors: a command that is told no number starts no processes beside them.
os.cpu_count = lambda: 1

# Both judge by the clock: how long an example takes, and how long examples take to make.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# The same examples each time, so that a change fails for what it changed; `make check` draws new ones.
settings.register_profile("steady", derandomize=True, **PATIENT)
settings.register_profile("random", print_blob=True, **PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def printed():
    """What a command prints: `printed(app, *words)`, its exit code checked; what it raises is raised."""

    def run(app, *words, code=0):
        result = CliRunner().invoke(app, list(words), env={"COLUMNS": "500"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """What a test leaves ignored or held back, every process that later tests start would inherit."""
    yield
    heard = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    held_back = signal.SIGINT in getattr(signal, "pthread_sigmask", lambda *_: ())(signal.SIG_BLOCK, ())
    if heard and not held_back:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if held_back:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    pytest.fail("the test left Ctrl-C ignored or held back")


def pytest_collection_modifyitems(items):
    """Mark what `make test` leaves to `make check`."""
    lines = Path(__file__).with_name("slow.txt").read_text("utf-8").splitlines()
    slow = {line.split()[0] for line in lines if not line.startswith("#")}
    for item in items:
        if item.nodeid in slow:
            item.add_marker(pytest.mark.slow)
