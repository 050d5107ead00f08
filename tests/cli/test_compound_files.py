"""`glueprint compound template` and `numbers`: a file to begin with, and what it says."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from glueprint.cli.compound import app
from glueprint.errors import InputError
from glueprint.mechanism import compounds


def printed(*words):
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "400"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my-compound.toml"
    path.write_text(printed("template"), encoding="utf-8")
    return path


def test_the_template_printed_is_a_file_that_loads(own):
    assert compounds.load(own).name == "my-compound"
    assert "Note" not in printed("numbers", str(own))


def test_numbers_name_their_source_and_what_is_lacking():
    found = json.loads(printed("numbers", "lenalidomide", "--json"))
    assert found["numbers"]["pharmacology.efficacy.IKZF1"]["evidence"] == ["DEG-004", "DRV-001"]
    assert found["missing"]["degradation"] == []
    iberdomide = json.loads(printed("numbers", "iberdomide", "--json"))
    assert iberdomide["missing"]["trial"] == ["pharmacology.fraction_unbound", "pk"]
    assert found["notes"] == []
    assert "0.454" in printed("numbers", "lenalidomide")


def test_a_form_has_numbers_of_its_own():
    found = json.loads(printed("numbers", "(S)-pomalidomide", "--json"))
    assert found["form"] == "S"
    assert found["numbers"]["pharmacology.kd_nm"]["typical"] == pytest.approx(145.2)


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("typical = 273.24", "typical = 373.24", "373.24, but the SMILES weighs 273.25"),
        (
            'role = "assumed", why = "own FP assay, plate 7"',
            'role = "input", evidence = ["BIN-999"]',
            "pharmacology.kd_nm cites BIN-999",
        ),
    ],
)
def test_what_does_not_fit_is_noted(own, old, new, note):
    own.write_text(own.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert note in printed("numbers", str(own))


def test_a_structure_that_is_none_is_refused(own):
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace("NC1=CC=CC2=C1C(=O)N(C1CCC(=O)NC1=O)C2=O", "hello"), encoding="utf-8")
    with pytest.raises(InputError, match=r"GP-H\d{3} .*structure\.smiles"):
        printed("numbers", str(own))
