"""Brain-Cousens hormesis: a stimulus at low dose before the fall."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Given, Model, Parameter
from glueprint.curves.models.shapes import columns, concentration, plateau, rise, slope

__all__ = ["HORMESIS"]


def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """back + (front - back + stimulus x) / (1 + (x / scale)^s); the scale is not the EC50.

    Source: Brain and Cousens 1989, doi 10.1111/j.1365-3180.1989.tb00864.x, in the parameters of drc's BC.5.
    """
    front, back, scale, steep, stimulus = columns(theta)
    dose = given["dose"]
    gone, by_scale, by_slope = rise(dose, scale, steep)
    left = 1.0 - gone
    height = front - back + stimulus * dose
    jacobian = [left, gone, -height * by_scale, -height * by_slope, dose * left]
    return back + height * left, np.stack(jacobian, axis=-1)


HORMESIS = Model(
    name="hormesis",
    title="Brain-Cousens hormesis (drc's BC.4)",
    inputs=("dose",),
    parameters=(
        plateau("front"),
        plateau("back", default=0.0),
        concentration("scale", "", "dose", 16),
        slope((1.2, 2.0, 4.0)),
        Parameter("stimulus", linear=True),
    ),
    curve=curve,
    level="front",
)
