"""Likelihood of readings over dose and time, some of them limits, and its profile for any quantity. Kernel.

The deviance is n ln s^2 + sum (e/s)^2 - 2 sum ln Phi(z), with z how many s the curve lies inside a limit; s
is where it is least. Without limits this is n ln RSS, and the bounds below are those of the sum of squares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr
from scipy.stats import t as student

from glueprint.assays.degradation.quantities import SHAPE, Quantity
from glueprint.curves.models import Given, Model

__all__ = ["Fit", "Sample", "bounds", "minimise"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Signs = NDArray[np.int64]
STEPS = 100
# A step that promises less than this share of the deviance has arrived.
ENOUGH = 1e-9
# Where there are limits, curve and error take turns until a turn gains less than this of the deviance.
TURN = 1e-6
# Readings that agree to this are computed, not measured.
ROUNDING = 1e-12
# How near the root of the rise must come to that of its threshold.
CLOSE = 1e-4
ROUNDS = 40
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
        """The response (m,) and its derivatives (m, p) by the logarithms of the parameters (p,)."""
        count = len(self.model.parameters)
        natural = np.exp(theta[:count])
        given = Given(
            {"dose_nm": self.dose_nm[None], "time_h": self.time_h[None]}, np.ones((1, self.y.size), bool)
        )
        found, slopes = self.model.curve(natural[None], given)
        value, jacobian = found[0], np.zeros((self.y.size, theta.size))
        jacobian[:, :count] = slopes[0] * natural
        if theta.size > SHAPE:
            own = self.membrane[:, None] == np.arange(1, theta.size - SHAPE + 1)
            level = own @ theta[SHAPE:]
            if self.logarithm:
                value = value + level
                jacobian[:, SHAPE:] = own
            else:
                value = value * np.exp(level)
                jacobian[:, :count] *= np.exp(level)[:, None]
                jacobian[:, SHAPE:] = own * value[:, None]
        return value, jacobian

    def residuals(self, theta: Floats, sigma: float) -> tuple[Floats, Floats]:
        """Signed roots (m,) of each reading's part of the deviance at an error, and derivatives (m, p)."""
        value, jacobian = self.curve(theta)
        residual, slopes = (value - self.y) / sigma, jacobian / sigma
        held = np.flatnonzero(self.side)
        if held.size:
            inside = residual[held] * self.side[held]
            log_share = log_ndtr(inside)
            root = np.sqrt(np.maximum(-2.0 * log_share, 1e-30))
            with np.errstate(over="ignore", under="ignore"):
                hazard = np.exp(-0.5 * inside**2 - LOG_ROOT_TAU - log_share)
            slopes[held] *= (-self.side[held] * hazard / root)[:, None]
            residual[held] = root
        return residual, slopes


@dataclass(frozen=True)
class Fit:
    """Where the deviance is least: theta (p,), the error of a reading, and the deviance."""

    theta: Floats
    sigma: float
    deviance: float


def minimise(
    sample: Sample, theta: Floats, *, held: Quantity | None = None, wanted: float = 0.0, sigma: float = 0.0
) -> Fit:
    """The least deviance from a start (p,), with one quantity held at a value if asked.

    Returns `Fit`; its deviance is infinite where nothing gives that value.
    Source: Levenberg and Marquardt; the error by its own maximum, in turns, where there are limits.
    """
    start = theta.copy()
    if held is not None:
        start[held.solved] = held.solve(start, wanted)
        if not math.isfinite(start[held.solved]):
            return Fit(theta, sigma, math.inf)
    value = sample.side == 0
    if value.all():
        found, cost = _descend(sample, start, 1.0, held, wanted)
        spread = max(math.sqrt(cost / sample.y.size), ROUNDING)
        return Fit(found, spread, 2.0 * sample.y.size * math.log(spread) + sample.y.size)
    fit = Fit(start, sigma or _spread(sample, start, 1.0), math.inf)
    for _ in range(50):
        found, _cost = _descend(sample, fit.theta, fit.sigma, held, wanted)
        spread = _spread(sample, found, fit.sigma)
        now = Fit(found, spread, _deviance(sample, found, spread))
        if not now.deviance < fit.deviance - TURN:
            return now if now.deviance < fit.deviance else fit
        fit = now
    return fit


def bounds(
    sample: Sample, best: Fit, quantity: Quantity, ends: tuple[float, float], confidence: float
) -> tuple[float, float, float]:
    """Where the profile of a quantity crosses its threshold below and above, and a standard error.

    ends: values at which the search ends; a profile that has not crossed there is open (infinite).
    Returns low, high, error (half the width over the t quantile, by the curvature where open), NaN where
    unknown.
    Source: n ln(1 + t^2/dof), which is Bates and Watts 1988, section 6.1, doi 10.1002/9780470316757.
    """
    centre, dof = quantity.value(best.theta), sample.dof
    if dof < 1 or not math.isfinite(centre):
        return math.nan, math.nan, math.nan
    if best.sigma <= ROUNDING:
        return centre, centre, 0.0
    quantile = float(student.ppf(0.5 + 0.5 * confidence, dof))
    rise = sample.y.size * math.log1p(quantile**2 / dof)
    error = _curvature(sample, best, quantity)
    first = quantile * error if math.isfinite(error) and error > 0.0 else 0.1
    sides = [
        _cross(sample, best, quantity, (centre, sign * min(first, 3.0), end), rise)
        for sign, end in zip((-1.0, 1.0), ends, strict=True)
    ]
    if all(map(math.isfinite, sides)):
        error = (sides[1] - sides[0]) / (2.0 * quantile)
    return sides[0], sides[1], error


