"""Looking up, selecting, tabulating, and reading a user's own file."""

from __future__ import annotations

import csv
from dataclasses import FrozenInstanceError, asdict, replace

import pytest

from glueprint import evidence
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.evidence import reading
from glueprint.evidence.claim import COLUMNS

GOOD = {
    "id": "MY-001",
    "quantity": "Kd",
    "value": "300",
    "unit": "nM",
    "source": "doi:10.1/mine",
    "grade": "A",
    "role": "context",
}


def write(path, rows, columns=None):
    columns = columns or list(rows[0])
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_claim_by_id(claims):
    claim = claims["BIN-001"]
    assert (claim.value, claim.low, claim.high, claim.unit) == (264.0, 246.0, 282.0, "nM")
    assert claim.interval_kind == "plus-minus"
    assert claim.sources[0] == "doi:10.1002/cmdc.201800271"
    with pytest.raises(FrozenInstanceError):
        claim.value = 1.0


def test_an_unknown_id_names_the_nearest(claims):
    with pytest.raises(InputError, match=r'GP-E001 no claim "BIN-0011" \(did you mean "BIN-0\d\d"\?\)'):
        claims["BIN-0011"]


def test_a_row_with_several_numbers_is_split_and_says_so(claims):
    assert [claim.value for claim in claims.parts("CL108")] == [3.8, 30.0, 16.0]
    assert [claim.endpoint for claim in claims.parts("CL108")] == ["median_pfs", "orr", "median_os"]
    with pytest.raises(InputError, match=r"GP-E001 .*split into CL108a, CL108b, CL108c"):
        claims["CL108"]


def test_frame_has_a_row_for_each_claim_and_strict_types(claims):
    frame = claims.frame
    assert frame.height == len(claims) == len(list(claims))
    assert tuple(frame.columns) == COLUMNS
    assert str(frame.schema["value"]) == "Float64"


def test_select_ignores_case_and_punctuation(claims):
    found = claims.select(trial="mm003", arm="pom-dex", endpoint="median_pfs", guide="")
    assert {claim.id for claim in found} == {
        "CL008",
        "CL014",
        "CL032a",
        "CL036",
        "CL044",
        "CL052",
        "CL073a",
    } | {claim.id for claim in found if claim.same_as}
    whole = claims.select(trial="MM-003", arm="pom-dex", endpoint="median_pfs", subgroup="").originals()
    assert {claim.value for claim in whole} == {3.6, 4.0}


def test_select_by_an_unknown_column_is_refused(claims):
    with pytest.raises(InputError, match=r'GP-E010 .*"trail" \(did you mean "trial"\?\)'):
        claims.select(trail="MM-003")


def test_guide_tables_keep_the_order_and_the_print_of_the_guide(claims):
    table = claims.table("guide-4")
    assert table["claim_id"].to_list() == [
        "G4-pfs-pomdex", "G4-pfs-hidex", "G4-pfs-hr", "G4-pfs-p",
        "G4-os-pomdex", "G4-os-hidex", "G4-os-hr", "G4-os-p",
        "G4-orr-pomdex", "G4-orr-hidex", "G4-orr-p",
    ]  # fmt: skip
    assert table["printed"].to_list()[:4] == ["4.0 months", "1.9 months", "0.48 (0.39-0.60)", "<0.0001"]
    columns, rows = evidence.layout(claims.table("guide-3"))
    assert columns == ["", "Pomalidomide + low-dose dexamethasone", "Pomalidomide alone", "claims"]
    assert rows[1] == [
        "Median duration of response",
        "7.4 months",
        "not reached",
        "G3-dor-pomdex\nG3-dor-pom",
    ]


def test_an_unknown_table_names_the_nearest(claims):
    with pytest.raises(InputError, match=r'GP-E002 no table "guide-6" \(did you mean "guide-\d"\?\)'):
        claims.table("guide-6")


def test_all_claims_survive_a_round_trip_through_a_file(claims, tmp_path):
    rows = [{key: "" if value is None else value for key, value in asdict(c).items()} for c in claims]
    back = reading.read_file(write(tmp_path / "all.csv", rows, list(COLUMNS)))
    for first, second in zip(claims, back, strict=True):
        assert {**asdict(first), "where": ""} == {**asdict(second), "where": ""}


