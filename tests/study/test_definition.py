"""Study files: the package's load, and what is wrong with a user's own is said with place and remedy."""

from __future__ import annotations

from typing import get_args

import pytest

from glueprint import study
from glueprint.calibration import clinical
from glueprint.errors import InputError
from glueprint.mechanism.scenario import STRUCTURES
from glueprint.study.definition import Study, executor_of
from glueprint.study.glue.project import TrialRequest

GOOD = """
kind = "glueprint-study"
version = 1
name = "mine"
title = "Mine"
compound = "pomalidomide"
[[trials]]
protocol = "mm003"
"""


@pytest.mark.parametrize(("model", "field"), [(Study, "posterior"), (TrialRequest, "structure")])
def test_files_offer_the_structures_that_a_posterior_comes_in(model, field):
    offered = model.model_fields[field]
    names = [name for one in get_args(offered.annotation) for name in get_args(one) or (one,)]
    assert set(names) - {type(None)} == set(clinical.STRUCTURES) == set(STRUCTURES)
    assert offered.default in (None, clinical.STRUCTURES[0])


def test_the_reference_study_loads():
    plan = study.load("pomalidomide")
    assert [request.protocol for request in plan.trials] == ["mm003", "mm002"]
    assert "pomalidomide" in study.available()


def test_defaults_are_filled_in(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    plan = study.load(path)
    assert (plan.seed, plan.trials[0].replicates, plan.profiles.days) == (1, 1, 28)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("version = 1", "version = 2"), "GP-S004", ["version is 2", "version = 1"]),
        (('"glueprint-study"', '"glueprint-trial"'), "GP-S004", ['kind = "glueprint-study"']),
        (("[[trials]]", "[[trials]"), "GP-S003", ["line 7"]),
        (('name = "mine"\n', ""), "GP-S005", ["name: is missing"]),
        (('name = "mine"', 'name = "My Study"'), "GP-S005", ["name", "small letters"]),
        (('title = "Mine"', 'tittle = "Mine"'), "GP-S005", ["tittle", 'did you mean "title"']),
        (("protocol = ", "replicates = 0\nprotocol = "), "GP-S005", ["trials[0].replicates", "at least 1"]),
        (("protocol = ", "seeds = 3\nprotocol = "), "GP-S005", ["trials[0].seeds", "protocol, replicates"]),
        (('[[trials]]\nprotocol = "mm003"', "trials = []"), "GP-S005", ["trials", "at least 1 entry"]),
        (('compound = "pomalidomide"', "compound = 5"), "GP-S005", ["compound", "text in quotes"]),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path, change, code, words):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(InputError) as caught:
        study.load(path)
    assert caught.value.code == code
    assert str(path) in caught.value.where
    for word in words:
        assert word in str(caught.value)
    assert caught.value.next_step


def test_several_bad_fields_are_named_together(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace('title = "Mine"', 'title = ""\nextra = 1'))
    with pytest.raises(InputError, match="GP-S005") as caught:
        study.load(path)
    assert "Also:" in str(caught.value)
    assert "extra" in str(caught.value)


def test_an_unknown_name_and_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="GP-S001") as caught:
        study.load("pomalidomid")
    assert 'did you mean "pomalidomide"' in str(caught.value)
    with pytest.raises(InputError, match="GP-S002"):
        study.load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="GP-S002"):
        study.load(tmp_path / "binary.toml")


def test_a_name_that_no_file_can_have_is_an_unknown_study():
    with pytest.raises(InputError, match="GP-S001"):
        study.load("x" * 5000)


@pytest.mark.parametrize(
    ("section", "said", "found"),
    [
        ("", {}, ("serial", 1, None)),
        ("", {"workers": 3}, ("processes", 3, None)),
        ("", {"address": "tls://h:1", "workers": 2}, ("dask", 2, "tls://h:1")),
        ('kind = "dask"\nworkers = 4', {}, ("dask", 4, None)),
        ('kind = "dask"\nworkers = 4', {"workers": 2}, ("dask", 2, None)),
        ('kind = "dask"\naddress = "tls://h:1"\nworkers = 4', {"kind": "serial"}, ("serial", 1, None)),
        ("workers = 5", {}, ("processes", 5, None)),
    ],
)
def test_where_a_study_is_computed(tmp_path, section, said, found):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + (f"[executor]\n{section}\n" if section else ""))
    choice = executor_of(study.load(path), **said)
    assert (choice.kind, choice.workers, choice.address) == found


def test_an_executor_that_does_not_exist_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + '[executor]\nkind = "slurm"\n')
    with pytest.raises(InputError, match="GP-S005") as caught:
        study.load(path)
    assert "executor.kind" in str(caught.value)


def test_a_serial_run_does_not_take_workers_and_forget_them():
    plan = study.load("pomalidomide")
    with pytest.raises(InputError, match="GP-R010"):
        executor_of(plan, "serial", 4)


def test_two_trials_of_one_protocol_are_refused_before_anything_runs(tmp_path):
    path = tmp_path / "twice.toml"
    text = (
        'kind = "glueprint-study"\nversion = 1\nname = "twice"\ntitle = "Twice"\ncompound = "pomalidomide"\n'
    )
    path.write_text(text + '[[trials]]\nprotocol = "mm003"\n' * 2)
    with pytest.raises(InputError, match="GP-S009") as caught:
        study.run(path, tmp_path / "out")
    assert "mm003" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_posterior_needs_enough_replicates_for_its_interval(tmp_path):
    path = tmp_path / "few.toml"
    path.write_text(GOOD.replace("[[trials]]", 'posterior = "claret"\n[[trials]]') + "replicates = 10\n")
    with pytest.raises(InputError, match="GP-S005") as caught:
        study.load(path)
    assert "39 replicates" in str(caught.value)
    path.write_text(path.read_text().replace("replicates = 10", "replicates = 39"))
    assert study.load(path).posterior == "claret"


def test_a_scheduler_in_somebody_s_file_is_not_talked_to_unasked(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + '[executor]\nkind = "dask"\naddress = "tcp://127.0.0.1:8786"\n')
    plan = study.load(path)
    for said in ({}, {"kind": "dask"}, {"workers": 2}):
        with pytest.raises(InputError, match="GP-S013") as caught:
            executor_of(plan, **said)
        assert "--trust-scheduler" in caught.value.next_step
    with pytest.raises(InputError, match="GP-S013"):
        study.run(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert executor_of(plan, trust_scheduler=True).address == "tcp://127.0.0.1:8786"
    assert executor_of(plan, address="tls://h:1").address == "tls://h:1"
    assert executor_of(plan, "processes", 2).address is None
