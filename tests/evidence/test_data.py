"""The data in the package: nothing lost, one schema, canonical sources."""

from __future__ import annotations

import csv
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from glueprint.evidence import COLUMNS, GRADES, INTERVAL_KINDS, ROLES

SHARED = Path(__file__).parents[3] / "shared"
DATA = files("glueprint.evidence") / "data"
# The ids of the collected rows: prefix, width of the number, runs of numbers.
COLLECTED = {
    ("PK", 3): [(1, 132)],
    ("CL", 3): [(1, 228)],
    ("SAF", 3): [(1, 169), (184, 207), (222, 261), (265, 320)],
    ("BIN-", 3): [(1, 19)],
    ("TER-", 3): [(1, 15)],
    ("DEG-", 3): [(1, 15)],
    ("ABU-", 3): [(1, 16)],
    ("DWN-", 3): [(1, 17)],
    ("DRV-", 3): [(1, 4)],
    ("IMM-", 3): [(1, 40)],
    ("ANG-", 3): [(1, 3)],
    ("CHE-", 3): [(1, 21)],
    ("CLX-", 3): [(1, 4)],
    ("LEAD-", 3): [(1, 1)],
    ("SYN-", 3): [(1, 23)],
    ("GLU", 3): [(1, 86)],
    ("PRG", 3): [
        (1, 51),
        (53, 53),
        (55, 55),
        (57, 57),
        (59, 59),
        (74, 126),
        (138, 138),
        (143, 145),
        (148, 149),
        (154, 189),
        (201, 207),
        (211, 212),
        (214, 214),
        (217, 219),
        (222, 280),
    ],
}
EXPECTED = [
    f"{prefix}{number:0{width}}"
    for (prefix, width), runs in COLLECTED.items()
    for first, last in runs
    for number in range(first, last + 1)
]
SOURCE_KINDS = {
    "doi",
    "pmid",
    "pmcid",
    "nct",
    "label",
    "ref",
    "nice",
    "patent",
    "github",
    "guide",
    "claim",
    "arxiv",
    "eudract",
    "drugbank",
    "pubchem",
    "ddmore",
    "page",
    "chemrxiv",
    "pii",
    "zenodo",
    "figshare",
    "url",
}


def test_every_collected_row_is_there(claims):
    assert len(EXPECTED) == 132 + 228 + 289 + 155 + 23 + 86 + 222
    assert [name for name in EXPECTED if not claims.parts(name)] == []


@pytest.mark.parametrize("name", ["pk", "clinical", "mechanism", "safety"])
def test_collected_files_lose_no_row_and_no_number(claims, name):
    path = SHARED / "evidence" / f"{name}.csv"
    if not path.exists():
        pytest.skip("the collected files lie outside the repository (../shared/evidence)")
    with path.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            parts = claims.parts(row["id"])
            assert parts, row["id"]
            kept = {number for claim in parts for number in (claim.value, claim.low, claim.high)}
            for column in ("value", "low", "high"):
                for number in re.findall(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])", row[column]):
                    known = float(number) in kept or -float(number) in kept
                    assert known or number in " ".join(c.text for c in parts), (row["id"], column, number)


def guide_numbers(text: str, table: int) -> list[float]:
    """The numbers in the cells of one table of the guide, without the reference marks."""
    body = text.split(f"\nTable {table}:", 1)[1].split("\n", 1)[1]
    body = re.split(r"\n\n\n|\nTable|\nSafety|\nClinical|Data from", body)[0] if table != 3 else body
    rows = [line for line in body.split("Data from")[0].split("\n") if "\t" in line][1:]
    cells = [cell for row in rows for cell in row.split("\t")[1:]]
    cells = [re.sub(r"RPMI8226|OPM2|MM1S|IL-2|\[\d+\]", "", cell) for cell in cells]
    return [float(number) for cell in cells for number in re.findall(r"\d+\.?\d*", cell)]


@pytest.mark.parametrize("table", [1, 2, 3, 4, 5])
def test_every_number_of_the_guide_tables_is_a_claim(claims, table):
    found = sorted((SHARED / "guide").glob("000_*.txt"))
    if not found:
        pytest.skip("the guide lies outside the repository (../shared/guide)")
    numbers = guide_numbers(found[0].read_text(encoding="utf-8"), table)
    assert len(numbers) == {1: 8, 2: 2, 3: 7, 4: 15, 5: 4}[table]
    cells = [claim for claim in claims if claim.guide.startswith(f"guide-{table}|")]
    stated = Counter(
        number
        for claim in cells
        for number in (claim.value, claim.low, claim.high)
        if number is not None and claim.id != "G1-kd-spr"
    )
    if table == 1:
        kd = claims["G1-kd-spr"]
        stated.update([kd.value, kd.high - kd.value])
        assert kd.value - kd.low == kd.high - kd.value == 18
    assert Counter(numbers) == stated


