"""Cells in culture: rest, calibrated potencies, signs of every arm, switches, bistability."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.errors import NotSupportedError
from glueprint.mechanism import Scenario, culture, lines, models
from glueprint.mechanism.scenario import FORMS

SCENARIO = Scenario.of()

SETTINGS = engine.Settings(accuracy=1e-6)

CULTURES = list(culture.CULTURES)


def cultures(model, **values):
    return model.ensemble(values, settings=SETTINGS)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CULTURES)
def test_without_drug_every_culture_rests_for_a_month(name, form):
    model = models.build(name, Scenario.of(form=form))
    ensemble = cultures(model, dose_nm=0.0)
    # What empty cereblon holds settles in seconds; the totals rest.
    settling = {"crbn_empty_nm", *(f"ikzf{n}_{state}_nm" for n in (1, 3) for state in ("loose", "held"))}
    resting = [name for name in (*model.species, "ikzf1", "ikzf3") if name not in {*settling, "log_cells"}]
    resting = [name for name in resting if name in model.observables]
    before = {species: ensemble[species][0] for species in resting}
    assert ensemble.advance(720.0).ok
    for species in resting:
        assert ensemble[species][0] == pytest.approx(before[species], rel=1e-9, abs=1e-9), species
    if "log_cells" in model.species:
        assert ensemble["log_cells"][0] == pytest.approx(720.0 * np.log(2.0) / 52.0, rel=1e-9)


def cells_left(line, dose_nm, **values):
    """Cells relative to vehicle at the line's assay day."""
    model = models.build("culture_myeloma", Scenario.of(line=line))
    ensemble = cultures(model, dose_nm=np.array([0.0, dose_nm]), **values)
    ensemble.advance(24.0 * lines.load(line).assay_days.typical)
    vehicle, treated = ensemble["log_cells"]
    return np.exp(treated - vehicle)


@pytest.mark.parametrize(("line", "ic50_nm"), [("MM1S", 128.0), ("RPMI8226", 8000.0), ("OPM2", 10000.0)])
def test_half_the_cells_are_left_at_the_published_ic50(line, ic50_nm):
    # DWN-001 to DWN-003: what irf4_ikzf50 and the capacities were solved for.
    assert cells_left(line, ic50_nm) == pytest.approx(0.5, abs=0.005)


def test_insensitive_lines_stop_at_a_plateau():
    # A property of the calibrated model, not a number of the evidence: more drug does not kill them.
    assert cells_left("OPM2", 1e6) > 0.4
    assert cells_left("MM1S", 1e3) < 0.05


def test_half_the_tnf_is_left_at_13_nm():
    # IMM-001; drug for 1.5 h, then LPS for 22.5 h (S1-072, S1-075). Solved: capacity of the monocyte.
    ensemble = cultures(models.build("culture_monocyte", SCENARIO), dose_nm=np.array([0.0, 13.0]), lps=0.0)
    ensemble.advance(1.5)
    ensemble.set("lps", 1.0)
    ensemble.advance(24.0)
    vehicle, treated = ensemble["tnf"]
    assert treated / vehicle == pytest.approx(0.5, abs=0.005)


def test_half_of_the_treg_effect_comes_at_1_um():
    # IMM-006; at most treg_max = 0.5 is lost (IMM-007).
    ensemble = cultures(models.build("culture_treg", SCENARIO), dose_nm=np.array([0.0, 1000.0, 1e7]))
    ensemble.advance(72.0)
    none, half, most = ensemble["treg_proliferation"]
    assert none == pytest.approx(1.0, abs=1e-9)
    assert 1.0 - half == pytest.approx(0.25, abs=0.002)
    assert 0.5 < most < 0.55


SIGNS = {
    "culture_myeloma": {"irf4": -1, "myc": -1, "log_cells": -1, "ikzf1": -1, "ikzf3": -1},
    "culture_t_cell": {"ap1_fold": 1, "il2": 1, "ifn_gamma": 1},
    "culture_nk": {"il2": 1, "nk_lysis": 1},
    "culture_monocyte": {"tnf": -1, "tnf_mrna": -1},
    "culture_treg": {"treg_proliferation": -1},
    "culture_endothelium": {"vegf_response": -1, "bfgf_response": -1},
    "culture_progenitor": {"ikzf1": -1},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CULTURES)
