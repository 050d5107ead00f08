"""Each structure against its closed form, or against a matrix exponential and a convolution by scipy."""

from __future__ import annotations

import libsbml
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.stats import gamma, uniform

from glueprint.engine import reading
from glueprint.mechanism import body, compounds, models, pharmacokinetics
from glueprint.mechanism.composition import Part, compose

TIMES = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 9.0, 24.0, 60.0])
CL, V, Q, VP, DOSE = 7.0, 60.0, 4.0, 70.0, 4.0
EVERY = [(a, n) for a in ("first-order", "zero-order", "transit") for n in (1, 2)]


def impulse(compartments):
    """Amount in the centre after 1 mg into it at time 0, at time t."""
    if compartments == 1:
        return lambda t: np.exp(-CL / V * t)
    rates = np.array([[-(CL + Q) / V, Q / VP], [Q / V, -Q / VP]])
    return lambda t: expm(rates * t)[0, 0]


def convolved(density, compartments, t, last=np.inf):
    """Concentration, ng/mL, when the dose enters the centre with this density until `last`."""
    respond, end = impulse(compartments), min(t, last)
    amount, _ = quad(lambda s: density(s) * respond(t - s), 0.0, end, epsabs=1e-13, epsrel=1e-12, limit=200)
    return 1000.0 * DOSE * amount / V


def test_one_compartment_is_the_bateman_function(pk):
    glue = pk.compound(pk.section(compartments=1))
    ka, k = 1.3, CL / V
    exact = 1000 * DOSE / V * ka / (ka - k) * (np.exp(-k * TIMES) - np.exp(-ka * TIMES))
    got = pk.course(glue, TIMES, pk.swallowed(glue, [0.0], DOSE))["cp_ng_per_ml"][0]
    np.testing.assert_allclose(got, exact, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("compartments", [1, 2])
def test_transit_is_an_erlang_input(pk, compartments):
    glue = pk.compound(pk.section("transit", compartments))
    input_ = gamma(5, scale=2.5 / 5).pdf
    exact = [convolved(input_, compartments, t) if t > 0 else 0.0 for t in TIMES]
    got = pk.course(glue, TIMES, pk.swallowed(glue, [0.0], DOSE))["cp_ng_per_ml"][0]
    np.testing.assert_allclose(got, exact, rtol=1e-6, atol=1e-8)


def test_one_transit_compartment_is_first_order_absorption(pk):
    text = pk.section("transit", 1).replace("transit_compartments = 5", "transit_compartments = 1")
    transit, first = pk.compound(text), pk.compound(pk.section(compartments=1, absorption_per_h=1 / 2.5))
    courses = [pk.course(g, TIMES, pk.swallowed(g, [0.0], DOSE))["cp_ng_per_ml"] for g in (transit, first)]
    np.testing.assert_allclose(*courses, rtol=1e-7)


@pytest.mark.parametrize("compartments", [1, 2])
def test_zero_order_is_an_infusion(pk, compartments):
    glue = pk.compound(pk.section("zero-order", compartments))
    exact = [convolved(uniform(scale=3.0).pdf, compartments, t, last=3.0) for t in TIMES]
    if compartments == 1:
        on, k = np.minimum(TIMES, 3.0), CL / V
        closed = 1000 * DOSE / 3.0 / CL * (1 - np.exp(-k * on)) * np.exp(-k * (TIMES - on))
        np.testing.assert_allclose(exact, closed, rtol=1e-9)
    got = pk.course(glue, TIMES, pk.swallowed(glue, [0.0], DOSE))["cp_ng_per_ml"][0]
    np.testing.assert_allclose(got, exact, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("compartments", [1, 2])
def test_the_shipped_structure_is_the_default(pk, compartments):
    glue = pk.compound(pk.section(compartments=compartments))
    assert pharmacokinetics.parts(glue.pk) == (Part("pk_one" if compartments == 1 else "pk"),)
    shipped = compounds.load("pomalidomide")
    assert shipped.pk.compartments == 2
    assert shipped.pk.absorption == "first-order"
    assert pharmacokinetics.parts(shipped.pk) == body.kinetics(shipped) == (Part("pk"),)
    assert body.parts("claret", shipped)[:1] == (Part("pk"),)


@pytest.mark.parametrize(("absorption", "compartments"), EVERY)
def test_the_area_at_steady_state_is_the_available_dose_over_clearance(pk, absorption, compartments):
    glue = pk.compound(pk.section(absorption, compartments, bioavailability=0.6))
    last = 24.0 * 40 + np.linspace(0.0, 24.0, 4801)
    doses = pk.swallowed(glue, 24.0 * np.arange(41), DOSE)
    conc = pk.course(glue, last, doses)["cp_ng_per_ml"][0]
    assert np.trapezoid(conc, last) == pytest.approx(1000 * 0.6 * DOSE / CL, rel=2e-6)


@pytest.mark.parametrize(("absorption", "compartments"), EVERY)
def test_no_unit_is_missing_or_wrong(pk, absorption, compartments):
    document, _ = reading.read(pk.source(pk.compound(pk.section(absorption, compartments))))
    models._convert_extents(document.getModel())
    document = libsbml.readSBMLFromString(libsbml.writeSBMLToString(document))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    assert [document.getError(i).getMessage() for i in range(document.getNumErrors())] == []


@pytest.mark.parametrize(("absorption", "compartments"), EVERY)
def test_the_parameters_are_those_that_the_model_reads(pk, absorption, compartments):
    glue = pk.compound(pk.section(absorption, compartments))
    read = set(compose(pharmacokinetics.parts(glue.pk)).missing)
    assert read == set(pharmacokinetics.quantities(glue.pk)) | {"fraction_unbound", "molar_mass_g_per_mol"}
    conduct = {"lag_h", "bioavailability", *(["absorption_h"] if absorption == "zero-order" else [])}
    assert set(pharmacokinetics.conduct_quantities(glue.pk)) == conduct


def test_transit_compartments_are_as_many_as_the_file_says(pk):
    glue = pk.compound(pk.section("transit"))
    assert [s for s in compose(pharmacokinetics.parts(glue.pk)).species if "transit" in s or "gut" in s] == [
        "glue_gut",
        *(f"glue_transit_{i}" for i in (1, 2, 3, 4)),
    ]


def test_the_shipped_numbers_stand_in_the_order_that_random_effects_keep():
    shipped = compounds.load("pomalidomide")
    numbers = pharmacokinetics.quantities(shipped.pk)
    assert list(numbers.items()) == list(shipped.trial_quantities({}).items())[:5]
    assert pharmacokinetics.covariances(shipped.pk) == shipped.pk.covariance
    assert pharmacokinetics.covariates(shipped.pk) == shipped.pk.covariate


def test_a_bioavailability_that_is_left_out_is_said(pk):
    shipped = pharmacokinetics.conduct_quantities(compounds.load("pomalidomide").pk)
    assert shipped["bioavailability"].typical == 1.0
    assert "not in the compound's file" in shipped["bioavailability"].why
    given = pharmacokinetics.conduct_quantities(pk.compound(pk.section(bioavailability=0.7)).pk)
    assert given["bioavailability"].typical == 0.7
