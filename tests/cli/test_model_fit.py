"""`glueprint model fit` as people call it."""

from __future__ import annotations

import json

import pytest
from benchmarks import workshop_problems as problems
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import workshop
from glueprint.cli.app import app

CASE = problems.CASES[0]


@pytest.fixture
def file(tmp_path):
    return problems.write(CASE, tmp_path / "problem")


def call(*words):
    return CliRunner().invoke(app, ["model", "fit", *map(str, words)], env={"COLUMNS": "200"})


def test_a_fit_prints_values_limits_and_verdicts(file):
    shown = call(file, "--starts", 6)
    assert shown.exit_code == 0, shown.output
    for words in (
        "best values and 95 % limits",
        "ksyn",
        "identified",
        "Log-likelihood",
        "6 searches ended there",
    ):
        assert words in shown.output


def test_a_fit_writes_a_folder_and_goes_on_from_it(file, tmp_path):
    out, figure = tmp_path / "out", tmp_path / "fit.svg"
    first = call(file, "--starts", 6, "--out", out, "--figure", figure, "--json")
    assert first.exit_code == 0, first.output
    names = {path.name for path in out.iterdir()}
    assert {"fit.json", "record.json", "result.json", "searches-00001.parquet"} <= names
    assert {"parameters.csv", "starts.csv", "rows.csv", "profiles.csv"} <= names
    assert figure.read_text("utf-8").startswith("<svg")
    read = payload(first.stdout)
    assert (read["status"], read["measurements"], len(read["starts"])) == ("ok", 14, 6)
    again = payload(call(file, "--starts", 6, "--out", out, "--json").stdout)
    assert again["parameters"] == read["parameters"]
    assert again["evaluations"] == read["evaluations"]
    refused = call(file, "--starts", 7, "--out", out)
    assert getattr(refused.exception, "code", "") == "GP-W026"


def test_too_few_rounds_end_with_1_and_say_so(file):
    shown = call(file, "--starts", 3, "--rounds", 2, "--no-profiles")
    assert shown.exit_code == 1
    assert "ask for more rounds" in shown.output


PK = """species gut = 0, central = 0;
J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;  ka = 1.2; CL = 8; V = 70; conc := central/V;
"""


@pytest.fixture
def model(tmp_path):
    (tmp_path / "pk.ant").write_text(PK, encoding="utf-8")
    return tmp_path / "pk.ant"


def asked(command, *words):
    return CliRunner().invoke(app, ["model", command, *map(str, words)], env={"COLUMNS": "200"})


def test_slopes_and_sweeps_are_asked_for_on_the_command_line(model, tmp_path):
    common = (model, "--vary", "CL=4:16:log10", "--output", "conc", "--until", 24, "--dose", "gut=4000@0")
    shown = asked("sensitivity", *common)
    assert shown.exit_code == 0, shown.output
    assert "elasticity" in shown.output
    figure = tmp_path / "sweep.svg"
    swept = asked("sweep", *common, "--points", 3, "--summary", "max", "--figure", figure, "--json")
    assert swept.exit_code == 0, swept.output
    read = payload(swept.stdout)
    assert read["table"]["CL"] == pytest.approx([4.0, 8.0, 16.0])
    assert read["table"]["conc"] == sorted(read["table"]["conc"], reverse=True)
    assert figure.read_text("utf-8").startswith("<svg")
    refused = asked("sweep", model, "--vary", "CL=4", "--output", "conc", "--until", 24)
    assert getattr(refused.exception, "code", "") == "GP-W027"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--samples", 64), "GP-W027"),
        (("--seed", 2), "GP-W027"),
        (("--method", "morris", "--samples", 64), "GP-W027"),
        (("--method", "sobol", "--trajectories", 9), "GP-W027"),
        (("--set", "CL=5"), "GP-W027"),
        (("--set", "ka=1", "--set", "ka=2"), "GP-N031"),
        (("--every", 0), "GP-N030"),
    ],
)
def test_what_would_act_on_nothing_is_refused(model, words, code):
    common = (model, "--vary", "CL=4:16", "--output", "conc", "--until", 24)
    refused = asked("sensitivity", *common, *words)
    assert getattr(refused.exception, "code", "") == code


def test_runs_without_a_value_are_a_finding_of_the_json(tmp_path):
    (tmp_path / "blow.ant").write_text("model blow; S' = k*S^2; S = 1; k = 0.1; end", encoding="utf-8")
    words = (tmp_path / "blow.ant", "--vary", "k=0.01:0.2", "--output", "S", "--until", 8, "--points", 4)
    shown = asked("sweep", *words, "--summary", "max", "--json")
    assert payload(shown.stdout)["table"]["S"][2:] == [None, None]
    assert "2 cells are empty" in json.loads(shown.stdout)["findings"][0]["message"]


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_global_sensitivities_are_asked_for_on_the_command_line(method, model, tmp_path):
    pytest.importorskip("SALib")
    words = (
        "--vary",
        "CL=4:16",
        "--vary",
        "V=35:140",
        "--output",
        "conc",
        "--until",
        24,
        "--dose",
        "gut=4000@0",
    )
    out, figure = tmp_path / "table.csv", tmp_path / "bars.svg"
    shown = asked("sensitivity", model, *words, "--out", out, "--figure", figure)
    assert shown.exit_code == 0, shown.output
    assert out.read_text("utf-8").count("\n") == 3
    assert figure.read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("words", "code"), [(("--figure", "fit.bmp"), "GP-P004"), (("--posterior", 3), "GP-W022")]
)
def test_what_cannot_be_is_refused_before_the_fit(file, words, code, monkeypatch):
    monkeypatch.setattr(workshop, "fit", lambda *_, **__: pytest.fail("it was fitted"))
    assert call(file, *words).exception.code == code
