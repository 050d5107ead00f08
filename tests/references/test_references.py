"""References: the shipped one agrees with evidence, protocols and compounds; a user's own is checked."""

from __future__ import annotations

import doctest
from importlib.resources import files
from pathlib import Path

import pytest

from glueprint import evidence, references
from glueprint.chemistry import structures
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.references.reference import listed
from glueprint.trials import load_protocol

REFERENCE = references.load("pomalidomide")
ROOT = Path(__file__).parents[2]


def test_the_default_is_one_of_those_there_are():
    assert references.default() in [references.load(name) for name in references.available()]
    assert references.of_compound(REFERENCE.compound) is REFERENCE
    assert references.of_compound("aspirin") is None


@pytest.mark.parametrize("name", references.available())
def test_names_are_those_of_compounds_protocols_and_claims(name):
    reference, claims = references.load(name), evidence.load()
    assert compounds.load(reference.compound).name == reference.compound
    assert {claim.trial for claim in claims} >= reference.trials.keys()
    arms = {arm.name for trial in reference.trials.values() for arm in load_protocol(trial).arms}
    assert arms == set(reference.arms.values())
    for cell in reference.cells.values():
        assert set(cell.arm.split(" vs ")) <= {arm.name for arm in load_protocol(cell.trial).arms}
    cells = {claim for table in reference.tables for claim in claims.table(table.id)["claim_id"]}
    assert reference.cells.keys() <= cells
    for claim, cell in reference.cells.items():
        assert claims[claim].trial == "" or reference.trials[claims[claim].trial] == cell.trial


def test_claims_of_the_in_vitro_fit_are_in_the_evidence():
    about, claims = REFERENCE.in_vitro, evidence.load()
    other = about.comparator
    ids = [
        *(assay.claim for assay in about.assays),
        *about.potencies.values(),
        about.blood,
        about.blood_shift,
    ]
    ids += [other.affinity, other.loss, other.tnf_alpha, *about.words]
    assert all(claim in claims for claim in ids)
    assert structures.load(other.compound).role == "drug"
    assert claims[other.affinity].compound == claims[other.tnf_alpha].compound == other.compound


def test_names_are_found_both_ways():
    assert REFERENCE.arm("pom-dex") == "POM+LoDEX"
    assert REFERENCE.arm("pom-dex vs hidex") == "POM+LoDEX vs HiDEX"
    assert REFERENCE.arm("pom-dex vs placebo") is None
    assert REFERENCE.published_name("mm003") == "MM-003"
    assert REFERENCE.published_name("my-trial") == "my-trial"
    assert REFERENCE.tables_about("assays") == ("guide-1", "guide-2")
    assert REFERENCE.titles[5] == "Common grade 3 and 4 adverse events in MM-003, pomalidomide arm"


@pytest.mark.parametrize(
    ("names", "text"), [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")]
)
def test_names_in_a_sentence(names, text):
    assert listed(names) == text


@pytest.fixture
def folder(tmp_path):
    shipped = files("glueprint.references") / "pomalidomide"
    for name in ("reference.toml", "cells.csv"):
        (tmp_path / name).write_text(shipped.joinpath(name).read_text("utf-8"), encoding="utf-8")
    return tmp_path


def test_a_folder_of_your_own_is_read_like_ours(folder):
    assert references.load(folder) == REFERENCE


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="GP-F001") as caught:
        references.load("pomalidomid")
    assert 'did you mean "pomalidomide"' in str(caught.value)


@pytest.mark.parametrize(
    ("file", "change", "code", "words"),
    [
        ("reference.toml", ("version = 1", "version = 2"), "GP-F004", "version is 2"),
        ("reference.toml", ('"glueprint-reference"', '"glueprint-trial"'), "GP-F004", "kind"),
        ("reference.toml", ("[trials]", "[trials"), "GP-F003", "line"),
        ("reference.toml", ('name = "pomalidomide"\n', ""), "GP-F005", "name: is missing"),
        ("reference.toml", ('about = "assays"', 'about = "cells"'), "GP-F005", "tables[0].about"),
        ("reference.toml", ("number = 2", "number = 1"), "GP-F005", "two tables with one id or number"),
        (
            "reference.toml",
            ('assay = "bead"', 'assay = "beads"'),
            "GP-F005",
            '"beads" is none of',
        ),
        ("reference.toml", ('MM-003 = "mm003"', 'MM-003 = "mm004"'), "GP-F005", 'trial "mm003" is none of'),
        ("reference.toml", ('hidex = "HiDEX"', 'hidex = "High"'), "GP-F005", 'arm "HiDEX" is none of'),
        ("cells.csv", (",column\n", ",columns\n"), "GP-F006", "begins with claim_id"),
        ("cells.csv", ("G3-orr-pom,mm002,POM,", "G3-orr-pom,mm002,,"), "GP-F006", "line 3: 4 filled cells"),
        ("cells.csv", ("G3-dor-pom,", "G3-orr-pom,"), "GP-F006", 'line 5: claim "G3-orr-pom" a second time'),
        ("cells.csv", ("orr,value", "orr,mean"), "GP-F005", "cells.G3-orr-pomdex.column"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(folder, file, change, code, words):
    path = folder / file
    text = path.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(InputError, match=code) as caught:
        references.load(folder)
    assert words in str(caught.value)
    assert str(folder) in caught.value.where
    assert caught.value.next_step


def test_files_that_cannot_be_read(folder):
    (folder / "cells.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="GP-F006"):
        references.load(folder)
    (folder / "cells.csv").write_text("")
    with pytest.raises(InputError, match="begins with nothing"):
        references.load(folder)
    (folder / "reference.toml").unlink()
    with pytest.raises(InputError, match="GP-F002"):
        references.load(folder)


def test_the_examples_of_the_page_run():
    found = doctest.testfile(str(ROOT / "docs" / "references.md"), module_relative=False)
    assert found.attempted > 5
    assert found.failed == 0
