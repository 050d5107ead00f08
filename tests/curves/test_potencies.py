"""Potencies: relative and absolute kept apart, limits outside the tested range, intervals of either."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq, least_squares

from glueprint import curves, errors
from glueprint.curves import Reason, search
from glueprint.curves.profile import threshold

DOSE_NM = 10.0 ** np.arange(-0.5, 4.1, 0.5)


def falling(dose, back, ec50, slope=1.0):
    return back + (1.0 - back) / (1.0 + (np.asarray(dose) / ec50) ** slope)


def test_relative_and_absolute_are_two_numbers():
    fits = curves.fit("4pl", DOSE_NM, falling(DOSE_NM, 0.2, 40.0))
    (relative,) = curves.relative(fits, "IC50")
    (absolute,) = curves.absolute(fits, 0.5, "IC50", control=1.0)
    # 0.2 + 0.8 / (1 + x / 40) = 0.5 at x = 40 (0.8 / 0.3 - 1) = 66.67.
    assert relative.value_nm == pytest.approx(40.0, rel=1e-7)
    assert absolute.value_nm == pytest.approx(40.0 * (0.8 / 0.3 - 1.0), rel=1e-7)
    assert (relative.definition, absolute.definition) == ("relative", "absolute")


def test_an_absolute_potency_that_is_never_reached_is_a_limit():
    fits = curves.fit("4pl", DOSE_NM, falling(DOSE_NM, 0.6, 40.0))
    (absolute,) = curves.absolute(fits, 0.5, "DC50", control=1.0)
    assert (absolute.relation, absolute.value_nm) == (">", pytest.approx(DOSE_NM[-1]))
    assert absolute.reasons == (Reason.NOT_REACHED,)


@pytest.mark.parametrize(("ec50", "relation", "edge"), [(0.05, "<", 0), (90000.0, ">", -1)])
def test_outside_the_tested_doses_there_is_only_a_limit(ec50, relation, edge):
    fits = curves.fit("4pl", DOSE_NM, falling(DOSE_NM, 0.0, ec50), fixed={"front": 1.0, "back": 0.0})
    (found,) = curves.relative(fits)
    assert found.relation == relation
    assert found.value_nm == pytest.approx(DOSE_NM[edge])
    assert found.p_molar is None
    assert found.reasons == (Reason.BELOW_TESTED if edge == 0 else Reason.ABOVE_TESTED,)


def test_three_doses_that_all_degrade_give_a_limit_and_no_number():
    fits = curves.fit("3pl", [0.0, 100.0, 1000.0, 10000.0], [1.0, 0.08, 0.06, 0.05])
    for found in (*curves.relative(fits, "DC50"), *curves.absolute(fits, 0.5, "DC50", control=1.0)):
        assert (found.relation, found.value_nm, found.low_nm) == ("<", 100.0, None)
        assert found.high_nm >= 100.0


def test_no_effect_is_a_limit_at_the_highest_dose():
    dose_nm = np.append(0.0, DOSE_NM)
    fits = curves.fit("4pl", dose_nm, np.ones(dose_nm.size))
    for found in (*curves.relative(fits), *curves.absolute(fits, 0.5, control=1.0)):
        assert (found.relation, found.value_nm) == (">", pytest.approx(DOSE_NM[-1]))
        assert found.reasons == (Reason.NO_EFFECT,)


def test_flat_without_vehicle_may_be_all_or_nothing():
    untouched, gone = (curves.fit("4pl", DOSE_NM, np.full(DOSE_NM.size, value)) for value in (1.0, 0.05))
    for fits in (untouched, gone):
        (found,) = curves.relative(fits)
        assert (found.relation, found.value_nm) == ("none", None)
        assert found.reasons == (Reason.FLAT_WITHOUT_VEHICLE,)
        assert "add a dose of zero" in found.text()
    (beyond,), (passed,) = (curves.absolute(fits, 0.5, control=1.0) for fits in (untouched, gone))
    assert (beyond.relation, beyond.value_nm) == (">", pytest.approx(DOSE_NM[-1]))
    assert (passed.relation, passed.value_nm) == ("<", pytest.approx(DOSE_NM[0]))


def test_a_curve_that_begins_past_the_level_is_below_the_lowest_dose():
    fits = curves.fit("4pl", DOSE_NM, 0.4 * falling(DOSE_NM, 0.2, 40.0))
    (found,) = curves.absolute(fits, 0.5, control=1.0)
    assert (found.relation, found.value_nm) == ("<", pytest.approx(DOSE_NM[0]))
    assert found.reasons == (Reason.ALWAYS_PAST,)


def test_a_curve_that_cannot_be_fitted_has_no_potency():
    (found,) = curves.relative(curves.fit("4pl", [1.0, 10.0], [1.0, 0.5]))
    assert (found.relation, found.value_nm) == ("none", None)
    assert "measure more doses" in found.text()


def test_the_absolute_interval_is_where_the_profile_of_that_dose_leaves():
    response = falling(DOSE_NM, 0.2, 40.0) + np.random.default_rng(2).normal(0.0, 0.03, DOSE_NM.size)
    fits = curves.fit("4pl", DOSE_NM, response)
    (found,) = curves.absolute(fits, 0.5, control=1.0)
    leave = fits.rss[0] * (1.0 + 2.446912**2 / 6.0)
    begun = [fits.front[0], fits.back[0], fits.log10_ec50[0], fits.slope[0]]

    def profile(log10_dose):
        """The RSS with the 50 % dose held by a stiff penalty instead of a changed parameter."""

        def miss(p):
            model = p[1] + (p[0] - p[1]) / (1.0 + (DOSE_NM / 10.0 ** p[2]) ** p[3])
            at = p[1] + (p[0] - p[1]) / (1.0 + (10.0 ** (log10_dose - p[2])) ** p[3])
            return np.append(model - response, 1e4 * (at - 0.5))

        end = least_squares(miss, begun, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000)
        return float(np.sum(end.fun[:-1] ** 2)) - leave

    centre = np.log10(found.value_nm)
    assert np.log10(found.low_nm) == pytest.approx(brentq(profile, centre - 1.0, centre), abs=1e-3)
    assert np.log10(found.high_nm) == pytest.approx(brentq(profile, centre, centre + 1.0), abs=1e-3)


def test_both_agree_when_the_plateaus_are_control_and_nothing():
    response = falling(DOSE_NM, 0.0, 40.0) + np.random.default_rng(3).normal(0.0, 0.03, DOSE_NM.size)
    fits = curves.fit("4pl", DOSE_NM, response, fixed={"front": 1.0, "back": 0.0})
    (relative,), (absolute,) = curves.relative(fits), curves.absolute(fits, 0.5, control=1.0)
    for name in ("value_nm", "low_nm", "high_nm"):
        assert getattr(absolute, name) == pytest.approx(getattr(relative, name), rel=1e-5)


def test_an_open_bound_is_none_and_says_so():
    response = falling(DOSE_NM, 0.0, 8000.0) + np.random.default_rng(12).normal(0.0, 0.03, DOSE_NM.size)
    (found,) = curves.relative(curves.fit("4pl", DOSE_NM, response))
    assert found.high_nm is None
    assert found.relation == ">" or found.reasons == (Reason.OPEN_HIGH,)


def test_text_and_dictionary_carry_definition_time_and_interval():
    found = curves.Potency("DC50", "relative", 12.5, 10.0, None, time_h=24.0)
    assert found.text() == "DC50 (relative, 24 h) = 12.5 nM (95 % 10 to open)"
    assert found.as_dict()["time_h"] == 24.0
    assert found.p_molar == pytest.approx(7.90309, abs=1e-5)


def test_a_potency_is_frozen():
    found = curves.Potency("IC50", "absolute", 1.0, None, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.value_nm = 2.0


def test_the_error_is_the_half_width_of_the_profile_over_the_t_quantile():
    response = falling(DOSE_NM, 0.2, 40.0) + np.random.default_rng(2).normal(0.0, 0.03, DOSE_NM.size)
    fits = curves.fit("4pl", DOSE_NM, response)
    for found in (*curves.relative(fits), *curves.absolute(fits, 0.5, control=1.0)):
        half_width = np.log10(found.high_nm / found.low_nm) / 2
        # 2.446912 is the 97.5 % point of t with 6 degrees of freedom.
        assert found.log10_se == pytest.approx(half_width / 2.446912, rel=1e-6)


def test_without_a_profile_the_error_is_that_of_the_delta_method():
    response = falling(DOSE_NM, 0.2, 40.0) + np.random.default_rng(2).normal(0.0, 0.003, DOSE_NM.size)
    fits = curves.fit("4pl", DOSE_NM, response)
    (profiled,) = curves.absolute(fits, 0.5, control=1.0)
    (delta,) = curves.absolute(fits, 0.5, control=1.0, intervals=False)
    assert delta.log10_se == pytest.approx(profiled.log10_se, rel=0.01)


EVERY_KIND = (
    curves.Potency("Ki", "exact", 1.5, 1.0, 2.0, reasons=("assay_floor",), notes=("by hand",)),
    curves.Potency("IC50", "relative", 10.0, None, None, ">", reasons=(Reason.ABOVE_TESTED,), n=3),
    curves.Potency("DC50", "absolute", None, None, None, "none", time_h=24.0, reasons=(Reason.NO_EFFECT,)),
)


def test_potencies_survive_dictionary_and_table():
    assert tuple(curves.Potency.from_dict(found.as_dict()) for found in EVERY_KIND) == EVERY_KIND
    table = curves.potencies_table(EVERY_KIND, [{"donor": name} for name in "abc"])
    assert tuple(curves.Potency.from_dict(row) for row in table.iter_rows(named=True)) == EVERY_KIND
    assert table["donor"].to_list() == ["a", "b", "c"]


def test_an_empty_table_keeps_its_schema():
    assert curves.potencies_table(()).schema == curves.potencies_table(EVERY_KIND).schema


def test_every_reason_has_a_text_of_its_own():
    assert len({reason.text for reason in Reason}) == len(Reason)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "IC5O"}, "GP-C040"),
        ({"definition": "middle"}, "GP-C040"),
        ({"relation": "~"}, "GP-C040"),
        ({"reasons": ["too few doses"]}, "GP-C040"),
        ({"value_nm": 0.0}, "GP-C041"),
        ({"low_nm": 20.0}, "GP-C041"),
        ({"high_nm": float("inf")}, "GP-C041"),
        ({"relation": "none"}, "GP-C041"),
        ({"value_nm": None}, "GP-C041"),
        ({"log10_se": float("nan")}, "GP-C041"),
        ({"log10_se": -0.1}, "GP-C041"),
    ],
)
def test_what_is_no_potency_is_refused(change, code):
    sound = curves.Potency("IC50", "relative", 10.0, 8.0, 12.0).as_dict()
    with pytest.raises(errors.InputError, match=code):
        curves.Potency.from_dict(sound | change)


@pytest.mark.parametrize(
    ("level", "control", "times"),
    [
        (float("nan"), 1.0, None),
        (0.5, float("nan"), None),
        (1.0, 1.0, None),
        (np.array([0.5, 0.4]), 1.0, None),
        (0.5, 1.0, [6.0, 24.0]),
    ],
)
def test_a_level_that_says_nothing_is_refused(level, control, times):
    fits = curves.fit("4pl", DOSE_NM, falling(DOSE_NM, 0.2, 40.0))
    with pytest.raises(errors.InputError, match="GP-C049"):
        curves.absolute(fits, level, "IC50", control=control, time_h=times)


def test_a_missing_field_and_labels_that_do_not_pair_are_refused():
    with pytest.raises(errors.InputError, match="GP-C042"):
        curves.Potency.from_dict({"kind": "IC50"})
    with pytest.raises(errors.InputError, match="GP-C043"):
        curves.potencies_table(EVERY_KIND, [{"donor": "a"}])


def test_the_absolute_potency_of_an_asymmetric_curve_is_where_it_meets_the_level():
    def five(dose):
        return 0.2 + 0.8 / (1.0 + (2.0 ** (1.0 / 0.5) - 1.0) * (dose / 40.0) ** 1.3) ** 0.5

    fits = curves.fit("5pl", DOSE_NM, five(DOSE_NM))
    (absolute,) = curves.absolute(fits, 0.5, control=1.0)
    (relative,) = curves.relative(fits)
    assert relative.value_nm == pytest.approx(40.0, rel=1e-4)
    assert absolute.value_nm == pytest.approx(brentq(lambda x: five(x) - 0.5, 40.0, 4000.0), rel=1e-4)


def test_the_errors_of_an_asymmetric_curve_agree_by_profile_and_delta_method():
    dose_nm = 10.0 ** np.arange(-1.0, 4.6, 0.125)
    truth = 0.2 + 0.8 / (1.0 + (2.0 ** (1.0 / 0.5) - 1.0) * (dose_nm / 40.0) ** 1.3) ** 0.5
    noise = np.random.default_rng(4).normal(0.0, 0.002, dose_nm.size)
    fits = curves.fit("5pl", dose_nm, truth + noise)
    (profiled,) = curves.absolute(fits, 0.5, control=1.0)
    (delta,) = curves.absolute(fits, 0.5, control=1.0, intervals=False)
    assert delta.log10_se == pytest.approx(profiled.log10_se, rel=0.02)


@pytest.mark.parametrize("definition", ["relative", "absolute"])
def test_beyond_the_ends_of_an_interval_no_start_fits_as_well(definition):
    """Steep, shallow and half seen curves have valleys that a refit from close by does not see."""
    rng = np.random.default_rng(8)
    dose = np.concatenate([[0.0], 10.0 ** np.linspace(-1.0, 4.0, 7)])
    ec50, slope = 10.0 ** rng.uniform(-1.0, 5.0, (80, 1)), np.exp(rng.normal(0.0, 0.4, (80, 1)))
    back = rng.uniform(-0.1, 0.6, (80, 1))
    response = back + (1.0 - back) / (1.0 + (dose / ec50) ** slope) + rng.normal(0.0, 0.04, (80, 8))
    fits = curves.fit("4pl", dose, response, within=(0.0, None))
    found = curves.relative(fits) if definition == "relative" else curves.absolute(fits, 0.5, control=1.0)
    leave = threshold(fits.rss, fits.dof, 0.95)
    level = None if definition == "relative" else np.full(80, 0.5)
    problem, short, seen = replace(fits.problem, reach=fits.reach, level=level), 0, 0
    refit = search.refit_of(replace(problem, reach=search.in_digits(problem, np.nan_to_num(fits.theta))))
    for side in (0, 1):
        ends = [(one.low_nm, one.high_nm)[side] if one.relation == "=" else None for one in found]
        rows = np.array([i for i, end in enumerate(ends) if end is not None])
        beyond = np.log10([ends[i] for i in rows]) + (2 * side - 1) * 0.03
        least = np.full(rows.size, np.inf)
        for front, far, steep in product((0.9, 1.1), (0.45, 0.2, -1.0), (0.5, 2.0, 10.0)):
            start = np.tile([front, far, 0.0, np.log(steep), 0.0], (rows.size, 1))
            start[:, 2] = beyond
            least = np.fmin(least, refit(start, rows, np.full(rows.size, 2))[1])
        short += int((least < leave[rows] * (1.0 - 1e-3)).sum())
        seen += rows.size
    assert seen > 80
    assert short <= 0.01 * seen


def test_a_plateau_held_elsewhere_in_each_curve_is_that_of_the_curve_alone():
    rng = np.random.default_rng(0)
    front = np.array([1.0, 2.0])
    response = front[:, None] / (1.0 + DOSE_NM / 40.0) + rng.normal(0.0, 0.03, (2, DOSE_NM.size))
    together = curves.fit("4pl", DOSE_NM, response, fixed={"front": front})
    found = curves.absolute(together, 0.5, control=3.0)
    for i, one in enumerate(found):
        alone = curves.fit("4pl", DOSE_NM, response[i], fixed={"front": front[i]})
        (expected,) = curves.absolute(alone, 0.5, control=3.0)
        assert (one.value_nm, one.low_nm, one.high_nm) == (
            expected.value_nm,
            expected.low_nm,
            expected.high_nm,
        )
        assert one.log10_se == expected.log10_se
