"""Each check accepts what fits and finds what does not; the known inconsistencies are found by rule."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from glueprint.evidence import CHECKS, Check, Claims, run_checks
from glueprint.evidence.checks.base import SEVERITIES
from glueprint.evidence.checks.exposure import peak_bound


def codes(*claims):
    return [finding.code for finding in run_checks(Claims(claims))]


def found(claims, code):
    return [finding for finding in run_checks(claims) if finding.code == code]


# --- accept and reject, check by check


def test_a_complete_claim_passes_all_checks(blank):
    assert codes(blank) == []


def test_every_check_says_what_it_is_and_has_a_code_of_its_own():
    assert len({check.code for check in CHECKS}) == len(CHECKS) == 15
    for check in CHECKS:
        assert check.code.startswith("EV-")
        assert check.severity in SEVERITIES
        assert check.title
        assert check.remedy


def test_duplicate_id(blank):
    assert codes(blank, replace(blank, quantity="Ki")) == ["EV-duplicate"]
    assert codes(blank, replace(blank, id="X-002")) == []


def test_unit_known(blank):
    assert codes(replace(blank, unit="furlongs of cat")) == ["EV-unit"]
    assert codes(replace(blank, unit="ng*h/mL")) == []


def test_number_has_a_unit_and_a_text_needs_none(blank):
    assert codes(replace(blank, unit="")) == ["EV-number-unit"]
    assert codes(replace(blank, unit="", value=None, text="sigmoidal")) == []


@pytest.mark.parametrize(("low", "high"), [(2.0, 3.0), (0.1, 0.5), (3.0, 0.5)])
def test_interval_must_hold_the_value(blank, low, high):
    assert codes(replace(blank, low=low, high=high, interval_kind="ci95")) == ["EV-interval"]


def test_interval_that_holds_the_value(blank):
    assert codes(replace(blank, low=0.5, high=2.0, interval_kind="ci95")) == []
    assert codes(replace(blank, value=None, low=0.5, high=2.0, interval_kind="range")) == []


def test_source_present_except_for_gaps(blank):
    assert codes(replace(blank, source=" ")) == ["EV-source"]
    assert codes(replace(blank, source="", value=None, text="no number published", topic="gap")) == []


def test_copy_says_the_same_in_any_unit(blank):
    copy = replace(blank, id="X-002", same_as="X-001", value=0.001, unit="uM")
    assert codes(blank, copy) == []
    assert codes(blank, replace(copy, value=0.002)) == ["EV-copy"]
    assert codes(blank, replace(copy, unit="h")) == ["EV-copy"]
    assert codes(replace(copy, same_as="X-009")) == ["EV-copy"]


def test_what_is_superseded_has_a_successor_and_no_use(blank):
    old, new = replace(blank, superseded_by="X-002"), replace(blank, id="X-002", value=2.0)
    assert codes(old, new) == []
    assert codes(old) == ["EV-superseded"]
    assert codes(replace(old, role="input"), new) == ["EV-superseded"]
    later = replace(blank, id="X-003", value=3.0)
    assert codes(old, replace(new, superseded_by="X-003"), later) == ["EV-superseded"]


def test_ic50_below_ki_only_within_one_type_of_competition_assay(blank):
    constant = replace(blank, quantity="Ki", assay="fp competition", value=100.0)
    half = replace(constant, id="X-002", quantity="IC50", value=90.0)
    assert codes(constant, half) == ["EV-ic50-ki"]
    assert codes(constant, replace(half, value=0.09, unit="uM")) == ["EV-ic50-ki"]
    assert codes(constant, replace(half, value=110.0)) == []
    assert codes(constant, replace(half, assay="tr-fret competition")) == []
    assert codes(constant, replace(half, compound="lenalidomide")) == []


def test_tracer_at_its_kd_halves_the_bound(blank):
    constant = replace(blank, quantity="Ki", assay="fp competition", value=100.0)
    half = replace(constant, id="X-002", quantity="IC50", value=150.0)
    tracer = replace(half, id="X-003", quantity="tracer", endpoint="tracer_over_kd", value=1.0, unit="1")
    assert codes(constant, half, tracer) == ["EV-tracer"]
    assert codes(constant, replace(half, value=201.0), tracer) == []


def test_values_apart(blank):
    one = replace(blank, endpoint="crbn_affinity", value=100.0, low=90.0, high=110.0, interval_kind="sd")
    other = replace(one, id="X-002", value=105.0, low=None, high=None, interval_kind="")
    assert codes(one, other) == []
    assert codes(one, replace(other, value=3.0, unit="uM")) == ["EV-apart"]
    assert codes(one, replace(other, value=3.0, unit="uM", same_as="")) == ["EV-apart"]
    bound = replace(other, value=None, low=50.0, interval_kind="lower-bound")
    assert codes(one, bound) == []


def outcome(blank, name, value, **changes):
    base = {"trial": "MM-009", "arm": "a", "endpoint": "median_pfs", "unit": "month", "topic": "clinical"}
    return replace(blank, id=name, value=value, **(base | changes))


def test_analyses_differ(blank):
    first = outcome(blank, "X-001", 4.0, analysis="investigator")
    assert codes(first, outcome(blank, "X-002", 3.6, analysis="review committee")) == ["EV-analysis"]
    assert codes(first, outcome(blank, "X-002", 4.0, analysis="review committee")) == []
    assert codes(first, outcome(blank, "X-002", 3.6, subgroup="del(17p)")) == []
    assert codes(first, outcome(blank, "X-002", 3.6, arm="b")) == []


def test_a_table_from_one_source_passes_and_a_mixed_one_does_not(blank):
    paper = {"citation": "paper"}
    label = {"citation": "label"}
    stated = [
        outcome(blank, "P-1", 4.0, **paper),
        outcome(blank, "P-2", 33.0, endpoint="orr", unit="%", **paper),
        outcome(blank, "L-2", 29.0, endpoint="orr", unit="%", **label),
    ]
    pfs = outcome(blank, "G-1", 4.0, guide="guide-9|PFS|a")
    orr = outcome(blank, "G-2", 29.0, endpoint="orr", unit="%", guide="guide-9|ORR|a")
    mixed = found(Claims([*stated, pfs, orr]), "EV-mixed-table")
    assert [finding.claim_ids for finding in mixed] == [("G-1", "G-2")]
    assert found(Claims([*stated, pfs, replace(orr, value=33.0)]), "EV-mixed-table") == []


def exposure(blank, name, endpoint, value, unit):
    return replace(
        blank, id=name, endpoint=endpoint, value=value, unit=unit, subgroup="MM patients", topic="pk"
    )


def test_area_must_fit_a_clearance(blank):
    dose = exposure(blank, "X-1", "daily_dose", 4.0, "mg")
    clearance = exposure(blank, "X-2", "cl_f", 8.0, "L/h")
    assert codes(dose, clearance, exposure(blank, "X-3", "auc_ss", 500.0, "ng*h/mL")) == []
    assert codes(dose, clearance, exposure(blank, "X-3", "auc_ss", 0.5, "ug*h/mL")) == []
    assert codes(dose, clearance, exposure(blank, "X-3", "auc_ss", 400.0, "ng*h/mL")) == ["EV-auc-cl"]


def test_peak_must_not_exceed_the_one_compartment_bound(blank):
    area = exposure(blank, "X-1", "auc_ss", 400.0, "ng*h/mL")
    half = exposure(blank, "X-2", "half_life", 7.5, "h")
    assert codes(area, half, exposure(blank, "X-3", "cmax_ss", 41.0, "ng/mL")) == []
    assert codes(area, half, exposure(blank, "X-3", "cmax_ss", 42.0, "ng/mL")) == ["EV-cmax-auc"]


@pytest.mark.parametrize("ka_per_h", [0.3, 1.25, 20.0])
def test_peak_bound_holds_for_any_absorption(ka_per_h):
    dose, volume, half_life, interval = 1.0, 1.0, 7.5, 24.0
    k = math.log(2) / half_life
    time = np.linspace(0, interval, 20_001)
    scale = dose * ka_per_h / volume / (ka_per_h - k)
    steady = scale * (
        np.exp(-k * time) / -np.expm1(-k * interval)
        - np.exp(-ka_per_h * time) / -np.expm1(-ka_per_h * interval)
    )
    area = np.trapezoid(steady, time)
    assert area == pytest.approx(dose / (k * volume), rel=1e-5)
    assert steady.max() < peak_bound(area, half_life)


def test_peak_bound_is_reached_by_a_bolus():
    k, interval = math.log(2) / 7.5, 24.0
    assert peak_bound(1 / k, 7.5) == pytest.approx(1 / (1 - math.exp(-k * interval)), rel=1e-12)


def test_reagent_structures(blank):
    route = {"topic": "synthesis", "endpoint": "anhydride", "value": None, "unit": ""}
    one = replace(blank, text="3-nitro", structure="O=C1OC(=O)c2c1cccc2[N+](=O)[O-]", **route)
    other = replace(one, id="X-002", text="4-nitro", structure="O=C1OC(=O)c2cc([N+](=O)[O-])ccc21")
    assert codes(one, other) == ["EV-reagent"]
    assert codes(one, replace(one, id="X-002", text="another name")) == []
    assert codes(one, replace(other, compound="lenalidomide")) == []


def test_other_rooms_can_add_checks(blank):
    class Loud(Check):
        code = "XX-loud"
        severity = "remark"
        title = "a claim"
        remedy = "none"

        def look(self, claims):
            for claim in claims:
                yield [claim], claim.quantity

    findings = run_checks(Claims([blank]), checks=(*CHECKS, Loud()))
    assert [(finding.code, finding.claim_ids, finding.what) for finding in findings] == [
        ("XX-loud", ("X-001",), "Kd")
    ]


# --- what the checks find in the evidence


def test_the_evidence_has_no_errors(claims):
    assert [finding for finding in run_checks(claims) if finding.severity == "error"] == []


def test_affinities_that_cannot_come_from_one_assay(claims):
    (below,) = found(claims, "EV-ic50-ki")
    assert below.claim_ids == ("BIN-003", "BIN-002")
    (tracer,) = found(claims, "EV-tracer")
    assert "Ki <= 77 nM" in tracer.what
    assert ("BIN-001", "BIN-002", "BIN-004") in {finding.claim_ids for finding in found(claims, "EV-apart")}


def test_guide_table_3_mixes_label_and_paper(claims):
    (mixed,) = found(claims, "EV-mixed-table")
    kept, moved = mixed.what.split("but")
    assert {name for name in mixed.claim_ids if name in kept} == {
        "G3-pfs-pomdex", "G3-pfs-pom", "G3-os-pomdex", "G3-os-pom",
    }  # fmt: skip
    assert {name for name in mixed.claim_ids if name in moved} == {
        "G3-orr-pomdex", "G3-orr-pom", "G3-dor-pomdex", "G3-dor-pom",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arm", "endpoint", "values"),
    [
        ("pom-dex", "median_pfs", {3.6, 4.0}),
        ("hidex", "median_pfs", {1.8, 1.9}),
        ("pom-dex vs hidex", "hr_os", {0.70, 0.72, 0.74, 0.53}),
        ("pom-dex", "pneumonia_grade_3_4", {13.0, 16.0}),
    ],
)
def test_mm003_analyses_differ(claims, arm, endpoint, values):
    (finding,) = [f for f in found(claims, "EV-analysis") if f.what.startswith(f"MM-003 {arm}, {endpoint}:")]
    assert {claims[name].value for name in finding.claim_ids} == values


def test_the_guide_names_two_anhydrides(claims):
    (finding,) = found(claims, "EV-reagent")
    by_structure = {claims[name].structure for name in finding.claim_ids}
    assert by_structure == {"O=C1OC(=O)c2c1cccc2[N+](=O)[O-]", "O=C1OC(=O)c2cc([N+](=O)[O-])ccc21"}
    assert "4-nitrophthalic anhydride" in finding.what


def test_label_exposure_fits_neither_clearance_nor_half_life(claims):
    (area,) = found(claims, "EV-auc-cl")
    assert area.claim_ids[0] == "PK002"
    assert "514 from CL/F" in area.what
    (peak,) = found(claims, "EV-cmax-auc")
    assert peak.claim_ids == ("PK003", "PK002", "PK011")
    assert "41.5 ng/mL" in peak.what


def test_the_inconsistencies_come_from_the_numbers(claims):
    """With the numbers put right, each finding goes away: none of them is typed in."""
    right = {
        "BIN-003": {"value": 400.0},
        "PK002": {"value": 514.0},
        "PK003": {"value": 49.0},
        "S1-023": {"structure": "O=C1OC(=O)c2c1cccc2[N+](=O)[O-]"},
        "G3-orr-pomdex": {"value": 33.0},
        "G3-orr-pom": {"value": 18.0},
        "G3-dor-pomdex": {"value": 8.3},
        "G3-dor-pom": {"value": 10.7, "text": "", "unit": "month"},
        "CL076": {"value": 13.0},
    }
    mended = Claims([replace(claim, **right.get(claim.id, {})) for claim in claims])
    left = {finding.code for finding in run_checks(mended)}
    assert (
        left & {"EV-ic50-ki", "EV-tracer", "EV-auc-cl", "EV-cmax-auc", "EV-reagent", "EV-mixed-table"}
        == set()
    )
    assert not [f for f in found(mended, "EV-analysis") if "pneumonia" in f.what]


def test_conflicts_stand_side_by_side_and_leave_out_copies(claims):
    conflicts = claims.conflicts()
    assert {conflict.code for conflict in conflicts} >= {
        "EV-ic50-ki",
        "EV-analysis",
        "EV-reagent",
        "EV-auc-cl",
    }
    for conflict in conflicts:
        assert len(conflict.claims) == len(conflict.claim_ids) > 1
        names = set(conflict.claim_ids)
        if conflict.code != "EV-mixed-table":
            assert not [claim.id for claim in conflict.claims if claim.same_as in names]
