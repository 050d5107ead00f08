"""What an analysis of a polarisation plate hands back: tables, potencies, quality and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.curves import Potency

__all__ = ["CONVERSIONS", "CURVES", "FITS", "QUALITY", "TITRATIONS", "Result"]

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()

# One row a compound. `ki_nm` is the best estimate even where the potency is a limit.
FITS = pl.Schema(
    {
        "plate": TEXT, "sample": TEXT, "doses": COUNT, "points": COUNT,
        "ki_relation": TEXT, "ki_nm": NUMBER, "ki_low_nm": NUMBER, "ki_high_nm": NUMBER,
        "ki_floor_nm": NUMBER, "log10_ki_se": NUMBER,
        "ic50_relative_relation": TEXT, "ic50_relative_nm": NUMBER,
        "ic50_relative_low_nm": NUMBER, "ic50_relative_high_nm": NUMBER,
        "ic50_absolute_relation": TEXT, "ic50_absolute_nm": NUMBER,
        "ic50_absolute_low_nm": NUMBER, "ic50_absolute_high_nm": NUMBER, "ic50_exact_nm": NUMBER,
        "free_anisotropy": NUMBER, "top_anisotropy": NUMBER, "noise_anisotropy": NUMBER,
        "protein_fitted_nm": NUMBER, "tracer_kd_fitted_nm": NUMBER, "brightness_ratio": NUMBER,
        "share_wells": NUMBER, "share_protein": NUMBER, "share_tracer_kd": NUMBER, "share_tracer": NUMBER,
        "share_brightness": NUMBER, "dof": NUMBER, "lack_of_fit_p": NUMBER, "status": TEXT,
    }
)  # fmt: skip
# The Ki that other formulas read from the same curve, and how far each is off.
CONVERSIONS = pl.Schema(
    {"plate": TEXT, "sample": TEXT, "method": TEXT, "ic50_nm": NUMBER, "ki_nm": NUMBER, "factor": NUMBER}
)
CURVES = pl.Schema(
    {
        "plate": TEXT, "sample": TEXT, "dose_nm": NUMBER, "anisotropy": NUMBER, "low": NUMBER, "high": NUMBER,
        "polarization_mp": NUMBER,
    }
)  # fmt: skip
TITRATIONS = pl.Schema(
    {
        "plate": TEXT, "model": TEXT, "kd_nm": NUMBER, "kd_low_nm": NUMBER, "kd_high_nm": NUMBER,
        "log10_kd_se": NUMBER, "free": NUMBER, "bound": NUMBER, "brightness_ratio": NUMBER, "rss": NUMBER,
        "dof": NUMBER, "factor": NUMBER, "points": COUNT,
    }
)  # fmt: skip
QUALITY = pl.Schema(
    {"plate": TEXT, "name": TEXT, "value": NUMBER, "unit": TEXT, "limit": TEXT, "verdict": TEXT}
)


@dataclass(frozen=True)
class Result:
    """The analysis of one or more plates.

    tables: wells, fits, conversions, curves, titrations, suspects, excluded and potencies.
    potencies: Ki and IC50 of every compound, Kd of every titration, in the order of the table `potencies`,
    which names plate and sample.
    quality: plate, name, value, unit, limit, verdict.   g_factors: of every plate, empty for mP alone.
    """

    tables: Mapping[str, pl.DataFrame]
    potencies: tuple[Potency, ...]
    quality: pl.DataFrame
    findings: tuple[Finding, ...]
    g_factors: Mapping[str, float]
    confidence: float

    def of(self, sample: str, kind: str = "Ki", plate: str | None = None) -> tuple[Potency, ...]:
        """The potencies of one kind of a sample, on one plate or on all; empty where there are none."""
        rows = self.tables["potencies"].select("plate", "sample").rows()
        return tuple(
            potency
            for (where, name), potency in zip(rows, self.potencies, strict=True)
            if name == sample and potency.kind == kind and plate in (None, where)
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for `--json`."""
        return {
            "potencies": self.tables["potencies"].to_dicts(),
            "fits": self.tables["fits"].to_dicts(),
            "conversions": self.tables["conversions"].to_dicts(),
            "titrations": self.tables["titrations"].to_dicts(),
            "quality": self.quality.to_dicts(),
            "findings": [finding.as_dict() for finding in self.findings],
            "g_factors": dict(self.g_factors),
            "wells": self.tables["wells"].to_dicts(),
            "suspects": self.tables["suspects"].to_dicts(),
            "excluded": self.tables["excluded"].to_dicts(),
            "confidence": self.confidence,
        }
