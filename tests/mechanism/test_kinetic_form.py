"""The kinetic form: what is conserved, what limits it, and how far the reduced form is from it."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.mechanism import Scenario, models

SWITCHES = [
    {},
    {"neddylation": 0.0},
    {"proteasome": 0.0},
    {"ikzf1_binds": 0.0},
    {"crbn_level": 0.0},
    {"crbn_level": 0.3},
    {"wash_per_h": 0.5},
]
HOLDERS = ("ikzf1_held_nm", "ikzf1_ternary_s_nm", "ikzf1_ternary_r_nm")
CEREBLON = (
    *("crbn_empty_nm", "crbn_s_nm", "crbn_r_nm"),
    *(f"ikzf{n}_{state}_nm" for n in (1, 3) for state in ("held", "ternary_s", "ternary_r")),
)
ALL_IKZF1 = ("ikzf1_loose_nm", *HOLDERS, "ikzf1_ubiquitinated_nm")


@pytest.fixture(scope="module")
def counted():
    """The culture with counters of what enters and leaves it."""
    text = models.source("culture_myeloma", Scenario.of(form="kinetic"))
    counters = """
  species made_nm in volume_l, lost_nm in volume_l, drug_lost_nm in volume_l;
  made_count: -> made_nm; synthesis * ikzf1_kdeg_per_h * ikzf1_abundance_nm;
  taken_per_h := proteasome * proteasome_per_h * ikzf1_ubiquitinated_nm;
  lost_count: -> lost_nm; ikzf1_kdeg_per_h * ikzf1_abundance_nm * ikzf1 + taken_per_h;
  drug_count: -> drug_lost_nm; (hydrolysis_per_h + wash_per_h) * drug_nm;
  made_nm = 0; lost_nm = 0; drug_lost_nm = 0;
