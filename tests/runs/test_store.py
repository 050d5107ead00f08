"""What is kept: whole or not at all, the same bytes, and readable later."""

from __future__ import annotations

import errno

import polars as pl
import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import ledger, store

TABLE = pl.DataFrame({"patient": [1, 2], "pfs_months": [3.5, None], "arm": ["A", "B"]})


def leftovers(folder):
    return sorted(path.name for path in folder.rglob("*") if "partial" in path.name or ".old" in path.name)


def test_round_trip_and_equal_bytes(tmp_path):
    first = store.write_tables(tmp_path / "a", {"patients": TABLE})
    second = store.write_tables(tmp_path / "b", {"patients": TABLE})
    assert first == second
    assert store.read_table(tmp_path / "a" / "patients.parquet", "patients").equals(TABLE)
    assert leftovers(tmp_path) == []


def test_another_kind_and_a_damaged_file_are_refused(tmp_path):
    store.write_tables(tmp_path, {"patients": TABLE})
    path = tmp_path / "patients.parquet"
    with pytest.raises(InputError, match="GP-R003") as caught:
        store.read_table(path, "visits")
    assert 'kind "patients"' in str(caught.value)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="GP-R003"):
        store.read_table(path, "patients")
    with pytest.raises(InputError, match="GP-R003"):
        store.read_table(tmp_path / "none.parquet", "patients")


def test_a_failed_write_leaves_the_old_table(tmp_path, monkeypatch):
    store.write_tables(tmp_path, {"patients": TABLE})
    monkeypatch.setattr(store.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(EnvironmentProblemError, match="GP-R002"):
        store.write_tables(tmp_path, {"patients": TABLE.head(1)})
    assert store.read_table(tmp_path / "patients.parquet", "patients").equals(TABLE)
    assert leftovers(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(EnvironmentProblemError, match="GP-R001") as caught:
        store.write_tables(blocker / "sub", {"patients": TABLE})
    assert str(blocker) in str(caught.value)


def test_replace_folder_swaps_only_when_all_went_well(tmp_path):
    target = tmp_path / "study"
    with store.replace_folder(target, "done.txt") as staging:
        (staging / "done.txt").write_text("1")
    with pytest.raises(RuntimeError), store.replace_folder(target, "done.txt") as staging:  # noqa: PT012
        (staging / "done.txt").write_text("2")
        raise RuntimeError
    assert (target / "done.txt").read_text() == "1"
    with store.replace_folder(target, "done.txt") as staging:
        (staging / "done.txt").write_text("3")
    assert (target / "done.txt").read_text() == "3"
    assert leftovers(tmp_path) == []


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="GP-R004"), store.replace_folder(tmp_path, "done.txt"):
        pass
    assert (tmp_path / "thesis.tex").exists()


def test_provenance_round_trip_and_what_differs(tmp_path):
    record = ledger.new("study", {"seed": 1}, {"study.toml": "ab"})
    ledger.write(tmp_path, record)
    assert ledger.read(tmp_path) == record
    changed = ledger.new("study", {"seed": 2}, {"study.toml": "cd"})
    assert changed.differs_from(record) == ["setting seed: 1 -> 2", "input study.toml: ab -> cd"]
    assert record.differs_from(record) == []
    (tmp_path / ledger.FILE_NAME).write_text("{")
    with pytest.raises(InputError, match="GP-R005"):
        ledger.read(tmp_path)


def test_a_folder_name_that_the_disk_refuses_says_so(tmp_path):
    with (
        pytest.raises(EnvironmentProblemError, match="GP-R001"),
        store.replace_folder(tmp_path / ("x" * 5000), "marker.json"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
