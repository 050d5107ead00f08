"""Sheet and dose unit of a file that leaves them open: chosen on the page, kept in the project's file."""

from __future__ import annotations

import html
import re
import subprocess
import sys

import polars as pl
import pytest
from tests.assays.test_intake_sheets import prism
from tests.envelope import payload

from glueprint.runs import workbooks
from glueprint.study import glue
from glueprint.web import fit_page, sheets

PAGE = "/p/demo/plates/book"
DOSES = (0.0, 0.0, 0.001, 0.01, 0.1, 1.0, 10.0)
RUN = "from glueprint.cli import main; main()"


def cultures(half, dose="dose"):
    """Viability over doses, half of it at `half`."""
    rows = [{dose: one, "viability": 1.0 / (1.0 + one / half)} for one in DOSES for _ in range(2)]
    return pl.DataFrame(rows)


def book(**tables):
    return workbooks.workbook(tables)


def sent(browser, content, kind="growth", name="book.xlsx"):
    return browser.post("/p/demo/plates", {"name": "book", "kind": kind}, [("file", name, content)])


def choose(browser, **fields):
    seen = re.search(r'name="seen" value="([^"]*)"', browser.get(PAGE).text)[1]
    return browser.post(f"{PAGE}/reading", {"seen": seen, "sheet": "", "dose_unit": ""} | fields)


def assay(demo):
    return next(one for one in glue.load(demo).assay if one.name == "book")


def half_nm(demo):
    """The absolute IC50 of the assay, as a run of the project computes it."""
    result = glue.analyse(demo, assay(demo)).result
    return result.of("", "", "absolute IC50").value_nm


@pytest.fixture
def two(browser, demo):
    """A workbook of two runs in uM, which does not say so."""
    content = book(**{"run 1": cultures(0.1), "run 2": cultures(0.5)})
    assert sent(browser, content).status == 303
    return demo


def test_a_dose_without_a_unit_is_asked_for_and_kept(browser, two):
    assert "GP-A162" in browser.get(f"{PAGE}/fit").text
    page = browser.get(PAGE).text
    assert "doses in no unit" in page
    assert all(f"<option>{unit}</option>" in page for unit in sheets.UNITS)
    assert choose(browser, dose_unit="uM").status == 303
    assert assay(two).dose_unit == "uM"
    page = browser.get(PAGE).text
    assert "<option selected>uM</option>" in page
    assert "doses without a unit are taken as uM, as chosen" in page
    assert "GP-A162" not in browser.get(f"{PAGE}/fit").text
    assert half_nm(two) == pytest.approx(100.0, rel=0.02)
    assert choose(browser).status == 303
    assert assay(two).dose_unit is None


def test_a_sheet_is_chosen_and_the_others_are_named(browser, two):
    assert choose(browser, dose_unit="uM").status == 303
    page = html.unescape(browser.get(PAGE).text)
    assert "Read: run 1. Not read: run 2." in page
    assert choose(browser, sheet="run 2", dose_unit="uM").status == 303
    page = html.unescape(browser.get(PAGE).text)
    assert '<option value="run 2" selected>' in page
    assert "Read: run 2. Not read: run 1." in page
    assert 'sheet "run 2" of a workbook' in page
    assert half_nm(two) == pytest.approx(500.0, rel=0.02)


def test_the_command_that_the_page_says_computes_the_same(browser, two):
    assert choose(browser, sheet="run 2", dose_unit="uM").status == 303
    words = fit_page.command(two, assay(two))
    assert words[-4:] == ["--sheet", "run 2", "--dose-unit", "uM"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words, "--json"], capture_output=True, text=True, check=True
    )
    rows = payload(done.stdout)["potencies"]
    found = next(row for row in rows if row["definition"] == "absolute IC50")
    rows = glue.analyse(two, assay(two)).result.labelled()
    here = next(row for row in rows if row["definition"] == "absolute IC50")
    assert (found["value"], found["unit"]) == (here["value"], here["unit"])
    assert half_nm(two) == pytest.approx(500.0, rel=0.02)


