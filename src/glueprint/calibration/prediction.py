"""Predicted trials beside observed ones: inside the interval, how likely, and how wide the interval is.

The replicates of a run with a posterior carry what is not known of the parameters, of the patients and of a
trial's sampling; a real trial is one more draw of the same kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from glueprint.calibration.score import log_hazard_ratio_error, log_median_error, printed_log_error
from glueprint.errors import InputError, nearest

__all__ = ["COLUMNS", "compare", "total"]

Floats = NDArray[np.float64]
COLUMNS = ("arm", "endpoint", "value")
OPTIONAL = ("trial", "low", "high", "n", "events", "source")
LEVEL = 0.95
# Fewer replicates cannot show where 95 of 100 trials lie.
LEAST_REPLICATES = 20
SCHEMA = {
    "trial": pl.String, "arm": pl.String, "endpoint": pl.String, "unit": pl.String, "observed": pl.Float64,
    "predicted": pl.Float64, "low": pl.Float64, "high": pl.Float64, "inside": pl.Boolean, "rank": pl.Float64,
    "log_score": pl.Float64, "width_ratio": pl.Float64, "replicates": pl.Int64, "label": pl.String,
    "source": pl.String, "note": pl.String,
}  # fmt: skip


def compare(endpoints: pl.DataFrame, observed: pl.DataFrame, *, label: str = "predicted") -> pl.DataFrame:
    """Score each observed summary against the replicates of a virtual trial.

    endpoints: the endpoints table of a TrialResult with at least 20 replicates.   observed: columns arm,
    endpoint and value (per cent, months or a ratio, as in `endpoints`); trial, low and high (95 % interval),
    n, events and source where known.   label: how the numbers were made.
    Returns a row per observed summary: middle and 95 % interval of the replicates; inside; rank (share of
    replicates below it); log_score (logarithm of a normal density at the observation, on the log odds of a
    rate and the logarithm of a time or ratio); width_ratio (the interval's width over that of the observed
    one's own sampling interval, on the same scale); note where a row could not be scored.
    Raises InputError GP-K020 for missing columns, GP-K021 for too few replicates, GP-K022 for a value that is
    none.
    Source: own derivation, docs/calibration.md, "Predictions".
    """
    _check(endpoints, observed)
    replicates = endpoints.get_column("replicate").n_unique()
    known = endpoints.partition_by("trial", "arm", "endpoint", as_dict=True)
    rows = []
    for number, row in enumerate(observed.iter_rows(named=True), start=1):
        _check_value(row, number)
        trial = row.get("trial") or endpoints.get_column("trial")[0]
        part = known.get((trial, row["arm"], row["endpoint"]))
        head = {"trial": trial, "arm": row["arm"], "endpoint": row["endpoint"], "observed": row["value"]}
        scored = _absent(row, known, trial) if part is None else _scored(row, part, endpoints, replicates)
        rows.append(head | {"label": label, "source": row.get("source") or ""} | scored)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def total(scores: pl.DataFrame) -> dict[str, float]:
    """What `compare` found, in one line: rows, scored, inside, mean log score, median width ratio."""
    scored = scores.filter(pl.col("log_score").is_not_null())
    mean, width = scored.get_column("log_score").mean(), scored.get_column("width_ratio").median()
    return {
        "rows": scores.height,
        "scored": scored.height,
        "inside": int(scored.get_column("inside").sum()),
        "mean_log_score": float(mean) if isinstance(mean, int | float) else math.nan,
        "median_width_ratio": float(width) if isinstance(width, int | float) else math.nan,
    }


def _scored(
    row: Mapping[str, object], part: pl.DataFrame, endpoints: pl.DataFrame, replicates: int
) -> dict[str, object]:
    """The score of one row; a time that a replicate did not reach lies beyond all others."""
    unit = str(part.get_column("unit")[0])
    value = float(row["value"])  # type: ignore[arg-type]
    simulated = part.get_column("value").fill_null(math.inf).to_numpy()
    tail = (1.0 - LEVEL) / 2.0
    low, middle, high = _quantiles(simulated, (tail, 0.5, 1.0 - tail))
    n = float(row.get("n") or part.get_column("n").mean() or 0.0)  # type: ignore[arg-type]
    scale = _scale(unit, n)
    error = _sampling_error(row, part, endpoints, (unit, value, n))
    finite = simulated[np.isfinite(simulated)]
    scaled = scale(finite)
    note = "" if finite.size == replicates else f"not reached in {replicates - finite.size} of {replicates}"
    spread = float(np.std(scaled, ddof=1)) if finite.size > 1 else math.nan
    z = (float(scale(np.array([value]))[0]) - float(scaled.mean())) / spread if spread > 0 else math.nan
    log_score = -0.5 * z * z - math.log(spread * math.sqrt(2.0 * math.pi)) if spread > 0 else None
    ends = scale(np.array([low, high]))
    width = float(ends[1] - ends[0]) / (2.0 * float(ndtri(1.0 - tail)) * error) if error > 0 else math.nan
    return {
        "unit": unit,
        "predicted": middle,
        "low": low,
        "high": high,
        "inside": low <= value <= high,
        "rank": float(np.mean(simulated < value) + 0.5 * np.mean(simulated == value)),
        "log_score": log_score,
        "width_ratio": width if math.isfinite(width) else None,
        "replicates": replicates,
        "note": note,
    }


def _scale(unit: str, n: float) -> Callable[[Floats], Floats]:
    """The scale on which an endpoint of this unit is nearly normal."""

    def log_odds(per_cent: Floats) -> Floats:
        # Half a patient keeps 0 and 100 % finite.
        half = 50.0 / max(n, 1.0)
        return np.log((per_cent + half) / (100.0 + half - per_cent))

    def logarithm(values: Floats) -> Floats:
        return np.log(np.maximum(values, 1e-6))

    def plain(values: Floats) -> Floats:
        return values

    return log_odds if unit == "%" else logarithm if unit in ("months", "weeks", "days", "ratio") else plain


def _sampling_error(
    row: Mapping[str, object], part: pl.DataFrame, endpoints: pl.DataFrame, about: tuple[str, float, float]
) -> float:
    """Standard error that the observed value has by itself, on the scale of `_scale`; NaN if not known."""
    unit, value, n = about
    low, high = row.get("low"), row.get("high")
    if unit == "%":
        p = min(max(value / 100.0, 0.5 / n), 1.0 - 0.5 / n) if n else math.nan
        return 1.0 / math.sqrt(n * p * (1.0 - p)) if n else math.nan
    if isinstance(low, int | float) and isinstance(high, int | float) and 0 < low < high:
        return printed_log_error(float(low), float(high))
    if unit == "months" and n:
        return log_median_error(int(n))
    events = row.get("events") or part.get_column("events").mean()
    if unit == "ratio" and isinstance(events, int | float) and events > 0:
        sizes = [
            endpoints.filter((pl.col("arm") == arm) & (pl.col("endpoint") == "orr")).get_column("n").mean()
            for arm in str(row["arm"]).split(" vs ")
        ]
        first, second = (float(s) if isinstance(s, int | float) else 1.0 for s in (*sizes, 1.0)[:2])
        return log_hazard_ratio_error(float(events), first, second)
    return math.nan


def _quantiles(values: Floats, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Order statistics, as a mean of two infinities is no number."""
    ordered = np.sort(values)
    return tuple(float(ordered[round(level * (ordered.size - 1))]) for level in levels)


def _absent(
    row: Mapping[str, object], known: Mapping[tuple[object, ...], object], trial: str
) -> dict[str, object]:
    """A row that the virtual trial says nothing about."""
    arms = sorted({str(key[1]) for key in known if key[0] == trial})
    if row["arm"] not in arms:
        return {"note": f'no arm "{row["arm"]}"{nearest(str(row["arm"]), arms)}; there are {", ".join(arms)}'}
    names = sorted({str(key[2]) for key in known if key[0] == trial and key[1] == row["arm"]})
    return {"note": f'no endpoint "{row["endpoint"]}"{nearest(str(row["endpoint"]), names)}'}


def _check(endpoints: pl.DataFrame, observed: pl.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in observed.columns]
    strange = [name for name in observed.columns if name not in (*COLUMNS, *OPTIONAL)]
    if missing or strange:
        told = f"no column {', '.join(missing)}" if missing else f"unknown column {', '.join(strange)}"
        raise InputError(
            "GP-K020",
            told,
            where="observed",
            expected=f"columns {', '.join(COLUMNS)}, and of {', '.join(OPTIONAL)} what is known",
            next_step="name the columns so; endpoints are named as in the endpoints table of the trial",
        )
    count = endpoints.get_column("replicate").n_unique()
    if count < LEAST_REPLICATES:
        raise InputError(
            "GP-K021",
            f"{count} replicates",
            where="endpoints",
            expected=f"at least {LEAST_REPLICATES}, as a 95 % interval needs them",
            next_step="run the trial again with more, such as --replicates 200",
        )


def _check_value(row: Mapping[str, object], number: int) -> None:
    value = row["value"]
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(
            "GP-K022",
            f'value "{value}" of {row["arm"]}, {row["endpoint"]}',
            where=f"observed, row {number}",
            expected="a finite number: per cent, months or a ratio, as in the endpoints table",
            next_step="correct the value, or leave the row out",
        )
