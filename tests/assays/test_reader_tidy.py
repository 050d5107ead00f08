"""Tidy plate files: what is read, and that every fault is a coded error with its row and column."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.assays import readers
from glueprint.assays.readers import tidy
from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError

GOOD = (
    "plate,well,value,unit,role,dose_nm\n"
    "p1,A1,0.5,OD,sample,10\n"
    "p1,a02,0.75,OD,vehicle,0\n"
    "p2,A1,,OD,sample,1e3\n"
)


def refused(content, code):
    with pytest.raises(InputError, match=code) as caught:
        tidy.parse(content.encode(), "p.csv")
    return caught.value


def test_a_tidy_file_keeps_every_row_and_column(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(GOOD, encoding="utf-8")
    found = readers.read(path)
    assert found.table["well"].to_list() == ["A1", "A2", "A1"]
    assert found.table["value"].to_list() == [0.5, 0.75, None]
    assert found.table["role"].to_list() == ["sample", "vehicle", "sample"]
    assert found.table["flag"].to_list() == ["", "", "missing"]
    assert found.table["dose_nm"].to_list() == ["10", "0", "1e3"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_make_no_difference(encoding, delimiter):
    content = GOOD.replace(",", delimiter).replace("\n", "\r\n").encode(encoding)
    expected = tidy.parse(GOOD.encode(), "p.csv").table
    assert tidy.parse(content, "p.csv").table.equals(expected)


def test_a_file_that_is_not_there_is_an_environment_problem(tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-A001") as caught:
        readers.read(tmp_path / "none.csv")
    assert str(tmp_path / "none.csv") in caught.value.where


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "plate,well,value,unit\n", "plate,well,value,value\n1,A1,1,1\n", 'a,"b\n1,2\n', "\x00"],
)
def test_what_is_no_table_is_refused(content):
    refused(content, "GP-A002")


def test_binary_content_is_refused():
    with pytest.raises(InputError, match="GP-A002"):
        tidy.parse(b"\x89PNG\xff\x00", "p.csv")


def test_a_split_decimal_comma_is_suspected():
    error = refused("plate,well,value,unit\np1,A1,0,5,OD\n", "GP-A002")
    assert "decimal comma" in error.message
    assert error.where == "p.csv row 2"


def test_a_missing_column_is_named():
    error = refused("plate,value,unit\np1,1,OD\n", "GP-A003")
    assert error.message == "no column well"
    assert "found plate, value, unit" in error.expected
    assert refused("plate,well,unit\np1,A1,OD\n", "GP-A003").message == "no column value"


@pytest.mark.parametrize("cell", ["inf", "1_000", "#DIV/0!", "0.5 OD"])
def test_a_bad_number_is_named_with_row_and_column(cell):
    error = refused(GOOD.replace("0.75", cell), "GP-A004")
    assert error.where == 'p.csv row 3, column "value"'
    assert cell in error.message


def test_a_decimal_comma_is_not_guessed():
    error = refused(GOOD.replace(",", ";").replace("0.75", "0,75"), "GP-A005")
    assert error.message.startswith('"0,75" beside "0.5"')


@pytest.mark.parametrize("well", ["A1", "A01", "a1"])
def test_a_duplicate_well_points_to_both_rows(well):
    error = refused(GOOD.replace("a02", well), "GP-A006")
    assert "already in row 2" in error.message
    assert "row 3" in error.where


@pytest.mark.parametrize("well", ["A0", "A49", "AG1", "1A", "", "A1 B2"])
def test_a_well_that_is_no_well_is_refused(well):
    refused(GOOD.replace("a02", well), "GP-A006")


@pytest.mark.parametrize("unit", ["mOD", ""])
def test_mixed_or_missing_units_are_refused(unit):
    error = refused(GOOD.replace("0.75,OD", f"0.75,{unit}"), "GP-A007")
    assert error.where == 'p.csv row 3, column "unit"'


@given(st.data())
def test_mutated_files_end_in_a_table_or_a_coded_error(data):
    content = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["cut", "swap", "insert"])):
            case "cut":
                del content[place : place + data.draw(st.integers(1, 8))]
                content = content or bytearray(b"x")
            case "swap":
                content[place] = data.draw(st.integers(0, 255))
            case "insert":
                content[place:place] = data.draw(st.binary(min_size=1, max_size=4))
    try:
        found = tidy.parse(bytes(content), "p.csv")
    except GlueprintError as error:
        assert error.code.startswith("GP-A")  # noqa: PT017 (either outcome is right)
    else:
        assert isinstance(found.table, pl.DataFrame)


def test_tokens_and_empty_wells_are_flagged_and_told():
    found = tidy.parse(GOOD.replace("0.75", "OVRFLW").encode(), "p.csv")
    assert found.table["flag"].to_list() == ["", "above_range", "missing"]
    assert [finding.code for finding in found.findings] == ["GP-A017", "GP-A017"]
    assert '"OVRFLW" in 1 well, taken as above_range: A2' in found.findings[0].message


def test_a_flag_that_the_file_says_itself_is_kept():
    text = "plate,well,value,unit,flag\np,A1,,OD,above_range\np,A2,1.5,OD,\n"
    assert tidy.parse(text.encode(), "p.csv").table["flag"].to_list() == ["above_range", ""]


def test_negative_optical_densities_are_kept_and_told():
    found = tidy.parse(GOOD.replace("0.75", "-0.01").encode(), "p.csv")
    assert found.table["value"][1] == -0.01
    assert "GP-A019" in [finding.code for finding in found.findings]
