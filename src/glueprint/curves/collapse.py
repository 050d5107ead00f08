"""Profile intervals of a curve's own parameters when many curves share others. Kernel: arrays only."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Rows
from glueprint.curves.nest import Nest
from glueprint.curves.profile import by_descent, profiles

__all__ = ["collapsed"]

TINY = float(np.finfo(float).tiny)


def collapsed(nest: Nest, errors: Floats, rise: tuple[float, float, int], own: list[int]) -> Floats:
    """Intervals (n, p, 2) on the fitting scale, all curves at once.

    Each curve is refitted in full; the others pull at the shared parameters by the curvature of their sum of
    squares at the best fit. With many curves these hardly move, so that the error is of third order in their
    step.   errors: (n, p).   rise: sum of squares at the fit and at the threshold, and degrees of freedom.
    own: parameters to profile.
    Source: own derivation, docs/regression.md.
    """
    n, p = nest.base.shape
    shared = nest.shared
    moving = nest.problem.free.copy()
    moving[:, shared] = False
    low, high = nest.problem.limits()
    residual, outer, _ = nest.parts(nest.base, moving & (nest.base > low) & (nest.base < high))
    each = np.einsum("nms,nmt->nst", outer, outer)
    pull = np.einsum("nms,nm->ns", outer, residual)
    # What all the others together would lose, as rows of a least-squares problem: |root (s - best) + off|^2.
    curvature = each.sum(axis=0) - each
    size, turn = np.linalg.eigh(curvature)
    root = np.sqrt(np.maximum(size, 0.0))[:, :, None] * turn.transpose(0, 2, 1)
    keep = np.sqrt(np.where(size > 0.0, size, np.inf))
    off = np.einsum("nts,nt->ns", turn, pull.sum(axis=0) - pull) / keep
    best = nest.base[:, shared]

    def evaluate(theta: Floats, rows: Rows) -> tuple[Floats, Floats]:
        misfit, jacobian = nest.problem.evaluate(theta, rows)
        step = theta[:, shared] - best[rows]
        extra = np.einsum("kij,kj->ki", root[rows], step) + off[rows]
        slopes = np.zeros((rows.size, len(shared), p))
        slopes[:, :, shared] = root[rows]
        return np.concatenate([misfit, extra], axis=1), np.concatenate([jacobian, slopes], axis=1)

    start, _ = evaluate(nest.base, np.arange(n))
    cost = np.einsum("nm,nm->n", start, start)
    inverse = np.full((n, p, p), np.nan)
    index = np.arange(p)
    inverse[:, index, index] = errors**2 * rise[2] / max(rise[0], TINY)
    wanted = np.zeros((n, p), dtype=bool)
    wanted[:, own] = True
    found = profiles(
        by_descent(evaluate, nest.problem.free, (low, high), nest.problem.size, nest.problem.reaching),
        nest.base, wanted, (low, high),
        heights=np.stack([cost, cost + rise[1] - rise[0]], axis=1), inverse=inverse,
    )  # fmt: skip
    return found.intervals
