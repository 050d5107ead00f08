"""What an ELISA analysis gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.assays.contract import AssayResult, with_common
from glueprint.assays.elisa import donors, inhibition, quality, results
from glueprint.assays.elisa.donors import Named

__all__ = ["Named", "Result"]

TEXT, NUMBER = pl.String(), pl.Float64()
CURVE = pl.Schema(
    {"plate": TEXT, "model": TEXT, "weights": TEXT, "response": TEXT,
     "parameter": TEXT, "value": NUMBER, "standard_error": NUMBER}
)  # fmt: skip
PRECISION = pl.Schema({"plate": TEXT, "concentration": NUMBER, "signal": NUMBER, "cv_percent": NUMBER})
RANGES = pl.Schema(
    {"plate": TEXT, "lloq": NUMBER, "uloq": NUMBER, "unit": TEXT,
     "cv_limit_percent": NUMBER, "replicates": NUMBER}
)  # fmt: skip
SHOWN = (
    *("plate", "role", "sample", "dilutions_used", "result", "low", "high"),
    *("relation", "limit", "unit", "status"),
)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(AssayResult):
    """All that an ELISA analysis found; the tables are on docs/elisa.md.

    signal: in words.   unit: of all concentrations.   named: potencies with compound and donor.
    """

    ASSAY = "elisa"
    SCHEMAS = with_common(
        {
            "standards": quality.STANDARDS,
            "levels": quality.LEVELS,
            "wells": results.WELLS,
            "dilutions": results.DILUTIONS,
            "samples": results.SAMPLES,
            "curve": CURVE,
            "precision": PRECISION,
            "ranges": RANGES,
            "inhibition": inhibition.INHIBITION,
            "donors": donors.DONORS,
            "pooled": donors.POOLED,
        }
    )
    # Back-calculated concentrations are compared with plate programs, which print so many.
    DIGITS = 5

    signal: str
    unit: str
    named: tuple[Named, ...]

    def about(self) -> dict[str, Any]:
        """The signal and the unit of concentrations."""
        return {"signal": self.signal, "unit": self.unit}

    def summary(self) -> dict[str, pl.DataFrame]:
        """The standard curve, quality, samples and potencies."""
        potencies = [(one.sample, one.donor or "pooled", one.potency.text()) for one in self.named]
        return {
            f"Standard curve of {self.signal}": self.tables["curve"].select(
                "plate", "model", "parameter", "value", error="standard_error"
            ),
            "Quality": self.quality,
            "Samples": self.tables["samples"].filter(pl.col("donor") == "").select(SHOWN),
            "Inhibition of TNF": pl.DataFrame(
                potencies, schema={"compound": TEXT, "donor": TEXT, "potency": TEXT}, orient="row"
            ),
        }

    def labelled(self) -> list[dict[str, Any]]:
        """The potencies with compound and donor."""
        return [{"sample": one.sample, "donor": one.donor} | one.potency.as_dict() for one in self.named]
