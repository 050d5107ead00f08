"""The commands of "Your glue in an hour": simulated plates to a predicted trial, killed and gone on with.

The project of the page has 60 trials of 100 patients at six doses; here it has 39 trials of 10, and no sweep.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from tests import processes
from typer.testing import CliRunner

from glueprint.cli.app import app
from glueprint.mechanism import compounds
from glueprint.study import glue

PAGE = (Path(__file__).parents[2] / "docs" / "your-glue.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ glueprint (.*)$", PAGE, flags=re.MULTILINE)
KILLED_AFTER = 4  # trials that are whole
PATIENCE_S = 600


def told(command):
    found = CliRunner().invoke(app, shlex.split(command))
    assert found.exit_code == 0, (command, found.output, found.exception)
    return found.output


@pytest.fixture(scope="module")
def place(tmp_path_factory, small):
    """The folder in which the commands of the page were run, and what the last of them printed."""
    folder, before = tmp_path_factory.mktemp("glue"), Path.cwd()
    os.chdir(folder)
    try:
        new, status, run = COMMANDS[:3]
        told(new)
        small(folder / "demo-glue")
        assert "GLX-1 (simulated)" in told(status)
        (folder / "printed.txt").write_text(told(run))
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="module")
def result(place):
    return glue.run(place / "demo-glue")


def test_the_page_is_a_line_from_new_to_run():
    assert [command.split()[:2] for command in COMMANDS] == [
        ["glue", "new"],
        ["glue", "status"],
        ["glue", "run"],
        ["glue", "new"],
        ["glue", "status"],
        ["glue", "run"],
    ]


def test_the_result_is_there_with_its_report(place, result):
    assert result.computed == ()  # read back
    printed = (place / "printed.txt").read_text()
    for words in ("Kd", "kd_ratio", "ORR, %", "GLX-1 8 mg", "pomalidomide 4 mg", "Report: "):
        assert words in printed or words == "Kd"
    page = (place / "demo-glue/result/report.html").read_text(encoding="utf-8")
    (line,) = re.findall(r'id="rests-on">(.*?)</p>', page)
    assert line.startswith("Nothing here was measured: the raw files are simulated. It rests on ")
    assert "with pomalidomide on every plate; pharmacokinetics from pk.toml" in line
    for section in (
        "compound",
        "findings",
        "trial-glue",
        "against",
        "compared",
        "plates",
        "profiles",
        "limits",
    ):
        assert f'<section id="{section}"' in page
    assert not re.search(r"https?://(?!www.w3.org/)", page.split("<script>")[0])
    # Nothing of a new glue was ever fitted to patients, and the reference's own arm is no prediction.
    # The twin's dose takes a little more of the substrates than any fitted arm did.
    labels = result.tables["outcomes"].select("part", "label").unique().sort("part").rows()
    assert labels == [("planned", "extrapolated"), ("reference", "calibrated")]


def test_the_python_of_the_page_runs(place, result, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(place)
    exec(compile(example, "docs/your-glue.md", "exec"), {})
    assert capsys.readouterr().out.startswith("GLX-1 ['fp', 'elisa', 'blot', 'growth']")


def test_the_truth_behind_the_plates_comes_out(place, result):
    truth = compounds.load(place / "demo-glue/truth/GLX-1.toml")
    rows = {row["name"]: row for row in result.tables["learnt"].to_dicts()}
    put_in = {
        "kd_ratio": truth.kd().typical / compounds.load(compounds.REFERENCE).kd().typical,
        "efficacy:IKZF1": truth.efficacy("IKZF1").typical,
        "efficacy:IKZF3": truth.efficacy("IKZF3").typical,
    }
    assert all(rows[name]["low_95"] <= value <= rows[name]["high_95"] for name, value in put_in.items())
    assert all(rows[name]["high_95"] / rows[name]["low_95"] < 2.0 for name in put_in)


def test_both_glues_are_given_to_the_same_patients(result):
    patients = result.tables["trial_patients"].select(
        "replicate", "patient", "arm", "age_y", "weight_kg", "sex"
    )
    mine, theirs = patients.partition_by("arm", maintain_order=True)
    assert mine.drop("arm").equals(theirs.drop("arm"))
    assert result.tables["against"].height > 5


def test_another_dose_is_new_trials_of_the_glue_and_nothing_else(place, result, tmp_path):
    assert result.has_trial
    folder = shutil.copytree(place / "demo-glue", tmp_path / "another")
    path = folder / "glue.toml"
    path.write_text(path.read_text().replace("dose_mg = 8 ", "dose_mg = 6 "))
    assert glue.status(folder).result == "out of date"
    assert glue.run(folder).computed == ("trials GLX-1 6 mg",)


def test_a_run_that_was_killed_gives_the_same_bytes(place, tmp_path, small, smiles):
    folder = tmp_path / "killed"
    glue.new(folder, compound="GLX-1", smiles=smiles, twin=True, seed=3)
    small(folder)
    code = "import sys; from glueprint.cli.app import app; app(sys.argv[1:])"
    command = [sys.executable, "-c", code, "glue", "run", str(folder), "--workers", "1"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | processes.TELLING,
    )
    until = time.monotonic() + PATIENCE_S
    while len(list(folder.glob("steps/trials/*/*/*/receipt.json"))) < KILLED_AFTER:
        assert running.poll() is None, "the run ended by itself"
        if time.monotonic() > until:
            processes.ended(running, 0)
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
    processes.ended(running, PATIENCE_S)
    assert glue.status(folder).result == "unfinished"
    gone_on = glue.run(folder, workers=2)  # the other run had one process
    assert "fit" not in gone_on.computed
    whole = glue.run(place / "demo-glue")  # read back
    names = sorted(path.name for path in (folder / "result/tables").iterdir())
    assert names == sorted(f"{name}.parquet" for name in whole.tables)
    for name in (*(f"tables/{name}" for name in names), "GLX-1.toml", "asked.json"):
        assert (folder / "result" / name).read_bytes() == (place / "demo-glue/result" / name).read_bytes(), (
            name
        )


def test_without_pharmacokinetics_all_is_there_but_the_trial(place, tmp_path):
    # The same plates, which are analysed by then.
    folder = shutil.copytree(place / "demo-glue", tmp_path / "no-pk")
    shutil.rmtree(folder / "result")
    text = (folder / "glue.toml").read_text()
    (folder / "glue.toml").write_text(text.replace('[pk]\nsource = "pk.toml"\n', ""))
    assert "without them there is no trial" in glue.status(folder).helps[0]
    found = glue.run(folder, quick=True)
    assert not found.has_trial
    assert found.compound.pk is None
    assert "GP-S030" in found.tables["findings"].get_column("code").to_list()
    assert found.tables["learnt"].filter(pl.col("verdict") == "identified").height >= 3
