"""The example "Your own glue in the patients of MM-003" of docs/trials.md, as a reader types it: from another
folder, with spaces in the paths.

The trial has a tenth of the patients, but for the test of what comes out of it.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.cli.app import app
from glueprint.mechanism import compounds
from glueprint.trials import kept

PAGE = (Path(__file__).parents[2] / "docs" / "trials.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## Your own glue") : PAGE.index("## Patients")]
MAKING, RUNNING = (
    [line[2:] for line in block.splitlines()]
    for block in re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)
)
EDITS = re.findall(r"^\| `([\w.-]+)` \| `(.+)` \| `(.+)` \|$", SECTION, re.MULTILINE)


def typed(command: str) -> str:
    """What a command prints on standard output; `> FILE` writes it there."""
    words = shlex.split(command)
    if words[0] == "mkdir":
        Path(words[1]).mkdir()
        return ""
    assert words[0] == "glueprint"
    target = words[words.index(">") + 1] if ">" in words else None
    arguments = words[1 : words.index(">")] if target else words[1:]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"})
    assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"
    if target:
        Path(target).write_text(done.stdout, encoding="utf-8")
    return done.stdout


# Patients of the two arms of MM-003, and as few as have every kind of outcome.
FEWER = (("patients = 302", "patients = 30"), ("patients = 153", "patients = 15"))
FEWER_TRIALS = ("--replicates 40", "--replicates 2")


def followed(folder, commands, *, whole):
    """What each command of the example prints in `folder`, once its files are written as the page says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in MAKING:
            typed(command)
        edits = EDITS if whole else [*EDITS, *(("my-mm003.toml", *few) for few in FEWER)]
        for name, said, written in edits:
            path = folder / "my glue" / name
            text = path.read_text(encoding="utf-8")
            assert said in text, (name, said)
            path.write_text(text.replace(said, written), encoding="utf-8")
        (study_file,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
        (folder / "my glue" / "study.toml").write_text(study_file, encoding="utf-8")
        return {command: typed(command if whole else command.replace(*FEWER_TRIALS)) for command in commands}


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The folder that the reader works in, and what each command printed there."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    return folder, followed(folder, RUNNING, whole=False)


def output(example, words):
    return next(text for command, text in example[1].items() if words in command)


def test_the_files_differ_from_the_shipped_ones_in_what_was_written(example):
    folder, _ = example
    assert len(EDITS) == 9
    glx, own = compounds.load(folder / "my glue" / "glx.toml"), compounds.load("pomalidomide")
    assert (glx.name, glx.kd().typical) == ("GLX", 52.8)
    kd = glx.pharmacology.model_copy(update={"kd_nm": own.kd()})
    assert glx.model_copy(update={"pharmacology": kd}).digest == own.digest
    plan = trials.load_protocol(folder / "my glue" / "my-mm003.toml")
    assert [glue.name for glue in plan.glues] == ["GLX"]


def test_what_is_shown_names_the_glue_and_nothing_published(example):
    assert "52.8" in output(example, "compound numbers")
    shown = output(example, "trial show")
    assert "GLX" in shown
    assert "my-rules: 4 > 3 > 2 > 1 mg" in shown
    assert "omalidomide" not in shown
    assert "published" not in output(example, "--seed 1")


def test_it_is_called_what_it_is(example):
    folder, _ = example
    found = kept.load(folder / "GLX result")
    # No patient of the fitted trials lost as much of the substrates at any dose.
    assert found.label == "extrapolated"
    assert all(finding.asked.startswith("GLX 4 mg") for finding in trials.outside(found.protocol))


def test_it_does_more_than_pomalidomide(tmp_path):
    (command,) = (line for line in RUNNING if FEWER_TRIALS[0] in line)
    followed(tmp_path, [command], whole=True)
    found = kept.load(tmp_path / "GLX result")
    assert found.label == "extrapolated"
    endpoints = found.table("endpoints")
    mine = endpoints.filter(pl.col("arm") == "GLX+LoDEX")
    draws = clinical.posterior().for_trial(found.protocol, count=40)
    other = trials.run("mm003", 40, 1, draws=draws).endpoints.filter(pl.col("arm") == "POM+LoDEX")
    for endpoint in ("orr", "neutropenia_grade_3_4"):
        more, less = (table.filter(pl.col("endpoint") == endpoint)["value"].mean() for table in (mine, other))
        assert more > less, endpoint


def test_the_sweep_has_the_partner_alone(example):
    text = output(example, "trial sweep")
    assert "0 mg" in text
    assert "4 mg (as written)" in text


def test_the_study_is_of_the_glue(example):
    folder, _ = example
    told = json.loads((folder / "GLX study" / "study.json").read_text(encoding="utf-8"))
    assert told["compound"] == "glx.toml"
    page = (folder / "GLX study" / "report.html").read_text(encoding="utf-8")
    assert "Compound: <b>GLX</b>" in page
    assert "GLX in plasma" in page
    labels = pl.read_parquet(folder / "GLX study" / "tables" / "parameters.parquet")
    kd = labels.row(by_predicate=pl.col("name") == "kd_nm", named=True)
    assert kd["typical"] == 52.8
    assert "assumed" in output(example, "study run")
