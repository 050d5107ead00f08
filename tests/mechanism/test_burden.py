"""The burden structure: cells apart from M-protein, kill by a switch, hazards by absolute mass."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.mechanism import Scenario, models, parameters, prognosis

SCENARIO = Scenario.of(structure="burden")
MONTH_H = 730.5


@pytest.fixture(scope="module")
def typical():
    return parameters.typical(SCENARIO)


def tumour(days, **values):
    """States of the tumour alone after so many days, one patient per value."""
    model = engine.compile(models.source("tumour_burden", SCENARIO))
    columns = {name: np.atleast_1d(value) for name, value in values.items()}
    given, initial = models.split(model, columns)
    patients = model.ensemble(given, initial=initial, patients=max(len(c) for c in columns.values()))
    patients.advance(24.0 * days)
    return patients.values([*model.species, "burden_g_per_l", "kill_drive"])


def test_untreated_m_protein_grows_with_the_cells_from_its_baseline(typical):
    far = {"m_protein_capacity_g_per_l": 1e9}
    got = tumour(20.0, **far, growth_per_d=np.array([0.01, 0.04]))
    assert np.log(20.0) + 20.0 * np.array([0.01, 0.04]) == pytest.approx(got["log_m_protein"], rel=1e-5)
    # What grows fast is ahead of its M-protein by growth over clearance.
    ahead = 1.0 + np.array([0.01, 0.04]) / typical["m_protein_clearance_per_d"]
    assert np.exp(got["log_cells"] - got["log_m_protein"]) == pytest.approx(ahead, rel=1e-5)


def test_m_protein_falls_after_the_cells_and_no_faster_than_it_is_cleared(typical):
    killed = {"kill_per_d": 0.5, "ikzf1_myeloma": 1e-6, "ikzf3_myeloma": 1e-6, "effect_delay_h": 0.01}
    got = tumour(10.0, **killed, resistance_per_d=0.0)
    fall = np.log(20.0) - got["log_m_protein"][0]
    assert got["log_cells"][0] < np.log(20.0) - 4.0
    assert 0.5 * 10.0 * typical["m_protein_clearance_per_d"] < fall
    assert fall < 10.0 * typical["m_protein_clearance_per_d"]


def test_the_switch_is_at_rest_without_drugs_and_off_without_ikzf():
    drive = tumour(0.001, ikzf1_myeloma=np.array([1.0, 1e-7]), ikzf3_myeloma=np.array([1.0, 1e-7]))
    assert drive["kill_drive"] == pytest.approx([0.0, 1.0], abs=1e-6)


def test_half_the_kill_is_near_the_patients_threshold():
    threshold = np.array([0.05, 0.1])
    drive = tumour(0.001, ikzf1_myeloma=threshold, ikzf3_myeloma=threshold, switch_ikzf50=threshold)
    # t (1 - x) / (t + x) with x = t, and t the square of the threshold
    assert drive["kill_drive"] == pytest.approx((1.0 - threshold**2) / 2.0, rel=1e-6)


def test_two_drugs_do_more_than_their_sum_below_the_threshold_and_less_above():
    loss = {"ikzf1_myeloma": np.array([0.5, 1.0, 0.5]), "dex_effect": np.array([0.0, 0.8, 0.8])}
    loss["ikzf3_myeloma"] = loss["ikzf1_myeloma"]
    insensitive = tumour(0.001, **loss, switch_ikzf50=np.full(3, 0.1))["kill_drive"]
    sensitive = tumour(0.001, **loss, switch_ikzf50=np.full(3, 0.8))["kill_drive"]
    assert insensitive[2] > 1.2 * (insensitive[0] + insensitive[1])
    assert sensitive[2] < 0.85 * (sensitive[0] + sensitive[1])


def test_resistance_lowers_the_threshold_so_that_a_second_drug_still_reaches_the_cells():
    """With a quarter of the threshold left cells far below it die as before, those near it hardly."""
    ikzf = np.array([0.002, 0.1, 0.1])
    given = {"ikzf1_myeloma": ikzf, "ikzf3_myeloma": ikzf, "dex_effect": np.array([0.0, 0.0, 0.95])}
    given |= {"switch_ikzf50": np.full(3, 0.2), "dex_on_irf4": np.full(3, 0.9)}
    naive, resistant = (
        tumour(0.001, **given, sensitivity=np.full(3, left))["kill_drive"] for left in (1.0, 0.25)
    )
    assert resistant[0] > 0.99 * naive[0]
    assert resistant[1] < 0.3 * naive[1]
    assert resistant[2] > 0.9 * naive[2]


def test_resistance_grows_with_the_effect_alone():
    ikzf = np.array([1.0, 0.05])
    got = tumour(60.0, ikzf1_myeloma=ikzf, ikzf3_myeloma=ikzf, resistance_per_d=0.01)["sensitivity"]
    assert got[0] == pytest.approx(1.0)
    assert np.exp(-0.6) < got[1] < 0.75


def whole(covariates, hours, **values):
    """Hazards of patients who differ in `values`, untreated."""
    model = models.trial(SCENARIO)
    names, _ = parameters.random_effects(SCENARIO)
    count = max(len(np.atleast_1d(value)) for value in values.values())
    alike = {name: np.repeat(value, count) for name, value in covariates.items()}
    alike |= {name: np.asarray(value) for name, value in values.items() if name in alike}
    own = parameters.individual(SCENARIO, alike, np.zeros((count, len(names))))
    own |= {name: np.broadcast_to(value, count) for name, value in values.items() if name not in alike}
    given, initial = models.split(model, own)
    patients = model.ensemble(given, initial=initial, patients=count)
    patients.advance(hours)
    return patients.values(["hazard_death", "hazard_progression", "haemoglobin_g_per_dl"])


def test_death_is_a_power_of_the_absolute_mass(typical_covariates, typical):
    cells = np.log([10.0, 40.0])
    got = whole(typical_covariates, 24.0, log_cells=cells, growth_per_d=1e-9)["hazard_death"]
    assert got[1] / got[0] == pytest.approx(4.0 ** typical["death_on_tumour"], rel=1e-4)


def test_progressed_disease_without_treatment_is_covered_in_part(typical_covariates, typical):
    got = whole(typical_covariates, 24.0, uncovered=[0.0, 0.5, 1.0])["hazard_death"]
    more = np.exp(typical["death_uncovered"] * np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(got / got[0], more, rtol=1e-4)


def test_haemoglobin_rests_at_the_patients_own_baseline_whatever_the_mass(typical_covariates):
    got = whole(typical_covariates, 24.0, m_protein0=[5.0, 60.0], growth_per_d=1e-9)["haemoglobin_g_per_dl"]
    assert got == pytest.approx(typical_covariates["haemoglobin0"].repeat(2), rel=1e-2)


@pytest.mark.parametrize("effect", prognosis.PUBLISHED, ids=lambda effect: effect.strength)
def test_every_published_effect_is_its_ratio_for_one_step(effect, typical):
    given = {"prior_lines": [2.0, 4.0], "iss_stage": [2.0, 3.0], "age_y": [60.0, 70.0]}
    given |= {"platelets0": [200.0, 100.0], "sex_female": [1.0, 0.0]}
    values = np.array(given.get(effect.covariate, [0.0, 1.0]))
    others = {name: ratio for name, ratio in typical.items() if name == effect.strength}
    found = prognosis.factors({effect.covariate: values}, {**dict.fromkeys(typical, 1.0), **others})
    ratio = found[effect.parameter][1] / found[effect.parameter][0]
    assert ratio == pytest.approx(typical[effect.strength])
    assert ratio > 1.0


def test_the_patient_of_the_reference_trial_is_where_the_parameters_hold(typical):
    """Mean log factors are 0 in a population with the reference's shares."""
    rng = np.random.default_rng(1)
    n = 200_000
    given = {
        e.covariate: (rng.random(n) < e.share).astype(float) for e in prognosis.PUBLISHED if e.share <= 1
    }
    for name in ("sex_female", "age_y", "platelets0"):
        given.pop(name)
    for parameter, factor in prognosis.factors(given, typical).items():
        assert np.log(factor).mean() == pytest.approx(0.0, abs=0.01), parameter


def test_structures_know_their_own_effects_alone(typical):
    other = parameters.typical(Scenario.of())
    assert "kill_by_both" in other
    assert "kill_by_both" not in typical
    assert "growth_by_lines" in typical
    assert "growth_by_lines" not in other
