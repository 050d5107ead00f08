"""The logistic dose-response curve and its derivatives, for a batch of curves. Kernel: arrays in, arrays out.

y(x) = back + (front - back) / (1 + (x / ec50)^slope) with slope > 0, so `front` is the plateau without
drug and `back`
the plateau at infinite dose, whichever is higher. A dose of zero is `front` exactly; it never meets a
logarithm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["BACK", "FRONT", "LN_SLOPE", "LOG10_DOSE", "NAMES", "curve", "log10_half", "residuals"]

NAMES = ("front", "back", "log10_dose", "ln_slope")
FRONT, BACK, LOG10_DOSE, LN_SLOPE = range(4)
LN10 = float(np.log(10.0))

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Evaluate = Callable[[Floats, Rows], tuple[Floats, Floats]]


def curve(theta: Floats, log10_dose: Floats, level: Floats | None = None) -> tuple[Floats, Floats]:
    """Responses and their derivatives with respect to the four parameters.

    theta: (n, 4) in the order of `NAMES`; `log10_dose` is the log10 EC50, or, where `level` is given, the
    log10 dose
    at which the response equals it.   log10_dose: (n, m), -inf for a dose of zero.   level: (n,) or None.
    Returns y (n, m) and J (n, m, 4), NaN in curves whose plateaus do not enclose the level.
    Source: own derivation, docs/curves.md.
    """
    front, back, _, ln_slope = (theta[:, i, None] for i in range(4))
    slope = np.exp(ln_slope)
    half = log10_half(theta, level)[:, None]
    t = slope * LN10 * (log10_dose - half)
    in_front, in_back = expit(-t), expit(t)
    y = back + (front - back) * in_front
    bend = (front - back) * in_front * in_back
    jacobian = np.empty((*y.shape, 4))
    jacobian[..., FRONT] = in_front
    jacobian[..., BACK] = in_back
    by_half = bend * slope * LN10
    jacobian[..., LOG10_DOSE] = by_half
    # At a dose of zero t is -inf and the bend 0; their product is 0.
    jacobian[..., LN_SLOPE] = -bend * np.where(np.isfinite(t), t, 0.0)
    if level is not None:
        target = level[:, None]
        per_log = 1.0 / (slope * LN10)
        jacobian[..., FRONT] -= by_half * per_log / (front - target)
        jacobian[..., BACK] -= by_half * per_log / (target - back)
        jacobian[..., LN_SLOPE] += by_half * (theta[:, LOG10_DOSE, None] - half)
    return y, jacobian


def log10_half(theta: Floats, level: Floats | None) -> Floats:
    """Log10 EC50 (n,) of curves whose third parameter is the log10 dose at response `level` (None: EC50
    itself).

    NaN where the plateaus do not enclose the level.   Source: own derivation, docs/curves.md.
    """
    if level is None:
        return np.asarray(theta[:, LOG10_DOSE])
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = (theta[:, FRONT] - level) / (level - theta[:, BACK])
        return np.where(
            odds > 0.0, theta[:, LOG10_DOSE] - np.log10(odds) * np.exp(-theta[:, LN_SLOPE]), np.nan
        )


def residuals(log10_dose: Floats, response: Floats, weights: Floats, level: Floats | None = None) -> Evaluate:
    """A function of (theta, rows) giving weighted residuals (k, m) and their Jacobian (k, m, 4) for
    `levenberg`.

    log10_dose, response, weights: (n, m); a missing point has weight 0 and any finite response.
    """
    root = np.sqrt(weights)

    def evaluate(theta: Floats, rows: Rows) -> tuple[Floats, Floats]:
        y, jacobian = curve(theta, log10_dose[rows], None if level is None else level[rows])
        scale = root[rows]
        return scale * (y - response[rows]), scale[..., None] * jacobian

    return evaluate
