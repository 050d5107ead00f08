"""`glueprint survival`: what it prints and writes is what Python gives, and bad input goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.envelope import payload
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


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (["--time", "years", "--event", "status=dead"], "patients.csv: no column"),
        (["--time", "weeks", "--event", "status=dead", "--weights", "w"], "patients.csv row 4, weights: -1"),
    ],
)
def test_what_is_refused_names_the_file(options, place):
    frame = pl.read_csv("patients.csv").with_columns(w=pl.Series([1, 1, -1] + [1] * 19))
    frame.write_csv("patients.csv")
    with pytest.raises(InputError) as caught:
        run(*options)
    assert place in str(caught.value)


def test_help_imports_no_statistics():
    code = "import sys, glueprint.cli.survival; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "glueprint.cli.survival" in loaded
    assert not {"scipy.stats", "glueprint.survival", "glueprint.trials", "glueprint.mechanism"} & loaded


def test_the_command_says_what_python_says():
    done = run(*BASE, "--milestone", "10", "--tau", "15", "--json")
    assert done.exit_code == 0, done.output
    request = survival.Request("weeks", "status=dead", arm="drug", reference="old")
    found = survival.analyse(pl.read_csv("patients.csv"), request, milestones=[10.0], tau=15.0)
    told = payload(done.stdout)
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


CROSSED = [None, 3.0, 4.0, None, None, 6.0, None, None, None, 2.0, 3.0]
CROSSOVER = [*BASE, "--switch", "crossed"]


@pytest.fixture
def crossed():
    pl.DataFrame(
        {
            "weeks": WEEKS,
            "status": STATUS,
            "drug": DRUG,
            "crossed": [None] * 11 + CROSSED,
            "cut": [30.0 + k for k in range(22)],
            "progressed": [None] * 11 + [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, None, 10.0, 12.0, 2.0, 3.0],
            "age": [50.0 + 3 * (k % 7) for k in range(22)],
        }
    ).with_columns(crossed=pl.when(pl.col("crossed") < pl.col("weeks")).then("crossed")).write_csv(
        "patients.csv"
    )


def crossover_of(*arguments):
    words = ["survival", "crossover", "patients.csv", *CROSSOVER, *arguments]
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_the_crossover_command_says_what_python_says(crossed):
    options = ("--follow-up", "cut", "--progression", "progressed", "--covariate", "age")
    done = crossover_of(*options, "--json")
    assert done.exit_code == 0, done.output
    request = survival.Request(
        "weeks",
        "status=dead",
        arm="drug",
        reference="old",
        switch="crossed",
        follow_up="cut",
        progression="progressed",
        covariates=("age",),
    )
    found = survival.crossover(pl.read_csv("patients.csv"), request)
    told = payload(done.stdout)
    for name in ("hazard_ratios", "time_ratios", "curves"):
        assert told[name] == found.tables[name].fill_nan(None).to_dicts()
    assert (told["control"], told["experimental"]) == ("old", "new")
    shown = crossover_of(*options).output
    assert all(word in shown for word in ("RPSFT", "two-stage", "as randomised", "assumes one factor"))


def test_the_crossover_command_draws_and_writes(crossed):
    done = crossover_of("--figure", "switches.svg", "--out", "tables")
    assert done.exit_code == 0, done.output
    assert "not recensored" in done.output
    drawn = Path("switches.svg").read_text("utf-8")
    assert all(word in drawn for word in ("nobody switched (RPSFT)", "Patients at risk", "switched"))
    assert sorted(path.stem for path in Path("tables").glob("*.csv")) == sorted(
        ("hazard_ratios", "time_ratios", "curves", "test_over_psi")
    )


def test_a_table_needs_no_command_and_may_have_one():
    plain, named = (
        run(*BASE, "--json"),
        CliRunner().invoke(app, ["survival", "table", "patients.csv", *BASE, "--json"]),
    )
    assert plain.exit_code == named.exit_code == 0
    assert plain.stdout == named.stdout
    first = CliRunner().invoke(app, ["survival", *BASE, "patients.csv", "--json"])
    assert first.stdout == plain.stdout
    shown = CliRunner().invoke(app, ["survival", "--help"]).output
    assert all(name in shown for name in ("crossover", "reconstruct", "table"))


def test_models_of_the_table():
    done = run(*BASE, "--model", "weibull", "--model", "spline:1", "--json")
    assert done.exit_code == 0, done.output
    told = payload(done.stdout)
    assert [row["model"] for row in told["models"]] == ["weibull", "spline:1"]
    assert "Model medians" in run(*BASE, "--model", "weibull").output


def test_looks_of_the_table():
    pl.DataFrame(
        {
            "seen": [w - 1 for w in WEEKS],
            "shown": [w if s == "dead" else None for w, s in zip(WEEKS, STATUS, strict=True)],
            "drug": DRUG,
        }
    ).write_csv("patients.csv")
    done = run("--left", "seen", "--right", "shown", "--arm", "drug", "--json")
    assert done.exit_code == 0, done.output
    told = payload(done.stdout)
    assert [row["n"] for row in told["groups"]] == [11, 11]
    assert told["models"][0]["model"] == "weibull"
    assert told["cells"]


def test_causes_of_the_table():
    pl.DataFrame(
        {"weeks": WEEKS, "why": ["relapse", "death", "none"] * 7 + ["relapse"], "drug": DRUG}
    ).write_csv("patients.csv")
    done = run("--time", "weeks", "--cause", "why", "--censored", "none", "--arm", "drug", "--json")
    assert done.exit_code == 0, done.output
    assert [row["cause"] for row in payload(done.stdout)["subdistribution"]] == ["death", "relapse"]


CURVE = {"month": [0, 6, 7, 10, 13, 16, 22, 23], "height": [100, 86, 81, 75, 69, 63, 54, 45]}
AT_RISK = "0:21,10:15,20:8,30:4"


def reconstruct_of(*arguments):
    pl.DataFrame(CURVE).write_csv("clicks.csv")
    words = ["survival", "reconstruct", "clicks.csv", "--time", "month", "--survival", "height", "--percent"]
    return CliRunner().invoke(app, [*words, *arguments], catch_exceptions=False)


def test_the_reconstruct_command_says_what_python_says():
    done = reconstruct_of(
        "--at-risk", AT_RISK, "--events", "9", "--json", "--out", "found", "--figure", "km.svg"
    )
    assert done.exit_code == 0, done.output
    told = payload(done.stdout)
    heights = [height / 100 for height in CURVE["height"]]
    found = survival.reconstruct(CURVE["month"], heights, [0, 10, 20, 30], [21, 15, 8, 4], events=9)
    assert [row["time"] for row in told["patients"]] == found.time.tolist()
    assert told["events"] == found.events == 9
    written = pl.read_csv("found/patients.csv")
    assert written.height == 21
    again = survival.analyse(written, survival.Request("time", "event", arm="arm"))
    assert again.tables["groups"]["median"].to_list() == [told["median"]]
    assert "Patients at risk" in Path("km.svg").read_text("utf-8")
    assert "21 patients, 9 events" in reconstruct_of("--at-risk", AT_RISK, "--events", "9").output


@pytest.mark.parametrize(
    ("text", "code"), [("0:21,10", "GP-V027"), ("0-21", "GP-V027"), ("5:21,10:15", "GP-V027")]
)
def test_numbers_at_risk_that_are_none(text, code):
    with pytest.raises(InputError) as caught:
        reconstruct_of("--at-risk", text)
    assert caught.value.code == code


def test_a_column_of_clicks_that_is_not_there():
    pl.DataFrame(CURVE).write_csv("clicks.csv")
    words = ["survival", "reconstruct", "clicks.csv", "--at-risk", AT_RISK]
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert caught.value.code == "GP-V030"


def test_heights_that_are_no_per_cent_are_not_taken_for_such():
    pl.DataFrame({"time": [0, 5, 9], "survival": [1.0, 0.8, 0.5]}).write_csv("fractions.csv")
    words = ["survival", "reconstruct", "fractions.csv", "--at-risk", "0:20,5:15"]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    with pytest.raises(InputError, match="GP-V025") as caught:
        CliRunner().invoke(app, [*words, "--percent"], catch_exceptions=False)
    assert "leave --percent out" in caught.value.next_step
