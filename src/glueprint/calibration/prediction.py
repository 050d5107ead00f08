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

from glueprint.calibration.observed import check_numbers, check_tables, is_logarithmic
from glueprint.calibration.score import log_hazard_ratio_error, log_median_error
from glueprint.errors import nearest
from glueprint.trials import TAIL, existing, finite, order_statistics

__all__ = ["compare", "nearly_normal", "total"]

Floats = NDArray[np.float64]
Scale = Callable[[Floats], Floats]
SCHEMA = {
    "trial": pl.String, "arm": pl.String, "endpoint": pl.String, "unit": pl.String, "observed": pl.Float64,
    "predicted": pl.Float64, "low": pl.Float64, "high": pl.Float64, "inside": pl.Boolean, "rank": pl.Float64,
    "log_score": pl.Float64, "width_ratio": pl.Float64, "replicates": pl.Int64, "label": pl.String,
    "source": pl.String, "note": pl.String,
}  # fmt: skip


def compare(endpoints: pl.DataFrame, observed: pl.DataFrame, *, label: str = "predicted") -> pl.DataFrame:
    """Score each observed summary against the replicates of a virtual trial.

    endpoints: the endpoints table of a TrialResult with at least 39 replicates.   observed: columns arm,
    endpoint and value (per cent, months or a ratio, as in `endpoints`); trial, low and high (95 % interval),
    n, events and source where known.   label: how the numbers were made.
    Returns a row per observed summary: middle and 95 % interval of the replicates; inside; rank (share of
    replicates below it); log_score (logarithm of a normal density at the observation, on the log odds of a
    rate and the logarithm of a time or ratio); width_ratio (the interval's width over that of the observed
    one's own sampling interval, on the same scale); note where a row could not be scored.
    Raises InputError GP-K020 for missing columns, GP-K021 for too few replicates, GP-K022 for a number that
    is none or cannot be.
    Source: own derivation, docs/calibration.md, "Predictions".
    """
    check_tables(endpoints, observed)
    replicates = endpoints.get_column("replicate").n_unique()
    known = existing(endpoints).partition_by("trial", "arm", "endpoint", as_dict=True)
    rows = []
    for number, row in enumerate(observed.iter_rows(named=True), start=1):
        trial = row.get("trial") or endpoints.get_column("trial")[0]
        part = known.get((trial, row["arm"], row["endpoint"]))
        check_numbers(row, number, "" if part is None else part.get_column("unit")[0])
        head = {"trial": trial, "arm": row["arm"], "endpoint": row["endpoint"], "observed": row["value"]}
        scored = _absent(row, endpoints, trial) if part is None else _scored(row, part, endpoints, replicates)
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
    simulated = part.get_column("value").to_numpy()
    middle, low, high = order_statistics(simulated)
    n = float(row.get("n") or part.get_column("n").mean() or 0.0)  # type: ignore[arg-type]
    scale = nearly_normal(str(row["endpoint"]), unit, n)
    error = _sampling_error(row, part, endpoints, (scale, n))
    reached = simulated[np.isfinite(simulated)]
    scaled = scale(reached)
    # The deviation of equal numbers is a rounding error, and not always 0.
    spread = float(np.std(scaled, ddof=1)) if reached.size > 1 and np.ptp(scaled) > 0 else math.nan
    z = (float(scale(np.array([value]))[0]) - float(scaled.mean())) / spread if spread > 0 else math.nan
    log_score = -0.5 * z * z - math.log(spread * math.sqrt(2.0 * math.pi)) if spread > 0 else None
    ends = scale(np.array([low, high]))
    width = float(ends[1] - ends[0]) / (2.0 * float(ndtri(1.0 - TAIL)) * error) if error > 0 else math.nan
    return {
        "unit": unit,
        "predicted": finite(middle),
        "low": finite(low),
        "high": finite(high),
        "inside": low <= value <= high,
        "rank": float(np.mean(simulated < value) + 0.5 * np.mean(simulated == value)),
        "log_score": log_score,
        "width_ratio": finite(width),
        "replicates": simulated.size,
        "note": _note(simulated, replicates, is_share=unit == "%" and 0.0 < value < 1.0),
    }


