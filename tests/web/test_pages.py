"""Every page: what it shows, what it changes, what it refuses."""

from __future__ import annotations

import json
import re
import shutil

import polars as pl
import pytest
from tests.web.conftest import SMILES

from glueprint.runs.store import write_tables
from glueprint.study import course, glue

CULTURES = "dose_nM\tviability\n0\t1.0\n1\t0.99\n10\t0.9\n100\t0.5\n1000\t0.12\n10000\t0.08\n100000\t0.07\n"


def field(answer, name):
    return re.search(rf'name="{name}" value="([^"]*)"', answer.text)[1]


def plate(browser, assay="growth-1", query=""):
    return browser.get(f"/p/demo/plates/{assay}{query}")


def test_the_first_page_offers_two_doors_and_then_lists(browser):
    page = browser.get("/").text
    assert "Try it with simulated plates" in page
    assert "Start with my files" in page
    answer = browser.post("/projects", {"name": "mine", "compound": "GLX-7", "smiles": SMILES})
    assert (answer.status, answer.headers["location"]) == (303, "/p/mine")
    assert "GLX-7" in browser.get("/").text
    assert "name your first raw file" in browser.get("/p/mine").text


def test_what_people_write_is_shown_and_never_run(browser, bench):
    browser.post("/projects", {"name": "mine", "compound": "GLX-7", "smiles": SMILES})
    path = bench.workspace.place("mine") / "glue.toml"
    path.write_text(path.read_text().replace("GLX-7", "<script>alert(1)</script>"))
    for address in ("/", "/p/mine", "/evidence?q=%3Cscript%3Ealert(1)", "/%3Cscript%3E", "/p/%3Cscript%3E"):
        page = browser.get(address).text
        assert "<script>alert" not in page
        assert "<script>" not in page.replace('<script src="', "")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "a b", "compound": "A", "smiles": SMILES}, "GP-B009"),
        ({"name": "new", "compound": "A", "smiles": "not a structure"}, "GP-H002"),
        ({"name": "new", "compound": "/etc", "smiles": SMILES}, "GP-S023"),
        ({"name": "new", "compound": "A", "smiles": SMILES, "seed": "x"}, "GP-B023"),
        ({"name": "new", "compound": "A", "smiles": SMILES, "seed": "1.5"}, "GP-B023"),
    ],
)
def test_a_project_that_cannot_be_is_refused_and_leaves_nothing(browser, bench, fields, code):
    answer = browser.post("/projects", fields)
    assert (answer.status, code in answer.text) == (422, True)
    assert bench.workspace.projects() == ()


def test_a_project_is_copied_packed_deleted_and_fetched_back(browser, bench, demo):
    assert browser.post("/p/demo/duplicate", {"name": "demo2"}).status == 303
    packed = browser.get("/p/demo2/export.zip")
    assert packed.headers["content-disposition"] == 'attachment; filename="demo2.zip"'
    assert browser.post("/p/demo2/delete", {"confirm": "demo"}).status == 409
    assert browser.post("/p/demo2/delete", {"confirm": "demo2"}).status == 303
    assert browser.get("/p/demo2").status == 404
    assert "Bring back demo2" in browser.get("/").text
    assert browser.post("/trash", {"ticket": "demo2.1"}).headers["location"] == "/p/demo2"
    given = [("file", "../../evil.zip", packed.body)]
    assert browser.post("/import", {"name": "third"}, given).headers["location"] == "/p/third"
    assert bench.workspace.packed("third") == packed.body
    browser.post("/p/demo2/delete", {"confirm": "demo2"})
    assert browser.post("/trash", {"empty": "yes"}).status == 303
    assert bench.workspace.put_away_names() == ()


def test_a_run_is_a_job_and_only_one_at_a_time(browser, bench, demo):
    answer = browser.post("/p/demo/run", {"quick": "yes"})
    (job,) = bench.jobs.all()
    assert answer.headers["location"] == f"/jobs/{job.id}"
    assert job.words[:3] == ("glue", "run", str(demo))
    assert "--quick" in job.words
    assert browser.post("/p/demo/run").status == 409
    assert browser.post("/p/demo/delete", {"confirm": "demo"}).status == 409
    assert "waiting" in browser.get("/p/demo").text


