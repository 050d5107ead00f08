"""Command line, Python and pages do the same things and give the same numbers."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest
import typer.main
from tests.envelope import payload

from glueprint.cli.app import app
from glueprint.study import course, glue
from glueprint.web import ACTIONS, ROUTES

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
    own += ("/plates/{assay}/fit", "/plates/{assay}/exclude", "/layout.toml", "/plates")
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
