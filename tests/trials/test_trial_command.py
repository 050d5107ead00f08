"""The trial commands as a user types them."""

from __future__ import annotations

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from glueprint import trials
from glueprint.cli.trial import app
from glueprint.errors import GlueprintError

RUNNER = CliRunner()
TINY = trials.template().replace("patients = 60", "patients = 10")


@pytest.fixture
def my_trial(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


def test_list():
    out = RUNNER.invoke(app, ["list", "--json"])
    assert {row["name"] for row in json.loads(out.stdout)} == {"mm002", "mm003"}
    assert "NCT01311687" in RUNNER.invoke(app, ["list"]).stdout


def test_show():
    shown = json.loads(RUNNER.invoke(app, ["show", "mm003", "--json"]).stdout)
    assert shown["arms"][0]["drugs"][0]["dose_mg"] == 4
    text = RUNNER.invoke(app, ["show", "mm003"]).stdout
    assert "HiDEX" in text
    assert "Case-mix" in text


def test_template_to_a_file_and_to_standard_output(tmp_path):
    path = tmp_path / "own.toml"
    assert RUNNER.invoke(app, ["template", str(path)]).exit_code == 0
    assert path.read_text("utf-8") == RUNNER.invoke(app, ["template"]).stdout == trials.template()


def test_run_json_and_parquet(my_trial, tmp_path):
    folder = tmp_path / "tables"
    out = RUNNER.invoke(
        app, ["run", str(my_trial), "--replicates", "2", "--seed", "3", "--json", "--out", str(folder)]
    )
    assert out.exit_code == 0, out.output
    summary = json.loads(out.stdout)
    assert summary["replicates"][1]["arms"]["POM 4 mg"]["orr"]["n"] == 10
    assert summary["seed"] == 3
    written = pl.read_parquet(folder / "patients.parquet")
    assert written.equals(trials.run(my_trial, replicates=2, seed=3).patients)
    assert {p.stem for p in folder.glob("*.parquet")} == {
        "patients",
        "visits",
        "endpoints",
        "survival_curves",
    }


def test_run_text(my_trial):
    out = RUNNER.invoke(app, ["run", str(my_trial)])
    assert "median PFS" in out.stdout
    assert "none is a prediction" in " ".join(out.stderr.split())
    assert "mean of 2 trials" in RUNNER.invoke(app, ["run", str(my_trial), "--replicates", "2"]).stdout


def test_an_unwritable_folder_is_refused_before_the_work(my_trial, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    out = RUNNER.invoke(app, ["run", str(my_trial), "--out", str(blocked / "tables")])
    assert isinstance(out.exception, GlueprintError)
    assert out.exception.code.startswith("GP-R")


def test_errors_reach_the_caller(tmp_path):
    out = RUNNER.invoke(app, ["run", "mm03"])
    assert isinstance(out.exception, GlueprintError)
    assert out.exception.code == "GP-T001"
