"""The commands print what the functions return, and end with the right code."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import evidence
from glueprint.cli.evidence import all_checks, app
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
    assert payload(result.output)["guide-4"] == claims.table("guide-4").to_dicts()


def test_show_prints_everything_known():
    result = call("show", "BIN-001")
    assert result.exit_code == 0
    for words in ("264 (246-282) nM", "plus-minus", "doi:10.1002/cmdc.201800271", "calibration", "G1-kd-spr"):
        assert words in result.output


def test_show_as_json_and_split_rows():
    assert payload(call("show", "PK045", "--json").output)["value"] == 1.25
    assert [part["value"] for part in payload(call("show", "CL032", "--json").output)] == [4.0, 1.9]


def test_unknown_names_are_errors_with_the_nearest():
    result = call("show", "BIN-0001")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-E001"
    result = call("table", "guide1")
    assert result.exception.code == "GP-E002"
    assert 'did you mean "guide-1"' in result.exception.message


def test_list_selects():
    rows = payload(
        call("list", "--trial", "mm003", "--endpoint", "orr", "--role", "calibration", "--json").output
    )
    assert {(row["arm"], row["value"]) for row in rows} == {("pom-dex", 31.0), ("hidex", 10.0)}
    assert "G4-orr-pomdex" in call("list", "--trial", "mm003", "--endpoint", "orr").output


def test_list_refuses_a_word_that_no_claim_has():
    result = call("list", "--trial", "MM-033")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-E011"
    assert 'did you mean "MM-00' in result.exception.message


def test_what_stands_with_a_reason_is_counted_and_not_shown():
    result = call("check")
    assert result.exit_code == 0
    assert "0 errors, 0 warnings, 0 remarks; 29 more that stand" in result.output
    assert all(finding["accepted"] for finding in payload(call("check", "--json").output)["findings"])


def test_every_reason_is_of_a_finding_that_is_still_there():
    findings = evidence.run_checks(evidence.load(), all_checks())
    found = {(one.code, one.claim_ids, one.what) for one in findings}
    assert {(one.code, one.claims, one.what) for one in evidence.builtin_accepted()} == found


def test_another_number_is_a_new_finding():
    finding = evidence.run_checks(evidence.load(), all_checks())[0]
    changed = replace(finding, what=finding.what.replace("34.6", "34.7"))
    assert evidence.not_accepted([finding, changed], evidence.builtin_accepted()) == (changed,)


def test_own_findings_stand_once_there_is_a_reason(tmp_path):
    mine, known = tmp_path / "mine.csv", tmp_path / "known.toml"
    mine.write_text(
        "id,quantity,value,low,high,interval_kind,unit,source,grade,role\n"
        'MY-"\N{GREEK SMALL LETTER MU}",Kd,300,10,20,ci95,nM,doi:10.1/x,A,context\n',
        encoding="utf-8",
    )
    assert call("check", "--extra", str(mine), "--accept", str(known)).exit_code == 1
    again = call("check", "--extra", str(mine), "--accept", str(known))
    assert again.exception.code == "GP-E013"
    unsaid = call("check", "--extra", str(mine), "--baseline", str(known))
    assert (unsaid.exception.code, unsaid.exception.where) == ("GP-E012", f"{known}, accepted[0].why")
    known.write_text(known.read_text("utf-8").replace("say here why it stands", "an old assay"), "utf-8")
    told = call("check", "--extra", str(mine), "--baseline", str(known))
    assert told.exit_code == 0
    assert "30 more that stand" in told.output
    assert "1 reason of no finding" in call("check", "--baseline", str(known)).output


@pytest.mark.parametrize(
    "text", ["no toml", 'kind = "other"', 'kind = "accepted findings"\nversion = 1\nx = 1']
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path, text):
    path = tmp_path / "b.toml"
    path.write_text(text, encoding="utf-8")
    assert call("check", "--baseline", str(path)).exception.code == "GP-E012"


def test_check_prints_code_ids_what_and_remedy_and_ends_with_1():
    result = call("check", "--all")
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
    assert len(payload(call("check", "--json").output)["findings"]) == len(
        evidence.run_checks(evidence.load(), all_checks())
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
    shown = payload(call("conflicts", "--json").output)
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
