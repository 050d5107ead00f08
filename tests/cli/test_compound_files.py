"""`glueprint compound template` and `numbers`: a file to begin with, and what it says."""

from __future__ import annotations

from functools import partial

import pytest
from tests.envelope import payload

from glueprint.cli.compound import app
from glueprint.errors import InputError
from glueprint.mechanism import compounds


@pytest.fixture
def printed(printed):
    return partial(printed, app)


@pytest.fixture
def own(tmp_path, printed):
    """The template with numbers of one's own in the place of its examples."""
    path = tmp_path / "my-compound.toml"
    path.write_text(printed("template").replace("EXAMPLE", "own work"), encoding="utf-8")
    return path


def test_the_template_printed_is_a_file_that_loads_when_its_examples_are_gone(own, tmp_path, printed):
    assert compounds.load(own).name == "my-compound"
    assert "Note" not in printed("numbers", str(own))
    printed("template", str(tmp_path / "as it is.toml"))
    with pytest.raises(InputError, match=r"GP-M080 .*is the template's example"):
        compounds.load(tmp_path / "as it is.toml")


def test_numbers_name_their_source_and_what_is_lacking(printed):
    found = payload(printed("numbers", "lenalidomide", "--json"))
    assert found["numbers"]["pharmacology.efficacy.IKZF1"]["evidence"] == ["DEG-004", "DRV-001"]
    assert found["missing"]["degradation"] == []
    iberdomide = payload(printed("numbers", "iberdomide", "--json"))
    assert iberdomide["missing"]["trial"] == ["pharmacology.fraction_unbound", "pk"]
    assert found["notes"] == []
    assert "0.454" in printed("numbers", "lenalidomide")


def test_a_form_has_numbers_of_its_own(printed):
    found = payload(printed("numbers", "(S)-pomalidomide", "--json"))
    assert found["form"] == "S"
    assert found["numbers"]["pharmacology.kd_nm"]["typical"] == pytest.approx(145.2)


def test_an_unknown_source_is_noted(own, printed):
    text, old = own.read_text(encoding="utf-8"), 'role = "measured", why = "own work own FP assay, plate 7"'
    assert old in text
    own.write_text(text.replace(old, 'role = "input", evidence = ["BIN-999"]'), encoding="utf-8")
    assert "pharmacology.kd_nm cites BIN-999" in printed("numbers", str(own))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("typical = 273.24", "typical = 373.24", "373.24 g/mol, but the SMILES weighs 273.25 g/mol"),
        ("NC1=CC=CC2=C1C(=O)N(C1CCC(=O)NC1=O)C2=O", "hello", 'structure.smiles: "hello" cannot be read'),
    ],
)
def test_what_cannot_be_is_refused(own, old, new, words, printed):
    text = own.read_text(encoding="utf-8")
    assert old in text
    own.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match="GP-M080") as caught:
        printed("numbers", str(own))
    assert words in str(caught.value)


SCALED = """
[pk]
compartments = 1
lag_h = { typical = 0.0, unit = "h", role = "assumed", why = "swallowed as a solution" }
bioavailability = { typical = 0.7, unit = "dimensionless", role = "assumed", why = "as its analogues" }
absorption_per_h = { typical = 1.0, unit = "1/h", role = "assumed", why = "as its analogues" }
[pk.scaling]
why = "no human data"
[[pk.scaling.species]]
species = "rat"
weight_kg = 0.25
clearance_l_per_h = 0.30
central_l = 0.28
source = "own study"
"""


def test_numbers_scaled_from_animals_are_shown_as_assumed_and_act_on_patients(tmp_path, printed):
    text = compounds.source("pomalidomide")
    path = tmp_path / "mine.toml"
    path.write_text(text[: text.index("[pk]")] + SCALED, encoding="utf-8")
    found = payload(printed("numbers", str(path), "--json"))
    scaled = found["numbers"]["pk.scaling.clearance_l_per_h"]
    # One species: the exponent 0.75 over the ratio of body weights, docs/pharmacokinetics.md.
    assert scaled["typical"] == pytest.approx(0.30 * (70.0 / 0.25) ** 0.75, rel=1e-6)
    assert (scaled["role"], found["acts_on"]["pk.scaling.clearance_l_per_h"]) == ("assumed", "patients")
