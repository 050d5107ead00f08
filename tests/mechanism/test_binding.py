"""Exact equilibria against 40-digit numbers, mass balance and limits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.errors import InputError, InternalError
from glueprint.mechanism import binding, mass_action

EXACT = Path(__file__).parents[3] / "shared" / "data" / "competition-exact" / "fraction_bound.csv"

# Own numbers, Python 3.11 decimal with 60 digits, bisection of the mass balance in docs/mechanism.md:
# glue free, cereblon, substrate 1, substrate 2, free cereblon, ternary 1, ternary 2, all in nM,
# at Kd 264, K0 250 and 2300, alpha 4.2 and 30.7.
TERNARY = [
    (0, 13, 100, 780, 7.53043748155193762, 0, 0),
    (50, 13, 100, 780, 3.10873218570178760, 0.967540413813678341, 6.07397183002469463),
    (1000, 13, 100, 780, 0.256416785142789947, 1.60392612866770839, 9.98172682316350920),
    (1000000, 13, 100, 780, 0.000265512803482647042, 1.66155115087899256, 10.3322597290347658),
    (50, 500, 100, 1, 359.351967937885384, 31.9312015905981368, 0.439990928299915320),
    (264, 100, 100, 100, 22.3540168327490815, 25.6352782810957658, 22.8100519331270754),
]
concentration = st.floats(1e-3, 1e6)


def test_competition_equals_the_exact_table():
    if not EXACT.exists():
        pytest.skip(
            f"{EXACT} is not here: third-party and computed reference data travel beside the repository"
        )
    with EXACT.open(encoding="utf-8") as handle:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(handle)]
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    got = binding.competition(
        column["P_total_nM"],
        column["tracer_total_nM"],
        column["inhibitor_total_nM"],
        tracer_kd=column["tracer_Kd_nM"],
        ki=column["Ki_nM"],
    )
    assert len(rows) == 32
    np.testing.assert_allclose(got.tracer_bound, column["tracer_bound_nM"], rtol=1e-12)
    np.testing.assert_allclose(got.protein_free, column["P_free_nM"], rtol=1e-12)
    np.testing.assert_allclose(got.competitor_bound, column["inhibitor_bound_nM"], rtol=1e-12)


def test_competition_holds_where_the_arccos_form_breaks():
    # 1 mM inhibitor, Ki 0.1 nM: the arccos form gives negative bound tracer in float64. 60-digit decimal.
    got = binding.competition(100.0, 10.0, 1e6, tracer_kd=120.0, ki=0.1)
    assert float(got.tracer_bound) == pytest.approx(8.33416515237662677e-7, rel=1e-12)


@pytest.mark.parametrize("row", TERNARY)
def test_ternary_equals_sixty_digits(row):
    glue, cereblon, s1, s2, free, t1, t2 = row
    got = binding.ternary(
        [glue], [cereblon], [[s1, s2]], kd=[264.0], intrinsic_kd=[250.0, 2300.0], alpha=[4.2, 30.7]
    )
    assert got.cereblon_free[0] == pytest.approx(free, rel=1e-13)
    assert got.ternary[0] == pytest.approx([t1, t2], rel=1e-13)


@given(glue=concentration, cereblon=concentration, s1=concentration, s2=concentration, kd=concentration)
def test_ternary_conserves_mass(glue, cereblon, s1, s2, kd):
    got = binding.ternary(
        [glue], [cereblon], [[s1, s2]], kd=[kd], intrinsic_kd=[250.0, 2300.0], alpha=[4.0, 30.0]
    )
    complexes = got.ternary + got.bound_without_glue
    assert (got.cereblon_free + got.binary + complexes.sum(-1))[0] == pytest.approx(cereblon, rel=1e-12)
    assert (got.substrate_free + complexes)[0] == pytest.approx([s1, s2], rel=1e-12)


def test_ternary_has_no_hook_and_ends_in_a_plateau():
    glue = np.logspace(-1, 9, 200)
    got = binding.ternary(glue, 13.0, np.full((200, 1), 100.0), kd=264.0, intrinsic_kd=[250.0], alpha=[4.2])
    assert np.all(np.diff(got.ternary[:, 0]) > 0)
    # Saturated cereblon binds the substrate with Kd K0/alpha alone.
    plateau = binding.binary_complex(13.0, 100.0, 250.0 / 4.2)
    assert got.ternary[-1, 0] == pytest.approx(float(plateau), rel=1e-6)


def test_a_second_substrate_takes_cereblon_from_the_first():
    alone = binding.ternary(
        100.0, 13.0, [100.0, 0.0], kd=264.0, intrinsic_kd=[250.0, 2300.0], alpha=[4.2, 30.7]
    )
    beside = binding.ternary(
        100.0, 13.0, [100.0, 780.0], kd=264.0, intrinsic_kd=[250.0, 2300.0], alpha=[4.2, 30.7]
    )
    assert beside.ternary[0] < alone.ternary[0]


@given(a=concentration, b=concentration, kd=concentration)
def test_binary_complex_solves_its_mass_balance(a, b, kd):
    complex_ = float(binding.binary_complex(a, b, kd))
    assert complex_ <= min(a, b) * (1 + 1e-12)
    assert (a - complex_) * (b - complex_) == pytest.approx(kd * complex_, rel=1e-9, abs=1e-9 * a * b)
    without_tracer = binding.competition(a, 0.0, b, tracer_kd=1.0, ki=kd)
    assert complex_ == pytest.approx(float(without_tracer.competitor_bound), rel=1e-9)


def test_the_binary_form_keeps_its_digits_where_the_textbook_root_loses_them():
    # a = b = 1e-6, kd = 1e6: the complex is a b / kd to first order; the textbook difference gives 0.
    assert float(binding.binary_complex(1e-6, 1e-6, 1e6)) == pytest.approx(1e-18, rel=1e-11)


def test_metrics_of_reduced_degradation():
    # rho 10, Kd 50 is the steady-state row of the exact turnover table: Dmax 0.90909, DC50 4.54545.
    assert float(binding.dmax(10.0)) == pytest.approx(10 / 11)
    assert float(binding.relative_dc50(50.0, 10.0)) == pytest.approx(4.54545454545455)
    assert float(binding.absolute_dc50(50.0, 10.0)) == pytest.approx(5.55555555555556)
    assert float(binding.fraction_remaining(5.55555555555556, kd=50.0, rho=10.0)) == pytest.approx(0.5)
    half = binding.fraction_remaining(binding.relative_dc50(50.0, 10.0), kd=50.0, rho=10.0)
    assert 1 - float(half) == pytest.approx(float(binding.dmax(10.0)) / 2)


def test_half_loss_is_never_reached_with_rho_of_one_or_less():
    assert np.isnan(binding.absolute_dc50(264.0, [0.5, 1.0])).all()


def test_the_evidence_derives_rho_as_the_kernel_does():
    # DRV-001: DC50 13 nM at Kd 264 needs rho 21.3, at Kd 156.6 needs 13.0.
    assert binding.absolute_dc50([264.0, 156.6], [21.3, 13.0]) == pytest.approx([13.0, 13.0], rel=0.01)


def test_impossible_concentrations_are_refused_by_name():
    with pytest.raises(InputError, match=r"GP-M008 binding, tracer: ") as caught:
        binding.competition(1.0, [1.0, -2.0], 1.0, tracer_kd=1.0, ki=1.0)
    assert "zero or more" in str(caught.value)
    with pytest.raises(InputError, match=r"GP-M008 binding, kd: "):
        binding.binary_complex(1.0, 1.0, 0.0)


def test_a_balance_that_does_not_settle_is_our_bug(monkeypatch):
    monkeypatch.setattr(mass_action, "MAX_STEPS", 1)
    with pytest.raises(InternalError, match="GP-M009"):
        binding.competition(50.0, 5.0, 30.0, tracer_kd=120.0, ki=156.6)
