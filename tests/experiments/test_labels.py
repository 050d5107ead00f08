"""No number that follows from an assumed affinity is called calibrated."""

from __future__ import annotations

import pytest

from glueprint import evidence, experiments
from glueprint.experiments import provenance
from glueprint.mechanism import compounds
from glueprint.mechanism.quantities import Quantity


@pytest.mark.parametrize(("role", "label"), [("assumed", "assumed"), ("input", "calibrated")])
def test_a_reading_is_worth_what_the_affinity_behind_it_is(role, label):
    kd = Quantity(typical=100.0, unit="nM", role=role, evidence=("BIN-001",), why="for a test")
    glue = compounds.load("pomalidomide")
    glue = glue.model_copy(update={"pharmacology": glue.pharmacology.model_copy(update={"kd_nm": kd})})
    behind = {"kd_nm": kd}
    assert provenance.label((), behind, glue) == label
    # A claim that the affinity was set from is no check of it; one that nothing used still is.
    assert provenance.label(("BIN-001",), behind, glue) == label
    assert provenance.label(("DWN-004",), behind, glue) == "predicted"


@pytest.mark.parametrize(
    ("settings", "label"),
    [({}, "calibrated"), ({"kd_nm": 100.0}, "assumed"), ({"compound": "iberdomide"}, "assumed")],
)
def test_degradation_says_so(settings, label):
    found = experiments.run("degradation", doses_nm=(100.0, 1000.0, 10000.0), times_h=(6.0, 24.0), **settings)
    assert {reading.label for reading in found.readings} == {label, "input"}


def test_claims_follow_the_substance_and_not_its_name():
    pomalidomide = compounds.load("pomalidomide")
    renamed = pomalidomide.model_copy(update={"name": "GLX"})
    without_key = renamed.model_copy(
        update={"structure": renamed.structure.model_copy(update={"inchikey": ""})}
    )
    ids = provenance.about(pomalidomide, "treg", "ic50")
    assert ids == ("G1-ic50-treg", "IMM-006")
    assert provenance.about(renamed, "treg", "ic50") == provenance.about(without_key, "treg", "ic50") == ids
    other = compounds.load("lenalidomide").model_copy(update={"name": "pomalidomide"})
    assert provenance.about(other, "treg", "ic50") == ()
    assert provenance.about(pomalidomide.enantiomer("S"), "treg", "ic50") == ()


def test_every_claim_of_an_experiment_is_in_the_evidence():
    known = evidence.load()
    for readings in provenance._claims().values():
        for by_compound in readings.values():
            for name, ids in by_compound.items():
                assert name in compounds.names()
                assert all(claim in known for claim in ids)
