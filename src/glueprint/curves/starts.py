"""Starting values by a grid over dose and slope with the plateaus solved exactly. Kernel: arrays in,
arrays out."""

from __future__ import annotations

import numpy as np

from glueprint.curves.logistic import BACK, FRONT, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE, Floats, curve

__all__ = ["starts"]

# Each the double of the one before; the last is a step between two doses, the best fit of much noise.
SLOPES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
ASYMMETRIES = (0.25, 1.0, 4.0)  # powers of 2
DOSES = 20
# How far outside the tested range, in log10 dose, a start may lie.
MARGIN = 0.5
# Plateaus that carry less than this share of the weight, or two this close to one, cannot be told.
SEPARATE = 1e-12


def starts(log10_dose: Floats, response: Floats, weights: Floats, fixed: Floats, count: int) -> Floats:
    """The `count` best starts of each curve, best first.

    log10_dose, response, weights: (n, m).   fixed: (n, 5), NaN where a parameter is free, the same ones in
    every curve.
    Returns (count, n, 5).   For each dose of the grid its best shape is kept, so starts differ in dose.
    """
    doses = _doses(log10_dose, weights, fixed[:, LOG10_DOSE])
    slopes = SLOPES if np.isnan(fixed[:, LN_SLOPE]).any() else (1.0,)
    asymmetries = ASYMMETRIES if np.isnan(fixed[:, LN_ASYMMETRY]).any() else (1.0,)
    shapes = [(np.log(slope), np.log(asymmetry)) for slope in slopes for asymmetry in asymmetries]
    found = np.empty((doses.shape[1], log10_dose.shape[0], 5))
    cost = np.full((doses.shape[1], log10_dose.shape[0]), np.inf)
    for i, half in enumerate(doses.T):
        for shape in shapes:
            ln_slope, ln_asymmetry = (
                np.where(np.isnan(fixed[:, at]), value, fixed[:, at])
                for at, value in zip((LN_SLOPE, LN_ASYMMETRY), shape, strict=True)
            )
            unit = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (half.size, 1))
            unit[:, LOG10_DOSE], unit[:, LN_SLOPE], unit[:, LN_ASYMMETRY] = half, ln_slope, ln_asymmetry
            in_front = curve(unit, log10_dose)[0]
            front, back = _plateaus(in_front, response, weights, fixed)
            miss = back[:, None] + (front - back)[:, None] * in_front - response
            rss = np.einsum("nm,nm,nm->n", weights, miss, miss)
            better = rss < cost[i]
            cost[i] = np.where(better, rss, cost[i])
            theta = np.stack([front, back, half, ln_slope, ln_asymmetry], axis=1)
            found[i] = np.where(better[:, None], theta, found[i])
    order = np.argsort(cost, axis=0, kind="stable")[:count]
    return np.take_along_axis(found, order[..., None], axis=0)


def _doses(log10_dose: Floats, weights: Floats, fixed: Floats) -> Floats:
    seen = (weights > 0.0) & np.isfinite(log10_dose)
    least = np.where(seen, log10_dose, np.inf).min(axis=1)
    most = np.where(seen, log10_dose, -np.inf).max(axis=1)
    least, most = np.where(np.isfinite(least), least, 0.0), np.where(np.isfinite(most), most, 0.0)
    share = np.linspace(0.0, 1.0, DOSES)
    grid = (least - MARGIN)[:, None] + (most - least + 2.0 * MARGIN)[:, None] * share
    return np.where(np.isnan(fixed)[:, None], grid, fixed[:, None])


def _plateaus(in_front: Floats, response: Floats, weights: Floats, fixed: Floats) -> tuple[Floats, Floats]:
    """Weighted least squares for the two plateaus, given how much each point lies in front; fixed ones
    stay."""
    in_back = 1.0 - in_front
    ff = np.einsum("nm,nm,nm->n", weights, in_front, in_front)
    bb = np.einsum("nm,nm,nm->n", weights, in_back, in_back)
    fb = np.einsum("nm,nm,nm->n", weights, in_front, in_back)
    fy = np.einsum("nm,nm,nm->n", weights, in_front, response)
    by = np.einsum("nm,nm,nm->n", weights, in_back, response)
    free_front, free_back = np.isnan(fixed[:, FRONT]), np.isnan(fixed[:, BACK])
    given_front, given_back = (
        np.where(free_front, 0.0, fixed[:, FRONT]),
        np.where(free_back, 0.0, fixed[:, BACK]),
    )
    determinant = ff * bb - fb * fb
    total = np.einsum("nm->n", weights)
    seen_front, seen_back = ff > SEPARATE * total, bb > SEPARATE * total
    solvable = (determinant > SEPARATE * ff * bb) & seen_front & seen_back
    safe = np.where(solvable, determinant, 1.0)
    mean = (fy + by) / np.where(total > 0.0, total, 1.0)
    front = np.where(solvable, (fy * bb - by * fb) / safe, mean)
    back = np.where(solvable, (by * ff - fy * fb) / safe, mean)
    alone_front = np.where(seen_front, (fy - given_back * fb) / np.where(seen_front, ff, 1.0), mean)
    alone_back = np.where(seen_back, (by - given_front * fb) / np.where(seen_back, bb, 1.0), mean)
    front = np.where(free_front, np.where(free_back, front, alone_front), given_front)
    back = np.where(free_back, np.where(free_front, back, alone_back), given_back)
    return front, back
