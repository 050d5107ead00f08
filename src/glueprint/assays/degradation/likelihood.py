"""Likelihood of readings over dose and time, some of them limits, and its profile for any quantity. Kernel.

The deviance is that of `curves.between`. Without limits it is n ln RSS, and the bounds below are those of the
sum of squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from glueprint.assays.degradation.quantities import SHAPE, Quantity
from glueprint.curves.between import Between, least
from glueprint.curves.models import Given, Model
from glueprint.curves.profile import SHORT, profiles

__all__ = ["Fit", "Sample", "bounds", "minimise"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Signs = NDArray[np.int64]
Rows = NDArray[np.intp]
# A fit has arrived where a step promises less than the square of this share of the deviance.
ENOUGH = 3e-5
# Readings that agree to this are computed, not measured.
ROUNDING = 1e-12
# How near the root of the rise must come to that of its threshold.
CLOSE = 1e-4


@dataclass(frozen=True)
class Sample:
    """What was measured in one experiment.

    dose_nm, time_h, y: (m,) with y a fraction remaining or its natural logarithm, as the model has it.
    side: (m,) 0 a value, -1 the truth is below y, 1 above.
    membrane: (m,) 0 for the first, whose level is `vehicle`; others have a factor of their own, the last
    parameters.
    free, low, high: (p,) which parameters are fitted, and ends of their natural logarithms.
    """

    model: Model
    dose_nm: Floats
    time_h: Floats
    y: Floats
    side: Signs
    membrane: Signs
    logarithm: bool
    free: Flags
    low: Floats
    high: Floats

    @property
    def dof(self) -> int:
        """Readings less parameters."""
        return int(self.y.size - self.free.sum())

    def curve(self, theta: Floats) -> tuple[Floats, Floats]:
        """The response (k, m) and its derivatives (k, m, p) by the logarithms of the parameters (k, p)."""
        count, shape = len(self.model.parameters), (theta.shape[0], self.y.size)
        natural = np.exp(theta[:, :count])
        inputs = {"dose_nm": self.dose_nm, "time_h": self.time_h}
        given = Given({name: np.broadcast_to(x, shape) for name, x in inputs.items()}, np.ones(shape, bool))
        value, slopes = self.model.curve(natural, given)
        jacobian = np.zeros((*shape, theta.shape[1]))
        jacobian[..., :count] = slopes * natural[:, None]
        if theta.shape[1] > SHAPE:
            own = self.membrane[:, None] == np.arange(1, theta.shape[1] - SHAPE + 1)
            level = theta[:, SHAPE:] @ own.T
            if self.logarithm:
                value = value + level
                jacobian[..., SHAPE:] = own
            else:
                value = value * np.exp(level)
                jacobian[..., :count] *= np.exp(level)[..., None]
                jacobian[..., SHAPE:] = own * value[..., None]
        return value, jacobian

    def readings(self, count: int) -> Between:
        """The readings as those of `count` curves."""
        low, high = np.where(self.side < 0, -np.inf, self.y), np.where(self.side > 0, np.inf, self.y)
        low, high = (np.broadcast_to(end, (count, self.y.size)) for end in (low, high))
        return Between(low, high, np.ones((count, self.y.size)), np.ones(count))


@dataclass(frozen=True)
class Fit:
    """Where the deviance is least: theta (p,), the error of a reading, and the deviance."""

    theta: Floats
    sigma: float
    deviance: float


def minimise(sample: Sample, theta: Floats) -> Fit:
    """The least deviance from a start (p,)."""
    found, error, deviance = _least(sample, theta[None])
    return Fit(found[0], float(error[0]), float(deviance[0]))


def bounds(
    sample: Sample, best: Fit, asked: Sequence[tuple[Quantity, tuple[float, float]]], confidence: float
) -> Floats:
    """Where the profile of each quantity crosses its threshold below and above, and a standard error (q, 3).

    asked: quantities with the values at which the search ends; a profile that has not crossed there is open
    (infinite). All are sought at once: a descent of many costs hardly more than one.
    Returns low, high, error (half the width over the t quantile, by the curvature where open), NaN where
    unknown.
    Source: n ln(1 + t^2/dof), which is Bates and Watts 1988, section 6.1, doi 10.1002/9780470316757.
    """
    found, dof = np.full((len(asked), 3), np.nan), sample.dof
    centres = np.array([quantity.value(best.theta) for quantity, _ in asked])
    rows = np.flatnonzero(np.isfinite(centres))
    if dof < 1 or rows.size == 0:
        return found
    if best.sigma <= ROUNDING:
        found[rows] = np.column_stack([centres[rows], centres[rows], np.zeros(rows.size)])
        return found
    sought = [asked[row][0] for row in rows.tolist()]
    quantile = float(stdtrit(dof, 0.5 + 0.5 * confidence))
    rise = sample.y.size * math.log1p(quantile**2 / dof)
    errors = np.array([_curvature(sample, best, quantity) for quantity in sought])
    first = np.where(errors > 0.0, np.minimum(quantile * errors, 3.0), 0.1)
    # What is profiled stands before the parameters.
    place = np.tile(np.append(0.0, best.theta), (rows.size, 1))
    place[:, 0] = centres[rows]
    low, high = np.full(place.shape, -np.inf), np.full(place.shape, np.inf)
    low[:, 0], high[:, 0] = np.array([asked[row][1] for row in rows.tolist()]).T
    inverse = np.zeros((rows.size, place.shape[1], place.shape[1]))
    # The first step is the whole of it: the likelihood is nearly a parabola.
    inverse[:, 0, 0] = (first / SHORT) ** 2 / rise

    def refit(at: Floats, which: Rows, _: Rows) -> tuple[Floats, Floats, Flags]:
        held = [sought[i] for i in which.tolist()]
        theta, _sigma, deviance = _least(sample, at[:, 1:], held, at[:, 0])
        return np.column_stack([at[:, 0], theta]), deviance, np.zeros(which.size, bool)

    heights = np.tile([best.deviance, best.deviance + rise], (rows.size, 1))
    wanted = np.broadcast_to(np.arange(place.shape[1]) == 0, place.shape)
    sides = profiles(
        refit, place, wanted, (low, high), heights=heights, inverse=inverse, follow=False, close=CLOSE
    ).intervals[:, 0]
    width = (sides[:, 1] - sides[:, 0]) / (2.0 * quantile)
    found[rows] = np.column_stack([sides, np.where(np.isfinite(sides).all(axis=1), width, errors)])
    return found


def _least(
    sample: Sample, theta: Floats, held: Sequence[Quantity] = (), wanted: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """The least deviance from starts (k, p), with one quantity each held at values (k,) if asked: theta,
    error and deviance, which is infinite where nothing gives that value.

    The curve has its derivatives along the parameters that give a quantity its value.
    """
    count = len(theta)
    every, solved = np.arange(count), np.array([quantity.solved for quantity in held], dtype=int)
    free = np.tile(sample.free, (count, 1))
    if held:
        free[every, solved] = False

    def curve(part: Floats, rows: Rows) -> tuple[Floats, Floats]:
        own = [held[i] for i in rows.tolist()] if held else ()
        full = _solved(part, own, None if wanted is None else wanted[rows])
        with np.errstate(all="ignore"):
            value, slopes = sample.curve(full)
            if held:
                # A step that leaves no solution, or no slope of the solved parameter, counts as uphill.
                k, at = np.arange(rows.size), solved[rows]
                sound = np.isfinite(full[k, at])
                gradient = np.array(
                    [q.gradient(one) if ok else one for q, one, ok in zip(own, full, sound, strict=True)]
                )
                pivot = gradient[k, at][:, None]
                slopes = slopes - slopes[k, :, at][..., None] * (gradient / pivot)[:, None]
                value[~(sound & (np.abs(pivot[:, 0]) > 0.0))] = np.nan
        return value, slopes

    limits = (np.tile(sample.low, (count, 1)), np.tile(sample.high, (count, 1)))
    size, given = np.full(count, np.square(sample.y).sum()), sample.readings(count)
    end = least(curve, given, _solved(theta, held, wanted), free, limits, size, tolerance=ENOUGH)
    value = curve(end.theta, every)[0]
    sigma = given.spread(value)
    return _solved(end.theta, held, wanted), sigma, given.deviance(value, sigma)


def _solved(theta: Floats, held: Sequence[Quantity], wanted: Floats | None) -> Floats:
    """Parameters (k, p) with one of them solved for, so that the quantity held keeps its value (k,)."""
    full = theta.copy()
    if wanted is not None:
        for one, quantity, value in zip(full, held, wanted, strict=True):
            one[quantity.solved] = quantity.solve(one, value)
    return full


def _curvature(sample: Sample, best: Fit, quantity: Quantity) -> float:
    """Standard error by the delta method; NaN where the readings do not tell the parameters apart."""
    with np.errstate(all="ignore"):
        curve = sample.curve(best.theta[None])
        jacobian = sample.readings(1).residuals(*curve, np.array([best.sigma]))[1][0]
    inner = sample.free & (best.theta > sample.low) & (best.theta < sample.high)
    gradient = quantity.gradient(best.theta)[inner]
    upper = jacobian[:, inner]
    try:
        covariance = np.linalg.inv(upper.T @ upper)
    except np.linalg.LinAlgError:
        return math.nan
    variance = float(gradient @ covariance @ gradient) * sample.y.size / max(sample.dof, 1)
    return math.sqrt(variance) if variance > 0.0 and math.isfinite(variance) else math.nan
