"""Dask for real: a scheduler and two worker processes on loopback, each killed in turn."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from contextlib import closing
from functools import partial

import pytest
from benchmarks import faults

from glueprint.errors import EnvironmentProblemError, InputError, InternalError
from glueprint.runs import cluster, executor
from glueprint.runs.executor import Choice

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
# Dask leaves sockets and event loops to the garbage collector; that is not ours to fail on.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("dask")]

SLOW = "__import__('time').sleep(0.2) or {}"  # for `eval`
PATIENCE_S = 120


class Rig:
    """A scheduler and two workers, processes of their own."""

    def __init__(self, folder, tls=None):
        self._file = folder / "scheduler.json"
        self._environment, protocol = {**os.environ, **(tls or {})}, ("--protocol", "tls") if tls else ()
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", *protocol)
        deadline = time.monotonic() + PATIENCE_S
        while not self._file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.workers = [self.start_worker() for _ in range(2)]

    def start_worker(self):
        return self._start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def _start(self, what, *words):
        call = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, "--host", "127.0.0.1"]
        call += ["--scheduler-file", str(self._file)]
        return subprocess.Popen(
            call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self._environment
        )

    @property
    def address(self):
        return json.loads(self._file.read_text())["address"]

    @property
    def is_whole(self):
        return all(process.poll() is None for process in (*self.workers, self.scheduler))

    def stop(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def rigs():
    """Those that were started; each process imports for a second or two, so tests share them."""
    started = []
    yield started
    for one in started:
        one.stop()


@pytest.fixture
def rig(rigs, tmp_path_factory):
    """One of which no test has killed a part."""
    if not rigs or not rigs[-1].is_whole:
        rigs.append(Rig(tmp_path_factory.mktemp("rig")))
    return rigs[-1]


@pytest.fixture
def encrypted(tmp_path):
    """A cluster over TLS, and Dask's settings of who knows its certificate."""
    found = faults.certificate(tmp_path)
    made = Rig(tmp_path, found)
    names = {name.removeprefix("DASK_").lower().replace("__", "."): path for name, path in found.items()}
    yield made, {name.replace("ca_file", "ca-file"): path for name, path in names.items()}
    made.stop()


def kill(process):
    process.kill()
    process.wait()


def items(count):
    return [SLOW.format(number) for number in range(count)]


def test_each_item_is_done_once_by_a_scheduler_s_workers(rig):
    choice = Choice("dask", address=rig.address)
    with executor.start(choice) as crew:
        with closing(crew.run(math.factorial, range(30))) as done:
            assert sorted(done) == [(n, math.factorial(n)) for n in range(30)]
        with (
            pytest.raises(InputError, match="GP-R010"),
            closing(crew.run(partial(Choice, "serial"), [0])) as done,
        ):
            list(done)


def test_work_goes_over_tls_to_who_knows_the_certificate_and_to_nobody_else(encrypted):
    rig, settings = encrypted
    assert rig.address.startswith("tls://127.0.0.1:")
    with (
        dask.config.set(settings),
        executor.start(Choice("dask", address=rig.address)) as crew,
        closing(crew.run(math.factorial, range(8))) as done,
    ):
        assert sorted(done) == [(n, math.factorial(n)) for n in range(8)]
    strange = dict.fromkeys(settings)
    for address in (rig.address, rig.address.replace("tls://", "tcp://")):
        with (
            dask.config.set(strange),
            pytest.raises(EnvironmentProblemError, match="GP-R009"),
            executor.start(Choice("dask", address=address)),
        ):
            pass


def test_a_client_that_found_no_scheduler_leaves_nothing_for_the_collector():
    # Collected while another client starts, an open one would wait for the lock that this one holds.
    with (
        pytest.raises(EnvironmentProblemError, match="GP-R009") as caught,
        # Refused before a connection is tried: no certificate is configured.
        executor.start(Choice("dask", address="tls://127.0.0.1:1")),
    ):
        pass
    frames, tried = caught.value.__cause__.__traceback__, []
    while frames:
        one = frames.tb_frame.f_locals.get("self")
        tried += [one] if isinstance(one, distributed.Client) else []
        frames = frames.tb_next
    assert tried
    assert {client.status for client in tried} == {"closed"}


def test_a_killed_worker_s_items_are_done_again(rig):
    with (
        executor.start(Choice("dask", address=rig.address)) as crew,
        closing(crew.run(eval, items(20))) as done,
    ):
        found = [next(done) for _ in range(4)]
        kill(rig.workers[0])
        found += list(done)
    assert sorted(found) == [(n, n) for n in range(20)]


def test_a_killed_scheduler_ends_the_run_and_says_so(rig):
    with pytest.raises(EnvironmentProblemError, match="GP-R009") as caught:  # noqa: PT012, SIM117
        with (
            executor.start(Choice("dask", address=rig.address)) as crew,
            closing(crew.run(eval, items(200))) as done,
        ):
            next(done)
            kill(rig.scheduler)
            list(done)
    assert "gone" in str(caught.value)


def test_a_local_cluster_is_ours_alone_keeps_freed_memory_and_ends_with_us(monkeypatch):
    # Dask's own setting gives memory back at once, which doubles the processor time of work on arrays.
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    asked = "(os := __import__('os')).getpid(), __import__('time').sleep(0.2), os.environ.get('{}')"
    with (
        executor.start(Choice("dask", 2)) as crew,
        closing(crew.run(eval, [f"({asked.format('MALLOC_TRIM_THRESHOLD_')})"] * 6)) as done,
    ):
        answers = [answer for _, answer in done]
    assert {setting for _, _, setting in answers} == {None}
    pids = {pid for pid, _, _ in answers}
    assert os.getpid() not in pids
    deadline = time.monotonic() + PATIENCE_S
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):  # noqa: PTH110
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_no_scheduler_and_no_dask_are_said(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with (
        pytest.raises(EnvironmentProblemError, match="GP-R009") as caught,
        executor.start(Choice("dask", address="tcp://127.0.0.1:1")),
    ):
        pass
    assert "127.0.0.1:1" in str(caught.value)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(EnvironmentProblemError, match="GP-R009") as caught,
        executor.start(Choice("dask", 2)),
    ):
        pass
    assert "glueprint[cluster]" in caught.value.next_step


def test_what_a_worker_returns_is_never_unpickled(rig, tmp_path, monkeypatch):
    """A worker that answers with an object of its own making runs nothing here."""
    victim = tmp_path / "ran"
    evil = f"type('E', (), {{'__reduce__': lambda s: (__import__('os').mkdir, ({str(victim)!r},))}})()"
    with (
        executor.start(Choice("dask", address=rig.address)) as crew,
        closing(crew.run(eval, [evil])) as done,
        pytest.raises(InternalError, match="GP-R012"),
    ):
        list(done)
    monkeypatch.setattr(cluster, "_answered", lambda work, item: work(item))
    with (
        executor.start(Choice("dask", address=rig.address)) as crew,
        closing(crew.run(eval, [evil])) as done,
        pytest.raises(EnvironmentProblemError, match="GP-R021") as caught,
    ):
        list(done)
    assert "your own" in caught.value.next_step
    assert not victim.exists()
