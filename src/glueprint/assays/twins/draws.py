"""Random numbers of a twin: one stream a purpose, so that a new source of noise moves no other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.runs import streams

__all__ = ["Draws"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """The streams of one simulated experiment."""

    seed: int
    protocol: str
    experiment: int = 0

    def normal(self, purpose: str, count: int) -> Floats:
        """(count,) standard normal numbers."""
        return streams.normals(self.seed, f"twin {self.protocol} {purpose}", self.experiment, count).ravel()

    def factors(self, purpose: str, count: int, cv: float) -> Floats:
        """(count,) log-normal factors of median 1 and a coefficient of variation.

        Source: sd^2 of the logarithm = ln(1 + CV^2).
        """
        return np.asarray(np.exp(np.sqrt(np.log1p(cv * cv)) * self.normal(purpose, count)))

    def uniform(self, purpose: str, count: int) -> Floats:
        """(count,) numbers between 0 and 1."""
        return streams.uniforms(self.seed, f"twin {self.protocol} {purpose}", self.experiment, count).ravel()

    def counted(self, purpose: str, expected: Floats, gain: float) -> Floats:
        """Counts (any shape) of light of which `expected` are expected, `gain` counts a photon.

        Photons are Poisson; so many of them are as good as normal. Whole numbers, none below zero.
        """
        light = np.maximum(expected, 0.0)
        noise = np.sqrt(gain * light).ravel() * self.normal(purpose, light.size)
        return np.asarray(np.maximum(np.round(light + noise.reshape(light.shape)), 0.0))
