"""`glueprint experiment` over the same functions."""

from __future__ import annotations

from functools import partial

import pytest
from tests.envelope import payload

from glueprint import experiments
from glueprint.cli.experiment import app
from glueprint.errors import InputError


@pytest.fixture
def printed(printed):
    return partial(printed, app)


def test_list_names_every_experiment(printed):
    assert [row["name"] for row in payload(printed("list", "--json"))] == list(experiments.available())
    assert "doses_nm" in printed("list")


def test_run_prints_readings_and_assumptions(printed):
    said = printed("run", "degradation")
    assert "< 100" not in said
    assert "< 100" in printed("run", "degradation", "--set", "doses_nm=100,1000,10000")
    assert "calibrated" in said
    assert "all free" in said


def test_settings_reach_the_experiment(printed):
    said = payload(
        printed(
            "run", "fp_competition", "--set", "ki_nm=156.6", "--set", "doses_nm=1,10,100,1000,1e4", "--json"
        )
    )
    assert said["settings"]["ki_nm"] == 156.6
    doses = sorted({row["concentration"] for row in said["table"] if row["role"] == "competitor"})
    assert doses == [1.0, 10.0, 100.0, 1000.0, 10000.0]
    assert {reading["label"] for reading in said["readings"]} == {"input", "predicted"}


@pytest.mark.parametrize(
    "text",
    [
        "rho",
        "rho=",
        "rho=eight",
        "rho='8'",
        "doses_nm=[1,2]",
        "rho=True",
        "doses_nm=1 uM",
        "rho=__import__('os')",
    ],
)
def test_what_is_no_setting_is_refused(text, printed):
    with pytest.raises(InputError, match="GP-L002"):
        printed("run", "degradation", "--set", text)


def test_a_setting_with_a_wrong_name_is_refused(printed):
    with pytest.raises(InputError, match="GP-L004"):
        printed("run", "degradation", "--set", "dose=1")


def test_words_reach_the_experiment_where_it_holds_words(printed):
    said = payload(printed("run", "proliferation", "--set", "lines=MM1S,U266", "--json"))
    assert [r["name"] for r in said["readings"]][:4:2] == ["IC50, MM1S", "IC50, U266"]
    assert payload(printed("run", "proliferation", "--line", "H929", "--json"))["settings"]["lines"] == [
        "H929"
    ]
    said = payload(printed("run", "degradation", "--set", "form=kinetic", "--line", "OPM2", "--json"))
    assert (said["settings"]["form"], said["settings"]["line"]) == ("kinetic", "OPM2")
    with pytest.raises(InputError, match="GP-L002"):
        printed("run", "degradation", "--set", "form=__import__('os')")
    with pytest.raises(InputError, match="GP-M031"):
        printed("run", "treg", "--line", "t_cel")
    with pytest.raises(InputError, match="GP-L004"):
        printed("run", "fp_competition", "--line", "MM1S")


def test_single_parameters_of_the_model_are_settings_too(printed):
    usual, steep = (
        payload(printed("run", "treg", "--exact", "--set", f"treg_max={x}", "--json"))["readings"][1]["value"]
        for x in (0.5, 0.25)
    )
    assert usual == pytest.approx(2.0 * steep, rel=0.01)


def test_a_bench_has_error_and_so_intervals_unless_the_model_alone_is_asked_for(printed):
    said = payload(printed("run", "treg", "--json"))
    assert said["readings"][0]["low"] < said["readings"][0]["value"] < said["readings"][0]["high"]
    assert said["settings"]["noise_percent"] == 8.0
    assert said["question"] == experiments.described("treg").question
    exact = payload(printed("run", "treg", "--exact", "--json"))
    assert (exact["readings"][0]["low"], exact["settings"]["noise_percent"]) == (None, 0.0)
    assert "regulatory T cells held back?" in printed("run", "treg")


def test_published_values_stand_beside_the_readings(printed):
    said = printed("run", "proliferation")
    assert "G1-ic50-opm2 10 uM" in said
    assert "DWN-003 128 nM" in said


def test_figures_and_tables_are_kept(tmp_path, printed):
    printed("run", "nk_killing", "--figure", str(tmp_path / "f.svg"), "--out", str(tmp_path / "kept"))
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").startswith("<svg")
    kept = {path.name for path in (tmp_path / "kept").iterdir()}
    parts = ("table.csv", "readings.csv", "parameters.csv")
    assert kept == {"nk_killing.svg", *(f"nk_killing_{part}" for part in parts)}


def test_all_experiments_are_kept_together(tmp_path, printed):
    said = payload(printed("run", "all", "--out", str(tmp_path), "--json"))
    assert [one["name"] for one in said] == list(experiments.available())
    assert {path.stem for path in tmp_path.glob("*.svg")} == set(experiments.available())
    with pytest.raises(InputError, match="GP-L004"):
        printed("run", "all", "--set", "rho=8")


def test_facts_are_printed_with_their_worth(printed):
    rows = payload(printed("facts", "--json"))
    assert {row["label"] for row in rows} == {"predicted", "calibrated", "input", "by construction"}
    assert "Predictions" in printed("facts")


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "rho=8", "--set", "rho=9"),
        ("--line", "OPM2", "--set", "line=MM1S"),
        ("--exact", "--set", "noise_percent=5"),
    ],
)
def test_a_setting_is_said_once(printed, words):
    with pytest.raises(InputError, match="GP-L002") as caught:
        printed("run", "degradation", *words)
    assert "already" in caught.value.message
