"""Likelihood of readings over dose and time, some of them limits, and its profile for any quantity. Kernel.

The deviance is n ln s^2 + sum (e/s)^2 - 2 sum ln Phi(z), with z how many s the curve lies inside a limit; s
is where it is least. Without limits this is n ln RSS, and the bounds below are those of the sum of squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr, stdtrit

from glueprint.assays.degradation.quantities import SHAPE, Quantity
from glueprint.curves.descent import descend
from glueprint.curves.models import Given, Model
from glueprint.curves.profile import SHORT, profiles

__all__ = ["Fit", "Sample", "bounds", "minimise"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Signs = NDArray[np.int64]
Rows = NDArray[np.intp]
# A fit has arrived where a step promises less than the square of this share of the deviance.
ENOUGH = 3e-5
# Where there are limits, curve and error take turns until a turn gains less than this of the deviance.
TURN = 1e-6
# Readings that agree to this are computed, not measured.
ROUNDING = 1e-12
# How near the root of the rise must come to that of its threshold.
CLOSE = 1e-4
TURNS = 50
LOG_ROOT_TAU = 0.5 * math.log(2.0 * math.pi)


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

    def residuals(self, theta: Floats, sigma: Floats) -> tuple[Floats, Floats]:
        """Signed roots (k, m) of each reading's part of the deviance at errors (k,), and derivatives."""
        value, jacobian = self.curve(theta)
        residual, slopes = (value - self.y) / sigma[:, None], jacobian / sigma[:, None, None]
        held = np.flatnonzero(self.side)
        if held.size:
            inside = residual[:, held] * self.side[held]
            log_share = log_ndtr(inside)
            root = np.sqrt(np.maximum(-2.0 * log_share, 1e-30))
            hazard = np.exp(-0.5 * inside**2 - LOG_ROOT_TAU - log_share)
            slopes[:, held] *= (-self.side[held] * hazard / root)[..., None]
            residual[:, held] = root
        return residual, slopes


@dataclass(frozen=True)
class Fit:
    """Where the deviance is least: theta (p,), the error of a reading, and the deviance."""

    theta: Floats
    sigma: float
    deviance: float


def minimise(sample: Sample, theta: Floats, *, sigma: float = 0.0) -> Fit:
    """The least deviance from a start (p,); sigma: an error to begin with, where there are limits."""
    begun = np.array([sigma or _spread(sample, theta, 1.0)])
    found, error, deviance = _least(sample, theta[None], begun)
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
    # What is profiled stands before the parameters, and the logarithm of the error after them.
    place = np.tile(np.concatenate([[0.0], best.theta, [math.log(best.sigma)]]), (rows.size, 1))
    place[:, 0] = centres[rows]
    low, high = np.full(place.shape, -np.inf), np.full(place.shape, np.inf)
    low[:, 0], high[:, 0] = np.array([asked[row][1] for row in rows.tolist()]).T
    inverse = np.zeros((rows.size, place.shape[1], place.shape[1]))
    # The first step is the whole of it: the likelihood is nearly a parabola.
    inverse[:, 0, 0] = (first / SHORT) ** 2 / rise

    def refit(at: Floats, which: Rows, _: Rows) -> tuple[Floats, Floats, Flags]:
        held = [sought[i] for i in which.tolist()]
        theta, sigma, deviance = _least(sample, at[:, 1:-1], np.exp(at[:, -1]), held, at[:, 0])
        theta = np.column_stack([at[:, 0], theta, np.log(sigma)])
        return theta, deviance, np.zeros(which.size, bool)

    heights = np.tile([best.deviance, best.deviance + rise], (rows.size, 1))
    wanted = np.broadcast_to(np.arange(place.shape[1]) == 0, place.shape)
    sides = profiles(
        refit, place, wanted, (low, high), heights=heights, inverse=inverse, follow=False, close=CLOSE
    ).intervals[:, 0]
    width = (sides[:, 1] - sides[:, 0]) / (2.0 * quantile)
    found[rows] = np.column_stack([sides, np.where(np.isfinite(sides).all(axis=1), width, errors)])
    return found