def test_the_files_have_the_columns_of_the_schema():
    names = sorted(entry.name for entry in DATA.iterdir() if entry.name.endswith(".csv"))
    assert len(names) == 9
    for name in names:
        header = (DATA / name).read_text(encoding="utf-8").split("\n", 1)[0]
        assert tuple(header.split(",")) == COLUMNS, name


def test_words_are_of_the_vocabularies(claims):
    for claim in claims:
        assert claim.grade in GRADES
        assert claim.role in ROLES
        assert claim.interval_kind in INTERVAL_KINDS
        has_interval = claim.low is not None or claim.high is not None
        assert has_interval == bool(claim.interval_kind), claim.id
        assert claim.is_number or claim.text, claim.id


def test_sources_are_canonical_and_bare_addresses_are_graded_so(claims):
    for claim in claims:
        kinds = [source.partition(":")[0] for source in claim.sources]
        assert set(kinds) <= SOURCE_KINDS, claim.id
        if "url" in kinds:
            assert set(kinds) <= {"url", "nct", "guide"}, claim.id
            assert claim.grade == "C", claim.id
        for source in claim.sources:
            if source.startswith("doi:"):
                assert re.fullmatch(r"doi:10\.\d{4,}/\S+", source)
            if source.startswith("claim:"):
                assert claims.parts(source.removeprefix("claim:"))


def test_roles_follow_the_rule_of_the_docs(claims):
    for claim in claims:
        if claim.role == "calibration" and claim.topic == "clinical":
            assert claim.trial in ("MM-002", "MM-003")
            assert claim.arm in ("pom-dex", "hidex", "pom") or claim.endpoint.startswith("hr_"), claim.id
            assert not claim.subgroup
        if claim.subgroup or claim.analysis == "interim 2012":
            assert claim.role != "calibration", claim.id
    assert claims["PK050"].role == claims["SAF003"].role == "input"
    assert claims["CL027"].role == claims["CL060"].role == "context"


def test_structures_are_canonical(claims):
    chem = pytest.importorskip("rdkit.Chem")
    for claim in claims:
        if claim.structure:
            assert chem.MolToSmiles(chem.MolFromSmiles(claim.structure)) == claim.structure, claim.id


def test_ids_cited_in_the_package_exist(claims):
    package = Path(__file__).parents[2] / "src" / "glueprint"
    pattern = re.compile(
        r"\b(?:(?:BIN|TER|DEG|ABU|DWN|DRV|IMM|ANG|CHE|CLX|SYN)-\d{3}|(?:PK|CL|SAF|GLU|PRG)\d{3})[a-z]?\b"
    )
    cited = {
        name
        for suffix in ("*.toml", "*.ant", "*.py")
        for path in package.rglob(suffix)
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert cited
    assert [name for name in sorted(cited) if not claims.parts(name)] == []


def test_n_of_a_number_of_one_arm_is_no_larger_than_the_arm(claims):
    sizes = {
        (claim.trial, claim.arm): claim.value
        for claim in claims
        if claim.endpoint == "patients" and claim.arm and not claim.subgroup
    }
    assert sizes == {
        ("MM-002", "pom-dex"): 113,
        ("MM-002", "pom"): 108,
        ("MM-003", "pom-dex"): 302,
        ("MM-003", "hidex"): 153,
    }
    # A subgroup of MM-002 is only known by the number of patients of both arms.
    whole = [c for c in claims if (c.trial, c.arm) in sizes and c.n and not c.subgroup]
    assert [c.id for c in whole if c.n > sizes[c.trial, c.arm]] == []


def test_what_concerns_both_arms_names_none(claims):
    assert claims["CL003"].arm == claims["CL003"].compound == ""


def test_grade_a_is_for_texts_that_were_read_themselves(claims):
    top = [claim for claim in claims if claim.grade == "A"]
    assert len(top) > 30
    for claim in top:
        assert not claim.source.startswith("label:"), claim.id
        assert "abstract" not in claim.place, claim.id
