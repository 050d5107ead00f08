"""Bivalent degraders: a ligand of both proteins, whose ternary complex falls again at high dose (hook).

Kernels: arrays in, arrays out; concentrations in one unit throughout (nM by custom). A molecular glue has no
hook, as it binds cereblon alone: it belongs to `depletion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import equilibria
from glueprint.mechanism.amounts import amount, constant
from glueprint.mechanism.mass_action import met, solve

__all__ = ["Bivalent", "bivalent", "bivalent_at_free", "bivalent_without_cooperativity", "hook_peak"]

Floats = NDArray[np.float64]
LIGASE, DEGRADER, TARGET = 0, 1, 2


@dataclass(frozen=True)
class Bivalent:
    """Equilibrium of ligase, degrader and target, each (n,), in the unit of the totals."""

    ligase_free: Floats
    degrader_free: Floats
    target_free: Floats
    with_ligase: Floats
    with_target: Floats
    ternary: Floats


def bivalent(
    degrader: ArrayLike,
    ligase: ArrayLike,
    target: ArrayLike,
    *,
    kd_ligase: ArrayLike,
    kd_target: ArrayLike,
    alpha: ArrayLike = 1.0,
) -> Bivalent:
    """Exact equilibrium of a bivalent degrader with ligase and target, all three depleted.

    degrader, ligase, target: (n,) totals, >= 0.   kd_ligase, kd_target: (n,) > 0, of the binary complexes.
    alpha: (n,) cooperativity, >= 0.   All broadcast.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: model of Douglass 2013, doi 10.1021/ja311795d; with cooperativity the balance has no useful closed
    form, so it is solved by Newton's method, docs/binding.md, "Bivalent degraders".
    """
    b, a, c, k1, k2, coop = np.broadcast_arrays(
        amount("degrader", degrader),
        amount("ligase", ligase),
        amount("target", target),
        constant("kd_ligase", kd_ligase),
        constant("kd_target", kd_target),
        amount("alpha", alpha),
    )
    totals = np.stack([a, b, c], axis=-1).reshape(-1, 3)
    constants = np.stack([1.0 / k1, 1.0 / k2, coop / k1 / k2], axis=-1).reshape(-1, 3)
    members = ((LIGASE, DEGRADER), (DEGRADER, TARGET), (LIGASE, DEGRADER, TARGET))
    found = met(solve(totals, constants, members))
    columns = [*found.free.T, *found.complexes.T]
    return Bivalent(*(column.reshape(b.shape) for column in columns))


def bivalent_at_free(
    degrader_free: ArrayLike,
    ligase: ArrayLike,
    target: ArrayLike,
    *,
    kd_ligase: ArrayLike,
    kd_target: ArrayLike,
    alpha: ArrayLike = 1.0,
) -> Floats:
    """Ternary complex (n,) at a given free degrader, in closed form for any cooperativity.

    degrader_free, ligase, target: (n,) >= 0.   kd_ligase, kd_target: (n,) > 0.   alpha: (n,) >= 0.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: the proteins bind each other as if with Kd (K1 + b)(K2 + b)/(alpha b), docs/binding.md; Douglass
    2013, doi 10.1021/ja311795d.
    """
    b, a, c, coop = (
        amount(name, value)
        for name, value in (
            ("degrader_free", degrader_free),
            ("ligase", ligase),
            ("target", target),
            ("alpha", alpha),
        )
    )
    k1, k2 = constant("kd_ligase", kd_ligase), constant("kd_target", kd_target)
    bridge = coop * b
    apparent = (k1 + b) * (k2 + b) / np.where(bridge > 0.0, bridge, 1.0)
    return np.where(bridge > 0.0, equilibria.binary(a, c, apparent), 0.0)


def bivalent_without_cooperativity(
    degrader: ArrayLike,
    ligase: ArrayLike,
    target: ArrayLike,
    *,
    kd_ligase: ArrayLike,
    kd_target: ArrayLike,
) -> Floats:
    """Ternary complex (n,) at alpha = 1, in closed form: both ends of the degrader bind independently.

    degrader, ligase, target: (n,) totals, >= 0.   kd_ligase, kd_target: (n,) > 0.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: Douglass 2013, doi 10.1021/ja311795d, the non-cooperative case; docs/binding.md.
    """
    b, a, c = amount("degrader", degrader), amount("ligase", ligase), amount("target", target)
    on_ligase = equilibria.binary(a, b, constant("kd_ligase", kd_ligase))
    on_target = equilibria.binary(c, b, constant("kd_target", kd_target))
    return np.where(b > 0.0, on_ligase / np.where(b > 0.0, b, 1.0) * on_target, 0.0)


def hook_peak(kd_ligase: ArrayLike, kd_target: ArrayLike) -> Floats:
    """Free degrader (n,) at which the ternary complex is largest: sqrt(K1 K2), whatever alpha and totals.

    Source: minimum of (K1 + b)(K2 + b)/b, docs/binding.md; Douglass 2013, doi 10.1021/ja311795d.
    """
    return np.sqrt(constant("kd_ligase", kd_ligase)) * np.sqrt(constant("kd_target", kd_target))
