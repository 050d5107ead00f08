"""What is believed of a parameter beforehand: densities, their slopes, and draws for starts.

Densities are those of PEtab 1: of the value itself, or of its scaled value where the name begins with
"scaled".   Source: petab.readthedocs.io, version 1, "Prior distributions".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["KINDS", "Prior"]

Floats = NDArray[np.float64]
KINDS = ("uniform", "normal", "laplace", "log-normal", "log-laplace")
# A Laplace density has a corner; its curvature is that of the parabola which touches it this near, in scales.
NEAREST = 1e-3


@dataclass(frozen=True)
class Prior:
    """A density.

    kind: of `KINDS`.   first, second: limits of a uniform one, else location and scale (of the natural
    logarithm for "log-normal" and "log-laplace").   on_scale: whether it is one of the scaled value.
    """

    kind: str
    first: float
    second: float
    on_scale: bool = False

    def cost(self, plain: Floats, scaled: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
        """Minus its logarithm, with slope and curvature (above 0) by the scaled value; (m,) each.

        plain, scaled: (m,) the parameter.   slope: (m,) d(plain)/d(scaled).
        """
        x, step = (scaled, np.ones_like(scaled)) if self.on_scale else (plain, slope)
        if self.kind == "uniform":
            outside = (x < self.first) | (x > self.second)
            level = math.log(self.second - self.first)
            zero = np.zeros_like(x)
            return np.where(outside, np.inf, level), zero, zero
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
