"""A sample of `benchmarks.faults` and `benchmarks.disturbances`: clock, full disk, SIGSTOP, Ctrl-C."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
from benchmarks import disturbances, faults

from glueprint import study
from glueprint.boundary import clock
from glueprint.errors import EnvironmentProblemError
from glueprint.runs import ledger
from glueprint.runs.verify import verify

pytestmark = pytest.mark.xdist_group("disturbances")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A small study's file, a calm run of it, and how often that one wrote."""
    folder = tmp_path_factory.mktemp("disturbances")
    file = faults.written(folder, units=2)
    with disturbances.FullDisk(0) as roomy:
        study.run(file, folder / "calm", executor="serial")
    return file, folder / "calm", roomy.writes


def test_a_clock_that_is_set_back_decides_nothing(asked, tmp_path, monkeypatch):
    late = [clock.now()]

    def earlier():
        late.append(late[-1] - timedelta(hours=9000))
        return late[-1]

    monkeypatch.setattr(clock, "now", earlier)
    file, calm, _ = asked
    study.run(file, tmp_path / "out", executor="serial")
    assert len(late) > 3
    assert disturbances.differences(tmp_path / "out", calm) == []
    entries = ledger.read(tmp_path / "out" / ledger.FILE_NAME)
    assert entries[0].utc > entries[-1].utc
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    study.run(file, tmp_path / "out", executor="serial")  # finished, whatever the clock says
    assert verify(tmp_path / "out").findings == ()


@pytest.mark.parametrize("share", [0.1, 0.8])
def test_a_disk_that_is_full_at_a_write_leaves_what_can_be_gone_on_from(asked, tmp_path, share):
    file, calm, writes = asked
    out = tmp_path / "out"
    number = 1 + int(share * (writes - 1))
    with disturbances.FullDisk(number), pytest.raises(EnvironmentProblemError, match=r"GP-R002"):
        study.run(file, out, executor="serial")
    assert disturbances.half_written(out) == []
    study.run(file, out, executor="serial")
    assert disturbances.differences(out, calm) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_is_stopped_and_goes_on_loses_and_doubles_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(faults.LOG, str(tmp_path / "begun.log"))
    file = faults.written(tmp_path)
    faults.compute(file, tmp_path / "calm", executor="serial")
    (tmp_path / "round").mkdir()
    row = faults.judged(
        faults.round_of("stopped", file, tmp_path / "round", 0.3),
        tmp_path / "round" / "out",
        tmp_path / "calm",
    )
    assert row["good"], row


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_interrupt_leaves_no_process_and_nothing_half_written(asked, tmp_path):
    row = disturbances.interrupt(asked[0], tmp_path / "out", tmp_path / "temporary")
    assert row["good"], f"{row}"
    assert list((tmp_path / "temporary").iterdir()) == []
