"""Faults for real: kill -9 of driver and worker, Ctrl-C, a full disk, a read-only folder, two writers.

Afterwards the same command ends with the bytes of an undisturbed serial run, each virtual trial once.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from tests import processes
from tests.envelope import payload

from glueprint import study
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import ledger, units, workspace
from glueprint.runs.verify import verify

REPLICATES = 4
SMALL = f"""
kind = "glueprint-study"
version = 1
name = "small"
title = "A small study"
compound = "pomalidomide"
[[trials]]
protocol = "mm003"
replicates = {REPLICATES}
[profiles]
patients = 20
days = 1
"""
COMMAND = "import sys; from glueprint.cli import main; sys.argv[0] = 'glueprint'; main()"
PATIENCE_S = 300
# Found by every process of a run when it starts: its workers wait in the middle of a unit, once so many are
# kept, as long as the gate is shut. So a fault meets them there on an idle machine and on a busy one.
BRAKE = """
import pathlib, tempfile, time
make = tempfile.mkdtemp

def brake(*args, **given):
    place = make(*args, **given)
    if given.get("suffix") == ".partial":
        whole = [entry for entry in pathlib.Path(place).parent.iterdir() if entry.name[0] != "."]
        while len(whole) >= {number} and pathlib.Path({gate!r}).exists():
            time.sleep(0.02)
    return place

tempfile.mkdtemp = brake
"""


class Gate:
    """Where the processes of a run wait when `number` units are kept, until it opens."""

    def __init__(self, folder, number):
        self._shut = folder / "shut"
        self._shut.touch()
        (folder / "sitecustomize.py").write_text(BRAKE.format(number=number, gate=str(self._shut)))
        places = (str(folder), os.environ.get("PYTHONPATH", ""))
        search = os.pathsep.join(filter(None, places))
        self.environment = {**os.environ, **processes.TELLING, "PYTHONPATH": search}

    def open(self):
        self._shut.unlink(missing_ok=True)


@pytest.fixture
def gate(tmp_path):
    made = []

    def shut(number):
        folder = tmp_path / "gate"
        folder.mkdir()
        made.append(Gate(folder, number))
        return made[0]

    yield shut
    for gate in made:  # whatever failed, nobody waits for ever
        gate.open()


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The study's file, and the hashes of an undisturbed serial run."""
    folder = tmp_path_factory.mktemp("faults")
    file = folder / "study.toml"
    file.write_text(SMALL)
    return file, dict(study.run(file, folder / "calm", executor="serial").record.outputs)


def command(asked, out, gate, *words):
    call = [sys.executable, "-c", COMMAND, "study", "run", str(asked[0]), "--out", str(out), *words]
    return subprocess.Popen(
        call,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=gate.environment,
    )


def units_there(out):
    return len(units.survey(workspace.units_root(out))[0])


def wait_for(process, out, number):
    """Until that many units are kept."""
    wait_until(process, lambda: units_there(out) >= number)


def begun_units(out):
    """What half-written units have for a name."""
    return list(workspace.units_root(out).glob("*/.*"))


def wait_until(process, come):
    deadline = time.monotonic() + PATIENCE_S
    while not come():
        assert process.poll() is None, process.communicate()
        if time.monotonic() > deadline:
            processes.ended(process, 0)
        time.sleep(0.02)


def events(out):
    return [entry.event for entry in ledger.read(out / ledger.FILE_NAME)]


def goes_on_to_the_same_bytes(asked, out, **how):
    result = study.run(asked[0], out, **how)
    assert dict(result.record.outputs) == asked[1]
    assert result.trials["mm003"].patients.group_by("replicate").len().height == REPLICATES
    assert verify(out).findings == ()
    assert not (out / workspace.UNFINISHED).exists()


@pytest.mark.parametrize("words", [["--executor", "serial"], ["--workers", "2"]], ids=["serial", "processes"])
def test_a_killed_driver_costs_what_its_workers_had_in_hand(asked, tmp_path, gate, words):
    out, shut = tmp_path / "out", gate(2)
    process = command(asked, out, shut, *words)
    wait_for(process, out, 2)
    process.kill()
    shut.open()
    processes.ended(process, PATIENCE_S)
    there = units_there(out)
    assert verify(out).findings == ()
    goes_on_to_the_same_bytes(asked, out)
    resumed = next(e for e in ledger.read(out / ledger.FILE_NAME) if e.event == "resumed")
    # Orphans may finish what they had in hand; nothing that was kept is done again.
    assert resumed.facts["units"] >= there
    assert events(out) == ["begun", "resumed", "finished"]