end
"""
    return engine.compile(text[: text.rindex("end")] + counters)


@pytest.mark.parametrize("switch", SWITCHES, ids=str)
@pytest.mark.parametrize("chx", [1.0, 0.0], ids=["synthesis", "cycloheximide"])
def test_drug_and_substrate_balance_to_1e_10(counted, switch, chx):
    ensemble = counted.ensemble({"dose_nm": np.array([0.0, 10.0, 1000.0]), "synthesis": chx, **switch})
    ensemble.advance(100.0)
    substrate = sum(ensemble[name] for name in ALL_IKZF1) + ensemble["lost_nm"] - ensemble["made_nm"]
    np.testing.assert_allclose(substrate, 5.0, rtol=1e-10)
    carried = ["crbn_s_nm", "crbn_r_nm"]
    carried += [f"ikzf{n}_ternary_{form}_nm" for n in (1, 3) for form in "sr"]
    drug = ensemble["drug_nm"] + 1e-3 * sum(ensemble[name] for name in carried) + ensemble["drug_lost_nm"]
    np.testing.assert_allclose(drug, [0.0, 10.0, 1000.0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("switch", SWITCHES, ids=str)
def test_cereblon_balances_to_1e_10_when_it_does_not_turn_over(counted, switch):
    values = {"dose_nm": np.array([0.0, 10.0, 1000.0]), "crbn_loss_per_h": 0.0, "crbn_self_per_h": 0.0}
    ensemble = counted.ensemble(values | switch)
    before = sum(ensemble[name] for name in CEREBLON)
    ensemble.advance(100.0)
    np.testing.assert_allclose(sum(ensemble[name] for name in CEREBLON), before, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("line", ["MM1S", "OPM2"])
def test_the_reduced_form_stays_within_a_twentieth_over_0_to_1_um(line):
    doses = np.concatenate([[0.0], np.logspace(0.0, 3.0, 13)])
    times = np.concatenate([np.arange(0.0, 24.0, 0.5), np.arange(24.0, 121.0, 4.0)])
    found = [
        models.build("culture_myeloma", Scenario.of(line=line, form=form))
        .ensemble({"dose_nm": doses})
        .simulate(times, outputs=["ikzf1"])["ikzf1"]
        for form in ("reduced", "kinetic")
    ]
    difference = np.abs(found[0] - found[1])
    assert difference.max() < 0.05
    assert np.max(difference / found[1]) < 0.16
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)


def test_the_reduced_form_stays_within_a_twentieth_over_a_clinical_course():
    # 4 mg daily for 5 days: the free concentration of the typical patient, held for an hour at a time.
    hours = np.arange(0.0, 120.0)
    doses = engine.Doses.every_patient(1, 24.0 * np.arange(5), "glue_gut", 4.0)
    free = (
        models.build("pk", Scenario.of())
        .ensemble(patients=1)
        .simulate(hours, doses, ["free_nm"])["free_nm"][0]
    )
    found = []
    for form in ("reduced", "kinetic"):
        patient = models.build("culture_myeloma", Scenario.of(form=form)).ensemble(
            {"hydrolysis_per_h": 0.0}, patients=1
        )
        left = []
        for hour, nm in zip(hours, free, strict=True):
            patient.set("drug_s_nm", 0.5 * nm)
            patient.set("drug_r_nm", 0.5 * nm)
            patient.advance(hour + 1.0)
            left.append(patient["ikzf1"][0])
        found.append(np.array(left))
    assert free.max() > 100.0
    assert min(found[0]) < 0.3
    assert np.max(np.abs(found[0] - found[1])) < 0.05


@pytest.mark.parametrize(("line", "ic50_nm"), [("MM1S", 128.0), ("RPMI8226", 8000.0), ("OPM2", 10000.0)])
def test_potencies_of_both_forms_agree_within_0_3_log10(line, ic50_nm):
    # Solved in the reduced form; insensitive lines sit on their plateau: little loss is much dose.
    ensemble = models.build("culture_myeloma", Scenario.of(line=line, form="kinetic")).ensemble(
        {"dose_nm": ic50_nm * np.array([0.0, 0.5, 2.0])}
    )
    ensemble.advance(120.0)
    vehicle, below, above = ensemble["log_cells"]
    assert np.exp(below - vehicle) > 0.5 > np.exp(above - vehicle)


def test_rho_becomes_the_induced_loss_rate():
    # At saturating drug and scarce substrate the kinetic form settles at 1/(1 + rho), docs/mechanism.md.
    model = models.build("culture_myeloma", Scenario.of(form="kinetic"))
    rho = np.array([2.0, 7.2, 21.3])
    scarce = {"ikzf1_abundance_nm": 1e-3, "ikzf3_abundance_nm": 1e-3, "crbn_protection": 0.0}
    ensemble = model.ensemble({"dose_nm": 1e7, "ikzf1_rho": rho, "hydrolysis_per_h": 0.0, **scarce})
    ensemble.advance(60.0)
    np.testing.assert_allclose(ensemble["ikzf1"], 1.0 / (1.0 + rho), rtol=0.01)


def test_substrates_compete_for_limiting_cereblon():
    # DEG-015: over-expressed IKZF3 slows the loss of IKZF1; the reduced form knows no such limit.
    over = np.array([5.0, 50.0, 500.0, 5000.0])
    model = models.build("culture_myeloma", Scenario.of(form="kinetic"))
    crowded = model.ensemble({"dose_nm": 300.0, "ikzf3_abundance_nm": over})
    crowded.advance(4.0)
    assert np.all(np.diff(crowded["ikzf1"]) > 0)
    assert crowded["ikzf1"][-1] > 2.0 * crowded["ikzf1"][0]


def test_ligand_and_mln4924_save_cereblon_from_itself():
    # BIN-007, DEG-008: self-ubiquitination is lower when liganded and needs neddylation.
    model = models.build("culture_myeloma", Scenario.of(form="kinetic"))
    ensemble = model.ensemble(
        {"dose_nm": np.array([0.0, 1e5, 0.0]), "neddylation": np.array([1.0, 1.0, 0.0])}
    )
    ensemble.advance(240.0)
    total = sum(ensemble[name] for name in CEREBLON)
    assert total[0] == pytest.approx(13.0, rel=1e-9)
    assert total[1] > 13.8
    assert total[2] == pytest.approx(13.0 * (0.0289 + 0.0029) / 0.0289, rel=1e-2)


def test_mg132_piles_up_ubiquitinated_substrate_and_loses_none():
    model = models.build("culture_myeloma", Scenario.of(form="kinetic"))
    ensemble = model.ensemble({"dose_nm": 1000.0, "proteasome": np.array([1.0, 0.0])})
    ensemble.advance(6.0)
    working, blocked = ensemble["ikzf1_ubiquitinated_nm"]
    assert blocked > 20.0 * working
