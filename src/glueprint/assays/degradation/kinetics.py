"""Turnover under a glue in closed form: fraction remaining, Dmax and DC50 at any time. Kernel: arrays in
and
out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError

__all__ = ["HALF", "Kinetics"]

Floats = NDArray[np.float64]
# Half of control, the level of the absolute DC50.
HALF = 0.5
# Enough for bisection to meet the last digit from any bracket of doubles.
HALVINGS = 200


@dataclass(frozen=True)
class Kinetics:
    """Natural turnover and the loss that a drug adds: dP/dt = k_syn - (k_deg + k_max x) P, x = C^h/(C^h +
    EC50^h).

    k_deg_per_h, k_max_per_h, ec50_nm, slope: above zero (k_max may be 0); the culture begins at its
    untreated steady state. Every method takes time_h, any shape, 0 to infinity.
    Raises InputError GP-A140 for numbers that cannot be.
    Source: own derivation, docs/degradation.md.
    """

    k_deg_per_h: float
    k_max_per_h: float
    ec50_nm: float
    slope: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least_allowed = value >= 0.0 if name == "k_max_per_h" else value > 0.0
            if not (np.isfinite(value) and least_allowed):
                raise InputError(
                    "GP-A140",
                    f"{value}",
                    where=name,
                    expected="a finite number above zero",
                    next_step="rates are per hour, concentrations in nM",
                )

    def saturation(self, dose_nm: ArrayLike) -> Floats:
        """x, the share of the greatest added rate, at doses in nM (0 to infinity)."""
        dose = np.asarray(dose_nm, dtype=float)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(1.0 / (1.0 + (self.ec50_nm / dose) ** self.slope))

    def observed_rate_per_h(self, dose_nm: ArrayLike) -> Floats:
        """k = k_deg + k_max x: how fast the new plateau is approached at a dose; neither k_deg nor
        k_max."""
        return np.asarray(self.k_deg_per_h + self.k_max_per_h * self.saturation(dose_nm))

    def plateau(self, dose_nm: ArrayLike) -> Floats:
        """F = k_deg / k: what remains in the end at a dose."""
        return np.asarray(self.k_deg_per_h / self.observed_rate_per_h(dose_nm))

    def remaining(self, dose_nm: ArrayLike, time_h: ArrayLike) -> Floats:
        """F + (1 - F) exp(-k t), a fraction of the untreated level."""
        return 1.0 - self._loss(self.saturation(dose_nm), np.asarray(time_h, dtype=float))

    def dmax(self, time_h: ArrayLike) -> Floats:
        """Loss at this time at an infinite dose; k_max / (k_deg + k_max) at an infinite time."""
        return self._loss(np.asarray(1.0), np.asarray(time_h, dtype=float))

    def relative_dc50_nm(self, time_h: ArrayLike) -> Floats:
        """Dose, nM, with half of the loss that an infinite dose shows at this time.

        EC50 (k_deg/(k_deg + k_max))^(1/h) at an infinite time, EC50 at time 0: it falls with time.
        """
        return self._dose(0.5 * self.dmax(time_h), np.asarray(time_h, dtype=float))

    def absolute_dc50_nm(self, time_h: ArrayLike, loss: float = HALF) -> Floats:
        """Dose, nM, at which `loss` of the untreated level is gone; NaN where no dose reaches it."""
        times = np.asarray(time_h, dtype=float)
        reached = self.dmax(times) > loss
        return np.where(reached, self._dose(np.where(reached, loss, 0.5 * self.dmax(times)), times), np.nan)

    def _loss(self, saturation: Floats, time_h: Floats) -> Floats:
        added = self.k_max_per_h * saturation
        rate = self.k_deg_per_h + added
        return np.asarray(added / rate * -np.expm1(-rate * time_h))

    def _dose(self, loss: Floats, time_h: Floats) -> Floats:
        """The dose of a loss, by bisection of the log odds of x, in which the loss is monotone."""
        shape = np.broadcast_shapes(loss.shape, time_h.shape)
        low, high = np.full(shape, -700.0), np.full(shape, 700.0)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            under = self._loss(1.0 / (1.0 + np.exp(-middle)), time_h) < loss
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        dose = self.ec50_nm * np.exp(0.5 * (low + high) / self.slope)
        # At time zero nothing is lost at any dose; the limit of the half dose is the EC50 of the rate.
        return np.where(time_h == 0.0, np.where(loss == 0.0, self.ec50_nm, np.nan), dose)
