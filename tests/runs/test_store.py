"""What is kept: whole or not at all, the same bytes, and readable later."""

from __future__ import annotations

import errno
from dataclasses import replace

import polars as pl
import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import provenance, store

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


def test_provenance_round_trip_and_what_differs(tmp_path):
    record = provenance.new("study", {"seed": 1}, {"study.toml": "ab"})
    path = tmp_path / provenance.FILE_NAME
    digest = provenance.write(path, record)
    assert store.file_hash(path) == digest
    assert provenance.read(path) == record
    changed = provenance.new("study", {"seed": 2}, {"study.toml": "cd"})
    assert changed.differs_from(record) == ["setting seed: 1 -> 2", "input study.toml: ab -> cd"]
    assert record.differs_from(record) == []
    path.write_text("{")
    with pytest.raises(InputError, match="GP-R005"):
        provenance.read(path)


def test_other_versions_of_what_decides_the_numbers_are_a_difference():
    record = provenance.new("study", {}, {})
    older = replace(
        record,
        glueprint="0.0.1",
        python="3.1",
        packages={**record.packages, "numpy": "1.0"},
        machine="PDP-11",
    )
    words = record.differs_from(older)
    assert [word.split()[0] for word in words] == ["Glueprint", "Python", "machine", "package"]
    assert "package numpy: 1.0 -> " in words[3]
