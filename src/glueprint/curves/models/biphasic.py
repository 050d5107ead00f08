"""Two sites: a fall in two steps, each of the slope of simple binding."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Given, Model, Parameter
from glueprint.curves.models.shapes import columns, concentration, plateau, rise, slope

__all__ = ["BIPHASIC"]


def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """front + (back - front) (f u + (1 - f) v), u = x^s/(x^s + ec50^s), v the same at ratio ec50."""
    front, back, ec50, ratio, first, steep = columns(theta)
    up, up_by_half, up_by_slope = rise(given["dose"], ec50, steep)
    late, late_by_half, late_by_slope = rise(given["dose"], ec50 * ratio, steep)
    share, depth, rest = first * up + (1.0 - first) * late, back - front, 1.0 - first
    jacobian = [
        1.0 - share,
        share,
        depth * (first * up_by_half + rest * late_by_half * ratio),
        depth * rest * late_by_half * ec50,
        depth * (up - late),
        depth * (first * up_by_slope + rest * late_by_slope),
    ]
    return front + depth * share, np.stack(jacobian, axis=-1)


BIPHASIC = Model(
    name="biphasic",
    title="two sites, the second at ratio times the EC50 of the first",
    inputs=("dose",),
    parameters=(
        plateau("front"),
        plateau("back"),
        concentration("ec50", "", "dose", 8),
        # Below 1 the two steps change places and describe the same curves again.
        Parameter("ratio", "", "log10", grid=(10.0, 100.0, 1e3, 1e4), reach=(1.0, 1e8)),
        Parameter("first", "", grid=(0.25, 0.5, 0.75), reach=(0.0, 1.0)),
        slope((1.0,), default=1.0),
    ),
    curve=curve,
    level="front",
)
