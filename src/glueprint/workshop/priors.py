"""What is believed of a parameter beforehand: densities, their slopes, and draws for starts.

Densities are those of PEtab: of the value itself, or, in version 1, of its scaled value; in version 2 cut at
the bounds and made whole again.   Source: petab.readthedocs.io, versions 1 and 2, "Prior distributions".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtri

__all__ = ["PARAMETERS", "Prior"]

Floats = NDArray[np.float64]
# How many numbers each distribution has.
PARAMETERS = {
    **dict.fromkeys(("uniform", "log-uniform", "normal", "laplace", "log-normal", "log-laplace"), 2),
    **{"cauchy": 2, "gamma": 2, "chisquare": 1, "exponential": 1, "rayleigh": 1},
}
WITH_LIMITS = ("uniform", "log-uniform")
# A Laplace density has a corner; its curvature is that of the parabola which touches it this near, in scales.
NEAREST = 1e-3


def _distribution(kind: str, a: float, b: float) -> Any:
    """That of scipy, for the part between bounds."""
    # It is slow to import, which priors without bounds need not pay.
    from scipy import stats

    whole: dict[str, Callable[[], Any]] = {
        "normal": lambda: stats.norm(a, b),
        "laplace": lambda: stats.laplace(a, b),
        "log-normal": lambda: stats.lognorm(b, scale=math.exp(a)),
        "log-laplace": lambda: stats.loglaplace(1.0 / b, scale=math.exp(a)),
        "cauchy": lambda: stats.cauchy(a, b),
        "gamma": lambda: stats.gamma(a, scale=b),
        "chisquare": lambda: stats.chi2(a),
        "exponential": lambda: stats.expon(scale=a),
        "rayleigh": lambda: stats.rayleigh(scale=a),
        "uniform": lambda: stats.uniform(a, b - a),
        "log-uniform": lambda: stats.loguniform(a, b),
    }
    return whole[kind]()


@dataclass(frozen=True)
class Prior:
    """A density.

    kind: of `PARAMETERS`.   first, second: limits of "uniform" and "log-uniform"; shape and scale of "gamma";
    degrees of freedom of "chisquare", scale of "exponential" and "rayleigh"; else location and scale (of the
    natural logarithm for "log-normal" and "log-laplace").   on_scale: whether it is one of the scaled value.
    bounds: of the value, at which the density is cut and made whole again; None leaves it as it is.
    """

    kind: str
    first: float
    second: float = 1.0
    on_scale: bool = False
    bounds: tuple[float, float] | None = None

    @property
    def is_usable(self) -> bool:
        """Whether its numbers make a density."""
        if not (math.isfinite(self.first) and math.isfinite(self.second)):
            return False
        if self.kind in WITH_LIMITS:
            return self.first < self.second and (self.kind == "uniform" or self.first > 0.0)
        if PARAMETERS[self.kind] == 1 or self.kind == "gamma":
            return self.first > 0.0 and self.second > 0.0
        return self.second > 0.0

    @cached_property
    def _log_mass(self) -> float:
        """Logarithm of the part between the bounds."""
        if self.bounds is None:
            return 0.0
        return float(np.log(np.diff(_distribution(self.kind, self.first, self.second).cdf(self.bounds))[0]))

    def cost(self, plain: Floats, scaled: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
        """Minus its logarithm, with slope and curvature (above 0) by the scaled value; (m,) each.

        plain, scaled: (m,) the parameter.   slope: (m,) d(plain)/d(scaled).
        """
        x, step = (scaled, np.ones_like(scaled)) if self.on_scale else (plain, slope)
        value, push, bend = self._whole(x, step)
        return value + self._log_mass, push, bend

    def _whole(self, x: Floats, step: Floats) -> tuple[Floats, Floats, Floats]:
        """As `cost`, of the density that is not cut.   step: d(x)/d(scaled value)."""
        if self.kind in WITH_LIMITS:
            outside, zero = (x < self.first) | (x > self.second), np.zeros_like(x)
            if self.kind == "uniform":
                return np.where(outside, np.inf, math.log(self.second - self.first)), zero, zero
            level = math.log(math.log(self.second / self.first))
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(outside, np.inf, np.log(x) + level), step / x, zero
        if self.kind in OTHERS:
            with np.errstate(divide="ignore", invalid="ignore"):
                value, push, bend = OTHERS[self.kind](x, self.first, self.second)
            return value, push * step, np.abs(bend) * step**2
        jacobian = jacobian_slope = np.zeros_like(x)
        if self.kind.startswith("log-"):  # the density of x, not of log x
            with np.errstate(divide="ignore", invalid="ignore"):
                jacobian, jacobian_slope, step, x = np.log(x), step / x, step / x, np.log(x)
        away = (x - self.first) / self.second
        if self.kind.endswith("normal"):
            value = 0.5 * away**2 + math.log(self.second * math.sqrt(2.0 * math.pi))
            push, bend = away / self.second, np.full_like(x, self.second**-2)
        else:
            value = np.abs(away) + math.log(2.0 * self.second)
            push = np.sign(away) / self.second
            bend = 1.0 / (self.second**2 * np.maximum(np.abs(away), NEAREST))
        return value + jacobian, push * step + jacobian_slope, bend * step**2

    def draw(self, uniform: Floats) -> Floats:
        """Values for uniform numbers in (0, 1): scaled ones where `on_scale`, else plain ones."""
        if self.kind == "uniform":
            return self.first + (self.second - self.first) * uniform
        if self.kind.endswith("normal"):
            x = self.first + self.second * ndtri(uniform)
        else:
            side = uniform - 0.5
            x = self.first - self.second * np.sign(side) * np.log1p(-2.0 * np.abs(side))
        return np.asarray(np.exp(x) if self.kind.startswith("log-") else x)


def _cauchy(x: Floats, location: float, scale: float) -> tuple[Floats, Floats, Floats]:
    z = (x - location) / scale
    wide = 1.0 + z**2
    return np.log(math.pi * scale * wide), 2.0 * z / (scale * wide), 2.0 / (scale**2 * wide)


def _gamma(x: Floats, shape: float, scale: float) -> tuple[Floats, Floats, Floats]:
    level = float(gammaln(shape)) + shape * math.log(scale)
    power = shape - 1.0
    return x / scale + level - power * np.log(x), 1.0 / scale - power / x, power / x**2


def _rayleigh(x: Floats, scale: float, _: float) -> tuple[Floats, Floats, Floats]:
    level = 2.0 * math.log(scale)
    return 0.5 * (x / scale) ** 2 + level - np.log(x), x / scale**2 - 1.0 / x, scale**-2 + x**-2


OTHERS: dict[str, Callable[[Floats, float, float], tuple[Floats, Floats, Floats]]] = {
    "cauchy": _cauchy,
    "gamma": _gamma,
    "chisquare": lambda x, degrees, _: _gamma(x, 0.5 * degrees, 2.0),
    "exponential": lambda x, scale, _: _gamma(x, 1.0, scale),
    "rayleigh": _rayleigh,
}
