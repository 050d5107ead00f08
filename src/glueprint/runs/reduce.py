"""Summaries that merge: what a million patients leave when their daily outputs are not kept.

A unit reduces its patients to a small table of whole numbers, one row per key; adding rows of equal keys over
all units gives the summary of all patients, with the same bits in whatever order the units come.

    quantiles   histogram of logarithmic bins: any quantile to a relative error of 0.5 %
    survival    events and censorings per day: the Kaplan-Meier curve of all patients, exact to the day
    counts      any other table of keys and whole numbers
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError

__all__ = ["COUNTS", "add", "mean_of", "quantile_of", "sketch", "survival_table"]

# Bins [g^(k-1), g^k) with g = (1 + a) / (1 - a) hold every quantile to a relative error of a.
# Source: DDSketch, Masson et al. 2019, doi 10.14778/3352063.3352135, section 2.2.
RELATIVE_ERROR = 0.005
GAMMA_LOG = np.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
# Smaller magnitudes count as zero.
SMALLEST = 1e-300
COUNTS = ("count", "events", "censored")
BIN = "bin"
# Bins of negative numbers mirror those of positive ones; zero lies between them.
OFFSET = 1 << 20

Floats = NDArray[np.float64]
Bins = NDArray[np.int64]


def sketch(values: ArrayLike, keys: dict[str, ArrayLike] | None = None) -> pl.DataFrame:
    """The histogram of (n,) finite numbers: one row per key and bin.

    keys: name -> (n,) or scalar, such as the day and the quantity.
    Returns the keys' columns, bin (int64) and count (int64).
    Raises InputError GP-R016 if a number is not finite: count and leave out failed patients before.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise InputError(
            "GP-R016",
            f"{int((~np.isfinite(numbers)).sum())} of {numbers.size} values are not finite",
            where="values",
            expected="finite numbers",
            next_step="leave failed patients out and count them beside",
        )
    return _table({BIN: _bins(numbers)}, keys or {}, {"count": np.ones(numbers.size, dtype=np.int64)})


def survival_table(
    time_days: ArrayLike, event: ArrayLike, keys: dict[str, ArrayLike] | None = None
) -> pl.DataFrame:
    """Events and censorings of (n,) patients per whole day, each day's end counting.

    Returns the keys' columns, day (int64), events and censored (int64).
    """
    happened = np.asarray(event, dtype=np.int64).ravel()
    day = np.ceil(np.asarray(time_days, dtype=np.float64).ravel()).astype(np.int64)
    return _table({"day": day}, keys or {}, {"events": happened, "censored": 1 - happened})


def add(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The sum of tables of equal columns: rows of equal keys become one, sorted by key.

    tables: may be generated; at most the sum and one table are in memory.
    """
    total: pl.DataFrame | None = None
    for table in tables:
        total = _merged(table if total is None else pl.concat([total, table]))
    return pl.DataFrame() if total is None else total


def quantile_of(table: pl.DataFrame, levels: Sequence[float]) -> pl.DataFrame:
    """Quantiles of each key of a sketch: the keys' columns, n, and one column q<level> for each level.

    The number of rank floor(level (n - 1)) in order, to a relative error of 0.5 %.
    """
    keys = [name for name in table.columns if name not in (BIN, *COUNTS)]
    groups = table.sort(*keys, BIN).group_by(keys, maintain_order=True) if keys else [((), table.sort(BIN))]
    rows = []
    for key, part in groups:
        ends = part.get_column("count").cum_sum().to_numpy()
        ranks = np.floor(np.asarray(levels) * (ends[-1] - 1))
        found = _centres(part.get_column(BIN).to_numpy())[np.searchsorted(ends, ranks, side="right")]
        named = {f"q{level:g}": float(value) for level, value in zip(levels, found, strict=True)}
        rows.append({**dict(zip(keys, key, strict=True)), "n": int(ends[-1]), **named})
    return pl.DataFrame(rows)


def mean_of(table: pl.DataFrame) -> pl.DataFrame:
    """Mean of each key of a sketch, to a relative error of 0.5 % where all numbers have one sign."""
    keys = [name for name in table.columns if name not in (BIN, *COUNTS)]
    weighed = table.with_columns(centre=pl.Series(_centres(table.get_column(BIN).to_numpy())))
    mean = (pl.col("centre") * pl.col("count")).sum() / pl.col("count").sum()
    return weighed.group_by(keys, maintain_order=True).agg(n=pl.col("count").sum(), mean=mean)


def _bins(numbers: Floats) -> Bins:
    size = np.abs(numbers)
    zero = size < SMALLEST
    place = np.ceil(np.log(np.where(zero, 1.0, size)) / GAMMA_LOG).astype(np.int64)
    return np.where(zero, 0, np.where(numbers < 0, -(place + OFFSET), place + OFFSET))


def _centres(bins: Bins) -> Floats:
    """The number of each bin that is never further from the others in it than the relative error."""
    place = np.abs(bins) - OFFSET
    size = 2.0 * np.exp(place * GAMMA_LOG) / (1.0 + np.exp(GAMMA_LOG))
    return np.where(bins == 0, 0.0, np.sign(bins) * size)


def _table(key: dict[str, Bins], keys: dict[str, ArrayLike], counts: dict[str, Bins]) -> pl.DataFrame:
    n = next(iter(key.values())).size
    given = {name: np.broadcast_to(np.asarray(value), n) for name, value in keys.items()}
    return _merged(pl.DataFrame({**given, **key, **counts}))


def _merged(table: pl.DataFrame) -> pl.DataFrame:
    keys = [name for name in table.columns if name not in COUNTS]
    sums = [pl.col(name).sum() for name in table.columns if name in COUNTS]
    return table.group_by(keys).agg(sums).sort(keys)
