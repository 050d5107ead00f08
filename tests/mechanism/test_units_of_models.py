"""SBML of every model: libsbml finds no unit that does not fit, and the check can fail."""

from __future__ import annotations

import libsbml
import pytest

from glueprint import engine
from glueprint.mechanism import Scenario, culture, dimensions, models
from glueprint.units import convert

EVERY = [(name, "reduced") for name in models.names()] + [(name, "kinetic") for name in culture.CULTURES]


def findings(text):
    """What libsbml 5.21.2 says about units, and all else but advice on style."""
    document = libsbml.readSBMLFromString(text)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    return [document.getError(i).getMessage() for i in range(document.getNumErrors())]


@pytest.mark.parametrize(("name", "form"), EVERY)
def test_no_unit_is_missing_or_wrong(name, form):
    assert findings(models.sbml(name, Scenario.of(form=form))) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("kd_nm has nanomolar;", "kd_nm has per_h;"),
        ("(24 h_per_d)", "24"),
        ("log_m_protein = ln(m_protein0_g_per_l / (1 g_per_l));", "log_m_protein = ln(m_protein0_g_per_l);"),
        ("glue_gut has mg;", "glue_gut has dimensionless;"),
    ],
)
def test_a_wrong_unit_is_found(right, wrong):
    text = models.source("trial", Scenario.of())
    assert right in text
    document, _ = engine.reading.read(text.replace(right, wrong))
    assert findings(libsbml.writeSBMLToString(document))


def test_every_quantity_of_a_model_declares_its_unit():
    model = libsbml.readSBMLFromString(models.sbml("culture_myeloma", Scenario.of(form="kinetic"))).getModel()
    for items in (model.getListOfParameters(), model.getListOfCompartments()):
        assert len(items) > 0
        assert all(item.isSetUnits() for item in items)
    # dimensionless is the substance of the model, so only other species say theirs
    assert model.getSubstanceUnits() == "dimensionless"
    drug = model.getSpecies("drug_s_nm")
    factor = model.getParameter(drug.getConversionFactor())
    assert factor.getUnits() == drug.getSubstanceUnits() != ""
    assert factor.getValue() == 1.0


@pytest.mark.parametrize(
    ("spelling", "si"),
    [
        ("nM", 1e-6),
        ("1/h", 1 / 3600),
        ("1/d", 1 / 86400),
        ("1/month", 1 / 2629800),
        ("L/h", 1e-3 / 3600),
        ("g/dL", 10.0),
    ],
)
def test_definitions_agree_with_pint(spelling, si):
    # SI values of the definitions in dimensions.UNITS, and what the units room says of the same spelling.
    base = {"nM": "mol/m^3", "1/h": "1/s", "1/d": "1/s", "1/month": "1/s", "L/h": "m^3/s", "g/dL": "kg/m^3"}[
        spelling
    ]
    assert convert(1.0, spelling, base) == pytest.approx(si)
    assert dimensions.declarations({spelling})
