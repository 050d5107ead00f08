"""`glueprint trial run --posterior`, `compare` and `sweep` as a user types them."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.calibration.clinical.result import summarise
from glueprint.calibration.clinical.stored import digest
from glueprint.cli.trial import app
from glueprint.cli.trial_draws import draws_and_origin, draws_for
from glueprint.errors import GlueprintError
from glueprint.trials import SWEPT
from glueprint.trials.analysis.intervals import prediction_intervals
from glueprint.trials.protocol.document import Protocol

RUNNER = CliRunner()
TINY = trials.template().replace("patients = 60", "patients = 6")
DRAWS = 45


def tiny_posterior(structure="burden"):
    """A posterior that knows no more than its prior, drawn near the middle of it."""
    given = clinical.free(structure)
    z = 0.3 * np.random.default_rng(4).standard_normal((DRAWS, len(given.names)))
    draws = pl.DataFrame(given.values(z)).with_columns(misfit=0.0, minus_log_posterior=0.0)
    nothing = pl.DataFrame({"coordinate": ["a"], "r_hat": [1.0], "effective_draws": [45.0]})
    return clinical.ClinicalPosterior(
        structure=structure,
        scope="trials",
        draws=draws,
        parameters=summarise(given, z),
        summaries=pl.DataFrame({"trial": []}),
        diagnostics=nothing,
        log_evidence=0.0,
        misfit=1.0,
        targets=1,
        simulations=1,
        settings={"seed": 4},
        status="ok",
        reason="",
        digest=digest(structure),
    )


@pytest.fixture(scope="module")
def posterior(tmp_path_factory):
    folder = tmp_path_factory.mktemp("posterior")
    clinical.save(tiny_posterior(), folder)
    return folder


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("protocols") / "mine.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


def called(*words):
    done = RUNNER.invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done


def refused(code, *words):
    done = RUNNER.invoke(app, [str(word) for word in words])
    assert isinstance(done.exception, GlueprintError), done.output
    assert done.exception.code == code
    return str(done.exception)


@pytest.fixture(scope="module")
def run(mine, posterior, tmp_path_factory):
    """39 predicted trials in a folder, with what was printed."""
    folder = tmp_path_factory.mktemp("run") / "result"
    done = called(
        "run", mine, "--posterior", "--posterior-from", posterior, "--replicates", 39, "--out", folder,
        "--counterfactual", "--json",
    )  # fmt: skip
    return folder, payload(done.stdout)


def test_a_predicted_trial_is_labelled_and_has_intervals(run):
    folder, told = run
    assert told["label"] == "predicted"
    rows = prediction_intervals(pl.read_parquet(folder / "endpoints.parquet"))
    assert told["prediction_intervals"] == rows.to_dicts()
    orr = rows.row(by_predicate=(pl.col("arm") == "POM 4 mg") & (pl.col("endpoint") == "orr"), named=True)
    assert orr["low"] < orr["median"] < orr["high"]
    assert "median_os_without_later" in rows.get_column("endpoint")


def test_the_draws_are_those_of_the_posterior_for_this_trial(run, mine, posterior):
    folder, _ = run
    draws = clinical.load(posterior, "burden").for_trial(trials.load_protocol(mine), count=39, seed=1)
    few = 4  # each trial takes the next draw, and knows of no other trial
    alone = trials.run(mine, few, 1, draws=draws, counterfactual=True)
    kept = pl.read_parquet(folder / "endpoints.parquet")
    assert kept.filter(pl.col("replicate") <= few).equals(alone.endpoints)
    assert kept.get_column("replicate").max() == 39


def test_the_table_for_people(mine, posterior):
    done = called("run", mine, "--posterior-from", posterior, "--replicates", 2, "--posterior", "burden")
    assert "predicted, median and 95 % prediction interval of 2 trials" in done.stdout
    assert "none is a prediction" not in done.stderr


def test_what_was_run_is_kept_beside_the_tables(run):
    about = json.loads((run[0] / "trial.json").read_text("utf-8"))
    assert about["origin"]["posterior"] == digest("burden")
    assert (about["seed"], about["replicates"], about["label"]) == (1, 39, "predicted")


def test_the_other_structure(mine, tmp_path):
    clinical.save(tiny_posterior("two-clone"), tmp_path)
    words = ("run", mine, "--posterior", "two-clone", "--posterior-from", tmp_path, "--replicates", 1)
    called(*words, "--out", tmp_path / "out")
    assert (
        json.loads((tmp_path / "out" / "trial.json").read_text("utf-8"))["origin"]["structure"] == "two-clone"
    )
    # Alone, the option takes the first structure, and the word after it stays what it was.
    refused("GP-K011", "run", "--posterior", mine, "--posterior-from", tmp_path)


def test_replicates_beyond_the_draws_are_said(mine, tmp_path):
    few = tiny_posterior()
    clinical.save(replace(few, draws=few.draws.head(1)), tmp_path)
    done = called("run", mine, "--posterior-from", tmp_path, "--replicates", 2)
    assert "1 draws for 2 replicates" in " ".join(done.stderr.split())


def test_a_stale_posterior_is_said(mine, tmp_path):
    clinical.save(replace(tiny_posterior(), digest="of something else"), tmp_path)
    done = called("run", mine, "--posterior-from", tmp_path, "--replicates", 1)
    assert "posterior stale: claims, priors" in " ".join(done.stderr.split())


def test_a_calibration_trial_is_calibrated_until_it_is_changed(posterior, tmp_path):
    small = trials.load_protocol("mm002")
    arms = tuple(arm.model_copy(update={"patients": 4}) for arm in small.arms)
    whole, origin = draws_and_origin(small, "burden", posterior, 2, 1)
    about = {"structure": "burden", "posterior": digest("burden"), "posterior_status": "ok"}
    assert origin == about | {"draws": "of the posterior"}
    other = draws_for(small.model_copy(update={"arms": arms}), "burden", posterior, 2, 1)
    assert (whole.label, other.label) == ("calibrated", "predicted")


def test_a_structure_and_a_folder_that_are_not_there(mine, tmp_path):
    refused("GP-K010", "run", mine, "--posterior=burdenn")
    assert "glueprint calibrate clinical" in refused("GP-K011", "run", mine, "--posterior-from", tmp_path)


OBSERVED = """arm,endpoint,value,n
POM 4 mg,orr,30,60
POM 4 mg,median_pfs,4.0,60
POM 4mg,orr,30,60
POM 4 mg,or,30,60
"""


@pytest.fixture
def observed(tmp_path):
    path = tmp_path / "observed.csv"
    path.write_text(OBSERVED, encoding="utf-8")
    return path


def test_compare(run, observed, tmp_path):
    figure = tmp_path / "compared.svg"
    told = payload(called("compare", run[0], observed, "--json", "--figure", figure).stdout)
    assert told["label"] == "predicted"
    assert (told["total"]["rows"], told["total"]["scored"]) == (4, 2)
    assert [row["endpoint"] for row in told["scores"]] == ["orr", "median_pfs", "orr", "or"]
    drawn = figure.read_text("utf-8")
    assert "ORR, POM 4 mg" in drawn
    assert "median PFS, POM 4 mg" in drawn
    text = called("compare", run[0], observed).stdout
    assert 'did you mean "POM 4 mg"?' in text
    assert 'did you mean "orr"?' in text
    assert "2 of 4 rows could not be scored" in text


def test_compare_ends_with_a_finding_where_nothing_could_be_scored(run, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("arm,endpoint,value\nX,orr,30\n")
    done = RUNNER.invoke(app, ["compare", str(run[0]), str(path), "--figure", str(tmp_path / "f.svg")])
    assert done.exit_code == 1
    assert "no arm" in done.stdout


def test_what_cannot_be_compared(run, mine, observed, tmp_path):
    refused("GP-T078", "compare", tmp_path, observed)
    refused("GP-K023", "compare", run[0], tmp_path / "none.csv")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("arm,endpoint,months\nA,orr,3\n")
    assert "no column value" in refused("GP-K020", "compare", run[0], wrong)
    called("run", mine, "--out", tmp_path / "one")
    assert "--replicates 200" in refused("GP-K021", "compare", tmp_path / "one", observed)
    wrong.write_text("arm,endpoint,value\nPOM 4 mg,orr,many\n")
    refused("GP-K022", "compare", run[0], wrong)


def test_sweep(mine, posterior, tmp_path):
    words = (
        "sweep", mine, "--arm", "POM 4 mg", "--dose-mg", "2,4", "--days", "1-21", "--days", "1-28/2",
        "--posterior", "--posterior-from", posterior, "--replicates", 2,
    )  # fmt: skip
    told = payload(called(*words, "--json", "--out", tmp_path / "table").stdout)
    assert (told["arm"], told["compound"]) == ("POM 4 mg", "pomalidomide")
    kept = pl.read_parquet(tmp_path / "table" / "sweep.parquet")
    assert kept.to_dicts() == told["rows"]
    assert kept.get_column("variant").unique(maintain_order=True).to_list() == [
        "2 mg, days 1-21",
        "2 mg, days 1-28/2",
        "4 mg, days 1-21 (as written)",
        "4 mg, days 1-28/2",
    ]
    assert kept.get_column("label").unique().to_list() == ["predicted"]
    done = called(*words)
    assert "neutropenia 3/4, %" in done.stdout
    assert 'Difference to "4 mg, days 1-21 (as written)" in the same patients' in done.stdout
    assert "These numbers are predicted" in done.stderr


def test_sweep_of_the_patients(mine):
    words = ("--gcsf", "none,secondary", "--condition", "none,fluvoxamine", "--crcl", "15:35", "--json")
    told = payload(called("sweep", mine, *words, "--replicates", 1, "--patients", 3).stdout)
    assert [row["variant"] for row in told["rows"][:: len(SWEPT)]] == [
        "as written",
        "G-CSF none, no condition, CrCl 15 to 35 mL/min",
        "G-CSF none, fluvoxamine, CrCl 15 to 35 mL/min",
        "G-CSF secondary, no condition, CrCl 15 to 35 mL/min",
        "G-CSF secondary, fluvoxamine, CrCl 15 to 35 mL/min",
    ]
    assert "computed with the most probable parameters of the fit" in told["rows"][0]["label"]


def test_sweeps_that_cannot_be(mine):
    assert 'did you mean "POM 4 mg"' in refused("GP-T070", "sweep", mine, "--arm", "POM 4mg")
    refused("GP-T071", "sweep", mine, "--dose-mg", "2", "--compound", "thalidomide")
    refused("GP-T072", "sweep", mine, "--dose-mg", "2,four")
    refused("GP-T072", "sweep", mine, "--dose-mg", "-2")
    refused("GP-T073", "sweep", mine, "--days", "21-1")
    refused("GP-T075", "sweep", mine, "--crcl", "30")
    refused("GP-T077", "sweep", mine)


PAGE = (Path(__file__).parents[2] / "docs" / "trials.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^\| [^|]+ \| `(--[^`]+)` \|$", PAGE, re.MULTILINE)


def test_the_questions_of_the_page_are_answered(mine, tmp_path, monkeypatch):
    assert len(QUESTIONS) == 7
    monkeypatch.chdir(tmp_path)
    rules = trials.rules_template().replace("\n[reductions]", '\n[reductions]\nother_starts = "next level"')
    (tmp_path / "my-rules.toml").write_text(rules, encoding="utf-8")
    for options in QUESTIONS:
        words = shlex.split(options)
        told = payload(
            called(
                "sweep", mine, "--arm", "POM 4 mg", *words, "--patients", 2, "--replicates", 1, "--json"
            ).stdout
        )
        assert len({row["variant"] for row in told["rows"]}) >= 2


def test_the_observed_file_of_the_page_is_scored(run, tmp_path):
    (text,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "observed.csv"
    path.write_text(text, encoding="utf-8")
    told = payload(called("compare", run[0], path, "--json").stdout)
    assert told["total"]["scored"] == 3


def test_the_template_speaks_of_every_part_of_a_protocol():
    text = trials.template()
    for part in (*Protocol.model_fields, "conditions", "case_mix.correlations", "after_progression"):
        assert re.search(rf"\b{part}\b", text), part
    for command in ("run my_trial.toml --posterior", "sweep my_trial.toml"):
        assert f"glueprint trial {command}" in text
