"""`glueprint glue`: what is printed for people and for machines, and its exit codes."""

from __future__ import annotations

import json
import sys

import pytest
from tests.envelope import payload, refusal
from typer.testing import CliRunner

from glueprint.cli import app as root
from glueprint.cli import glue as command
from glueprint.cli.app import app

SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"
TABLE = """compound,quantity,target,value,low,high,unit
GLX-1,ki,,200,150,267,nM
pomalidomide,ki,,250,188,333,nM
GLX-1,rate_max_over_k_deg,IKZF1,20,15,27,
pomalidomide,rate_max_over_k_deg,IKZF1,21,16,28,
"""
ENTRY = '\n[[assay]]\nname = "table-1"\nkind = "table"\nfiles = ["raw/table/measured.csv"]\n'


def told(*arguments, code=0):
    found = CliRunner().invoke(app, list(map(str, arguments)))
    assert found.exit_code == code, (found.output, found.exception)
    return found.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glue") / "p"
    told("glue", "new", folder, "--compound", "GLX-1", "--smiles", SMILES)
    (folder / "raw/table/measured.csv").write_text(TABLE)
    (folder / "glue.toml").write_text((folder / "glue.toml").read_text() + ENTRY)
    return folder


def test_a_run_takes_all_processors_unless_told(project, monkeypatch):
    asked = []

    def stop(folder, *, workers, **_):
        asked.append(workers)
        raise KeyboardInterrupt

    monkeypatch.setattr(command.glue, "run", stop)
    monkeypatch.setattr(command.study, "run", lambda *_, workers, **__: stop(_, workers=workers))
    monkeypatch.setattr(command.os, "cpu_count", lambda: 3)
    told("glue", "run", project, code=130)
    told("glue", "run", project, "--workers", 2, code=130)
    told("study", "run", "pomalidomide", "--out", project / "none", code=130)
    assert asked == [3, 2, 3]


def test_a_new_project_says_what_to_do_next(tmp_path):
    said = told("glue", "new", tmp_path / "p", "--compound", "GLX-1", "--smiles", SMILES)
    assert "put your raw files into raw/ and name them" in said
    assert "Next: glueprint glue status" in said
    about = payload(
        told(
            "glue",
            "new",
            tmp_path / "q",
            "--compound",
            "G",
            "--smiles",
            SMILES,
            "--reference",
            "none",
            "--json",
        )
    )
    assert about["project"]["compound"] == "G"
    assert "reference" not in about["project"]


def test_status_names_what_is_missing_and_what_would_help(project):
    said = told("glue", "status", project)
    for words in (
        "GLX-1, beside pomalidomide",
        "table-1",
        "Result: ",
        "GP-S030",
        "What would help, 1: pharmaco",
    ):
        assert words in said
    about = payload(told("glue", "status", project, "--json"))
    assert about["compound"] == "GLX-1"
    assert about["assays"][0]["there"] is True
    assert about["helps"][0].startswith("pharmacokinetics")
    assert [finding["code"] for finding in about["findings"]] == ["GP-S030"]


def test_a_run_prints_what_was_learnt_and_leaves_a_report(project):
    said = told("glue", "run", project, "--quick", "--workers", 1)
    for words in (
        "What the assays together say",
        "kd_ratio",
        "efficacy:IKZF1",
        "GP-S030 warning",
        "Report: ",
    ):
        assert words in said
    assert (project / "result/report.html").is_file()
    about = payload(told("glue", "run", project, "--quick", "--json"))
    assert about["computed"] == []
    assert {row["name"] for row in about["learnt"]} >= {"kd_ratio", "kd_nm"}
    assert "outcomes" not in about
    assert told("study", "verify", project / "result").strip().endswith("0 findings")


def test_progress_goes_into_a_file_of_events(project, tmp_path):
    told("glue", "run", project, "--quick", "--fresh", "--events", tmp_path / "events.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert {"glueprint-progress"} == {line["kind"] for line in lines}
    assert [line["what"] for line in lines][-1] == "done"


def test_an_interrupted_run_says_that_the_same_command_goes_on(project, monkeypatch):
    def stopped(*_given, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr("glueprint.study.glue.run", stopped)
    found = CliRunner().invoke(app, ["glue", "run", str(project)])
    assert found.exit_code == 130
    assert "the same command goes on" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("new", "{}", "--compound", "GLX-1", "--smiles", SMILES), "GP-S025"),
        (("new", "{}/new", "--compound", "GLX-1", "--smiles", "C1CC"), "GP-H002"),
        (("new", "{}/new", "--compound", "../x", "--smiles", SMILES), "GP-S023"),
        (("run", "{}"), "GP-S020"),
        (("status", "{}"), "GP-S020"),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(tmp_path, monkeypatch, capsys, arguments, code):
    (tmp_path / "something.txt").write_text("x")
    command = ["glueprint", "glue", *(one.format(tmp_path) for one in arguments), "--json"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        root.main()
    assert ended.value.code == 2
    assert refusal(capsys.readouterr().err)["code"] == code
    assert not (tmp_path / "new").exists()
