"""How the variance of a signal grows with its mean, from replicate wells. Kernel: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from glueprint.assays.elisa.shapes import Floats

__all__ = ["LEAST_DEGREES", "MOST_POWER", "Power", "fit_power", "pooled"]

# Constant variance is power 0, constant CV is 2; steeper growth is not seen in absorbance or fluorescence.
MOST_POWER = 2.0
# Fewer degrees of freedom between replicates say nothing about a power.
LEAST_DEGREES = 5


@dataclass(frozen=True)
class Power:
    """var(y) = scale mean^power; degrees: of freedom between replicates; groups: of replicates used."""

    power: float
    scale: float
    degrees: int
    groups: int


def fit_power(signal: Floats, group: Floats) -> Power | None:
    """The variance power of highest likelihood, given replicate wells.

    signal: (n,) any unit.   group: (n,) an integer a well; wells of one number are replicates.
    Returns `Power`, or None with fewer than `LEAST_DEGREES` degrees of freedom, or no scatter at all. Groups
    with a
    mean of zero or less have no place on a power law and are left out.
    Source: within-group variances are scaled chi-square (gamma) variables; likelihood after Davidian and
    Carroll
    1987, doi 10.1080/01621459.1987.10478543, own derivation in docs/elisa.md.
    """
    mean, squares, degrees = pooled(signal, group)
    used = (degrees > 0) & (mean > 0.0)
    mean, squares, degrees = mean[used], squares[used], degrees[used]
    total = float(degrees.sum())
    if total < LEAST_DEGREES or not squares.sum() > 0.0:
        return None
    log_mean = np.log(mean)
    log_mean = log_mean - log_mean.mean()

    def scale_at(power: float) -> float:
        return float(np.sum(squares * np.exp(-power * log_mean)) / total)

    def deviance(power: float) -> float:
        return float(np.sum(degrees * (np.log(scale_at(power)) + power * log_mean)))

    found = minimize_scalar(deviance, bounds=(0.0, MOST_POWER), method="bounded", options={"xatol": 1e-6})
    power = min((0.0, float(found.x), MOST_POWER), key=deviance)
    scale = float(np.sum(squares / mean**power) / total)
    return Power(power, scale, int(total), int(used.sum()))


def pooled(signal: Floats, group: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, sum of squares about it and degrees of freedom of every group of replicates, each (groups,)."""
    _, index = np.unique(group, return_inverse=True)
    count = np.bincount(index).astype(np.float64)
    mean = np.bincount(index, signal) / count
    squares: Floats = np.bincount(index, (signal - mean[index]) ** 2).astype(np.float64)
    return mean, squares, count - 1.0
