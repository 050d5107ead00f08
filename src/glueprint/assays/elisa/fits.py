"""One shape of standard curve fitted to weighted standards. Kernel: arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glueprint import curves
from glueprint.assays.elisa.shapes import FIVE, FOUR, LINE, MIRRORED, Floats, Shape
from glueprint.curves import Model, Parameter, Plateau, Status

__all__ = ["Fitted", "NoPlateau", "Problem", "Weighting", "fit", "floor_of", "reweighted"]

REWEIGHTINGS = 20
SETTLED = 1e-8
# Logarithms of the asymmetry at which the search for the mirrored form begins.
STARTS = (-1.5, -0.5, 0.5, 1.5)
# Beyond a hundredfold the curve is its own limit, that of Gompertz, to within a hundredth of its height.
MOST_LN_ASYMMETRY = float(np.log(100.0))
# Standards that rise with more than the fifth power, or less than the fifth root, are no dilution series.
MOST_LN_POWER = float(np.log(5.0))
GRID = tuple(np.linspace(-MOST_LN_POWER, MOST_LN_POWER, 9).tolist())


class Problem(Exception):  # noqa: N818 - a status of one plate, never shown as an error
    """Why a plate has no standard curve; its text is the message of a finding."""


class NoPlateau(Problem):
    """The logistic has no best fit: its far plateau runs out of sight."""


@dataclass(frozen=True)
class Weighting:
    """Weights of 1/mean^power, and in words where they come from."""

    power: float
    text: str


@dataclass(frozen=True)
class Fitted:
    """One model fitted with one set of weights."""

    shape: Shape
    theta: Floats
    rss: float
    weights: Floats
    weighting: Weighting


def reweighted(shape: Shape, x: Floats, y: Floats, weighting: Weighting) -> Fitted:
    """Fit, weigh by the fitted means, and fit again until the weights settle."""
    weights = np.ones_like(y)
    fitted = fit(shape, x, y, weights, weighting)
    if weighting.power == 0.0:
        return fitted
    floor = floor_of(y)
    for _ in range(REWEIGHTINGS):
        mean = np.maximum(shape.response(fitted.theta, x), floor)
        renewed = mean**-weighting.power
        change = float(np.max(np.abs(np.log(renewed / weights))))
        weights = renewed
        fitted = fit(shape, x, y, weights, weighting)
        if change < SETTLED:
            break
    return fitted


def floor_of(y: Floats) -> float:
    """The least mean that a weight may use: a blank read as zero or less must not weigh without bound."""
    positive = y[y > 0.0]
    return float(positive.min()) if positive.size else 1.0


def fit(shape: Shape, x: Floats, y: Floats, weights: Floats, weighting: Weighting) -> Fitted:
    """One fit with given weights.

    x, y, weights: (n,) concentrations, signals and weights of the standards.   weighting: where the weights
    are from.
    Raises Problem where the shape cannot be fitted.
    """
    levels = np.unique(x).size
    if levels < len(shape.parameters):
        raise Problem(f"{levels} standard levels for the {len(shape.parameters)} parameters of {shape.name}")
    if np.ptp(y) == 0.0:
        raise Problem("all standards have the same signal")
    if shape in (FOUR, FIVE):
        theta = _logistic(shape, x, y, weights)
    else:
        begin = _logistic(FOUR, x, y, weights) if shape is MIRRORED else None
        theta = _descended(shape, (x, y, weights), begin)
    if shape is LINE and theta[1] == 0.0:
        raise Problem("the standards do not rise or fall with concentration")
    miss = y - shape.response(theta, x)
    return Fitted(shape, theta, float(np.sum(weights * miss**2)), weights, weighting)


def _descended(shape: Shape, data: tuple[Floats, Floats, Floats], begin: Floats | None) -> Floats:
    """Any other shape by the general descent: the mirrored form from the four-parameter fit with several
    asymmetries, line and power from a grid of powers with the rest solved."""
    x, y, weights = data
    limits = {"ln_power": MOST_LN_POWER, "ln_asymmetry": MOST_LN_ASYMMETRY}
    starts = None
    if begin is not None:
        starts = dict(zip(shape.parameters, (*begin, STARTS), strict=True))
    model = Model(
        shape.name,
        shape.name,
        ("x",),
        tuple(
            Parameter(name, grid=GRID, reach=(-limits[name], limits[name]))
            if name in limits
            else Parameter(name, linear=begin is None)
            for name in shape.parameters
        ),
        lambda theta, given: (
            np.stack([shape.response(one, at) for one, at in zip(theta, given["x"], strict=True)]),
            np.stack([shape.gradient(one, at) for one, at in zip(theta, given["x"], strict=True)]),
        ),
    )
    found = curves.fit(model, x, y, weights=weights, start=starts, searches=0, intervals=False)
    if found.status[0] in (Status.NOT_CONVERGED, Status.TOO_FEW_POINTS):
        raise Problem(f"the fit of {shape.name} did not converge; try 4pl or 5pl")
    return np.asarray(found.theta[0])


def _logistic(shape: Shape, x: Floats, y: Floats, weights: Floats) -> Floats:
    fits = curves.fit(shape.name, x, y, weights=weights, intervals=False)
    status = Status(int(fits.status[0]))
    unseen = int(fits.plateau[0]) == Plateau.OUT_OF_SIGHT
    if unseen or status == Status.NOT_CONVERGED:
        why = "no far plateau was reached" if unseen else fits.reasons[0]
        raise NoPlateau(f"{why}; try the model power if no far plateau is in sight")
    if status in (Status.TOO_FEW_POINTS, Status.NO_EFFECT, Status.TURNS):
        raise Problem(fits.reasons[0])
    return np.asarray(fits.theta[0, : len(shape.parameters)])
