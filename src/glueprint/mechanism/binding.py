"""Exact equilibria: binary and competitive binding, ternary complexes, and steady-state degradation.

Kernels: arrays in, arrays out; concentrations in one unit throughout (nM by custom).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import equilibria
from glueprint.errors import InputError, InternalError

__all__ = [
    "Competition",
    "Ternary",
    "absolute_dc50",
    "binary_complex",
    "competition",
    "dmax",
    "fraction_remaining",
    "relative_dc50",
    "ternary",
]

Floats = NDArray[np.float64]
MAX_STEPS = equilibria.MAX_STEPS


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
    Source: quadratic mass balance in the form without cancellation, own derivation, docs/mechanism.md.
    """
    a, b = _amount("total_a", total_a), _amount("total_b", total_b)
    k = _constant("kd", kd)
    return equilibria.binary(a, b, k)


def competition(
    protein: ArrayLike, tracer: ArrayLike, competitor: ArrayLike, *, tracer_kd: ArrayLike, ki: ArrayLike
) -> Competition:
    """Exact competitive binding of a tracer and a competitor, all three depleted.

    protein, tracer, competitor: (n,) totals, >= 0.   tracer_kd, ki: (n,) > 0, same unit.
    Returns Competition of (n,) arrays.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: mass balance of Wang 1995, doi 10.1016/0014-5793(95)00062-E, solved by Newton and not by arccos.
    """
    pt, lt, it, kd, k = np.broadcast_arrays(
        _amount("protein", protein),
        _amount("tracer", tracer),
        _amount("competitor", competitor),
        _constant("tracer_kd", tracer_kd),
        _constant("ki", ki),
    )
    free = _free_receptor(
        pt, np.ones(pt.shape), np.stack([lt, it], axis=-1), 1.0 / np.stack([kd, k], axis=-1)
    )
    return Competition(free, lt * free / (kd + free), it * free / (k + free))


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
    Source: own derivation, docs/mechanism.md, "Ternary complex"; no hook, as the glue binds no substrate.
    """
    liganded = _amount("glue_free", glue_free) / _constant("kd", kd)
    total, liganded = np.broadcast_arrays(_amount("cereblon", cereblon), liganded)
    s = _amount("substrates", substrates)
    k0 = _constant("intrinsic_kd", intrinsic_kd)
    with_glue = _amount("alpha", alpha) * liganded[..., None] / k0
    with_glue, without, s = np.broadcast_arrays(with_glue, 1.0 / k0, s)
    affinity = with_glue + without
    free = _free_receptor(total, 1.0 + liganded, s, affinity)
    substrate_free = s / (1.0 + free[..., None] * affinity)
    bound = free[..., None] * substrate_free
    return Ternary(free, free * liganded, bound * with_glue, bound * without, substrate_free)


def fraction_remaining(glue_free: ArrayLike, *, kd: ArrayLike, rho: ArrayLike) -> Floats:
    """Substrate left at steady state, as a fraction of the untreated level: 1/(1 + rho L/(L + Kd)).

    glue_free: (n,) free, >= 0.   kd: (n,) > 0, same unit.   rho: (n,) >= 0, induced over natural loss rate.
    Source: steady state of the reduced degradation model, docs/mechanism.md, "Degradation".
    """
    conc, k = _amount("glue_free", glue_free), _constant("kd", kd)
    return np.asarray(1.0 / (1.0 + _amount("rho", rho) * conc / (conc + k)))


def dmax(rho: ArrayLike) -> Floats:
    """Largest fractional loss at steady state and saturating glue: rho/(1 + rho)."""
    r = _amount("rho", rho)
    return np.asarray(r / (1.0 + r))


def relative_dc50(kd: ArrayLike, rho: ArrayLike) -> Floats:
    """Free glue for half of Dmax at steady state: Kd/(1 + rho), in the unit of kd."""
    return np.asarray(_constant("kd", kd) / (1.0 + _amount("rho", rho)))


def absolute_dc50(kd: ArrayLike, rho: ArrayLike) -> Floats:
    """Free glue for 50 % loss at steady state: Kd/(rho - 1), in the unit of kd; NaN where rho <= 1."""
    k, r = np.broadcast_arrays(_constant("kd", kd), _amount("rho", rho))
    reached = r > 1.0
    return np.where(reached, k / np.where(reached, r - 1.0, 1.0), np.nan)


def _free_receptor(total: Floats, weight: Floats, partners: Floats, affinity: Floats) -> Floats:
    free, settled = equilibria.free_receptor(total, weight, partners, affinity, max_steps=MAX_STEPS)
    if np.all(settled):
        return free
    raise InternalError(
        "GP-M009",
        f"the mass balance did not converge in {MAX_STEPS} steps",
        where="binding",
        next_step="please report it with the concentrations and constants used",
    )


def _amount(name: str, value: ArrayLike) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if not np.all(np.isfinite(array)) or np.any(array < 0.0):
        raise _refusal(name, "finite numbers, zero or more")
    return array


def _constant(name: str, value: ArrayLike) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if not np.all(np.isfinite(array)) or np.any(array <= 0.0):
        raise _refusal(name, "finite numbers above zero")
    return array


def _refusal(name: str, expected: str) -> InputError:
    return InputError(
        "GP-M008",
        f'"{name}" holds a value that no concentration or constant can have',
        where=f"binding, {name}",
        expected=expected,
        next_step="correct or leave out these rows",
    )