def test_the_report_has_no_origin_and_tables_are_inert(browser, demo):
    assert browser.get("/p/demo/report").status == 404
    result = demo / "result"
    write_tables(result / "tables", {"small": pl.DataFrame({"a": ["=1+1", "x"], "b": [[1, 2], []]})})
    (result / "report.html").write_text("<script>parent.document</script>")
    from glueprint.web.project_page import REPORT_POLICY

    answer = browser.get("/p/demo/report")
    assert answer.headers["content-security-policy"] == REPORT_POLICY
    assert "sandbox" in REPORT_POLICY
    assert "allow-same-origin" not in REPORT_POLICY
    assert browser.get("/p/demo/tables/small.csv").text == 'a,b\n\'=1+1,1; 2\nx,""\n'
    for name in ("none", "..%2fsmall", "small%00"):
        assert browser.get(f"/p/demo/tables/{name}.csv").status == 404


@pytest.mark.parametrize("assay", ["fp-1", "elisa-1", "growth-1"])
def test_a_plate_shows_every_well_with_what_is_in_it(browser, demo, assay):
    page = plate(browser, assay).text
    assert page.count('class="well"') == 96
    assert 'aria-label="A1: ' in page
    assert "wells of" in page
    assert f"glueprint assay {'binding' if assay == 'fp-1' else assay[:-2]}" in page


def test_a_blot_has_no_wells_and_an_assay_that_is_not_there_is_refused(browser, demo):
    page = plate(browser, "blot-1").text
    assert 'class="well"' not in page
    assert "row 7" in page
    assert plate(browser, "none").status == 404


@pytest.mark.parametrize("assay", ["fp-1", "elisa-1", "growth-1", "blot-1"])
def test_a_potency_stands_with_its_interval_whatever_the_assay(browser, demo, assay):
    one = next(one for one in glue.load(demo).assay if one.name == assay)
    page = browser.get(f"/p/demo/plates/{assay}/fit").text
    rows = glue.analyse(demo, one).result.labelled()
    numbers = [row[name] for row in rows for name in row if name.split("_")[0] in ("value", "low", "high")]
    said = [number for number in numbers if isinstance(number, float)]
    assert len(said) > len(rows)
    assert all(f"<td>{number:.4g}</td>" in page for number in said)


def test_the_fit_of_a_plate_is_the_analysis_of_the_project(browser, demo):
    page = browser.get("/p/demo/plates/growth-1/fit", hx_request="true").text
    one = next(one for one in glue.load(demo).assay if one.name == "growth-1")
    rows = glue.analyse(demo, one).result.labelled()
    assert all(f"<td>{row['value']:.4g}</td>" in page for row in rows if row["value"] is not None)
    assert "<svg" in page
    assert "var(--ink)" in page
    assert "<html" not in page
    assert "<html" in browser.get("/p/demo/plates/growth-1/fit").text
    assert "Readings less their curves" in page
    assert 'name="model"' in page
    assert "GP-A163" in browser.get("/p/demo/plates/growth-1/fit?model=none").text
    assert browser.get("/p/demo/plates/growth-1/fit.exe").status == 404


def test_a_well_is_left_out_with_a_reason_fitted_again_and_taken_in(browser, demo):
    name = "MM1S, experiment 1, 120 h"
    seen = field(plate(browser), "seen")
    given = {"wells": "A3,A4", "reason": "", "other": "bubble", "plate": name, "seen": seen}
    before = browser.get("/p/demo/plates/growth-1/fit").text
    assert browser.post("/p/demo/plates/growth-1/exclude", given).status == 303
    (entry,) = next(one for one in glue.load(demo).assay if one.name == "growth-1").exclude
    assert entry == f"{name}:A3,A4=bubble"
    page = plate(browser)
    assert page.text.count('class="out"') == 2
    assert "left out: bubble" in page.text
    assert browser.get("/p/demo/plates/growth-1/fit").text != before
    assert plate(browser, query="?plate=MM1S%2C+experiment+2%2C+120+h").text.count('class="out"') == 0
    back = {"back": entry, "seen": field(page, "seen")}
    assert browser.post("/p/demo/plates/growth-1/exclude", back).status == 303
    assert next(one for one in glue.load(demo).assay if one.name == "growth-1").exclude is None
    assert browser.get("/p/demo/plates/growth-1/fit").text == before
    journal = [json.loads(line) for line in (demo / "exclusions.jsonl").read_text().splitlines()]
    assert [(line["action"], line["what"]) for line in journal] == [
        ("left out", f"{name}:A3,A4"),
        ("taken in again", entry),
    ]


