"""Checks of exposure: area, peak, clearance and half-life must belong to one drug."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

from glueprint import units
from glueprint.evidence.checks.base import Check, ClaimSet
from glueprint.evidence.claim import Claim

__all__ = ["AreaAgainstClearance", "PeakAgainstArea"]

Looked = Iterator[tuple[Sequence[Claim], str]]
# Between-patient spread of clearance is about 40 %, of a mean of tens of patients far less: 15 % is generous.
AREA_TOLERANCE = 0.15
DOSING_INTERVAL_H = 24.0  # all steady-state exposures in the evidence are for once-daily dosing


def _patients(claims: ClaimSet, endpoint: str) -> dict[str, list[Claim]]:
    """Claims on one exposure quantity in patients, by compound, without copies."""
    found: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        patients = claim.subgroup != "healthy"
        if claim.endpoint == endpoint and patients and claim.value is not None and not claim.same_as:
            found[claim.compound].append(claim)
    return found


class AreaAgainstClearance(Check):
    """At steady state the area over one dosing interval is dose/(CL/F)."""

    code = "EV-auc-cl"
    severity = "warning"
    title = "steady-state AUC fits no stated clearance"
    remedy = "take the exposure from a model with its own clearance, and keep the stated AUC as context"

    def look(self, claims: ClaimSet) -> Looked:
        """Areas that are further than 15 % from dose/(CL/F) for every stated CL/F."""
        doses, clearances = _patients(claims, "daily_dose"), _patients(claims, "cl_f")
        for compound, areas in _patients(claims, "auc_ss").items():
            if compound not in doses or compound not in clearances:
                continue
            dose = doses[compound][0]
            dose_ng = units.convert(dose.value or 0.0, dose.unit, "ng")
            implied = {
                claim: dose_ng / units.convert(claim.value or 0.0, claim.unit, "mL/h")
                for claim in clearances[compound]
            }
            for area in areas:
                stated = units.convert(area.value or 0.0, area.unit, "ng*h/mL")
                if all(abs(stated / other - 1.0) > AREA_TOLERANCE for other in implied.values()):
                    said = "; ".join(
                        f"{other:.0f} from CL/F {claim.said} ({claim.id})" for claim, other in implied.items()
                    )
                    yield (
                        [area, *implied, dose],
                        f"AUC {stated:g} ng*h/mL stated, {dose.said} daily gives {said}",
                    )


class PeakAgainstArea(Check):
    """One compartment: the peak cannot exceed AUC k/(1 - exp(-k tau)) (docs/evidence.md, own derivation)."""

    code = "EV-cmax-auc"
    severity = "warning"
    title = "steady-state peak too high for the area and the half-life"
    remedy = "peak, area and half-life come from different data or methods; do not fit one model to all three"

    def look(self, claims: ClaimSet) -> Looked:
        """Peak, area and half-life from one source (label) that no one-compartment model can give."""
        peaks, halves = _patients(claims, "cmax_ss"), _patients(claims, "half_life")
        for compound, areas in _patients(claims, "auc_ss").items():
            stated = product(peaks.get(compound, ()), areas, halves.get(compound, ()))
            for peak, area, half in stated:
                area_ng_h_per_ml = units.convert(area.value or 0.0, area.unit, "ng*h/mL")
                half_life_h = units.convert(half.value or 0.0, half.unit, "h")
                bound = peak_bound(area_ng_h_per_ml, half_life_h)
                peak_ng_per_ml = units.convert(peak.value or 0.0, peak.unit, "ng/mL")
                if peak.sources == area.sources and peak_ng_per_ml > bound:
                    what = (
                        f"Cmax {peak_ng_per_ml:g} ng/mL stated; AUC {area.said} with half-life {half.said} "
                        f"allows at most {bound:.3g} ng/mL"
                    )
                    yield [peak, area, half], what


def peak_bound(area: float, half_life_h: float, interval_h: float = DOSING_INTERVAL_H) -> float:
    """The highest steady-state peak of a one-compartment drug with this area and half-life.

    area: AUC over one dosing interval, ng*h/mL.   Returns ng/mL.
    Source: own derivation, docs/evidence.md: bolus C(t) = (D/V) exp(-kt)/(1 - exp(-k tau)), AUC = D/(kV);
    absorption over time only lowers the peak.
    """
    rate_per_h = math.log(2.0) / half_life_h
    return area * rate_per_h / -math.expm1(-rate_per_h * interval_h)
