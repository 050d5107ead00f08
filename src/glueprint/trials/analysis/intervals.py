"""What many replicates of a trial say together: the middle and the range in which 95 of 100 trials lie."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["LEVEL", "existing", "finite", "order_statistics", "prediction_intervals"]

Floats = NDArray[np.float64]

LEVEL = 0.95
TAIL = (1.0 - LEVEL) / 2.0
SCHEMA = {
    "arm": pl.String, "endpoint": pl.String, "unit": pl.String, "median": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "replicates": pl.Int64, "not_reached": pl.Int64,
}  # fmt: skip


def existing(endpoints: pl.DataFrame) -> pl.DataFrame:
    """The rows of an endpoints table that have a value; a median that was not reached has the value infinity.

    A missing number of another kind, such as the time to response where nobody responded, is no late time
    but no time at all: its row is left out.
    """
    not_reached = (
        pl.col("value").is_null()
        & (pl.col("unit") == "months")
        & pl.col("method").str.starts_with("Kaplan-Meier")
        & (pl.col("n") > 0)
    )
    late = pl.when(not_reached).then(math.inf).otherwise(pl.col("value"))
    return endpoints.with_columns(value=late).filter(pl.col("value").is_not_null())


def prediction_intervals(endpoints: pl.DataFrame) -> pl.DataFrame:
    """Middle and 95 % range of each endpoint over the replicates.

    endpoints: the endpoints table of a TrialResult.
    Returns a row per arm and endpoint: arm, endpoint, unit, median, low, high (null: not reached), replicates
    (those in which the endpoint exists), not_reached (how many of them did not reach it).
    Source: `order_statistics`; docs/trials.md, "Predict a trial".
    """
    parts = existing(endpoints).partition_by("arm", "endpoint", as_dict=True)
    rows = []
    keys = endpoints.select("arm", "endpoint", "unit").unique(("arm", "endpoint"), maintain_order=True)
    for arm, endpoint, unit in keys.iter_rows():
        part = parts.get((arm, endpoint))
        values = part.get_column("value").to_numpy() if part is not None else np.empty(0)
        middle, low, high = (finite(value) for value in order_statistics(values))
        beyond = int(np.isinf(values).sum())
        rows.append((arm, endpoint, unit, middle, low, high, values.size, beyond))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def order_statistics(values: Floats) -> tuple[float, float, float]:
    """Middle of values (n,), and the two of them between which one more lies with 95 %; NaN if n is 0.

    Exact where n + 1 is a multiple of 40, less than 0.025 wider otherwise; from fewer than 39 values the
    smallest and the largest, between which one more lies with (n - 1)/(n + 1).
    No mean of a time and of one not reached is taken, as there is none.
    Source: exchangeability of n + 1 values.
    """
    n = values.size
    if not n:
        return math.nan, math.nan, math.nan
    ordered = np.sort(values)
    below, above = float(ordered[(n - 1) // 2]), float(ordered[n // 2])
    middle = (below + above) / 2.0 if math.isfinite(below) and math.isfinite(above) else above
    # A hair more than the product, so that 40 * 0.025 is 1.
    outside = max(math.floor((n + 1) * TAIL + 1e-9), 1)
    return middle, float(ordered[outside - 1]), float(ordered[n - outside])


def finite(value: float) -> float | None:
    """A number for a table, in which what was not reached or does not exist is missing."""
    return value if math.isfinite(value) else None
