"""Compound files: what ships, and what a bad file is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from glueprint.documents import parse
from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import Scenario, compounds, models, parameters

SHIPPED = Path(compounds.__file__).parent / "data" / "compounds" / "pomalidomide.toml"


@pytest.fixture
def edited(tmp_path):
    def write(old, new):
        text = SHIPPED.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "mine.toml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", compounds.names())
def test_structures_agree_with_rdkit(name):
    # rdkit 2026.3: average molar mass and InChIKey of the SMILES.
    compound = compounds.load(name)
    molecule = Chem.MolFromSmiles(compound.structure.smiles)
    assert Descriptors.MolWt(molecule) == pytest.approx(
        compound.structure.molar_mass_g_per_mol.typical, abs=0.02
    )
    if compound.structure.inchikey:
        assert Chem.MolToInchiKey(molecule) == compound.structure.inchikey


def test_the_family_ships():
    assert compounds.names() == (
        "avadomide",
        "iberdomide",
        "lenalidomide",
        "mezigdomide",
        "pomalidomide",
        "thalidomide",
    )


def test_a_compound_of_ones_own_is_read_by_path(edited):
    path = edited("typical = 264.0", "typical = 132.0")
    assert parameters.typical(Scenario.of(path))["kd_nm"] == 132.0
    assert "kd_nm = 132.0;" in models.source("trial", Scenario.of(str(path)))


def test_a_file_is_parsed_again_only_where_its_text_has_changed(edited, monkeypatch):
    parsed = []
    monkeypatch.setattr(
        compounds, "parse", lambda text, *how, **more: parsed.append(text) or parse(text, *how, **more)
    )
    for kd_nm in (132.0, 132.0, 66.0):
        path = edited("typical = 264.0", f"typical = {kd_nm}")
        assert compounds.load(path).kd().typical == kd_nm
        assert compounds.load(path).kd().typical == kd_nm
    # Once for what else the file names, once for what it says.
    assert len(parsed) == 4


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        InputError, match=r'GP-M001 unknown compound "pomalidomid" \(did you mean "pomalidomide"\?\)'
    ):
        compounds.load("pomalidomid")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"GP-M002 .*none\.toml: cannot be read"):
        compounds.load(tmp_path / "none.toml")


def test_text_that_is_not_toml_is_refused_with_its_line(edited):
    with pytest.raises(InputError, match=r"GP-M003 .*mine\.toml, line 6, column 11: not TOML"):
        compounds.load(edited("[structure]", "[structure"))


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ("kd_nm =", "kd_nmol =", "pharmacology.kd_nmol", 'is not known (did you mean "kd_nm"?)'),
        (
            'role = "input", evidence = ["PK056"]',
            'role = "guess", evidence = ["PK056"]',
            "pk.intercompartment",
            "input",
        ),
        (
            'evidence = ["PK059"]',
            "evidence = []",
            "pk.peripheral_l",
            'else role = "measured" or "assumed"',
        ),
        (
            'typical = 264.0, unit = "nM"',
            'typical = 0.264, unit = "uM"',
            "pharmacology.kd_nm",
            "give the value in nM",
        ),
        ("typical = 69.9", "typical = -69.9", "pk.central_l", "-69.9 is not a positive number"),
        ("typical = 7.78", 'typical = "fast"', "pk.clearance_l_per_h.typical", "a number"),
        (
            'typical = 1.25, unit = "1/h"',
            'typical = 1.25, unit = "per hour"',
            "pk.absorption_per_h",
            'unit "per hour" is not known',
        ),
        ("omega2 = 0.976", "omega2 = 0.0", "pk.absorption_per_h", "omega2 > 0"),
        ('name = "pomalidomide"\n', "", "name", "is missing"),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(edited, old, new, field, told):
    with pytest.raises(InputError) as caught:
        compounds.load(edited(old, new))
    text = str(caught.value)
    assert caught.value.code == "GP-M004"
    assert field in text
    assert told in text
    assert "mine.toml" in text


def test_a_file_of_another_kind_is_refused_first(edited):
    with pytest.raises(InputError, match=r"GP-M010 .*mine\.toml, version: version is 2"):
        compounds.load(edited("version = 1", "version = 2"))


def test_substrates_that_are_none_are_refused_together_with_the_nearest(edited):
    strange = '"IKZF1", "IKZF33", "zinc"'
    number = '{ typical = 5.0, unit = "dimensionless", role = "measured", why = "fit" }'
    rho = f"[pharmacology.rho]\nikzf1_tcells = {number}\n"
    path = edited("[pharmacology.cooperativity]", rho + "[pharmacology.cooperativity]")
    path.write_text(path.read_text(encoding="utf-8").replace('"IKZF1", "IKZF3"', strange), encoding="utf-8")
    with pytest.raises(InputError, match=r'GP-M014 .*mine\.toml.*degrades: "IKZF33" .*"IKZF3"') as caught:
        compounds.load(path)
    assert 'degrades: "zinc"' in caught.value.message
    assert 'rho: "ikzf1_tcells" is no substrate that is known (did you mean "ikzf1_tcell"?)' in str(
        caught.value
    )
    assert "[substrates.NAME]" in caught.value.expected


@pytest.mark.parametrize("role", ["assumed", "measured", "definition"])
def test_a_number_that_rests_on_words_needs_them(edited, role):
    path = edited('role = "input", evidence = ["PK059"]', f'role = "{role}", evidence = []')
    with pytest.raises(InputError, match=rf'GP-M004 .*role "{role}" needs "why"'):
        compounds.load(path)


def test_a_file_is_found_from_its_folder_and_a_compound_is_itself(edited):
    path = edited("typical = 264.0", "typical = 132.0")
    glue = compounds.load("mine.toml", folder=path.parent)
    assert glue.kd().typical == 132.0
    assert compounds.load(glue) is glue


def test_the_source_of_a_shipped_file_is_its_text():
    assert compounds.source("pomalidomide") == SHIPPED.read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r'GP-M001 .*did you mean "pomalidomide"'):
        compounds.source("pomalidomid")


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("iberdomide", "pk"),
        ("avadomide", "pharmacology.fraction_unbound"),
        ("thalidomide", "pharmacology.kd_nm"),
    ],
)
def test_a_trial_without_the_numbers_is_refused(name, lacking):
    with pytest.raises(NotSupportedError, match="GP-M005") as caught:
        models.trial(Scenario.of(name))
    assert lacking in str(caught.value)
