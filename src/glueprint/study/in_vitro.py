"""The in-vitro side of a study: what the binding claims together say, and what the evidence checks found."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from glueprint import evidence, experiments
from glueprint.calibration import pooled_kd
from glueprint.chemistry.checks import CHECKS as CHEMISTRY_CHECKS
from glueprint.evidence import Claims
from glueprint.mechanism import compounds
from glueprint.study.comparison import Computed

__all__ = ["compute", "findings"]

REFERENCE = "pomalidomide"
GUIDE = ("G1-", "G2-")
# Experiments that speak to cells of the guide's tables 1 and 2.
READ_BACK = ("fp_competition", "tnf_alpha", "proliferation", "treg")


def compute(claims: Claims, compound: str | Path) -> dict[str, Computed]:
    """Computed numbers for the cells of guide tables 1 and 2 that this version can speak to.

    The guide is about pomalidomide: for another compound nothing is set beside it.
    Returns guide claim id -> Computed.
    """
    glue = compounds.load(compound)
    if glue.name != REFERENCE or glue.pharmacology.kd_nm is None:
        return {}
    kd = glue.pharmacology.kd_nm
    said = f"Kd of the model, from {', '.join(kd.evidence)}"
    return {
        "G1-kd-spr": Computed(kd.typical, None, None, "input", said),
        "G1-ki-fp": _pooled(claims),
        **{cell: found for name in READ_BACK for cell, found in _read_back(name, compound).items()},
    }


def _pooled(claims: Claims) -> Computed:
    """One constant over the assays that disagree."""
    pooled = pooled_kd(claims)
    # Three assays say little about where a fourth would fall; their scatter is what a reader can use.
    scatter = 10.0**pooled.tau_log10
    used = ", ".join(assay.claim_id for assay in pooled.assays)
    return Computed(
        pooled.kd_nm,
        pooled.kd_nm / scatter,
        pooled.kd_nm * scatter,
        "calibrated",
        f"one Kd over {len(pooled.assays)} assays ({used}); interval: one between-assay SD either way",
        f"between-assay SD {pooled.tau_log10:.2f} log10",
    )


def _read_back(experiment: str, compound: str | Path) -> dict[str, Computed]:
    """The first reading of an in-silico experiment for each guide cell that it speaks to."""
    done = experiments.run(experiment, compound)
    found: dict[str, Computed] = {}
    for reading in done.readings:
        for claim_id in reading.claims:
            if claim_id.startswith(GUIDE) and reading.label != "input":
                how = f"{done.title}: {reading.name}"
                value = reading.value
                if reading.relation != "=":
                    how, value = f"{how} {reading.relation} {reading.value:g} {reading.unit}", None
                note = "; ".join(text for text in (*done.assumptions, reading.note) if text)
                computed = Computed(value, reading.low, reading.high, reading.label, how, note)
                found.setdefault(claim_id, computed)
    return found


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
