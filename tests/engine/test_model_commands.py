"""`glueprint model show` and `simulate`: what they print, write and refuse."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.model import app
from glueprint.errors import EnvironmentProblemError, InputError

TEXT = "species x = 2; J: x -> ; k*x; k = 0.5; twice := 2*x;"


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "decay.ant"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def call(*args):
    return CliRunner().invoke(app, list(args), catch_exceptions=False)


def test_show_tells_what_is_inside(model_file):
    facts = payload(call("show", model_file, "--json").stdout)
    assert facts["states"] == {"x": 2.0}
    assert facts["parameters"]["k"] == 0.5
    assert facts["reactions"] == {"J": "-1 x"}
    assert facts["facts"]["fastest and slowest decay, per hour"] == "0.5 and 0.5"
    assert int(facts["facts"]["machine code, bytes"]) > 1000
    assert "reactions" in call("show", model_file).stdout


def test_show_does_not_guess_what_a_missing_value_would_give(tmp_path):
    path = tmp_path / "open.ant"
    path.write_text("species x; J: x -> ; x*x; ", encoding="utf-8")
    facts = payload(call("show", str(path), "--json").stdout)["facts"]
    assert "a value is missing" in facts["fastest and slowest decay, per hour"]


def test_simulate_as_json(model_file):
    out = call(
        "simulate", model_file, "--until", "2", "--every", "1", "--set", "k=1", "--dose", "x=3@0",
        "--output", "twice", "--json",
    )  # fmt: skip
    table = payload(out.stdout)["table"]
    assert table["time_h"] == [0.0, 1.0, 2.0]
    np.testing.assert_allclose(table["twice"], [4.0, 10 * np.exp(-1), 10 * np.exp(-2)], rtol=1e-4)


@pytest.mark.parametrize(("name", "read"), [("t.csv", pl.read_csv), ("t.parquet", pl.read_parquet)])
def test_simulate_writes_a_table(model_file, tmp_path, name, read):
    target = tmp_path / name
    call("simulate", model_file, "--until", "100", "--out", str(target))
    assert read(target).shape == (101, 2)
    assert [path.name for path in tmp_path.glob("*.part")] == []


@pytest.mark.parametrize(
    ("until", "every", "times"),
    [
        ("350", "200", [0, 200, 350]),
        ("24", "48", [0, 24]),
        ("100", "30", [0, 30, 60, 90, 100]),
        ("1", "0.1", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
    ],
)
def test_the_last_row_is_the_last_time(model_file, until, every, times):
    table = payload(call("simulate", model_file, "--until", until, "--every", every, "--json").stdout)[
        "table"
    ]
    np.testing.assert_allclose(table["time_h"], times, rtol=1e-15)
    assert table["time_h"][-1] == float(until)


def test_simulate_prints_a_screenful(model_file):
    printed = call("simulate", model_file, "--until", "100").stdout
    assert "Every 5th of 101 rows" in printed


def test_a_run_that_fails_is_a_finding(tmp_path):
    path = tmp_path / "explodes.ant"
    path.write_text("y' = y*y; y = 1;", encoding="utf-8")
    result = call("simulate", str(path), "--until", "5", "--output", "y")
    assert result.exit_code == 1
    assert "did not finish" in result.stdout


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--until", "0"], "GP-N030"),
        (["--until", "1", "--set", "k"], "GP-N031"),
        (["--until", "1", "--dose", "x=1@noon"], "GP-N034"),
        (["--until", "30", "--dose", "x=1@0,24"], 'GP-N034 --dose: "x=1@0,24" is not species=amount@time'),
        (["--until", "1", "--dose", "x=-7@0"], 'GP-N035 --dose: "x=-7@0"'),
        (["--until", "1", "--dose", "x=7@1"], 'GP-N017 --dose: "x=7@1" lies outside the run'),
        (["--until", "1", "--dose", "x=7@30"], "GP-N017"),
        (["--until", "1", "--dose", "x=7@-1"], "GP-N017"),
        (["--until", "1", "--dose", "y=7@0"], 'GP-N015 --dose: "y=7@0": "y" cannot be dosed'),
        (["--until", "1", "--out", "table.txt"], "GP-N032"),
    ],
)
def test_unusable_options(model_file, options, code):
    with pytest.raises(InputError, match=code):
        call("simulate", model_file, *options)


def test_an_unwritable_place(model_file, tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-N033"):
        call("simulate", model_file, "--until", "1", "--out", str(tmp_path / "missing" / "t.csv"))
