"""The anisotropy of a competition plate, exactly, with its derivatives. Kernel: arrays in, arrays out.

Protein, tracer and competitor all deplete each other, and bound tracer may be brighter or darker than free
tracer. Own derivation, docs/polarization.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import equilibria

__all__ = [
    "FREE",
    "LN_BRIGHTNESS",
    "LN_PROTEIN",
    "LN_TRACER",
    "LN_TRACER_KD",
    "LOG10_KI",
    "NAMES",
    "TOP",
    "anisotropy",
    "mixed",
    "occupancy",
]

Floats = NDArray[np.float64]

# Columns of theta. The third is the one that `curves.profile` profiles.
FREE, TOP, LOG10_KI, LN_PROTEIN, LN_TRACER_KD, LN_TRACER, LN_BRIGHTNESS = range(7)
NAMES = ("free", "top", "log10_ki", "protein", "tracer_kd", "tracer", "brightness")
LN_10 = float(np.log(10.0))


def anisotropy(theta: Floats, dose: Floats) -> tuple[Floats, Floats]:
    """Anisotropy of every well and its derivatives.

    theta: (n, 7) anisotropy without protein and without competitor, log10 Ki, and the natural logarithms of
    total protein, tracer Kd, total tracer, and total intensity with over without protein.
    dose: (n, m) total competitor, in the unit of the constants; infinite for tracer without protein.
    Returns (n, m) and (n, m, 7).
    Source: own derivation, docs/polarization.md.
    """
    share, share_slopes = occupancy(theta, dose)
    ratio = np.exp(theta[:, LN_BRIGHTNESS, None])
    found, by_share, by_ln_ratio = mixed(theta[:, FREE, None], theta[:, TOP, None], share, ratio)
    light = 1.0 - share + ratio * share
    slopes = by_share[..., None] * share_slopes
    slopes[..., FREE] = (1.0 - share) / light
    slopes[..., TOP] = ratio * share / light
    slopes[..., LN_BRIGHTNESS] = by_ln_ratio
    return found, slopes


def mixed(free: Floats, top: Floats, share: Floats, ratio: Floats) -> tuple[Floats, Floats, Floats]:
    """Anisotropy at a share of the tracer bound without competitor; derivatives by share and ln ratio.

    free, top: at share 0 and 1.   ratio: total intensity at share 1 over that at share 0; all broadcast.
    Source: (1 - w) rf + w ratio r0 over 1 - w + w ratio: anisotropies add up weighted by intensity.
    """
    light = 1.0 - share + ratio * share
    found = (free * (1.0 - share) + ratio * top * share) / light
    by_ln_ratio = ratio * share * (top - found) / light
    return found, ratio * (top - free) / light**2, by_ln_ratio


def occupancy(theta: Floats, dose: Floats) -> tuple[Floats, Floats]:
    """Bound tracer as a share (n, m) of what is bound without competitor, and derivatives (n, m, 7).

    theta, dose: as in `anisotropy`.
    """
    protein, tracer_kd, tracer = (
        np.exp(theta[:, place, None]) for place in (LN_PROTEIN, LN_TRACER_KD, LN_TRACER)
    )
    alone, by_p0, by_l0, by_k0 = equilibria.binary_slopes(protein, tracer, tracer_kd)
    inside = np.isfinite(dose)
    found = equilibria.competition_slopes(
        protein,
        tracer,
        np.where(inside, dose, 0.0),
        tracer_kd=tracer_kd,
        ki=10.0 ** theta[:, LOG10_KI, None],
    )
    share = np.where(inside, found.tracer_bound / alone, 0.0)
    slopes = np.zeros((*share.shape, len(NAMES)))
    slopes[..., LOG10_KI] = LN_10 * found.by_ln_ki / alone
    slopes[..., LN_PROTEIN] = protein * (found.by_protein - share * by_p0) / alone
    slopes[..., LN_TRACER_KD] = (found.by_ln_tracer_kd - share * by_k0) / alone
    slopes[..., LN_TRACER] = tracer * (found.by_tracer - share * by_l0) / alone
    return share, np.where(inside[..., None], slopes, 0.0)
