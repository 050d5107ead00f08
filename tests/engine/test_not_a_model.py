"""Files that are no model, or leave open what they mean, are refused by name; submodels are put together."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.errors import InputError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core"'
COMP = ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
PORTS = '<comp:listOfPorts><comp:port comp:idRef="A" comp:id="A_port"/></comp:listOfPorts>'
LAW = (
    '<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>A</ci>'
    "<ci>c</ci></apply></math></kineticLaw>"
)


def organ(*, comp="", ports="", stoichiometry='stoichiometry="1" ', law=LAW):
    return f"""{HEAD}{comp} level="3" version="1"><model id="organ">
 <listOfCompartments><compartment id="c" spatialDimensions="3" size="2" constant="true"/></listOfCompartments>
 <listOfSpecies><species id="A" compartment="c" initialConcentration="4" hasOnlySubstanceUnits="false"
  boundaryCondition="false" constant="false"/></listOfSpecies>
 <listOfParameters><parameter id="k" value="0.1" constant="true"/></listOfParameters>
 <listOfReactions><reaction id="J" reversible="false" fast="false"><listOfReactants>
  <speciesReference species="A" {stoichiometry}constant="true"/></listOfReactants>{law}</reaction>
 </listOfReactions>{ports}</model></sbml>"""


def body(source="organ.xml", extra=""):
    return f"""{HEAD}{COMP} level="3" version="1"><model id="body"><comp:listOfSubmodels>
 <comp:submodel comp:id="left" comp:modelRef="organ_ref"/></comp:listOfSubmodels></model>
 <comp:listOfExternalModelDefinitions><comp:externalModelDefinition comp:id="organ_ref"
  comp:source="{source}"{extra}/></comp:listOfExternalModelDefinitions></sbml>"""


def end_of(path, name):
    run = engine.compile(path).ensemble(patients=1).simulate([0.0, 10.0], outputs=[name])
    return run[name][0, -1]


@pytest.mark.parametrize(
    "text", ["// nothing yet\n", "\n\n/* a\nremark */\n", f'{HEAD} level="3" version="1"><model/></sbml>']
)
def test_a_remark_is_no_model(text):
    with pytest.raises(InputError, match=r"GP-N042 .*holds no model"):
        engine.compile(text + "\n")


def test_a_file_of_no_bytes_is_no_model(tmp_path):
    path = tmp_path / "download.xml"
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"GP-N001 .*it is empty"):
        engine.compile(path)


def test_a_stoichiometry_without_value_is_named():
    with pytest.raises(InputError, match=r'GP-N044 .*reaction "J": the stoichiometry of "A"'):
        engine.compile(organ(stoichiometry=""))


def test_a_reaction_without_rate_is_named():
    with pytest.raises(InputError, match=r'GP-N045 .*reaction "J" has no rate, so "A"'):
        engine.compile(organ(law=""))


def test_ports_change_nothing(tmp_path):
    path = tmp_path / "organ.xml"
    path.write_text(organ(comp=COMP, ports=PORTS), encoding="utf-8")
    assert end_of(path, "A") == pytest.approx(4 * np.exp(-1), rel=1e-5)


@pytest.mark.parametrize("extra", ["", ' comp:modelRef="organ"'])
def test_submodels_come_from_files_beside_the_model(tmp_path, extra):
    (tmp_path / "organ.xml").write_text(organ(comp=COMP, ports=PORTS), encoding="utf-8")
    (tmp_path / "body.xml").write_text(body(extra=extra), encoding="utf-8")
    assert end_of(tmp_path / "body.xml", "left__A") == pytest.approx(4 * np.exp(-1), rel=1e-5)


def test_files_within_files(tmp_path):
    (tmp_path / "organ.xml").write_text(organ(comp=COMP, ports=PORTS), encoding="utf-8")
    (tmp_path / "body.xml").write_text(body(), encoding="utf-8")
    (tmp_path / "pair.xml").write_text(body("body.xml").replace("organ_ref", "whole"), encoding="utf-8")
    assert end_of(tmp_path / "pair.xml", "left__left__A") == pytest.approx(4 * np.exp(-1), rel=1e-5)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("missing.xml", "No such file"),
        ("../organ.xml", "folder of the model only"),
        ("/etc/passwd", "folder of the model only"),
        ("notes.xml", "is not XML"),
        ("older.xml", "another level or version"),
        ("body.xml", "deep"),
    ],
)
def test_submodels_that_do_not_fit_are_refused(tmp_path, source, said):
    (tmp_path / "body.xml").write_text(body(source), encoding="utf-8")
    (tmp_path / "notes.xml").write_text("a note", encoding="utf-8")
    (tmp_path / "older.xml").write_text(organ().replace("version1/core", "version2/core"), encoding="utf-8")
    with pytest.raises(InputError, match="GP-N043") as caught:
        engine.compile(tmp_path / "body.xml")
    assert said in str(caught.value)


def test_a_submodel_of_another_name_is_refused(tmp_path):
    (tmp_path / "organ.xml").write_text(organ(), encoding="utf-8")
    (tmp_path / "body.xml").write_text(body(extra=' comp:modelRef="liver"'), encoding="utf-8")
    with pytest.raises(InputError, match=r'GP-N043 .*holds no model "liver"'):
        engine.compile(tmp_path / "body.xml")


def test_a_text_lies_in_no_folder():
    with pytest.raises(InputError, match=r"GP-N043 .*a text lies in no folder"):
        engine.compile(body())
