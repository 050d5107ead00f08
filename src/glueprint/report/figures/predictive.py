"""Where the survival curve of one more trial lies: the middle of many virtual ones, point by point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.report.figures import theme
from glueprint.trials import order_statistics

__all__ = ["LEAST", "band_layers", "observed_layers", "predictive_band"]

LEAST = 39  # virtual trials: from fewer, their smallest and largest are less than a 95 % interval
POINTS = 80
SCHEMA = {
    "arm": pl.String,
    "time": pl.Float64,
    "low": pl.Float64,
    "middle": pl.Float64,
    "high": pl.Float64,
    "replicates": pl.Int64,
}


def predictive_band(curves: pl.DataFrame, times: Sequence[float] | None = None) -> pl.DataFrame:
    """Survival of each arm over the virtual trials: their median, and the middle 95 % of them.

    curves: rows of one endpoint of the table `survival_curves`, times in `time` or `time_months`.
    times: at which; evenly to where the first trial's curve ends, if None. A time at which the curve of some
    trial has ended with patients alive is left out: what it would have been is not known.
    Returns columns arm, time, low, middle, high, replicates; no row from fewer than 39 trials.
    Source: pointwise order statistics, `trials.order_statistics`.
    """
    curves = curves.rename({"time_months": "time"}, strict=False).sort("time")
    rows: list[dict[str, Any]] = []
    for (arm,), part in curves.group_by("arm", maintain_order=True):
        each = [
            (one.get_column("time").to_numpy(), one.get_column("survival").to_numpy())
            for one in part.partition_by("replicate", maintain_order=True)
        ]
        if len(each) < LEAST:
            continue
        # At 0 a curve goes on for ever.
        known = min(time[-1] if height[-1] > 0 else np.inf for time, height in each)
        end = min(known, max(time[-1] for time, _ in each))
        asked = np.linspace(0.0, end, POINTS) if times is None else np.array([t for t in times if t <= known])
        heights = np.array([_at(asked, *steps) for steps in each])
        for time, column in zip(asked.tolist(), heights.T, strict=True):
            middle, low, high = order_statistics(column)
            rows.append(dict(zip(SCHEMA, (arm, time, low, middle, high, len(each)), strict=True)))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _at(
    asked: NDArray[np.float64], time: NDArray[np.float64], height: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) height of a curve at times, 1 before its first step."""
    place = np.searchsorted(time, asked, side="right")
    return np.concatenate([[1.0], height])[place]


def band_layers(band: pl.DataFrame, x: alt.X, colours: Mapping[str, str]) -> list[alt.Chart]:
    """The band of each arm as a wash with a broken line in its middle; nothing from an empty table."""
    if band.is_empty():
        return []
    chart = alt.Chart(theme.records(band.to_dicts()))
    colour = theme.arm_colour(dict(colours))
    return [
        chart.mark_area(opacity=0.16, clip=True).encode(
            x, alt.Y("low:Q", title=None), alt.Y2("high:Q"), colour
        ),
        chart.mark_line(strokeWidth=1.1, strokeDash=[4, 3], clip=True).encode(
            x, alt.Y("middle:Q", title=None), colour
        ),
    ]


def observed_layers(observed: pl.DataFrame, x: alt.X, colours: Mapping[str, str]) -> list[alt.Chart]:
    """What was observed as open circles. observed: columns arm, time, survival."""
    rows = observed.filter(pl.col("arm").is_in(list(colours))).to_dicts()
    if not rows:
        return []
    mark = alt.Chart(theme.records(rows)).mark_point(
        shape="circle", size=34, strokeWidth=1.5, fill=theme.PAPER, opacity=1, clip=True
    )
    return [mark.encode(x, alt.Y("survival:Q", title=None), theme.arm_colour(dict(colours)))]
