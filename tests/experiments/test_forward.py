"""Potencies for many parameter sets at once: closed forms, published numbers, limits, independence."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.errors import InputError, NotSupportedError
from glueprint.experiments import forward
from glueprint.mechanism import Scenario, binding

STABLE = {"hydrolysis_per_h": 0.0, "inversion_s_to_r_per_h": 0.0, "inversion_r_to_s_per_h": 0.0}


def test_degradation_meets_the_closed_form_once_it_has_settled():
    kd, rho = np.array([50.0, 264.0, 900.0]), np.array([3.0, 21.3, 8.0])
    found = forward.degradation({"kd_nm": kd, "rho": rho, **STABLE}, time_h=2000.0)
    assert 10.0**found == pytest.approx(binding.absolute_dc50(kd, rho), rel=1e-5)


@pytest.mark.parametrize(
    ("line", "ic50_nm"), [("MM1S", 128.0), ("RPMI8226", 8000.0), ("OPM2", 10000.0)]
)  # DWN-001 to DWN-003
def test_the_calibrated_lines_give_their_published_ic50(line, ic50_nm):
    assert 10.0 ** forward.proliferation({}, Scenario.of(line=line)) == pytest.approx([ic50_nm], rel=0.01)


def test_tnf_and_treg_give_their_published_ic50():
    assert 10.0 ** forward.tnf_alpha({}) == pytest.approx([13.0], rel=0.02)  # IMM-001
    assert 10.0 ** forward.treg({}) == pytest.approx([1000.0], rel=0.01)  # IMM-006


def test_in_whole_blood_the_shift_is_that_of_the_free_fraction():
    # Far below the affinity of what is bound, only the free drug counts: the shift is exactly 1 / unbound.
    unbound = np.array([1.0, 0.7, 0.2])
    blood = forward.tnf_alpha({"unbound": unbound}, system="whole blood")
    assert blood - blood[0] == pytest.approx(-np.log10(unbound), abs=1e-4)
    assert forward.tnf_alpha({}, system="whole blood") == pytest.approx(blood[1], abs=1e-4)


def test_fp_is_the_exact_ic50():
    # 60-digit arithmetic on the same mass balance.
    protein, tracer, kd, ki, ic50 = np.array(
        [[50.0, 5.0, 120.0, 156.6, 254.641229957465], [200.0, 5.0, 20.0, 10.0, 290.227688330828]]
    ).T
    found = forward.fp_competition(
        {"ki_nm": ki, "protein_nm": protein, "tracer_nm": tracer, "tracer_kd_nm": kd}
    )
    assert 10.0**found == pytest.approx(ic50, rel=1e-12)


def test_a_level_that_is_never_reached_is_infinite():
    found = forward.proliferation({"rho": np.array([0.5, 21.3])})
    assert np.isposinf(found[0])
    assert np.isfinite(found[1])
    always = forward.degradation({"kd_nm": np.array([1e-9, 264.0])}, time_h=24.0)
    assert np.isneginf(always[0])


def test_parameter_sets_do_not_touch_each_other():
    kd = np.geomspace(30.0, 3000.0, 7)
    together = forward.proliferation({"kd_nm": kd, "irf4_ikzf50": 0.09})
    alone = [forward.proliferation({"kd_nm": value, "irf4_ikzf50": 0.09})[0] for value in kd]
    assert together == pytest.approx(alone, abs=1e-12)
    assert np.all(np.diff(together) > 0.0)


def test_an_effect_is_relative_to_its_own_vehicle():
    il2 = forward.effect("culture_t_cell", "il2", {"stimulus": [1.0, 2.0]}, dose_nm=1e4, time_h=48.0)
    assert il2 == pytest.approx(il2[0], rel=1e-5)
    assert il2[0] > 2.0
    tnf = forward.effect("culture_monocyte", "tnf", {}, dose_nm=13.0, time_h=24.0)
    assert tnf == pytest.approx([0.5], abs=0.01)


def test_unknown_parameters_and_missing_numbers_are_named():
    with pytest.raises(InputError, match="GP-L004") as caught:
        forward.proliferation({"irf4_ikzf": 0.1})
    assert 'did you mean "irf4_ikzf50"' in caught.value.message
    with pytest.raises(NotSupportedError, match="GP-L003"):
        forward.tnf_alpha({}, Scenario.of("avadomide"), system="whole blood")
