"""One shape of standard curve fitted to weighted standards. Kernel: arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, minimize_scalar

from glueprint import curves
from glueprint.assays.elisa.shapes import FOUR, LINE, MIRRORED, POWER, Floats, Shape
from glueprint.curves import Plateau, Status

__all__ = ["Fitted", "NoPlateau", "Problem", "Weighting", "fit", "floor_of", "reweighted"]

REWEIGHTINGS = 20
SETTLED = 1e-8
# Logarithms of the asymmetry at which the search for the mirrored form begins.
STARTS = (-1.5, -0.5, 0.5, 1.5)
# Beyond a hundredfold the curve is its own limit, that of Gompertz, to within a hundredth of its height.
MOST_LN_ASYMMETRY = float(np.log(100.0))
# Standards that rise with more than the fifth power, or less than the fifth root, are no dilution series.
MOST_LN_POWER = float(np.log(5.0))


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
    if shape is LINE:
        theta = _line(x, y, weights)
    elif shape is POWER:
        theta = _power(x, y, weights)
    else:
        theta = _mirrored(x, y, weights) if shape is MIRRORED else _logistic(shape, x, y, weights)
    miss = y - shape.response(theta, x)
    return Fitted(shape, theta, float(np.sum(weights * miss**2)), weights, weighting)


def _line(x: Floats, y: Floats, weights: Floats) -> Floats:
    root = np.sqrt(weights)
    design = np.stack([root, root * x], axis=1)
    theta = np.linalg.lstsq(design, root * y, rcond=None)[0]
    if theta[1] == 0.0:
        raise Problem("the standards do not rise or fall with concentration")
    return np.asarray(theta)


def _power(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Front and rate are solved for every power; the power has one minimum between the bounds."""

    def with_power(ln_power: float) -> tuple[Floats, float]:
        theta = _line(x ** np.exp(ln_power), y, weights)
        return theta, float(np.sum(weights * (y - theta[0] - theta[1] * x ** np.exp(ln_power)) ** 2))

    found = minimize_scalar(
        lambda ln_power: with_power(ln_power)[1], bounds=(-MOST_LN_POWER, MOST_LN_POWER), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    return np.append(with_power(float(found.x))[0], float(found.x))


def _mirrored(x: Floats, y: Floats, weights: Floats) -> Floats:
    """The mirrored five parameters, from the four-parameter fit with several asymmetries."""
    begin, root = _logistic(FOUR, x, y, weights), np.sqrt(weights)
    best: Floats | None = None
    least, limit = np.inf, np.array([np.inf, np.inf, np.inf, np.inf, MOST_LN_ASYMMETRY])
    for asymmetry in STARTS:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            found = least_squares(
                lambda theta: np.nan_to_num(root * (MIRRORED.response(theta, x) - y), nan=1e6),
                np.append(begin, asymmetry),
                lambda theta: np.nan_to_num(root[:, None] * MIRRORED.gradient(theta, x)),
                bounds=(-limit, limit), x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=2000,
            )  # fmt: skip
        if found.success and found.cost < least:
            best, least = np.asarray(found.x), found.cost
    if best is None:
        raise Problem("the fit of 5pl-mirrored did not converge; try 4pl or 5pl")
    return best


def _logistic(shape: Shape, x: Floats, y: Floats, weights: Floats) -> Floats:
    fits = curves.fit(shape.name, x, y, weights=weights, intervals=False)
    status = Status(int(fits.status[0]))
    unseen = int(fits.plateau[0]) == Plateau.OUT_OF_SIGHT
    if unseen or status == Status.NOT_CONVERGED:
        why = "no far plateau was reached" if unseen else fits.reasons[0]
        raise NoPlateau(f"{why}; try the model power if no far plateau is in sight")
    if status in (Status.TOO_FEW_POINTS, Status.NO_EFFECT):
        raise Problem(fits.reasons[0])
    return np.asarray(fits.theta[0, : len(shape.parameters)])
