"""Allometry and in-vitro scaling: closed forms, limits, priors, and what is said of a scaled number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import pharmacokinetics
from glueprint.mechanism.pharmacokinetics import allometry, liver
from glueprint.mechanism.pharmacokinetics.scaling import SD_RULE, SD_SIMPLE, sd_of_fold_error
from glueprint.mechanism.quantities import Quantity, believed

WEIGHTS = {"mouse": 0.02, "rat": 0.25, "monkey": 5.0, "dog": 10.0}
BRAINS = {"mouse": 0.4, "rat": 1.8, "monkey": 90.0, "dog": 80.0}
UNBOUND = Quantity(typical=0.7, unit="dimensionless", role="assumed", why="a test")
LIVER_G, FLOW_L_PER_H = 25.7 * 70, 20.7 * 70 * 60 / 1000


def animals(*names, law=None, central=None, **more):
    """Rows of species whose parameters follow a power law, coefficient and exponent."""
    text = ""
    for name in names:
        row = {"species": f'"{name}"', "weight_kg": WEIGHTS[name], "source": '"own study"'}
        if law:
            row["clearance_l_per_h"] = law[0] * WEIGHTS[name] ** law[1]
        if central:
            row["central_l"] = central[0] * WEIGHTS[name] ** central[1]
        row |= {key: value[name] if isinstance(value, dict) else value for key, value in more.items()}
        text += "\n[[pk.scaling.species]]\n" + "".join(f"{key} = {value}\n" for key, value in row.items())
    return text


def vials(system="microsomes", clearance=20.0, **more):
    row = {"system": f'"{system}"', "intrinsic_clearance": clearance, "source": '"own incubation"'} | more
    return "\n[[pk.scaling.in_vitro]]\n" + "".join(f"{key} = {value}\n" for key, value in row.items())


def preclinical(pk, rows, head="", stated=("lag_h", "bioavailability", "absorption_per_h", "central_l")):
    values = {"lag_h": 0.0, "bioavailability": 0.8, "absorption_per_h": 1.0, "central_l": 60.0}
    text = "compartments = 1\n" + pk.lines({name: values[name] for name in stated})
    return pk.compound(f"{text}\n[pk.scaling]\n{head}\n{rows}")


def scaled(pk, rows, head="", unbound=UNBOUND, **more):
    found = pharmacokinetics.scaled(preclinical(pk, rows, head, **more).pk, unbound)
    return found, found.quantities["clearance_l_per_h"]


def codes(found):
    return [finding.code for finding in found.findings]


# --- allometry


@pytest.mark.parametrize("species", ["rat", "dog"])
def test_one_species_is_scaled_by_fixed_exponents(pk, species):
    rows = animals(species, law=(0.4, 0.9), central=(0.7, 0.95))
    found = pharmacokinetics.quantities(
        preclinical(pk, rows, stated=("lag_h", "bioavailability", "absorption_per_h")).pk
    )
    ratio = 70.0 / WEIGHTS[species]
    assert found["clearance_l_per_h"].typical == pytest.approx(0.4 * WEIGHTS[species] ** 0.9 * ratio**0.75)
    assert found["central_l"].typical == pytest.approx(0.7 * WEIGHTS[species] ** 0.95 * ratio)
    # The method's error and the SD of exponents, 0.16, over the distance in weight.
    prior = believed(found["clearance_l_per_h"])
    assert prior.sd_log10 == pytest.approx(math.hypot(SD_SIMPLE, 0.16 * math.log10(ratio)))


def test_a_rat_tells_less_than_a_dog(pk):
    rat, dog = (scaled(pk, animals(name, law=(0.4, 0.75)))[1] for name in ("rat", "dog"))
    assert rat.prior.sd_log10 > dog.prior.sd_log10 > SD_SIMPLE
    assert rat.typical == pytest.approx(dog.typical)


def test_the_weight_of_the_human_may_be_another(pk):
    at_70, at_60 = (scaled(pk, animals("dog", law=(0.4, 0.8)), f"weight_kg = {kg}")[1] for kg in (70.0, 60.0))
    assert at_60.typical / at_70.typical == pytest.approx((60 / 70) ** 0.75)


def test_two_species_share_the_fixed_exponent(pk):
    rows = animals("rat", law=(0.4, 0.75)) + animals("dog", law=(0.9, 0.75))
    clearance = scaled(pk, rows)[1]
    assert clearance.typical == pytest.approx(math.sqrt(0.4 * 0.9) * 70**0.75)
    far = animals("rat", law=(0.04, 0.75)) + animals("dog", law=(9.0, 0.75))
    spread = float(np.std(np.log10([0.04, 9.0]), ddof=1))
    assert scaled(pk, far)[1].prior.sd_log10 == pytest.approx(spread)


@pytest.mark.parametrize("exponent", [0.6, 0.68])
def test_three_species_give_back_an_exact_power_law(pk, exponent):
    found, clearance = scaled(pk, animals("mouse", "rat", "dog", law=(0.5, exponent)))
    assert clearance.typical == pytest.approx(0.5 * 70**exponent, rel=1e-12)
    assert clearance.prior.sd_log10 == pytest.approx(SD_RULE)
    assert codes(found) == []


def test_volumes_are_fitted_too_and_never_corrected(pk):
    rows = animals("mouse", "rat", "dog", law=(0.5, 0.6), central=(0.8, 1.04))
    glue = preclinical(pk, rows, stated=("lag_h", "bioavailability", "absorption_per_h"))
    found = pharmacokinetics.quantities(glue.pk)["central_l"]
    assert found.typical == pytest.approx(0.8 * 70**1.04, rel=1e-12)
    assert "corrected" not in found.why


@pytest.mark.parametrize(("exponent", "correction"), [(0.8, "life span"), (1.1, "brain weight")])
def test_the_rule_of_exponents_corrects_what_grows_too_fast(pk, exponent, correction):
    """Clearance times the factor is an exact power law here, so the human value is known."""

    def factor(name):
        if correction == "brain weight":
            return BRAINS[name] / 1000
        return 185.4 * (BRAINS[name] / 1000) ** 0.636 * WEIGHTS[name] ** -0.225

    names = ("mouse", "rat", "monkey", "dog")
    # An exponent of the product that leaves clearance itself with about the wanted one.
    power = exponent + np.polyfit(np.log(list(WEIGHTS.values())), np.log([factor(n) for n in names]), 1)[0]
    rows = "".join(
        animals(n, clearance_l_per_h=0.02 * WEIGHTS[n] ** power / factor(n), brain_g=BRAINS[n]) for n in names
    )
    found, clearance = scaled(pk, rows)
    human = 1.53 if correction == "brain weight" else 93.4
    assert clearance.typical == pytest.approx(0.02 * 70**power / human, rel=1e-3)
    assert f"corrected by {correction}" in clearance.why
    assert codes(found) == []


def test_a_correction_without_brain_weights_is_left_out_and_said(pk):
    found, clearance = scaled(pk, animals("mouse", "rat", "dog", law=(0.4, 0.85)))
    assert codes(found) == ["GP-M118"]
    assert "asks for the correction by life span, which needs brain_g" in found.findings[0].message
    assert clearance.typical == pytest.approx(0.4 * 70**0.85)
    assert clearance.prior.sd_log10 == pytest.approx(SD_SIMPLE)


@pytest.mark.parametrize(("exponent", "side"), [(0.4, "too low"), (1.4, "too high")])
def test_an_unusual_exponent_is_said(pk, exponent, side):
    found, _ = scaled(pk, animals("mouse", "rat", "dog", law=(0.4, exponent), brain_g=BRAINS))
    assert "GP-M117" in codes(found)
    assert side in found.findings[0].message


def test_scatter_about_the_line_widens_the_prior(pk):
    rows = (
        animals("mouse", law=(0.4, 0.65)) + animals("rat", law=(8.0, 0.65)) + animals("dog", law=(0.4, 0.65))
    )
    _, clearance = scaled(pk, rows)
    law = allometry.power_law(
        [WEIGHTS[n] for n in ("mouse", "rat", "dog")],
        [k * WEIGHTS[n] ** 0.65 for n, k in (("mouse", 0.4), ("rat", 8.0), ("dog", 0.4))],
    )
    assert clearance.prior.sd_log10 == pytest.approx(law.sd_log10_at(70.0))
    assert clearance.prior.sd_log10 > 1.0


def test_the_error_of_a_power_law_is_that_of_linear_regression():
    x, y = np.log10([0.02, 0.25, 5.0, 10.0]), np.log10([1.1, 6.0, 31.0, 40.0])
    design = np.stack([np.ones(4), x], axis=1)
    coefficients, (squares,), _, _ = np.linalg.lstsq(design, y)
    at = np.array([1.0, np.log10(70.0)])
    se = math.sqrt(squares / 2 * (1 + at @ np.linalg.inv(design.T @ design) @ at))
    law = allometry.power_law(10**x, 10**y)
    assert law.exponent == pytest.approx(coefficients[1])
    assert law.at(70.0) == pytest.approx(10 ** (at @ coefficients))
    assert law.sd_log10_at(70.0) == pytest.approx(se)


def test_clearance_is_scaled_as_that_of_unbound_drug_where_all_shares_are_known(pk):
    rows = animals("dog", law=(0.4, 0.75), fraction_unbound=0.35)
    found, clearance = scaled(pk, rows)
    assert clearance.typical == pytest.approx(0.4 / 0.35 * 0.7 * 70**0.75)
    assert codes(found) == []
    found, clearance = scaled(pk, rows, unbound=None)
    assert clearance.typical == pytest.approx(0.4 * 70**0.75)
    assert codes(found) == ["GP-M116"]


def test_the_life_span_of_people_is_that_of_the_literature():
    assert allometry.life_span_y(1.53, 70.0) == pytest.approx(93.4, abs=0.1)


# --- liver


@pytest.mark.parametrize("model", liver.MODELS)
@pytest.mark.parametrize("ratio", [0.6, 1.0, 1.8])
def test_slow_metabolism_sets_clearance_and_blood_flow_bounds_it(model, ratio):
    given = {"blood_flow_l_per_h": 87.0, "fraction_unbound": 0.2, "blood_to_plasma": ratio, "model": model}
    assert liver.hepatic_clearance(1e-4, **given) == pytest.approx(0.2 * 1e-4, rel=1e-5)
    assert liver.hepatic_clearance(1e9, **given) == pytest.approx(87.0 * ratio, rel=1e-5)


def test_parallel_tubes_extract_more_than_a_stirred_vessel():
    given = {"blood_flow_l_per_h": 90.0, "fraction_unbound": 0.5, "blood_to_plasma": 1.0}
    stirred, tubes = (liver.hepatic_clearance(180.0, model=model, **given) for model in liver.MODELS)
    assert stirred == pytest.approx(45.0)
    assert tubes == pytest.approx(90.0 * (1 - math.exp(-1)))


@pytest.mark.parametrize(("system", "per_g"), [("microsomes", 32.0), ("hepatocytes", 99.0)])
def test_a_vial_is_scaled_to_a_liver_by_hand(pk, system, per_g):
    # 20 uL/min and unit; 25.7 g/kg of liver and 20.7 mL/min/kg of blood at 70 kg.
    found, clearance = scaled(pk, vials(system, 20.0, fraction_unbound_incubation=0.8))
    intrinsic = 20e-6 * 60 / 0.8 * per_g * LIVER_G
    exact = FLOW_L_PER_H * 0.7 * intrinsic / (FLOW_L_PER_H + 0.7 * intrinsic)
    assert clearance.typical == pytest.approx(exact)
    assert clearance.prior.sd_log10 == pytest.approx(sd_of_fold_error(2.31))
    assert codes(found) == []


def test_drug_bound_in_the_vial_is_said_where_it_is_not_known(pk):
    found, clearance = scaled(pk, vials(), 'liver_model = "parallel-tube"')
    assert codes(found) == ["GP-M119"]
    assert clearance.prior.sd_log10 == pytest.approx(sd_of_fold_error(4.20))


def test_other_ways_out_are_added_and_a_liver_of_ones_own_is_used(pk):
    head = 'other_clearance_l_per_h = 2.5\nwhy = "filtered"\n'
    base = scaled(pk, vials(fraction_unbound_incubation=1.0))[1].typical
    assert scaled(pk, vials(fraction_unbound_incubation=1.0), head)[1].typical == pytest.approx(base + 2.5)
    own = '[pk.scaling.liver]\nmicrosomal_protein_mg_per_g = 45.0\nsource = "Obach 1997"\n'
    assert scaled(pk, vials(fraction_unbound_incubation=1.0) + own)[1].typical > base


def test_a_vial_needs_the_fraction_unbound_in_plasma(pk):
    with pytest.raises(NotSupportedError, match=r"GP-M114 .*without the fraction unbound"):
        scaled(pk, vials(), unbound=None)


def test_the_sd_of_an_average_fold_error_is_that_of_a_normal_distribution():
    errors = np.random.default_rng(3).normal(0.0, sd_of_fold_error(2.31), 400_000)
    assert 10 ** np.abs(errors).mean() == pytest.approx(2.31, rel=5e-3)


# --- together


def test_estimates_are_pooled_by_inverse_variance(pk):
    rows = animals("dog", law=(0.4, 0.75)) + vials(clearance=5.0, fraction_unbound_incubation=1.0)
    found, clearance = scaled(pk, rows)
    logs, sds = np.array([[math.log10(e.value), e.sd_log10] for e in found.estimates]).T
    weights = sds**-2
    assert math.log10(clearance.typical) == pytest.approx(float((weights * logs).sum() / weights.sum()))
    assert clearance.prior.sd_log10 == pytest.approx(float(weights.sum() ** -0.5))
    assert codes(found) == []


def test_estimates_that_disagree_widen_the_prior_and_are_said(pk):
    rows = animals("dog", law=(4.0, 0.75)) + vials(clearance=0.05, fraction_unbound_incubation=1.0)
    found, clearance = scaled(pk, rows)
    assert codes(found) == ["GP-M115"]
    assert "allometry (dog)" in found.findings[0].message
    logs, sds = np.array([[math.log10(e.value), e.sd_log10] for e in found.estimates]).T
    z = abs(logs[0] - logs[1]) / math.hypot(*sds)
    assert clearance.prior.sd_log10 == pytest.approx(float((sds**-2).sum() ** -0.5) * z)
    assert pharmacokinetics.findings(preclinical(pk, rows).pk, UNBOUND) == found.findings


def test_a_scaled_number_says_what_it_is(pk):
    head = 'variance = { clearance_l_per_h = 0.16 }\nwhy = "as of other oral drugs"\n'
    rows = animals("mouse", "rat", "dog", law=(0.4, 0.6), evidence='["PK063"]')
    _, clearance = scaled(pk, rows, head)
    assert clearance.role == "assumed"
    assert clearance.evidence == ("PK063",)
    assert clearance.unit == "L/h"
    assert "scaled to 70 kg: allometry (mouse, rat, dog), exponent 0.60" in clearance.why
    assert "as of other oral drugs" in clearance.why
    assert (clearance.variability, clearance.omega2) == ("lognormal", 0.16)


def test_a_model_is_built_from_scaled_numbers(pk):
    glue = preclinical(pk, animals("dog", law=(0.4, 0.75), fraction_unbound=0.7))
    times = np.linspace(0.0, 400.0, 8001)
    conc = pk.course(glue, times, pk.swallowed(glue, [0.0], 4.0))["cp_ng_per_ml"][0]
    assert np.trapezoid(conc, times) == pytest.approx(1000 * 0.8 * 4.0 / (0.4 * 70**0.75), rel=1e-4)


@pytest.mark.parametrize(
    ("rows", "head", "code", "field", "told"),
    [
        ("", "", "GP-M004", "pk.scaling", "at least one"),
        (animals("dog"), "", "GP-M100", "pk.clearance_l_per_h", "is missing"),
        (animals("dog", law=(1, 1), central=(1, 1)), "", "GP-M113", "pk.central_l", "gives it too"),
        (animals("dog", law=(1, 1), peripheral_l=3.0), "", "GP-M101", "pk.scaling", "peripheral_l"),
        (animals("dog", "dog", law=(1, 1)), "", "GP-M004", "pk.scaling", "stands twice"),
        (animals("dog", law=(-1, 1)), "", "GP-M004", "pk.scaling.species[0].clearance_l_per_h", "above 0"),
        (animals("dog", law=(1, 1), source='""'), "", "GP-M004", "pk.scaling.species[0]", '"source"'),
        (vials("slices"), "", "GP-M004", "pk.scaling.in_vitro[0].system", "microsomes"),
        (vials(fraction_unbound_incubation=1.5), "", "GP-M004", "fraction_unbound_incubation", "at most 1"),
        (vials(), "variance = { clearance_l_per_h = 0.1 }", "GP-M004", "pk.scaling", 'need "why"'),
        (vials(), 'variance = { ka = 0.1 }\nwhy = "x"', "GP-M102", "pk.scaling.variance.ka", "no parameter"),
        (
            vials() + "[pk.scaling.liver]\nweight_g_per_kg = 20.0\n",
            "",
            "GP-M004",
            "pk.scaling.liver",
            "source",
        ),
        (
            "".join(
                f'[[pk.scaling.species]]\nspecies = "{name}"\nweight_kg = 1.0\n'
                'clearance_l_per_h = 1.0\nsource = "x"\n'
                for name in ("a", "b", "c")
            ),
            "",
            "GP-M004",
            "pk.scaling",
            "one body weight",
        ),
    ],
)
def test_rows_that_cannot_be_used_are_refused(pk, rows, head, code, field, told):
    with pytest.raises(InputError) as caught:
        preclinical(pk, rows, head)
    assert caught.value.code == code
    assert field in caught.value.where
    assert told in str(caught.value)


def test_scaled_clearance_asks_for_a_bioavailability(pk):
    with pytest.raises(InputError, match=r"GP-M100 .*pk\.bioavailability: is missing: scaled clearance"):
        preclinical(pk, vials(), stated=("lag_h", "absorption_per_h", "central_l"))
