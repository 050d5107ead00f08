"""The chemistry section: what it says, that it is computed, and that safety stands where one looks."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest

from glueprint.chemistry import routes, structures
from glueprint.errors import InputError
from glueprint.report.chemistry import chemistry_section
from glueprint.report.page import render


def rows(*names):
    found = [structures.load(name) for name in names]
    return [
        {
            "name": one.name,
            "smiles": one.smiles,
            "formula": one.formula,
            "mass_da": one.average_mass_g_per_mol,
            "inchikey": one.inchikey,
            "svg": None,
        }
        for one in found
    ]


@pytest.fixture(scope="module")
def section():
    return chemistry_section(rows("pomalidomide", "water", "avadomide"))


def test_no_substances_no_section():
    assert chemistry_section([]) is None


def test_cards_carry_descriptors_published_values_and_safety(section):
    pomalidomide, water, avadomide = section.cards
    assert ("H-bond donors", "2", "2 (CHE-003)") in pomalidomide.rows
    assert ("TPSA", "109.6 Å²", "") in pomalidomide.rows
    assert [card.safety for card in section.cards] == [True, False, True]
    assert "teratogen" in section.safety
    assert "REMS" in section.safety
    assert "EP3199532A1" in avadomide.verified
    assert water.image == ""


def test_a_substance_of_ones_own_gets_a_card(section):
    own = [{**rows("pomalidomide")[0], "name": "mine", "smiles": "CN1C(=O)CCC(N2C(=O)c3ccccc3C2=O)C1=O"}]
    (card,) = chemistry_section(own).cards
    assert card.safety
    assert card.rows
    with pytest.raises(InputError, match="GP-H002"):
        chemistry_section([{**own[0], "smiles": "C1CC"}])


def test_routes_were_run_and_the_trap_is_told(section):
    assert section.steps == section.steps_held == 32
    assert [row[0] for row in section.routes] == list(routes.available())
    assert {row[4] for row in section.routes} == {"yes"}
    (found,) = section.findings
    assert "5-aminothalidomide" in found["what"]
    assert "3-nitrophthalic anhydride" in found["remedy"]
    assert all("; ;" not in row[-1] for row in section.routes)


def test_schemes_are_images_with_words(section):
    assert [scheme.title[:7] for scheme in section.schemes] == ["Route A", "Route B"]
    for scheme in section.schemes:
        kind, data = scheme.image.split(",")
        assert kind == "data:image/svg+xml;base64"
        assert ET.fromstring(base64.b64decode(data)).tag.endswith("svg")
        assert "nitro reduction: 4-nitrothalidomide to pomalidomide" in scheme.alt


def test_assumed_constants_say_so(section):
    pomalidomide = next(row for row in section.stability if row[0] == "pomalidomide")
    assert pomalidomide[3].startswith("assumed as thalidomide in blood")
    assert next(row for row in section.stability if row[0] == "thalidomide")[5] == "CHE-014"


def test_the_page_has_the_section_and_its_place_in_the_contents(small_input):
    page = render(small_input)
    assert '<a href="#chemistry">' in page
    assert 'id="chemistry"' in page
    assert "Thalidomide class: treat as a human teratogen (REMS)" in page
    assert "32 of 32" in page
    empty = render(small_input.__class__(**{**vars(small_input), "compounds": small_input.compounds.clear()}))
    assert 'id="chemistry"' not in empty
