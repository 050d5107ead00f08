"""Structures against keys, formulas and masses that sources print, and against sums of atomic masses."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from glueprint.chemistry import draw, draw_scheme, reactions, routes, structures
from glueprint.chemistry.drawing import laid
from glueprint.errors import InputError

# InChIKeys as printed by the sources named in evidence rows CHE-002, CHE-018 and CHE-019.
PRINTED_KEYS = {
    "pomalidomide": "UVSMNLNDYGZFPF-UHFFFAOYSA-N",
    "3-nitrophthalic anhydride": "ROFZMKDROVBLNY-UHFFFAOYSA-N",
    "4-nitrophthalic anhydride": "MMVIDXVHQANYAE-UHFFFAOYSA-N",
}
# Monoisotopic masses, AME2020 (doi 10.1088/1674-1137/abddaf), Da.
ISOTOPE_MASS = {
    "C": 12.0,
    "H": 1.00782503190,
    "N": 14.00307400425,
    "O": 15.99491461926,
    "Cl": 34.968852694,
    "F": 18.99840316207,
    "Na": 22.9897692820,
}
DRAWN = (
    "thalidomide",
    "lenalidomide",
    "pomalidomide",
    "(S)-pomalidomide",
    "3-nitrophthalic anhydride",
    "water",
)


@pytest.mark.parametrize("name", PRINTED_KEYS)
def test_keys_are_those_that_sources_print(name):
    assert structures.load(name).inchikey == PRINTED_KEYS[name]


def test_pomalidomide_has_the_printed_formula_and_mass():
    found = structures.load("pomalidomide")
    assert found.formula == "C13H11N3O4"
    # CHE-001 prints 273.2441 from older atomic weights; 30 ppm cover the difference.
    assert found.average_mass_g_per_mol == pytest.approx(273.2441, rel=3e-5)
    assert structures.load("3-nitrophthalic anhydride").average_mass_g_per_mol == pytest.approx(
        193.11, abs=0.01
    )


@pytest.mark.parametrize("name", structures.names())
def test_exact_mass_is_the_sum_of_its_atoms(name):
    found = structures.load(name)
    total = sum(ISOTOPE_MASS[element] * count for element, count in reactions.atoms(found).items())
    assert found.exact_mass_g_per_mol == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize("drug", ["thalidomide", "lenalidomide", "pomalidomide"])
def test_enantiomers_share_the_skeleton_and_nothing_else(drug):
    racemate, left, right = (structures.load(prefix + drug) for prefix in ("", "(S)-", "(R)-"))
    assert (racemate.stereo, left.stereo, right.stereo) == ("racemate or undefined", "S", "R")
    assert len({racemate.inchikey, left.inchikey, right.inchikey}) == 3
    assert len({one.inchikey[:14] for one in (racemate, left, right)}) == 1
    assert left.exact_mass_g_per_mol == right.exact_mass_g_per_mol == racemate.exact_mass_g_per_mol
    assert structures.by_key(left.inchikey).name == f"(S)-{drug}"


def test_the_two_amino_isomers_weigh_the_same_and_are_not_the_same():
    right, wrong = structures.load("pomalidomide"), structures.load("5-aminothalidomide")
    assert right.formula == wrong.formula
    assert right.inchikey != wrong.inchikey


def test_the_guide_name_of_the_anhydride_is_an_alias_of_the_right_one():
    assert structures.load("4-nitroisobenzofuran-1,3-dione").name == "3-nitrophthalic anhydride"


def test_names_and_aliases_are_unique_and_keys_too():
    named = [
        alias.casefold() for name in structures.names() for alias in (name, *structures.load(name).aliases)
    ]
    assert len(named) == len(set(named))
    assert structures.table()["inchikey"].is_unique().all()


def test_table_has_its_schema_and_one_row_a_structure():
    table = structures.table()
    assert table.schema == structures.SCHEMA
    assert tuple(table["name"]) == structures.names()


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_are_well_formed_svg(name):
    image = ET.fromstring(draw(structures.load(name), width_px=200, height_px=150))
    assert image.tag.endswith("svg")
    assert image.get("width") == "200px"


def test_the_family_is_drawn_on_one_scaffold():
    lenalidomide, pomalidomide = (draw(structures.load(n)) for n in ("lenalidomide", "pomalidomide"))
    assert _amine_position(lenalidomide) == pytest.approx(_amine_position(pomalidomide), abs=12.0)


def _amine_position(svg: str) -> tuple[float, float]:
    """Where the NH2 nitrogen is drawn: the end point of the blue half bond that lies lowest."""
    ends = []
    for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        if "stroke:#0000FF" in path.get("style", ""):
            numbers = path.get("d", "").replace("M", "").replace("L", " ").replace(",", " ").split()
            ends.append((float(numbers[-2]), float(numbers[-1])))
    return max(ends, key=lambda point: point[1])


def test_unknown_name_offers_the_nearest():
    with pytest.raises(InputError, match="GP-H001") as caught:
        structures.load("pomalidomid")
    assert 'did you mean "pomalidomide"' in caught.value.message


@pytest.mark.parametrize("name", ["(S)-water", "(R)-Boc-L-glutamine", "(X)-thalidomide"])
def test_no_enantiomer_is_made_up(name):
    with pytest.raises(InputError, match="GP-H001"):
        structures.load(name)


@pytest.mark.parametrize("smiles", ["C1CC", "c1ccccc", "", "not a molecule", "C(C)(C)(C)(C)C"])
def test_unreadable_smiles_names_its_place(smiles):
    with pytest.raises(InputError, match="GP-H002") as caught:
        structures.from_smiles(smiles, where="my.toml, structure[3]")
    assert caught.value.where == "my.toml, structure[3]"


@given(st.text(max_size=30))
def test_any_text_is_a_structure_or_a_coded_error(text):
    refused = None
    try:
        structures.from_smiles(text)
    except InputError as error:
        refused = error.code
    assert refused in (None, "GP-H002")


@pytest.mark.parametrize("name", routes.available())
def test_a_scheme_is_well_formed_and_names_every_structure_and_step(name):
    route = routes.load(name)
    image = ET.fromstring(draw_scheme(route))
    words = "".join(" ".join(node.itertext()) for node in image.iter() if node.tag.endswith("text"))
    squeezed = words.replace(" ", "")
    for step in route.step:
        for text in (step.name, *step.reactants, *step.products, *step.releases, *step.reagents):
            assert text.replace(" ", "") in squeezed
        assert "yield" in words
        assert not step.racemises or "stereocentre is lost" in words


def test_a_substituent_at_c4_lies_on_the_same_side_whatever_it_is():
    # The carbon that carries the group is in one place.
    places = []
    for name in ("pomalidomide", "4-nitrothalidomide", "lenalidomide"):
        mol = laid(structures.load(name))
        carrier = Chem.MolFromSmarts("c([$([NX3;H2]),$([N+](=O)[O-])])c[C;$(C=O),$([CH2])]")
        match = mol.GetSubstructMatch(carrier)
        places.append(tuple(mol.GetConformer().GetPositions()[match[0]][:2]))
    for other in places[1:]:
        assert other == pytest.approx(places[0], abs=0.05)
