"""What SBML means, construct by construct, each with its value worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings

TIGHT = Settings(accuracy=1e-10)


def at_one(text, *outputs, **kwargs):
    result = engine.compile(text).ensemble(settings=TIGHT, **kwargs).simulate([1.0], outputs=outputs)
    assert not result.status.any(), result.reasons
    return result.values[0, 0]


def test_a_reaction_changes_amounts_and_a_law_reads_concentrations():
    # Rate k*S with S = amount/2: the amount falls by k/2.
    text = "compartment c = 2; species S in c; S = 3; J: S -> ; k*S; k = 0.8;"
    np.testing.assert_allclose(at_one(text, "S"), 3 * math.exp(-0.4), rtol=1e-8)


def test_a_species_of_amount_reads_as_amount():
    text = "compartment c = 2; substanceOnly species S in c; S = 3; J: S -> ; k*S; k = 0.8;"
    np.testing.assert_allclose(at_one(text, "S"), 3 * math.exp(-0.8), rtol=1e-8)


def test_concentrations_follow_a_growing_compartment():
    text = "compartment c = 1; c' = 1; species S in c; S = 3;"
    np.testing.assert_allclose(at_one(text, "S", "c"), [1.5, 2.0], rtol=1e-8)


def test_between_compartments_amounts_move():
    text = """
      compartment a = 1, b = 4; species A in a, B in b; A = 2; B = 0; J: A -> B; k*A*a; k = 1;
    """
    left = 2 * math.exp(-1)
    np.testing.assert_allclose(at_one(text, "A", "B"), [left, (2 - left) / 4], rtol=1e-8)


def test_stoichiometry_and_boundary_species():
    text = "species $S = 5, P = 0; J: 2 S -> 3 P; k*S; k = 0.1;"
    np.testing.assert_allclose(at_one(text, "S", "P"), [5, 1.5], rtol=1e-8)
    assert engine.compile(text).stoichiometry.tolist() == [[-2.0], [3.0]]


def test_a_dose_is_an_amount_in_any_compartment():
    model = engine.compile("compartment c = 4; species S in c; S = 1; J: S -> ; 0*S;")
    got = model.ensemble(settings=TIGHT).simulate([1.0], Doses([0], 0.0, "S", 2.0), ["S"])
    np.testing.assert_allclose(got["S"][0], 1.5)


def test_assignment_rules_in_any_order_and_functions():
    text = """
      function square(a) a*a end
      function twice(a, b) square(a) + b end
      z := twice(y, 1); y := x + 1; x' = 1; x = 0;
    """
    np.testing.assert_allclose(at_one(text, "y", "z"), [2, 5], rtol=1e-9)


def test_initial_assignments_follow_the_patients_values():
    text = "species x; J: x -> ; k*x; k = q/2; q = 4; x = 3*q;"
    model = engine.compile(text)
    assert model.defaults["k"] == 2
    assert model.defaults["x"] == 12
    ensemble = model.ensemble({"q": [4.0, 1.0]})
    np.testing.assert_array_equal(ensemble["k"], [2, 0.5])
    np.testing.assert_array_equal(ensemble["x"], [12, 3])
    np.testing.assert_array_equal(model.ensemble({"q": 1.0, "k": 7.0})["k"], [7])


@pytest.mark.parametrize(
    ("formula", "want"),
    [
        ("piecewise(1, time < 0.25, 3, time < 0.5, 5)", 0.25 * 1 + 0.25 * 3 + 0.5 * 5),
        ("min(time, 0.5)", 0.125 + 0.25),
        ("max(time, 0.5)", 0.25 + 0.375),
        ("abs(time - 0.5)", 0.25),
        ("floor(4*time)", (0 + 1 + 2 + 3) / 4),
        ("ceil(4*time)", (1 + 2 + 3 + 4) / 4),
        ("exp(-time)", 1 - math.exp(-1)),
        ("sin(time) + cos(time)", 1 - math.cos(1) + math.sin(1)),
        ("tanh(time)", math.log(math.cosh(1))),
        ("ln(1 + time)", 2 * math.log(2) - 1),
        ("log10(1 + time)", (2 * math.log(2) - 1) / math.log(10)),
        ("sqrt(time)", 2 / 3),
        ("time^3", 1 / 4),
        ("time^2.5", 1 / 3.5),
        ("arctan(time)", math.pi / 4 - math.log(2) / 2),
        ("factorial(3)*time", 3),
        ("pi + 0*time", math.pi),
        ("piecewise(2, time > 0.5 || time < 0.25, 1)", 1.75),
        ("piecewise(2, !(time > 0.5) && time > 0.25, 1)", 1.25),
    ],
)
def test_mathematics(formula, want):
    np.testing.assert_allclose(at_one(f"x' = {formula}; x = 0;", "x"), want, rtol=2e-7)


def test_rate_of():
    np.testing.assert_allclose(at_one("x' = 2*time; x = 0; y' = rateOf(x); y = 0;", "y"), 1, rtol=1e-8)


def test_local_parameters_have_their_reaction_before_their_name():
    sbml = """<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">
    <listOfCompartments>
      <compartment id="c" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
    <listOfSpecies><species id="S" compartment="c" initialAmount="1" hasOnlySubstanceUnits="false"
      boundaryCondition="false" constant="false"/></listOfSpecies>
    <listOfReactions><reaction id="J" reversible="false" fast="false">
      <listOfReactants><speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants>
      <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
        <apply><times/><ci>k</ci><ci>S</ci></apply></math>
        <listOfLocalParameters><localParameter id="k" value="2"/></listOfLocalParameters>
      </kineticLaw></reaction></listOfReactions></model></sbml>"""
    model = engine.compile(sbml)
    assert model.parameters == ("c", "J.k")
    np.testing.assert_allclose(at_one(sbml, "S"), math.exp(-2), rtol=1e-8)
    np.testing.assert_allclose(at_one(sbml, "S", parameters={"J.k": 1.0}), math.exp(-1), rtol=1e-8)


def test_a_model_without_states_still_has_time():
    np.testing.assert_allclose(at_one("p := time*2;", "p"), 2)


def test_reactions_can_be_read():
    np.testing.assert_allclose(at_one("species S = 2; J: S -> ; 3; S = 10;", "J", "S"), [3, 7], rtol=1e-9)


def test_the_file_and_its_text_are_the_same_model(tmp_path):
    text = "species S = 2; J: S -> ; k*S; k = 1;"
    path = tmp_path / "decay.ant"
    path.write_text(text, encoding="utf-8")
    assert engine.compile(path).hash == engine.compile(str(path)).hash == engine.compile(text).hash
    assert engine.compile(text.replace("k = 1", "k = 2")).hash != engine.compile(text).hash
