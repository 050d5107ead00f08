"""The composed trial model: names others rely on, rest, parity with libroadrunner, the regimens."""

from __future__ import annotations

import re

import antimony
import numpy as np
import pytest
import roadrunner

from glueprint import engine
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, models, parameters

SCENARIO = Scenario.of()

OBSERVABLES = {
    *("cp_ng_per_ml", "free_nm", "ikzf1_myeloma", "ikzf3_myeloma", "ikzf1_tcell", "ikzf3_tcell"),
    *(
        "ikzf1_progenitor",
        "anc_1e9_per_l",
        "platelets_1e9_per_l",
        "haemoglobin_g_per_dl",
        "m_protein_g_per_l",
    ),
    *("immune_activation", "effect"),
    *("hazard_death", "hazard_progression", "hazard_dropout", "hazard_pneumonia", "hazard_other_toxicity"),
}
LOW_DEX, HIGH_DEX = (0, 7, 14, 21), (0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19)
CYCLE_H = 672.0


@pytest.fixture(scope="module")
def model():
    return models.trial(SCENARIO)


@pytest.fixture(scope="module")
def two_clone():
    return models.trial(Scenario.of(structure="two-clone"))


def cycles(number, pom_days=(), dex_days=()):
    rows = [(c * CYCLE_H + 24.0 * d, "glue_gut", 4.0) for c in range(number) for d in pom_days]
    rows += [(c * CYCLE_H + 24.0 * d, "dex_depot", 40.0) for c in range(number) for d in dex_days]
    rows.sort()
    return rows


def doses_of(rows, patient=0):
    times, targets, amounts = zip(*rows, strict=True)
    return engine.Doses(np.full(len(rows), patient), np.array(times), list(targets), np.array(amounts))


def test_names_that_trials_rely_on(model, two_clone):
    for each in (model, two_clone):
        assert {"glue_gut", "dex_depot"} <= set(each.species)
        assert set(each.observables) >= OBSERVABLES
        assert "gcsf_fold" in each.parameters


def test_every_name_of_every_model_has_a_value():
    for name in models.names():
        defaults = engine.compile(models.source(name, SCENARIO)).defaults
        assert all(np.isfinite(value) for value in defaults.values()), name


def test_every_parameter_of_the_table_is_used_by_the_model_or_by_the_conduct(model, two_clone):
    for each, structure in ((model, "claret"), (two_clone, "two-clone")):
        table = parameters.table(Scenario.of(structure=structure))
        beside = table.filter(table["section"].is_in(parameters.BESIDE_THE_MODEL))
        assert set(table["name"]) - set(beside["name"]) <= set(each.parameters)
        assert set(beside["name"]) & set(each.parameters) == set()


def test_an_untreated_patient_rests_but_for_the_tumour(model):
    patients = model.ensemble(patients=1)
    assert patients.advance(CYCLE_H).ok
    assert patients["anc_1e9_per_l"][0] == pytest.approx(3.44, rel=1e-9)
    assert patients["ikzf1_myeloma"][0] == 1.0
    assert patients["immune_activation"][0] == pytest.approx(0.0, abs=1e-9)
    assert patients["m_protein_g_per_l"][0] > 17.4
    assert patients["haemoglobin_g_per_dl"][0] < 9.8


def test_parity_with_libroadrunner(model):
    # libroadrunner 2.10.0 (CVODE, rtol 1e-10), restarted at each dose; two weeks of both drugs.
    times = np.array([3.0, 25.5, 100.0, 170.0, 250.0, 335.0])
    rows = [row for row in cycles(1, range(14), (0, 7, 14)) if row[0] < 335.0]
    patients = model.ensemble(patients=1, settings=engine.Settings(accuracy=1e-9))
    names = [*model.species, "cp_ng_per_ml", "m_protein_g_per_l"]
    got = patients.simulate(times, doses_of(rows), names).values[0]
    expected = roadrunner_values(rows, times, names)
    scale = np.maximum(np.abs(expected), 1e-3 * np.abs(expected).max(axis=0))
    decaying = [names.index(name) for name in ("glue_gut", "dex_depot")]
    scale[:, decaying] = np.maximum(scale[:, decaying], 1e-2)
    assert np.max(np.abs(got - expected) / np.maximum(scale, 1e-12)) < 1e-6


def roadrunner_values(rows, times, names):
    antimony.clearPreviousLoads()
    antimony.loadAntimonyString(models.source("trial", SCENARIO))
    runner = roadrunner.RoadRunner(antimony.getSBMLString())
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-13
    runner.integrator.maximum_num_steps = 200_000
    present, values = 0.0, []
    for time, target, amount in sorted([*rows, *((t, "", 0.0) for t in times)]):
        if time > present:
            runner.simulate(present, time, 2)
            present = time
        if target:
            runner[target] = runner[target] + amount
        else:
            values.append([runner[name] for name in names])
    return np.array(values)


def test_mean_effects_of_the_regimens(model):
    # The normalisation of docs/mechanism.md, "Tumour": third cycle of the typical patient.
    regimens = (cycles(3, range(21), LOW_DEX), cycles(3, range(21)), cycles(3, (), HIGH_DEX))
    means = []
    times = np.arange(2 * CYCLE_H, 3 * CYCLE_H + 1, 8.0)
    parts = [doses_of(rows, patient) for patient, rows in enumerate(regimens)]
    doses = engine.Doses(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("patient", "time_h", "target", "amount")
        )
    )
    values = model.ensemble(patients=3).simulate(times, doses, ["effect"])["effect"]
    means = np.trapezoid(values, times, axis=1) / CYCLE_H
    np.testing.assert_allclose(means, [1.0, 0.67, 0.38], rtol=0.02)


def test_off_treatment_the_effect_fades_and_the_tumour_stays_finite(model):
    fast = {"growth_per_d": np.array([0.0203, 0.2])}
    rows = cycles(1, range(21), LOW_DEX)
    doses = engine.Doses.every_patient(2, [0.0], rows[0][1], 40.0)
    patients = model.ensemble(fast)
    patients.advance(36 * 730.5, doses)
    assert np.all(patients["effect"] < 1e-6)
    assert np.all(np.isfinite(patients["hazard_death"]))
    assert np.all(patients["m_protein_g_per_l"] <= 150.0 * (1 + 1e-6))


def test_a_dose_of_pomalidomide_lowers_counts_and_tumour(model):
    patients = model.ensemble(patients=2)
    doses = engine.Doses(np.zeros(21, dtype=int), 24.0 * np.arange(21), "glue_gut", 4.0)
    patients.advance(505.0, doses)
    for name in ("anc_1e9_per_l", "platelets_1e9_per_l", "m_protein_g_per_l"):
        treated, untreated = patients[name]
        assert treated < untreated, name
    assert patients["hazard_pneumonia"][0] > patients["hazard_pneumonia"][1]


def test_modules_alone_give_what_they_give_in_the_whole(model):
    alone = engine.compile(models.source("pk", SCENARIO)).ensemble(patients=1)
    whole = model.ensemble(patients=1)
    doses = engine.Doses.every_patient(1, [0.0], "glue_gut", 4.0)
    alone.advance(10.0, doses)
    whole.advance(10.0, doses)
    assert alone["free_nm"][0] == pytest.approx(whole["free_nm"][0], rel=1e-4)


def test_an_unknown_model_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=re.escape('GP-M007 unknown model "trail" (did you mean "trial"?)')):
        models.source("trail", SCENARIO)
