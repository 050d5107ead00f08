"""How a dose falls under its rules: to the next lower level, or by a step. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol.rules_document import Reductions

__all__ = ["ROUNDING", "ladder", "lower_dose"]

Floats = NDArray[np.float64]

# Steps of tenths do not add up exactly: 0.3 mg less 0.1 mg is still 0.2 mg.
ROUNDING = 1e-9


def lower_dose(reductions: Reductions, dose_mg: Floats) -> Floats:
    """(n,) the next lower dose, mg, of doses (n,): the next lower level, or a step less; 0 below the
    lowest level. Steps know no lowest dose here."""
    if reductions.levels_mg:
        rising = np.array([0.0, *reversed(reductions.levels_mg)])
        below = np.searchsorted(rising, dose_mg * (1.0 - ROUNDING), side="left") - 1
        return np.asarray(rising[np.maximum(below, 0)])
    if reductions.step_mg is not None:
        lower = dose_mg - reductions.step_mg
    else:
        lower = dose_mg * (1.0 - (reductions.step_percent or 0.0) / 100.0)
    first_mg = reductions.first_mg
    return np.asarray(lower if first_mg is None else np.where(dose_mg > first_mg, first_mg, lower))


def ladder(reductions: Reductions, start_mg: float) -> tuple[float, ...]:
    """The doses through which a starting dose falls, mg, itself first and the lowest last."""
    doses, least_mg = [start_mg], reductions.least_mg
    while doses[-1] > least_mg * (1.0 + ROUNDING):
        lower = float(lower_dose(reductions, np.array([doses[-1]]))[0])
        if lower < least_mg * (1.0 - ROUNDING):
            if reductions.at_lowest == "stop":
                break
            lower = least_mg
        doses.append(lower)
    return tuple(doses)
