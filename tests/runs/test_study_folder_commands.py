"""`glueprint study verify` and `query` on the archive: words for people, JSON for machines, exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.app import app
from glueprint.errors import InputError

FINISHED = Path(__file__).parents[1] / "data-archive" / "0.1.0" / "finished"


def call(*words):
    return CliRunner().invoke(app, ["study", *map(str, words)])


def test_verify_of_an_untouched_and_a_changed_folder(tmp_path):
    folder = shutil.copytree(FINISHED, tmp_path / "study")
    good = call("verify", folder)
    assert good.exit_code == 0
    assert "2 ledger entries: 0 findings" in good.output
    assert "origin unverified: nobody signed it" in good.output
    table = folder / "tables" / "mm003_patients.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"?")
    (folder / "notes.txt").write_text("mine")
    bad = call("verify", folder)
    assert bad.exit_code == 1
    assert "tables/mm003_patients.parquet: was changed" in bad.output
    assert "notes.txt: not written by a run" in bad.output
    assert "origin unverified: it does not verify" in bad.output
    told = payload(call("verify", folder, "--json").output)
    assert told["findings"] == [{"file": "tables/mm003_patients.parquet", "what": "was changed"}]


def test_query_in_words_and_as_json():
    sql = "select arm, count(*) as patients from mm003_patients group by arm order by arm"
    assert "patients" in call("query", FINISHED, sql).output
    told = payload(call("query", FINISHED, sql, "--json").output)
    assert told["columns"] == {"arm": "VARCHAR", "patients": "BIGINT"}
    assert told["rows"] == [{"arm": "A", "patients": 2}, {"arm": "B", "patients": 1}]


def test_a_query_that_is_wrong_is_an_error_with_its_code():
    done = call("query", FINISHED, "select nope from mm003_patients")
    assert isinstance(done.exception, InputError)
    with pytest.raises(InputError, match="GP-R014"):
        raise done.exception


def test_workers_that_an_executor_cannot_take_are_refused_and_not_ignored(tmp_path):
    out = tmp_path / "study"
    done = call("run", "pomalidomide", "--executor", "serial", "--workers", "2", "--out", out)
    with pytest.raises(InputError, match="GP-R010"):
        raise done.exception
    assert not out.exists()
