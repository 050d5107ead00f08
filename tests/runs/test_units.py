"""Units of work: whole or absent, damage found, the first one kept when two workers do the same."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import provenance, store, units

TABLES = {"patients": pl.DataFrame({"patient": [1, 2]}), "visits": pl.DataFrame({"day": [0.0, 7.0, 14.0]})}
FACTS = {"patients": 2, "failed": 0}


@pytest.fixture
def root(tmp_path):
    units.keep(tmp_path, "job/000001", TABLES, FACTS)
    return tmp_path


def test_a_unit_is_read_back_with_its_receipt(root):
    receipt = units.receipt_of(root / "job/000001")
    assert receipt.unit == "job/000001"
    assert receipt.facts == FACTS
    assert receipt.made_with == provenance.versions()
    assert receipt.files["visits"] == store.file_hash(root / "job/000001/visits.parquet")
    assert units.read(root, "job/000001", "visits").equals(TABLES["visits"])
    assert units.damage(root / "job/000001") == []
    with pytest.raises(InputError, match="GP-R003"):
        units.read(root, "job/000002", "visits")


@pytest.mark.parametrize("name", ["patients.parquet", "visits.parquet", units.RECEIPT])
def test_any_changed_byte_is_found_and_the_unit_swept(root, name):
    path = root / "job/000001" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    whole, damaged = units.survey(root)
    assert whole == {}
    assert list(damaged) == ["job/000001"]
    assert name in damaged["job/000001"]
    units.sweep(root, damaged)
    assert units.survey(root) == ({}, {})


def test_a_truncated_and_a_missing_table_are_found(root):
    path = root / "job/000001/visits.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    assert units.damage(root / "job/000001") == ["visits.parquet"]
    path.unlink()
    assert units.damage(root / "job/000001") == ["visits.parquet"]


def test_a_unit_without_receipt_or_of_other_versions_does_not_count(root, monkeypatch):
    (root / "job/000002").mkdir()
    assert list(units.survey(root)[1]) == ["job/000002"]
    monkeypatch.setattr(provenance, "versions", lambda: {"Glueprint": "0.0.1"})
    whole, damaged = units.survey(root)
    assert whole == {}
    assert damaged["job/000001"] == ["receipt.json: other versions"]


def test_the_first_of_two_equal_units_stays(root):
    before = (root / "job/000001").stat().st_ino
    receipt = units.keep(root, "job/000001", TABLES, FACTS)
    assert (root / "job/000001").stat().st_ino == before
    assert receipt == units.receipt_of(root / "job/000001")
    assert [entry.name for entry in (root / "job").iterdir()] == ["000001"]


def test_a_damaged_unit_is_replaced(root):
    (root / "job/000001/visits.parquet").write_bytes(b"PAR1")
    units.keep(root, "job/000001", TABLES, FACTS)
    assert units.damage(root / "job/000001") == []


def test_what_a_killed_worker_left_is_no_unit_and_is_swept(root):
    leftover = root / "job" / ".abc.partial"
    leftover.mkdir()
    (leftover / "visits.parquet").write_bytes(b"PAR1")
    assert list(units.survey(root)[0]) == ["job/000001"]
    units.sweep(root, {})
    assert [entry.name for entry in (root / "job").iterdir()] == ["000001"]


def test_a_late_worker_whose_half_unit_was_swept_loses_it_as_a_whole(tmp_path, monkeypatch):
    write = units.write_tables

    def swept_midway(staging, tables, **how):
        first, *others = tables
        write(staging, {first: tables[first]}, **how)
        units.sweep(tmp_path, {})
        return write(staging, {name: tables[name] for name in others}, **how)

    monkeypatch.setattr(units, "write_tables", swept_midway)
    with pytest.raises(EnvironmentProblemError, match="GP-R001"):
        units.keep(tmp_path, "job/000001", TABLES, FACTS)
    assert list((tmp_path / "job").iterdir()) == []
    assert units.survey(tmp_path) == ({}, {})


def test_a_late_worker_cannot_bring_back_a_run_that_was_given_up(tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-R001"):
        units.keep(tmp_path / "gone", "job/000001", TABLES, FACTS)
    assert list(tmp_path.iterdir()) == []
