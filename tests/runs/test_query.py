"""SQL over a folder: right answers, errors with their place, no way to write or to look elsewhere."""

from __future__ import annotations

import json

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.runs import ledger, provenance, units, workspace
from glueprint.runs.query import query, tables

PATIENTS = pl.DataFrame({"patient": [1, 2, 3], "arm": ["A", "B", "A"], "pfs_months": [3.5, 1.0, None]})
NAMES = ["it_patients", "it_visits"]


@pytest.fixture
def finished(tmp_path):
    folder = tmp_path / "o'brien's study"
    with workspace.claim(folder) as space:
        record = provenance.new("test", {}, {})
        space.begin(record, {})
        space.publish({"it_patients": PATIENTS, "it_visits": PATIENTS.head(1)}, {}, record)
    return folder


def test_an_answer_has_names_types_and_rows(finished):
    answer = query(
        finished, "select arm, count(*) as n, max(pfs_months) from it_patients group by arm order by arm"
    )
    assert answer.columns == ("arm", "n", "max(pfs_months)")
    assert answer.types == ("VARCHAR", "BIGINT", "DOUBLE")
    assert answer.rows == (("A", 2, 3.5), ("B", 1, 1.0))
    assert sorted(tables(finished)) == NAMES
    assert query(finished, "show tables").rows == tuple((name,) for name in NAMES)


def test_an_unfinished_run_answers_from_its_units(tmp_path):
    with workspace.claim(tmp_path) as space:
        space.begin(provenance.new("test", {}, {}), {})
        assert tables(tmp_path) == {}
        for number in range(3):
            table = PATIENTS.with_columns(replicate=pl.lit(number))
            units.keep(space.units, f"it/{number:06d}", {"patients": table}, {})
        assert query(tmp_path, "select count(*), sum(replicate) from it_patients").rows == ((9, 9),)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec 1", ["line 1, column 1", 'near "selec"']),
        ("select arm,\n  nope from it_patients", ["line 2, column 3", '"nope"']),
        ("select " + "1 + " * 60 + "nope from it_patients", ["line 1, column 248", '"nope"']),
        (
            "select * from it_patient",
            ["column 15", 'did you mean "it_patients"', "tables it_patients, it_visits"],
        ),
        ("select 'x'::int", ["Could not convert"]),
        ("select * from read_csv('/etc/passwd')", ["/etc/passwd"]),
        ("select * from 'elsewhere.parquet'", ["elsewhere.parquet"]),
    ],
)
def test_what_is_wrong_is_shown_with_its_place(finished, sql, words):
    with pytest.raises(InputError, match="GP-R014") as caught:
        query(finished, sql)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "select 1; select 2",
        "copy it_patients to '{out}'",
        "create table mine as select 1",
        "drop view it_patients",
        "set enable_external_access = true",
        "attach '{out}'",
        "install httpfs",
        "export database '{out}'",
    ],
)
def test_only_one_statement_that_reads_is_allowed(finished, tmp_path, sql):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="GP-R015"):
        query(finished, sql.replace("{out}", str(tmp_path / "out")))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="GP-R013"):
        query(tmp_path, "select 1")


def test_asking_changes_nothing(finished):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    query(finished, "select * from it_patients")
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before
    last = json.loads((finished / ledger.FILE_NAME).read_text().splitlines()[-1])
    assert last["event"] == "finished"
