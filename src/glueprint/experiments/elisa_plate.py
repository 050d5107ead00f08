"""An ELISA plate made from known supernatants: standards, controls and treated wells of donors, as OD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays import elisa
from glueprint.assays.plate import row_letters
from glueprint.experiments.lab import Error

__all__ = ["Donor", "Treated", "optical_density", "read_back", "wells"]

Floats = NDArray[np.float64]
# pg/mL of a usual kit, in duplicate, with the zero standard.
STANDARDS = (0.0, 7.8, 15.6, 31.25, 62.5, 125.0, 250.0, 500.0, 1000.0)
# A usual kit's curve: floor and ceiling in OD, pg/mL at half, slope.
FLOOR, CEILING, MIDDLE, SLOPE = 0.06, 2.96, 300.0, 1.1
# Supernatants of stimulated and unstimulated PBMC, pg/mL: only the scale. Their dilution puts a usual donor
# in the middle of the standards, so that one who makes thrice as much does not run out of them.
STIMULATED, UNSTIMULATED, DILUTION = 3000.0, 100.0, 10.0
CONTROLS = 3
COLUMNS = 24
VIABILITY = 97.0
OD_DIGITS = 4


@dataclass(frozen=True)
class Donor:
    """One donor: sensitivity multiplies the doses its cells see, yield_fold the TNF-alpha they make."""

    name: str
    sensitivity: float
    yield_fold: float


@dataclass(frozen=True)
class Treated:
    """TNF-alpha of one donor's cells, left (n,) at doses (n,) nM, of that donor's stimulated cells."""

    donor: Donor
    dose_nm: Floats
    left: Floats


def optical_density(pg_per_ml: Floats) -> Floats:
    """OD of TNF-alpha on the plate by the kit's four-parameter curve."""
    known = np.maximum(np.asarray(pg_per_ml, dtype=float), 1e-12)
    return np.asarray(FLOOR + (CEILING - FLOOR) / (1.0 + (MIDDLE / known) ** SLOPE))


def wells(treated: Sequence[Treated], error: Error, purpose: str) -> pl.DataFrame:
    """All wells of an ELISA with the columns that `assays.elisa.analyse` reads."""
    rows: list[tuple[str, str, str, float | None, float]] = [
        ("standard", f"S{x:g}", "", x, x * DILUTION) for x in STANDARDS for _ in range(2)
    ]
    for one in treated:
        name, scale = one.donor.name, one.donor.yield_fold
        rows += [("stimulated", "LPS", name, None, STIMULATED * scale)] * CONTROLS
        rows += [("unstimulated", "medium", name, None, UNSTIMULATED * scale)] * CONTROLS
        for dose, left in zip(one.dose_nm, one.left, strict=True):
            made = (UNSTIMULATED + (STIMULATED - UNSTIMULATED) * float(left)) * scale
            rows += [("compound", "compound", name, float(dose), made)] * error.replicates
    od = optical_density(np.array([row[4] for row in rows]) / DILUTION)
    single = replace(error, replicates=1)
    od = np.round(od * single.factors(f"tnf_alpha/{purpose}/od", len(rows))[:, 0], OD_DIGITS)
    standard = np.array([row[0] == "standard" for row in rows])
    return pl.DataFrame(
        {
            "well": [f"{row_letters(i // COLUMNS)}{i % COLUMNS + 1}" for i in range(len(rows))],
            "channel": "450",
            "value": od,
            "role": [row[0] for row in rows],
            "sample": [row[1] for row in rows],
            "donor": [row[2] for row in rows],
            "concentration": [row[3] for row in rows],
            "concentration_unit": np.where(standard, "pg/mL", "nM"),
            "dilution": np.where(standard, 1.0, DILUTION),
            "viability_percent": VIABILITY,
        },
        schema_overrides={"concentration": pl.Float64},
    )


def read_back(result: elisa.Result, plate: pl.DataFrame, system: str) -> pl.DataFrame:
    """Treated wells with what the analysis made of them.

    Returns columns system, donor, dose_nm, well, od, inhibition_percent.
    """
    od = plate.select("well", pl.col("value").alias("od"))
    found = result.tables["inhibition"].join(od, on="well", how="left", maintain_order="left")
    return found.select(
        pl.lit(system).alias("system"), "donor", "dose_nm", "well", "od", "inhibition_percent"
    )
