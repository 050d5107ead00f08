"""The check inside the evidence: what the fit never read, predicted beside published, with its score."""

from __future__ import annotations

import dataclasses
import re

import polars as pl
import pytest

from glueprint import evidence
from glueprint.calibration import prediction
from glueprint.calibration.clinical import held_out
from glueprint.errors import InputError
from glueprint.report import page, shell
from glueprint.report.held_out import held_out_section
from glueprint.report.tables import HELD_OUT
from glueprint.trials import reported

HEAD = {"trial": "mm003", "rank": 0.5, "replicates": 200, "label": "predicted", "note": ""}


def invented_row(arm, endpoint, unit, numbers, source, **more):
    """A row of invented numbers: observed, predicted, low, high, log score, width ratio."""
    names = ("observed", "predicted", "low", "high", "log_score", "width_ratio")
    given = dict(zip(names, numbers, strict=True))
    inside = given["low"] <= given["observed"] <= (given["high"] or float("inf"))
    return (
        HEAD
        | {"arm": arm, "endpoint": endpoint, "unit": unit, "source": source}
        | given
        | {"inside": inside}
        | more
    )


@pytest.fixture(scope="module")
def table():
    """Four rows: one inside, one outside, one open to the right, one that could not be compared."""
    arm, both = "POM+LoDEX", "POM+LoDEX vs HiDEX"
    response, subgroup = "median_os_cycle_3_response", "hr_pfs (cytogenetic_risk standard)"
    absent = {"low": None, "inside": None, "replicates": None, "note": 'no endpoint "<b>"'}
    rows = [
        invented_row(arm, "cycle_3_stable", "%", (38.4, 50.0, 42.0, 58.0, -3.0, 1.5), "CL061"),
        invented_row(both, "hr_os", "ratio", (0.74, 0.72, 0.52, 0.98, 0.5, 2.5), "CL019"),
        invented_row(arm, response, "months", (22.4, 20.0, 14.0, None, -0.5, 2.0), "CL065"),
        invented_row(both, subgroup, None, (0.55, None, 0.0, None, None, None), "CL054", **absent),
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def section_of(html):
    part = html[html.index('<section id="held-out"') :]
    return part[: part.index("</section>")]


def test_the_rows_stand_by_kind_in_words(table):
    section = held_out_section(table, {"mm003": "MM-003"})
    assert [(kind, len(rows)) for kind, rows in section.groups] == [
        ("Hazard ratios between the arms", 1),
        ("By the state at cycle 3", 2),
        ("Subgroups", 1),
    ]
    ratio = section.groups[0][1][0]
    assert (ratio.quantity, ratio.trial, ratio.arm) == ("Hazard ratio, death", "MM-003", "POM+LoDEX vs HiDEX")
    assert (ratio.published, ratio.predicted, ratio.interval) == ("0.74", "0.720", "0.520–0.980")
    assert (ratio.claim_id, ratio.inside) == ("CL019", "yes")
    assert ratio.strip.ratio == pytest.approx(0.72 / 0.74)
    stable = section.groups[1][1][0]
    assert (stable.published, stable.predicted, stable.inside) == ("38.4\u00a0%", "50.0\u00a0%", "no")
    subgroup = section.groups[2][1][0]
    assert subgroup.quantity == "Hazard ratio, progression or death; cytogenetic risk standard"
    assert (subgroup.predicted, subgroup.interval, subgroup.inside, subgroup.strip) == ("", "", "", None)


def test_readings_of_one_quantity_stand_together(table):
    other = table.filter(source="CL019").with_columns(endpoint=pl.lit("hr_pfs"), source=pl.lit("CL016"))
    again = table.filter(source="CL019").with_columns(source=pl.lit("CL013"))
    (_, rows), *_ = held_out_section(pl.concat([table, other, again]), {}).groups
    assert [row.claim_id for row in rows] == ["CL019", "CL013", "CL016"]


def test_the_score_counts_what_could_be_compared(table):
    section = held_out_section(table, {})
    assert (section.total, section.compared, section.inside) == (4, 3, 2)
    # Mean of -3, 0.5 and -0.5; middle of 1.5, 2 and 2.5.
    assert (section.log_score, section.width_ratio) == ("−1.00", "2.00")
    assert (section.labels, section.replicates) == (("predicted",), "200")


def test_an_end_that_no_replicate_reached_is_open(table):
    long = held_out_section(table, {}).groups[1][1][1]
    assert (long.interval, long.inside) == ("14.0–not reached", "yes")
    assert long.strip.high == 1.0
    never = table.with_columns(
        pl.when(pl.col("source") == "CL065").then(None).otherwise(pl.col(name)).alias(name)
        for name in ("predicted", "low", "log_score", "width_ratio")
    ).with_columns(inside=pl.col("inside") & (pl.col("source") != "CL065"))
    row = held_out_section(never, {}).groups[1][1][1]
    assert (row.predicted, row.interval, row.inside, row.strip) == ("not reached", "", "no", None)


def test_replicates_that_differ_are_given_as_a_range(table):
    fewer = table.with_columns(
        pl.when(pl.col("source") == "CL061").then(150).otherwise("replicates").alias("replicates")
    )
    assert held_out_section(fewer, {}).replicates == "150 to 200"


def test_the_page_shows_the_section_after_the_trials(small_input, table):
    html = page.render(dataclasses.replace(small_input, held_out=table, posterior="claret"))
    words = re.sub(r"\s+", " ", section_of(html))
    assert "2 of 3 published values lie inside" in words
    assert "mean log score −1.00, median width ratio 2.00" in words
    assert "2.00.</b> Of 4 rows, 1 could not be compared" in words
    assert "the middle 95&nbsp;% of 200 virtual trials" in words
    assert "not a blind prediction" in words
    assert "about 1 where nothing but sampling is left open" in words
    for claim in table.get_column("source"):
        assert claim in words
    assert "no endpoint &#34;&lt;b&gt;&#34;" in words
    assert html.index('id="trial-mm003"') < html.index('id="held-out"') < html.index('id="profiles"')
    assert 'href="#held-out"' in html


@pytest.mark.parametrize("rows", [None, 0])
def test_without_rows_there_is_no_section(small_input, table, rows):
    given = None if rows is None else table.head(rows)
    assert held_out_section(given, {}) is None
    html = page.render(dataclasses.replace(small_input, held_out=given))
    assert "held-out" not in html.replace(shell._asset("page.css"), "")


@pytest.mark.parametrize("column", HELD_OUT)
def test_a_missing_column_is_named(table, column):
    with pytest.raises(InputError, match=f'GP-P001 table "held_out": column "{column}"'):
        held_out_section(table.drop(column), {})


def test_a_label_that_is_none_is_refused(small_input, table):
    odd = table.with_columns(label=pl.lit("blind"))
    with pytest.raises(InputError, match='GP-P002 table "held_out" row 1'):
        page.render(dataclasses.replace(small_input, held_out=odd))


def test_every_held_out_endpoint_of_the_evidence_has_words():
    names = held_out.observed_rows(evidence.load()).get_column("endpoint").unique()
    assert {name.partition(" (")[0] for name in names} <= reported().keys()


def test_the_table_of_a_comparison_is_what_the_page_takes():
    """`prediction.compare` gives every column; of 40 ratios evenly spread, half lie below 0.5."""
    ends = {"trial": "mm003", "arm": "A vs B", "endpoint": "hr_os", "unit": "ratio", "n": 455, "events": 300}
    ends |= {"low": None, "high": None, "p_value": None, "method": "invented"}
    simulated = pl.DataFrame(
        [ends | {"replicate": r, "value": 0.4 + 0.2 * (r + 0.5) / 40} for r in range(40)]
    )
    seen = {"trial": "mm003", "arm": "A vs B", "endpoint": "hr_os", "value": 0.5, "source": "CL019"}
    section = held_out_section(prediction.compare(simulated, pl.DataFrame([seen])), {})
    row = section.groups[0][1][0]
    assert (row.predicted, row.inside, section.replicates) == ("0.500", "yes", "40")
    assert section.width_ratio != "–"
