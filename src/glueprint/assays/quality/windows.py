"""Quality numbers of a plate from its control wells. Kernel: arrays in, numbers out; SD with n - 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError

__all__ = ["robust_z_prime", "ssmd", "z_prime"]

# Makes the median absolute deviation of a normal sample estimate its standard deviation: 1 / Phi^-1(3/4).
MAD_TO_SD = 1.482602218505602


def z_prime(positive: ArrayLike, negative: ArrayLike) -> float:
    """Z' = 1 - 3 (SDp + SDn) / |mean p - mean n|; above 0.5 an assay separates its controls well.

    positive, negative: (n,) and (m,) control wells in the same unit.
    Raises InputError GP-A008 for fewer than two wells of a kind, or controls that coincide.
    Source: Zhang, Chung and Oldenburg 1999, doi 10.1177/108705719900400206.
    """
    high, low = _controls(positive, negative)
    gap = _gap(float(np.mean(high) - np.mean(low)))
    return float(1.0 - 3.0 * (np.std(high, ddof=1) + np.std(low, ddof=1)) / abs(gap))


def robust_z_prime(positive: ArrayLike, negative: ArrayLike) -> float:
    """Z' with medians and scaled median absolute deviations, which one bad well cannot move; else as
    `z_prime`."""
    high, low = _controls(positive, negative)
    gap = _gap(float(np.median(high) - np.median(low)))
    return float(1.0 - 3.0 * (_mad(high) + _mad(low)) / abs(gap))


def ssmd(positive: ArrayLike, negative: ArrayLike) -> float:
    """Strictly standardised mean difference (mean p - mean n) / sqrt(SDp^2 + SDn^2), signed; else as
    `z_prime`.

    Source: Zhang 2007, doi 10.1016/j.ygeno.2006.12.014.
    """
    high, low = _controls(positive, negative)
    gap = _gap(float(np.mean(high) - np.mean(low)))
    spread = float(np.hypot(np.std(high, ddof=1), np.std(low, ddof=1)))
    return gap / spread if spread > 0.0 else float(np.copysign(np.inf, gap))


def _mad(values: NDArray[np.float64]) -> float:
    return float(MAD_TO_SD * np.median(np.abs(values - np.median(values))))


def _controls(positive: ArrayLike, negative: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    high, low = (np.asarray(values, dtype=float).ravel() for values in (positive, negative))
    for name, values in (("positive", high), ("negative", low)):
        if values.size < 2 or not np.isfinite(values).all():
            raise _refusal(
                f"{values.size} {name} control wells, {int(np.isfinite(values).sum())} with a value"
            )
    return high, low


def _gap(gap: float) -> float:
    if gap == 0.0:
        raise _refusal("positive and negative controls coincide")
    return gap


def _refusal(what: str) -> InputError:
    return InputError(
        "GP-A008",
        what,
        where="control wells",
        expected="at least two wells of each kind, all measured, with different means",
        next_step="leave out empty wells and check which wells are controls",
    )
