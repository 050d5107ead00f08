"""A project without a trial: steps that are found again, only what changed, findings for what is odd."""

from __future__ import annotations

import json
import os
import shutil
from types import SimpleNamespace

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.runs import units
from glueprint.study import glue
from glueprint.study.glue import fitting

ALONE = ("GLX-1,ki,,200,150,267,nM", "GLX-1,rate_max_over_k_deg,IKZF1,20,15,27,")


@pytest.fixture(scope="module")
def project(tmp_path_factory, table_project):
    return table_project(tmp_path_factory.mktemp("glue") / "p")


@pytest.fixture(scope="module")
def result(project):
    return glue.run(project, quick=True)


def codes(result):
    return result.tables["findings"].get_column("code").to_list()


def events(folder):
    lines = (folder / "result/ledger.jsonl").read_text().splitlines()
    return [(entry["event"], entry["facts"]) for entry in map(json.loads, lines)]


def test_measured_quantities_become_a_compound_with_its_file(project, result):
    assert not result.has_trial
    assert {"GP-S030", "GP-S034"} <= set(codes(result))
    found = compounds.load(project / "result/GLX-1.toml")
    assert found.digest == result.compound.digest
    assert found.kd().role == "measured"
    learnt = {row["name"]: row for row in result.tables["learnt"].to_dicts()}
    # 200 over 250 on one plate, each with a standard error of 0.064 log10.
    assert learnt["kd_ratio"]["low_95"] < 0.8 < learnt["kd_ratio"]["high_95"]
    assert result.tables["draws"].height > 1000


def test_every_step_stands_in_the_ledger(project, result):
    steps = [facts["step"] for event, facts in events(project) if event == "step"]
    assert steps[:2] == ["assay-table-1", "fit"]
    assert result.computed == ("assay-table-1", "fit")


def test_a_finished_project_is_read_back(project, result):
    before = events(project)
    again = glue.run(project, quick=True)
    assert again.computed == ()
    assert events(project) == before
    assert all(again.tables[name].equals(table) for name, table in result.tables.items())
    assert glue.status(project).result == "finished"


def test_only_what_changed_is_computed_again(tmp_path, table_project):
    more = '[[assay]]\nname = "two"\nkind = "table"\nfiles = ["raw/table/two.csv"]\n'
    folder = table_project(tmp_path / "p", more=more)
    head = "compound,quantity,target,value,low,high,unit\n"
    (folder / "raw/table/two.csv").write_text(head + "GLX-1,ki,,210,160,280,nM\n")
    first = glue.run(folder, quick=True)
    assert first.computed == ("assay-table-1", "assay-two", "fit")
    (folder / "raw/table/two.csv").write_text(head + "GLX-1,ki,,220,160,280,nM\n")
    assert glue.status(folder).result == "out of date"
    second = glue.run(folder, quick=True)
    assert second.computed == ("assay-two", "fit")
    kept = sorted(path.parent.name for path in (folder / "steps/prepared").glob("*/*"))
    assert kept == ["assay-table-1", "assay-two", "fit"]
    # What the reference says of the assay's error is not in that table: it is said, and cured by a well.
    assert "GP-K042" in codes(second)


def test_a_result_that_was_changed_by_hand_is_refused_and_made_again_when_asked(tmp_path, table_project):
    folder = table_project(tmp_path / "p")
    glue.run(folder, quick=True)
    (folder / "result/GLX-1.toml").write_text("mine")
    with pytest.raises(InputError, match="GP-S007"):
        glue.run(folder, quick=True)
    assert glue.run(folder, quick=True, fresh=True).computed == ("assay-table-1", "fit")


def test_without_a_reference_the_interval_is_wider_and_the_cure_is_named(tmp_path, table_project, result):
    alone = glue.run(table_project(tmp_path / "p", rows=ALONE), quick=True)
    assert "GP-K042" in codes(alone)

    def width(found):
        row = found.tables["learnt"].filter(pl.col("name") == "kd_ratio").to_dicts()[0]
        return row["high_95"] / row["low_95"]

    assert width(alone) > 2.0 * width(result)


def test_a_table_of_another_compound_is_refused_as_nothing_measured(tmp_path, table_project):
    with pytest.raises(InputError, match="GP-K030"):
        glue.run(table_project(tmp_path / "p", rows=("other,ki,,200,150,267,nM",)), quick=True)
    assert events(tmp_path / "p")[-1][0] == "failed"


