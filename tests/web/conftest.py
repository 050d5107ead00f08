"""A workbench in a folder of its own, a browser that was let in, and a project with simulated plates."""

from __future__ import annotations

import shutil

import pytest
from tests.web.client import HOST, Browser

from glueprint import trials
from glueprint.study import glue
from glueprint.trials import kept
from glueprint.web import Bench, Jobs, Session, Workspace, designs

SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"


@pytest.fixture(scope="session")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin") / "twin"
    glue.new(folder, compound="GLX-1", smiles=SMILES, twin=True, seed=3)
    return folder


@pytest.fixture
def bench(tmp_path):
    workspace = Workspace(tmp_path / "projects")
    return Bench(workspace, Jobs(workspace.hidden / "jobs"), Session(frozenset({HOST})))


@pytest.fixture
def browser(bench):
    return Browser(bench).enter()


@pytest.fixture
def demo(bench, twin):
    """The folder of a project with simulated plates."""
    return shutil.copytree(twin, bench.workspace.folder / "demo")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """Two virtual trials of the template with ten patients an arm, as the command keeps them."""
    folder = tmp_path_factory.mktemp("run")
    path = designs.begin(folder, "one", "template") / designs.FILE
    data = designs.read(path)
    for arm in data["arms"]:
        arm["patients"] = 10
    kept.save(trials.run(designs.keep(path, data), 2, 1), folder / "run")
    return folder / "run"
