"""Exact competitive binding: a tracer displaced by a competitor, with nothing in excess."""

from __future__ import annotations

import numpy as np

from glueprint.curves.equilibria import competition_slopes
from glueprint.curves.models.model import Floats, Given, Model
from glueprint.curves.models.shapes import columns, concentration, plateau

__all__ = ["COMPETITION", "weigh"]


def weigh(fraction: Floats, brightness_ratio: Floats) -> tuple[Floats, Floats]:
    """Share of the light that bound tracer sends, and its derivative by the bound fraction.

    fraction: bound share of the tracer.   brightness_ratio: of bound over free tracer (Q).
    Source: intensities add, so anisotropies add by intensity; own derivation, docs/regression.md.
    """
    light = 1.0 + (brightness_ratio - 1.0) * fraction
    return brightness_ratio * fraction / light, brightness_ratio / light**2


def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """bottom + (top - bottom) w, where w is the bound share of the tracer, weighed by its brightness."""
    bottom, top, ki = columns(theta)
    tracer = given["tracer_nm"]
    exact = competition_slopes(
        given["protein_nm"], tracer, given["competitor_nm"], tracer_kd=given["tracer_kd_nm"], ki=ki
    )
    share, slope = weigh(exact.tracer_bound / tracer, given["brightness_ratio"])
    by_ki = (top - bottom) * slope * exact.by_ln_ki / (tracer * ki)
    return bottom + (top - bottom) * share, np.stack([1.0 - share, share, by_ki], axis=-1)


COMPETITION = Model(
    name="competition",
    title="exact competitive binding, all three partners depleted",
    inputs=("competitor_nm",),
    constants={"protein_nm": None, "tracer_nm": None, "tracer_kd_nm": None, "brightness_ratio": 1.0},
    parameters=(plateau("bottom"), plateau("top"), concentration("ki_nm", "nM", "competitor_nm", 20)),
    curve=curve,
)
