"""`glueprint model fit` as people call it."""

from __future__ import annotations

import json

import pytest
from benchmarks import workshop_problems as problems
from typer.testing import CliRunner

from glueprint.cli.app import app

CASE = problems.CASES[0]


def payload(text):
    """The result in what --json prints."""
    return json.loads(text)


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
    assert again["evaluations"] < read["evaluations"]
    refused = call(file, "--starts", 7, "--out", out)
    assert getattr(refused.exception, "code", "") == "GP-W026"


def test_too_few_rounds_end_with_1_and_say_so(file):
    shown = call(file, "--starts", 3, "--rounds", 2, "--no-profiles")
    assert shown.exit_code == 1
    assert "ask for more rounds" in shown.output
