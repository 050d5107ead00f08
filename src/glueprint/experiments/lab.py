"""What all experiments in culture share: wells with measurement error, curves read from them, panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint import curves
from glueprint.curves import Potency
from glueprint.experiments.cultures import Culture, Later
from glueprint.experiments.experiment import POINTS, Label, Reading
from glueprint.experiments.settings import MOST_NOISE_PERCENT, at_least, error_said
from glueprint.mechanism import Quantity, parameters
from glueprint.runs import streams

__all__ = [
    "Error",
    "decades",
    "dose_series",
    "doses",
    "errors",
    "grid",
    "model_line",
    "plateau",
    "points",
    "read_potency",
    "sources",
    "wells",
]

Floats = NDArray[np.float64]
# Points of a model line: enough for the switch of a bistable cell.
FINE = 241
PERCENT = 100.0


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


def errors(noise_percent: float, replicates: int, seed: int) -> Error:
    """Measurement error from settings. Raises InputError GP-L002."""
    return Error(
        at_least("noise_percent", noise_percent, 0.0, most=MOST_NOISE_PERCENT),
        int(at_least("replicates", replicates, 1, most=1000)),
        int(at_least("seed", seed, 0)),
    )


def wells(table: pl.DataFrame, columns: Sequence[str], error: Error, purpose: str) -> pl.DataFrame:
    """Every row `replicates` times, with a column replicate, each of `columns` with its own error."""
    lane = np.repeat(np.arange(table.height), error.replicates)
    replicate = np.tile(np.arange(1, error.replicates + 1), table.height)
    noisy = [
        pl.col(name) * pl.Series(error.factors(f"{purpose}/{name}", table.height).ravel()) for name in columns
    ]
    return table[lane].with_columns(pl.Series("replicate", replicate), *noisy)


def dose_series(
    cells: Culture,
    tested: Floats,
    hours: float,
    outputs: Sequence[str],
    values: Mapping[str, ArrayLike],
    *,
    error: Error,
    purpose: str,
    later: Later = (),
) -> pl.DataFrame:
    """Wells of a dilution series at one time: dose_nm, the outputs with their errors, replicate."""
    found = cells.at(tested, hours, outputs, values, later=later)
    return wells(pl.DataFrame({"dose_nm": tested, **found}), outputs, error, purpose)


def model_line(
    cells: Culture,
    tested: Floats,
    hours: float,
    name: str,
    values: Mapping[str, ArrayLike],
    *,
    later: Later = (),
) -> tuple[Floats, Floats]:
    """The model itself over the tested doses, for a smooth line: doses and one output."""
    fine = grid(tested)
    return fine, cells.at(fine, hours, [name], values, later=later)[name]


def read_potency(
    table: pl.DataFrame, y: str, *, kind: str = "IC50", level: float | None = None
) -> tuple[Potency, curves.Fits]:
    """The potency of one series as a lab reads it: a four-parameter curve through all its wells.

    table: columns dose_nm and `y`.   level: of vehicle for an absolute potency, None for the relative one.
    Vehicle is taken from the wells at dose 0.
    """
    control = float(table.filter(pl.col("dose_nm") == 0.0)[y].mean())  # type: ignore[arg-type]
    fits = curves.fit("4pl", table["dose_nm"].to_numpy(), table[y].to_numpy())
    if level is None:
        (found,) = curves.relative(fits, kind)  # type: ignore[arg-type]
    else:
        (found,) = curves.absolute(fits, level * control, kind, control=control)  # type: ignore[arg-type]
    return found, fits


def plateau(
    name: str, fits: curves.Fits, label: Label, *, unit: str, claims: tuple[str, ...] = ()
) -> Reading:
    """The far plateau of a fitted curve as a reading."""
    return Reading(name, float(fits.back[0]), unit, label, claims=claims, note="fitted far plateau")


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