def test_a_first_sheet_that_nobody_can_read_leaves_the_choice(browser, demo):
    content = book(notes=pl.DataFrame({"remark": ["of the plate"]}), run=cultures(0.1, "dose_nm"))
    assert sent(browser, content).status == 303
    page = html.unescape(browser.get(PAGE).text)
    assert "GP-A002" in page
    assert "Read: notes. Not read: run." in page
    assert choose(browser, sheet="run").status == 303
    page = browser.get(PAGE).text
    assert "GP-A002" not in page
    assert "The doses state no unit" not in page
    assert half_nm(demo) == pytest.approx(0.1, rel=0.02)


def test_a_book_of_which_no_sheet_can_be_read_is_not_kept(browser, demo):
    before = (demo / "glue.toml").read_bytes()
    words = pl.DataFrame({"remark": ["of the plate"]})
    assert sent(browser, book(notes=words, more=words)).status == 422
    assert (demo / "glue.toml").read_bytes() == before
    assert not (demo / "raw" / "book").exists()


def test_wells_of_another_sheet_are_read(browser, demo):
    wells = pl.DataFrame({"well": ["A1", "A2", "A3"], "value": [1.0, 2.0, 3.0]})
    assert sent(browser, book(first=wells, second=wells.head(2)), "fp").status == 303
    assert "3 wells read" in browser.get(PAGE).text
    assert choose(browser, sheet="second").status == 303
    assert "2 wells read" in browser.get(PAGE).text
    assert choose(browser, sheet="second", dose_unit="uM").status == 422
    assert assay(demo).dose_unit is None


def test_one_sheet_with_units_is_asked_nothing(browser, demo):
    assert sent(browser, book(run=cultures(0.1, "dose_nm"))).status == 303
    assert "How the file is read" not in browser.get(PAGE).text
    assert half_nm(demo) == pytest.approx(0.1, rel=0.02)


def test_tables_of_a_prism_file_are_listed(browser, demo):
    content = prism()
    start, end = content.rindex(b"<Table"), content.rindex(b"</Table>") + len(b"</Table>")
    more = content[start:end].replace(b"Viability", b"Second")
    both = content[:end] + more + content[end:]
    assert sent(browser, both, name="book.pzfx").status == 303
    assert "Read: Viability. Not read: Second." in html.unescape(browser.get(PAGE).text)
    assert choose(browser, sheet="Second").status == 303
    assert assay(demo).sheet == "Second"


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"sheet": "run 3"}, "GP-B023", 422),
        ({"dose_unit": "furlong"}, "GP-B023", 422),
        ({"sheet": "run 2", "seen": "old"}, "GP-B012", 409),
    ],
)
def test_a_choice_that_is_none_changes_nothing(browser, two, fields, code, status):
    before = (two / "glue.toml").read_bytes()
    answer = choose(browser, **fields)
    assert (answer.status, code in answer.text) == (status, True)
    assert (two / "glue.toml").read_bytes() == before


def test_the_sheet_stays_while_rows_of_it_are_left_out(browser, two):
    assert choose(browser, dose_unit="uM").status == 303
    text = (two / "glue.toml").read_text("utf-8")
    (two / "glue.toml").write_text(text + 'exclude = ["row 5=bubble"]\n', "utf-8")
    answer = choose(browser, sheet="run 2", dose_unit="uM")
    assert (answer.status, "GP-B014" in answer.text) == (409, True)
    assert assay(two).sheet is None
    assert choose(browser, dose_unit="nM").status == 303


@pytest.mark.parametrize("field", [{"sheet": "a", "kind": "table"}, {"dose_unit": "nM", "kind": "fp"}])
def test_a_field_that_the_kind_does_not_have_is_refused(field):
    with pytest.raises(ValueError, match="belongs to"):
        glue.Assay(name="a", files=("raw/a.csv",), **field)
