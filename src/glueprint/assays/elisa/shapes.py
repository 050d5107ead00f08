"""Standard curves as shapes: response, derivatives and inverse of the logistic and the line. Kernel: arrays
only.

The logistic is y = back + (front - back) / (1 + K (x / ec50)^b)^f with K = 2^(1/f) - 1, so that `ec50` is the
true
half-way concentration for every asymmetry f; f = 1 is the four-parameter logistic.
The mirrored form puts the asymmetry at the other end, y = front + (back - front) / (1 + K (x / ec50)^-b)^f:
it is what the LL.5 of drc becomes on a rising curve, where its b is negative. The line is y = a + b x.
The power law y = a + k x^b is what the four-parameter logistic becomes when its upper plateau moves out of
sight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["FIVE", "FOUR", "LINE", "MIRRORED", "POWER", "SHAPES", "Shape"]

Floats = NDArray[np.float64]
LN10 = float(np.log(10.0))
LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Shape:
    """One family of standard curves.

    response: (theta (p,), x (n,)) -> y (n,).   gradient: -> dy/dtheta (n, p).   steepness: -> dy/dx (n,).
    inverse: (theta, y (n,)) -> x (n,), NaN at or beyond an asymptote.
    """

    name: str
    parameters: tuple[str, ...]
    response: Callable[[Floats, Floats], Floats]
    gradient: Callable[[Floats, Floats], Floats]
    steepness: Callable[[Floats, Floats], Floats]
    inverse: Callable[[Floats, Floats], Floats]


def _parts(theta: Floats) -> tuple[float, float, float, float, float]:
    """Front, back, ln ec50, slope and asymmetry; without a fifth parameter the asymmetry is 1."""
    front, back, log10_ec50, ln_slope = (float(value) for value in theta[:4])
    asymmetry = float(np.exp(theta[4])) if theta.size > 4 else 1.0
    return front, back, log10_ec50 * LN10, float(np.exp(ln_slope)), asymmetry


def _ln_k(asymmetry: float) -> float:
    return float(np.log(np.expm1(LN2 / asymmetry)))


def _ln_u(theta: Floats, x: Floats) -> Floats:
    """ln(K (x / ec50)^b); -inf at a concentration of zero, which is the front plateau exactly."""
    _, _, ln_ec50, slope, asymmetry = _parts(theta)
    with np.errstate(divide="ignore"):
        return np.asarray(_ln_k(asymmetry) + slope * (np.log(x) - ln_ec50))


def _response(theta: Floats, x: Floats) -> Floats:
    front, back, _, _, asymmetry = _parts(theta)
    share = np.exp(-asymmetry * np.logaddexp(0.0, _ln_u(theta, x)))
    return np.asarray(back + (front - back) * share)


def _gradient(theta: Floats, x: Floats) -> Floats:
    front, back, ln_ec50, slope, asymmetry = _parts(theta)
    ln_u = _ln_u(theta, x)
    grown = np.logaddexp(0.0, ln_u)
    share = np.exp(-asymmetry * grown)
    by_ln_u = -asymmetry * (front - back) * share * expit(ln_u)
    seen = x > 0.0
    distance = np.where(seen, np.log(np.where(seen, x, 1.0)) - ln_ec50, 0.0)
    columns = [share, 1.0 - share, -slope * LN10 * by_ln_u, slope * distance * by_ln_u]
    if theta.size > 4:
        ratio = LN2 / asymmetry
        ln_k_by_ln_f = -ratio * np.exp(ratio) / np.expm1(ratio)
        columns.append(by_ln_u * ln_k_by_ln_f - asymmetry * (front - back) * share * grown)
    return np.stack(columns, axis=1)


def _steepness(theta: Floats, x: Floats) -> Floats:
    front, back, _, slope, asymmetry = _parts(theta)
    ln_u = _ln_u(theta, x)
    by_ln_u = -asymmetry * (front - back) * np.exp(-asymmetry * np.logaddexp(0.0, ln_u)) * expit(ln_u)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(by_ln_u * slope / x)


def _inverse(theta: Floats, y: Floats) -> Floats:
    front, back, ln_ec50, slope, asymmetry = _parts(theta)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = (y - back) / (front - back)
        u = np.expm1(-np.log(np.where((share > 0.0) & (share < 1.0), share, np.nan)) / asymmetry)
        return np.asarray(np.exp(ln_ec50 + (np.log(u) - _ln_k(asymmetry)) / slope))


def _ln_v(theta: Floats, x: Floats) -> Floats:
    """ln(K (x / ec50)^-b); inf at a concentration of zero."""
    _, _, ln_ec50, slope, asymmetry = _parts(theta)
    with np.errstate(divide="ignore"):
        return np.asarray(_ln_k(asymmetry) - slope * (np.log(x) - ln_ec50))


def _mirrored_response(theta: Floats, x: Floats) -> Floats:
    front, back, _, _, asymmetry = _parts(theta)
    return np.asarray(front + (back - front) * np.exp(-asymmetry * np.logaddexp(0.0, _ln_v(theta, x))))


def _mirrored_gradient(theta: Floats, x: Floats) -> Floats:
    front, back, ln_ec50, slope, asymmetry = _parts(theta)
    seen = x > 0.0
    ln_v = _ln_v(theta, np.where(seen, x, 1.0))
    grown = np.logaddexp(0.0, ln_v)
    share = np.where(seen, np.exp(-asymmetry * grown), 0.0)
    by_ln_v = -asymmetry * (back - front) * share * expit(ln_v)
    distance = np.log(np.where(seen, x, 1.0)) - ln_ec50
    ratio = LN2 / asymmetry
    ln_k_by_ln_f = -ratio * np.exp(ratio) / np.expm1(ratio)
    by_ln_f = by_ln_v * ln_k_by_ln_f - asymmetry * (back - front) * share * grown
    return np.stack(
        [1.0 - share, share, slope * LN10 * by_ln_v, -slope * distance * by_ln_v, by_ln_f], axis=1
    )


def _mirrored_steepness(theta: Floats, x: Floats) -> Floats:
    front, back, _, slope, asymmetry = _parts(theta)
    ln_v = _ln_v(theta, x)
    by_ln_v = -asymmetry * (back - front) * np.exp(-asymmetry * np.logaddexp(0.0, ln_v)) * expit(ln_v)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-by_ln_v * slope / x)


def _mirrored_inverse(theta: Floats, y: Floats) -> Floats:
    front, back, ln_ec50, slope, asymmetry = _parts(theta)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = (y - front) / (back - front)
        v = np.expm1(-np.log(np.where((share > 0.0) & (share < 1.0), share, np.nan)) / asymmetry)
        return np.asarray(np.exp(ln_ec50 - (np.log(v) - _ln_k(asymmetry)) / slope))


def _line_gradient(_theta: Floats, x: Floats) -> Floats:
    return np.stack([np.ones_like(x), x], axis=1)


def _power_gradient(theta: Floats, x: Floats) -> Floats:
    power = np.exp(theta[2])
    seen = x > 0.0
    grown = np.where(seen, x, 0.0) ** power
    by_ln_power = theta[1] * grown * power * np.log(np.where(seen, x, 1.0))
    return np.stack([np.ones_like(x), grown, by_ln_power], axis=1)


def _power_steepness(theta: Floats, x: Floats) -> Floats:
    power = np.exp(theta[2])
    with np.errstate(divide="ignore"):
        return np.asarray(theta[1] * power * x ** (power - 1.0))


def _power_inverse(theta: Floats, y: Floats) -> Floats:
    grown = (y - theta[0]) / theta[1]
    return np.asarray(np.where(grown > 0.0, grown, np.nan) ** np.exp(-theta[2]))


FOUR = Shape("4pl", ("front", "back", "log10_ec50", "ln_slope"), _response, _gradient, _steepness, _inverse)
FIVE = Shape("5pl", (*FOUR.parameters, "ln_asymmetry"), _response, _gradient, _steepness, _inverse)
LINE = Shape(
    "linear",
    ("intercept", "slope"),
    lambda theta, x: theta[0] + theta[1] * x,
    _line_gradient,
    lambda theta, x: np.full_like(x, theta[1]),
    lambda theta, y: (y - theta[0]) / theta[1],
)
POWER = Shape(
    "power",
    ("front", "rate", "ln_power"),
    lambda theta, x: theta[0] + theta[1] * x ** np.exp(theta[2]),
    _power_gradient,
    _power_steepness,
    _power_inverse,
)
MIRRORED = Shape(
    "5pl-mirrored",
    FIVE.parameters,
    _mirrored_response,
    _mirrored_gradient,
    _mirrored_steepness,
    _mirrored_inverse,
)
SHAPES = {shape.name: shape for shape in (FOUR, FIVE, MIRRORED, LINE, POWER)}
