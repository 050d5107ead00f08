"""Facts of the evidence: at least five that were not used come out right, and the labels cannot lie."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import evidence, experiments
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


def with_roles(**roles):
    """Pomalidomide with its affinity (kd) or efficacies (IKZF1, IKZF3) in another role."""
    glue, why = SCENARIO.compound, {"why": "test"}
    own = glue.pharmacology
    kd = own.kd_nm.model_copy(update={"role": roles.pop("kd", own.kd_nm.role)} | why)
    efficacy = own.efficacy | {
        n: own.efficacy[n].model_copy(update={"role": r} | why) for n, r in roles.items()
    }
    return glue.model_copy(
        update={"pharmacology": own.model_copy(update={"kd_nm": kd, "efficacy": efficacy})}
    )


@pytest.mark.parametrize(
    ("roles", "worth", "beside_what_was_used"),
    [
        ({}, "calibrated", "calibrated"),
        ({"kd": "measured"}, "predicted", "calibrated"),
        ({"IKZF1": "measured", "IKZF3": "measured"}, "predicted", "calibrated"),
        ({"kd": "measured", "IKZF3": "assumed"}, "assumed", "assumed"),
        ({"kd": "assumed"}, "assumed", "assumed"),
    ],
)
def test_a_reading_is_worth_what_the_numbers_of_its_compound_are(roles, worth, beside_what_was_used):
    glue = with_roles(**roles)
    monocyte = grow("culture_monocyte", Scenario.of(glue))
    assert monocyte.worth == provenance.of_compound(glue) == worth
    assert provenance.label([], monocyte.behind, glue) == worth
    assert provenance.label(["IMM-001"], monocyte.behind, glue) == beside_what_was_used
    assert provenance.label(["IMM-002"], monocyte.behind, glue) == "predicted"


def test_readings_of_an_experiment_say_so():
    labels = {r.name: r.label for r in experiments.run("treg", compound=with_roles(kd="measured")).readings}
    # The potency and the plateau were used (IMM-006, IMM-007); with nothing beside it, it would be predicted.
    assert set(labels.values()) == {"calibrated"}
    found = experiments.run("degradation", compound=with_roles(kd="measured"), times_h=(24.0,))
    assert found.reading("Dmax, IKZF1 at 24 h").label == "predicted"
    found = experiments.run("degradation", kd_nm=100.0, times_h=(24.0,))
    assert found.reading("Dmax, IKZF1 at 24 h").label == "assumed"
