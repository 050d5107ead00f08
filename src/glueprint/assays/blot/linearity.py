"""Linear range from a dilution series: the slope of log signal on log load, band by band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.blot.boxes import Boxes
from glueprint.assays.findings import Finding

__all__ = ["LINEARITY", "SLOPES", "Line", "linear_run", "linearity", "slope"]

Floats = NDArray[Any]
SLOPES = (0.9, 1.1)
LEAST_LOADS = 3
LINEARITY = pl.Schema(
    {"membrane": pl.String(), "band": pl.String(), "sample": pl.String(), "lanes": pl.Int64(),
     "slope": pl.Float64(), "slope_se": pl.Float64(), "load_low": pl.Float64(), "load_high": pl.Float64(),
     "linear_load_low": pl.Float64(), "linear_load_high": pl.Float64(), "linear_volume_high": pl.Float64(),
     "verdict": pl.String()}
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """Slope of log signal on log load, and its standard error (NaN from two points)."""

    slope: float
    error: float


def slope(load: Floats, volume: Floats) -> Line:
    """The slope of ln(volume) on ln(load) by least squares.

    load, volume: (n,), > 0, at least two different loads.
    """
    x, y = np.log(load), np.log(volume)
    x = x - x.mean()
    steep = float(x @ y / (x @ x))
    freedom = len(x) - 2
    rest = y - y.mean() - steep * x
    error = float(np.sqrt(rest @ rest / freedom / (x @ x))) if freedom > 0 else float("nan")
    return Line(steep, error)


def linear_run(load: Floats, volume: Floats) -> tuple[float, float] | None:
    """The widest range of neighbouring loads whose slope is within `SLOPES`; None if there is none.

    load, volume: (n,), > 0. At least `LEAST_LOADS` different loads make a range.
    """
    loads = np.unique(load)
    for count in range(len(loads), LEAST_LOADS - 1, -1):
        # Of ranges of one width, the lowest: saturation begins above.
        for first in range(len(loads) - count + 1):
            low, high = float(loads[first]), float(loads[first + count - 1])
            inside = (load >= low) & (load <= high)
            if SLOPES[0] <= slope(load[inside], volume[inside]).slope <= SLOPES[1]:
                return low, high
    return None


def linearity(volumes: Sequence[dict[str, Any]], boxes: Boxes) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Rows of `LINEARITY` and findings; empty where no lanes say their load."""
    series: dict[tuple[Any, ...], dict[int, float]] = {}
    for lane in boxes.file.lane:
        if lane.load is not None:
            same = (lane.sample, lane.dose_nm, lane.time_h, lane.treatment, lane.experiment)
            series.setdefault(same, {})[lane.lane] = lane.load
    rows, findings = [], []
    for band in dict.fromkeys(row["band"] for row in volumes):
        for (sample, *_), loads in series.items():
            here = [row for row in volumes if row["band"] == band and row["lane"] in loads]
            usable = [row for row in here if row["status"] == "ok"]
            load = np.array([loads[row["lane"]] for row in usable])
            if np.unique(load).size < LEAST_LOADS:
                continue
            row = _row(load, np.array([row["volume"] for row in usable]))
            row |= {"membrane": boxes.file.membrane, "band": band, "sample": sample}
            rows.append(row)
            if row["verdict"] != "linear":
                findings.append(_finding(row))
    return rows, findings


def _row(load: Floats, volume: Floats) -> dict[str, Any]:
    line, run = slope(load, volume), linear_run(load, volume)
    inside = (load >= run[0]) & (load <= run[1]) if run else np.zeros(load.shape, dtype=bool)
    verdict = "linear" if SLOPES[0] <= line.slope <= SLOPES[1] else "linear in part" if run else "not linear"
    return {
        "lanes": len(load), "slope": line.slope, "slope_se": line.error if np.isfinite(line.error) else None,
        "load_low": float(load.min()), "load_high": float(load.max()),
        "linear_load_low": run[0] if run else None, "linear_load_high": run[1] if run else None,
        "linear_volume_high": float(volume[inside].max()) if run else None, "verdict": verdict,
    }  # fmt: skip


def _finding(row: dict[str, Any]) -> Finding:
    part = (
        f"; linear from load {row['linear_load_low']:g} to {row['linear_load_high']:g}"
        if row["verdict"] == "linear in part"
        else ""
    )
    return Finding(
        "GP-A134",
        "warning",
        f"log signal rises by {row['slope']:.2f} of log load over loads {row['load_low']:g} to "
        f"{row['load_high']:g}{part}",
        f'band "{row["band"]}", sample "{row["sample"]}"',
        f"a slope of {SLOPES[0]:g} to {SLOPES[1]:g}",
        "load and expose inside the linear range",
    )
