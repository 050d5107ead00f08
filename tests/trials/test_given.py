"""A trial whose patients are drawn from a population of the workshop."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload

from glueprint import trials, workshop
from glueprint.cli.trial import app
from glueprint.errors import InputError
from glueprint.mechanism import parameters
from glueprint.trials import ParameterDraws, Truth, scenarios
from glueprint.trials.patients import check_given
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population, model_parameters

PLAN = trials.load_protocol("mm003")
STREAM = Stream(1, "mm003", 1)


def of_sizes(*sizes):
    arms = (arm.model_copy(update={"patients": size}) for arm, size in zip(PLAN.arms, sizes, strict=True))
    return PLAN.model_copy(update={"arms": tuple(arms)})


SHORT = of_sizes(40, 20)


def population(weights=None, **columns):
    rows = len(next(iter(columns.values())))
    given = np.full(rows, 1.0 / rows) if weights is None else np.asarray(weights, dtype=np.float64)
    table = pl.DataFrame({**columns, "weight": given, "accepted": [True] * rows})
    return workshop.Population(table, tuple(columns), (), rows, 0)


def patients_of(given, protocol=SHORT):
    people = draw_population(protocol, STREAM, Truth(given=given))
    return people, model_parameters(protocol, people, STREAM)


def test_each_patient_has_one_vector_and_vectors_are_drawn_by_weight():
    given = population([3.0, 1.0, 0.0], clearance_l_per_h=[5.0, 10.0, 20.0], weight_kg=[60.0, 80.0, 100.0])
    people, numbers = patients_of(given, of_sizes(1334, 666))
    pairs = set(zip(numbers["clearance_l_per_h"].tolist(), people.values["weight_kg"].tolist(), strict=True))
    assert pairs == {(5.0, 60.0), (10.0, 80.0)}
    light = float((people.values["weight_kg"] == 60.0).mean())
    assert abs(light - 0.75) < 4.0 * np.sqrt(0.75 * 0.25 / 2000)


def test_all_else_of_a_patient_stays_as_it_was():
    plain, numbers = patients_of(None)
    given, own = patients_of(population(clearance_l_per_h=[5.0, 9.0]))
    assert set(own["clearance_l_per_h"].tolist()) == {5.0, 9.0}
    for name in set(numbers) - {"clearance_l_per_h"}:
        assert (numbers[name] == own[name]).all(), name
    assert (plain.arm == given.arm).all()
    assert all((plain.values[name] == given.values[name]).all() for name in plain.values)


def test_a_patient_starts_at_the_steady_state_of_its_own_numbers():
    _, numbers = patients_of(population(neutrophil_mtt_h=[80.0]))
    typical = parameters.typical(scenarios(SHORT, Truth())[0])
    pool = typical["neutrophil_removal_per_h"] * numbers["anc_1e9_per_l"] * 80.0 / 4.0
    assert numbers["neutrophil_maturing"] == pytest.approx(pool)


def test_covariates_of_a_population_are_those_of_the_patients_and_set_their_strata():
    given = population(age_y=[50.0, 80.0], prior_lines=[2.0, 6.0])
    seen = trials.run(SHORT, population=given).patients.select("age_y", "prior_lines").unique().sort("age_y")
    assert seen.rows() == [(50.0, 2.0), (80.0, 6.0)]
    people, _ = patients_of(given)
    old = people.values["age_y"] > 75.0
    assert not set(people.stratum[old].tolist()) & set(people.stratum[~old].tolist())


def test_one_vector_of_what_does_not_vary_is_the_trial_with_that_number():
    given = population(kill_by_loss=[4.0])
    known = trials.run(SHORT, draws=ParameterDraws(("kill_by_loss",), np.array([[4.0]])))
    found = trials.run(SHORT, population=given)
    assert found.patients.equals(known.patients)
    assert not found.patients.equals(trials.run(SHORT).patients)
    assert found.label == f"computed for the patients of the given population {given.digest[:12]}"


def test_groups_and_processes_give_the_same_bits():
    given = population([1.0, 2.0], clearance_l_per_h=[5.0, 9.0], age_y=[60.0, 70.0])
    together = trials.run(SHORT, 3, population=given)
    apart = trials.run(SHORT, 3, workers=2, population=given)
    assert together.patients.equals(apart.patients)
    first = together.patients.filter(pl.col("replicate") == 1)
    assert trials.run(SHORT, 1, population=given).patients.equals(first)


@pytest.mark.parametrize(
    ("weights", "given", "code", "said"),
    [
        (None, {"CL": [5.0]}, "GP-T101", "clearance_l_per_h"),
        (None, {"clearance_l_per": [5.0]}, "GP-T101", "clearance_l_per_h"),
        (None, {"sex": [1.0]}, "GP-T101", '"sex" is no number'),
        (None, {"other_toxicity_hold_d": [1.0]}, "GP-T101", "other_toxicity_hold_d"),
        (None, {"age_y": [60.0, 600.0]}, "GP-T102", "1 of 2 values"),
        (None, {"prior_lines": [2.5]}, "GP-T102", "whole numbers"),
        (None, {"clearance_l_per_h": [5.0, float("nan")]}, "GP-T102", "not finite"),
        (None, {"clearance_l_per_h": [-5.0]}, "GP-M051", "clearance_l_per_h"),
        ([0.0], {"age_y": [60.0]}, "GP-T102", "weights"),
    ],
)
def test_what_no_patient_of_the_trial_can_have_is_refused(weights, given, code, said, monkeypatch):
    monkeypatch.setattr("glueprint.trials.running.run_group", lambda *_: pytest.fail("it was conducted"))
    with pytest.raises(InputError, match=code) as caught:
        trials.run(SHORT, population=population(weights, **given))
    assert said in caught.value.render()


def test_a_condition_that_a_patients_own_number_would_hide_is_refused():
    arms = (SHORT.arms[0].model_copy(update={"conditions": ("fluvoxamine",)}), SHORT.arms[1])
    plan = SHORT.model_copy(update={"arms": arms})
    with pytest.raises(InputError, match="GP-T103") as caught:
        check_given(plan, population(clearance_l_per_h=[5.0]), scenarios(plan, Truth()))
    assert "fluvoxamine" in str(caught.value)
    check_given(plan, population(growth_per_d=[0.02]), scenarios(plan, Truth()))


def test_the_command_says_which_population_it_was(printed, tmp_path):
    given = population([1.0, 3.0], clearance_l_per_h=[5.0, 9.0])
    (tmp_path / "small.toml").write_text(trials.template().replace("patients = 60", "patients = 5"))
    given.save(tmp_path / "people")
    words = ("run", str(tmp_path / "small.toml"), "--population", str(tmp_path / "people"))
    shown = payload(printed(app, *words, "--out", str(tmp_path / "out"), "--json"))
    assert shown["origin"]["population"] == given.digest
    assert given.digest[:12] in shown["label"]
    about = json.loads((tmp_path / "out" / "trial.json").read_text())
    assert about["origin"]["population"] == given.digest
    assert given.digest[:12] in about["label"]
    with pytest.raises(InputError, match="GP-R003") as refused:
        printed(app, *words[:-1], str(tmp_path / "nobody"))
    assert "model population --out" in refused.value.next_step
