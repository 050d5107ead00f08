"""The binder check beside compounds whose answer is known, and its classes by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint import evidence
from glueprint.chemistry import binder, pharmacophores, structures, validation

# The same compounds as others draw them: ligands of the Protein Data Bank (CC-885, 5HXB; FPFT-2216, 9DWV),
# PubChem, and public tables of degraders.
DRAWN_ELSEWHERE = {
    "CC-885": "c1c(CNC(=O)Nc2cc(Cl)c(C)cc2)cc2c(c1)C(=O)N(C2)C1C(=O)NC(=O)CC1",
    "FPFT-2216": "COC1=CSC=C1C1=CN(N=N1)C1CCC(=O)NC1=O",
    "dBET1": "CC1=C(SC2=C1C(=N[C@H](C3=NN=C(N32)C)CC(=O)NCCCCNC(=O)COC4=CC=CC5=C4C(=O)N(C5=O)C6CCC(=O)NC6=O)"
    "C7=CC=C(C=C7)Cl)C",
    "ARV-825": "CC1=NN=C2N1C3=C(C(C4=CC=C(C=C4)Cl)=N[C@H]2CC(NC5=CC=C(C=C5)OCCOCCOCCOCCNC6=C(C7=CC=C6)"
    "C(N(C7=O)C8CCC(NC8=O)=O)=O)=O)C(C)=C(C)S3",
    "cycloheximide": "C[C@H]1C[C@@H](C(=O)[C@@H](C1)[C@@H](CC2CC(=O)NC(=O)C2)O)C",
    "glutarimide": "C1CC(=O)NC(=O)C1",
    "aminoglutethimide": "CCC1(CCC(=O)NC1=O)C2=CC=C(C=C2)N",
    "bemegride": "CCC1(CC(=O)NC(=O)C1)C",
    "ethosuximide": "CCC1(CC(=O)NC1=O)C",
    "apremilast": "CCOC1=C(C=CC(=C1)[C@@H](CS(=O)(=O)C)N2C(=O)C3=C(C2=O)C(=CC=C3)NC(=O)C)OC",
    "buspirone": "C1CCC2(C1)CC(=O)N(C(=O)C2)CCCCN3CCN(CC3)C4=NC=CC=N4",
}
PAGE = (Path(__file__).parents[2] / "docs" / "cereblon-binders.md").read_text("utf-8")
KNOWN = validation.known()


def test_there_are_enough_compounds_of_every_kind():
    assert len(KNOWN) >= 60
    assert len({structures.from_smiles(row.smiles).inchikey for row in KNOWN}) == len(KNOWN)
    assert sum(row.answer == "does not" for row in KNOWN) >= 30
    assert {row.basis for row in KNOWN} == {"measured", "complex", "listed", "control", "elsewhere", "pocket"}
    assert all(row.source for row in KNOWN)


@pytest.mark.parametrize("name", DRAWN_ELSEWHERE)
def test_a_structure_is_the_one_that_others_draw(name):
    (row,) = (row for row in KNOWN if row.name == name)
    assert (
        structures.from_smiles(row.smiles).inchikey == structures.from_smiles(DRAWN_ELSEWHERE[name]).inchikey
    )
    assert row.checked


def test_a_row_without_source_or_comparison_says_so():
    assert {row.name for row in KNOWN if not row.checked} == {
        "opto-pomalidomide",
        "N-methylpomalidomide",
        "N-methyllenalidomide",
        "N-phthaloyl-L-glutamic acid",
        "4-phthalimidoglutaramic acid",
    }
    assert all("structure only" in row.checked for row in KNOWN if row.basis == "pocket" and row.checked)


@pytest.mark.parametrize("row", [row for row in KNOWN if row.answer == "binds"], ids=lambda row: row.name)
def test_a_binder_is_likely_with_its_class_named(row):
    assert row.verdict == "likely"
    assert row.verdict_pharmacophore == row.pharmacophore != ""


@pytest.mark.parametrize("row", [row for row in KNOWN if row.answer == "does not"], ids=lambda row: row.name)
def test_a_clear_negative_is_unlikely(row):
    assert row.verdict == "unlikely"


def test_what_binds_weakly_is_neither():
    assert {row.verdict for row in KNOWN if row.answer == "weakly"} == {"uncertain"}


def test_most_answers_are_measured_or_printed():
    printed = [row for row in KNOWN if row.basis in {"measured", "complex", "listed", "control"}]
    assert len(printed) >= 60
    assert sum(row.basis == "measured" and row.answer == "does not" for row in KNOWN) == 5
    assert sum(row.basis == "complex" and row.answer == "weakly" for row in KNOWN) == 8


@pytest.mark.parametrize(
    ("drawn", "ring"),
    [
        ("O=C1CNC(=O)N1", "hydantoin"),
        ("OC1=NC(=O)NC1", "hydantoin"),
        ("CC1NC(=O)NC1=O", "hydantoin"),
        ("O=C1CSC(=O)N1", "thiazolidinedione"),
        ("O=C1CCCN1", "five-ring lactam"),
        ("O=C1CCCCN1", "six-ring lactam"),
        ("CCC1(C)CC(=O)NC1=O", "succinimide"),
        ("S=C1CCCC(=O)N1", "thioglutarimide"),
    ],
)
def test_a_ring_that_was_seen_in_the_cage_is_uncertain_whatever_way_it_is_drawn(drawn, ring):
    found = binder.check_binder(structures.from_smiles(drawn))
    assert found.verdict == "uncertain"
    assert [reason.what.startswith(f"{ring} with free NH") for reason in found.reasons] == [True]
    assert all(reason.source for reason in found.reasons)


@pytest.mark.parametrize("blocked", ["CN1C(=O)CNC1=O", "CN1C(=O)CSC1=O", "CN1CCCC1=O", "O=C1NC(=O)c2ccccc12"])
def test_a_related_ring_without_its_free_nh_or_fused_is_unlikely(blocked):
    assert binder.check_binder(structures.from_smiles(blocked)).verdict == "unlikely"


def test_sulfur_at_c6_is_named_as_what_binds():
    found = binder.check_binder(structures.from_smiles("S=C1CC[C@H](N2C(=O)c3ccccc3C2=S)C(=O)N1"))
    assert (found.verdict, found.pharmacophore) == ("likely", "thionated phthalimide")
    assert "thiocarbonyl" in found.reasons[0].what
    assert any(reason.what.startswith("(S) at C3") for reason in found.reasons)


def test_every_class_has_a_compound_that_is_known_and_a_source():
    by_class = {row.pharmacophore for row in KNOWN}
    known = evidence.load()
    for one in pharmacophores.available():
        assert one.name in by_class
        assert one.source
        assert all(part in known for part in one.source.split(", ") if re.fullmatch(r"[A-Z]{3}-\d{3}", part))
        assert f"| {one.name} |" in PAGE


def test_a_class_that_is_not_known_yet_is_uncertain_and_never_unlikely():
    rows = validation.without_own_class()
    assert {row.verdict for row in rows if row.answer == "binds"} == {"uncertain"}
    assert validation.confusion(rows).recall == 0.0
    assert {row.verdict for row in rows if row.answer == "does not"} == {"unlikely"}


def test_the_confusion_table_of_the_docs_is_the_one_computed():
    table = validation.confusion()
    for answer in ("binds", "weakly", "does not"):
        counts = [table.count(answer, verdict) for verdict in ("likely", "uncertain", "unlikely")]
        assert f"| {answer} | {' | '.join(map(str, counts))} |" in PAGE
    for basis in ("measured", "complex", "listed", "control", "elsewhere", "pocket"):
        assert f"| {basis} | {sum(row.basis == basis for row in KNOWN)} |" in PAGE
    assert (table.precision, table.recall) == (1.0, 1.0)
    # With 49 of 49 the lower limit is 0.025^(1/49).
    assert table.precision_limits[0] == table.recall_limits[0] == pytest.approx(0.025 ** (1 / 49))
    assert f"{100 * table.recall_limits[0]:.0f} %" in PAGE
    compared = [row for row in KNOWN if row.checked]
    alone = [row for row in compared if "structure only" in row.checked]
    assert f"{len(compared)} of {len(KNOWN)} rows were compared" in PAGE
    assert f"in {len(alone)} of them the structure only" in PAGE
    assert f"{len(KNOWN)} compounds" in PAGE
    negative = [row.basis for row in KNOWN if row.answer == "does not"]
    assert f"Of the {len(negative)} that do not bind, {negative.count('control')} is a control" in PAGE
    assert f"{negative.count('measured')} were tested and found not to bind" in PAGE
    assert f"{negative.count('elsewhere')} are ligands of something else" in PAGE
    assert f"{negative.count('pocket')} are argued from the pocket" in PAGE


def test_precision_and_recall_count_what_they_say():
    rows = [KNOWN[0], KNOWN[5], *(row for row in KNOWN if row.answer == "does not")][:4]
    changed = [
        validation.Known(**{**row.__dict__, "verdict": verdict})
        for row, verdict in zip(rows, ("likely", "likely", "likely", "unlikely"), strict=True)
    ]
    table = validation.confusion(changed)
    assert table.precision == pytest.approx(2 / 3)
    assert table.recall == 1.0
    nothing = validation.confusion([])
    assert nothing.precision != nothing.precision
    assert nothing.count("binds", "likely") == 0


@pytest.mark.parametrize(
    ("breaks", "word"),
    [
        ("CN1C(=O)CCC(c2ccccc2)C1=O", "nitrogen is substituted"),
        ("O=C1CC(C)C(c2ccccc2)C(=O)N1", "C4 or C5"),
        ("O=C1CC(C)C(C)(c2ccccc2)C(=O)N1", "C4 or C5"),
        ("O=C1CC(=O)CC(Nc2ccccc2)C1", "no glutarimide"),
        ("NC(=O)C(CCC(=O)O)N1Cc2ccccc2C1=O", "opened"),
        ("O=C1CCN(c2ccccc2)C(=O)N1C", "no glutarimide"),
    ],
)
def test_what_breaks_binding_breaks_it_in_every_class(breaks, word):
    found = binder.check_binder(structures.from_smiles(breaks))
    assert found.verdict == "unlikely"
    assert any(word in reason.what for reason in found.reasons if reason.holds is False)


@pytest.mark.parametrize("crowded", ["CCC1(c2ccccc2)CCC(=O)NC1=O", "CC1(Nc2ccccc2)CCC(=O)NC1=O"])
def test_a_second_group_on_c3_leaves_it_uncertain_as_in_the_crystal_of_aminoglutethimide(crowded):
    found = binder.check_binder(structures.from_smiles(crowded))
    assert found.verdict == "uncertain"
    assert any("no hydrogen" in reason.what and "5OH1" in reason.source for reason in found.reasons)


def test_deuterium_at_c3_is_the_hydrogen_that_it_is():
    found = binder.check_binder(structures.from_smiles("[2H]C1(N2C(=O)c3ccccc3C2=O)CCC(=O)NC1=O"))
    assert (found.verdict, found.pharmacophore) == ("likely", "phthalimide")
