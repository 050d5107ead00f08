"""Weibull's curve of type 1, for effects that begin steeply and end slowly."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Given, Model
from glueprint.curves.models.shapes import columns, concentration, ln_ratio, plateau, slope

__all__ = ["WEIBULL"]


def weibull(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """back + (front - back) exp(-(x / scale)^s); the scale leaves exp(-1) of the effect and is no EC50."""
    front, back, scale, steep = columns(theta)
    ln = ln_ratio(given["dose"], scale)
    with np.errstate(over="ignore"):
        power = np.exp(steep * ln)
    left = np.exp(-power)
    # left falls faster than the power grows: where the power overflows their product is 0.
    bend = (front - back) * np.where(left > 0.0, left * np.where(left > 0.0, power, 0.0), 0.0)
    by_slope = -bend * np.where(np.isfinite(ln), ln, 0.0)
    jacobian = np.stack([left, 1.0 - left, bend * steep / scale, by_slope], axis=-1)
    return back + (front - back) * left, jacobian


WEIBULL = Model(
    name="weibull",
    title="Weibull type 1 (drc's W1.4)",
    inputs=("dose",),
    parameters=(plateau("front"), plateau("back"), concentration("scale", "", "dose", 10), slope()),
    curve=weibull,
    level="front",
)
