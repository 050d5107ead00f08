"""The posterior of one compound: draws, what was learnt, and each measurement beside its prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.findings import Finding

__all__ = ["CompoundPosterior"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CompoundPosterior:
    """What the measurements together say of a compound.

    draws: one row a draw: kd_ratio to the reference, kd_nm, "efficacy:IKZF1" and "efficacy:IKZF3" over the
    reference's, "rho:SUBSTRATE:CELLS" in each kind of cells, "threshold:ASSAY" the rho with which ten Kd
    halve what it shows; "reference:NAME" what the fit says of the reference; tau_log10, repeat_log10,
    run_log10, SDs of the errors of assays, of repeats and of runs.
    parameters: name, unit, prior, low_95, median, high_95, contraction (share of the prior variance removed),
    verdict (of `beliefs.verdict`, or "prior only").
    comparison: the dossier's rows, each with predicted, predicted_low, predicted_high (95 %, of a repeat on
    that plate), inside and unit.   next_runs: what one more experiment would leave, of NEXT_RUNS.
    status: "ok", "not converged" or "stale", with reason.
    digest: of the measurements, priors and in-vitro posterior it follows from.
    """

    compound: str
    reference: str
    draws: pl.DataFrame
    parameters: pl.DataFrame
    comparison: pl.DataFrame
    next_runs: pl.DataFrame
    findings: tuple[Finding, ...]
    status: str
    reason: str
    settings: Mapping[str, int]
    digest: str

    def column(self, name: str) -> Floats:
        """Draws (n,) of one column."""
        return self.draws[name].cast(pl.Float64).to_numpy()

    def correlations(self) -> pl.DataFrame:
        """Correlations of the logarithms of ratio and efficacies: one, other, correlation."""
        names = [name for name in self.draws.columns if name == "kd_ratio" or name.startswith("efficacy:")]
        matrix = np.corrcoef([np.log(self.column(name)) for name in names])
        first, second = np.triu_indices(len(names), 1)
        rows = [(names[i], names[j], float(matrix[i, j])) for i, j in zip(first, second, strict=True)]
        schema = {"one": pl.String, "other": pl.String, "correlation": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")
