"""The in-vitro side of a study: what the posterior of all in-vitro claims says beside the guide, and what the
evidence checks found."""

from __future__ import annotations

import polars as pl

from glueprint import evidence, references
from glueprint.calibration import in_vitro
from glueprint.chemistry.checks import CHECKS as CHEMISTRY_CHECKS
from glueprint.evidence import Claims
from glueprint.references import Reference
from glueprint.study.comparison import Computed
from glueprint.units import convert

__all__ = ["compute", "findings", "left_out"]


def compute(claims: Claims, reference: Reference) -> dict[str, Computed]:
    """Computed numbers for the cells of the guide that are of assays, each in the unit of its cell.

    The posterior is about the default reference: beside the guide of any other it has nothing to say.
    Returns guide claim id -> Computed.
    """
    if reference.compound != references.default().compound:
        return {}
    tables, known = reference.tables_about("assays"), in_vitro.spoken_of()
    cells = [claim for claim in claims if claim.guide.split("|")[0] in tables and claim.id in known]
    return {claim.id: _computed(in_vitro.predictive(claim.id), claim.unit) for claim in cells}


def left_out(reference: Reference) -> pl.DataFrame | None:
    """What fits without each claim predict of it (`in_vitro.left_out`); None beside the guide of any other
    reference."""
    return in_vitro.left_out() if reference.compound == references.default().compound else None


def _computed(found: in_vitro.Predictive, unit: str) -> Computed:
    value, low, high, *typical = (
        convert(number, found.unit, unit)
        for number in (
            found.median, found.low, found.high, found.typical, found.typical_low, found.typical_high
        )
    )  # fmt: skip
    how = "one posterior of all in-vitro claims (glueprint calibrate in-vitro)"
    notes = [found.note] if found.note else []
    # An assay's own error is a part of the fit; a reader must see what the same parameters say without it.
    if found.typical != found.median:
        how += ", with this assay's own error"
        span = "{:,.4g} ({:,.4g} to {:,.4g})".format(*typical)
        notes.append(f"an assay without error would show {span} {unit}")
    return Computed(value, low, high, found.label, how, "; ".join(notes))


def findings(claims: Claims) -> pl.DataFrame:
    """What the evidence checks found: code, severity, claim_ids, what, remedy."""
    rows = [
        {
            "code": finding.code,
            "severity": finding.severity,
            "claim_ids": ", ".join(finding.claim_ids),
            "what": finding.what,
            "remedy": finding.remedy,
        }
        for finding in evidence.run_checks(claims, checks=(*evidence.CHECKS, *CHEMISTRY_CHECKS))
    ]
    columns = ("code", "severity", "claim_ids", "what", "remedy")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