def test_each_arm_moves_the_right_way_with_dose(name, form):
    ensemble = cultures(models.build(name, Scenario.of(form=form)), dose_nm=np.array([0.0, 30.0, 300.0]))
    ensemble.advance(48.0)
    for output, sign in SIGNS[name].items():
        assert np.all(sign * np.diff(ensemble[output]) > 0), output


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("culture_myeloma", "ikzf1"),
        ("culture_t_cell", "il2"),
        ("culture_monocyte", "tnf"),
        ("culture_nk", "nk_lysis"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_without_cereblon_the_drug_does_nothing_but_to_endothelium(name, output, form):
    ensemble = cultures(
        models.build(name, Scenario.of(form=form)), dose_nm=np.array([0.0, 1000.0]), crbn_level=0.0
    )
    ensemble.advance(48.0)
    untreated, treated = ensemble[output]
    assert treated == pytest.approx(untreated, rel=1e-9)
    endothelium = cultures(
        models.build("culture_endothelium", Scenario.of(form=form)), dose_nm=np.array([0.0, 1000.0])
    )
    endothelium.advance(48.0)
    assert endothelium["vegf_response"][1] < 0.8


@pytest.mark.parametrize("switch", ["neddylation", "proteasome", "ikzf1_binds"])
@pytest.mark.parametrize("form", FORMS)
def test_a_switch_protects_ikzf1(form, switch):
    # MLN4924, MG132 and IKZF1 Q146H (TER-012); Q146H leaves IKZF3 unprotected.
    model = models.build("culture_myeloma", Scenario.of(form=form))
    ensemble = cultures(model, dose_nm=1000.0, **{switch: np.array([1.0, 0.3, 0.0])})
    ensemble.advance(6.0)
    working, part, blocked = ensemble["ikzf1"]
    assert working < part < 0.5
    assert blocked == pytest.approx(1.0, abs=1e-6)
    others = ensemble["ikzf3"]
    assert others[2] < 0.1 if switch == "ikzf1_binds" else others[2] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_less_cereblon_degrades_less(form):
    levels = np.array([1.0, 0.5, 0.2, 0.0])
    ensemble = cultures(
        models.build("culture_myeloma", Scenario.of(form=form)), dose_nm=1000.0, crbn_level=levels
    )
    ensemble.advance(24.0)
    assert np.all(np.diff(ensemble["ikzf1"]) > 0)


@pytest.mark.parametrize("form", FORMS)
def test_cycloheximide_leaves_the_natural_half_life(form):
    ensemble = cultures(
        models.build("culture_myeloma", Scenario.of(form=form)),
        dose_nm=np.array([0.0, 1000.0]),
        synthesis=0.0,
    )
    ensemble.advance(5.0)
    untreated, treated = ensemble["ikzf1"]
    assert untreated == pytest.approx(np.exp(-0.2 * 5.0), rel=1e-4)
    assert treated < 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_ikaros_recovers_after_wash_out(form):
    ensemble = cultures(models.build("culture_myeloma", Scenario.of(form=form)), dose_nm=1000.0)
    ensemble.advance(6.0)
    low = ensemble["ikzf1"][0]
    ensemble.set("wash_per_h", 100.0)
    ensemble.advance(6.5)
    ensemble.set("wash_per_h", 0.0)
    ensemble.advance(60.0)
    assert low < 0.08
    assert ensemble["drug_nm"][0] < 1e-9
    assert ensemble["ikzf1"][0] == pytest.approx(1.0, abs=1e-3)


def test_enantiomers_weigh_as_their_affinities():
    # BIN-006: Kd of (R) is ten times that of (S), 1/Kd of the racemate the mean of both.
    model = models.build("culture_myeloma", SCENARIO)
    ensemble = cultures(model, dose_nm=100.0, fraction_s=np.array([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(ensemble["free_nm"], [100.0 * 20.0 / 11.0, 100.0, 100.0 * 2.0 / 11.0])
    ensemble.advance(400.0)
    s, r = ensemble["drug_s_nm"], ensemble["drug_r_nm"]
    np.testing.assert_allclose(s, r, rtol=1e-4)
    np.testing.assert_allclose(s + r, 100.0 * np.exp(-0.0144 * 400.0), rtol=1e-4)


def test_blood_binds_and_hydrolyses_the_drug():
    medium, blood = (
        models.build("culture_monocyte", SCENARIO),
        models.build("culture_monocyte", Scenario.of(medium="blood")),
    )
    assert medium.defaults["unbound"] == 1.0
    assert blood.defaults["unbound"] == 0.7
    assert blood.defaults["hydrolysis_per_h"] > medium.defaults["hydrolysis_per_h"]
    with pytest.raises(NotSupportedError, match="GP-M012"):
        models.source("culture_monocyte", Scenario.of("lenalidomide", medium="blood"))


def test_irf4_and_myc_hold_two_states():
    # DWN-015: without drug a cell whose IRF4 was knocked down stays down and dies, one left alone lives.
    model = models.build("culture_myeloma", SCENARIO)
    ensemble = cultures(
        model, dose_nm=0.0, irf4=np.array([1.0, 0.6, 0.3, 0.05]), myc=np.array([1.0, 0.6, 0.3, 0.05])
    )
    ensemble.advance(480.0)
    np.testing.assert_allclose(ensemble["irf4"], [1.0, 1.0, 0.1017, 0.1017], rtol=2e-3)
    assert ensemble["dying_4"][3] > 0.95
    assert ensemble["dying_4"][0] == pytest.approx(0.0, abs=1e-9)


def test_dexamethasone_abolishes_the_gain_of_t_and_nk_cells():
    # IMM-022, IMM-026.
    ensemble = cultures(
        models.build("culture_nk", SCENARIO),
        dose_nm=np.array([0.0, 1000.0, 1000.0]),
        dex_effect=np.array([0.0, 0.0, 1.0]),
    )
    ensemble.advance(72.0)
    untreated, treated, with_dex = ensemble["nk_lysis"]
    assert untreated == pytest.approx(0.385, abs=1e-6)
    assert treated == pytest.approx(0.51, abs=0.025)
    assert with_dex == pytest.approx(untreated, abs=1e-6)


def test_cytokines_keep_pace_with_the_stimulus():
    ensemble = cultures(
        models.build("culture_t_cell", SCENARIO), dose_nm=np.array([0.0, 1000.0]), stimulus=0.0
    )
    assert np.all(ensemble["il2"] == 0.0)
    ensemble.set("stimulus", 1.0)
    ensemble.advance(6.0)
    vehicle, treated = ensemble["il2"]
    assert 1.2 < treated / vehicle < 2.9


def test_a_compound_with_less_efficacy_degrades_less():
    left = []
    for compound in ("pomalidomide", "lenalidomide"):
        ensemble = cultures(models.build("culture_myeloma", Scenario.of(compound)), dose_nm=1000.0)
        ensemble.advance(24.0)
        left.append(ensemble["ikzf1"][0])
    assert left[0] < left[1]
    with pytest.raises(NotSupportedError, match="GP-M011"):
        models.source("culture_myeloma", Scenario.of("thalidomide"))
