"""What is believed of a parameter before the fit, as a map from a standard normal number to its value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr, logit, ndtr, ndtri

from glueprint.mechanism import Quantity, believed

__all__ = ["Belief", "of_quantity", "verdict"]

Floats = NDArray[np.float64]
# Shares of the prior variance that data have to remove: half for a parameter that they set, a fifth for one
# that they inform and that the prior still sets.
IDENTIFIED, WEAKLY = 0.5, 0.2
Shape = Literal["lognormal", "logit-normal", "uniform", "half-normal", "fixed"]


@dataclass(frozen=True)
class Belief:
    """The prior of one parameter.

    shape: "lognormal" (middle: the median; spread: SD of log10), "logit-normal" (spread: SD of the logit),
    "uniform" (from middle to spread), "half-normal" (spread: its scale; middle 0) or "fixed" (at middle).
    source: where the prior stands.   why: what speaks for it.   evidence: ids behind the middle.
    """

    name: str
    unit: str
    shape: Shape
    middle: float
    spread: float
    source: str
    why: str = ""
    evidence: tuple[str, ...] = ()

    def value(self, z: Floats) -> Floats:
        """The parameter (n,) at standard normal z (n,): rising, and of this prior if z is standard normal."""
        if self.shape == "lognormal":
            # A wild proposal of a walker may overflow; infinite is then refused as out of reach.
            with np.errstate(over="ignore"):
                return np.asarray(self.middle * 10.0 ** (self.spread * z))
        if self.shape == "logit-normal":
            return np.asarray(expit(logit(self.middle) + self.spread * z))
        if self.shape == "uniform":
            return np.asarray(self.middle + (self.spread - self.middle) * ndtr(z))
        if self.shape == "half-normal":
            # 1 - (1 - Phi(z))/2 loses its digits where z is large; the mirrored tail keeps them.
            return np.asarray(-self.spread * ndtri(0.5 * np.exp(log_ndtr(-z))))
        return np.full(np.shape(z), self.middle)

    def standard(self, value: Floats) -> Floats:
        """The standard normal number (n,) of a value: the inverse of `value`."""
        if self.shape in ("lognormal", "logit-normal"):
            middle = self.scaled(np.asarray(self.middle))
            return np.asarray((self.scaled(value) - middle) / self.spread)
        if self.shape == "uniform":
            return np.asarray(ndtri((value - self.middle) / (self.spread - self.middle)))
        if self.shape == "half-normal":
            return np.asarray(-ndtri(2.0 * ndtr(-value / self.spread)))
        return np.zeros(np.shape(value))

    def scaled(self, value: Floats) -> Floats:
        """The value on the scale on which spreads are compared: log10, logit, or as it is."""
        if self.shape == "lognormal":
            return np.asarray(np.log10(value))
        if self.shape == "logit-normal":
            return np.asarray(logit(value))
        return np.asarray(value)

    @property
    def scale(self) -> str:
        """Name of the scale of `scaled`."""
        return {"lognormal": "log10", "logit-normal": "logit"}.get(self.shape, "linear")

    @property
    def sd(self) -> float:
        """Standard deviation on the scale of `scaled`."""
        if self.shape == "uniform":
            return abs(self.spread - self.middle) / math.sqrt(12.0)
        return self.spread * (math.sqrt(1.0 - 2.0 / math.pi) if self.shape == "half-normal" else 1.0)

    def quantiles(self, levels: Floats) -> Floats:
        """Values at probabilities (k,)."""
        return self.value(ndtri(levels))

    def __str__(self) -> str:
        if self.shape == "uniform":
            return f"uniform, {self.middle:g} to {self.spread:g}"
        if self.shape == "half-normal":
            return f"half-normal, scale {self.spread:g}"
        if self.shape == "fixed":
            return f"fixed at {self.middle:g}"
        unit = "log10" if self.shape == "lognormal" else "logit"
        return f"{self.shape}, median {self.middle:g}, SD {self.spread:g} {unit}"


def verdict(contraction: float) -> str:
    """What a contraction, the share of the prior variance that data removed, says of a parameter.

    Returns "identified" from half up, "weakly identified" from a fifth, else "not identified".

    >>> [verdict(learnt) for learnt in (0.9, 0.3, 0.1)]
    ['identified', 'weakly identified', 'not identified']
    """
    if contraction >= IDENTIFIED:
        return "identified"
    return "weakly identified" if contraction >= WEAKLY else "not identified"


def of_quantity(name: str, quantity: Quantity, source: str) -> Belief:
    """The belief that a parameter's own file states."""
    prior = believed(quantity)
    shape, why = prior.distribution, prior.why or quantity.why
    if prior.distribution == "lognormal":
        ends = quantity.typical, prior.sd_log10
    elif prior.distribution == "logit-normal":
        ends = quantity.typical, prior.sd_logit
    elif prior.distribution == "uniform":
        ends = prior.low, prior.high
    else:
        ends = quantity.typical, 0.0
    return Belief(name, quantity.unit, shape, *ends, source, why, quantity.evidence)
