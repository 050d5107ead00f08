"""Saturation of a tracer by protein: with depletion of the protein by the tracer, and without."""

from __future__ import annotations

import numpy as np

from glueprint.curves.equilibria import binary_slopes
from glueprint.curves.models.competition import weigh
from glueprint.curves.models.model import Floats, Given, Model
from glueprint.curves.models.shapes import columns, concentration, plateau, rise

__all__ = ["HYPERBOLA", "SATURATION"]


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
