"""The section of simulated plates: marked as such everywhere, truth beside estimate, a figure a protocol."""

from __future__ import annotations

import dataclasses
import re

import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.report import page
from glueprint.report.guide import strip_of
from glueprint.report.plates import FIGURES, plates_section


def growth_tables(note="seed 1"):
    """One line and compound with invented numbers, in the columns of a study's tables."""
    key = {"line": "A", "compound": "<glue>", "experiment": "1"}
    doses = [0.0, 1.0, 10.0, 100.0]
    wells = [{**key, "dose": d, "unit": "nM", "viability": 1.0 / (1 + d / 10), "gr": None} for d in doses]
    fitted = [{**key, "measure": "viability", "dose": d, "fitted": 1.0 / (1 + d / 10)} for d in doses[1:]]
    potency = {
        "definition": "absolute IC50",
        "relation": "=",
        "value": 10.0,
        "low": 8.0,
        "high": float("nan"),
    }
    about = {"protocol": "growth", "title": "growth: luminescence", "simulated": f"yes, {note}"}
    estimate = {"protocol": "growth", "of": "<glue>, A", "unit": "nM", "relation": "="}
    named = ("quantity", "experiments", "truth", "value", "low", "high", "holds")
    rows = [
        estimate | dict(zip(named, ("GR50", 3, 10.0, 11.0, 8.0, None, True), strict=True)),
        estimate | dict(zip(named, ("IC50", 1, 10.0, 30.0, 20.0, 45.0, False), strict=True)),
    ]
    return {
        "plates": pl.DataFrame(
            [about | {"files": ["plate.txt", "truth.toml"], "commands": ["glueprint assay growth <x>"]}]
        ),
        "estimates": pl.DataFrame(rows),
        "growth_wells": pl.DataFrame(wells, schema_overrides={"gr": pl.Float64}),
        "growth_fitted": pl.DataFrame(fitted),
        "growth_potencies": pl.DataFrame([{**key, **potency, "unit": "nM"}]),
    }


def test_a_study_without_plates_has_no_section(small_input):
    assert plates_section({}) is None
    html = page.render(small_input)
    assert 'id="plates"' not in html
    assert 'href="#plates"' not in html


def test_truth_and_estimate_stand_side_by_side():
    section = plates_section(growth_tables())
    assert (section.held, section.total) == (1, 2)
    (twin,) = section.twins
    first, second = twin.rows
    assert (first.truth, first.value, first.interval) == ("10.00\u00a0nM", "11.0\u00a0nM", "8.00–open")
    assert (second.value, second.interval, second.holds) == ("30.0\u00a0nM", "20.0–45.0", False)
    assert second.strip.ratio == pytest.approx(3.0)
    assert twin.drawn.caption.startswith("Simulated, not measured.")
    assert twin.drawn.description.startswith("Simulated, not measured.")


def test_a_limit_is_shown_as_one():
    tables = growth_tables()
    limits = tables["estimates"].with_columns(
        relation=pl.lit("<"), low=pl.lit(None, dtype=pl.Float64), high=pl.lit(None, dtype=pl.Float64)
    )
    (twin,) = plates_section(tables | {"estimates": limits}).twins
    assert twin.rows[0].value == "< 11.0\u00a0nM"
    assert twin.rows[0].interval == ""


def test_the_page_says_that_it_is_simulated_and_that_no_raw_data_are_public(small_input):
    told = "No raw data of these assays are public for pomalidomide."
    html = page.render(dataclasses.replace(small_input, plates=growth_tables(), no_raw_data=told))
    section = html[html.index('<section id="plates"') :]
    section = section[: section.index("</section>")]
    words = re.sub(r"\s+", " ", section)
    assert "No raw data of these assays are public for pomalidomide" in words
    assert words.count("imulated, not measured") >= 3
    assert "1 of 2 intervals hold the truth" in words
    assert "glueprint assay growth &lt;x&gt;" in section
    assert "<glue>" not in section
    assert 'href="#plates"' in html


def test_a_table_without_a_column_is_refused():
    tables = growth_tables()
    with pytest.raises(InputError, match="GP-P001"):
        plates_section(tables | {"estimates": tables["estimates"].drop("truth")})


def test_every_protocol_has_a_figure_with_words():
    assert set(FIGURES) == {"fp", "elisa", "blot", "growth"}


def test_the_strip_ends_at_a_quarter_and_at_four_times():
    assert strip_of(10.0, 10.0, 2.5, 40.0) == strip_of(1.0, 1.0, 0.25, 4.0)
    strip = strip_of(10.0, 10.0, 2.5, 40.0)
    assert (strip.low, strip.place, strip.high) == pytest.approx((0.0, 0.5, 1.0))
    assert strip_of(10.0, 50.0, None, None).outside
    assert strip_of(0.0, 1.0, None, None) is None
    assert strip_of(1.0, None, None, None) is None
