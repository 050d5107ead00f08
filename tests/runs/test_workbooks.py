"""Workbooks: names of sheets that Excel takes, text that XML can hold, the same bytes each time."""

from __future__ import annotations

import io

import polars as pl
from python_calamine import CalamineWorkbook

from glueprint.runs.workbooks import quiet, workbook

ONE = pl.DataFrame({"x": [1.5]})


def opened(content):
    return CalamineWorkbook.from_filelike(io.BytesIO(content))


def test_sheets_have_names_that_a_workbook_may_have():
    long = "measured_and_predicted_of_everything"
    names = opened(
        workbook({long: ONE, f"{long}_2": ONE, 'a/b:c?"<&>': ONE, "A": ONE, "a": ONE, "": ONE})
    ).sheet_names
    assert names == [long[:31], f"{long[:29]} 2", 'a_b_c_"<&>', "A", "a 2", "table"]


def test_text_that_xml_cannot_hold_spoils_no_workbook():
    table = pl.DataFrame({"text": ["a\x00b\x1fc\uffff", "tab\there", "  blanks  "]})
    rows = opened(workbook({"t": table})).get_sheet_by_name("t").to_python()
    odd = "\N{REPLACEMENT CHARACTER}"
    assert rows == [["text"], [f"a{odd}b{odd}c{odd}"], ["tab\there"], ["  blanks  "]]


def test_lists_are_text_and_nothing_is_computed():
    table = quiet(pl.DataFrame({"many": [[1, 2], []], "text": ["=1+1", "-3.5"]}))
    assert table.rows() == [("1; 2", "'=1+1"), ("", "-3.5")]
    assert quiet(pl.DataFrame({"text": []}, schema={"text": pl.String})).height == 0


def test_equal_tables_give_equal_bytes():
    assert workbook({"t": ONE}) == workbook({"t": ONE.clone()})
