"""Exact binding equilibria with depletion, and how they move with every constant and total. Kernel: arrays
only.

One unit of concentration throughout. Derivatives come from the mass balance itself, by implicit
differentiation: own derivation, docs/regression.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CompetitionSlopes", "binary", "binary_slopes", "competition_slopes", "free_receptor"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Newton's method on a concave function from below needs about ten steps; bisection alone would need 60.
MAX_STEPS = 200
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class CompetitionSlopes:
    """Equilibrium of a protein, a tracer and a competitor, with the derivatives of the bound tracer.

    protein_free, tracer_bound: (n,), NaN where the balance did not settle.
    by_protein, by_tracer, by_competitor: (n,) with respect to the totals, unitless.
    by_ln_tracer_kd, by_ln_ki: (n,) with respect to the natural logarithms of the constants.
    """

    protein_free: Floats
    tracer_bound: Floats
    by_protein: Floats
    by_tracer: Floats
    by_competitor: Floats
    by_ln_tracer_kd: Floats
    by_ln_ki: Floats


def binary(total_a: Floats, total_b: Floats, kd: Floats) -> Floats:
    """Complex (n,) of two partners that deplete each other; totals >= 0, kd > 0, arrays that broadcast.

    Source: quadratic mass balance in the form without cancellation, own derivation, docs/mechanism.md.
    """
    root = np.sqrt((total_a - total_b) ** 2 + kd * (kd + 2.0 * (total_a + total_b)))
    return np.asarray(2.0 * total_a * total_b / (total_a + total_b + kd + root))


def binary_slopes(total_a: Floats, total_b: Floats, kd: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The complex as in `binary`, and its derivatives by total_a, total_b and ln kd, each (n,).

    Source: (A - C)(B - C) = Kd C differentiated: the two free partners and Kd share the change.
    """
    complexed = binary(total_a, total_b, kd)
    free_a, free_b = total_a - complexed, total_b - complexed
    share = free_a + free_b + kd
    return complexed, free_b / share, free_a / share, -kd * complexed / share


def competition_slopes(
    protein: Floats, tracer: Floats, competitor: Floats, *, tracer_kd: Floats, ki: Floats
) -> CompetitionSlopes:
    """Exact competitive binding of a tracer and a competitor, all three depleted, with derivatives.

    protein, tracer, competitor: (n,) totals, >= 0.   tracer_kd, ki: (n,) > 0; all arrays that broadcast.
    Source: mass balance of Wang 1995, doi 10.1016/0014-5793(95)00062-E, solved by Newton's method;
    derivatives by own derivation, docs/regression.md.
    """
    pt, lt, it, kd, k = np.broadcast_arrays(protein, tracer, competitor, tracer_kd, ki)
    free, settled = free_receptor(
        pt, np.ones(pt.shape), np.stack([lt, it], axis=-1), 1.0 / np.stack([kd, k], axis=-1)
    )
    free = np.where(settled, free, np.nan)
    by_tracer_held, by_competitor_held = free / (kd + free), free / (k + free)
    open_tracer, open_competitor = kd / (kd + free), k / (k + free)
    bound = lt * by_tracer_held
    # How much more protein must be added for one more to be free.
    stiffness = 1.0 + lt * open_tracer / (kd + free) + it * open_competitor / (k + free)
    gain = lt * open_tracer / (kd + free) / stiffness
    return CompetitionSlopes(
        protein_free=free,
        tracer_bound=bound,
        by_protein=gain,
        by_tracer=by_tracer_held * (1.0 - gain),
        by_competitor=-gain * by_competitor_held,
        by_ln_tracer_kd=-bound * open_tracer * (1.0 - gain),
        by_ln_ki=gain * it * by_competitor_held * open_competitor,
    )


def free_receptor(
    total: Floats, weight: Floats, partners: Floats, affinity: Floats, *, max_steps: int = MAX_STEPS
) -> tuple[Floats, Flags]:
    """Free receptor x of x (weight + sum_i S_i a_i/(1 + x a_i)) = total.

    total, weight: (n,).   partners S, affinity a: (n, k), in the unit of the total and its inverse.
    Returns x (n,) and whether the balance was met to rounding (n,).
    Source: own derivation, docs/mechanism.md: the left side rises and is concave in x, so Newton's method
    from below stays below the root; the bracket guards against rounding.
    """
    low, high = np.zeros(total.shape), total / weight
    x = low.copy()
    settled = np.zeros(total.shape, dtype=bool)
    for _ in range(max_steps):
        occupied = 1.0 / (1.0 + x[..., None] * affinity)
        excess = x * (weight + (partners * affinity * occupied).sum(-1)) - total
        slope = weight + (partners * affinity * occupied * occupied).sum(-1)
        low, high = np.where(excess <= 0.0, x, low), np.where(excess >= 0.0, x, high)
        step = x - excess / slope
        step = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
        # In a tight titration the balance is met to rounding before x stops moving.
        settled = np.asarray((np.abs(step - x) <= ROUNDING * step) | (np.abs(excess) <= ROUNDING * total))
        if np.all(settled):
            break
        x = np.where(settled, x, step)
    return x, settled
