"""Fields of [pk] that do not fit together: each finding by code and field, and all of a file at once."""

from __future__ import annotations

import pytest

from glueprint.errors import InputError
from glueprint.mechanism import pharmacokinetics


def refused(pk, text):
    with pytest.raises(InputError) as caught:
        pk.compound(text)
    return caught.value


def without(text, name):
    kept = [line for line in text.splitlines() if not line.startswith(name)]
    assert len(kept) < len(text.splitlines())
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("absorption", "compartments", "name"),
    [
        ("first-order", 2, "peripheral_l"),
        ("first-order", 2, "intercompartment_l_per_h"),
        ("first-order", 1, "absorption_per_h"),
        ("zero-order", 1, "absorption_h"),
        ("transit", 1, "mean_transit_h"),
        ("transit", 1, "transit_compartments"),
        ("transit", 1, "clearance_l_per_h"),
        ("transit", 1, "central_l"),
    ],
)
def test_a_field_that_the_structure_needs_is_asked_for(pk, absorption, compartments, name):
    error = refused(pk, without(pk.section(absorption, compartments), name))
    assert error.code == "GP-M100"
    assert error.where == f"mine.toml, pk.{name}"
    assert absorption in error.message


def test_a_lag_is_always_asked_for(pk):
    error = refused(pk, without(pk.section(), "lag_h"))
    assert (error.code, error.where) == ("GP-M004", "mine.toml, pk.lag_h")


@pytest.mark.parametrize(
    ("absorption", "compartments", "name", "value"),
    [
        ("first-order", 1, "peripheral_l", 70.0),
        ("first-order", 1, "intercompartment_l_per_h", 4.0),
        ("first-order", 1, "mean_transit_h", 2.0),
        ("zero-order", 2, "absorption_per_h", 1.0),
        ("transit", 2, "absorption_h", 1.0),
    ],
)
def test_a_field_that_the_structure_does_not_have_is_refused(pk, absorption, compartments, name, value):
    error = refused(pk, pk.section(absorption, compartments, **{name: value}))
    assert error.code == "GP-M101"
    assert error.where == f"mine.toml, pk.{name}"
    assert "leave it out" in error.next_step


def test_a_number_of_transit_compartments_is_whole_and_bounded(pk):
    text = pk.section("transit")
    for wrong in ("0", "51", "2.5"):
        error = refused(pk, text.replace("transit_compartments = 5", f"transit_compartments = {wrong}"))
        assert (error.code, error.where) == ("GP-M004", "mine.toml, pk.transit_compartments")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('absorption = "first-order"', 'absorption = "first order"', "pk.absorption"),
        ("compartments = 2", "compartments = 3", "pk.compartments"),
        ("typical = 1.3", "typical = 0.0", "pk.absorption_per_h"),
        ('unit = "1/h"', 'unit = "1/d"', "pk.absorption_per_h"),
    ],
)
def test_a_value_that_cannot_be_is_refused(pk, old, new, field):
    text = pk.section()
    assert old in text
    error = refused(pk, text.replace(old, new))
    assert (error.code, error.where) == ("GP-M004", f"mine.toml, {field}")


def test_a_bioavailability_is_a_fraction(pk):
    error = refused(pk, pk.section(bioavailability=1.2))
    assert (error.code, error.where) == ("GP-M004", "mine.toml, pk.bioavailability")


def test_all_findings_of_a_file_are_told_at_once(pk):
    text = without(pk.section(compartments=1, peripheral_l=70.0), "central_l") + (
        '\n[[pk.covariate]]\nparameter = "volume_l"\ncovariate = "age_y"\nform = "linear"\n'
        "coefficient = 0.1\nevidence = []\n"
    )
    message = str(refused(pk, text))
    for said in (
        "GP-M100",
        "pk.central_l",
        "GP-M101",
        "pk.peripheral_l",
        "GP-M105",
        "pk.covariate[0].parameter",
    ):
        assert said in message


