"""Recovery after wash-out: how fast the target is made again, against its natural turnover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from glueprint import curves
from glueprint.assays.findings import Finding
from glueprint.curves.status import Status

__all__ = ["recovery"]

# P = v - (v - p) exp(-k t): without drug the turnover model returns to its level at the rate k_deg.
FORMULA = "v - (v - p) * exp(-k * t)"
GOOD = (Status.FINE, Status.AT_BOUND)


def recovery(found: pl.DataFrame, confidence: float, findings: list[Finding]) -> list[dict[str, Any]]:
    """Rows of the table `rates`: rate and half-life of the recovery at each dose, from rows with washout_h.

    found: a tidy table; washout_h is hours since the wash-out, time_h the exposure before it.
    The level that is returned to is that of the vehicle, 1.
    """
    washed = found.filter(
        pl.col("washout_h").is_not_null() & (pl.col("dose_nm") > 0.0) & (pl.col("treatment") == "")
    )
    rows: list[dict[str, Any]] = []
    for key, group in washed.group_by(["target", "compound", "experiment", "dose_nm"], maintain_order=True):
        target, compound, experiment, dose_nm = key
        after, left = group["washout_h"].to_numpy(), group["fraction_remaining"].to_numpy()
        name = " ".join(str(part) for part in key[:3] if part)
        if np.unique(after).size < 3:
            findings.append(
                Finding(
                    "GP-A159",
                    "warning",
                    f"{np.unique(after).size} times after the wash-out of {dose_nm:g} nM",
                    name,
                    "three or more times, the wash-out itself among them",
                    "measure more of the recovery",
                )
            )
            continue
        rows += _rows(
            after,
            left,
            confidence,
            {
                "target": target,
                "compound": compound,
                "experiment": experiment,
                "dose_nm": dose_nm,
                "experiments": 1,
            },
        )
    return rows


def _rows(after: Any, left: Any, confidence: float, about: dict[str, Any]) -> list[dict[str, Any]]:
    longest = float(after.max())
    fits = curves.fit(
        curves.model_from_formula(FORMULA, inputs=("t",), positive=("k",)),
        {"t": after},
        left,
        start={
            "v": 1.0,
            "p": float(left[after == after.min()].mean()),
            "k": [0.3 / longest, 1.0 / longest, 5.0 / longest],
        },
        fixed={"v": 1.0},
        confidence=confidence,
    )
    status = Status(int(fits.status[0]))
    low, high = (float(x) if 0.0 < x < math.inf else None for x in fits.interval("k")[0])
    rate = float(fits["k"][0])
    good = status in GOOD and rate > 0.0
    if not good:
        rate, low, high = math.nan, None, None
    note = "" if good else fits.reasons[0]
    half = half_life(rate, low, high, longest) if good else {"relation": "none"}
    return [
        about
        | {
            "name": "recovery_rate",
            "unit": "1/h",
            "relation": "=" if good else "none",
            "note": note,
            "value": rate if good else None,
            "low": low,
            "high": high,
        },
        about | {"name": "recovery_half_life", "unit": "h", "note": note} | half,
    ]


def half_life(rate: float, low: float | None, high: float | None, longest_h: float) -> dict[str, Any]:
    """ln 2 over a rate with its interval; beyond the time observed only the limit ">" that time."""
    value = math.log(2.0) / rate
    short = None if high is None else math.log(2.0) / high
    long = None if low is None else math.log(2.0) / low
    if value > longest_h:
        return {
            "relation": ">",
            "value": longest_h,
            "low": None if short is None else min(short, longest_h),
            "high": None,
        }
    return {
        "relation": "=",
        "value": value,
        "low": short,
        "high": long if long is None or long <= longest_h else None,
    }
