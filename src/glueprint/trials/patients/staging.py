"""Stages of myeloma at entry. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["iss_stage"]

# Greipp 2005, doi 10.1200/JCO.2005.04.242.
STAGE_ONE_BETA2_BELOW_MG_PER_L = 3.5
STAGE_ONE_ALBUMIN_AT_LEAST_G_PER_L = 35.0
STAGE_THREE_BETA2_AT_LEAST_MG_PER_L = 5.5


def iss_stage(
    albumin_g_per_l: NDArray[np.float64], beta2_microglobulin_mg_per_l: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) stage 1, 2 or 3 of the International Staging System, from (n,) albumin and beta-2-microglobulin.

    Source: Greipp 2005, doi 10.1200/JCO.2005.04.242.
    """
    low = beta2_microglobulin_mg_per_l < STAGE_ONE_BETA2_BELOW_MG_PER_L
    one = low & (albumin_g_per_l >= STAGE_ONE_ALBUMIN_AT_LEAST_G_PER_L)
    three = beta2_microglobulin_mg_per_l >= STAGE_THREE_BETA2_AT_LEAST_MG_PER_L
    return np.select([one, three], [1.0, 3.0], 2.0)