def varying(pk, name, variability, omega2, typical):
    unit = {"clearance_l_per_h": "L/h", "central_l": "L"}.get(name, "dimensionless")
    line = f"{name} = {pk.quantity(typical, unit, variability=variability, omega2=omega2)}"
    return line.replace('"' + str(omega2) + '"', str(omega2))


def two_that_vary(pk, covariance, between=("clearance_l_per_h", "central_l")):
    text = without(without(pk.section(), "clearance_l_per_h"), "central_l")
    text += "\n" + varying(pk, "clearance_l_per_h", "lognormal", 0.16, 7.0)
    text += "\n" + varying(pk, "central_l", "lognormal", 0.04, 60.0)
    pair = ", ".join(f'"{name}"' for name in between)
    return f"{text}\n[[pk.covariance]]\nbetween = [{pair}]\nvalue = {covariance}\nevidence = []\n"


def test_a_covariance_of_two_that_vary_is_taken(pk):
    glue = pk.compound(two_that_vary(pk, 0.07))
    (pair,) = pharmacokinetics.covariances(glue.pk)
    assert (pair.between, pair.value) == (("clearance_l_per_h", "central_l"), 0.07)
    assert glue.pk.variances() == {"clearance_l_per_h": 0.16, "central_l": 0.04}


@pytest.mark.parametrize("between", [("clearance_l_per_h", "peripheral_l"), ("clearance_l_per_h", "ka")])
def test_a_covariance_of_what_does_not_vary_is_refused(pk, between):
    error = refused(pk, two_that_vary(pk, 0.07, between))
    assert (error.code, error.where) == ("GP-M103", "mine.toml, pk.covariance[0].between")
    assert f'"{between[1]}" does not vary' in error.message


def test_a_pair_that_stands_twice_is_refused(pk):
    again = '[[pk.covariance]]\nbetween = ["central_l", "clearance_l_per_h"]\nvalue = 0.01\nevidence = []\n'
    error = refused(pk, two_that_vary(pk, 0.07) + again)
    assert error.code == "GP-M103"
    assert "twice" in error.message


def test_a_covariance_beyond_its_variances_is_refused(pk):
    assert refused(pk, two_that_vary(pk, 0.09)).code == "GP-M104"  # sqrt(0.16 x 0.04) is 0.08


def test_a_logit_needs_a_share(pk):
    text = pk.section() + "\n" + varying(pk, "bioavailability", "logit", 0.3, 1.0)
    error = refused(pk, text)
    assert (error.code, error.where) == ("GP-M102", "mine.toml, pk.bioavailability")
    taken = pk.compound(pk.section() + "\n" + varying(pk, "bioavailability", "logit", 0.3, 0.7))
    assert taken.pk.variances() == {"bioavailability": 0.3}


def effect(parameter, form="linear", reference="0.0"):
    return (
        f'\n[[pk.covariate]]\nparameter = "{parameter}"\ncovariate = "creatinine_clearance_ml_per_min"\n'
        f'form = "{form}"\ncoefficient = 0.007\nreference = {reference}\nevidence = []\n'
    )


@pytest.mark.parametrize("parameter", ["clearance_l_per_h", "lag_h", "bioavailability", "absorption_h"])
def test_a_covariate_may_act_on_any_parameter_of_the_structure(pk, parameter):
    glue = pk.compound(pk.section("zero-order", 1) + effect(parameter, reference="94.42"))
    assert pharmacokinetics.covariates(glue.pk)[0].parameter == parameter


def test_a_covariate_on_what_the_structure_does_not_have_is_refused(pk):
    error = refused(pk, pk.section(compartments=1) + effect("peripheral_l"))
    assert (error.code, error.where) == ("GP-M105", "mine.toml, pk.covariate[0].parameter")
    assert "one of absorption_per_h, clearance_l_per_h, central_l" in error.expected


def test_a_power_of_a_covariate_over_zero_is_refused(pk):
    error = refused(pk, pk.section() + effect("clearance_l_per_h", "power"))
    assert (error.code, error.where) == ("GP-M105", "mine.toml, pk.covariate[0].reference")
