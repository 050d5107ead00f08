"""Curves of dose beside the logistic: Weibull, two sites, hormesis, and the bell of a bivalent degrader."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Given, Model, Parameter
from glueprint.curves.models.shapes import columns, concentration, ln_ratio, plateau, rise, slope

__all__ = ["BIPHASIC", "HOOK", "HORMESIS", "WEIBULL"]


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


def two_sites(theta: Floats, given: Given) -> tuple[Floats, Floats]:
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
    curve=two_sites,
    level="front",
)


def hormetic(theta: Floats, given: Given) -> tuple[Floats, Floats]:
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
    curve=hormetic,
    level="front",
)


def bell(theta: Floats, given: Given) -> tuple[Floats, Floats]:
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
    curve=bell,
    level="front",
)
