"""Fit the standard curve: model, weights, errors and the evidence for a fifth parameter. Kernel: arrays
only."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from glueprint.assays.elisa import variance
from glueprint.assays.elisa.fits import Fitted, NoPlateau, Problem, Weighting, fit, floor_of, reweighted
from glueprint.assays.elisa.shapes import FIVE, FOUR, MIRRORED, POWER, SHAPES, Floats, Shape
from glueprint.curves.evidence import aicc, f_test, lack_of_fit

__all__ = ["Calibration", "Problem", "calibrate"]

# A fifth parameter must earn its place: a wrong 5PL extrapolates worse than a wrong 4PL.
EVIDENCE_LEVEL = 0.01
# Singular values below this share of the largest are a direction that the standards do not determine.
SINGULAR = 1e-10


@dataclass(frozen=True)
class Calibration:
    """A fitted standard curve.

    theta: (p,) in the order of `shape.parameters`; covariance: (p, p).   response: "linear" or "log10"
    signal.
    variance of one well at mean y: sigma2 y^power (power 0 on the log scale), with `dof` degrees of freedom.
    weighting: what was done, in words.   rss: weighted residual sum of squares of the standards.
    lowest, highest: standards above zero.   lack_of_fit_p: residuals against replicates, NaN without
    replicates.
    evidence: f, p, aicc_4pl, aicc_5pl where both were fitted.   r_squared: on the weighted signal.
    """

    shape: Shape
    theta: Floats
    covariance: Floats
    response: str
    power: float
    weighting: str
    sigma2: float
    dof: int
    rss: float
    points: int
    lowest: float
    highest: float
    floor: float
    r_squared: float
    lack_of_fit_p: float
    evidence: Mapping[str, float] = field(default_factory=dict)

    def mean(self, x: Floats) -> Floats:
        """Expected signal (n,), on the scale of the fit, at concentrations x (n,)."""
        return self.shape.response(self.theta, x)

    def well_variance(self, y: Floats) -> Floats:
        """Variance (n,) of one well whose expected signal is y (n,), both on the scale of the fit."""
        if self.power == 0.0:
            return np.full_like(y, self.sigma2)
        return np.asarray(self.sigma2 * np.maximum(y, self.floor) ** self.power)

    def curve_variance(self, x: Floats) -> Floats:
        """Variance (n,) of the fitted curve at x (n,): g' V g."""
        gradient = self.shape.gradient(self.theta, x)
        # On a ridge rounding may leave a small negative number where the variance is zero.
        return np.asarray(np.maximum(np.einsum("np,pq,nq->n", gradient, self.covariance, gradient), 0.0))

    def invert(self, y: Floats) -> Floats:
        """Concentrations (n,) of signals y (n,) on the scale of the fit; NaN at or beyond an asymptote."""
        return self.shape.inverse(self.theta, y)


def calibrate(
    x: Floats,
    y: Floats,
    *,
    replicates: tuple[Floats, Floats],
    model: str = "auto",
    weights: str = "replicates",
    response: str = "linear",
) -> Calibration:
    """Fit standards and choose the model.

    x: (n,) concentrations, zero allowed.   y: (n,) signals on the scale of the fit (log10 if `response` says
    so).
    replicates: signal (m,) and group number (m,) of wells that are no standards, on the same scale; wells of
    one group
    are technical replicates and sharpen the variance.
    model, weights, response: as in `Settings`.
    Raises Problem where no curve can be fitted.
    Source: 4PL by default and 5PL on evidence: Findlay and Dillard 2007, doi 10.1208/aapsj0902029; AICc:
    Hurvich and
    Tsai 1989, doi 10.1093/biomet/76.2.297.
    """
    weighting = _variance(_all_groups(x, y, replicates), weights, response)
    task = (x, y, weighting)
    if model == "auto":
        best, evidence = _with_evidence(*task)
    else:
        best, evidence = reweighted(SHAPES[model], *task), {}
    return _finished(best, (x, y), replicates, response=response, evidence=evidence)


