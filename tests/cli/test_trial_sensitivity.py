"""`glueprint trial sensitivity`: answers, files and refusals of the command."""

from __future__ import annotations

import polars as pl
import pytest
from tests.envelope import payload

from glueprint import trials
from glueprint.cli.trial import app
from glueprint.errors import InputError

ASKED = ("--vary", "growth_per_d=0.01:0.04:log10", "--vary", "kill_per_d", "--output", "POM 4 mg:orr")


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    """The template's arms with ten patients each."""
    text = trials.template()
    assert "patients = 60" in text
    path = tmp_path_factory.mktemp("small") / "small.toml"
    path.write_text(text.replace("patients = 60", "patients = 10"))
    return str(path)


def test_effects_with_what_chance_does_and_the_figure(printed, protocol, tmp_path):
    pytest.importorskip("SALib")
    words = (*ASKED, "--samples", "2", "--chance", "2", "--figure", str(tmp_path / "effects.svg"))
    found = payload(printed(app, "sensitivity", protocol, *words, "--json"))
    assert found["method"] == "Morris"
    assert found["runs"] == 2 * 3
    assert found["table"]["name"] == ["growth_per_d", "kill_per_d"]
    assert found["chance_sd"]["POM 4 mg:orr"] >= 0.0
    assert (tmp_path / "effects.svg").read_text().startswith("<svg")


def test_a_sweep_written_as_a_table_and_kept(printed, protocol, tmp_path):
    words = (*ASKED[:2], *ASKED[4:], "--method", "sweep", "--points", "2", "--chance", "0")
    files = ("--out", str(tmp_path / "sweep.csv"), "--keep", str(tmp_path / "kept"))
    printed(app, "sensitivity", protocol, *words, *files)
    table = pl.read_csv(tmp_path / "sweep.csv")
    assert table.columns == ["growth_per_d", "POM 4 mg:orr"]
    assert table["growth_per_d"].to_list() == pytest.approx([0.01, 0.04])
    assert len(list((tmp_path / "kept").glob("runs-*.parquet"))) == 1


def test_trials_that_show_chance_are_kept_too(printed, protocol, tmp_path, monkeypatch):
    words = (*ASKED, "--method", "sweep", "--points", "2", "--chance", "2", "--keep", str(tmp_path), "--json")
    first = payload(printed(app, "sensitivity", protocol, *words))
    assert len(list(tmp_path.glob("chance-*.parquet"))) == 1
    monkeypatch.setattr(trials.TrialQuestion, "outcomes", lambda *_: pytest.fail("conducted again"))
    assert payload(printed(app, "sensitivity", protocol, *words)) == first


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--vary", "nothing", "--output", "POM 4 mg:orr"), "GP-W027", "growth_per_d"),
        (("--vary", "growth_per_d", "--output", "orr"), "GP-T100", "POM 4 mg:orr, POM 2 mg:orr"),
    ],
)
def test_refusals_name_what_there_is(printed, protocol, words, code, said):
    with pytest.raises(InputError, match=code) as caught:
        printed(app, "sensitivity", protocol, *words)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--samples", "1"), "GP-W027"),
        (("--method", "sobol", "--samples", "12"), "GP-W027"),
        (("--method", "sweep", "--points", "1"), "GP-W027"),
        (("--chance", "1"), "GP-W027"),
        (("--figure", "effects.bmp"), "GP-P004"),
        (("--out", "effects.txt"), "GP-N032"),
    ],
)
def test_what_cannot_be_is_refused_before_any_trial_is_conducted(printed, protocol, words, code, monkeypatch):
    monkeypatch.setattr("glueprint.trials.sensitivity.run_unit", lambda _: pytest.fail("it was conducted"))
    with pytest.raises(InputError, match=code):
        printed(app, "sensitivity", protocol, *ASKED, *words)


def test_a_form_of_tables_is_refused_before_trials_are_run(printed, protocol, tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "run", lambda *_, **__: pytest.fail("trials were run"))
    with pytest.raises(InputError, match="GP-T082"):
        printed(app, "run", protocol, "--out", str(tmp_path), "--format", "sas")


def test_the_figure_of_a_design_is_refused_before_its_trials(printed, protocol, monkeypatch):
    monkeypatch.setattr(trials, "operating_grid", lambda *_, **__: pytest.fail("trials were run"))
    with pytest.raises(InputError, match="GP-P004"):
        printed(app, "power", protocol, "--patients", "200", "--figure", "power.bmp")
