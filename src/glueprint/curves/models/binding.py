"""Binding: a tracer displaced by a competitor, and its saturation by protein, with depletion and without."""

from __future__ import annotations

import numpy as np

from glueprint.curves.equilibria import binary_slopes, competition_slopes
from glueprint.curves.models.model import Floats, Given, Model
from glueprint.curves.models.shapes import columns, concentration, plateau, rise

__all__ = ["COMPETITION", "HYPERBOLA", "SATURATION", "weigh"]


def weigh(fraction: Floats, brightness_ratio: Floats) -> tuple[Floats, Floats]:
    """Share of the light that bound tracer sends, and its derivative by the bound fraction.

    fraction: bound share of the tracer.   brightness_ratio: of bound over free tracer (Q).
    Source: intensities add, so anisotropies add by intensity; own derivation, docs/regression.md.
    """
    light = 1.0 + (brightness_ratio - 1.0) * fraction
    return brightness_ratio * fraction / light, brightness_ratio / light**2


def competitive(theta: Floats, given: Given) -> tuple[Floats, Floats]:
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
    curve=competitive,
)


def depleting(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """bottom + (top - bottom) w, where w is the bound share of the tracer, weighed by its brightness."""
    bottom, top, kd = columns(theta)
    tracer = given["tracer_nm"]
    bound, _, _, by_ln_kd = binary_slopes(given["protein_nm"], tracer, kd)
    share, slope = weigh(bound / tracer, given["brightness_ratio"])
    by_kd = (top - bottom) * slope * by_ln_kd / (tracer * kd)
    return bottom + (top - bottom) * share, np.stack([1.0 - share, share, by_kd], axis=-1)


def plain(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """bottom + (top - bottom) x / (kd + x): right only while the tracer is far below Kd."""
    bottom, top, kd = columns(theta)
    share, by_kd, _ = rise(given["protein_nm"], kd, np.ones_like(kd))
    return bottom + (top - bottom) * share, np.stack([1.0 - share, share, (top - bottom) * by_kd], axis=-1)


PARAMETERS = (plateau("bottom"), plateau("top"), concentration("kd_nm", "nM", "protein_nm", 20))

SATURATION = Model(
    name="saturation",
    title="saturation with ligand depletion (quadratic)",
    inputs=("protein_nm",),
    constants={"tracer_nm": None, "brightness_ratio": 1.0},
    parameters=PARAMETERS,
    curve=depleting,
)
HYPERBOLA = Model(
    name="hyperbola",
    title="saturation without depletion (hyperbola)",
    inputs=("protein_nm",),
    parameters=PARAMETERS,
    curve=plain,
)
