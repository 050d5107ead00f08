"""The whole line on a small study: what it leaves, the same bytes twice, refusals, nothing half-written."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.resources import files

import polars as pl
import pytest

from glueprint import study, trials
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.report import page, study_report
from glueprint.runs import ledger, provenance, store
from glueprint.runs.verify import verify
from glueprint.study import pipeline

SMALL = """
kind = "glueprint-study"
version = 1
name = "small"
title = "A small study"
compound = "pomalidomide"
reference = "pomalidomide"
[[trials]]
protocol = "mm003"
counterfactual = true
[profiles]
patients = 20
days = 2
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    path = folder / "small.toml"
    path.write_text(SMALL)
    return path, study.run(path, folder / "first")


def test_the_folder_holds_tables_record_and_request(small):
    _, result = small
    names = {path.stem for path in (result.folder / "tables").glob("*.parquet")}
    assert {"mm003_patients", "mm003_visits", "mm003_endpoints", "mm003_survival_curves"} <= names
    assert {"comparison", "profiles", "parameters", "findings", "compounds"} <= names
    record = provenance.read(result.folder / provenance.FILE_NAME)
    assert record.settings["seed"] == 1
    for name in names:
        assert record.outputs[name] == store.file_hash(result.folder / "tables" / f"{name}.parquet")
    assert json.loads((result.folder / "study.json").read_text())["name"] == "small"


def test_the_trials_are_lived_without_cross_over_too_where_that_is_asked_for(small):
    _, result = small
    patients = result.tables["mm003_patients"].filter(pl.col("status") == 0)
    shortened = patients.filter(pl.col("os_without_later_months") < pl.col("os_months"))
    crossed = patients.filter(pl.col("crossover_months").is_not_null())
    assert 0 < shortened.height <= crossed.height
    endpoints = result.tables["mm003_endpoints"].get_column("endpoint").to_list()
    assert {"median_os_without_later", "hr_os_without_later"} <= set(endpoints)


def test_the_same_study_gives_the_same_bytes(small):
    path, first = small
    second = study.run(path, first.folder.with_name("second"))
    assert second.record.outputs == first.record.outputs
    again = study.run(path, first.folder, fresh=True)
    assert again.record.outputs == first.record.outputs


def test_a_finished_study_is_read_back_and_not_computed_again(small):
    path, first = small
    entries = len(ledger.read(first.folder / ledger.FILE_NAME))
    again = study.run(path, first.folder)
    assert len(ledger.read(first.folder / ledger.FILE_NAME)) == entries
    assert again.tables.keys() == first.tables.keys()
    for name, table in first.tables.items():
        assert table.equals(again.tables[name]), name
    assert again.trials["mm003"].patients.equals(first.trials["mm003"].patients)


def test_another_seed_gives_other_patients_and_needs_another_folder(small):
    path, first = small
    with pytest.raises(InputError, match="GP-S006") as caught:
        study.run(path, first.folder, seed=2)
    assert "setting seed: 1 -> 2" in str(caught.value)
    assert "--fresh" in caught.value.next_step
    other = study.run(path, first.folder.with_name("other"), seed=2)
    assert other.record.outputs["mm003_patients"] != first.record.outputs["mm003_patients"]


def test_profiles_show_the_published_exposure_and_the_loss_of_ikaros(small):
    _, result = small
    profiles = result.tables["profiles"]
    pk = profiles.filter(pl.col("profile") == "pk")
    # Typical Cmax after one dose of 4 mg is 42 ng/mL (PK073); the median of 20 patients lies near it.
    assert 30 < pk.filter(pl.col("time_h") < 24).get_column("value").max() < 56
    ikaros = profiles.filter(pl.col("series") == "Ikaros, myeloma cells").get_column("value")
    assert ikaros[0] == pytest.approx(1.0)
    assert 0 < ikaros.min() < 0.5
    assert (profiles.get_column("low") <= profiles.get_column("high")).all()


