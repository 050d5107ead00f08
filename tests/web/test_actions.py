"""Command line, Python and pages do the same things and give the same numbers."""

from __future__ import annotations

import pkgutil
import shutil
import subprocess
import sys

import polars as pl
import pytest
import typer.main
from tests.envelope import payload

from glueprint.chemistry import pairs, structures
from glueprint.cli.app import app
from glueprint.study import course, glue
from glueprint.trials import kept, prediction_intervals
from glueprint.web import ACTIONS, ROUTES, designs

RUN = "from glueprint.cli import main; main()"


def commanded(*words):
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words, "--json"], capture_output=True, text=True, check=True
    )
    return payload(done.stdout)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.words)
def test_every_action_is_there_three_times(action):
    root = typer.main.get_command(app)
    group, command = action.command
    assert command in root.commands[group].commands
    assert callable(pkgutil.resolve_name(action.python)), action.python
    assert action.address in {route.path for route in ROUTES}


def test_every_address_that_computes_belongs_to_an_action():
    own = (
        "/static/",
        "/jobs",
        "/trash",
        "/import",
        "/duplicate",
        "/delete",
        "/export.zip",
        "/report",
        "/tables/",
    )
    own += (
        "/result/figures/{figure}",
        "/result/patients/{replicate}",
        "/plates/{assay}/fit",
        "/plates/{assay}/pictures",
        "/sweep.{ending}",
        "/plates/{assay}/exclude",
        "/layout.toml",
        "/plates",
    )
    told = {action.address for action in ACTIONS}
    rest = {route.path for route in ROUTES} - told - {"/"}
    assert {path for path in rest if not any(part in path for part in own)} == set()


def test_the_state_of_a_project_is_the_same_three_times(browser, demo):
    said = commanded("glue", "status", str(demo))
    found = glue.status(demo)
    page = browser.get("/p/demo").text
    assert said["helps"] == list(found.helps)
    assert all(words.split(":")[0] in page.replace("&#34;", '"') for words in found.helps)
    assert said["result"] == found.result == "none"


def test_the_course_of_a_patient_is_the_same_three_times(browser):
    said = commanded("model", "course", "--dose", "2", "--kd-fold", "0.5", "--cycles", "1")
    found = course.follow(course.Plan(dose_mg=2.0, kd_fold=0.5, cycles=1))
    page = browser.get("/mechanism?dose_mg=2&kd_fold=0.5&cycles=1").text
    assert said["table"]["value"] == found.table["value"].to_list()
    assert said["peak_ng_per_ml"] == found.peak_ng_per_ml
    assert f"{found.peak_ng_per_ml:.3g}, {found.trough_ng_per_ml:.3g} ng/mL" in page
    assert said["pathway"] == found.pathway.to_dicts()
    steps = {row["node"]: row["value"] for row in said["pathway"]}
    for node in ("IRF4", "MYC", "IKZF1, T cells", "IKZF1, progenitors"):
        assert f"{100 * steps[node]:.3g} % left" in page


def test_a_trial_is_the_same_three_times(browser, demo, small_run):
    place = designs.begin(demo, "one", "template")
    shutil.copytree(small_run, place / designs.RUN)
    said = commanded("trial", "analyse", str(place / designs.RUN))
    found = kept.load(place / designs.RUN)
    # JSON has no infinity: what was not reached is missing there.
    told = found.analysed().with_columns(
        pl.when(pl.col(name).is_finite()).then(name) for name in ("value", "low", "high", "p_value")
    )
    assert said["endpoints"] == told.to_dicts()
    assert said["label"] == found.label
    page = browser.get("/p/demo/trials/one/result").text
    for row in prediction_intervals(found.table("endpoints")).filter(endpoint="orr").to_dicts():
        assert f"{row['median']:.3g} ({row['low']:.3g} to {row['high']:.3g})" in page


def test_a_pair_of_compounds_is_the_same_three_times(browser):
    said = commanded("compound", "compare", "thalidomide", "pomalidomide")
    found = pairs.compare(*map(structures.load, ("thalidomide", "pomalidomide")))
    page = browser.get("/compounds?one=thalidomide&two=pomalidomide").text
    assert said["common_atoms"] == found.common_atoms
    assert f"{found.common_atoms} heavy atoms are shared" in page
    for name, values in found.descriptors.items():
        assert said["descriptors"][name] == list(values)
        assert f"{values[1]:.4g}" in page
