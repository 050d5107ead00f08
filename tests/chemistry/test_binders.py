"""The binder check beside compounds whose answer is known, and its classes by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint import evidence
from glueprint.chemistry import binder, pharmacophores, structures, validation

PAGE = (Path(__file__).parents[2] / "docs" / "cereblon-binders.md").read_text("utf-8")
KNOWN = validation.known()


def test_there_are_enough_compounds_of_every_kind():
    assert len(KNOWN) >= 60
    assert len({structures.from_smiles(row.smiles).inchikey for row in KNOWN}) == len(KNOWN)
    assert sum(row.answer == "does not" for row in KNOWN) >= 30
    assert {row.basis for row in KNOWN} == {"measured", "complex", "listed", "control", "elsewhere", "pocket"}
    assert all(row.source for row in KNOWN)


@pytest.mark.parametrize("row", [row for row in KNOWN if row.answer == "binds"], ids=lambda row: row.name)
def test_a_binder_is_likely_with_its_class_named(row):
    assert row.verdict == "likely"
    assert row.verdict_pharmacophore == row.pharmacophore != ""


@pytest.mark.parametrize("row", [row for row in KNOWN if row.answer == "does not"], ids=lambda row: row.name)
def test_a_clear_negative_is_unlikely(row):
    assert row.verdict == "unlikely"


def test_what_binds_weakly_is_neither():
    assert {row.verdict for row in KNOWN if row.answer == "weakly"} == {"uncertain"}


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
    # With 37 of 37 the lower limit is 0.025^(1/37).
    assert table.precision_limits[0] == table.recall_limits[0] == pytest.approx(0.025 ** (1 / 37))
    assert f"{100 * table.recall_limits[0]:.0f} %" in PAGE
    assert f"{sum(row.checked for row in KNOWN)} rows were compared" in PAGE


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
        ("CCC1(c2ccccc2)CCC(=O)NC1=O", "no hydrogen"),
        ("CC1(Nc2ccccc2)CCC(=O)NC1=O", "no hydrogen"),
        ("O=C1CC(C)C(c2ccccc2)C(=O)N1", "C4 or C5"),
        ("O=C1CCC(Nc2ccccc2)CN1", "no glutarimide"),
        ("NC(=O)C(CCC(=O)O)N1Cc2ccccc2C1=O", "opened"),
        ("O=C1CCN(c2ccccc2)C(=O)N1C", "no glutarimide"),
    ],
)
def test_what_breaks_binding_breaks_it_in_every_class(breaks, word):
    found = binder.check_binder(structures.from_smiles(breaks))
    assert found.verdict == "unlikely"
    assert any(word in reason.what for reason in found.reasons if reason.holds is False)


def test_deuterium_at_c3_is_the_hydrogen_that_it_is():
    found = binder.check_binder(structures.from_smiles("[2H]C1(N2C(=O)c3ccccc3C2=O)CCC(=O)NC1=O"))
    assert (found.verdict, found.pharmacophore) == ("likely", "phthalimide")
