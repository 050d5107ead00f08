"""The tables of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.workshop.objective import Fitted
from glueprint.workshop.problem import Problem
from glueprint.workshop.profiles import Profile
from glueprint.workshop.search import Searched

__all__ = ["parameters", "profile_points", "rows", "starts"]

Floats = NDArray[np.float64]
SEVERAL = "several values"
PARAMETERS = {
    "parameter": pl.String,
    "scale": pl.String,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "verdict": pl.String,
    "lower_bound": pl.Float64,
    "upper_bound": pl.Float64,
    "elsewhere": pl.Float64,
}
POINTS = {"parameter": pl.String, "value": pl.Float64, "rise": pl.Float64}


def parameters(
    problem: Problem, searched: Searched, profiles: Sequence[Profile], same: float
) -> pl.DataFrame:
    """One row a parameter: best value, limits and verdict.

    low, high: None where no limit lies within the bounds, or profiles were not asked for.
    elsewhere: where the verdict is "several values", the farthest of them, of a search that ended just as low
    (within `same`).
    """
    scales = problem.scales
    best = scales.plain(searched.scaled[0])
    equal = searched.scaled[searched.value <= searched.value[0] + same]
    limits = {one.number: one for one in profiles}
    found = []
    for place, one in enumerate(problem.estimated):
        known = limits.get(place)
        low, high = (
            (None, None) if known is None else (_limit(problem, place, x) for x in (known.low, known.high))
        )
        found.append(
            {
                "parameter": one.name,
                "scale": one.scale,
                "estimate": float(best[place]),
                "low": low,
                "high": high,
                "verdict": "" if known is None else known.verdict,
                "lower_bound": one.low,
                "upper_bound": one.high,
                "elsewhere": _farthest(problem, place, equal) if known and known.verdict == SEVERAL else None,
            }
        )
    return pl.DataFrame(found, schema=PARAMETERS)


def starts(problem: Problem, searched: Searched) -> pl.DataFrame:
    """One row a search, the best first: where it ended and how."""
    plain = problem.scales.plain(searched.scaled)
    table = pl.DataFrame(
        {
            "rank": np.arange(1, searched.value.size + 1),
            "minus_log_posterior": searched.value,
            "above_best": searched.value - searched.value[0],
            "status": list(searched.status),
            "reason": list(searched.reasons),
            "evaluations": searched.rounds,
        }
    )
    return table.with_columns(
        pl.Series(one.name, plain[:, place]) for place, one in enumerate(problem.estimated)
    )


def rows(problem: Problem, fitted: Fitted) -> pl.DataFrame:
    """One row a measurement, with the model's value, its noise and the residual in standard deviations."""
    data = problem.rows
    return pl.DataFrame(
        {
            "experiment": [problem.experiments[k].name for k in data.experiment.tolist()],
            "observable": [problem.observables[k].name for k in data.observable.tolist()],
            "time": data.time,
            "measurement": data.value,
            "predicted": fitted.predicted[0],
            "noise": fitted.sd[0],
            "residual": fitted.residual[0],
            "log_likelihood": fitted.likelihood[0],
            "where": list(data.where),
        }
    )


def profile_points(problem: Problem, profiles: Sequence[Profile]) -> pl.DataFrame:
    """The points of every profile: value of the parameter, and rise of minus log posterior."""
    found = []
    for one in profiles:
        name = problem.estimated[one.number].name
        for scaled, rise in zip(one.scaled.tolist(), one.rise.tolist(), strict=True):
            found.append({"parameter": name, "value": _plain(problem, one.number, scaled), "rise": rise})
    return pl.DataFrame(found, schema=POINTS)


def _farthest(problem: Problem, place: int, equal: Floats) -> float:
    """Of scaled vectors (k, p), of which the first is the best, the value that lies farthest from its own."""
    column = equal[:, place]
    return _plain(problem, place, float(column[np.argmax(np.abs(column - column[0]))]))


def _plain(problem: Problem, place: int, scaled: float) -> float:
    vector = np.zeros(len(problem.estimated))
    vector[place] = scaled
    return float(problem.scales.plain(vector)[place])


def _limit(problem: Problem, place: int, scaled: float) -> float | None:
    return _plain(problem, place, scaled) if np.isfinite(scaled) else None
