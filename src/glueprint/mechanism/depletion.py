"""Ternary complexes when the glue itself runs short: one glue or several, such as the halves of a racemate.

Kernels: arrays in, arrays out; concentrations in one unit throughout (nM by custom).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.mechanism.amounts import amount, constant
from glueprint.mechanism.mass_action import met, solve

__all__ = ["Depleted", "racemate_kd", "ternary_depleted"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Depleted:
    """Equilibrium of cereblon, g glues and m substrates, all finite, in the unit of the totals.

    cereblon_free: (n,).   glue_free, binary: (n, g).   substrate_free, bound_without_glue: (n, m).
    ternary: (n, g, m), each glue with each substrate.
    """

    cereblon_free: Floats
    glue_free: Floats
    substrate_free: Floats
    binary: Floats
    bound_without_glue: Floats
    ternary: Floats


def ternary_depleted(
    glues: ArrayLike,
    cereblon: ArrayLike,
    substrates: ArrayLike,
    *,
    kd: ArrayLike,
    intrinsic_kd: ArrayLike,
    alpha: ArrayLike,
) -> Depleted:
    """Exact ternary complexes of glues and substrates that all share one pool of cereblon.

    glues: (n, g) totals, for a racemate (S) and (R).   cereblon: (n,) total.   substrates: (n, m) totals.
    kd: (g,) or (n, g).   intrinsic_kd: (m,) or (n, m) substrate to empty cereblon.   alpha: (m,), (g, m) or
    (n, g, m) cooperativity, >= 0; 0 keeps glue and substrate apart.
    Raises InputError GP-M008 for a negative or non-finite argument.
    Source: own derivation, docs/binding.md, "A glue that runs short".
    """
    given, s = np.atleast_2d(amount("glues", glues)), np.atleast_2d(amount("substrates", substrates))
    total = np.atleast_1d(amount("cereblon", cereblon))
    n = max(given.shape[0], s.shape[0], total.shape[0])
    g, m = given.shape[1], s.shape[1]
    totals = np.concatenate(
        [np.broadcast_to(part, (n, part.shape[1])) for part in (total[:, None], given, s)], axis=1
    )
    to_glue = np.broadcast_to(1.0 / constant("kd", kd), (n, g))
    to_substrate = np.broadcast_to(1.0 / constant("intrinsic_kd", intrinsic_kd), (n, m))
    together = np.broadcast_to(amount("alpha", alpha), (n, g, m)) * (
        to_glue[:, :, None] * to_substrate[:, None, :]
    )
    members = (
        *((0, 1 + j) for j in range(g)),
        *((0, 1 + g + i) for i in range(m)),
        *((0, 1 + j, 1 + g + i) for j in range(g) for i in range(m)),
    )
    found = met(
        solve(totals, np.concatenate([to_glue, to_substrate, together.reshape(n, g * m)], axis=1), members)
    )
    return Depleted(
        cereblon_free=found.free[:, 0],
        glue_free=found.free[:, 1 : 1 + g],
        substrate_free=found.free[:, 1 + g :],
        binary=found.complexes[:, :g],
        bound_without_glue=found.complexes[:, g : g + m],
        ternary=found.complexes[:, g + m :].reshape(n, g, m),
    )


def racemate_kd(kd_s: ArrayLike, kd_r: ArrayLike, s_share: ArrayLike = 0.5) -> Floats:
    """Kd that the sum of both enantiomers shows while both are in excess over cereblon.

    kd_s, kd_r: (n,) > 0, one unit.   s_share: (n,) share of (S) in the total, 0 to 1.   Returns (n,).
    Raises InputError GP-M008 for an argument that cannot be.
    Source: L_S/Kd_S + L_R/Kd_R is what cereblon sees; own derivation, docs/binding.md, "Racemates".
    """
    s, r = constant("kd_s", kd_s), constant("kd_r", kd_r)
    share = amount("s_share", s_share)
    other = amount("1 - s_share", 1.0 - share)
    return np.asarray(1.0 / (share / s + other / r))
