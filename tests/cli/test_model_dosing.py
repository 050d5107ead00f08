"""`glueprint model dataset`, and regimens in `glueprint model simulate --dose`."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.model import app
from glueprint.errors import InputError

TEXT = """
  species gut = 0, central = 0;
  J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;
  ka = 1.3; CL = 7; V = 70; conc := central/V; D1 = 3; WT = 70;
  unit time_unit = 3600 second;
"""
SET = """ID,TIME,AMT,RATE,CMT,DV,WT,SEX
# made up
1,0,350,0,2,.,70,F
1,5,.,.,.,3.1,70,F
2,0,350,-2,2,.,70,M
2,1,.,.,.,1.4,70,M
2,1,40,0,.,.,70,M
"""


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "pk.ant"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


@pytest.fixture
def data_file(tmp_path):
    path = tmp_path / "set.csv"
    path.write_text(SET, encoding="utf-8")
    return str(path)


def call(*args):
    return CliRunner().invoke(app, list(args), catch_exceptions=False)


def dataset(*args):
    out = call("dataset", *args, "--json")
    return out.exit_code, payload(out.stdout)


def simulate(model_file, *doses, until="48", every="12"):
    given = [part for dose in doses for part in ("--dose", dose)]
    out = call("simulate", model_file, "--until", until, "--every", every, *given, "--json")
    return payload(out.stdout)


def infusion(since, duration):
    during = (1 - np.exp(-0.1 * np.minimum(since, duration))) / (0.1 * duration)
    return np.where(since > 0, during * np.exp(-0.1 * np.maximum(since - duration, 0.0)), 0.0)


def oral(since):
    return np.where(since > 0, 1.3 / 1.2 * (np.exp(-0.1 * since) - np.exp(-1.3 * since)), 0.0)


def test_a_data_set_as_it_is(model_file, data_file):
    code, found = dataset(model_file, data_file, "--output", "conc", "--duration", "central=D1")
    assert code == 0
    want = [5, 5 * np.exp(-0.5), 0, *[350 / 70 * infusion(1.0, 3.0)] * 2]
    np.testing.assert_allclose(found["table"]["conc"], want, rtol=1e-5)
    assert found["table"]["DV"] == [None, 3.1, None, 1.4, None]
    assert found["compartments"] == {"(none)": "gut", "2": "central"}
    assert (found["columns_not_used"], found["covariates"]) == (["SEX"], {"WT": "WT"})
    assert (found["patients"], found["doses"], found["lines_ignored"]) == (2, 3, 1)
    assert max(found["achieved_error"]) < 1e-5


def test_a_data_set_in_words(model_file, data_file, tmp_path):
    out = tmp_path / "out.csv"
    said = call("dataset", model_file, data_file, "--duration", "central=3", "--out", str(out)).stdout
    assert "2 patients, 5 rows, 3 of them doses" in said
    assert "Compartments by CMT: (none) = gut, 2 = central." in said
    assert "Columns not used: SEX." in said
    assert pl.read_csv(out).columns == ["ID", "time_h", "EVID", "gut", "central", "DV"]
    shown = call("dataset", model_file, data_file, "--duration", "central=3", "--no-verify").stdout
    assert "Largest relative error" not in shown
    assert "EVID" in shown


def test_a_data_set_in_days(model_file, tmp_path):
    path = tmp_path / "days.txt"
    path.write_text("1 0 350 0\n1 0.5 . 0\n1 1 . 0\n", encoding="utf-8")
    code, found = dataset(
        model_file, str(path), "--columns", "ID,TIME,AMT,RATE", "--cmt", "2=central", "--time-unit", "day",
        "--lag", "gut=0.5", "--bioavailability", "gut=0.5", "--output", "central", "--set", "CL=14",
    )  # fmt: skip
    assert code == 0
    ka, ke = 1.3, 0.2
    want = 175 * ka / (ka - ke) * (np.exp(-ke * 12) - np.exp(-ka * 12))
    np.testing.assert_allclose(found["table"]["central"], [0, 0, want], rtol=1e-5, atol=1e-9)
    assert found["table"]["time_day"] == [0, 0.5, 1]


def test_who_fails_is_named(tmp_path, data_file):
    model = tmp_path / "auc.ant"
    model.write_text("species c = 0; J: c -> ; c; AUC' = c; AUC = 0;", encoding="utf-8")
    data = tmp_path / "steady.csv"
    data.write_text("ID,TIME,AMT,SS,II\n7,0,5,1,8\n7,2,0,0,0\n8,0,5,0,0\n", encoding="utf-8")
    out = call("dataset", str(model), str(data))
    assert out.exit_code == 1
    assert "Patient 7 did not finish well: no steady state" in out.stdout
    code, found = dataset(str(model), str(data))
    assert (code, found["status"]) == (1, {"7": 9, "8": 0})


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--cmt", "2"], "GP-N031"),
        (["--cmt", "2=central", "--cmt", "2=gut"], "GP-N031"),
        (["--lag", "gutt=1"], "GP-N059"),
        ([], "GP-N060"),
        (["--drop", "AGE"], "GP-N055"),
    ],
)
def test_unusable_options_of_a_data_set(model_file, data_file, options, code):
    with pytest.raises(InputError, match=code):
        call("dataset", model_file, data_file, *options)


@pytest.mark.parametrize(
    ("dose", "curve"),
    [
        ("central=70@0,over=6", lambda t: infusion(t, 6.0)),
        ("central=70@0,rate=35,lag=1", lambda t: infusion(t - 1, 2.0)),
        ("gut=140@0,bioavailability=0.5", oral),
        ("gut=70@0,every=12,more=2", lambda t: sum(oral(t - 12.0 * k) for k in range(3))),
        ("gut=70@0,every=12,steady", lambda t: sum(oral(t + 12.0 * k + 1e-300) for k in range(40))),
    ],
)
def test_regimens_on_the_command_line(model_file, dose, curve):
    times = np.array([0.0, 12.0, 24.0, 36.0, 48.0])
    got = simulate(model_file, dose)["table"]["central"]
    want = 70 * curve(times)
    if "steady" in dose:
        want[0] = 70 * sum(oral(12.0 * k) for k in range(1, 41))
    np.testing.assert_allclose(got, want, rtol=1e-4)


def test_regimens_in_the_unit_of_the_command(model_file):
    out = call(
        "simulate", model_file, "--until", "2", "--every", "1", "--time-unit", "day", "--json",
        "--dose", "central=70@0.5,over=0.25,every=0.5,more=1,lag=0.25",
    )  # fmt: skip
    got = payload(out.stdout)["table"]["central"]
    want = 70 * (infusion(np.array([0.0, 6, 30]), 6.0) + infusion(np.array([-9.0, -6, 18]), 6.0))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-9)


def test_a_dose_that_lags_behind_the_end_is_told(model_file):
    assert simulate(model_file, "gut=70@47,lag=2")["doses_after_end"] == 1
    said = call("simulate", model_file, "--until", "48", "--dose", "gut=70@47,lag=2").stdout
    assert "1 doses enter after the last time" in said


@pytest.mark.parametrize(
    ("doses", "code"),
    [
        (["gut=7@0,24"], 'GP-N034 --dose: "gut=7@0,24" is not species=amount@time'),
        (["gut=7@0,evry=24"], 'GP-N061 --dose: "gut=7@0,evry=24": "evry=24" .did you mean "every"'),
        (["gut=7@0,every=x,more=1"], "GP-N061"),
        (["gut=7@0,every=1,every=2"], "GP-N061"),
        (["gut=7@0,steady=1"], "GP-N061"),
        (["gut=7@0,over=-1"], "GP-N061.*negative"),
        (["gut=7@0,every=5,more=1.5"], "GP-N061.*part of a dose"),
        (["gut=7@0,over=1,rate=1"], "GP-N061.*both"),
        (["gut=7@0,more=2"], "GP-N061.*without every"),
        (["gut=7@0,every=2"], "GP-N061.*without more"),
        (["gut=7@3,every=2,steady"], "GP-N061.*after the start"),
        (["gut=7@0,every=2,steady,lag=2"], "GP-N061.*lag"),
        (["gut=7@0,every=2,steady", "gut=7@0,every=3,steady"], "GP-N061.*second"),
        (["gut=7@0,every=12,more=6"], 'GP-N017 --dose: "gut=7@0,every=12,more=6": dose 5 of 7 lies outside'),
        (["gut=7@0,every=1,more=1e12"], "dose 49 of 1000000000001"),
        (["gut=7@48"], "GP-N017"),
        (["gut=-7@4,over=2"], "GP-N035"),
        (["gutt=7@4,over=2"], "GP-N015"),
    ],
)
def test_regimens_that_cannot_be(model_file, doses, code):
    with pytest.raises(InputError, match=code):
        simulate(model_file, *doses)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--dose", "gut=140@0,bioavailability=50"), "GP-N061"),
        (("--patients", "9"), "GP-N030"),
        *((("--accuracy", text), "GP-N067") for text in ("0", "-1", "nan", "inf", "2", "1e-16")),
    ],
)
def test_numbers_that_no_run_can_keep_to_are_refused(model_file, words, code):
    done = CliRunner().invoke(app, ["simulate", model_file, "--until", "24", *words])
    assert getattr(done.exception, "code", "") == code


def test_a_bioavailability_of_a_data_set_is_a_share(model_file, data_file):
    words = ["dataset", model_file, data_file, "--duration", "central=D1", "--bioavailability", "central=50"]
    done = CliRunner().invoke(app, words)
    assert getattr(done.exception, "code", "") == "GP-N031"
