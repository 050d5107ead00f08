"""Numbers are written as a journal would, and rows of the comparison are read for what they are."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from glueprint.report import guide, page, rows, summaries
from glueprint.report.estimates import Estimate, interval, number, p_number, p_value, pick


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (264.0, "264"),
        (0.4823, "0.482"),
        (13.04, "13.0"),
        (-51.26, "−51.3"),
        (1234.5, "1\u2009234"),
        (0.0, "0"),
        (1.5e-9, "1.50×10⁻⁹"),
        (None, "–"),
        (float("nan"), "–"),
        (9.996, "10.0"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_inputs_keep_their_digits():
    assert number(156.6, 0) == "156.6"
    assert number(13.0, 0) == "13"


@pytest.mark.parametrize(
    ("value", "text"), [(1e-9, "< 0.0001"), (0.00053, "0.0005"), (0.0281, "0.028"), (0.56, "0.56")]
)
def test_p_values(value, text):
    assert p_number(value) == text
    assert p_value(value) == (f"p {text}" if text.startswith("<") else f"p = {text}")


def test_an_unreached_bound_is_said():
    assert interval(Estimate(12.7, 10.4, None)) == "12.7 (10.4–NR)"
    assert interval(Estimate(None, 10.4, None)) == "not reached"
    assert interval(Estimate(0.484, 0.39, 0.6), 2) == "0.48 (0.39–0.60)"
    assert interval(Estimate(4.0)) == "4.0"


def test_an_estimate_is_picked_by_arm_endpoint_and_replicate(mm003):
    for replicate in (0, 1):
        rows_of_it = mm003.endpoints.filter(
            (pl.col("arm") == "HiDEX")
            & (pl.col("endpoint") == "median_os")
            & (pl.col("replicate") == replicate)
        )
        assert pick(mm003.endpoints, "HiDEX", "median_os", replicate).value == rows_of_it["value"][0]
    assert pick(mm003.endpoints, "HiDEX", "median_osteo", 0) is None


def row(**given):
    return {"row": "Median overall survival", "column": "", "unit": "1", **given}


def test_rows_are_read_for_what_they_are():
    assert rows.is_ratio(row(column="Hazard ratio"))
    assert rows.is_p_value(row(column="p"))
    assert not rows.is_ratio(row(column="p"))
    assert not rows.is_ratio(row(unit="month"))
    assert rows.written("month") == "months"
    assert rows.written("1") == ""
    assert rows.written("uM") == "µM"


def test_a_number_not_reached_takes_the_unit_of_its_row():
    given = [row(unit="month"), row(unit=""), row(row="ORR", unit="%")]
    assert [one["unit"] for one in rows.with_units(given)] == ["month", "month", "%"]


def test_names_that_repeat_share_a_cell(report_input):
    table = guide.guide_tables(report_input.comparison)[3]
    assert [cell.span for cell in table.cells] == [3, 0, 0, 3, 0, 0, 2, 0]
    assert table.has_columns
    assert not guide.guide_tables(report_input.comparison)[1].has_columns


def test_one_explanation_for_a_whole_table_stands_under_it(report_input):
    same = report_input.comparison.with_columns(pl.lit("of 20 trials").alias("how"), pl.lit("").alias("note"))
    table = guide.guide_tables(same)[3]
    assert (table.how, table.has_how) == ("of 20 trials", False)
    mixed = same.with_columns(pl.col("claim_id").alias("how"))
    assert guide.guide_tables(mixed)[3].how == ""


def test_the_strip_measures_computed_over_published(report_input):
    strips = {
        cell.claim_id: cell.strip for cell in guide.guide_tables(twice(report_input.comparison))[3].cells
    }
    assert all(strip.place == pytest.approx(0.75) for strip in strips.values())  # two of one to four, in logs
    assert all(strip.ratio == pytest.approx(2.0) for strip in strips.values())
    inputs = report_input.comparison.with_columns(pl.lit("input").alias("label"))
    assert not any(cell.strip for table in guide.guide_tables(inputs) for cell in table.cells)


def twice(comparison):
    return comparison.with_columns((2 * pl.col("published_value")).alias("computed"))


def test_the_tally_counts_intervals_that_hold_the_published_value(report_input):
    tested = report_input.comparison.filter(
        pl.col("computed_low").is_not_null() & pl.col("published_value").is_not_null()
    )
    wide = report_input.comparison.with_columns(
        (pl.col("published_value") * 0.5).alias("computed_low"),
        (pl.col("published_value") * 2).alias("computed_high"),
    )
    counted = guide.tally(wide)
    assert counted.held == counted.tested >= tested.height
    narrow = wide.with_columns((pl.col("published_value") * 1.5).alias("computed_low"))
    assert guide.tally(narrow).held == 0


def test_counts_of_responses_add_up_to_the_arm(mm003):
    table = summaries.response(mm003)
    for place, size in ((1, 302), (2, 153)):
        assert sum(int(line[place].split()[0]) for line in table.rows[1:]) == size


def test_patients_that_could_not_be_computed_are_left_out_and_said(mm003):
    failed = mm003.patients.with_columns(
        pl.when(pl.col("patient") < 10).then(1).otherwise(pl.col("status")).alias("status")
    )
    trial = dataclasses.replace(mm003, patients=failed)
    assert summaries.response(trial).columns == ("", "POM+LoDEX (n = 292)", "HiDEX (n = 143)")
    assert summaries.disposition(trial).rows[-1][1:] == ("10 (3 %)", "10 (7 %)")


def test_grades_are_not_split_where_the_model_does_not_split_them(mm003):
    table = summaries.adverse_events(
        mm003, pl.DataFrame(schema={"arm": pl.String, "endpoint": pl.String, "value": pl.Float64})
    )
    pneumonia = next(line for line in table.rows if line[0] == "Pneumonia")
    assert pneumonia[1:4] == ("–", "–", "–")
    assert pneumonia[4].endswith("%")


def test_a_number_predicted_without_its_trial_stands_beside_the_calibrated_one(report_input):
    def left_out(verdict, **numbers):
        empty = dict.fromkeys(("left_out", "left_out_low", "left_out_high", "left_out_score"))
        found = empty | {"left_out_verdict": verdict} | numbers
        return report_input.comparison.with_columns(
            pl.lit(value, pl.String if isinstance(value, str) else pl.Float64).alias(name)
            for name, value in found.items()
        )

    told = left_out("inside", left_out=3.9, left_out_low=2.5, left_out_high=5.5, left_out_score=-0.42)
    (table, *_) = guide.guide_tables(told)
    assert table.has_left_out
    cell = table.cells[0]
    assert (cell.left_out, cell.left_out_interval) == ("3.90", "2.50–5.50")
    assert cell.left_out_verdict == "inside, score −0.4"
    beyond = guide.guide_tables(left_out("prior only", left_out_low=2.5))[0].cells[0]
    assert (beyond.left_out, beyond.left_out_interval) == ("not reached", "2.50–not reached")
    assert beyond.left_out_verdict == "prior only"
    assert not guide.guide_tables(report_input.comparison)[0].has_left_out
    html = page.render(dataclasses.replace(report_input, comparison=told))
    assert "Predicted without it" in html
    assert "Predicted without it" not in page.render(report_input)