def _note(simulated: Floats, replicates: int, *, is_share: bool) -> str:
    """Which replicates could not take part, and why; and whether the number observed may be no per cent."""
    beyond, absent = int(np.isinf(simulated).sum()), replicates - simulated.size
    told = ["less than 1 %: a share written for per cent?"] if is_share else []
    told += [f"not reached in {beyond} of {replicates}"] if beyond else []
    return "; ".join([*told, f"absent in {absent} of {replicates}"] if absent else told)


def nearly_normal(endpoint: str, unit: str, n: float) -> Scale:
    """The scale on which an endpoint is nearly normal; a difference may be negative and has no logarithm.

    endpoint, unit: as in an endpoints table.   n: patients behind a rate.   Returns a function of arrays.
    """

    def log_odds(per_cent: Floats) -> Floats:
        # Half a patient keeps 0 and 100 % finite.
        half = 50.0 / max(n, 1.0)
        return np.log((per_cent + half) / (100.0 + half - per_cent))

    def logarithm(values: Floats) -> Floats:
        return np.log(np.maximum(values, 1e-6))

    def plain(values: Floats) -> Floats:
        return values

    if unit == "%":
        return log_odds
    return logarithm if is_logarithmic(endpoint, unit) else plain


def _sampling_error(
    row: Mapping[str, object], part: pl.DataFrame, endpoints: pl.DataFrame, about: tuple[Scale, float]
) -> float:
    """Standard error that the observed value has by itself, on its `nearly_normal` scale; NaN if not known.

    From the printed interval; else binomial for a rate, and of `score` for a median and a hazard ratio.
    """
    scale, n = about
    unit, endpoint = str(part.get_column("unit")[0]), str(row["endpoint"])
    low, high = row.get("low"), row.get("high")
    printed = isinstance(low, int | float) and isinstance(high, int | float)
    if printed and (low > 0 or not is_logarithmic(endpoint, unit)):  # type: ignore[operator]
        ends = scale(np.array([low, high], dtype=np.float64))
        return float(ends[1] - ends[0]) / (2.0 * float(ndtri(1.0 - TAIL)))
    if unit == "%" and n:
        p = min(max(float(row["value"]) / 100.0, 0.5 / n), 1.0 - 0.5 / n)  # type: ignore[arg-type]
        return 1.0 / math.sqrt(n * p * (1.0 - p))
    if unit == "months" and n and endpoint.startswith("median_") and endpoint != "median_response_months":
        return log_median_error(int(n))
    arms = str(row["arm"]).split(" vs ")
    events = row.get("events") or part.get_column("events").mean()
    if endpoint.startswith("hr_") and len(arms) == 2 and isinstance(events, int | float) and events > 0:
        responses = endpoints.filter(
            (pl.col("endpoint") == "orr") & (pl.col("trial") == part.get_column("trial")[0])
        )
        sizes = [responses.filter(pl.col("arm") == arm).get_column("n").mean() for arm in arms]
        first, second = (float(size) if isinstance(size, int | float) else 1.0 for size in sizes)
        return log_hazard_ratio_error(float(events), first, second)
    return math.nan


def _absent(row: Mapping[str, object], endpoints: pl.DataFrame, trial: str) -> dict[str, object]:
    """A row that the virtual trial says nothing about."""
    mine = endpoints.filter(pl.col("trial") == trial)
    arms = mine.get_column("arm").unique().sort().to_list()
    if not arms:
        trials = endpoints.get_column("trial").unique().sort().to_list()
        return {"note": f'no trial "{trial}"{nearest(trial, trials)}; there are {", ".join(trials)}'}
    if row["arm"] not in arms:
        return {"note": f'no arm "{row["arm"]}"{nearest(str(row["arm"]), arms)}; there are {", ".join(arms)}'}
    names = mine.filter(pl.col("arm") == row["arm"]).get_column("endpoint").unique().sort().to_list()
    if row["endpoint"] not in names:
        return {"note": f'no endpoint "{row["endpoint"]}"{nearest(str(row["endpoint"]), names)}'}
    return {"note": "no replicate has this endpoint"}
