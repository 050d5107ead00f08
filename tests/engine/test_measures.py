"""Units that a file states: times are in them and say so, and conflicts are refused."""

from __future__ import annotations

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import engine
from glueprint.cli.model import app
from glueprint.errors import InputError

LN2 = 0.6931471805599453


def decay(*, time="day", rate="per_day", substance="item", extent="item", level=3):
    """X halves in one unit of time."""
    model = f'timeUnits="{time}" substanceUnits="{substance}" extentUnits="{extent}"' if time else ""
    second = '<unit kind="second" exponent="{}" scale="0" multiplier="{}"/>'
    definitions = {
        "day": second.format(1, 86400),
        "odd": second.format(1, 100),
        "per_day": second.format(-1, 86400),
        "per_hour": second.format(-1, 3600),
        "mmole": '<unit kind="mole" exponent="1" scale="-3" multiplier="1"/>',
    }
    listed = "".join(
        f'<unitDefinition id="{name}"><listOfUnits>{unit}</listOfUnits></unitDefinition>'
        for name, unit in definitions.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m" {model}>
 <listOfUnitDefinitions>{listed}</listOfUnitDefinitions>
 <listOfCompartments><compartment id="c" spatialDimensions="3" size="1" constant="true"/></listOfCompartments>
 <listOfSpecies><species id="X" compartment="c" initialAmount="100" hasOnlySubstanceUnits="true"
  boundaryCondition="false" constant="false"/></listOfSpecies>
 <listOfParameters><parameter id="k" value="{LN2}"{rate and f' units="{rate}"'}
  constant="true"/></listOfParameters>
 <listOfReactions><reaction id="J" reversible="false" fast="false"><listOfReactants>
  <speciesReference species="X" stoichiometry="1" constant="true"/></listOfReactants><kineticLaw>
  <math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>X</ci></apply></math>
  </kineticLaw></reaction></listOfReactions></model></sbml>"""


@pytest.fixture
def run(tmp_path):
    def call(text, *args):
        path = tmp_path / ("model.xml" if "<sbml" in text else "model.ant")
        path.write_text(text, encoding="utf-8")
        told = ["simulate", str(path), "--until", "24", "--every", "24", *args]
        return CliRunner().invoke(app, told, catch_exceptions=False).stdout

    return call


def table(text):
    return payload(text)["table"]


def test_the_time_of_the_file_is_named(run):
    found = table(run(decay(), "--json"))
    assert found["time_day"] == [0, 24]
    assert found["X"][1] == pytest.approx(100 * 2.0**-24, rel=1e-3)


def test_another_unit_of_time_is_converted(run):
    found = table(run(decay(), "--json", "--time-unit", "h"))
    assert found["time_h"] == [0, 24]
    assert found["X"][1] == pytest.approx(50, rel=1e-5)


def test_doses_are_in_the_unit_of_the_run(run):
    found = table(run(decay(), "--json", "--time-unit", "hour", "--dose", "X=100@12"))
    assert found["X"][1] == pytest.approx(50 + 100 * 2**-0.5, rel=1e-5)


def test_a_file_without_unit_of_time_takes_the_one_that_is_said(run):
    text = "species X = 100; X -> ; 0.1*X;\n"
    assert "time_h" in table(run(text, "--json"))
    assert "time_min" in table(run(text, "--json", "--time-unit", "minutes"))


@pytest.mark.parametrize(
    ("time", "rate", "name"),
    [("second", "", "time_s"), ("odd", "", "time_100s"), ("dimensionless", "", "time")],
)
def test_headers_name_any_unit_of_time(run, time, rate, name):
    assert name in table(run(decay(time=time, rate=rate), "--json"))


def test_units_of_species_stand_in_the_header(run):
    assert "X (item)" in run(decay())
    assert payload(run(decay(), "--json"))["units"] == {"X": "item"}


def test_concentrations_have_the_unit_of_both():
    text = decay().replace('hasOnlySubstanceUnits="true"', 'hasOnlySubstanceUnits="false"')
    text = text.replace('size="1"', 'size="1" units="litre"')
    assert engine.compile(text).measures.species == {"X": "item/litre"}


def test_level_2_counts_in_seconds():
    text = decay(time="", rate="").replace("level3/version1/core", "level2/version4")
    text = text.replace('level="3" version="1"', 'level="2" version="4"').replace(
        ' constant="true"/><', "/><"
    )
    text = text.replace('stoichiometry="1" constant="true"', 'stoichiometry="1"')
    assert engine.compile(text).measures.time == engine.TimeUnit("s", 1.0)


def test_decays_are_per_hour(tmp_path):
    facts = engine.describe(engine.compile(decay()))["facts"]
    assert facts["unit of time"] == "day"
    assert facts["fastest and slowest decay, per hour"] == "0.0289 and 0.0289"
    facts = engine.describe(engine.compile(decay(time="dimensionless", rate="")))["facts"]
    assert facts["fastest and slowest decay, per unit of time"] == "0.693 and 0.693"


def test_reactions_counted_in_a_multiple_of_the_amount_are_refused():
    with pytest.raises(InputError, match="GP-N047") as caught:
        engine.compile(decay(substance="mole", extent="mmole"))
    assert '"X" is counted in "mole" and reactions in "mmole"' in str(caught.value)


def test_no_unit_of_time(run):
    with pytest.raises(InputError, match=r'GP-N046 --time-unit: "fortnight"'):
        run(decay(), "--time-unit", "fortnight")
    with pytest.raises(InputError, match="GP-N048"):
        run(decay(time="dimensionless", rate=""), "--time-unit", "h")
