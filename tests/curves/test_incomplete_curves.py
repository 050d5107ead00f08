"""Curves whose far plateau is out of sight or impossible, and steps between two doses: each has an answer."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import curves_incomplete as gate

from glueprint import curves, errors
from glueprint.curves import Plateau, Reason, Status

DOSE_NM = 10.0 ** np.arange(-0.5, 4.1, 0.5)
# The last dose alone falls: with a plateau ever further off, the curve fits ever better.
LAST_FALLS = np.array([1.03, 1.05, 0.97, 1.01, 1.03, 0.98, 1.0, 0.97, 0.99, 0.33])


@pytest.mark.parametrize("within", [(0.0, None), (None, None)])
def test_nearly_every_incomplete_curve_has_an_answer_and_it_is_true(within):
    found = gate.counted(gate.simulated(2400), within)
    assert found["curves"] >= 2000
    assert found["answered"] >= 0.98
    assert 0.93 <= found["two_sided_hold"] <= 0.97
    assert found["limits_true"] >= 0.93
    assert found["brackets_true"] >= 0.93


def test_of_flat_curves_hardly_any_gets_a_value():
    found = gate.counted(gate.flat(2400))
    assert found["values"] <= 0.05
    assert found["kinds"].get("bracket", 0) == 0
    assert gate.relative_values(gate.flat(2400)) <= 0.05


def test_a_plateau_out_of_sight_is_held_where_physics_ends_and_says_so():
    fits = curves.fit("4pl", DOSE_NM, LAST_FALLS, within=(0.0, None))
    assert Plateau(fits.plateau[0]) == Plateau.HELD
    assert fits.back[0] == 0.0
    (found,) = curves.absolute(fits, 0.5, "IC50", control=1.0)
    held = curves.fit("4pl", DOSE_NM, LAST_FALLS, fixed={"back": 0.0})
    (nested,) = curves.absolute(held, 0.5, "IC50", control=1.0)
    assert (found.relation, found.value_nm) == ("=", pytest.approx(nested.value_nm, rel=1e-4))
    assert Reason.PLATEAU_HELD in found.reasons
    assert found.low_nm is not None


def test_without_physics_the_absolute_potency_is_known_and_the_relative_is_a_limit():
    fits = curves.fit("4pl", DOSE_NM, LAST_FALLS)
    assert Plateau(fits.plateau[0]) == Plateau.OUT_OF_SIGHT
    (absolute,), (relative,) = curves.absolute(fits, 0.5, control=1.0), curves.relative(fits)
    assert absolute.relation == "="
    assert DOSE_NM[-2] < absolute.value_nm < DOSE_NM[-1]
    assert relative.relation == ">"
    assert Reason.PLATEAU_OUT_OF_SIGHT in relative.reasons


def test_no_dose_lies_half_way_to_an_impossible_plateau():
    # Top 1, far plateau -0.5, EC50 500: half of control is at 250; the doses end where nothing is left.
    dose = np.array([4.0, 8, 16, 31, 62.5, 125, 250, 500, 1000])
    fits = curves.fit(
        "4pl", dose, -0.5 + 1.5 / (1.0 + dose / 500.0) + 1e-3 * (-1.0) ** np.arange(9), within=(0, None)
    )
    (absolute,), (relative,) = curves.absolute(fits, 0.5, control=1.0), curves.relative(fits)
    assert absolute.value_nm == pytest.approx(250.0, rel=0.01)
    assert (relative.relation, relative.reasons) == ("none", (Reason.PLATEAU_IMPOSSIBLE,))
    assert "physically impossible" in relative.text()


def test_a_plateau_a_little_below_zero_is_noise():
    response = 1.0 / (1.0 + DOSE_NM / 30.0) - 0.01
    free, told = (
        curves.fit("4pl", DOSE_NM, response),
        curves.fit("4pl", DOSE_NM, response, within=(0.0, None)),
    )
    assert told.plateau.tolist() == [Plateau.SEEN]
    np.testing.assert_array_equal(told.estimates, free.estimates)


def test_a_fall_within_one_dose_step_is_a_bracket():
    step = np.where(DOSE_NM < 50.0, 1.0, 0.1) + 0.01 * (-1.0) ** np.arange(10)
    fits = curves.fit("4pl", DOSE_NM, step)
    for found in (*curves.relative(fits), *curves.absolute(fits, 0.5, control=1.0)):
        assert (found.relation, found.value_nm, found.p_molar) == ("between", None, None)
        assert found.low_nm == pytest.approx(10.0**1.5, rel=0.02)
        assert found.high_nm == pytest.approx(100.0, rel=0.02)
        assert Reason.STEP in found.reasons
        assert "between 31." in found.text()


def test_wells_of_one_dose_on_both_plateaus_put_the_step_around_it():
    dose = np.repeat([1.0, 2, 4, 8, 16, 32], 3)
    response = np.array([1.0] * 9 + [0.0, 0.0, 0.9] + [0.0] * 6)
    (found,) = curves.absolute(curves.fit("4pl", dose, response), 0.5, control=1.0)
    assert (found.relation, found.low_nm, found.high_nm) == ("between", 4.0, pytest.approx(16.0))


def test_a_perfect_step_that_never_converges_is_a_bracket_too():
    fits = curves.fit("4pl", [1.0, 2, 4, 8, 16, 32, 64], [1.0, 1, 1, 0.3, 0, 0, 0])
    assert Status(fits.status[0]) == Status.NOT_CONVERGED
    (found,) = curves.absolute(fits, 0.5, control=1.0)
    assert (found.relation, found.low_nm, found.high_nm) == ("between", 4.0, pytest.approx(16.0))


def test_a_step_at_the_last_dose_is_a_limit_and_no_extrapolation():
    # A real curve (imatinib on RD cells): one dose falls, and nobody knows how far the fall goes on.
    dose = np.append(0.0, 10_000.0 / 3.0 ** np.arange(10, -1, -1))
    (found,) = curves.relative(
        curves.fit("4pl", dose, [1.0, 0.94, 0.96, 0.92, 0.97, 0.96, 0.98, 0.91, 0.94, 1.04, 1.05, 0.61])
    )
    assert (found.relation, found.high_nm) == (">", None)
    assert found.value_nm == pytest.approx(dose[-2], rel=0.01)
    assert Reason.STEP in found.reasons


def test_a_limit_stands_where_the_data_begin_to_exclude_the_level():
    # Five doses leave a curve of four parameters one degree of freedom: the F test sees no effect.
    dose = np.array([1.0, 10.0, 100.0, 1000.0, 10_000.0])
    fits = curves.fit("4pl", dose, [1.02, 0.96, 1.01, 0.87, 0.24])
    assert Status(fits.status[0]) == Status.NO_EFFECT
    (found,) = curves.absolute(fits, 0.5, control=1.0)
    assert found.relation == ">"
    assert found.value_nm < 9000.0


def test_brackets_pool_as_brackets():
    one = curves.Potency("IC50", "absolute", None, 10.0, 100.0, "between", reasons=(Reason.STEP,))
    two = curves.Potency("IC50", "absolute", 20.0, 15.0, 30.0, log10_se=0.05)
    few = curves.pool([one, two]).potency
    assert (few.relation, few.low_nm) == ("between", pytest.approx(np.sqrt(10.0 * 20.0)))
    many = curves.pool([one, two, two, two], experiment=list("abcd")).potency
    assert many.relation == "="
    assert many.value_nm == pytest.approx(20.0, rel=0.2)
    assert Reason.CENSORED_PARTS in many.reasons


@pytest.mark.parametrize("within", [(1.0, 0.0), (float("nan"), None), (0.0, float("inf"))])
def test_what_is_possible_must_be_an_interval(within):
    with pytest.raises(errors.InputError, match="GP-C025"):
        curves.fit("4pl", DOSE_NM, LAST_FALLS, within=within)


def test_a_bracket_needs_both_ends():
    with pytest.raises(errors.InputError, match="GP-C041"):
        curves.Potency("IC50", "absolute", None, 10.0, None, "between")