def _all_groups(x: Floats, y: Floats, replicates: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Signals and group numbers of the standards, by level, and of all other replicates."""
    found, level = np.unique(x, return_inverse=True)
    others = replicates[1] + found.size
    return np.concatenate([y, replicates[0]]), np.concatenate([level.astype(float), others])


def _variance(replicates: tuple[Floats, Floats], weights: str, response: str) -> Weighting:
    if weights == "none":
        return Weighting(0.0, "none")
    if weights == "1/y2":
        return Weighting(2.0, "1/y^2, y fitted")
    if response == "log10":
        return Weighting(0.0, "none: the logarithm has constant variance")
    found = variance.fit_power(*replicates)
    if found is None:
        return Weighting(0.0, "none: too few replicates with scatter to fit a variance power")
    text = (
        f"1/y^{found.power:.3g}, variance power of {found.groups} groups, {found.degrees} degrees of freedom"
    )
    return Weighting(found.power, text)


def _with_evidence(x: Floats, y: Floats, weighting: Weighting) -> tuple[Fitted, dict[str, float]]:
    """4PL; 5PL if F test and AICc both prefer it under the weights of the 4PL; without an upper plateau in
    sight the power law, which is the limit of the 4PL."""
    try:
        four = reweighted(FOUR, x, y, weighting)
    except NoPlateau:
        return reweighted(POWER, x, y, weighting), {}
    dof = x.size - len(FIVE.parameters)
    if np.unique(x).size <= len(FIVE.parameters) or dof < 1 or four.rss <= 0.0:
        return four, {}
    fives = []
    for shape in (FIVE, MIRRORED):
        with suppress(Problem):
            fives.append(fit(shape, x, y, four.weights, weighting))
    if not fives:
        return four, {}
    five = min(fives, key=lambda fitted: fitted.rss)
    ratio, once = f_test(four.rss - five.rss, 1, five.rss, dof)
    # The better of two forms was taken, so its p value counts twice.
    p = min(1.0, len(fives) * float(once))
    scores = {
        f"aicc_{name}": aicc(fitted.rss, x.size, fitted.theta.size)
        for name, fitted in (("4pl", four), ("5pl", five))
    }
    evidence = {"f": float(ratio), "p": p, **scores}
    if p < EVIDENCE_LEVEL and evidence["aicc_5pl"] < evidence["aicc_4pl"]:
        return reweighted(five.shape, x, y, weighting), evidence
    return four, evidence


def _finished(
    best: Fitted,
    known: tuple[Floats, Floats],
    replicates: tuple[Floats, Floats],
    *,
    response: str,
    evidence: Mapping[str, float],
) -> Calibration:
    """Errors of the curve, and one variance for standards and samples unless the curve fits badly."""
    x, y = known
    dof = x.size - best.theta.size
    if dof < 1:
        raise Problem(f"{x.size} standard wells leave no degree of freedom to {best.shape.name}")
    floor = floor_of(y)
    lack, (within, spare) = _lack_of_fit(best, x, y), _within(best, replicates, floor)
    own = max(best.rss / dof, np.finfo(float).tiny)
    sigma2, degrees = own, dof
    # Replicates of samples sharpen the variance only as long as the standards agree with it.
    if not lack < EVIDENCE_LEVEL and spare > 0:
        sigma2, degrees = (best.rss + within) / (dof + spare), dof + spare
    root = np.sqrt(best.weights)
    total = float(np.sum(best.weights * (y - np.average(y, weights=best.weights)) ** 2))
    return Calibration(
        shape=best.shape,
        theta=best.theta,
        covariance=_covariance(root[:, None] * best.shape.gradient(best.theta, x)) * sigma2,
        response=response,
        power=best.weighting.power,
        weighting=best.weighting.text,
        sigma2=sigma2,
        dof=degrees,
        rss=best.rss,
        points=x.size,
        lowest=float(x[x > 0.0].min()),
        highest=float(x.max()),
        floor=floor,
        r_squared=1.0 - best.rss / total if total > 0.0 else float("nan"),
        lack_of_fit_p=lack,
        evidence=evidence,
    )


def _lack_of_fit(best: Fitted, x: Floats, y: Floats) -> float:
    """p of the F test of the curve against the means of its standards; NaN without replicates or spare
    levels."""
    return lack_of_fit(x, y, best.rss, x.size - best.theta.size, best.weights).p


def _within(best: Fitted, replicates: tuple[Floats, Floats], floor: float) -> tuple[float, int]:
    """Weighted sum of squares within replicate groups that are no standards, and its degrees of freedom."""
    if not replicates[0].size:
        return 0.0, 0
    mean, squares, degrees = variance.pooled(*replicates)
    return float(np.sum(squares * np.maximum(mean, floor) ** -best.weighting.power)), int(degrees.sum())


def _covariance(design: Floats) -> Floats:
    """inv(J'J) by singular values of the scaled Jacobian; undetermined directions get no false precision."""
    scale = np.sqrt(np.sum(design**2, axis=0))
    scale = np.where(scale > 0.0, scale, 1.0)
    _, singular, right = np.linalg.svd(design / scale, full_matrices=False)
    inverse = 1.0 / np.maximum(singular, SINGULAR * singular[0])
    half = right.T * inverse / scale[:, None]
    return np.asarray(half @ half.T)