def _cross(
    sample: Sample, best: Fit, quantity: Quantity, place: tuple[float, float, float], rise: float
) -> float:
    """Outward until outside, then between, by the root of the rise, which is nearly linear."""
    centre, step, end = place
    sign = math.copysign(1.0, step)
    if sign * (end - centre) <= 0.0:
        return sign * math.inf
    near, near_height, near_fit = centre, -1.0, best
    far, far_height = sign * math.inf, math.inf
    at = centre + step
    for turn in range(ROUNDS):
        at = sign * min(sign * at, sign * end)
        fit = minimise(sample, near_fit.theta, held=quantity, wanted=at, sigma=near_fit.sigma)
        height = math.sqrt(max(fit.deviance - best.deviance, 0.0) / rise) - 1.0
        if abs(height) < CLOSE:
            return at
        if height > 0.0:
            far, far_height = at, height
        else:
            if at == end:
                return sign * math.inf
            near, near_height, near_fit = at, height, fit
        if math.isfinite(far):
            cut = (
                -near_height / (far_height - near_height)
                if math.isfinite(far_height) and turn % 5 != 4
                else 0.5
            )
            at = near + min(max(cut, 0.02), 0.98) * (far - near)
            if abs(far - near) < 1e-7:
                return at
        else:
            gone = at - centre
            at = centre + gone * min(max(1.02 / max(1.0 + near_height, 0.05), 1.2), 3.0)
    return near


def _descend(
    sample: Sample, theta: Floats, sigma: float, held: Quantity | None, wanted: float
) -> tuple[Floats, float]:
    residual, jacobian = sample.residuals(theta, sigma)
    cost, damping = float(residual @ residual), 1e-4
    for _ in range(STEPS):
        moving = sample.free.copy()
        slopes = jacobian
        if held is not None:
            moving[held.solved] = False
            gradient = held.gradient(theta)
            if not abs(gradient[held.solved]) > 0.0:
                return theta, math.inf
            slopes = jacobian - np.outer(jacobian[:, held.solved], gradient / gradient[held.solved])
        uphill = slopes.T @ residual
        stuck = ((theta <= sample.low) & (uphill > 0.0)) | ((theta >= sample.high) & (uphill < 0.0))
        index = np.flatnonzero(moving & ~stuck & np.isfinite(uphill))
        if index.size == 0 or not math.isfinite(cost):
            break
        square = slopes[:, index].T @ slopes[:, index]
        size = np.sqrt(np.maximum(square.diagonal(), 1e-300))
        square, pull = square / np.outer(size, size), uphill[index] / size
        while damping < 1e8:
            step = np.linalg.solve(square + damping * np.eye(index.size), -pull)
            trial = theta.copy()
            trial[index] += np.clip(step / size, -3.0, 3.0)
            trial[index] = np.clip(trial[index], sample.low[index], sample.high[index])
            if held is not None:
                trial[held.solved] = held.solve(trial, wanted)
            new, new_jacobian = (
                sample.residuals(trial, sigma) if np.isfinite(trial).all() else (residual, jacobian)
            )
            new_cost = float(new @ new) if np.isfinite(trial).all() else math.inf
            if new_cost <= cost:
                break
            damping *= 8.0
        else:
            break
        gain = cost - new_cost
        theta, residual, jacobian, cost = trial, new, new_jacobian, new_cost
        damping = max(damping / 10.0, 1e-12)
        if gain <= ENOUGH * cost:
            break
    return theta, cost


def _spread(sample: Sample, theta: Floats, guess: float) -> float:
    """The error of a reading (its maximum likelihood) at parameters."""
    value, _ = sample.curve(theta)
    miss = value - sample.y
    known = sample.side == 0
    squares, count = float(miss[known] @ miss[known]), int(known.sum())
    if count == 0:
        return guess
    inside = miss[~known] * sample.side[~known]

    def slope(log_sigma: float) -> float:
        sigma = math.exp(log_sigma)
        z = inside / sigma
        hazard = np.exp(-0.5 * z**2 - LOG_ROOT_TAU - log_ndtr(z))
        return count - squares / sigma**2 + float(hazard @ z)

    middle = 0.5 * math.log(max(squares / count, ROUNDING**2))
    low, high = middle - 1.0, middle + 1.0
    while slope(low) > 0.0 and low > -40.0:
        low -= 2.0
    while slope(high) < 0.0 and high < 40.0:
        high += 2.0
    if not slope(low) < 0.0 < slope(high):
        return math.exp(middle)
    return max(math.exp(float(brentq(slope, low, high, xtol=1e-12))), ROUNDING)


def _deviance(sample: Sample, theta: Floats, sigma: float) -> float:
    residual, _ = sample.residuals(theta, sigma)
    return float(residual @ residual) + 2.0 * int((sample.side == 0).sum()) * math.log(sigma)


def _curvature(sample: Sample, best: Fit, quantity: Quantity) -> float:
    """Standard error by the delta method; NaN where the readings do not tell the parameters apart."""
    _, jacobian = sample.residuals(best.theta, best.sigma)
    inner = sample.free & (best.theta > sample.low) & (best.theta < sample.high)
    gradient = quantity.gradient(best.theta)[inner]
    upper = jacobian[:, inner]
    try:
        covariance = np.linalg.inv(upper.T @ upper)
    except np.linalg.LinAlgError:
        return math.nan
    variance = float(gradient @ covariance @ gradient) * sample.y.size / max(sample.dof, 1)
    return math.sqrt(variance) if variance > 0.0 and math.isfinite(variance) else math.nan