def _least(
    sample: Sample, theta: Floats, sigma: Floats, held: Sequence[Quantity] = (), wanted: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """The least deviance from starts (k, p) and errors (k,), with one quantity each held at values (k,) if
    asked: theta, error and deviance, which is infinite where nothing gives that value.

    Source: the error by its own maximum likelihood, in turns with the curve where there are limits.
    """
    theta = _solved(theta, held, wanted)
    deviance = np.full(len(theta), np.inf)
    rows = np.flatnonzero(np.isfinite(theta).all(axis=1))
    for _ in range(1 if (sample.side == 0).all() else TURNS):
        if rows.size == 0:
            break
        own = [held[i] for i in rows.tolist()] if held else ()
        found = _descended(sample, theta[rows], sigma[rows], own, None if wanted is None else wanted[rows])
        spread = np.array(
            [_spread(sample, one, guess) for one, guess in zip(found, sigma[rows], strict=True)]
        )
        now = _deviance(sample, found, spread)
        lower = now < deviance[rows]
        going = now < deviance[rows] - TURN
        better = rows[lower]
        theta[better], sigma[better], deviance[better] = found[lower], spread[lower], now[lower]
        rows = rows[going]
    return theta, sigma, deviance


def _solved(theta: Floats, held: Sequence[Quantity], wanted: Floats | None) -> Floats:
    """Parameters (k, p) with one of them solved for, so that the quantity held keeps its value (k,)."""
    full = theta.copy()
    if wanted is not None:
        for one, quantity, value in zip(full, held, wanted, strict=True):
            one[quantity.solved] = quantity.solve(one, value)
    return full


def _descended(
    sample: Sample, theta: Floats, sigma: Floats, held: Sequence[Quantity], wanted: Floats | None
) -> Floats:
    """Parameters (k, p) of the least deviance at given errors (k,), with quantities held at values (k,).

    Residuals have their derivatives along the parameters that give a quantity its value.
    """
    every, solved = np.arange(len(theta)), np.array([quantity.solved for quantity in held], dtype=int)
    free = np.tile(sample.free, (len(theta), 1))
    if held:
        free[every, solved] = False

    def evaluate(part: Floats, rows: Rows) -> tuple[Floats, Floats]:
        own = [held[i] for i in rows.tolist()] if held else ()
        full = _solved(part, own, None if wanted is None else wanted[rows])
        with np.errstate(all="ignore"):
            residual, slopes = sample.residuals(full, sigma[rows])
            if held:
                # A step that leaves no solution, or no slope of the solved parameter, counts as uphill.
                k, at = np.arange(rows.size), solved[rows]
                sound = np.isfinite(full[k, at])
                gradient = np.array(
                    [q.gradient(one) if ok else one for q, one, ok in zip(own, full, sound, strict=True)]
                )
                pivot = gradient[k, at][:, None]
                slopes = slopes - slopes[k, :, at][..., None] * (gradient / pivot)[:, None]
                residual[~(sound & (np.abs(pivot[:, 0]) > 0.0))] = np.nan
        return residual, slopes

    limits = (np.tile(sample.low, (len(theta), 1)), np.tile(sample.high, (len(theta), 1)))
    size = np.square(sample.y).sum() / sigma**2
    end = descend(evaluate, theta, free, limits, size=size, tolerance=ENOUGH)
    return _solved(end.theta, held, wanted)


def _spread(sample: Sample, theta: Floats, guess: float) -> float:
    """The error of a reading (its maximum likelihood) at parameters (p,)."""
    with np.errstate(all="ignore"):
        miss = sample.curve(theta[None])[0][0] - sample.y
    known = sample.side == 0
    squares, count = float(miss[known] @ miss[known]), int(known.sum())
    if count == 0 or not math.isfinite(squares):
        return guess
    middle = 0.5 * math.log(max(squares / count, ROUNDING**2))
    if known.all():
        return max(math.exp(middle), ROUNDING)
    inside = miss[~known] * sample.side[~known]

    def slope(log_sigma: float) -> float:
        sigma = math.exp(log_sigma)
        z = inside / sigma
        hazard = np.exp(-0.5 * z**2 - LOG_ROOT_TAU - log_ndtr(z))
        return count - squares / sigma**2 + float(hazard @ z)

    low, high = middle - 1.0, middle + 1.0
    while slope(low) > 0.0 and low > -40.0:
        low -= 2.0
    while slope(high) < 0.0 and high < 40.0:
        high += 2.0
    if not slope(low) < 0.0 < slope(high):
        return math.exp(middle)
    return max(math.exp(float(brentq(slope, low, high, xtol=1e-12))), ROUNDING)


def _deviance(sample: Sample, theta: Floats, sigma: Floats) -> Floats:
    with np.errstate(all="ignore"):
        residual, _ = sample.residuals(theta, sigma)
        found = np.einsum("km,km->k", residual, residual) + 2.0 * int((sample.side == 0).sum()) * np.log(
            sigma
        )
    return np.where(np.isfinite(found), found, np.inf)


def _curvature(sample: Sample, best: Fit, quantity: Quantity) -> float:
    """Standard error by the delta method; NaN where the readings do not tell the parameters apart."""
    with np.errstate(all="ignore"):
        jacobian = sample.residuals(best.theta[None], np.array([best.sigma]))[1][0]
    inner = sample.free & (best.theta > sample.low) & (best.theta < sample.high)
    gradient = quantity.gradient(best.theta)[inner]
    upper = jacobian[:, inner]
    try:
        covariance = np.linalg.inv(upper.T @ upper)
    except np.linalg.LinAlgError:
        return math.nan
    variance = float(gradient @ covariance @ gradient) * sample.y.size / max(sample.dof, 1)
    return math.sqrt(variance) if variance > 0.0 and math.isfinite(variance) else math.nan
