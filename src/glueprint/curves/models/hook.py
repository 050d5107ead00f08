"""The bell curve of a bivalent degrader: at high dose the two binary complexes split the ternary one."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Given, Model, Parameter
from glueprint.curves.models.shapes import columns, concentration, plateau, rise, slope

__all__ = ["HOOK"]


def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """front + (back - front) u (1 - v), u = x^s/(x^s + ec50^s), v = the same at hook = window ec50.

    With slope 1 this is the ternary complex in an excess of the degrader without cooperativity.
    Source: own derivation, docs/regression.md, after the equilibrium of Douglass et al. 2013,
    doi 10.1021/ja311795d.
    """
    front, back, ec50, window, steep = columns(theta)
    up, up_by_half, up_by_slope = rise(given["dose_nm"], ec50, steep)
    lost, lost_by_hook, lost_by_slope = rise(given["dose_nm"], ec50 * window, steep)
    kept, depth = 1.0 - lost, back - front
    bell = up * kept
    by_ec50 = up_by_half * kept - up * lost_by_hook * window
    by_slope = up_by_slope * kept - up * lost_by_slope
    jacobian = [1.0 - bell, bell, depth * by_ec50, -depth * up * lost_by_hook * ec50, depth * by_slope]
    return front + depth * bell, np.stack(jacobian, axis=-1)


HOOK = Model(
    name="hook",
    title="bell-shaped curve of a bivalent degrader",
    inputs=("dose_nm",),
    parameters=(
        plateau("front"),
        plateau("back"),
        concentration("ec50_nm", "nM", "dose_nm", 10),
        # Below 1 the two limbs change places and describe the same curves again.
        Parameter("window", "", "log10", grid=(3.0, 30.0, 300.0, 3e3, 3e4), reach=(1.0, 1e8)),
        slope((1.0,), default=1.0),
    ),
    curve=curve,
    level="front",
)
