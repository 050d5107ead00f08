"""Optics and formulas of polarisation by hand, and against the closed forms they come from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.assays.polarization import conversions, settings, signal, titration
from glueprint.errors import InputError

# Own 60-digit arithmetic, CC0: total protein, tracer, tracer Kd and Ki, nM; then the IC50 (total) that halves
# the bound tracer, and the Ki that Cheng and Prusoff read from it, over the true one.
ROWS = [
    (100.0, 120.0, 120.0, 156.6, 421.4, 1.35),
    (100.0, 10.0, 120.0, 156.6, 355.08, 2.09),
    (50.0, 5.0, 120.0, 156.6, 254.641229957465, 1.56),
    (500.0, 10.0, 120.0, 156.6, 1221.7, 7.2),
    (100.0, 10.0, 120.0, 10.0, 82.2, 7.6),
    (100.0, 10.0, 120.0, 1.0, 65.5, 60.4),
    (100.0, 10.0, 120.0, 0.1, 63.7944445847185, 589.0),
]


def test_by_hand():
    # par 300, perp 100: P = 200/400, r = 200/500; with G = 1.5 perp counts as 150: 150/450 and 150/600.
    assert signal.polarization_mp(300.0, 100.0) == 500.0
    assert signal.anisotropy(300.0, 100.0) == 0.4
    assert signal.intensity(300.0, 100.0) == 500.0
    assert signal.polarization_mp(300.0, 100.0, 1.5) == pytest.approx(1000.0 / 3.0)
    assert signal.anisotropy(300.0, 100.0, 1.5) == 0.25
    assert signal.intensity(300.0, 100.0, 1.5) == 600.0


def test_g_factor_by_hand():
    # A dye of 200 mP with equal channels: G = 0.8/1.2.
    assert signal.g_factor(500.0, 500.0, 200.0) == pytest.approx(2.0 / 3.0)
    assert signal.polarization_mp(500.0, 500.0, 2.0 / 3.0) == pytest.approx(200.0)


def test_mp_and_anisotropy_are_the_same_light():
    # P = 0.5 is r = 0.4, the fundamental anisotropy of parallel dipoles.
    assert signal.anisotropy_from_mp(500.0) == pytest.approx(0.4)
    assert signal.mp_from_anisotropy(0.4) == pytest.approx(500.0)


@given(st.floats(-0.19, 0.39), st.floats(1.0, 1e6), st.floats(0.3, 3.0))
def test_channels_give_back_anisotropy_and_intensity(r, total, g):
    parallel, perpendicular = signal.channels(r, total, g)
    assert signal.anisotropy(parallel, perpendicular, g) == pytest.approx(r, abs=1e-12)
    assert signal.intensity(parallel, perpendicular, g) == pytest.approx(total, rel=1e-12)
    mp = signal.polarization_mp(parallel, perpendicular, g)
    assert signal.anisotropy_from_mp(mp) == pytest.approx(r, abs=1e-12)


def test_brightness_ratio_by_hand():
    # Half bound and 10 % darker: the bound half must be 20 % darker.
    assert signal.brightness_ratio(90.0, 100.0, 0.5) == pytest.approx(0.8)


@given(st.floats(0.01, 0.99), st.floats(0.2, 5.0))
def test_fraction_bound_undoes_the_mixing_of_two_brightnesses(fraction, q):
    free, bound = 0.05, 0.25
    mixed = ((1.0 - fraction) * free + fraction * q * bound) / (1.0 - fraction + fraction * q)
    assert signal.fraction_bound(mixed, free, bound, q) == pytest.approx(fraction, rel=1e-9)


def test_without_brightness_the_fraction_is_linear_in_anisotropy_and_not_in_mp():
    assert signal.fraction_bound(0.15, 0.05, 0.25) == pytest.approx(0.5)
    low, middle, high = signal.mp_from_anisotropy([0.05, 0.15, 0.25])
    assert (middle - low) / (high - low) > 0.51


def test_low_counts_allow_a_wide_range():
    # 16 and 9 counts give 280 mP; half a count either way gives 6/25 and 8/25.
    low, high = signal.rounding_mp(16.0, 9.0)
    assert signal.polarization_mp(16.0, 9.0) == 280.0
    assert (float(low), float(high)) == pytest.approx((240.0, 320.0))


def test_light_that_is_not_there_has_no_polarisation():
    assert np.isnan(signal.polarization_mp([0.0, -3.0], [0.0, 1.0])).all()
    assert np.isnan(signal.anisotropy(-2.0, 1.0))
    assert np.isnan(signal.g_factor(3.0, 0.0, 27.0))


@pytest.mark.parametrize(("protein", "tracer", "kd", "ki", "ic50", "factor"), ROWS)
def test_formulas_of_the_field_are_as_wrong_as_exact_arithmetic_says(protein, tracer, kd, ki, ic50, factor):
    plate = conversions.at_half(protein, tracer, kd)
    found = conversions.exact_ic50(ki, plate)
    assert found == pytest.approx(ic50, rel=1e-3)
    assert conversions.exact_ki(found, plate) == pytest.approx(ki, rel=1e-9)
    assert conversions.cheng_prusoff(found, tracer, kd) / ki == pytest.approx(factor, rel=5e-3)
    free = found - plate.competitor_bound
    assert conversions.nikolovska_coleska(free, plate, kd) == pytest.approx(ki, rel=1e-9)
    assert conversions.nikolovska_coleska(found, plate, kd) > 1.1 * ki
    assert conversions.is_consistent(found, ki)


def test_the_total_competitor_in_nikolovska_coleska_is_wrong_by_as_much_as_stated():
    plate = conversions.at_half(100.0, 10.0, 120.0)
    for ki, wrong in ((156.6, 190.8), (1.0, 35.2)):
        total = conversions.exact_ic50(ki, plate)
        assert conversions.nikolovska_coleska(total, plate, 120.0) == pytest.approx(wrong, abs=0.05)


def test_exact_ic50_to_fifteen_digits():
    plate = conversions.at_half(50.0, 5.0, 120.0)
    assert conversions.exact_ic50(156.6, plate) == pytest.approx(254.641229957465, rel=1e-13)


def test_the_two_published_numbers_come_from_different_assays():
    assert not conversions.is_consistent(153.9, 156.6)


def test_with_little_protein_cheng_and_prusoff_are_right():
    plate = conversions.at_half(1e-4, 60.0, 120.0)
    assert conversions.cheng_prusoff(conversions.exact_ic50(10.0, plate), 60.0, 120.0) == pytest.approx(
        10.0, rel=1e-5
    )


def test_brightness_of_a_titration_by_hand():
    bound = np.array([0.0, 0.25, 0.5, 1.0])
    q, sd = titration.brightness(200.0 * (1.0 - bound) + 160.0 * bound, bound)
    assert q == pytest.approx(0.8)
    assert sd == pytest.approx(0.0, abs=1e-12)


def test_brightness_needs_a_line_above_zero():
    assert np.isnan(titration.brightness(np.array([1.0, 1.0]), np.array([0.3, 0.3]))[0])
    assert np.isnan(titration.brightness(np.array([100.0, 10.0]), np.array([0.0, 0.5]))[0])


def test_amounts_are_log_normal():
    amount = settings.Amount.between(120.0, 90.0, 160.0)
    # ln(160/90)/(2 * 1.96)
    assert amount.log_sd == pytest.approx(0.146775, rel=1e-4)
    assert settings.Amount(5.0).log_sd == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: settings.Amount(0.0),
        lambda: settings.Amount(float("nan")),
        lambda: settings.Amount(1.0, -0.1),
        lambda: settings.Amount(1.0, 20.0),
        lambda: settings.Amount.between(100.0, 110.0, 120.0),
        lambda: settings.Optics(g_factor=0.0),
        lambda: settings.Optics(brightness_ratio=-1.0),
        lambda: settings.Optics(free_dye_mp=900.0),
    ],
)
def test_settings_that_cannot_be_are_refused(make):
    with pytest.raises(InputError, match="GP-A062"):
        make()


def test_missing_inputs_are_named():
    assert settings.Conditions().missing() == (
        "protein concentration", "tracer concentration", "tracer Kd"
    )  # fmt: skip
    some = settings.Conditions(settings.Amount(50.0), settings.Amount(5.0), settings.Amount(120.0, 0.1))
    assert some.missing() == ("uncertainty of the protein",)
