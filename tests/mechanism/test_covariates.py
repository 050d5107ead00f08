"""What covariates do: each against its published number, nothing where it is not given."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import evidence
from glueprint.mechanism import Scenario, parameters, prognosis

SCENARIO = Scenario.of()


def patients(typical_covariates, count, **given):
    """Values of `count` alike patients but for what is given."""
    alike = {name: np.repeat(value, count) for name, value in typical_covariates.items()}
    alike |= {name: np.asarray(value, dtype=float) for name, value in given.items()}
    return parameters.individual(
        SCENARIO, alike, np.zeros((count, len(parameters.random_effects(SCENARIO)[0])))
    )


def test_clearance_falls_with_creatinine_clearance_below_the_breakpoint(typical_covariates):
    # Li 2017: (3.71 + 0.0469 min(CrCl, 37.7)) over its value at the breakpoint, PK106 to PK108.
    crcl = np.array([120.0, 37.7, 20.0, 10.0])
    got = patients(typical_covariates, 4, creatinine_clearance_ml_per_min=crcl)["clearance_l_per_h"]
    published = (3.71 + 0.0469 * np.minimum(crcl, 37.7)) / (3.71 + 0.0469 * 37.7)
    np.testing.assert_allclose(got / 7.78, published, rtol=1e-4)


def test_dialysis_replaces_the_effect_of_creatinine_clearance(typical_covariates):
    given = {"creatinine_clearance_ml_per_min": [120.0, 8.0], "dialysis": [0.0, 1.0]}
    got = patients(typical_covariates, 2, **given)["clearance_l_per_h"]
    assert got[1] / got[0] == pytest.approx(0.724)


@pytest.mark.parametrize(
    ("flag", "area_ratio"),
    [
        ("fluvoxamine", 2.251),  # PK026
        ("smoker", 0.677),  # PK034
        ("hepatic_mild", 1.512),  # PK037
        ("hepatic_moderate", 1.575),  # PK039
        ("hepatic_severe", 1.715),  # PK041
    ],
)
def test_areas_under_the_curve_change_as_published(typical_covariates, flag, area_ratio):
    clearance = patients(typical_covariates, 2, **{flag: [0.0, 1.0]})["clearance_l_per_h"]
    assert clearance[0] / clearance[1] == pytest.approx(area_ratio, rel=1e-3)


def test_effects_of_one_parameter_multiply(typical_covariates):
    given = {"smoker": [0.0, 1.0], "sex_female": [0.0, 1.0]}
    clearance = patients(typical_covariates, 2, **given)["clearance_l_per_h"]
    assert clearance[1] / clearance[0] == pytest.approx(1.477 * 0.766)


@pytest.mark.parametrize(
    ("covariate", "without", "marked", "parameter", "published"),
    [
        ("age_y", 64.9, 65.0, "death_per_month", 2.2),  # SAF268
        ("age_y", 64.9, 65.0, "progression_per_month", 1.7),  # SAF269
        ("creatinine_clearance_ml_per_min", 60.0, 59.9, "death_per_month", 1.9),  # SAF270
        ("high_risk", 0.0, 1.0, "death_per_month", 1.6),  # SAF272
        ("high_risk", 0.0, 1.0, "growth_per_d", 1.7),  # SAF273
        ("high_risk", 0.0, 1.0, "kill_per_d", 1.59),  # CL203
        ("sex_female", 1.0, 0.0, "death_per_month", 1.8),  # SAF274
    ],
)
def test_prognosis_is_half_the_log_ratio_seen_elsewhere(
    typical_covariates, covariate, without, marked, parameter, published
):
    values = patients(typical_covariates, 2, **{covariate: [without, marked]})[parameter]
    assert values[1] / values[0] == pytest.approx(np.sqrt(published), rel=1e-3)


def test_shares_come_from_the_evidence():
    known = set(evidence.load().frame["id"])
    for effect in prognosis.EFFECTS:
        assert effect.evidence, effect
        assert set(effect.evidence) <= known, effect


def test_prognosis_is_neutral_in_the_population_it_was_set_in():
    # The mean log factor over a population with the reference shares is 0.
    for effect in prognosis.EFFECTS:
        shares = {effect.covariate: np.array([-1e9, 1e9])}
        low, high = prognosis.factors(shares, {effect.strength: 2.0} | OTHERS)[effect.parameter]
        marked, unmarked = (high, low) if high > low else (low, high)
        assert effect.share * np.log(marked) + (1 - effect.share) * np.log(unmarked) == pytest.approx(0.0)


OTHERS = {effect.strength: 1.0 for effect in prognosis.EFFECTS}


def test_growth_follows_a_power_of_beta2_microglobulin(typical_covariates):
    # CL174: power 0.219 of the level over the median of 364 nM (CL186), 4.3 mg/L.
    values = patients(typical_covariates, 3, beta2_microglobulin_mg_per_l=[4.3, 8.6, 2.15])["growth_per_d"]
    np.testing.assert_allclose(values / values[0], [1.0, 2.0**0.219, 2.0**-0.219])


def test_a_low_m_protein_is_killed_faster(typical_covariates):
    values = patients(typical_covariates, 2, m_protein0=[25.0, 19.9])["kill_per_d"]
    assert values[1] / values[0] == pytest.approx(1.41)  # CL175


def test_cereblon_of_the_tumour_acts_on_the_tumour_alone(typical_covariates):
    values = patients(typical_covariates, 2, crbn_level=[1.0, 0.25])
    plain = parameters.typical(SCENARIO)
    for name in ("ikzf1_myeloma_rho", "ikzf3_myeloma_rho"):
        np.testing.assert_allclose(values[name], plain[name] * np.array([1.0, 0.25]))
    assert "ikzf1_progenitor_rho" not in values
    assert "ikzf1_tcell_rho" not in values


def test_what_is_not_given_acts_on_nothing(typical_covariates):
    values = patients(typical_covariates, 1)
    assert values["clearance_l_per_h"][0] == 7.78
    assert values["growth_per_d"][0] == parameters.typical(SCENARIO)["growth_per_d"]
    assert "ikzf1_myeloma_rho" not in values
