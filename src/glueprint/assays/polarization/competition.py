"""Ki from competition curves, with every stated uncertainty in the fit. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.polarization import model, penalised
from glueprint.assays.polarization.model import LN_PROTEIN, LOG10_KI
from glueprint.assays.polarization.penalised import Estimates
from glueprint.curves.problem import Problem

__all__ = ["Curves", "fit", "floor"]

Floats = NDArray[np.float64]

# The Ki is sought between this far below the protein and this far above the highest dose, in decades.
DECADES_BELOW, DECADES_ABOVE = 5.0, 3.0
FLOOR_POINTS = 33


@dataclass(frozen=True)
class Curves:
    """A batch of competition curves, each with its own controls; unit of concentration nM.

    dose: (n, m) total competitor, infinite for tracer without protein, 0 for tracer with protein alone.
    anisotropy: (n, m), NaN where nothing was measured.
    stated: (n, 4) natural logarithms of protein, tracer Kd, tracer and intensity ratio (protein over none).
    stated_sd: (n, 4) their standard deviations, 0 for exact.
    """

    dose: Floats
    anisotropy: Floats
    stated: Floats
    stated_sd: Floats

    def problem(self) -> Problem:
        """The curves as the kernel of the fit takes them."""
        measured = np.isfinite(self.anisotropy) & np.isfinite(self.dose)
        highest = np.where(measured, self.dose, 0.0).max(axis=1)
        protein = self.stated[:, 0] / model.LN_10
        high = np.maximum(np.log10(np.maximum(highest, 1e-300)), protein) + DECADES_ABOVE
        data, stated = (self.dose, self.anisotropy), (self.stated, self.stated_sd)
        return penalised.problem_of(model.anisotropy, data, stated, (protein - DECADES_BELOW, high))


def fit(curves: Curves, *, confidence: float = 0.95) -> Estimates:
    """Fit Ki, both plateaus and, within what is stated about them, protein, tracer, tracer Kd and brightness.

    curves: every one with at least five points.   confidence: of the profile interval.
    Returns `Estimates`, parameters in the order of `model.NAMES`.
    Source: `model.anisotropy` through `penalised.fit`; coverage: benchmarks/polarization_coverage.py.
    """
    return penalised.fit(curves.problem(), confidence=confidence)


def floor(curves: Curves, estimates: Estimates) -> Floats:
    """The log10 Ki (n,) below which these plates would on average give only a limit; NaN where none is met.

    Computed curves of rising Ki are fitted with a Ki of (nearly) zero, the stated numbers free within their
    statement; the floor is where that misfit first reaches the threshold of the interval.
    Source: own derivation, docs/polarization.md.
    """
    rises = np.sqrt(penalised.threshold(estimates))
    found = np.empty(len(curves.dose))
    problem = curves.problem()
    low, high = (end[:, LOG10_KI] for end in problem.limits())
    for i in range(found.size):
        grid = np.linspace(low[i] + 1.0, high[i], FLOOR_POINTS)
        many = np.full(grid.size, i)
        theta = estimates.theta[many]
        theta[:, LOG10_KI], theta[:, LN_PROTEIN:] = grid, curves.stated[i]
        computed = np.where(problem.given.used[many], model.anisotropy(theta, curves.dose[many])[0], np.nan)
        exact = Curves(curves.dose[many], computed, curves.stated[many], curves.stated_sd[many]).problem()
        cost = penalised.cost_at(exact, theta, estimates.noise_sd[many], low[many])
        misfit = np.sqrt(cost) - rises[i]
        above = np.flatnonzero(misfit > 0.0)
        if above.size == 0 or above[0] == 0:
            found[i] = np.nan if above.size == 0 else grid[0]
            continue
        k = above[0]
        found[i] = grid[k] - (grid[k] - grid[k - 1]) * misfit[k] / (misfit[k] - misfit[k - 1])
    return found
