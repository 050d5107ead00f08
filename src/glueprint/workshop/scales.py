"""The scales on which parameters are searched: as they are, or as their natural or decadic logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SCALES", "Scales"]

Floats = NDArray[np.float64]
# x = exp(factor z); a factor of 0 means x = z.
SCALES = {"lin": 0.0, "log": 1.0, "log10": math.log(10.0)}


@dataclass(frozen=True, eq=False)
class Scales:
    """Scales of several parameters.   factors: (p,), of `SCALES`."""

    factors: Floats

    @classmethod
    def of(cls, names: Sequence[str]) -> Scales:
        """Scales by their names in `SCALES`."""
        return cls(np.array([SCALES[name] for name in names], dtype=np.float64))

    def plain(self, scaled: ArrayLike) -> Floats:
        """Values (..., p) from their scaled ones."""
        z = np.asarray(scaled, dtype=np.float64)
        with np.errstate(over="ignore"):
            return np.where(
                self.factors == 0.0, z, np.exp(np.where(self.factors == 0.0, 0.0, self.factors * z))
            )

    def scaled(self, plain: ArrayLike) -> Floats:
        """Scaled values (..., p); minus infinity where a logarithm is asked of 0."""
        x = np.asarray(plain, dtype=np.float64)
        is_linear = self.factors == 0.0
        with np.errstate(divide="ignore"):
            logs = np.log(np.where(is_linear, 1.0, x))
        return np.where(is_linear, x, logs / np.where(is_linear, 1.0, self.factors))

    def slopes(self, plain: ArrayLike) -> Floats:
        """d(value)/d(scaled value), (..., p)."""
        return np.where(self.factors == 0.0, 1.0, self.factors * np.asarray(plain, dtype=np.float64))
