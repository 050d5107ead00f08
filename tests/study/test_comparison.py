"""The comparison with the guide: every cell, the right number, the right label."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from types import SimpleNamespace

import polars as pl
import pytest

from glueprint import evidence, references, study
from glueprint.errors import InputError
from glueprint.study import Study, in_vitro
from glueprint.study.comparison import Computed, compare, from_trial, headlines, reference_of

REFERENCE = references.load("pomalidomide")
CELLS = 32  # values of tables 1 to 5 of the first guide


def result_of(values, p_values=None, draws_label="", label="calibrated"):
    rows = {
        "arm": "POM+LoDEX",
        "endpoint": "median_pfs",
        "unit": "months",
        "value": values,
        "low": [1.0] * len(values),
        "high": [9.0] * len(values),
        "p_value": p_values or [None] * len(values),
        "method": "Kaplan-Meier, log-log",
    }
    schema = {"value": pl.Float64, "p_value": pl.Float64}
    return SimpleNamespace(
        endpoints=pl.DataFrame(rows, schema_overrides=schema), draws_label=draws_label, label=label
    )


def test_many_trials_give_their_median_and_the_range_of_chance():
    values = [float(number) for number in range(1, 42)]
    found = from_trial(result_of(values), "POM+LoDEX", "median_pfs", "value")
    assert (found.value, found.low, found.high) == (21.0, 2.0, 40.0)
    assert found.label == "calibrated"


def test_trials_with_draws_of_a_posterior_say_so():
    values = [float(number) for number in range(1, 42)]
    plain = from_trial(result_of(values), "POM+LoDEX", "median_pfs", "value")
    drawn = from_trial(result_of(values, draws_label="calibrated"), "POM+LoDEX", "median_pfs", "value")
    assert "draw of the posterior" in drawn.how
    assert "posterior" not in plain.how


def test_few_trials_give_the_first_ones_own_interval():
    found = from_trial(result_of([4.0, 5.0]), "POM+LoDEX", "median_pfs", "value")
    assert (found.value, found.low, found.high) == (4.0, 1.0, 9.0)
    assert "95 % CI" in found.how


def test_a_median_that_most_trials_do_not_reach_is_not_a_number():
    found = from_trial(result_of([None] * 15 + [4.0] * 10), "POM+LoDEX", "median_pfs", "value")
    assert found.value is None
    assert "not reached" in found.how
    mostly = from_trial(result_of([None] * 5 + [4.0] * 20), "POM+LoDEX", "median_pfs", "value")
    assert mostly.value == 4.0
    assert "reached in 20 of 25" in mostly.how


def test_an_endpoint_that_is_not_there_is_none():
    assert from_trial(result_of([4.0]), "HiDEX", "median_pfs", "value") is None


def test_every_cell_of_the_guide_is_there_and_nothing_is_made_up():
    claims = evidence.load()
    table = compare(claims, REFERENCE, {}, {})
    assert table.height == CELLS
    assert table.get_column("label").unique().to_list() == ["not modelled yet"]
    assert table.get_column("computed").null_count() == CELLS
    assert set(REFERENCE.cells) <= set(table.get_column("claim_id"))


def test_trial_and_in_vitro_numbers_land_in_their_cells():
    computed = {"G1-kd-spr": Computed(264.0, None, None, "input", "as published")}
    table = compare(evidence.load(), REFERENCE, {"mm003": result_of([4.0])}, computed)
    cell = table.row(by_predicate=pl.col("claim_id") == "G4-pfs-pomdex", named=True)
    assert (cell["computed"], cell["published_value"], cell["guide_table"]) == (4.0, 4.0, 4)
    assert table.row(by_predicate=pl.col("claim_id") == "G1-kd-spr", named=True)["label"] == "input"


def test_in_vitro_numbers_of_pomalidomide():
    claims = evidence.load()
    found = in_vitro.compute(claims, REFERENCE)
    assert len(found) == 9
    # Each as near as the guide's tables ask: inside the printed interval, or within 0.3 log10.
    for claim_id, computed in found.items():
        claim = claims[claim_id]
        near = abs(math.log10(computed.value / claim.value)) <= 0.3
        assert (claim.low <= computed.value <= claim.high) if claim.low is not None else near, claim_id
        assert computed.low < computed.value < computed.high
    # The free fraction of blood was not fitted.
    assert {claim_id for claim_id, cell in found.items() if cell.label == "predicted"} == {"G2-tnf-blood"}
    # The cell is in uM, the posterior in nM.
    assert 4.0 < found["G1-ic50-rpmi8226"].value < 16.0
    assert "without error" in found["G1-ic50-fp"].note


def test_the_posterior_says_nothing_beside_the_guide_of_another_compound():
    other = REFERENCE.model_copy(update={"compound": "lenalidomide"})
    assert in_vitro.compute(evidence.load(), other) == {}


def plan(**changes):
    given = {
        "kind": "glueprint-study", "version": 1, "name": "mine", "title": "Mine", "compound": "pomalidomide",
        "trials": ({"protocol": "mm003"},),
    }  # fmt: skip
    return Study(**given | changes)


def test_a_study_is_set_beside_the_reference_that_it_names():
    assert reference_of(plan(reference="pomalidomide")) == REFERENCE
    assert reference_of(plan()) is None
    assert study.load("pomalidomide").reference == "pomalidomide"


def test_another_compound_is_not_set_beside_the_guide():
    with pytest.raises(InputError, match="GP-S010 mine, reference") as caught:
        reference_of(plan(compound="lenalidomide", reference="pomalidomide"))
    assert "is about pomalidomide, the study about lenalidomide" in str(caught.value)
    assert "leave reference out" in caught.value.next_step


def test_one_changed_number_makes_another_compound(tmp_path):
    text = (files("glueprint.mechanism") / "data" / "compounds" / "pomalidomide.toml").read_text("utf-8")
    path = tmp_path / "pomalidomide.toml"
    path.write_text(text)
    assert reference_of(plan(compound=str(path), reference="pomalidomide")) == REFERENCE
    path.write_text(re.sub(r"(kd_nm = \{ typical = )264", r"\g<1>265", text, count=1))
    with pytest.raises(InputError, match="GP-S010"):
        reference_of(plan(compound=str(path), reference="pomalidomide"))


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("calibrated", "calibrated"),
        ("predicted", "predicted"),
        ("typical parameters", "assumed"),
    ],
)
@pytest.mark.parametrize("count", [1, 41])
def test_a_number_is_labelled_as_its_trial_is(label, shown, count):
    result = result_of([4.0] * count, label=label)
    assert from_trial(result, "POM+LoDEX", "median_pfs", "value").label == shown
    never = result_of([None] * 41, label=label)
    assert from_trial(never, "POM+LoDEX", "median_pfs", "value").label == shown
    cell = compare(evidence.load(), REFERENCE, {"mm003": result}, {}).row(
        by_predicate=pl.col("claim_id") == "G4-pfs-pomdex", named=True
    )
    assert cell["label"] == shown


def test_headlines_are_what_a_trial_is_asked_for_first():
    table = headlines(result_of([float(number) for number in range(1, 42)]))
    assert table.to_dicts() == [
        {
            "arm": "POM+LoDEX", "endpoint": "median_pfs", "unit": "months", "computed": 21.0,
            "computed_low": 2.0, "computed_high": 40.0, "label": "calibrated",
            "how": "median of 41 virtual trials, 95 % of them in the interval",
        }
    ]  # fmt: skip
    none = result_of([4.0])
    none.endpoints = none.endpoints.with_columns(endpoint=pl.lit("median_treatment"))
    assert headlines(none).is_empty()


def test_findings_say_what_and_what_to_do():
    table = in_vitro.findings(evidence.load())
    # The guide's reagent is found twice: by its two structures, and by running its route.
    assert {"EV-reagent", "CH-route-product", "EV-mixed-table"} <= set(table.get_column("code"))
    assert table.filter(pl.col("remedy") == "").is_empty()