def test_a_killed_worker_is_replaced(asked, tmp_path, gate):
    out, shut = tmp_path / "out", gate(1)
    process = command(asked, out, shut, "--workers", "2", "--json")
    wait_for(process, out, 1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("this system does not list the children of a process")
    workers = [pid for pid in children.read_text().split() if b"spawn_main" in cmdline(pid)]
    os.kill(int(workers[0]), signal.SIGKILL)
    shut.open()
    said, told = processes.ended(process, PATIENCE_S)
    assert process.returncode == 0, told
    assert payload(said)["tables"] == asked[1]
    assert events(out) == ["begun", "finished", "added"]


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("executor", ["serial", "processes", "dask"])
def test_ctrl_c_ends_with_130_and_can_be_continued(asked, tmp_path, gate, executor):
    out = tmp_path / "out"
    workers = [] if executor == "serial" else ["--workers", "2"]
    process = command(asked, out, gate(1), "--executor", executor, *workers)
    wait_for(process, out, 1)
    wait_until(process, lambda: begun_units(out))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, told = processes.ended(process, PATIENCE_S)
    assert process.returncode == 130
    assert "the same command goes on" in told
    assert "Traceback" not in told
    assert events(out) == ["begun", "interrupted"]
    assert begun_units(out) == []
    with pytest.raises(InputError, match="GP-S006") as caught:
        study.run(asked[0], out, seed=2)
    assert "an unfinished study" in str(caught.value)
    goes_on_to_the_same_bytes(asked, out)


def test_the_second_of_two_writers_is_refused(asked, tmp_path, gate):
    out, shut = tmp_path / "out", gate(1)
    process = command(asked, out, shut, "--executor", "serial")
    wait_for(process, out, 1)
    with pytest.raises(InputError, match="GP-R006") as caught:
        study.run(asked[0], out)
    assert str(process.pid) in str(caught.value)
    shut.open()
    _, told = processes.ended(process, PATIENCE_S)
    assert process.returncode == 0, told
    assert study.run(asked[0], out).record.outputs == asked[1]


def test_a_truncated_unit_is_done_again(asked, tmp_path, monkeypatch):
    out = tmp_path / "out"
    stop_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        study.run(asked[0], out)
    monkeypatch.undo()
    torn = workspace.units_root(out) / "mm003" / "000002" / "visits.parquet"
    torn.write_bytes(torn.read_bytes()[:1000])
    assert [finding.file.rpartition("/")[2] for finding in verify(out).findings] == ["visits.parquet"]
    goes_on_to_the_same_bytes(asked, out)
    resumed = ledger.read(out / ledger.FILE_NAME)[2]
    assert resumed.facts["units"] == 2
    assert resumed.facts["damaged"] == {"mm003/000002": ["visits.parquet"]}


def stop_after(monkeypatch, number):
    """Ctrl-C when that many units are kept."""
    kept = units.keep

    def keep(root, *unit):
        if len(units.survey(root)[0]) >= number:
            raise KeyboardInterrupt
        return kept(root, *unit)

    monkeypatch.setattr(units, "keep", keep)


def test_fresh_begins_anew_and_keeps_the_old_result_until_the_new_one_is_there(asked, tmp_path, monkeypatch):
    out = tmp_path / "out"
    study.run(asked[0], out, seed=2)
    before = (out / "tables/mm003_patients.parquet").read_bytes()
    stop_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        study.run(asked[0], out, fresh=True)
    monkeypatch.undo()
    assert (out / "tables/mm003_patients.parquet").read_bytes() == before
    assert verify(out).findings == ()
    goes_on_to_the_same_bytes(asked, out)
    assert events(out) == ["begun", "finished", "begun", "interrupted", "resumed", "finished"]


@pytest.fixture
def mount(tmp_path):
    """A file system of our own: call with mount options; skips where that is not allowed."""
    place = tmp_path / "mount"
    place.mkdir()
    mounted = []

    def call(*options):
        done = subprocess.run(["mount", *options, "tmpfs", str(place)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting a small file system needs more rights here")
        mounted.append(place)
        return place

    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    yield call
    for _ in mounted[:1]:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_what_was_done(asked, tmp_path, mount):
    disk = mount("-t", "tmpfs", "-o", "size=700k")
    with pytest.raises(EnvironmentProblemError, match="GP-R002"):
        study.run(asked[0], disk / "out")
    there = units_there(disk / "out")
    assert 0 < there < REPLICATES
    assert begun_units(disk / "out") == []
    mount("-o", "remount,size=50m")
    goes_on_to_the_same_bytes(asked, disk / "out")


def test_a_read_only_folder_is_refused(asked, mount):
    disk = mount("-t", "tmpfs", "-o", "size=50m")
    mount("-o", "remount,ro")
    with pytest.raises(EnvironmentProblemError, match="GP-R001"):
        study.run(asked[0], disk / "out")


def test_tables_of_each_replicate_are_there_once(asked, tmp_path):
    result = study.run(asked[0], tmp_path / "out", workers=2)
    patients = pl.read_parquet(result.folder / "tables/mm003_patients.parquet")
    assert patients.select("replicate", "patient").is_duplicated().sum() == 0
    assert patients.get_column("replicate").unique().sort().to_list() == list(range(1, REPLICATES + 1))