def test_a_study_of_another_compound_stands_without_the_guide(small, tmp_path):
    """Its report names it, says what its parameters are of, and shows nothing of the reference's trials but
    what parameters were set with."""
    shipped = files("glueprint.mechanism") / "data" / "compounds" / "pomalidomide.toml"
    compound = tmp_path / "glx.toml"
    compound.write_text(shipped.read_text("utf-8").replace('name = "pomalidomide"', 'name = "glx"', 1))
    protocol = tmp_path / "own.toml"
    text = trials.source("mm003").replace('name = "mm003"', 'name = "own"', 1)
    text = text.replace('compound = "pomalidomide"', 'compound = "glx.toml"')
    protocol.write_text(text.replace('rules = "pomalidomide-us-label"', 'rules = "none"'), encoding="utf-8")
    path = tmp_path / "other.toml"
    path.write_text(
        SMALL.replace('reference = "pomalidomide"\n', "")
        .replace('"pomalidomide"', '"glx.toml"')
        .replace('"mm003"', '"own.toml"')
    )
    result = study.run(path, tmp_path / "out")
    assert "comparison" not in result.tables
    given = study_report.input_of(result)
    assert (given.compound, given.comparison, given.held_out, given.guide) == ("glx", None, None, {})
    assert given.compounds.get_column("svg").null_count() == 0
    assert "thalidomide class" in given.safety.lower()
    words = " ".join(given.statements)
    assert "That they hold for glx is assumed" in words
    assert "further findings" in words
    findings = " ".join(given.findings.get_column("what"))
    assert "MM-00" not in words + findings + given.safety + given.title
    assert 0 < given.findings.height < result.tables["findings"].height
    html = page.render(given)
    assert "Compound: <b>glx</b>" in html
    assert 'id="guide"' not in html
    assert "The guide prints" not in html
    glance = html[html.index('class="glance"') :]
    glance = glance[: glance.index("</table>")]
    assert "Hazard ratio, death" in glance
    assert "Published" not in glance


def test_the_report_shows_the_study(small):
    _, result = small
    html = page.render(study_report.input_of(result))
    assert "A small study" in html
    assert "calibrated" in html
    assert html.count("http://") == html.count("http://www.w3.org/")


def test_an_unwritable_place_and_a_foreign_folder_leave_nothing(small, tmp_path):
    path, _ = small
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(EnvironmentProblemError, match="GP-R001"):
        study.run(path, blocker / "out")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="GP-R004"):
        study.run(path, foreign)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "foreign"]


def test_a_failing_trial_leaves_no_folder(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(SMALL.replace('protocol = "mm003"', 'protocol = "mm03"'))
    with pytest.raises(InputError, match="GP-T001"):
        study.run(path, tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.toml"]


def test_a_changed_table_of_a_finished_study_is_noticed(small, tmp_path):
    path, first = small
    copy = shutil.copytree(first.folder, tmp_path / "copy")
    table = copy / "tables/mm003_visits.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    with pytest.raises(InputError, match="GP-S007") as caught:
        study.run(path, copy)
    assert "tables/mm003_visits.parquet" in str(caught.value)


def test_a_worker_with_other_versions_is_refused(small, tmp_path, monkeypatch):
    path, _ = small
    kept = pipeline.keep_group

    def elsewhere(root, group):
        there = kept(root, group)
        return [replace(receipt, made_with={**receipt.made_with, "numpy": "1.0"}) for receipt in there]

    monkeypatch.setattr(pipeline, "keep_group", elsewhere)
    with pytest.raises(EnvironmentProblemError, match="GP-S008") as caught:
        study.run(path, tmp_path / "out")
    assert "numpy" in str(caught.value)
    assert "1.0 there" in str(caught.value)


def test_verify_vouches_for_every_file_and_finds_any_change(small, tmp_path):
    _, first = small
    assert verify(first.folder).findings == ()
    copy = shutil.copytree(first.folder, tmp_path / "copy")
    names = sorted(p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file())
    for name in names:
        if name == ".lock":
            continue
        content = (copy / name).read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 4
            (copy / name).write_bytes(bytes(changed))
            assert name in {finding.file for finding in verify(copy).findings}, (name, place)
        (copy / name).write_bytes(content)
    assert verify(copy).findings == ()
    (copy / "notes.txt").write_text("mine")
    assert verify(copy).unknown == ("notes.txt",)
    (copy / "tables/mm003_visits.parquet").unlink()
    assert [(f.file, f.what) for f in verify(copy).findings] == [
        ("tables/mm003_visits.parquet", "is missing")
    ]


def test_a_folder_without_a_run_is_not_verified(tmp_path):
    with pytest.raises(InputError, match="GP-R013"):
        verify(tmp_path)
