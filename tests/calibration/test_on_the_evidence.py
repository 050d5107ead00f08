"""Calibration reads the evidence that comes with Glueprint, and loses nothing of it."""

from __future__ import annotations

import pytest

from glueprint import evidence
from glueprint.calibration import clinical_targets, pooled_kd


@pytest.fixture(scope="module")
def claims():
    return list(evidence.load())


def test_the_pooled_kd_uses_each_binding_assay_of_pomalidomide_once(claims):
    pooled = pooled_kd(claims)
    assert {a.claim_id for a in pooled.assays} == {"G1-kd-spr", "G1-ki-fp", "BIN-004"}
    reasons = {e.claim_id: e.reason for e in pooled.excluded}
    assert "tracer and protein" in reasons["G1-ic50-fp"]
    assert reasons["BIN-001"] == "the same number as G1-kd-spr"
    assert 156.6 < pooled.kd_nm < 3000
    # The assays differ 19-fold, so their scatter is beyond anything their own errors explain.
    assert pooled.tau_log10 > 10 * max(a.std_error for a in pooled.assays)


def test_every_calibration_claim_of_a_trial_is_accounted_for_once(claims):
    read = clinical_targets(claims)
    wanted = [c.id for c in claims if c.role == "calibration" and c.trial]
    seen = [i for t in read.targets for i in t.claim_ids] + [e.claim_id for e in read.excluded]
    assert sorted(seen) == sorted(wanted)


def test_targets_are_of_the_two_calibration_trials_and_their_arms(claims):
    targets = clinical_targets(claims).targets
    arms = {(t.trial, t.arm) for t in targets if t.kind != "hazard ratio"}
    assert arms == {("mm002", "POM+LoDEX"), ("mm002", "POM"), ("mm003", "POM+LoDEX"), ("mm003", "HiDEX")}
    ratios = {(t.trial, t.arm) for t in targets if t.kind == "hazard ratio"}
    assert ratios == {("mm002", "POM+LoDEX vs POM"), ("mm003", "POM+LoDEX vs HiDEX")}
    sizes = dict(zip(sorted(arms), (108, 113, 153, 302), strict=True))
    sizes |= dict(zip(sorted(ratios), (221, 455), strict=True))
    assert all(t.n <= sizes[t.trial, t.arm] for t in targets)
    values = {(t.trial, t.arm, t.endpoint): t.value for t in targets if t.analysis == "investigator"}
    # San Miguel 2013, doi:10.1016/S1470-2045(13)70380-2.
    assert values["mm003", "POM+LoDEX", "median_pfs"] == 4.0
    assert values["mm003", "HiDEX", "median_pfs"] == 1.9
    assert values["mm003", "POM+LoDEX", "orr"] == 31.0
