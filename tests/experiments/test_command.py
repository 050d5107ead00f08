"""`glueprint experiment` over the same functions."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from glueprint import experiments
from glueprint.cli.experiment import app
from glueprint.errors import InputError


def printed(*words):
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})
    if result.exception is not None:
        raise result.exception
    return result.output


def test_list_names_every_experiment():
    assert [row["name"] for row in json.loads(printed("list", "--json"))] == list(experiments.available())
    assert "doses_nm" in printed("list")


def test_run_prints_readings_and_assumptions():
    said = printed("run", "degradation")
    assert "< 100" in said
    assert "calibrated" in said
    assert "all free" in said


def test_settings_reach_the_experiment():
    said = json.loads(
        printed(
            "run", "fp_competition", "--set", "ki_nm=156.6", "--set", "doses_nm=1,10,100,1000,1e4", "--json"
        )
    )
    assert said["settings"]["ki_nm"] == 156.6
    assert [row["dose_nm"] for row in said["table"]] == [0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0]
    assert {reading["label"] for reading in said["readings"]} == {"input", "predicted"}


@pytest.mark.parametrize(
    "text", ["rho", "rho=", "rho=eight", "rho='8'", "doses_nm=[1,2]", "rho=__import__('os')"]
)
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(InputError, match="GP-L002"):
        printed("run", "degradation", "--set", text)


def test_a_setting_with_a_wrong_name_is_refused():
    with pytest.raises(InputError, match="GP-L004"):
        printed("run", "degradation", "--set", "dose=1")
