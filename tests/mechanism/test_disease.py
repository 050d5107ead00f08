"""Tumour, haemoglobin, immune cells, dexamethasone and hazards alone, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.mechanism import Scenario, models, parameters

SCENARIO = Scenario.of()

MONTH_H = 730.5


@pytest.fixture(scope="module")
def typical():
    """Typical values, with the baselines that a model has where it stands alone."""
    alone = {name: q.typical for name, q in models.quantities("trial", SCENARIO).items()}
    return alone | parameters.typical(SCENARIO)


def alone(name, hours, **values):
    patients = engine.compile(models.source(name, SCENARIO)).ensemble(values)
    assert patients.advance(hours).ok
    return patients


def test_the_untreated_tumour_grows_logistically(typical):
    days = 200.0
    start, capacity = typical["m_protein0_g_per_l"], typical["m_protein_capacity_g_per_l"]
    exact = capacity / (1 + (capacity / start - 1) * np.exp(-typical["growth_per_d"] * days))
    assert alone("tumour", 24 * days)["m_protein_g_per_l"][0] == pytest.approx(exact, rel=1e-4)


def test_kill_at_a_constant_effect_follows_claret():
    # Far below the capacity, effect settled: ln M/M0 = KG t - KD E (1 - exp(-lambda E t))/(lambda E).
    growth, kill, resistance, days = 0.01, 0.03, 0.004, 300.0
    patients = alone(
        "tumour",
        24 * days,
        growth_per_d=growth,
        kill_per_d=kill,
        resistance_per_d=resistance,
        m_protein_capacity_g_per_l=1e9,
        effect_delay_h=0.01,
        dex_effect=1.0,
        kill_by_dex=0.8,
    )
    exposure = resistance * 0.8
    exact = growth * days - kill * 0.8 * (1 - np.exp(-exposure * days)) / exposure
    assert np.log(patients["m_protein_relative"][0]) == pytest.approx(exact, rel=1e-4)


def load_of(relative, cap):
    return relative * (1 + cap) / (relative + cap)


def test_haemoglobin_ends_where_the_tumour_holds_it(typical):
    relative = np.array([1e-9, 0.5, 1.0, 4.0])
    got = alone("haemoglobin", 24 * 600.0, m_protein_relative=relative)["haemoglobin_g_per_dl"]
    weight = typical["haemoglobin_tumour"]
    exact = (1 + weight) / (1 + weight * load_of(relative, typical["load_cap"]))
    np.testing.assert_allclose(got, typical["haemoglobin0_g_per_dl"] * exact, rtol=1e-5)
    assert got[0] == pytest.approx(typical["haemoglobin0_g_per_dl"] * (1 + weight), rel=1e-5)


def test_dexamethasone_exposure_is_dose_over_clearance(typical):
    model = engine.compile(models.source("dexamethasone", SCENARIO))
    times = np.linspace(0.0, 96.0, 1921)
    doses = engine.Doses.every_patient(1, [0.0], "dex_depot", 40.0)
    conc = model.ensemble(patients=1).simulate(times, doses, ["dex_mg_per_l"])["dex_mg_per_l"][0]
    assert np.trapezoid(conc, times) == pytest.approx(40.0 / typical["dex_clearance_l_per_h"], rel=1e-3)


def test_dexamethasone_abolishes_immune_activation(typical):
    got = alone("immune", 1000.0, ikzf1_tcell=0.2, ikzf3_tcell=0.2, dex_effect=np.array([0.0, 0.5, 1.0]))
    drive = 0.8**2 / (0.5**2 + 0.8**2)
    assert typical["immune_dex_suppression"] == 1.0
    np.testing.assert_allclose(
        got["immune_activation"], drive * np.array([1.0, 0.5, 0.0]), rtol=1e-4, atol=1e-9
    )


def test_hazards_of_a_stable_patient_are_the_monthly_rates(typical):
    got = alone("hazards", 12 * MONTH_H)
    for event, rate in (
        ("death", "death_per_month"),
        ("progression", "progression_per_month"),
        ("dropout", "dropout_per_month"),
    ):
        assert got[f"hazard_{event}"][0] == pytest.approx(12 * typical[rate], rel=1e-5)


@pytest.mark.parametrize("event", ["death", "progression"])
def test_hazards_are_log_linear_in_tumour_load_and_level_off(typical, event):
    relative = np.array([0.3, 1.0, 2.0, 1e9])
    got = alone("hazards", MONTH_H, m_protein_relative=relative)[f"hazard_{event}"]
    exact = typical[f"{event}_on_tumour"] * (load_of(relative, typical["load_cap"]) - 1)
    np.testing.assert_allclose(np.log(got / typical[f"{event}_per_month"]), exact, rtol=1e-5, atol=1e-6)
    assert exact[-1] == pytest.approx(typical[f"{event}_on_tumour"] * typical["load_cap"])


def test_pneumonia_rises_with_each_of_its_causes():
    base = {"anc_1e9_per_l": 3.0, "dex_effect": 0.0, "m_protein_relative": 1.0, "pneumonia_early": 0.0}
    worse = {"anc_1e9_per_l": 0.4, "dex_effect": 0.7, "m_protein_relative": 2.0, "pneumonia_early": 0.7}
    columns = {name: np.array([value] * 5) for name, value in base.items()}
    for row, (name, value) in enumerate(worse.items(), start=1):
        columns[name][row] = value
    got = alone("hazards", MONTH_H, **columns)["hazard_pneumonia"]
    assert np.all(got[1:] > got[0])


def test_pneumonia_weights_are_reported_as_assumed():
    table = parameters.table(SCENARIO)
    roles = {row["name"]: row["role"] for row in table.iter_rows(named=True) if "pneumonia" in row["name"]}
    assert len(roles) == 5
    # The level was set to the published rate; what moves it between patients is nobody's measurement.
    assert roles.pop("pneumonia_per_month") == "calibrated"
    assert set(roles.values()) == {"assumed"}


def clones_alone(days, **values):
    """The two-clone tumour far below its capacity, its effect settled at 0.8."""
    fixed = {"m_protein_capacity_g_per_l": 1e9, "effect_delay_h": 0.01, "dex_effect": 1.0, "kill_by_dex": 0.8}
    return alone("tumour_two_clone", 24 * days, **(fixed | values))


def test_two_clones_and_their_m_protein_follow_their_closed_form():
    # Each clone is an exponential with its own rate a; M' = kc (B - M), so of each clone
    # M adds kc b/(kc + a) (exp(a t) - exp(-kc t)), and M0 exp(-kc t).
    growth, kill, share, rest, clearance, days = 0.02, 0.08, 0.05, 0.3, 0.1, 120.0
    patients = clones_alone(
        days,
        growth_per_d=growth,
        kill_per_d=kill,
        resistant_share0=share,
        resistant_kill_share=rest,
        m_protein_clearance_per_d=clearance,
    )
    rates = np.array([growth - 0.8 * kill, growth - 0.8 * rest * kill])
    starts = 20.0 * (1 + growth / clearance) * np.array([1 - share, share])
    clones = np.array([np.exp(patients[name][0]) for name in ("log_sensitive", "log_resistant")])
    np.testing.assert_allclose(clones, starts * np.exp(rates * days), rtol=1e-4)
    fading = np.exp(-clearance * days)
    each = clearance * starts / (clearance + rates) * (np.exp(rates * days) - fading)
    assert patients["m_protein_g_per_l"][0] == pytest.approx(20.0 * fading + each.sum(), rel=1e-4)


def test_untreated_clones_let_m_protein_grow_from_the_first_day(typical):
    days = 60.0
    patients = alone("tumour_two_clone", 24 * days, m_protein_capacity_g_per_l=1e9)
    exact = typical["growth_per_d"] * days
    assert np.log(patients["m_protein_relative"][0]) == pytest.approx(exact, rel=1e-4)


def test_clones_that_answer_alike_are_one_tumour_without_resistance():
    # With a fast clearance and equal kill nothing is left of the two clones.
    same = {"m_protein_capacity_g_per_l": 150.0, "growth_per_d": 0.02, "kill_per_d": 0.05}
    clones = clones_alone(100.0, resistant_kill_share=1.0, m_protein_clearance_per_d=50.0, **same)
    one = alone(
        "tumour", 2400.0, resistance_per_d=0.0, effect_delay_h=0.01, dex_effect=1.0, kill_by_dex=0.8, **same
    )
    assert clones["m_protein_g_per_l"][0] == pytest.approx(one["m_protein_g_per_l"][0], rel=2e-3)


def test_other_toxicity_needs_the_glue_and_comes_early(typical):
    rate, weight, early_h = (
        typical[name] for name in ("other_toxicity_per_month", "other_toxicity_early", "early_d")
    )
    occupancy = np.array([0.0, 0.01, 0.15])
    got = alone("hazards", 6 * MONTH_H, occupancy=occupancy)["hazard_other_toxicity"]
    times = np.linspace(0.0, 6 * MONTH_H, 20001)
    exposure = np.trapezoid(np.exp(weight * np.exp(-times / (24 * early_h))), times) / MONTH_H
    np.testing.assert_allclose(got, rate * exposure * np.array([0.0, 0.5, 0.9375]), rtol=1e-4, atol=1e-12)
