"""The in-vitro side of a study: what the binding claims together say, and what the evidence checks found."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from glueprint import evidence, experiments
from glueprint.calibration import pooled_kd
from glueprint.evidence import Claims
from glueprint.mechanism import compounds
from glueprint.study.comparison import Computed

__all__ = ["compute", "findings"]

REFERENCE = "pomalidomide"


def compute(claims: Claims, compound: str | Path) -> dict[str, Computed]:
    """Computed numbers for the cells of guide tables 1 and 2 that this version can speak to.

    The guide is about pomalidomide: for another compound nothing is set beside it.
    Returns guide claim id -> Computed.
    """
    glue = compounds.load(compound)
    if glue.name != REFERENCE or glue.pharmacology.kd_nm is None:
        return {}
    pooled = pooled_kd(claims)
    used = ", ".join(assay.claim_id for assay in pooled.assays)
    competition = experiments.run("fp_competition", compound)
    ic50 = competition.reading("IC50, exact")
    kd = glue.pharmacology.kd_nm
    # Three assays say little about where a fourth would fall; their scatter is what a reader can use.
    scatter = 10.0**pooled.tau_log10
    return {
        "G1-kd-spr": Computed(
            kd.typical, None, None, "input", f"Kd of the model, from {', '.join(kd.evidence)}"
        ),
        "G1-ki-fp": Computed(
            pooled.kd_nm,
            pooled.kd_nm / scatter,
            pooled.kd_nm * scatter,
            "calibrated",
            f"one Kd over {len(pooled.assays)} assays ({used}); interval: one between-assay SD either way",
            f"between-assay SD {pooled.tau_log10:.2f} log10",
        ),
        "G1-ic50-fp": Computed(
            ic50.value,
            None,
            None,
            "predicted",
            "exact three-species competition with the Kd of the model",
            "; ".join(competition.assumptions[1:2]) + "; " + ic50.note,
        ),
    }


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
        for finding in evidence.run_checks(claims)
    ]
    columns = ("code", "severity", "claim_ids", "what", "remedy")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
