"""`glueprint survival`: what it prints and writes is what Python gives, and bad input goes on."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from glueprint import survival
from glueprint.cli.app import app
from glueprint.errors import InputError

WEEKS = [6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 1, 2, 3, 4, 5, 8, 11, 12, 15, 17, 22]
STATUS = ["dead"] * 7 + ["alive"] * 4 + ["dead"] * 11
DRUG = ["new"] * 11 + ["old"] * 11
BASE = ["--time", "weeks", "--event", "status=dead", "--arm", "drug", "--reference", "old"]


@pytest.fixture(autouse=True)
def patients(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"weeks": WEEKS, "status": STATUS, "drug": DRUG}).write_csv("patients.csv")


def run(*arguments):
    return CliRunner().invoke(app, ["survival", "patients.csv", *arguments], catch_exceptions=False)


def test_the_command_says_what_python_says():
    done = run(*BASE, "--milestone", "10", "--tau", "15", "--json")
    assert done.exit_code == 0, done.output
    request = survival.Request("weeks", "status=dead", arm="drug", reference="old")
    found = survival.analyse(pl.read_csv("patients.csv"), request, milestones=[10.0], tau=15.0)
    told = json.loads(done.stdout)
    assert told["unit"] == "weeks"
    for name in ("groups", "milestones", "tests", "hazard_ratios", "curves"):
        assert told[name] == found.tables[name].fill_nan(None).to_dicts()


def test_tables_and_the_figure_are_written():
    done = run(*BASE, "--in", "months", "--figure", "km.svg", "--out", "tables")
    assert done.exit_code == 0, done.output
    assert "Times in months" in done.output
    drawn = Path("km.svg").read_text("utf-8")
    assert all(word in drawn for word in ("Months", "Patients at risk", "HR: new against old", "HR 0."))
    written = pl.read_csv("tables/curves.csv")
    assert set(written["arm"]) == {"new", "old"}
    assert sorted(path.name for path in Path("tables").glob("*.csv")) == sorted(
        f"{name}.csv"
        for name in survival.analyse(
            pl.read_csv("patients.csv"), survival.Request("weeks", "status=dead")
        ).tables
    )


def test_an_open_end_is_a_word_for_people():
    pl.DataFrame({"weeks": WEEKS, "status": ["alive"] * 20 + ["dead"] * 2, "drug": DRUG}).write_csv(
        "patients.csv"
    )
    done = run("--time", "weeks", "--event", "status=dead")
    assert "open" in done.output
    assert "nan" not in done.output


def test_bad_input_says_how_to_go_on():
    with pytest.raises(InputError) as caught:
        run("--time", "weeks", "--event", "status")
    assert caught.value.code == "GP-V031"
    assert '"status=dead"' in caught.value.render()
