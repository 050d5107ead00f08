"""Which covariates of a case-mix change nothing of a patient."""

from __future__ import annotations

import pytest

from glueprint import trials
from glueprint.calibration import clinical


def test_what_the_default_structure_does_not_read_is_named():
    protocol = trials.load_protocol("mm003")
    assert trials.idle_covariates(protocol) == (
        "prior_lines",
        "disease_population",
        "albumin_g_per_l",
        "refractoriness",
    )


def test_the_burden_structure_reads_all_but_the_population():
    protocol = trials.load_protocol("mm003")
    draws = clinical.posterior(structure="burden").central("mm003")
    assert trials.idle_covariates(protocol, draws) == ("disease_population",)


@pytest.mark.parametrize(("structure", "same"), [("claret", True), ("burden", False)])
def test_an_idle_covariate_changes_no_endpoint(structure, same):
    plan = trials.load_protocol("mm003")
    draws = clinical.posterior(structure=structure).central("mm003")
    # One arm: prior lines stratify the randomisation of two.
    alone = {"ratio": (1,), "blocks_of": 1, "strata": ()}
    randomised = plan.randomisation.model_copy(update=alone)
    found = []
    for lines in (
        plan.case_mix.prior_lines,
        plan.case_mix.prior_lines.model_copy(update={"median": 2.0, "low": 1.0}),
    ):
        mix = plan.case_mix.model_copy(update={"prior_lines": lines})
        changed = {"arms": plan.arms[:1], "randomisation": randomised, "case_mix": mix}
        found.append(trials.run(plan.model_copy(update=changed), seed=3, draws=draws).endpoints["value"])
    assert found[0].equals(found[1]) is same
