"""Facts of the evidence: at least five that were not used come out right, and the labels cannot lie."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import evidence
from glueprint.experiments import facts, provenance
from glueprint.experiments.cultures import grow
from glueprint.mechanism import Scenario

SCENARIO = Scenario.of()


@pytest.fixture(scope="module")
def table():
    return facts.check()


def test_at_least_five_facts_that_were_not_used_are_right(table):
    right = table.filter(pl.col("counts") & pl.col("right"))
    assert right.height >= 5
    assert right["claim"].n_unique() >= 5


def test_only_what_is_predicted_counts(table):
    assert (table["counts"] == (table["label"] == "predicted")).all()
    assert not table.filter(pl.col("claim").str.contains("IMM-022|DWN-005|DEG-003"))["counts"].any()


def test_what_was_used_names_the_parameters(table):
    used = table.filter(pl.col("label").is_in(["input", "calibrated"]))
    assert used["why"].str.starts_with("used for ").all()


def test_every_claim_stands_in_the_evidence(table):
    claims = evidence.load()
    for text in table["claim"]:
        assert all(name in claims for name in text.split(", "))


def test_wrong_ones_are_listed_too(table):
    wrong = table.filter(~pl.col("right"))
    assert "IMM-003" in wrong["claim"].to_list()


def test_a_claim_is_used_by_its_copies_and_derivations_too():
    monocyte, glue = grow("culture_monocyte", SCENARIO).behind, SCENARIO.compound
    assert provenance.used_by(["IMM-001"], monocyte) == provenance.used_by(["G2-tnf-pbmc"], monocyte)
    assert "ikzf1_rho" in provenance.used_by(["DRV-001"], monocyte)
    assert provenance.label(["IMM-001"], monocyte, glue) == "calibrated"
    assert provenance.label(["IMM-002"], monocyte, glue) == "predicted"
    assert provenance.label([], monocyte, glue) == "calibrated"
    assert provenance.label(["DWN-005"], grow("culture_myeloma", SCENARIO).behind, glue) == "calibrated"
