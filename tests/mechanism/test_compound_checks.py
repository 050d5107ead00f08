"""What a user's compound file says must be able to be: every finding accepts, refuses and is told at once."""

from __future__ import annotations

import tomllib

import pytest

from glueprint.errors import InputError
from glueprint.mechanism import compound_checks, compounds
from glueprint.mechanism.compounds import Medium, Pharmacokinetics, Pharmacology
from glueprint.mechanism.substrates import CellOfBody, Substrate

TEXT = compounds.source("pomalidomide")
SMILES = 'smiles = "NC1=CC=CC2=C1C(=O)N(C1CCC(=O)NC1=O)C2=O"'
KEY = "UVSMNLNDYGZFPF-UHFFFAOYSA-N"


@pytest.fixture
def edited(tmp_path):
    def load(*changes):
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return compounds.load(path)

    return load


@pytest.mark.parametrize("name", compounds.names())
def test_what_ships_passes(name):
    assert compound_checks.doubts(tomllib.loads(compounds.source(name))) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("typical = 273.24", "typical = 273.29"),  # sources round, and weigh atoms as their year did
        (SMILES, 'smiles = "O=C1CCC(N2C(=O)C3=CC=CC(N)=C3C2=O)C(=O)N1"'),  # written another way
        (f'inchikey = "{KEY}"\n', ""),
        ("typical = 264.0", "typical = 1e-4"),
        ("typical = 264.0", "typical = 1e8"),
        ("typical = 0.70", "typical = 0.999"),
        ("typical = 0.206", "typical = 0.0"),
        ('why = "about 30 % bound', 'why = "for EXAMPLE, about 30 % bound'),
    ],
)
def test_what_can_be_is_accepted(edited, old, new):
    assert edited((old, new)).name == "pomalidomide"


FINDINGS = [
    (
        "typical = 273.24",
        "typical = 999.0",
        "structure.molar_mass_g_per_mol",
        "the SMILES weighs 273.25 g/mol",
    ),
    (
        "typical = 273.24",
        "typical = 273.31",
        "structure.molar_mass_g_per_mol",
        "the SMILES weighs 273.25 g/mol",
    ),
    (SMILES, 'smiles = "hello"', "structure.smiles", '"hello" cannot be read'),
    (SMILES, 'smiles = " "', "structure.smiles", "cannot be read"),
    (KEY, "UEJJHQNACJXSKW-UHFFFAOYSA-N", "structure.inchikey", "is not of the SMILES"),
    (
        'evidence = ["BIN-001"], why = "SPR;',
        'evidence = ["BIN-001"], why = "EXAMPLE SPR;',
        "pharmacology.kd_nm",
        "264 nM is the template's example",
    ),
    ("typical = 264.0", "typical = 2.64e9", "pharmacology.kd_nm", "2.64e+09 nM"),
    ("typical = 264.0", "typical = 1e-5", "pharmacology.kd_nm", "1e-05 nM"),
    (
        "IKZF3 = { typical = 1.0",
        "IKZF3 = { typical = 1e4",
        "pharmacology.efficacy.IKZF3",
        "10000 dimensionless",
    ),
    (
        'degrades = ["IKZF1", "IKZF3"]',
        'degrades = ["IKZF1"]',
        "pharmacology.efficacy.IKZF3",
        "1 dimensionless, but `degrades` does not name IKZF3",
    ),
    ("typical = 7.78", "typical = 7.78e6", "pk.clearance_l_per_h", "7.78e+06 L/h"),
    ("typical = 0.31, unit", "typical = 3100.0, unit", "stability.blood.inversion_s_to_r_per_h", "3100 1/h"),
]


@pytest.mark.parametrize(("old", "new", "field", "told"), FINDINGS)
def test_what_cannot_be_is_refused_with_its_field(edited, old, new, field, told):
    with pytest.raises(InputError, match="GP-M080") as caught:
        edited((old, new))
    assert caught.value.where.endswith(f"mine.toml, {field}")
    assert told in caught.value.message
    assert "Also" not in caught.value.message


def test_everything_is_told_at_once(edited):
    chosen = [FINDINGS[number] for number in (0, 4, 5, 9, 10)]
    with pytest.raises(InputError, match="GP-M080") as caught:
        edited(*((old, new) for old, new, _, _ in chosen))
    text = str(caught.value)
    for _, _, field, told in chosen:
        assert field in text
        assert told in text


def test_a_bad_field_hides_nothing_else(edited):
    with pytest.raises(InputError) as caught:
        edited(
            ('typical = 264.0, unit = "nM"', 'typical = 264.0, unit = "uM"'),
            ('degrades = ["IKZF1", "IKZF3"]', 'degrades = ["IKZF1", "IKFZ3"]'),
            ("typical = 273.24", "typical = 999.0"),
        )
    text = str(caught.value)
    for code, field in (
        ("GP-M004", "pharmacology.kd_nm"),
        ("GP-M014", "pharmacology.degrades"),
        ("GP-M080", "structure.molar_mass_g_per_mol"),
    ):
        assert code in text
        assert field in text
    assert 'did you mean "IKZF3"' in text


@pytest.mark.parametrize("part", list(compound_checks.LIMITS))
def test_every_limit_is_of_a_field_that_a_file_may_have(part):
    models = (Pharmacology, Medium, Pharmacokinetics, Substrate, CellOfBody)
    assert any(part in model.model_fields for model in models)
    low, high = compound_checks.LIMITS[part]
    assert 0.0 <= low < high


@pytest.mark.parametrize("name", compounds.names())
def test_every_number_but_masses_and_errors_has_a_limit(name):
    without = {
        field
        for field in compounds.load(name).quantities()
        if not set(field.split(".")) & set(compound_checks.LIMITS)
    }
    assert without <= {"structure.molar_mass_g_per_mol", "pk.residual_log_sd"}
