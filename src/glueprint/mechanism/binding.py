"""Exact equilibria: binary and competitive binding, ternary complexes, and steady-state degradation.

One door: `depletion` (finite glue, racemates) and `bivalent` (degraders with a hook) are offered here too.

Kernels: arrays in, arrays out; concentrations in one unit throughout (nM by custom).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import equilibria
from glueprint.mechanism.amounts import amount, constant
from glueprint.mechanism.bivalent import (
    Bivalent,
    bivalent,
    bivalent_at_free,
    bivalent_without_cooperativity,
    hook_peak,
)
from glueprint.mechanism.depletion import Depleted, racemate_kd, ternary_depleted
from glueprint.mechanism.mass_action import met, solve

__all__ = [
    "Bivalent",
    "Competition",
    "Depleted",
    "Ternary",
    "absolute_dc50",
    "binary_complex",
    "bivalent",
    "bivalent_at_free",
    "bivalent_without_cooperativity",
    "competition",
    "dmax",
    "fraction_remaining",
    "hook_peak",
    "racemate_kd",
    "relative_dc50",
    "ternary",
    "ternary_depleted",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Competition:
    """Equilibrium of one protein with a tracer and a competitor, in the unit of the totals."""

    protein_free: Floats
    tracer_bound: Floats
    competitor_bound: Floats


@dataclass(frozen=True)
class Ternary:
    """Equilibrium of cereblon, a glue in excess and substrates (last axis), in the unit of the totals."""

    cereblon_free: Floats
    binary: Floats
    ternary: Floats
    bound_without_glue: Floats
    substrate_free: Floats


def binary_complex(total_a: ArrayLike, total_b: ArrayLike, kd: ArrayLike) -> Floats:
    """Complex of two partners that deplete each other.

    total_a, total_b: (n,) totals, >= 0.   kd: (n,) > 0, same unit.
    Returns (n,) complex.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: quadratic mass balance in the form without cancellation, own derivation, docs/binding.md.
    """
    a, b = amount("total_a", total_a), amount("total_b", total_b)
    k = constant("kd", kd)
    return equilibria.binary(a, b, k)


def competition(
    protein: ArrayLike, tracer: ArrayLike, competitor: ArrayLike, *, tracer_kd: ArrayLike, ki: ArrayLike
) -> Competition:
    """Exact competitive binding of a tracer and a competitor, all three depleted.

    protein, tracer, competitor: (n,) totals, >= 0.   tracer_kd, ki: (n,) > 0, same unit.
    Returns Competition of (n,) arrays.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: mass balance of Wang 1995, doi 10.1016/0014-5793(95)00062-E, solved by Newton and not by arccos;
    fits use `curves.equilibria.competition_slopes`, the same balance with its derivatives.
    """
    pt, lt, it, kd, k = np.broadcast_arrays(
        amount("protein", protein),
        amount("tracer", tracer),
        amount("competitor", competitor),
        constant("tracer_kd", tracer_kd),
        constant("ki", ki),
    )
    totals, constants = np.stack([pt, lt, it], axis=-1), np.stack([1.0 / kd, 1.0 / k], axis=-1)
    found = met(solve(totals.reshape(-1, 3), constants.reshape(-1, 2), ((0, 1), (0, 2))))
    columns = (found.free[:, 0], *found.complexes.T)
    return Competition(*(column.reshape(pt.shape) for column in columns))


def ternary(
    glue_free: ArrayLike,
    cereblon: ArrayLike,
    substrates: ArrayLike,
    *,
    kd: ArrayLike,
    intrinsic_kd: ArrayLike,
    alpha: ArrayLike,
) -> Ternary:
    """Exact ternary complexes of a monovalent glue in excess with substrates that compete for cereblon.

    glue_free: (n,) free glue.   cereblon: (n,) total.   substrates: (n, m) totals.   kd: (n,) of the glue.
    intrinsic_kd: (n, m) or (m,) substrate to empty cereblon.   alpha: (n, m) or (m,) cooperativity, >= 0.
    Returns Ternary with (n,) and (n, m) arrays.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: own derivation, docs/binding.md, "A glue in excess"; no hook, as the glue binds no substrate.
    """
    liganded = amount("glue_free", glue_free) / constant("kd", kd)
    total, liganded = np.broadcast_arrays(amount("cereblon", cereblon), liganded)
    s = amount("substrates", substrates)
    k0 = constant("intrinsic_kd", intrinsic_kd)
    with_glue = amount("alpha", alpha) * liganded[..., None] / k0
    with_glue, without, s = np.broadcast_arrays(with_glue, 1.0 / k0, s)
    shape, kinds = s.shape[:-1], s.shape[-1]
    # Cereblon with and without glue is one component here, of which 1/(1 + L/Kd) is empty.
    empty = np.broadcast_to(1.0 / (1.0 + liganded), shape)
    found = solve(
        np.concatenate([np.broadcast_to(total, shape)[..., None], s], axis=-1).reshape(-1, 1 + kinds),
        ((with_glue + without) * empty[..., None]).reshape(-1, kinds),
        tuple((0, 1 + i) for i in range(kinds)),
    )
    free = met(found).free.reshape(*shape, 1 + kinds)
    bare, substrate_free = free[..., 0] * empty, free[..., 1:]
    bound = bare[..., None] * substrate_free
    return Ternary(bare, bare * liganded, bound * with_glue, bound * without, substrate_free)


def fraction_remaining(glue_free: ArrayLike, *, kd: ArrayLike, rho: ArrayLike) -> Floats:
    """Substrate left at steady state, as a fraction of the untreated level: 1/(1 + rho L/(L + Kd)).

    glue_free: (n,) free, >= 0.   kd: (n,) > 0, same unit.   rho: (n,) >= 0, induced over natural loss rate.
    Source: steady state of the reduced degradation model, docs/mechanism.md, "Degradation".
    """
    conc, k = amount("glue_free", glue_free), constant("kd", kd)
    return np.asarray(1.0 / (1.0 + amount("rho", rho) * conc / (conc + k)))


def dmax(rho: ArrayLike) -> Floats:
    """Largest fractional loss at steady state and saturating glue: rho/(1 + rho)."""
    r = amount("rho", rho)
    return np.asarray(r / (1.0 + r))


def relative_dc50(kd: ArrayLike, rho: ArrayLike) -> Floats:
    """Free glue for half of Dmax at steady state: Kd/(1 + rho), in the unit of kd."""
    return np.asarray(constant("kd", kd) / (1.0 + amount("rho", rho)))


def absolute_dc50(kd: ArrayLike, rho: ArrayLike) -> Floats:
    """Free glue for 50 % loss at steady state: Kd/(rho - 1), in the unit of kd; NaN where rho <= 1."""
    k, r = np.broadcast_arrays(constant("kd", kd), amount("rho", rho))
    reached = r > 1.0
    return np.where(reached, k / np.where(reached, r - 1.0, 1.0), np.nan)
