"""Every executor: each item once, errors with their code, dead workers replaced, and none left behind."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from glueprint.errors import (
    EnvironmentProblemError,
    GlueprintError,
    InputError,
    InternalError,
    NotSupportedError,
)
from glueprint.runs import executor
from glueprint.runs.executor import Choice

PATIENCE_S = 300
GETPID = "__import__('os').getpid()"
OWNER = """
from glueprint.runs.executor import Choice, start
if __name__ == "__main__":
    with start(Choice("processes", 2)) as crew:
        for _, pid in crew.run(eval, ["__import__('time').sleep(1) or __import__('os').getpid()"] * 100):
            print(pid, flush=True)
"""
CHOICES = (Choice("serial"), Choice("processes", 2))


@pytest.fixture(params=CHOICES, ids=lambda choice: choice.kind)
def choice(request):
    return request.param


def answers(choice, work, items):
    with executor.start(choice) as crew, closing(crew.run(work, items)) as done:
        return list(done)


def test_each_item_is_done_once(choice):
    found = answers(choice, math.factorial, (n for n in range(7)))
    assert sorted(found) == [(n, math.factorial(n)) for n in range(7)]


def test_nothing_to_do(choice):
    assert answers(choice, math.factorial, []) == []


def test_an_error_of_ours_arrives_with_all_its_parts(choice):
    with pytest.raises(InputError, match="GP-R010") as caught:
        answers(choice, partial(Choice, "serial"), [0])
    assert caught.value.where == "workers"
    assert caught.value.next_step


@pytest.mark.parametrize(
    "family", [InputError, NotSupportedError, EnvironmentProblemError, InternalError, GlueprintError]
)
def test_errors_of_every_family_survive_the_way_between_processes(family):
    error = family("GP-R010", "told", where="there", expected="this", next_step="that")
    error.add_note("noted")
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is family
    assert arrived.as_dict() == error.as_dict()
    assert str(arrived) == str(error)
    assert arrived.__notes__ == ["noted"]


def test_an_unexpected_error_on_a_worker_is_our_bug_and_keeps_its_trace():
    with pytest.raises(InternalError, match="GP-R012") as caught:
        answers(Choice("processes", 1), math.sqrt, [-1.0])
    assert "ValueError" in str(caught.value)
    assert "Traceback" in caught.value.__notes__[0]


DIES = """
import os, pathlib, signal
flag = pathlib.Path(flags, str(number))
died = flag.exists() and flag.read_text() or ""
if number in dies and len(died) < times:
    flag.write_text(died + "x")
    os.kill(os.getpid(), signal.SIGKILL)
answer = number
"""


def mortal(folder, count, dies, times=1):
    """Items for `eval` that kill their worker the first `times` they are done, for the numbers `dies`."""
    script = folder / "dies.py"
    script.write_text(DIES)
    flags = folder / "flags"
    flags.mkdir()
    for number in range(count):
        given = {"number": number, "flags": str(flags), "dies": tuple(dies), "times": times}
        yield f"__import__('runpy').run_path({str(script)!r}, {given!r})['answer']"


def test_a_killed_worker_costs_one_item_which_is_done_again(tmp_path):
    found = answers(Choice("processes", 2), eval, mortal(tmp_path, 9, dies=(0, 4, 8)))
    assert sorted(found) == [(n, n) for n in range(9)]


def test_an_item_that_kills_every_worker_is_named(tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-R008") as caught:
        answers(Choice("processes", 2), eval, mortal(tmp_path, 3, dies=(1,), times=9))
    assert "unit 2: signal 9" in str(caught.value)


def test_workers_end_with_their_run_and_with_an_error():
    pids = [pid for _, pid in answers(Choice("processes", 2), eval, [GETPID] * 4)]
    assert set(pids).isdisjoint({os.getpid()})
    with executor.start(Choice("processes", 2)) as crew, closing(crew.run(eval, [GETPID, GETPID])) as done:
        pids.append(next(done)[1])
    assert all(gone(pid) for pid in pids)


def test_orphans_end_when_their_owner_is_killed(tmp_path):
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as owner:
        pids = [int(owner.stdout.readline()) for _ in range(2)]
        owner.kill()
    deadline = time.monotonic() + PATIENCE_S
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def gone(pid):
    """Whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"kind": "slurm"}, "executor"),
        ({"kind": "processes", "workers": 0}, "workers"),
        ({"kind": "serial", "workers": 2}, "workers"),
        ({"kind": "processes", "address": "tcp://127.0.0.1:8786"}, "address"),
    ],
)
def test_a_choice_that_nothing_fits_is_refused(given, where):
    with pytest.raises(InputError, match="GP-R010") as caught:
        Choice(**given)
    assert caught.value.where == where


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786",
        "tcp://cluster.example:8786",
        "cluster.example:8786",
        "ws://127.0.0.1:80",
        "tcp://localhost.example:1",
    ],
)
def test_a_scheduler_elsewhere_needs_tls(address):
    with pytest.raises(InputError, match="GP-R020") as caught:
        Choice("dask", address=address)
    assert address in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:8786",
        "127.0.0.1:8786",
        "tcp://localhost:1",
        "tcp://[::1]:8786",
        "tls://cluster.example:8786",
    ],
)
def test_this_machine_and_tls_are_talked_to(address):
    assert Choice("dask", address=address).address == address
