"""Draws of the in-vitro posterior judged once more, by the claims, priors and model as they are here."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glueprint import evidence
from glueprint.calibration.in_vitro.claims import data
from glueprint.calibration.in_vitro.likelihood import minus_log_posterior
from glueprint.calibration.in_vitro.parameters import ASSAYS, beliefs, free
from glueprint.calibration.in_vitro.potencies import PARTS
from glueprint.calibration.in_vitro.result import InVitroPosterior

__all__ = ["recomputed"]

Floats = NDArray[np.float64]
# Standard normal numbers: beyond these ends no walker of a posterior stays. The grid is fine enough for draws
# that are kept in single precision.
GRID = np.linspace(-8.0, 8.0, 160_001)


def recomputed(found: InVitroPosterior, count: int = 20) -> tuple[Floats, Floats]:
    """The minus log posterior of some draws, as it was kept and as it is computed here.

    count: how many draws, evenly spaced.   Returns two arrays (count,).
    """
    draws = found.draws.gather_every(max(found.draws.height // count, 1)).head(count)
    priors = beliefs()
    columns = [_standard(priors[name].value(GRID), draws[name].to_numpy()) for name in free()]
    columns += [np.log10(draws[f"{name}_constant_nm"].to_numpy().astype(float)) for name in ASSAYS]
    columns += [np.log10(draws[f"shown:{part.claim_id}"].to_numpy().astype(float)) for part in PARTS]
    vectors = np.column_stack(columns)
    kept = draws["minus_log_posterior"].to_numpy().astype(float)
    return kept, minus_log_posterior(vectors, data(evidence.load()))


def _standard(values: Floats, wanted: Floats) -> Floats:
    """Where a prior's values, which rise or fall along GRID, are those wanted."""
    falls = any(b < a for a, b in pairwise(values[[0, -1]]))
    return np.interp(wanted, values[::-1], GRID[::-1]) if falls else np.interp(wanted, values, GRID)
