"""What the data taught about each parameter."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from glueprint.errors import InputError
from glueprint.inference.mode import Floats


def contraction(prior_sd: ArrayLike, posterior_sd: ArrayLike) -> Floats:
    """Share of the prior variance that the data removed.

    prior_sd, posterior_sd: (p,) standard deviations on the same scale, prior > 0, posterior >= 0.
    Returns (p,): 1 is known exactly, 0 nothing learnt, negative wider than before; NaN stays NaN.
    Raises InputError GP-I001 for shapes or signs.
    Source: Betancourt 2018, "Calibrating model-based inferences and decisions", arXiv:1803.08393.
    """
    before, after = np.asarray(prior_sd, dtype=np.float64), np.asarray(posterior_sd, dtype=np.float64)
    if before.shape != after.shape or not (before > 0).all() or (after < 0).any():
        raise InputError(
            "GP-I001",
            f"prior of shape {before.shape} and posterior of shape {after.shape}",
            where="prior_sd",
            expected="one positive prior and one posterior standard deviation per parameter",
            next_step="pass both on the same scale, e.g. log10",
        )
    return np.asarray(1 - (after / before) ** 2, dtype=np.float64)