def test_own_claims_come_after_the_built_in_ones(claims, tmp_path):
    more = evidence.load(extra=[write(tmp_path / "mine.csv", [GOOD])])
    assert len(more) == len(claims) + 1
    assert more["MY-001"].value == 300.0
    assert more["MY-001"].where.endswith("mine.csv row 2")
    assert "MY-001" not in evidence.load()
    assert len(evidence.load(extra=str(tmp_path / "mine.csv"))) == len(more)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"value": "3OO"}, "GP-E004", 'row 2, column "value"'),
        ({"value": "4.0 / 1.9"}, "GP-E004", 'row 2, column "value"'),
        ({"value": "nan"}, "GP-E004", 'row 2, column "value"'),
        ({"n": "12.5"}, "GP-E004", 'row 2, column "n"'),
        ({"id": "BIN-001"}, "GP-E005", 'row 2, column "id"'),
        ({"unit": "furlongs per mole of cats"}, "GP-E006", 'row 2, column "unit"'),
        ({"grade": "D"}, "GP-E007", 'row 2, column "grade"'),
        ({"role": "calibraton"}, "GP-E007", 'row 2, column "role"'),
        ({"id": ""}, "GP-E007", 'row 2, column "id"'),
        ({"colour": "red"}, "GP-E003", "row 1"),
    ],
)
def test_a_bad_cell_is_named_with_file_row_and_column(tmp_path, change, code, place):
    path = write(tmp_path / "mine.csv", [GOOD | change])
    with pytest.raises(InputError) as caught:
        evidence.load(extra=[path])
    assert caught.value.code == code
    assert caught.value.where == f"{path} {place}"
    assert caught.value.next_step


def test_a_missing_column_is_named(tmp_path):
    path = write(tmp_path / "mine.csv", [GOOD], [column for column in GOOD if column != "unit"])
    with pytest.raises(InputError, match=r'GP-E003 .*mine\.csv row 1: column "unit" is missing'):
        evidence.load(extra=[path])


def test_a_short_row_is_refused(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(",".join(GOOD) + "\nMY-001,Kd\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"GP-E003 .*row 2: the row has not as many cells"):
        evidence.load(extra=[path])


def test_a_file_that_cannot_be_read_is_an_environment_problem(tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-E008"):
        evidence.load(extra=[tmp_path / "none.csv"])
    (tmp_path / "latin.csv").write_bytes("id,quantity\nµ".encode("latin-1"))
    with pytest.raises(EnvironmentProblemError, match=r"GP-E008 .*not UTF-8"):
        evidence.load(extra=[tmp_path / "latin.csv"])


def test_data_of_another_version_are_refused(monkeypatch):
    monkeypatch.setattr(reading, "VERSION", 99)
    with pytest.raises(InputError, match="GP-E009"):
        reading.read_builtin()


def test_said_reads_like_the_statement(blank):
    assert blank.said == "1 nM"
    assert replace(blank, low=0.5, high=2.0, interval_kind="ci95").said == "1 (0.5-2) nM"
    assert replace(blank, value=None, low=3.0, interval_kind="lower-bound").said == ">= 3 nM"
    assert (
        replace(blank, value=None, high=3.0, interval_kind="upper-bound", unit="month").said == "< 3 months"
    )
    assert replace(blank, value=None, text="not reached", unit="").said == "not reached"


def test_a_cell_too_long_for_csv_is_refused_with_its_row(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,quantity,value,unit,source,grade,role\nA," + "x" * 140_000 + ",1,nM,doi:10.1/x,A,context\n"
    )
    with pytest.raises(InputError, match="GP-E003") as refused:
        evidence.load(extra=[path])
    assert "mine.csv row 2" in refused.value.render()


def test_a_word_of_punctuation_selects_nothing(claims):
    assert len(claims.select(trial="\u2603")) == 0
    assert len(claims.select(trial="?")) == 0
    assert len(claims.select(trial="")) > 0
