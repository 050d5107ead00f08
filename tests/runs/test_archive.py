"""Files that earlier releases wrote are read for ever: one folder of tests/data-archive for each release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glueprint.runs import ledger, provenance, store, units, workspace
from glueprint.runs.query import query
from glueprint.runs.verify import verify

ARCHIVE = Path(__file__).parents[1] / "data-archive"
RELEASES = sorted(path.name for path in ARCHIVE.iterdir())


def test_the_archive_has_the_first_release():
    assert "0.1.0" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_a_finished_run_is_read(release):
    folder = ARCHIVE / release / "finished"
    table = store.read_table(folder / "tables/mm003_patients.parquet", "mm003_patients")
    assert table.get_column("pfs_months").to_list() == [3.5, None, 1.25]
    assert provenance.read(folder / provenance.FILE_NAME).settings == {"study": "archive", "seed": 1}
    assert [entry.event for entry in ledger.read(folder / ledger.FILE_NAME)] == ["begun", "finished"]
    assert verify(folder).findings == ()
    assert query(folder, "select count(*) from mm003_patients where status = 0").rows == ((2,),)


@pytest.mark.parametrize("release", RELEASES)
def test_an_unfinished_run_is_read(release):
    folder = ARCHIVE / release / "unfinished"
    root = workspace.units_root(folder)
    assert verify(folder).findings == ()
    receipt = units.receipt_of(root / "mm003/000001")
    assert receipt.facts == {"patients": 3, "failed": 1}
    assert units.read(root, "mm003/000001", "patients").height == 3
    assert query(folder, "select count(*) from mm003_patients").rows == ((3,),)


def test_a_newer_version_is_refused_and_not_guessed(tmp_path):
    source = ARCHIVE / RELEASES[-1] / "unfinished"
    unit = next(source.rglob("receipt.json"))
    content = {k: v for k, v in json.loads(unit.read_text()).items() if k != "hash"}
    content["version"] = 99
    (tmp_path / "receipt.json").write_text(json.dumps({**content, "hash": ledger.seal(content)}))
    assert units.receipt_of(tmp_path) is None
