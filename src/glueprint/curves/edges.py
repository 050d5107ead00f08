"""How far a dose at a level may lie where the best curve never meets it within the tested doses. Kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glueprint.curves import search
from glueprint.curves.logistic import BACK, FRONT, LN_SLOPE, LOG10_DOSE, Floats
from glueprint.curves.problem import Problem

__all__ = ["edge_of_profile"]

# Slopes from which a curve through a level at the edge of the tested doses is looked for.
EDGE_SLOPES = (1.0, 4.0, 16.0)


def edge_of_profile(problem: Problem, theta: Floats, heights: Floats, side: int) -> Floats:
    """How far (n,) the log10 dose at a level may lie within the tested doses, where the best curve never
    meets it there.

    theta: (n, 5) plateaus and shapes to begin with.   heights: (n, 2) sum of squares of the best curve and
    at the threshold.   side: 0 looks down from the highest dose, 1 up from the lowest.
    Returns the edge of the tested doses where even that lies beyond the threshold, infinite where nothing
    within them does.
    """
    edge = np.log10(problem.highest_dose if side == 0 else problem.lowest_dose)
    level = np.asarray(problem.level)
    begun = np.tile(theta, (len(EDGE_SLOPES), 1, 1))
    begun[..., LOG10_DOSE] = edge
    # The plateaus must enclose the level, or there is no curve to begin with.
    outer, inner = (FRONT, BACK) if side == 0 else (BACK, FRONT)
    above = np.where(theta[:, outer] != level, theta[:, outer] - level, 1.0)
    beyond = level - np.where((theta[:, inner] - level) * above < 0.0, level - theta[:, inner], above)
    low, high = (bound[:, inner] for bound in problem.limits())
    begun[..., outer], begun[..., inner] = level + above, np.clip(beyond, low, high)
    if LN_SLOPE in np.flatnonzero(np.isnan(problem.pins)):
        begun[..., LN_SLOPE] = np.log(EDGE_SLOPES)[:, None]
    n = edge.size
    rows = np.tile(np.arange(n), len(EDGE_SLOPES))
    held = np.full(rows.size, LOG10_DOSE)
    theta, cost, _ = search.refit_of(problem)(begun.reshape(-1, begun.shape[2]), rows, held)
    cost = np.where(np.isfinite(cost), cost, np.inf).reshape(-1, n)
    limits = [bound.copy() for bound in problem.limits()]
    limits[1 - side][:, LOG10_DOSE] = edge
    best = theta[np.argmin(cost, axis=0) * n + np.arange(n)]
    within, sought = replace(problem, reach=(limits[0], limits[1])), np.arange(best.shape[1]) == LOG10_DOSE
    found = search.profiled(within, best, sought, heights).intervals[:, LOG10_DOSE, side]
    return np.where(cost.min(axis=0) > heights[:, 1], edge, found)
