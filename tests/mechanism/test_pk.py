"""Pharmacokinetics of Li 2015: published exposures, closed form, covariates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from glueprint import engine
from glueprint.mechanism import Scenario, compounds, models, parameters

SCENARIO = Scenario.of()


@pytest.fixture(scope="module")
def daily():
    """Concentrations over 15 daily doses of 4 mg, every 6 minutes."""
    model = engine.compile(models.source("pk", SCENARIO))
    times = np.linspace(0.0, 15 * 24.0, 15 * 240 + 1)
    doses = engine.Doses.every_patient(1, 24.0 * np.arange(15), "glue_gut", 4.0)
    return times, model.ensemble(patients=1).simulate(times, doses, ["cp_ng_per_ml"])["cp_ng_per_ml"][0]


def test_steady_state_of_4_mg_daily(daily):
    # Typical patient of Li 2015 (PK044-PK068): Cmax 49 ng/mL, AUC 514 ng h/mL, accumulation 1.32.
    times, conc = daily
    first, last = slice(0, 241), slice(-241, None)
    auc = np.trapezoid(conc[last], times[last])
    assert conc[last].max() == pytest.approx(49.0, rel=0.03)
    assert auc == pytest.approx(514.0, rel=0.03)
    assert auc / np.trapezoid(conc[first], times[first]) == pytest.approx(1.32, rel=0.03)
    # The single dose of figure 2 of the source: 42 ng/mL at about 1.9 h (PK073).
    assert conc[first].max() == pytest.approx(42.0, rel=0.03)


def test_the_area_at_steady_state_is_dose_over_clearance(daily):
    times, conc = daily
    exact = 1000 * 4.0 / 7.78
    assert np.trapezoid(conc[-241:], times[-241:]) == pytest.approx(exact, rel=2e-3)


def test_the_course_equals_the_matrix_exponential():
    ka, cl, vc, q, vp = 1.25, 7.78, 69.9, 3.75, 71.5
    rates = np.array([[-ka, 0, 0], [ka, -(cl + q) / vc, q / vp], [0, q / vc, -q / vp]])
    times = np.array([0.5, 2.0, 10.0, 24.0, 72.0])
    exact = [expm(rates * t)[1, 0] * 4.0 / vc * 1000 for t in times]
    doses = engine.Doses.every_patient(1, [0.0], "glue_gut", 4.0)
    got = (
        engine.compile(models.source("pk", SCENARIO))
        .ensemble(patients=1)
        .simulate(times, doses, ["cp_ng_per_ml"])
    )
    np.testing.assert_allclose(got["cp_ng_per_ml"][0], exact, rtol=1e-4)


def test_free_drug_is_the_unbound_molar_concentration():
    doses = engine.Doses.every_patient(1, [0.0], "glue_gut", 4.0)
    got = engine.compile(models.source("pk", SCENARIO)).ensemble(patients=1)
    got.advance(3.0, doses)
    assert got["free_nm"][0] == pytest.approx(0.70 * got["cp_ng_per_ml"][0] / 273.24 * 1e3)


def test_covariates_of_li_2015(typical_covariates):
    names, _ = parameters.random_effects(SCENARIO)
    two = {name: np.repeat(value, 2) for name, value in typical_covariates.items()}
    two |= {"sex_female": np.array([0.0, 1.0]), "weight_kg": np.array([78.3, 100.0])}
    two |= {"total_protein_g_per_l": np.array([73.0, 90.0])}
    values = parameters.individual(SCENARIO, two, np.zeros((2, len(names))))
    assert values["clearance_l_per_h"] == pytest.approx([7.78, 7.78 * 0.766])
    volume = 69.9 * (100.0 / 78.3) ** 0.686 * (1 + 0.00609 * 17.0)
    assert values["central_l"] == pytest.approx([69.9, volume])


def test_the_lag_is_data_and_no_state():
    pk = compounds.load("pomalidomide").pk
    assert pk is not None
    assert pk.lag_h.typical == 0.206
    assert pk.residual_log_sd.typical == 0.49
