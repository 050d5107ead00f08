"""The simulated compounds whose predicted trials are held against the truth: are they what they should be?"""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks import glue_outcomes as outcomes
from benchmarks.glue_coverage import NEW, PARAMETERS, REFERENCE

from glueprint.calibration.compound import fitting
from glueprint.calibration.compound.trial import TOGETHER

SEED = 16
SPACE = fitting.space_of([{"assay": "fp", "quantity": "ki", "cells": "", "target": ""}])


@pytest.fixture(scope="module")
def one():
    """A compound with the reference beside it."""
    return outcomes.made(3, SEED, 50)


def column(draws, name):
    return draws.values[:, draws.names.index(name)]


def test_assays_show_the_reference_as_it_is_in_patients():
    true = dict(zip(outcomes.bedside().names, outcomes.bedside().values[17], strict=True))
    normal = np.random.default_rng(1).standard_normal((1, SPACE.count))
    values = SPACE.values(outcomes._as_in_patients(SPACE, normal, true))
    for ours, theirs in TOGETHER.items():
        assert values[ours.removeprefix("reference:")][0] == pytest.approx(true[theirs], rel=1e-6)


def test_the_truth_is_a_trial_like_the_predicted_ones_and_none_of_them(one):
    assert one.reference
    assert set(one.inside) == set(PARAMETERS)
    assert one.truth.names == one.draws.names
    assert one.truth.compound.digest == one.draws.compound.digest
    assert not (column(one.draws, "growth_per_d") == column(one.truth, "growth_per_d")[0]).any()
    kd_nm, spread = column(one.truth, "kd_nm")[0], column(one.draws, "kd_nm")
    assert 30.0 <= kd_nm <= 3000.0
    assert spread.min() < kd_nm < spread.max()
    assert np.isfinite(one.inputs(one.draws)).all()
    assert one.inputs(one.truth).shape == (1, one.inputs(one.draws).shape[1])


def test_true_pharmacokinetics_lie_about_what_is_stated(one):
    for name in (*outcomes.PK, outcomes.UNBOUND_NAME):
        drawn = np.log(column(one.draws, name))
        assert abs(np.log(column(one.truth, name)[0]) - drawn.mean()) < 4.0 * drawn.std()


def test_the_same_number_is_the_same_compound(one):
    again = outcomes.made(3, SEED, 50)
    assert again.draws.values.tolist() == one.draws.values.tolist()
    assert again.truth.values.tolist() == one.truth.values.tolist()
    assert {NEW, REFERENCE} == {again.draws.compound.name, "pomalidomide"}


def test_the_surface_finds_what_made_the_trials():
    random = np.random.default_rng(3)
    lines = []
    for _ in range(20):
        x = random.standard_normal((outcomes.REPLICATES + 1, 4))
        percent = 100.0 / (1.0 + np.exp(-x[:, 0] - 0.1 * random.standard_normal(len(x))))
        lines.append(
            {"trials": {"inputs": x.tolist(), **dict.fromkeys(outcomes.ENDPOINTS, percent.tolist())}}
        )
    model = outcomes.surrogate(lines)
    assert model.left_out["orr"] > 0.95
    ahead = model.trials(np.eye(4)[:1], np.zeros((1, 3)))["orr"]
    behind = model.trials(-np.eye(4)[:1], np.zeros((1, 3)))["orr"]
    assert ahead - behind == pytest.approx(2.0, abs=0.2)


def test_a_run_that_was_stopped_goes_on_at_the_line_that_is_not_whole(tmp_path, monkeypatch):
    path = tmp_path / "lines.jsonl"
    path.write_text('{"number": 0}\n{"number": 1, "sta')
    monkeypatch.setattr(outcomes, "full_line", lambda number, seed: {"number": number, "seed": seed})
    assert list(outcomes.going_on(path, 3, SEED)) == [1, 2]
    assert [line["number"] for line in outcomes.lines_of(path)] == [0, 1, 2]
    assert json.loads(path.read_text().splitlines()[-1])["seed"] == SEED


def test_coverage_is_of_the_trials_that_have_the_endpoint():
    held = {"truth": 30.0, "low": 20.0, "high": 40.0, "rank": 0.5}
    missed = {"truth": 50.0, "low": 20.0, "high": 40.0, "rank": 1.0}
    none = {"truth": float("nan"), "low": 20.0, "high": 40.0, "rank": 0.0}
    lines = [
        {"status": "ok", "inside": dict.fromkeys(PARAMETERS, True), **dict.fromkeys(outcomes.ENDPOINTS, part)}
        for part in (held, held, held, missed, none)
    ]
    found = outcomes.summary(lines)
    assert found["compounds"] == 5
    assert (found["orr"]["trials"], found["orr"]["coverage"]) == (4, 0.75)
    assert found["kd_ratio"] == 1.0