def test_the_file_keeps_its_comments_when_a_well_is_left_out(browser, demo):
    before = (demo / "glue.toml").read_text()
    seen = field(plate(browser), "seen")
    given = {"wells": "A3", "reason": "edge", "plate": "MM1S, experiment 1, 120 h", "seen": seen}
    browser.post("/p/demo/plates/growth-1/exclude", given)
    after = (demo / "glue.toml").read_text()
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    assert added == ['exclude = ["MM1S, experiment 1, 120 h:A3=edge"]']
    assert after.replace(added[0] + "\n", "") == before


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"wells": "A1", "other": ""}, "GP-B025", 422),
        ({"wells": "", "other": "x"}, "GP-B023", 422),
        ({"wells": "Z99", "other": "x"}, "GP-B023", 422),
        ({"wells": 'A1"', "other": "x"}, "GP-B023", 422),
        ({"wells": "P24", "other": "x"}, "GP-A240", 422),
        ({"wells": "A1", "other": "x", "seen": "old"}, "GP-B012", 409),
        ({"back": "A1=x"}, "GP-B010", 404),
    ],
)
def test_what_cannot_be_left_out_is_refused_and_changes_nothing(browser, demo, fields, code, status):
    seen = field(plate(browser), "seen")
    before = (demo / "glue.toml").read_bytes()
    answer = browser.post("/p/demo/plates/growth-1/exclude", {"seen": seen, "reason": "", **fields})
    assert (answer.status, code in answer.text) == (status, True)
    assert (demo / "glue.toml").read_bytes() == before
    assert not (demo / "exclusions.jsonl").exists()


def test_a_file_in_a_hand_of_its_own_is_not_changed(browser, demo):
    path = demo / "glue.toml"
    path.write_text(path.read_text().replace('name = "growth-1"', 'exclude = [\n]\nname = "growth-1"'))
    seen = field(plate(browser), "seen")
    before = path.read_bytes()
    given = {"wells": "A3", "reason": "edge", "seen": seen, "plate": "MM1S, experiment 1, 120 h"}
    answer = browser.post("/p/demo/plates/growth-1/exclude", given)
    assert "GP-B013" in answer.text
    assert path.read_bytes() == before


def test_two_windows_on_one_project_the_second_is_told(browser, demo):
    first, second = (field(plate(browser), "seen") for _ in range(2))
    given = {"wells": "A3", "reason": "edge", "plate": "MM1S, experiment 1, 120 h"}
    assert browser.post("/p/demo/plates/growth-1/exclude", {**given, "seen": first}).status == 303
    answer = browser.post("/p/demo/plates/growth-1/exclude", {**given, "wells": "A4", "seen": second})
    assert (answer.status, "GP-B012" in answer.text) == (409, True)


def test_a_pasted_table_is_read_and_named(browser, demo):
    given = {"name": "pasted-1", "kind": "growth", "cells": "MM1S", "pasted": CULTURES}
    assert browser.post("/p/demo/plates", given).headers["location"] == "/p/demo/plates/pasted-1"
    (one,) = [one for one in glue.load(demo).assay if one.name == "pasted-1"]
    assert one.files == ("raw/pasted-1/data.tsv",)
    assert "100" in browser.get("/p/demo/plates/pasted-1/fit").text
    again = browser.post("/p/demo/plates", given)
    assert (again.status, "GP-B011" in again.text) == (409, True)


@pytest.mark.parametrize(
    ("fields", "files", "code"),
    [
        ({"name": "new", "kind": "growth"}, [], "GP-B024"),
        ({"name": "new", "kind": "growth"}, [("file", "x.exe", b"MZ")], "GP-B020"),
        ({"name": "new", "kind": "growth"}, [("file", "../../x.csv/..", b"a")], "GP-B020"),
        ({"name": "new", "kind": "growth"}, [("file", "x.csv", b"\x00\xff" * 50)], "GP-A"),
        ({"name": "new", "kind": "growth"}, [("file", "x.xlsx", b"PK\x03\x04")], "GP-A"),
        ({"name": "new", "kind": "growth", "pasted": "hello"}, [], "GP-A"),
        ({"name": "../x", "kind": "growth", "pasted": CULTURES}, [], "GP-B009"),
        ({"name": "new", "kind": "blot", "pasted": CULTURES}, [], "GP-B020"),
        ({"name": "new", "kind": "table", "pasted": CULTURES}, [], "GP-B009"),
    ],
)
def test_a_file_that_nobody_can_read_leaves_nothing(browser, demo, fields, files, code):
    before = (demo / "glue.toml").read_bytes()
    names = sorted(path.name for path in (demo / "raw").iterdir())
    answer = browser.post("/p/demo/plates", fields, files)
    assert answer.status in (415, 422)
    assert code in answer.text
    assert (demo / "glue.toml").read_bytes() == before
    assert sorted(path.name for path in (demo / "raw").iterdir()) == names


