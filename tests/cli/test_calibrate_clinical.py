"""`glueprint calibrate clinical` on the posteriors that come with Glueprint."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.app import app


def shown(*options: str) -> str:
    # Tables are cut to the terminal's width, which here is 80.
    result = CliRunner().invoke(app, ["calibrate", "clinical", "--shipped", *options], env={"COLUMNS": "250"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_shipped_posterior_shows_hazard_ratios_as_calibrated() -> None:
    found = payload(shown("--json"))
    assert (found["scope"], found["held_out"]) == ("trials", None)
    ratios = [row for row in found["summaries"] if row["endpoint"] == "hr_pfs"]
    assert {row["label"] for row in ratios} == {"calibrated"}
    assert "The check inside the evidence" not in shown()


def test_without_the_ratios_it_shows_what_it_predicts_of_them(tmp_path: Path) -> None:
    text = shown("--arms-only", "--out", str(tmp_path))
    assert "fitted to the arms" in text
    assert "The check inside the evidence" in text
    assert "CL016" in text
    assert (tmp_path / "clinical_burden_arms_held_out.parquet").exists()
    found = payload(shown("--arms-only", "--json"))
    assert len(found["held_out"]) == 20
    assert not [row for row in found["summaries"] if row["endpoint"].startswith("hr_")]


def test_a_fit_to_one_trial_alone_shows_the_other_as_predicted() -> None:
    options = ("--only", "mm003")
    text = shown(*options)
    assert "fitted to mm003 alone" in text
    assert "effective number of parameters" in text
    found = payload(shown(*options, "--json"))
    assert {row["trial"] for row in found["summaries"]} == {"mm003"}
    assert {(row["trial"], row["label"]) for row in found["held_out"]} == {("mm002", "predicted")}


@pytest.mark.parametrize(("option", "value"), [("--structure", "three-clone")])
def test_a_request_that_cannot_be_met_says_what_can(option: str, value: str) -> None:
    for command in (["--shipped"], []):
        result = CliRunner().invoke(app, ["calibrate", "clinical", *command, option, value])
        assert result.exit_code == 1
        assert "claret" in str(result.exception)
