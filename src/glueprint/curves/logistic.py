"""The logistic dose-response curve and its derivatives, for a batch of curves. Kernel: arrays in, arrays out.

y(x) = back + (front - back) / (1 + (2^(1/f) - 1) (x / ec50)^slope)^f with slope, f > 0, so `front` is the
plateau without drug, `back` the plateau at infinite dose, whichever is higher, and y(ec50) lies half way
between them for every asymmetry f; f = 1 is the four-parameter logistic. A dose of zero is `front` exactly;
it never meets a logarithm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = [
    "BACK",
    "FRONT",
    "LN_ASYMMETRY",
    "LN_SLOPE",
    "LOG10_DOSE",
    "LOGARITHMS",
    "NAMES",
    "curve",
    "log10_shift",
    "shift_slopes",
]

NAMES = ("front", "back", "log10_dose", "ln_slope", "ln_asymmetry")
FRONT, BACK, LOG10_DOSE, LN_SLOPE, LN_ASYMMETRY = range(5)
# Parameters whose unit says something by itself: a step of 1 is a factor of 10 or of e.
LOGARITHMS = (LOG10_DOSE, LN_SLOPE, LN_ASYMMETRY)
LN10, LN2 = float(np.log(10.0)), float(np.log(2.0))

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]


def curve(theta: Floats, log10_dose: Floats) -> tuple[Floats, Floats]:
    """Responses y (n, m) and their derivatives (n, m, 5) with respect to the five parameters.

    theta: (n, 5) in the order of `NAMES`, `log10_dose` the log10 EC50.   log10_dose: (n, m), -inf for a dose
    of zero.
    Source: own derivation, docs/curves.md.
    """
    front, back, log10_half, ln_slope, ln_asymmetry = (theta[:, i, None] for i in range(5))
    slope, f = np.exp(ln_slope), np.exp(ln_asymmetry)
    t = slope * LN10 * (log10_dose - log10_half)
    z = t + np.log(np.expm1(LN2 / f))
    log_share = -np.logaddexp(0.0, z)
    in_front, in_back, beyond = np.exp(f * log_share), -np.expm1(f * log_share), expit(z)
    y = front * in_front + back * in_back  # exact at both plateaus
    bend = (front - back) * in_front * f * beyond
    jacobian = np.empty((*y.shape, 5))
    jacobian[..., FRONT] = in_front
    jacobian[..., BACK] = in_back
    jacobian[..., LOG10_DOSE] = bend * slope * LN10
    # At a dose of zero t is -inf and the bend 0; their product is 0.
    jacobian[..., LN_SLOPE] = -bend * np.where(np.isfinite(t), t, 0.0)
    pull = LN2 / f / -np.expm1(-LN2 / f)
    jacobian[..., LN_ASYMMETRY] = (front - back) * in_front * f * (log_share + beyond * pull)
    return y, jacobian


def log10_shift(theta: Floats, level: Floats) -> Floats:
    """How far beyond the EC50 a curve meets `level` (n,), in log10 dose (n,); NaN where it never does.

    Source: own derivation, docs/curves.md.
    """
    f = np.exp(theta[:, LN_ASYMMETRY])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = (theta[:, FRONT] - theta[:, BACK]) / (level - theta[:, BACK])
        odds = np.expm1(np.log(np.where(ratio > 1.0, ratio, np.nan)) / f)
        return np.asarray(np.log10(odds / np.expm1(LN2 / f)) * np.exp(-theta[:, LN_SLOPE]))


def shift_slopes(theta: Floats, level: Floats) -> Floats:
    """Derivatives (n, 5) of `log10_shift`.   Source: own derivation, docs/curves.md."""
    front, back, _, ln_slope, ln_asymmetry = theta.T
    f, per_log = np.exp(ln_asymmetry), np.exp(-ln_slope) / LN10
    slopes = np.zeros_like(theta)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log((front - back) / (level - back))
        by_log_ratio = per_log / (f * -np.expm1(-log_ratio / f))
        slopes[:, FRONT] = by_log_ratio / (front - back)
        slopes[:, BACK] = by_log_ratio * (front - level) / ((front - back) * (level - back))
        slopes[:, LN_SLOPE] = -log10_shift(theta, level)
        pull = LN2 / f / -np.expm1(-LN2 / f)
        slopes[:, LN_ASYMMETRY] = pull * per_log - log_ratio * by_log_ratio
    return slopes