def test_names_in_the_files_are_taken_to_those_of_the_project(tmp_path, table_project):
    rows = ("cpd 17,ki,,200,150,267,nM", "pom,ki,,250,188,333,nM")
    folder = table_project(
        tmp_path / "p", rows=rows, more='called = { "cpd 17" = "GLX-1", pom = "pomalidomide" }'
    )
    text = (folder / "glue.toml").read_text()
    entry, called = text.rsplit("\n\n", 1)
    (folder / "glue.toml").write_text(f"{entry}\n{called}")
    found = glue.run(folder, quick=True)
    assert found.tables["assays"].get_column("samples").to_list() == [["GLX-1", "pomalidomide"]]


def test_an_interrupted_run_says_so_and_goes_on_from_what_is_there(tmp_path, table_project):
    folder = table_project(tmp_path / "p")

    def stop(step):
        if step.what == "fit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        glue.run(folder, quick=True, progress=stop)
    assert events(folder)[-1][0] == "interrupted"
    assert glue.status(folder).result == "unfinished"
    assert glue.run(folder, quick=True).computed == ("fit",)
    assert "resumed" in [event for event, _ in events(folder)]


WIDE = "compound,quantity,target,value,low,high,unit,relation,dose_nm,time_h,assay,experiment"
BESIDE = (
    "pomalidomide,ki,,250,188,333,nM,,,,fp,p",
    "pomalidomide,rate_ec50,IKZF1,250,188,333,nM,,,,degradation,b",
    "pomalidomide,rate_max_over_k_deg,IKZF1,21,16,28,,,,,degradation,b",
)


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        (
            ("GLX-1,ki,,2020,1700,2400,nM,,,,fp,p", "GLX-1,rate_ec50,IKZF1,28,22,35,nM,,,,degradation,b"),
            "GP-K045",
            "different things",
        ),
        (("GLX-1,ki,,10,,,nM,<,,,fp,p",), "GP-K043", "all doses are above it"),
        (
            ("GLX-1,ki,,200,150,270,nM,,,,fp,p", "GLX-1,loss,IKZF1,0.05,,,fraction,<,10000,24,degradation,b"),
            "GP-K044",
            "degrades no IKZF1",
        ),
        (
            ("GLX-1,ki,,200,150,270,nM,,,,fp,p", "other,ki,,20,15,27,nM,,,,fp,p"),
            "GP-K046",
            "of other are left out",
        ),
        (("GLX-1,ki,,200,150,270,nM,,,,fp,p",), "GP-K041", "the compound is not on it"),
    ],
    ids=["conflict", "above the plateau", "degrades nothing", "another compound", "plate without it"],
)
def test_what_is_odd_is_a_coded_finding_on_the_page(tmp_path, table_project, rows, code, said):
    folder = table_project(tmp_path / "p")
    (folder / "raw/table/measured.csv").write_text("\n".join((WIDE, *BESIDE, *rows)) + "\n")
    findings = glue.run(folder, quick=True).tables["findings"]
    (message,) = findings.filter(pl.col("code") == code).get_column("message").to_list()
    assert said in message


def test_a_project_without_a_measurement_is_refused(tmp_path, smiles):
    glue.new(tmp_path / "p", compound="GLX-1", smiles=smiles)
    with pytest.raises(InputError, match="GP-K030"):
        glue.run(tmp_path / "p")


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize(
    ("link", "code"), [("steps", "GP-S024"), ("result", "GP-S024"), ("steps/x", "GP-R017")]
)
def test_a_folder_of_somebody_else_writes_and_removes_nothing_elsewhere(tmp_path, table_project, link, code):
    folder, elsewhere = table_project(tmp_path / "p"), tmp_path / "elsewhere"
    (elsewhere / "job").mkdir(parents=True)
    (elsewhere / "job/mine.txt").write_text("mine")
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(elsewhere)
    with pytest.raises(InputError, match=code):
        glue.run(folder, quick=True)
    assert [path.name for path in elsewhere.rglob("*")] == ["job", "mine.txt"]


def test_a_forged_step_is_no_posterior(tmp_path, table_project):
    folder = table_project(tmp_path / "p")
    glue.run(folder, quick=True)
    (unit,) = (folder / "steps/prepared/fit").iterdir()
    forged = pl.DataFrame({"name": ["../../out.txt"], "content": [b"x"]})
    name = unit.relative_to(folder / "steps/prepared").as_posix()
    shutil.rmtree(unit)
    units.keep(folder / "steps/prepared", name, {"files": forged}, {})
    shutil.rmtree(folder / "result")
    with pytest.raises(InputError, match="GP-K033"):
        glue.run(folder, quick=True)
    assert not list(tmp_path.rglob("out.txt"))


def test_a_fit_that_did_not_converge_is_said_first():
    (finding,) = fitting.doubts(SimpleNamespace(status="not converged", reason="9 effective draws"))
    assert (finding.code, finding.severity) == ("GP-S035", "warning")
    assert "not converged: 9 effective draws" in finding.message
    assert fitting.doubts(SimpleNamespace(status="ok", reason="")) == ()
