"""What an analysis of a polarisation plate hands back: tables, potencies, quality and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.assays.contract import AssayResult, with_common
from glueprint.assays.polarization.reading import WELLS
from glueprint.curves import Potency, potency

__all__ = ["CURVES", "TITRATIONS", "Result"]

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
POTENCIES = pl.Schema({"plate": TEXT, "sample": TEXT, **potency.SCHEMA})
# What people are shown of conversions, fits and titrations.
CONVERTED = ("sample", "method", "ic50_nm", "ki_nm", "factor")
BUDGET = ("sample", "share_wells", "share_protein", "share_tracer_kd", "ki_floor_nm", "noise_anisotropy")
TITRATED = ("model", "kd_nm", "kd_low_nm", "kd_high_nm", "brightness_ratio", "factor")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(AssayResult):
    """The analysis of one or more plates; the tables are on docs/polarization.md.

    potencies: Ki and IC50 of every compound, Kd of every titration, in the order of the table `potencies`,
    which names plate and sample.   g_factors: of every plate, empty for mP alone.
    """

    ASSAY = "polarization"
    SCHEMAS = with_common(
        {
            "wells": WELLS,
            "fits": FITS,
            "conversions": CONVERSIONS,
            "curves": CURVES,
            "titrations": TITRATIONS,
            "potencies": POTENCIES,
        }
    )

    g_factors: Mapping[str, float]

    def of(self, sample: str, kind: str = "Ki", plate: str | None = None) -> tuple[Potency, ...]:
        """The potencies of one kind of a sample, on one plate or on all; empty where there are none."""
        rows = self.tables["potencies"].select("plate", "sample").rows()
        return tuple(
            one
            for (where, name), one in zip(rows, self.potencies, strict=True)
            if name == sample and one.kind == kind and plate in (None, where)
        )

    def about(self) -> dict[str, Any]:
        """The G factors."""
        return {"g_factors": dict(self.g_factors)}

    def summary(self) -> dict[str, pl.DataFrame]:
        """Potencies, what other formulas give, where the uncertainty comes from, titrations, quality."""
        words = pl.Series("potency", [one.text() for one in self.potencies], pl.String)
        fits, tables = self.tables["fits"].drop_nulls("ki_nm"), self.tables
        return {
            "Potencies": tables["potencies"].select("plate", "sample", words),
            "Ki by other formulas from the exact IC50": tables["conversions"].select(CONVERTED),
            "Where the uncertainty of the Ki comes from": fits.select(BUDGET),
            "Titration of the tracer": tables["titrations"].select(TITRATED),
            "Quality": self.quality,
        }
