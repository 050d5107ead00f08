"""Racemisation and hydrolysis: closed forms, the matrix exponential, and rate constants from the evidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from glueprint import evidence
from glueprint.chemistry import stability
from glueprint.errors import InputError

RATE = st.floats(0.0, 5.0)


@given(a=RATE, b=RATE, hs=RATE, hr=RATE, hours=st.floats(0.0, 30.0), share=st.floats(0.0, 1.0))
def test_the_closed_form_is_the_matrix_exponential(a, b, hs, hr, hours, share):
    s, r = stability.enantiomers(hours, (share, 1 - share), inversion_per_h=(a, b), loss_per_h=(hs, hr))
    expected = expm(np.array([[-(a + hs), b], [a, -(b + hr)]]) * hours) @ [share, 1 - share]
    np.testing.assert_allclose([s, r], expected, atol=1e-10)


def test_excess_falls_with_the_sum_of_both_inversions_whatever_the_loss():
    hours = np.linspace(0.0, 12.0, 7)
    s, r = stability.enantiomers(hours, (1.0, 0.0), inversion_per_h=(0.3, 0.3), loss_per_h=(0.2, 0.2))
    np.testing.assert_allclose((s - r) / (s + r), np.exp(-0.6 * hours), rtol=1e-12)
    np.testing.assert_allclose(s + r, np.exp(-0.2 * hours), rtol=1e-12)


def test_late_times_neither_overflow_nor_go_below_zero():
    s, r = stability.enantiomers(1e6, (1.0, 0.0), inversion_per_h=(3.0, 1.0), loss_per_h=(0.0, 0.0))
    assert (float(s), float(r)) == pytest.approx((0.25, 0.75))
    s, r = stability.enantiomers([1e6], (1.0, 0.0), inversion_per_h=(3.0, 1.0), loss_per_h=(0.5, 0.1))
    assert s[0] == r[0] == 0.0


def test_without_inversion_each_is_lost_alone():
    s, r = stability.enantiomers([1.0], (1.0, 2.0), inversion_per_h=(0.0, 0.0), loss_per_h=(0.5, 0.5))
    assert (s[0], r[0]) == pytest.approx((math.exp(-0.5), 2 * math.exp(-0.5)))


def test_constants_are_those_of_the_evidence():
    blood = stability.rates("thalidomide", "blood")
    known = evidence.load()
    assert blood.r_to_s.per_h == known["CHE-012"].value
    assert blood.s_to_r.per_h == known["CHE-013"].value
    assert (blood.s_loss.low_per_h, blood.s_loss.high_per_h) == (known["CHE-014"].low, known["CHE-014"].high)
    assert {blood.s_to_r.role, blood.s_loss.role} == {"input"}
    # CHE-011 quotes one hour in serum; the constants in blood give ln 2 / 0.61 = 1.14 h.
    assert blood.racemisation_half_life_h == pytest.approx(1.1363, abs=1e-4)
    # CHE-014's note derives 3.9 to 4.1 h.
    assert 3.9 < blood.loss_half_life_h < 4.1
    assert blood.s_fraction_at_equilibrium == pytest.approx(0.30 / 0.61)
    assert stability.rates("thalidomide", "buffer").racemisation_half_life_h == pytest.approx(566 / 60)
    assert stability.rates("lenalidomide", "plasma").loss_half_life_h == pytest.approx(8.0)


def test_what_no_row_gives_is_assumed_and_says_why():
    found = stability.rates("pomalidomide", "blood")
    assert {found.s_to_r.role, found.r_to_s.role, found.s_loss.role, found.r_loss.role} == {"assumed"}
    assert found.s_loss.why.startswith("assumed as thalidomide in blood:")
    for entry in stability.table():
        for constant in (entry.s_to_r, entry.r_to_s, entry.s_loss, entry.r_loss):
            assert bool(constant.why) == (constant.role == "assumed")


def test_a_course_keeps_all_of_the_compound():
    found = stability.course(stability.rates("thalidomide"), np.linspace(0, 24, 9), s_share=1.0)
    np.testing.assert_allclose(found["s"] + found["r"] + found["hydrolysed"], 1.0)
    assert found["s"][0] == 1.0
    assert 0.9 < found["hydrolysed"][-1] < 1.0


def test_unknown_pairs_and_impossible_starts_are_refused():
    with pytest.raises(InputError, match="GP-H001") as caught:
        stability.rates("thalidomide", "blod")
    assert 'did you mean "thalidomide in blood"' in caught.value.message
    for share, hours in ((1.5, [0.0]), (0.5, [-1.0])):
        with pytest.raises(InputError, match="GP-H006"):
            stability.course(stability.rates("thalidomide"), hours, s_share=share)
