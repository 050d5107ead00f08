"""The trial commands as a user types them."""

from __future__ import annotations

import json

import polars as pl
import pytest
from tests.envelope import envelope, payload
from typer.testing import CliRunner

from glueprint import trials
from glueprint.calibration import clinical
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
    assert {row["name"] for row in payload(out.stdout)} == {"mm002", "mm003"}
    assert "NCT01311687" in RUNNER.invoke(app, ["list"]).stdout


def test_show():
    shown = payload(RUNNER.invoke(app, ["show", "mm003", "--json"]).stdout)
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
    summary = payload(out.stdout)
    assert summary["replicates"][1]["arms"]["POM 4 mg"]["orr"]["n"] == 10
    assert summary["seed"] == 3
    written = pl.read_parquet(folder / "patients.parquet")
    most_probable = clinical.posterior().central(trials.load_protocol(my_trial))
    assert written.equals(trials.run(my_trial, replicates=2, seed=3, draws=most_probable).patients)
    assert summary["label"] == most_probable.label
    assert {p.stem for p in folder.glob("*.parquet")} == {
        "patients",
        "visits",
        "endpoints",
        "survival_curves",
    }


def test_progress_is_told_to_a_file_trial_by_trial(my_trial, tmp_path):
    events = tmp_path / "events.jsonl"
    words = ["run", str(my_trial), "--replicates", "3", "--events", str(events)]
    assert RUNNER.invoke(app, words).exit_code == 0
    told = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert {line["units_total"] for line in told} == {3}
    assert [line["units_done"] for line in told] == [0, 1, 2, 3]
    assert told[-1]["remaining_s"] == 0.0


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


def test_rules_are_listed_and_shown():
    listed = payload(RUNNER.invoke(app, ["rules", "list", "--json"]).stdout)
    assert {row["name"]: row["compounds"] for row in listed} == {
        "lenalidomide-us-label": ["lenalidomide"],
        "pomalidomide-us-label": ["pomalidomide"],
    }
    assert "25 > 15 > 10 > 5 > 2.5 mg, then kept" in RUNNER.invoke(app, ["rules", "list"]).stdout
    for name in (row["name"] for row in listed):
        shown = envelope(RUNNER.invoke(app, ["rules", "show", name, "--json"]).stdout)["data"]
        assert shown == trials.load_rules(name).model_dump(mode="json")
    text = RUNNER.invoke(app, ["rules", "show", "lenalidomide-us-label"]).stdout
    for words in (
        "held below 1 until 1; first fall: same if alone dose; later: lower",
        "any count",
        "then the lower dose",
        "every 7 days",
        "GLU054",
        "no gate before a cycle",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            "step_mg = 0.5\nlowest_mg = 1\nfirst_mg = 3",
            "first to 3 mg, then 0.5 mg less each time, down to 1 mg",
        ),
        ("step_percent = 25\nlowest_mg = 1", "25 % less each time, down to 1 mg, then stopped"),
    ],
)
def test_rules_of_a_file_are_shown(tmp_path, step, words):
    path = tmp_path / "steps.toml"
    path.write_text(trials.rules_template().replace("levels_mg = [4, 3, 2, 1]\nat", f"{step}\nat"))
    assert words in RUNNER.invoke(app, ["rules", "show", str(path)]).stdout
    path.write_text(path.read_text().replace("hold_below_1e9_per_l = 25", "hold_below_1e9_per_l = 0"))
    assert "never held" in RUNNER.invoke(app, ["rules", "show", str(path)]).stdout


def test_a_trial_is_shown_with_the_fall_of_its_doses(my_trial, tmp_path):
    shown = RUNNER.invoke(app, ["show", str(my_trial)]).stdout
    assert "pomalidomide-us-label: 4 > 3 > 2 > 1 mg, then stopped" in shown
    assert "pomalidomide-us-label: 2 > 1 mg, then stopped" in shown
    slow = trials.rules_template().replace(
        "levels_mg = [4, 3, 2, 1]\nat", "step_percent = 5\nlowest_mg = 1\nat"
    )
    (tmp_path / "slow.toml").write_text(slow)
    text = TINY.replace('"pomalidomide-us-label"', '"slow.toml"', 1).replace(
        '"pomalidomide-us-label"', '"none"'
    )
    my_trial.write_text(text)
    shown = RUNNER.invoke(app, ["show", str(my_trial)]).stdout
    assert "my-rules: 4 > 3.8 > 3.61 > 3.43 > 3.26 > 3.1 > 2.94 > 2.79 > ... > 1 mg, then stopped" in shown
    assert "none: a fixed dose" in shown


def test_files_of_rules_are_printed_and_written(tmp_path):
    out = RUNNER.invoke(app, ["rules", "file", "pomalidomide-us-label"]).stdout
    assert out == trials.rules_text("pomalidomide-us-label")
    path = tmp_path / "mine.toml"
    assert RUNNER.invoke(app, ["rules", "template", str(path)]).exit_code == 0
    assert (
        path.read_text("utf-8") == RUNNER.invoke(app, ["rules", "template"]).stdout == trials.rules_template()
    )
    failed = RUNNER.invoke(app, ["rules", "show", str(tmp_path / "absent.toml")])
    assert isinstance(failed.exception, GlueprintError)
    assert failed.exception.code == "GP-T060"


def test_a_form_of_files_is_refused_where_none_are_written(tmp_path):
    failed = RUNNER.invoke(app, ["run", "mm003", "--format", "csv"])
    assert isinstance(failed.exception, GlueprintError)
    assert failed.exception.code == "GP-T104"
    assert "--out" in failed.exception.next_step
    unknown = RUNNER.invoke(app, ["run", "mm003", "--format", "json", "--out", str(tmp_path)])
    assert unknown.exception.code == "GP-T082"


def test_data_cuts_are_printed_and_tables_written_in_other_forms(tmp_path):
    text = trials.template().replace("patients = 60", "patients = 20")
    start, end = text.index("# Months from randomisation"), text.index("# Who is enrolled")
    cuts = '[accrual]\nmonths = 6\nassumed = "an example"\n'
    cuts += '[[data_cuts]]\nname = "early look"\nmonths = 7\n[[data_cuts]]\nname = "late look"\nmonths = 12\n'
    cuts += "[monitoring]\nevents = 30\nalpha = 0.0001\n"
    path, out = tmp_path / "cuts.toml", tmp_path / "out"
    path.write_text(text[:start] + cuts + text[end:], encoding="utf-8")
    common = ["run", str(path), "--replicates", "2"]
    found = RUNNER.invoke(app, [*common, "--out", str(out), "--format", "csv"], env={"COLUMNS": "300"})
    assert found.exit_code == 0, found.output
    for told in ("early look", "late look", "goes on", "How the trials ended"):
        assert told in found.stdout
    names = {file.name for file in out.iterdir()}
    assert {"looks.csv", "earlier_endpoints.csv", "estimands.csv", "columns.csv", "looks.parquet"} <= names
    whole = payload(RUNNER.invoke(app, [*common, "--json"]).stdout)
    assert [row["cut"] for row in whole["looks"]] == ["early look", "late look"] * 2
