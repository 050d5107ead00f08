"""A compound as people give it: by every kind of text, and from files of which some records are broken."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from glueprint.chemistry import structures, substances
from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError, NotSupportedError

INCHI = (
    "InChI=1S/C13H10N2O4/c16-10-6-5-9(11(17)14-10)15-12(18)7-3-1-2-4-8(7)13(15)19/h1-4,9H,5-6H2,(H,14,16,17)"
)
WAYS = [
    "thalidomide",
    " Thalidomide ",
    "50-35-1",
    "CAS 50-35-1",
    "CAS RN: 50-35-1",
    INCHI,
    "UEJJHQNACJXSKW-UHFFFAOYSA-N",
    "InChIKey=UEJJHQNACJXSKW-UHFFFAOYSA-N",
    "UEJJHQNACJXSKW-UHFFFAOYSA-M",
    "Contergan",
    "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1",
]
BLOCK = Chem.MolToMolBlock(Chem.MolFromSmiles("O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1"))
VALENCE = Chem.MolToMolBlock(Chem.MolFromSmiles("CC(C)(C)C")).replace("  1  2  1  0", "  1  2  2  0")
POLYMER = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")).replace(
    "M  END", "M  STY  1   1 SRU\nM  SAL   1  2   1   2\nM  END"
)


@pytest.mark.parametrize("text", WAYS)
def test_every_way_to_say_it_is_the_same_compound(text):
    found = substances.one(text)
    assert found.structure == structures.load("thalidomide")


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("pomalidomid", "GP-H001", 'did you mean "pomalidomide"'),
        ("C1CC", "GP-H002", "ring 1 is opened"),
        ("CC(C", "GP-H002", "1 opening and 0 closing parentheses"),
        ("C[N", "GP-H002", "1 opening and 0 closing brackets"),
        ("C(C)(C)(C)(C)C", "GP-H002", "valence"),
        ("c1cccc1", "GP-H002", "kekulize"),
        ("50-35-2", "GP-H015", "check digit"),
        ("99-99-0", "GP-H015", "no built-in structure"),
        ("InChI=1S/thalidomide", "GP-H015", "as InChI"),
        ("AAAAAAAAAAAAAA-UHFFFAOYSA-N", "GP-H015", "no built-in structure"),
    ],
)
def test_what_cannot_be_read_says_why(text, code, word):
    with pytest.raises(InputError, match=code) as caught:
        substances.resolve(text)
    assert word in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("name", [name for name in structures.names() if structures.load(name).cas])
def test_cas_numbers_have_their_check_digit_and_find_their_compound(name):
    number = structures.load(name).cas
    digits = number.replace("-", "")
    assert sum(i * int(d) for i, d in enumerate(reversed(digits[:-1]), 1)) % 10 == int(digits[-1])
    assert substances.resolve(number).drawn_smiles == structures.load(name).smiles


def test_cas_numbers_are_those_the_evidence_prints():
    assert structures.load("3-nitrophthalic anhydride").cas == "641-70-3"
    assert structures.load("4-nitrophthalic anhydride").cas == "5466-84-2"
    numbers = [structures.load(name).cas for name in structures.names() if structures.load(name).cas]
    assert len(numbers) == len(set(numbers)) >= 35


def test_a_molfile_v2000_and_v3000_is_read(tmp_path):
    for version in (False, True):
        path = tmp_path / f"{version}.mol"
        block = Chem.MolToMolBlock(Chem.MolFromSmiles(WAYS[-1]), forceV3000=version)
        path.write_text(block, encoding="utf-8")
        assert substances.one(str(path)).structure.name == "thalidomide"
    path.write_text(block.replace("\n", "\r\n"), encoding="utf-8")
    assert substances.one(str(path)).structure.name == "thalidomide"


def test_wedges_of_a_molfile_are_its_configuration(tmp_path):
    path = tmp_path / "s.mol"
    mol = Chem.MolFromSmiles(structures.load("(S)-thalidomide").smiles)
    path.write_text(Chem.MolToMolBlock(mol), encoding="utf-8")
    assert substances.one(str(path)).structure.name == "(S)-thalidomide"


def test_the_records_of_an_sdf_come_with_their_lines(tmp_path):
    path = tmp_path / "many.sdf"
    short = "name\n\n\n"
    counts = BLOCK.replace(BLOCK.splitlines()[3], " xx yy  0  0  0")
    missing = BLOCK.replace(BLOCK.splitlines()[3], " 90 90  0  0  0  0  0  0  0  0999 V2000")
    endless = BLOCK.replace("M  END", "")
    empty = Chem.MolToMolBlock(Chem.Mol())
    records = [BLOCK, short, counts, missing, endless, VALENCE, empty, POLYMER, BLOCK]
    path.write_text("$$$$\n".join(records) + "$$$$\n", encoding="utf-8")
    found = list(substances.read(path))
    starts = [1]
    for record in records:
        starts.append(starts[-1] + record.count("\n") + 1)
    codes = [one.code if isinstance(one, GlueprintError) else one.structure.name for one in found]
    assert codes == ["thalidomide", *["GP-H016"] * 6, "GP-H019", "thalidomide"]
    lines = [int(one.where.rsplit(" ", 1)[1]) for one in found]
    assert [lines[0], lines[1], lines[4], lines[6], lines[7], lines[8]] == [
        starts[i] for i in (0, 1, 4, 6, 7, 8)
    ]
    assert lines[2] == starts[2] + 3
    assert lines[3] == starts[3] + 3
    # The atom with too many bonds has its line.
    assert lines[5] == starts[5] + 4 + 1
    assert "promises 90 atoms" in found[3].message


def test_a_polymer_in_bigsmiles_is_told():
    with pytest.raises(NotSupportedError, match="GP-H019"):
        substances.resolve("{[$]CC[$]}")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "bom.smi"
    path.write_text("\ufeffO water\n", encoding="utf-8")
    assert substances.one(str(path)).structure.name == "water"


def test_a_list_of_smiles_has_names_comments_and_lines(tmp_path):
    path = tmp_path / "mine.smi"
    path.write_text("# mine\n\nO water of mine\nC1CC bad\nc1ccccc1.C1CCCCC1\n[Pd]\n*CC*\n", encoding="utf-8")
    found = list(substances.read(path))
    assert (found[0].name, found[0].structure.name, found[0].where) == (
        "water of mine",
        "water",
        f"{path}, line 3",
    )
    assert [(one.code, one.where) for one in found[1:]] == [
        ("GP-H002", f"{path}, line 4"),
        ("GP-H017", f"{path}, line 5"),
        ("GP-H018", f"{path}, line 6"),
        ("GP-H019", f"{path}, line 7"),
    ]


def test_an_sdf_of_ten_megabytes_is_read_through_with_its_findings(tmp_path):
    path = tmp_path / "big.sdf"
    good, bad = BLOCK + "$$$$\n", BLOCK.replace("M  END", "") + "$$$$\n"
    each = (good * 99 + bad).encode()
    path.write_bytes(each * (1 + 10_000_000 // len(each)))
    assert path.stat().st_size >= 10_000_000
    start = time.perf_counter()
    found = list(substances.read(path))
    seconds = time.perf_counter() - start
    errors = [one for one in found if isinstance(one, GlueprintError)]
    assert len(errors) == len(found) // 100
    assert {one.code for one in errors} == {"GP-H016"}
    per_block = (good * 99).count("\n")
    assert errors[0].where == f"{path}, line {per_block + 1}"
    assert seconds < 60


def test_a_record_without_end_is_one_finding_and_not_kept(tmp_path):
    path = tmp_path / "endless.sdf"
    path.write_text(BLOCK + "$$$$\n" + "x" * 99 + "\n" + ("y" * 99 + "\n") * 100_000, encoding="utf-8")
    first, second = substances.read(path)
    assert first.structure.name == "thalidomide"
    assert second.code == "GP-H016"
    assert "10.0 MB without an end" in second.message


def test_files_that_hold_none_or_several_are_told(tmp_path):
    path = tmp_path / "none.sdf"
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="GP-H016"):
        substances.one(str(path))
    path.write_text((BLOCK + "$$$$\n") * 2, encoding="utf-8")
    with pytest.raises(InputError, match="GP-H021"):
        substances.one(str(path))
    with pytest.raises(EnvironmentProblemError, match="GP-H008"):
        substances.one(str(tmp_path / "not-there.mol"))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_substance_or_a_coded_error(text):
    refused = ""
    try:
        substances.resolve(text)
    except GlueprintError as error:
        refused = error.code
    assert refused in ("", "GP-H001", "GP-H002", "GP-H015", "GP-H017", "GP-H018", "GP-H019", "GP-H020")


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=400))
def test_any_file_is_read_or_told(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "any.sdf"
    path.write_text(text, encoding="utf-8", errors="replace")
    refused = set()
    try:
        refused = {one.code for one in substances.read(path) if isinstance(one, GlueprintError)}
    except InputError as error:
        refused = {error.code}
    assert refused <= {"GP-H016", "GP-H017", "GP-H018", "GP-H019"}


def test_nothing_of_rdkit_reaches_the_terminal():
    code = (
        "from glueprint.chemistry import binder, draw, groups, pairs, substances\n"
        "from glueprint.errors import GlueprintError\n"
        f"for text in ({INCHI!r}, 'C1CC', 'InChI=1S/x', '[Na]N1C(=O)CCC1=O', 'C(C)(C)(C)(C)C', 'F/C=C/F',\n"
        "             'Nc1cccc2c1C(=O)N(C1CCC(=O)N=C1O)C2=O', '[H][H]', 'C[C@H](C)C', '[2H]O[2H]'):\n"
        "    try:\n"
        "        found = substances.resolve(text).structure\n"
        "    except GlueprintError:\n"
        "        continue\n"
        "    binder.check_binder(found), groups.safety_note(found)\n"
        "    draw(found), pairs.compare(found, found)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert (done.stdout, done.stderr) == ("", "")
