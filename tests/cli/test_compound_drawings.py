"""Every compound command takes a compound as people give it, one or many."""

from __future__ import annotations

from functools import partial

import pytest
from rdkit import Chem
from tests.envelope import payload

from glueprint.cli.compound import app
from glueprint.errors import InputError

SODIUM = "[Na+].Nc1cccc2c1C(=O)N(C1CCC(=O)[N-]C1=O)C2=O"
IMINOL = "Nc1cccc2c1C(=O)N(C1CCC(=O)N=C1O)C2=O"
WAYS = [
    "pomalidomide",
    "CC-4047",
    "19171-19-8",
    "UVSMNLNDYGZFPF-UHFFFAOYSA-N",
    IMINOL,
    SODIUM,
    "InChI=1S/C13H11N3O4/c14-7-3-1-2-6-10(7)13(20)16(12(6)19)8-4-5-9(17)15-11(8)18/h1-3,8H,4-5,14H2,"
    "(H,15,17,18)",
]


@pytest.fixture
def printed(printed):
    return partial(printed, app)


@pytest.fixture
def sdf(tmp_path):
    path = tmp_path / "mine.sdf"
    block = Chem.MolToMolBlock(Chem.MolFromSmiles(IMINOL))
    path.write_text(f"{block}$$$$\n{block.replace('M  END', '')}$$$$\n{block}$$$$\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("text", WAYS)
@pytest.mark.parametrize("command", ["show", "check"])
def test_show_and_check_take_it_and_keep_verdict_and_note(command, text, printed):
    said = payload(printed(command, text, "--json"))
    assert said["inchikey"] == "UVSMNLNDYGZFPF-UHFFFAOYSA-N"
    assert said["same_as"] == "pomalidomide"
    assert "teratogen" in said["safety"]
    assert said.get("verdict", "likely") == "likely"
    assert "teratogen" in printed(command, text)


@pytest.mark.parametrize("text", WAYS)
def test_draw_compare_and_stability_take_it(text, printed):
    assert "</svg>" in printed("draw", text)
    assert payload(printed("compare", "thalidomide", text, "--json"))["changes"] == [
        {"gained": "NH2", "lost": "H", "on": "C"}
    ]
    assert payload(printed("stability", text, "--json"))["rates"]["compound"] == "pomalidomide"


def test_a_card_says_what_was_changed_and_what_a_salt_weighs(printed):
    text = printed("show", SODIUM)
    for word in (
        "sodium split off as counter-ion",
        "charges taken away",
        "295.230 g/mol",
        "22.990 g/mol each",
    ):
        assert word in text
    said = payload(printed("show", SODIUM, "--json"))
    assert said["average_mass_g_per_mol"] == pytest.approx(273.248, abs=0.001)
    assert said["mass_per_parent_g_per_mol"] == pytest.approx(295.230, abs=0.002)
    assert said["parts"][0]["name"] == "sodium"
    assert "drawn as" not in printed("show", "pomalidomide")


def test_ones_own_compound_is_shown(printed):
    said = payload(printed("show", "O=C1CCC(c2ccc(F)cc2)C(=O)N1", "--json"))
    assert (said["formula"], said["role"], said["same_as"]) == ("C11H10FNO2", "user", "")
    assert said["inchikey"] in printed("show", "O=C1CCC(c2ccc(F)cc2)C(=O)N1")
    check = payload(printed("check", "O=C1CCC(c2ccc(F)cc2)C(=O)N1", "--json"))
    assert (check["verdict"], check["pharmacophore"]) == ("likely", "phenyl-glutarimide")
    text = printed("check", "O=C1CCC(c2ccc(F)cc2)C(=O)N1")
    assert "class phenyl-glutarimide" in text
    # A likely binder outside the class gets a caution, and a look-alike none.
    assert "Caution: by its class it binds cereblon" in text
    assert "Caution" not in printed("check", "O=C1CCCC(=O)N1")
    assert "says nothing about potency" in text


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_file_of_many_is_a_table_with_its_findings(command, sdf, printed):
    text = printed(command, str(sdf), code=1)
    assert "GP-H016" in text
    assert "teratogen" in text
    said = payload(printed(command, str(sdf), "--json", code=1))
    assert [row.get("same_as", row.get("error", {}).get("code")) for row in said] == [
        "pomalidomide",
        "GP-H016",
        "pomalidomide",
    ]
    assert said[1]["where"].startswith(f"{sdf}, line ")
    sdf.write_text(sdf.read_text("utf-8").split("$$$$")[0], encoding="utf-8")
    assert payload(printed(command, str(sdf), "--json"))["same_as"] == "pomalidomide"


def test_a_list_without_faults_ends_with_zero(tmp_path, printed):
    path = tmp_path / "ok.smi"
    path.write_text(f"{IMINOL} mine\nO water\n", encoding="utf-8")
    assert "2 structures, 0 of them cannot be used" in printed("show", str(path))
    said = payload(printed("check", str(path), "--json", code=1))
    assert [row["verdict"] for row in said] == ["likely", "unlikely"]
    assert "no glutarimide" in printed("check", str(path), code=1)


def test_a_file_of_thousands_goes_out_as_lines(tmp_path, printed):
    path = tmp_path / "long.smi"
    path.write_text(f"{IMINOL} mine\n" * 600 + "C1CC\n", encoding="utf-8")
    lines = printed("show", str(path), code=1).splitlines()
    assert lines[0] == "601 structures, 1 of them cannot be used"
    assert lines[1].split("\t")[0] == "where"
    assert lines[2].split("\t")[2] == "pomalidomide"
    assert f"{path}, line 601" in lines[602]
    assert "GP-H002" in lines[602]
    assert "teratogen" in lines[603]
    assert len(printed("check", str(path), code=1).splitlines()) >= 603


def test_one_bad_structure_is_an_error_and_several_where_one_is_wanted_too(sdf, tmp_path, printed):
    with pytest.raises(InputError, match="GP-H021"):
        printed("draw", str(sdf))
    path = tmp_path / "bad.smi"
    path.write_text("C1CC\n", encoding="utf-8")
    assert "GP-H002" in printed("show", str(path), code=1)
    with pytest.raises(InputError, match="GP-H002"):
        printed("draw", str(path))


def test_binders_shows_answers_and_the_confusion_table(printed):
    text = printed("binders")
    assert "Precision 100 % (95 % limits 93 to 100 %)" in text
    assert "aminoglutethimide" in text
    said = payload(printed("binders", "--json"))
    assert len(said["compounds"]) >= 60
    assert said["confusion"]["recall"] == 1.0
