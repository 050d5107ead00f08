"""What all experiments share: wells with measurement error, numbers read from them with intervals, panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from glueprint import curves
from glueprint.experiments.experiment import POINTS, Measure, Reading
from glueprint.experiments.settings import error_said
from glueprint.mechanism import Quantity, parameters
from glueprint.runs import streams

__all__ = [
    "Error",
    "crossing",
    "decades",
    "doses",
    "exact",
    "grid",
    "mean_of",
    "of_fit",
    "over",
    "points",
    "ratio_of",
    "sources",
    "wells",
]

Floats = NDArray[np.float64]
# Points of a model line: enough for the switch of a bistable cell.
FINE = 241
PERCENT = 100.0
# Of every interval.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Error:
    """Measurement error of an assay: lognormal, noise_percent as its SD; wells per condition; seed."""

    noise_percent: float
    replicates: int
    seed: int

    @property
    def exact(self) -> bool:
        """Whether there is none."""
        return self.noise_percent == 0.0

    @property
    def said(self) -> str:
        """The measurement error in words."""
        return error_said(self.noise_percent, self.replicates)

    def read(self, reading: Reading) -> Reading:
        """The reading with its interval only where there was an error."""
        return reading.without_interval() if self.exact else reading

    def factors(self, purpose: str, lanes: int) -> Floats:
        """Multiplicative errors, (lanes, replicates), the same for the same seed."""
        drawn = streams.normals(self.seed, f"experiments/{purpose}", np.arange(lanes), self.replicates)
        return np.exp(self.noise_percent / PERCENT * drawn)


def wells(table: pl.DataFrame, columns: Sequence[str], error: Error, purpose: str) -> pl.DataFrame:
    """Every row `replicates` times, with a column replicate, each of `columns` with its own error."""
    lane = np.repeat(np.arange(table.height), error.replicates)
    replicate = np.tile(np.arange(1, error.replicates + 1), table.height)
    noisy = [
        pl.col(name) * pl.Series(error.factors(f"{purpose}/{name}", table.height).ravel()) for name in columns
    ]
    return table[lane].with_columns(pl.Series("replicate", replicate), *noisy)


def mean_of(values: ArrayLike, error: Error) -> Measure:
    """Mean of wells (n,) with its 95 % interval by Student's t; none without error or from one well."""
    each = np.asarray(values, dtype=np.float64).ravel()
    mean = float(each.mean())
    if error.exact or each.size < 2:
        return mean, None, None
    return _around(mean, float(each.std(ddof=1)) / np.sqrt(each.size), each.size - 1)


def ratio_of(top: ArrayLike, bottom: ArrayLike, error: Error) -> Measure:
    """Mean of one set of wells over that of another, with its 95 % interval.

    Source: error of the logarithm of a ratio by the delta method, Welch-Satterthwaite degrees of freedom.
    """
    sets = [np.asarray(each, dtype=np.float64).ravel() for each in (top, bottom)]
    (over, _, _), (under, _, _) = (mean_of(each, error) for each in sets)
    if error.exact or min(each.size for each in sets) < 2 or over <= 0.0 or under <= 0.0:
        return over / under, None, None
    parts = np.array([each.var(ddof=1) / each.size / each.mean() ** 2 for each in sets])
    spread = float(np.sqrt(parts.sum()))
    if spread == 0.0:
        return over / under, over / under, over / under
    dof = parts.sum() ** 2 / sum(part**2 / (each.size - 1) for part, each in zip(parts, sets, strict=True))
    _, low, high = _around(float(np.log(over / under)), spread, float(dof))
    return over / under, float(np.exp(low)), float(np.exp(high))


def exact(log10_nm: float) -> Measure | None:
    """A dose from `forward` as a number without an interval; None where there is no such dose."""
    return (float(10.0**log10_nm), None, None) if np.isfinite(log10_nm) else None


def crossing(x: ArrayLike, y: ArrayLike, level: float) -> float | None:
    """Where a falling row of wells goes through a level, on the line between the wells beside it.

    x, y: (n,), x ascending.   Only the fall counts, up to the lowest y, from the last y above the level; x[0]
    or beyond where none is. None where y stays above.
    """
    places, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    lowest = int(np.argmin(values))
    if values[lowest] > level:
        return None
    above = np.flatnonzero(values[:lowest] > level)
    at = int(above[-1]) if above.size else 0
    if lowest == 0:
        return float(places[0])
    share = np.clip((values[at] - level) / (values[at] - values[at + 1]), 0.0, 1.0)
    return float(places[at] + (places[at + 1] - places[at]) * share)


def over(top: Reading, bottom: Reading) -> Measure | None:
    """One reading over another with the interval that follows from theirs; None where one is a limit.

    Source: method of variance estimates recovery on the logarithms, for independent readings.
    """
    if top.value is None or bottom.value is None or {top.relation, bottom.relation} != {"="}:
        return None
    ratio = top.value / bottom.value
    if None in (top.low, top.high, bottom.low, bottom.high):
        return ratio, None, None
    (a, b), (c, d) = (np.log(np.array([r.low, r.high]) / r.value) for r in (top, bottom))
    return ratio, ratio * float(np.exp(-np.hypot(a, d))), ratio * float(np.exp(np.hypot(b, c)))


def of_fit(fits: curves.Fits, read: Callable[[Floats], tuple[float, Floats]], error: Error) -> Measure | None:
    """A number read from the plateaus of the first curve, with its 95 % interval by the delta method; None
    where there is no curve.

    read: front and back (2,) to the number and its slopes (2,).
    """
    value, slopes = read(fits.estimates[0, :2])
    if not np.isfinite(value):
        return None
    variance = float(slopes @ fits.covariance[0, :2, :2] @ slopes)
    if error.exact or not variance >= 0.0:
        return value, None, None
    return _around(value, float(np.sqrt(variance)), int(fits.dof[0]))


def _around(mean: float, standard_error: float, dof: float) -> tuple[float, float, float]:
    reach = float(stdtrit(dof, 0.5 + 0.5 * CONFIDENCE) * standard_error)
    return mean, mean - reach, mean + reach


def doses(values: ArrayLike) -> Floats:
    """Vehicle and then the doses."""
    return np.concatenate([[0.0], np.asarray(values, dtype=np.float64)])


def decades(low: float, high: float, per_decade: int = 2) -> tuple[float, ...]:
    """Doses in even steps of the logarithm, rounded to three digits."""
    steps = round((np.log10(high) - np.log10(low)) * per_decade)
    exact = np.logspace(np.log10(low), np.log10(high), steps + 1)
    return tuple(float(f"{value:.3g}") for value in exact)


def grid(tested: Floats) -> Floats:
    """Doses for a smooth line through the tested ones."""
    positive = tested[tested > 0.0]
    return np.geomspace(positive[0], positive[-1], FINE)


def points(series: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> pl.DataFrame:
    """Named series of x and y as points or lines of a panel."""
    parts = [
        pl.DataFrame({"series": [name] * np.size(x), "x": np.ravel(x), "y": np.ravel(y)}, schema=POINTS)
        for name, (x, y) in series.items()
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=POINTS)


def sources(groups: Mapping[str, Mapping[str, Quantity]]) -> pl.DataFrame:
    """Every parameter of an experiment's models with unit, role and source; groups: section -> parameters."""
    found = {
        name if len(groups) == 1 else f"{name} ({group})": (group, quantity)
        for group, values in groups.items()
        for name, quantity in values.items()
    }
    return parameters.frame(found)
