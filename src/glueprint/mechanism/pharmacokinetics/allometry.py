"""Allometry: one pharmacokinetic parameter of several species as a power of body weight.

Kernel: numbers in, numbers out. Source: Boxenbaum 1982, J Pharmacokinet Biopharm 10:201.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["PowerLaw", "along_a_fixed_exponent", "correction_of", "life_span_y", "power_law"]

# Rule of exponents: Mahmood and Balian 1996, Xenobiotica 26:887.
LIFE_SPAN_FROM, BRAIN_FROM = 0.71, 1.0


@dataclass(frozen=True)
class PowerLaw:
    """value = coefficient x weight^exponent, fitted on logarithms by least squares.

    residual_sd: of the decimal logarithms about the line, n - 2 degrees of freedom.
    """

    coefficient: float
    exponent: float
    residual_sd: float
    count: int
    mean_log_weight: float
    sum_of_squares: float

    def at(self, weight_kg: float) -> float:
        """The value at a body weight."""
        return float(self.coefficient * weight_kg**self.exponent)

    def sd_log10_at(self, weight_kg: float) -> float:
        """Standard error of the decimal logarithm of one further species at a body weight."""
        distance = np.log10(weight_kg) - self.mean_log_weight
        leverage = 1.0 + 1.0 / self.count + distance**2 / self.sum_of_squares
        return float(self.residual_sd * np.sqrt(leverage))


def power_law(weights_kg: Sequence[float], values: Sequence[float]) -> PowerLaw:
    """The power law through at least three species.

    weights_kg, values: (n,), all above zero, not all weights alike.
    Source: linear regression of log10 value on log10 weight.
    """
    x, y = np.log10(weights_kg), np.log10(values)
    mean, squares = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    exponent = float(((x - mean) * y).sum() / squares)
    intercept = float(y.mean() - exponent * mean)
    residuals = y - intercept - exponent * x
    scatter = float(np.sqrt((residuals**2).sum() / (len(x) - 2)))
    return PowerLaw(10.0**intercept, exponent, scatter, len(x), mean, squares)


def along_a_fixed_exponent(
    weights_kg: Sequence[float], values: Sequence[float], exponent: float, weight_kg: float
) -> tuple[float, float]:
    """The value at `weight_kg` if the exponent is known, and the species' SD about it.

    weights_kg, values: (n,).   Returns the geometric mean of what each species gives, and the SD of the
    decimal logarithms, 0 for one species.
    """
    x, y = np.log10(weights_kg), np.log10(values)
    each = y + exponent * (np.log10(weight_kg) - x)
    spread = float(each.std(ddof=1)) if each.size > 1 else 0.0
    return float(10.0 ** each.mean()), spread


def correction_of(exponent: float) -> str:
    """What clearance is multiplied by before it is scaled: "none", "life span" or "brain weight".

    Source: rule of exponents, Mahmood and Balian 1996.
    """
    if exponent < LIFE_SPAN_FROM:
        return "none"
    return "life span" if exponent < BRAIN_FROM else "brain weight"


def life_span_y(brain_kg: float, weight_kg: float) -> float:
    """Maximum life-span potential in years.

    Source: Sacher 1959, as in Mahmood and Balian 1996: 185.4 brain^0.636 weight^-0.225; a brain of 1.53 kg
    and a body of 70 kg give the 93.4 years that are used for people.
    """
    return float(185.4 * brain_kg**0.636 * weight_kg**-0.225)
