"""Tutorials are walked: each command as a reader types it, in an empty folder, and what the page promises."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli.app import app

DOCS = Path(__file__).parents[1] / "docs"


def typed(command):
    """What a command prints; `> FILE` writes it there."""
    words = shlex.split(command)
    assert words.pop(0) == "glueprint"
    target = None
    if ">" in words:
        words, target = words[: words.index(">")], words[-1]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"
    if target:
        Path(target).write_text(done.stdout, encoding="utf-8")
    return done.stdout


def saved_in(folder, page):
    """Writes what a page has its reader save; returns (name, language, text) of each."""
    text = (DOCS / page).read_text("utf-8")
    files = re.findall(r"[Ss]ave this as `([\w.]+)`[^`]*?\n\n```(\w+)\n(.*?)```", text, re.DOTALL)
    for name, _, content in files:
        (folder / name).write_text(content, encoding="utf-8")
    return files


@pytest.fixture
def walked(tmp_path, monkeypatch):
    """`walked(page)`: each command of a page with what it printed; `then(command)` is done after each."""
    monkeypatch.chdir(tmp_path)

    def walk(page, then=lambda _: None):
        text = (DOCS / page).read_text("utf-8")
        printed = {}
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
            for line in block.splitlines():
                printed[line[2:]] = typed(line[2:])
                then(line[2:])
        return printed

    return walk


def test_the_biostatistician(walked):
    printed = walked("tutorial-biostatistician.md")
    plan, *_, from_adam, from_tables, sweep = printed.values()
    assert "162" in plan
    assert "167" in plan
    assert {path.stem for path in Path("adam").glob("*.csv")} == {
        "adsl",
        "adtte",
        "adrs",
        "adlb",
        "adae",
        "adex",
    }
    assert Path("adam/define.xml").is_file()
    assert pl.read_csv("tables/patients.csv", infer_schema_length=None).n_unique("replicate") == 3
    assert "Milestones" in from_tables
    assert "Restricted means" in from_tables
    assert "<svg" in Path("pfs.svg").read_text("utf-8")
    assert "4 mg (as written)" in sweep
    # The page says that both are the same trial.
    assert "Hazard ratios" in from_adam
    first, second = (payload(typed(f"{command} --json")) for command in list(printed)[-3:-1])
    for one, other in zip(first["groups"], second["groups"], strict=True):
        assert {**one, "unit": ""} == {**other, "unit": ""}
    assert first["hazard_ratios"] == second["hazard_ratios"]


def test_the_bench_biologist(walked, tmp_path):
    page = "tutorial-bench.md"
    assert [name for name, *_ in saved_in(tmp_path, page)] == ["plate.csv", "layout.toml"]
    *_, entry = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)

    def between(command):
        """What the reader does by hand after the project is there."""
        if command.startswith("glueprint glue new"):
            for name in ("plate.csv", "layout.toml"):
                shutil.copy(name, "my-glue/raw/growth")
            with Path("my-glue/glue.toml").open("a", encoding="utf-8") as file:
                file.write(entry)

    shown, _, fitted, left_out, _, status, ran = walked(page, between).values()
    assert "D  compound GLX-7: 36 wells" in shown
    assert "well B7 at 370.4 nM reads 1.56 where the others expect 0.33" in fitted
    (before,) = re.findall(r"GLX-7 .*relative IC50.*", fitted)
    (after,) = re.findall(r"GLX-7 .*relative IC50.*", left_out)
    assert [number in before for number in ("215.8", "101", "430.8")] == [True] * 3
    assert [number in after for number in ("132.2", "119.9", "145.2")] == [True] * 3
    assert pl.read_csv("tables/excluded.csv").get_column("reason").unique().to_list() == ["bubble"]
    assert pl.read_csv("tables/potencies.csv").height == 10
    assert all("<svg" in Path(name).read_text("utf-8") for name in ("map.svg", "wells.svg"))
    assert "a fluorescence polarisation plate" in status
    assert "kd_ratio" in ran
    report = Path("my-glue/result/report.html").read_text("utf-8")
    assert "bubble" in report
    assert "growth-1" in report


def test_the_pharmacometrician(walked, tmp_path, capsys):
    page = "tutorial-pharmacometrician.md"
    files = {name: content for name, _, content in saved_in(tmp_path, page)}
    assert list(files) == ["pk.ant", "data.csv", "fit.toml", "patients.py"]
    _, _, fitted, _ = walked(page).values()
    assert fitted.count("converged") == 10
    told = {row["parameter"]: row for row in pl.read_csv("my-fit/parameters.csv").to_dicts()}
    assert {row["verdict"] for row in told.values()} == {"identified"}
    text = (DOCS / page).read_text("utf-8")
    for name, truth in (("ka", 0.9), ("CL", 6.5), ("V", 80.0)):
        low, best, high = (told[name][part] for part in ("low", "estimate", "high"))
        assert low < truth < high
        assert f"{name} {best:.3g} ({low:.3g} to {high:.3g})" in text
    assert pl.read_csv("my-fit/profiles.csv").n_unique("parameter") == 4
    assert "<svg" in Path("fit.svg").read_text("utf-8")
    assert pl.read_csv("first.csv").height == len(files["data.csv"].splitlines()) - 1
    assert pl.read_csv("week.csv").height == 169
    exec(compile(files["patients.py"], "patients.py", "exec"), {})
    assert capsys.readouterr().out.startswith("trough, mg/L")