def test_a_plate_without_a_layout_gets_one_well_by_well(browser, bench, demo):
    shutil.copy(demo / "raw" / "elisa" / "plate.txt", demo / "other.txt")
    content = (demo / "other.txt").read_bytes()
    browser.post("/p/demo/plates", {"name": "new-1", "kind": "elisa"}, [("file", "plate.txt", content)])
    page = browser.get("/p/demo/plates/new-1")
    address = "/p/demo/plates/new-1/layout"
    given = {"wells": "A1,B1,C1", "role": "standard", "start": "1000", "factor": "10", "direction": "down"}
    given |= {"concentration_unit": "pg/mL", "seen": field(page, "seen"), "layout_seen": ""}
    assert browser.post(address, given).status == 303
    text = browser.get(f"{address}.toml").text
    assert "concentration = 1000.0" in text
    assert "concentration = 10.0" in text
    seen = field(browser.get("/p/demo/plates/new-1"), "layout_seen")
    assert browser.post(address, {"wells": "B1", "role": "none", "layout_seen": seen}).status == 303
    assert 'wells = "B1"' not in browser.get(f"{address}.toml").text
    stale = browser.post(address, {"wells": "B1", "role": "blank", "layout_seen": seen})
    assert (stale.status, "GP-B012" in stale.text) == (409, True)
    wrong = (
        ({"wells": "H99"}, "GP-B023"),
        ({"wells": "A1", "role": "king"}, "GP-B023"),
        ({"wells": "A1"}, "GP-B024"),
    )
    for fields, code in wrong:
        now = field(browser.get("/p/demo/plates/new-1"), "layout_seen")
        said = {"sample": "" if code == "GP-B024" else "s"}
        assert code in browser.post(address, {**fields, "layout_seen": now, **said}).text


def test_the_evidence_is_found_by_words_and_leads_to_its_source(browser):
    page = browser.get("/evidence?q=ikzf1+degradation").text
    assert "/evidence/DEG-" in page
    claim = browser.get("/evidence/BIN-001").text
    assert 'rel="noopener noreferrer"' in claim
    assert browser.get("/evidence/none").status == 422
    assert "Nothing has all of these words" in browser.get("/evidence?q=zzzzzz").text


def test_the_course_is_that_of_python_and_stands_in_its_address(browser):
    query = "dose_mg=2&kd_fold=0.5&age_y=70"
    page = browser.get(f"/mechanism?{query}", hx_request="true")
    found = course.follow(course.Plan(dose_mg=2.0, kd_fold=0.5, patient=course.Patient(age_y=70.0)))
    assert f"{found.peak_ng_per_ml:.3g}, {found.trough_ng_per_ml:.3g} ng/mL" in page.text
    assert page.headers["hx-replace-url"] == "/mechanism?dose_mg=2.0&kd_fold=0.5&age_y=70.0"
    assert "glueprint model course --dose 2.0 --kd-fold 0.5 --age 70.0" in page.text
    pinned = browser.get(f"/mechanism?pin={query.replace('=', '%3D').replace('&', '%26')}").text
    assert "Pinned 1" in pinned
    assert 'class="pin-0"' in pinned
    assert "Beyond what was fitted" not in page.text


def test_a_course_that_no_fitted_trial_speaks_for_says_so(browser):
    page = browser.get("/mechanism?dose_mg=400&anc0=0.6", hx_request="true").text
    assert "Beyond what was fitted, in 2 places" in page
    assert "dose_mg: pomalidomide 400 mg" in page
    assert "anc_1e9_per_l: 0.6; the fitted trials cover 1 to 12" in page


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("dose_mg=x", "GP-B023"),
        ("dose_mg=-1", "GP-S070"),
        ("dose_mg=nan", "GP-S070"),
        ("cycles=1e99", "GP-S070"),
        ("cycles=1.5", "GP-S070"),
        ("days=1-99", "GP-S070"),
        ("days=x", "GP-S070"),
        ("compound=none", "GP-B007"),
        ("compound=iberdomide", "GP-S071"),
        ("pin=dose_mg%3Dx", "GP-B023"),
    ],
)
def test_a_course_that_cannot_be_is_said_where_it_was_asked(browser, query, code):
    answer = browser.get(f"/mechanism?{query}", hx_request="true")
    assert answer.status in (404, 422)
    assert code in answer.text
    assert "<html" not in answer.text
