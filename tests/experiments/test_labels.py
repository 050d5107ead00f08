"""No number that follows from an assumed affinity is called calibrated."""

from __future__ import annotations

import pytest

from glueprint import experiments
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
