"""What is read off the fitted turnover model and profiled: DC50s, Dmax, rates. Kernel on plain numbers.

The parameters are natural logarithms: vehicle, k_deg, k_max, ec50, slope, window (NO_HOOK without one), and
the levels of further membranes. Every quantity stands on a scale without ends, and can be held: one
parameter is solved for so that it keeps its value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EC50",
    "K_DEG",
    "K_MAX",
    "LONG",
    "NO_HOOK",
    "SHAPE",
    "SLOPE",
    "VEHICLE",
    "WINDOW",
    "Quantity",
    "dc50",
    "dmax",
    "observed",
    "own",
]

Floats = NDArray[np.float64]
VEHICLE, K_DEG, K_MAX, EC50, SLOPE, WINDOW = range(6)
# Log odds of the saturation beyond which doubles hold nothing more.
FAR = 600.0
NO_HOOK = FAR
SHAPE = 6
# Hours after which nothing changes any more: the steady state.
LONG = 1e12
STEP = 1e-5


@dataclass(frozen=True)
class Quantity:
    """One thing to profile.

    solved: the parameter that is solved for.   value: (theta) -> its value, NaN where it does not exist.
    name: what it is, with its time or dose.   is_parameter: whether it is that parameter itself.
    solve: (theta, value) -> what the solved parameter must be, NaN where nothing gives that value.
    """

    solved: int
    value: Callable[[Floats], float]
    solve: Callable[[Floats, float], float]
    name: tuple[str | float | None, ...]
    is_parameter: bool = False

    def gradient(self, theta: Floats) -> Floats:
        """Derivatives (p,) of the value by central differences."""
        found = np.zeros(theta.size)
        if self.is_parameter:
            found[self.solved] = 1.0
            return found
        for i in range(K_DEG, SHAPE):
            if theta[i] >= NO_HOOK:
                continue
            up, down = theta.copy(), theta.copy()
            up[i] += STEP
            down[i] -= STEP
            found[i] = (self.value(up) - self.value(down)) / (2.0 * STEP)
        return found


def own(index: int) -> Quantity:
    """A parameter itself."""
    return Quantity(
        index, lambda theta: float(theta[index]), lambda _, value: value, ("own", index), is_parameter=True
    )


def top(theta: Floats) -> float:
    """The greatest share of k_max that any dose reaches: 1 without a hook."""
    if theta[WINDOW] >= NO_HOOK:
        return 1.0
    half = math.exp(theta[SLOPE]) * theta[WINDOW] / 2.0
    return 1.0 / (1.0 + math.exp(-half)) ** 2


def loss(theta: Floats, share: float, time_h: float) -> float:
    """Loss at a share of k_max."""
    added = math.exp(min(theta[K_MAX], FAR)) * share
    rate = math.exp(min(theta[K_DEG], FAR)) + added
    return added / rate * -math.expm1(-rate * time_h)


def dmax(time_h: float) -> Quantity:
    """Log odds of the loss at the far plateau, or at the top of the hook, at a time."""

    def value(theta: Floats) -> float:
        return _odds(loss(theta, top(theta), time_h))

    def solve(theta: Floats, wanted: float) -> float:
        share, low, high, trial = top(theta), -60.0, 60.0, theta.copy()
        for _ in range(70):
            trial[K_MAX] = 0.5 * (low + high)
            if _odds(loss(trial, share, time_h)) < wanted:
                low = trial[K_MAX]
            else:
                high = trial[K_MAX]
        middle = 0.5 * (low + high)
        return middle if -59.0 < middle < 59.0 else math.nan

    return Quantity(K_MAX, value, solve, ("dmax", time_h))


def dc50(time_h: float, level: float | None = None) -> Quantity:
    """Natural logarithm of the dose with half of Dmax (level None), or with a loss of `level`, at a
    time."""

    def beyond_ec50(theta: Floats) -> float:
        most = top(theta)
        full = loss(theta, most, time_h)
        target = 0.5 * full if level is None else level
        if not target < full:
            return math.nan
        return _log_dose(theta, _share(theta, target, most, time_h)) - float(theta[EC50])

    def value(theta: Floats) -> float:
        return float(theta[EC50]) + beyond_ec50(theta)

    def solve(theta: Floats, wanted: float) -> float:
        return wanted - beyond_ec50(theta)

    return Quantity(EC50, value, solve, ("dc50", time_h, level))


def observed(dose_nm: float) -> Quantity:
    """Natural logarithm of k = k_deg + k_max x at a dose (infinite: at the top)."""

    def share(theta: Floats) -> float:
        if not math.isfinite(dose_nm):
            return top(theta)
        over = math.exp(theta[SLOPE]) * (math.log(dose_nm) - theta[EC50])
        found = _logistic(over)
        if theta[WINDOW] < NO_HOOK:
            found *= _logistic(math.exp(theta[SLOPE]) * theta[WINDOW] - over)
        return found

    def value(theta: Floats) -> float:
        return math.log(math.exp(theta[K_DEG]) + math.exp(theta[K_MAX]) * share(theta))

    def solve(theta: Floats, wanted: float) -> float:
        added = math.exp(min(wanted, FAR)) - math.exp(theta[K_DEG])
        return math.log(added / share(theta)) if added > 0.0 and share(theta) > 0.0 else math.nan

    return Quantity(K_MAX, value, solve, ("observed", dose_nm))


def _odds(share: float) -> float:
    if share <= 0.0:
        return -FAR
    return math.log(share) - math.log1p(-share) if share < 1.0 else FAR


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -FAR else 0.0


def _share(theta: Floats, target: float, most: float, time_h: float) -> float:
    """The share of k_max whose loss is `target`: Newton in the log of the share, kept in a bracket."""
    low, high = -FAR, math.log(most)
    k_deg, k_max = math.exp(theta[K_DEG]), math.exp(theta[K_MAX])
    at = min(max(math.log(target) + math.log(most), low), high)
    for _ in range(100):
        added = k_max * math.exp(at)
        rate = k_deg + added
        left = math.exp(-rate * time_h)
        found = (
            added / rate * (1.0 - left)
            if rate * time_h > 1e-5
            else added / rate * -math.expm1(-rate * time_h)
        )
        miss = found - target
        if miss < 0.0:
            low = at
        else:
            high = at
        steep = added * (k_deg / rate * -math.expm1(-rate * time_h) / rate + added / rate * time_h * left)
        step = at - miss / steep if steep > 0.0 else math.nan
        new = step if low < step < high else 0.5 * (low + high)
        if abs(new - at) < 1e-13:
            break
        at = new
    return math.exp(at)


def _log_dose(theta: Floats, share: float) -> float:
    """Log dose at a share of k_max, on the rising limb where there is a hook."""
    slope = math.exp(theta[SLOPE])
    if theta[WINDOW] >= NO_HOOK:
        return float(theta[EC50]) + _odds(share) / slope
    # u (1 - v) with z = (x/EC50)^s and w = window^s is z w / ((1 + z)(w + z)): a quadratic in z.
    w = math.exp(min(slope * theta[WINDOW], FAR))
    b = share * (1.0 + w) - w
    root = math.sqrt(max(b * b - 4.0 * share * share * w, 0.0))
    z = 2.0 * share * w / (-b + root)
    return float(theta[EC50]) + math.log(z) / slope
