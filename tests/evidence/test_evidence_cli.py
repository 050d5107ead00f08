"""The commands print what the functions return, and end with the right code."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from glueprint import evidence
from glueprint.cli.evidence import ALL_CHECKS, app
from glueprint.errors import InputError


def call(*arguments):
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_table_prints_the_guide_with_the_ids_beside():
    result = call("table", "guide-1", "guide-5")
    assert result.exit_code == 0
    for words in ("264 ± 18 nM", "G1-kd-spr", "~1 µM", "Thrombocytopenia", "22%", "G5-thrombocytopenia"):
        assert words in result.output


def test_table_as_json_equals_the_function(claims):
    result = call("table", "guide-4", "--json")
    assert json.loads(result.output)["guide-4"] == claims.table("guide-4").to_dicts()


def test_show_prints_everything_known():
    result = call("show", "BIN-001")
    assert result.exit_code == 0
    for words in ("264 (246-282) nM", "plus-minus", "doi:10.1002/cmdc.201800271", "calibration", "G1-kd-spr"):
        assert words in result.output


def test_show_as_json_and_split_rows():
    assert json.loads(call("show", "PK045", "--json").output)["value"] == 1.25
    assert [part["value"] for part in json.loads(call("show", "CL032", "--json").output)] == [4.0, 1.9]


def test_unknown_names_are_errors_with_the_nearest():
    result = call("show", "BIN-0001")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-E001"
    result = call("table", "guide1")
    assert result.exception.code == "GP-E002"
    assert 'did you mean "guide-1"' in result.exception.message


def test_list_selects():
    rows = json.loads(
        call("list", "--trial", "mm003", "--endpoint", "orr", "--role", "calibration", "--json").output
    )
    assert {(row["arm"], row["value"]) for row in rows} == {("pom-dex", 31.0), ("hidex", 10.0)}
    assert "G4-orr-pomdex" in call("list", "--trial", "mm003", "--endpoint", "orr").output


def test_list_refuses_a_word_that_no_claim_has():
    result = call("list", "--trial", "MM-033")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-E011"
    assert 'did you mean "MM-00' in result.exception.message


def test_check_prints_code_ids_what_and_remedy_and_ends_with_1():
    result = call("check")
    assert result.exit_code == 1
    for words in (
        "EV-ic50-ki",
        "BIN-003, BIN-002",
        "153.9",
        "Cheng-Prusoff",
        "CH-route-product",
        "17 checks: 1 error,",
    ):
        assert words in result.output
    assert len(json.loads(call("check", "--json").output)) == len(
        evidence.run_checks(evidence.load(), ALL_CHECKS)
    )


def test_check_ends_with_0_when_nothing_is_found(monkeypatch, blank):
    monkeypatch.setattr(evidence, "load", lambda _: evidence.Claims([blank]))
    result = call("check")
    assert result.exit_code == 0
    assert "0 errors, 0 warnings, 0 remarks" in result.output


def test_strict_counts_remarks(monkeypatch):
    remark = evidence.Finding("XX", "remark", "t", ("X-001",), "w", "r")
    monkeypatch.setattr(evidence, "run_checks", lambda *_: [remark])
    assert call("check").exit_code == 0
    assert call("check", "--strict").exit_code == 1


def test_conflicts_side_by_side(claims):
    result = call("conflicts")
    assert result.exit_code == 0
    assert f"{len(claims.conflicts())} conflicts" in result.output
    shown = json.loads(call("conflicts", "--json").output)
    assert [conflict["code"] for conflict in shown] == [conflict.code for conflict in claims.conflicts()]


def test_own_claims_are_checked_too(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,quantity,value,low,high,interval_kind,unit,source,grade,role\n"
        "MY-001,Kd,300,10,20,ci95,nM,doi:10.1/x,A,context\n",
        encoding="utf-8",
    )
    result = call("check", "--extra", str(path))
    assert "EV-interval" in result.output
    assert "MY-001" in result.output


@pytest.mark.parametrize("command", ["table", "show", "list", "check", "conflicts"])
def test_every_command_has_help(command):
    assert "--json" in call(command, "--help").output
