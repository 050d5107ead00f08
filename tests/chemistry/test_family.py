"""Recognition, descriptors, matched pairs and metabolites, against what sources print."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from glueprint import evidence
from glueprint.chemistry import binder, descriptors, groups, metabolism, pairs, reactions, structures

DRUGS = ("thalidomide", "lenalidomide", "pomalidomide", "avadomide", "iberdomide", "mezigdomide")
ROWS = tomllib.loads((files("glueprint.chemistry") / "data" / "structures.toml").read_text("utf-8"))
# Formula and molar mass as vendors and databases print them for the names (CAS 1547162-41-3, 64567-60-8).
PRINTED = {
    "5-hydroxypomalidomide": ("C13H11N3O5", 289.24),
    "5-hydroxythalidomide": ("C13H10N2O5", 274.23),
    "thalidomide": ("C13H10N2O4", 258.23),
}
N_METHYL_THALIDOMIDE = "CN1C(=O)CCC(N2C(=O)c3ccccc3C2=O)C1=O"


@pytest.mark.parametrize(
    "row", [row for row in ROWS["structure"] if "key_seen" in row], ids=lambda r: r["name"]
)
def test_computed_keys_are_those_seen_in_print(row):
    assert structures.load(row["name"]).inchikey == row["key_seen"]


@pytest.mark.parametrize("name", PRINTED)
def test_formula_and_mass_are_those_printed(name):
    found = structures.load(name)
    assert found.formula == PRINTED[name][0]
    assert found.average_mass_g_per_mol == pytest.approx(PRINTED[name][1], abs=0.01)


def test_a_structure_without_evidence_says_what_verified_it():
    for name in ("avadomide", "iberdomide", "mezigdomide"):
        assert structures.load(name).verified
    assert all(
        structures.load(row["name"]).verified for row in ROWS["structure"] if row["role"] == "metabolite"
    )


def test_ligands_of_the_family_are_likely_binders():
    assert {name: binder.check_binder(structures.load(name)).verdict for name in DRUGS} == dict.fromkeys(
        DRUGS, "likely"
    )


@pytest.mark.parametrize(
    ("smiles", "verdict", "word"),
    [
        (N_METHYL_THALIDOMIDE, "unlikely", "nitrogen is substituted"),
        ("NC(=O)C(CCC(=O)O)N1C(=O)c2ccccc2C1=O", "unlikely", "opened"),
        ("c1ccccc1", "unlikely", "no glutarimide"),
        ("O=C1CC(O)C(N2C(=O)c3ccccc3C2=O)C(=O)N1", "unlikely", "C4 or C5"),
        ("O=C1CCCC(=O)N1", "uncertain", "fragment"),
        ("O=C1CCN(c2ccccc2)C(=O)N1", "likely", "phenyl-dihydrouracil"),
        ("O=C1CCNC(=O)N1", "uncertain", "dihydrouracil with free NH"),
        ("CC1CN(c2ccccc2)C(=O)NC1=O", "uncertain", "C5 or C6 is substituted"),
        ("O=C1CCC(=O)N1", "uncertain", "succinimide"),
        ("Nc1ccc2c(c1)C(=O)N(C1CCC(=O)NC1=O)C2=O", "likely", "weaker on zinc fingers"),
        ("O=C1CC[C@@H](N2C(=O)c3ccccc3C2=O)C(=O)N1", "uncertain", "(R) at C3"),
        ("O=C1CC[C@H](N2C(=O)c3ccccc3C2=O)C(=O)N1", "likely", "(S) at C3"),
        ("O=C1CCC(Nc2ccccc2)C(=O)N1", "likely", "anilino-glutarimide"),
        ("NC1CCC(=O)NC1=O", "uncertain", "none of the partners"),
        ("CC1(N2C(=O)c3ccccc3C2=O)CCC(=O)NC1=O", "uncertain", "no hydrogen"),
    ],
)
def test_a_verdict_comes_with_its_reason(smiles, verdict, word):
    found = binder.check_binder(structures.from_smiles(smiles))
    assert found.verdict == verdict
    assert any(word in reason.what for reason in found.reasons)
    known = evidence.load()
    cited = [part for reason in found.reasons for part in reason.source.split(", ") if "-" in part[:4]]
    assert all(claim_id in known for claim_id in cited)


def test_groups_tell_imide_from_lactam():
    assert groups.recognise(structures.load("thalidomide")) == ("glutarimide", "phthalimide")
    assert "isoindolinone" in groups.recognise(structures.load("lenalidomide"))
    assert "phthalimide" not in groups.recognise(structures.load("lenalidomide"))
    assert groups.recognise(structures.load("water")) == ()


@pytest.mark.parametrize("row", ROWS["structure"], ids=lambda row: row["name"])
def test_the_safety_note_stands_on_every_drug_metabolite_and_isomer_and_on_no_reagent(row):
    note = groups.safety_note(structures.load(row["name"]))
    if row["role"] in ("drug", "metabolite", "isomer"):
        assert "teratogen" in note
        assert "REMS" in note
    if (
        row["role"] in ("reagent", "by-product", "solvent")
        and row["name"] != "3-maleimidopiperidine-2,6-dione"
    ):
        assert note == ""


def test_a_compound_of_ones_own_in_the_class_carries_the_note():
    assert groups.safety_note(structures.from_smiles(N_METHYL_THALIDOMIDE)) == groups.SAFETY_NOTE


def test_published_descriptors_stand_beside_the_computed():
    rows = {row.name: row for row in descriptors.compare(structures.load("pomalidomide"))}
    for name, printed in (("H-bond donors", 2), ("H-bond acceptors", 5), ("rotatable bonds", 1)):
        assert (rows[name].computed, rows[name].published, rows[name].claim_id) == (
            printed,
            printed,
            "CHE-003",
        )
        assert rows[name].remark == "agrees"
    assert rows["molar mass"].claim_id == "CHE-001"
    assert "another method" in rows["logP (Crippen)"].remark
    # Ertl's fragments by hand: four C=O at 17.07, imide N 3.24, imide NH 12.03, NH2 26.02.
    assert rows["TPSA"].computed == pytest.approx(4 * 17.07 + 3.24 + 12.03 + 26.02, abs=0.02)
    assert all(row.published is None for row in descriptors.compare(structures.load("lenalidomide")))


def test_the_family_changes_by_one_oxygen_and_one_amino_group():
    first, second, both = pairs.family()
    assert [(change.lost, change.gained) for change in first.changes] == [("=O", "H"), ("H", "NH2")]
    assert [(change.lost, change.gained) for change in second.changes] == [("H", "=O")]
    assert [(change.lost, change.gained) for change in both.changes] == [("H", "NH2")]
    # H to NH2 is + NH = 15.015 g/mol.
    assert both.mass_change_g_per_mol == pytest.approx(15.015, abs=1e-3)
    assert first.mass_change_g_per_mol + second.mass_change_g_per_mol == pytest.approx(
        both.mass_change_g_per_mol
    )


def test_the_isomers_differ_by_where_the_amino_group_sits():
    pair = pairs.compare(structures.load("pomalidomide"), structures.load("5-aminothalidomide"))
    assert sorted((change.lost, change.gained) for change in pair.changes) == [("H", "NH2"), ("NH2", "H")]
    assert any("TER-013" in effect.claim_ids for effect in pair.effects)


def test_effects_quote_the_evidence():
    known = evidence.load()
    for pair in pairs.family():
        assert pair.effects
        assert all(claim_id in known for effect in pair.effects for claim_id in effect.claim_ids)
    tnf = next(e for e in pairs.family()[1].effects if e.what.startswith("inhibition of TNF"))
    assert tnf.before.startswith("13 nM")
    assert tnf.after.startswith("13 nM (LPS-stimulated human PBMC); 25 nM")


def test_structures_with_nothing_in_common_are_one_whole_change():
    (change,) = pairs.compare(structures.load("water"), structures.load("isobutene")).changes
    assert (change.gained, change.lost) == ("C=C(C)C", "O")


def test_thalidomide_opens_to_the_three_compounds_that_are_known():
    # Taniguchi et al. 2021, doi:10.1246/cl.210099: three hydrolysis products, by the site.
    found = {
        product.name
        for products in metabolism.hydrolyse(structures.load("thalidomide")).values()
        for product in products
    }
    assert found == {
        "4-phthalimidoglutaramic acid",
        "2-phthalimidoglutaramic acid",
        "2-(o-carboxybenzamido)glutarimide",
    }


@pytest.mark.parametrize("name", ["thalidomide", "lenalidomide", "pomalidomide"])
def test_hydrolysis_adds_one_water_and_gives_built_in_metabolites(name):
    parent, water = structures.load(name), structures.load("water")
    for products in metabolism.hydrolyse(parent).values():
        for product in products:
            assert product.role == "metabolite"
            assert product.parent == name
            assert reactions.imbalance([(parent, 1.0), (water, 1.0)], [(product, 1.0)]) == {}


def test_lenalidomide_keeps_its_lactam():
    assert set(metabolism.hydrolyse(structures.load("lenalidomide"))) == {
        "glutarimide, far from C3",
        "glutarimide, next to C3",
    }


def test_hydroxylation_reaches_the_known_metabolites():
    for parent in ("pomalidomide", "thalidomide"):
        names = {product.name for product in metabolism.hydroxylate(structures.load(parent))}
        assert f"5-hydroxy{parent}" in names
