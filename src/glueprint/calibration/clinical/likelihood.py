"""How far published summaries are from what a set of parameters gives, at the trials' real sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from glueprint.calibration.clinical.summaries import Summary, observed, spread_of_readings
from glueprint.calibration.score import log_median_error
from glueprint.inference import ResponseSurface
from glueprint.trials import MEDIAN, RATE, RATIO

__all__ = ["Likelihood", "rough_variance"]

Floats = NDArray[np.float64]
# What a simulation that failed costs: beyond anything a possible one does.
FAILED = 1e6


def rough_variance(summaries: Sequence[Summary]) -> Floats:
    """(q,) sampling variance of each summary by formula, before simulations tell it, with that of readings.

    Source: binomial on the log odds; exponential times for medians of holds, docs/calibration.md, "Score";
    Schoenfeld 1981, doi 10.1093/biomet/68.1.316, for hazard ratios, with an event of everybody in equal arms.
    """

    def variance(s: Summary) -> float:
        if s.kind == MEDIAN:
            return float(log_median_error(s.n) ** 2)
        if s.kind == RATIO:
            return 4.0 / s.n
        p = float(np.mean(s.readings)) / 100.0 if s.kind == RATE else 0.5
        return 1.0 / (s.n * p * (1.0 - p))

    return np.array([variance(s) for s in summaries]) + spread_of_readings(summaries)


def rough_cost(summaries: Sequence[Summary], simulated: Floats, z: Floats) -> Floats:
    """(n,) minus log posterior of simulated summaries (n, q) at coordinates (n, p), with `rough_variance`."""
    scores = (observed(summaries) - simulated) ** 2 / rough_variance(summaries)
    cost = 0.5 * scores.sum(axis=1) + 0.5 * (z**2).sum(axis=1)
    return np.where(np.isfinite(cost), cost, FAILED)


class Likelihood:
    """The synthetic likelihood of published summaries given a response surface of simulated ones."""

    def __init__(self, summaries: Sequence[Summary], surface: ResponseSurface, design: Floats) -> None:
        """design: (n, p) where the surface is used; its own variance is averaged over them."""
        self._surface, self._observed = surface, observed(summaries)
        own = surface.variance(design).mean(axis=0)
        covariance = surface.covariance + np.diag(spread_of_readings(summaries) + own)
        trial = np.array([s.trial for s in summaries])
        # Trials do not know of each other: what is left between them is the noise of few simulations.
        self.covariance = np.where(trial[:, None] == trial[None, :], covariance, 0.0)
        self._factor = cho_factor(self.covariance, lower=True)
        self._log_determinant = 2.0 * float(np.log(np.diag(self._factor[0])).sum())

    def misfit(self, z: Floats) -> Floats:
        """(n,) squared distance of the published summaries from the expected ones, in sampling units."""
        residual = self._observed - self._surface.mean(z)
        return np.asarray(np.einsum("nq,nq->n", residual, cho_solve(self._factor, residual.T).T))

    def log_likelihood(self, z: Floats) -> Floats:
        """(n,) logarithm of the density of the published summaries, on the scale of the fit."""
        constant = self._observed.size * np.log(2.0 * np.pi) + self._log_determinant
        return np.asarray(-0.5 * (self.misfit(z) + constant))

    def minus_log_posterior(self, z: Floats) -> Floats:
        """(n,) minus log density of coordinates (n, p), up to a constant."""
        return np.asarray(0.5 * self.misfit(z) + 0.5 * (z**2).sum(axis=1))
