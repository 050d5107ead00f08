"""The logistic family: four and five parameters, and what Hill's and the plain binding curve hold of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glueprint.curves import logistic
from glueprint.curves.logistic import LN10, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE
from glueprint.curves.models.model import Floats, Given, Model, Parameter
from glueprint.curves.models.shapes import concentration, plateau, slope

__all__ = ["FIVE", "FOUR", "HILL", "THREE"]

ASYMMETRIES = (0.02, 50.0)


def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """`logistic.curve` in natural units: front, back, ec50, slope, asymmetry."""
    fitted = theta.copy()
    fitted[:, LOG10_DOSE] = np.log10(theta[:, LOG10_DOSE])
    fitted[:, LN_SLOPE:] = np.log(theta[:, LN_SLOPE:])
    with np.errstate(divide="ignore"):
        log10_dose = np.log10(given["dose"])
    y, jacobian = logistic.curve(fitted, log10_dose)
    per = np.ones_like(theta)
    per[:, LOG10_DOSE] = LN10 * theta[:, LOG10_DOSE]
    per[:, LN_SLOPE], per[:, LN_ASYMMETRY] = theta[:, LN_SLOPE], theta[:, LN_ASYMMETRY]
    return y, jacobian / per[:, None, :]


def _model(
    name: str, title: str, front: float | None = None, steep: float | None = None, bend: float | None = 1.0
) -> Model:
    """The curve with some parameters held: at `front`, the slope at `steep`, the asymmetry at `bend`."""
    asymmetry = Parameter("asymmetry", "", "ln", grid=(0.25, 1.0, 4.0), reach=ASYMMETRIES, default=bend)
    parameters = (
        plateau("front", default=front),
        plateau("back"),
        concentration("ec50", "", "dose", 10),
        replace(slope(default=steep), scale="ln"),
        asymmetry,
    )
    return Model(name, title, ("dose",), parameters, curve, level="front", fast=True)


FOUR = _model("4pl", "four-parameter logistic")
THREE = _model("3pl", "three-parameter logistic, slope 1", steep=1.0)
FIVE = _model("5pl", "five-parameter logistic, asymmetric", bend=None)
HILL = _model("hill", "Hill curve, which begins at 0", front=0.0)
