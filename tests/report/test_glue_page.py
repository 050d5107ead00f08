"""The page of a glue: what it rests on at its top, its doses, and what it says where there is no trial."""

from __future__ import annotations

import dataclasses
import re

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.report import figures, glue_page, glue_report, glue_tables
from glueprint.study import glue

SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"
TABLE = """compound,quantity,target,value,low,high,unit
GLX-1,ki,,200,150,267,nM
pomalidomide,ki,,250,188,333,nM
GLX-1,rate_max_over_k_deg,IKZF1,20,15,27,
"""
ENTRY = '\n[[assay]]\nname = "table-1"\nkind = "table"\nfiles = ["raw/table/measured.csv"]\n'

COLUMNS = (
    *("part", "arm", "dose_mg", "endpoint", "unit"),
    *("value", "low", "high", "replicates", "not_reached", "label"),
)


def outcomes():
    rows = []
    for part, dose, shift in (("planned", 4.0, 0.0), ("reference", 4.0, -5.0), ("swept", 2.0, -10.0)):
        for endpoint, value in (("orr", 30.0), ("neutropenia_grade_3_4", 50.0)):
            middle = value + shift
            rows.append(
                (
                    part,
                    f"{part} {dose:g} mg",
                    dose,
                    endpoint,
                    "%",
                    middle,
                    middle - 10,
                    middle + 10,
                    40,
                    0,
                    "predicted",
                )
            )
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row")


ODDS = pl.DataFrame(
    [
        {
            "dose_mg": 2.0,
            "endpoint": "orr",
            "limit_percent": 30.0,
            "share_above": 0.25,
            "low": 0.1,
            "high": 0.4,
        },
        {
            "dose_mg": 2.0,
            "endpoint": "neutropenia_grade_3_4",
            "limit_percent": 50.0,
            "share_above": 0.5,
            "low": 0.3,
            "high": 0.7,
        },
    ]
)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glue") / "p"
    glue.new(folder, compound="GLX-1", smiles=SMILES)
    (folder / "raw/table/measured.csv").write_text(TABLE)
    (folder / "glue.toml").write_text((folder / "glue.toml").read_text() + ENTRY)
    return glue_report.input_of(glue.run(folder, quick=True))


def test_the_first_line_says_what_it_rests_on_and_who_is_missing(given):
    page = glue_page.render(given)
    (line,) = re.findall(r'id="rests-on">(.*?)</p>', page)
    assert line == (
        "It rests on 2 quantities from one table of quantities, with pomalidomide on every plate; no "
        "pharmacokinetics, so no trial."
    )
    assert "<strong>No trial.</strong> No pharmacokinetics of GLX-1: there is no trial without them." in page
    assert 'id="doses"' not in page
    assert 'id="trial-glue"' not in page
    assert "what its plates say" in page


def test_the_page_fetches_nothing_and_is_the_same_each_time(given):
    page = glue_page.render(given)
    assert page == glue_page.render(given)
    assert "default-src 'none'" in page
    assert not re.search(r"https?://(?!www.w3.org/)", page.split("<script>")[0])


def test_text_of_others_is_text(given):
    evil = "<script>alert(1)</script>"
    page = glue_page.render(dataclasses.replace(given, rests_on=evil, compound=evil))
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_doses_odds_and_limits_stand_on_the_page(given):
    limits = pl.DataFrame(
        [
            {
                "question": "dose at which response passes 30 %",
                "unit": "mg",
                "value": 3.0,
                "low": 2.0,
                "high": None,
                "share_below": 0.1,
                "share_beyond": 0.2,
            },
            {
                "question": "window: dose of neutropenia over dose of response",
                "unit": "1",
                "value": 1.5,
                "low": 0.0,
                "high": 4.0,
                "share_below": 0.2,
                "share_beyond": 0.0,
            },
        ]
    )
    page = glue_page.render(dataclasses.replace(given, outcomes=outcomes(), odds=ODDS, limits=limits))
    for words in (
        "Overall response rate above 30 %",
        "25\u00a0% (10–40)",
        "3.00\u00a0mg (2.00–beyond)",
        "10 % at the lowest dose already; 20 % beyond the highest dose",
        "1.50 (none–4.00)",
        "20 % never pass the response",
        'id="figure-dose-sweep"',
        "planned 4 mg",
    ):
        assert words in page


def test_the_sweep_is_drawn_once_a_dose_with_the_reference_behind(given):
    drawn = figures.dose_sweep(outcomes(), limits={"orr": 30.0}).to_dict(validate=False)
    text = str(drawn)
    assert text.count("'strokeDash': [5, 4]") == 1  # the rule of the one panel that has a limit
    assert "Overall response rate, %" in text
    with pytest.raises(InputError, match="GP-P005"):
        figures.dose_sweep(outcomes().filter(pl.col("part") == "reference"))
    with pytest.raises(InputError, match="GP-P001"):
        figures.dose_sweep(outcomes().drop("dose_mg"))


def test_measured_beside_predicted_counts_what_was_not_fitted(given):
    (group,) = glue_tables.compared(given.compared)
    assert group.title == "Quantities analysed elsewhere: table-1"
    assert (group.total, group.left_out) == (3, 0)
    ki = next(row for row in group.rows if row.what == "Ki" and row.compound == "GLX-1")
    assert ki.measured == "200\u00a0nM"
    assert ki.strip is not None
