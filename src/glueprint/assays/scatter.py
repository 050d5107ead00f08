"""Dose-response fits of wells whose scatter grows with their signal. Kernel: arrays in, fits out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint import curves
from glueprint.curves import Fits, Status
from glueprint.curves.logistic import LOG10_DOSE, Floats, curve

__all__ = ["LEAST_DEGREES", "Linear", "Scattered", "Spread", "fit", "linear"]

# Fewer degrees of freedom between replicates of treated wells do not tell how scatter grows with signal.
LEAST_DEGREES = 5
# Scatter without signal over that of the control, down to about a hundredth of it, and the error of a dose (a
# share of it) over the coefficient of variation of the control: tried in all pairs.
FLOORS = 1.5 ** -np.arange(12.0)
DOSE_ERRORS = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0])
ROUNDS = 3
# No well may weigh less than this share of the heaviest, so that the weights stay numbers.
LEAST_WEIGHT = 1e-9
# A weighted fit leaves the effect test to the unweighted one: this level calls every curve.
ALWAYS = 1.0 - 1e-12
# Singular values below this share of the largest are a direction that the wells do not determine.
SINGULAR = 1e-10
LN10 = float(np.log(10.0))
# Degrees of freedom of the t whose tails forgive a bad well, after Lange and others; steps of its scale.
TAILS, EM_STEPS = 4.0, 8
# A reading that its curve follows has no residual to divide by.
LEAST_FREE = 1e-3

# From fitted responses (n, m) to signals over that of the control, and d response / d such signal (n, m).
Spread = Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Scattered:
    """fits: their data hold the weights.   floor, dose_error: (n,) members of `FLOORS` and `DOSE_ERRORS`, NaN
    where all wells weigh the same because too few replicates tell otherwise."""

    fits: Fits
    floor: Floats
    dose_error: Floats


@dataclass(frozen=True)
class Linear:
    """A fit as linear least squares sees it: mean (n, m), jacobian (n, m, 5) by `logistic.NAMES` with zeros
    at held parameters, inverse (n, 5, 5) of J'WJ."""

    mean: Floats
    jacobian: Floats
    inverse: Floats


def fit(
    dose: Floats,
    response: Floats,
    spread: Spread,
    *,
    model: str = "4pl",
    blur: Floats | None = None,
    heavy: bool = False,
    judge: Callable[[Fits], Fits] = lambda fits: fits,
    **options: Any,
) -> Scattered:
    """Fit a batch with weights 1/variance, the variance fitted to each curve by signal and steepness.

    sd^2 = scale (floor^2 + (1 - floor^2) signal^2 + dose_error^2 (d signal / d ln dose)^2) stretch^2.
    dose, response: (n, m) as in `curves.fit`.   spread: signal and stretch of a response.
    blur: (n, m) further standard deviation of wells of which only limits are known, 0 for all others.
    heavy: for tests of single wells and doses: the variance is that of replicates about their middle, with
    the tails of Student's t, so that neither a bad well nor a bad dose makes the scale that hides it.
    judge: the effect test, asked of the unweighted fits: without effect all wells scatter alike.
    model, options: of `curves.fit`.   Curves with too few replicates are fitted unweighted.
    Source: pseudo-likelihood, Davidian and Carroll 1987, doi 10.1080/01621459.1987.10478543; additive and
    proportional error, Rocke and Lorenzato 1995, doi 10.1080/00401706.1995.10484302; own derivation,
    docs/growth.md.
    """
    plain = curves.fit(model, dose, response, **options | {"intervals": False})
    told = _told(plain)
    blur = np.zeros_like(plain.problem.weights) if blur is None else blur
    weights = np.ones_like(blur)
    floor = dose_error = np.full(told.size, np.nan)
    fits = plain
    for _ in range(ROUNDS if told.any() else 0):
        told = told & (fits.status != Status.NOT_CONVERGED)
        found, shares = _weights(fits, spread, blur, heavy=heavy)
        weights = np.where(told[:, None], found, 1.0)
        floor, dose_error = (np.where(told, share, np.nan) for share in shares)
        fits = curves.fit(
            model, dose, response, weights=weights, alpha=ALWAYS, **options | {"intervals": False}
        )
    lost = fits.status == Status.NOT_CONVERGED
    weights[lost] = 1.0
    floor, dose_error = (np.where(lost, np.nan, share) for share in (floor, dose_error))
    fits = curves.fit(model, dose, response, weights=weights, alpha=ALWAYS, **options)
    return Scattered(_with_effects(fits, judge(plain)), floor, dose_error)


def linear(fits: Fits) -> Linear:
    """The linearised fits; a direction that the wells do not determine counts as held."""
    theta = np.nan_to_num(fits.theta)
    mean, jacobian = curve(theta, fits.problem.log10_dose)
    jacobian = np.where(np.isnan(fits.problem.pins), np.nan_to_num(jacobian), 0.0)
    normal = np.einsum("nmp,nm,nmq->npq", jacobian, fits.problem.weights, jacobian)
    scale = np.sqrt(np.einsum("npp->np", normal))
    scale = np.where(scale > 0.0, scale, 1.0)
    both = scale[:, :, None] * scale[:, None, :]
    return Linear(mean, jacobian, np.linalg.pinv(normal / both, rcond=SINGULAR, hermitian=True) / both)


def _told(plain: Fits) -> NDArray[np.bool_]:
    """Curves (n,) with an effect and replicates enough."""
    used = plain.problem.weights > 0.0
    vehicle = used & np.isneginf(plain.problem.log10_dose)
    treated = used.sum(axis=1) - vehicle.sum(axis=1)
    doses = plain.problem.distinct_doses - vehicle.any(axis=1)
    unfit = np.isin(plain.status, (Status.NO_EFFECT, Status.TURNS, Status.TOO_FEW_POINTS, Status.NO_DEGREES))
    return np.asarray((treated - doses >= LEAST_DEGREES) & ~unfit & (plain.dof > 0))


def _weights(
    fits: Fits, spread: Spread, blur: Floats, *, heavy: bool
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Weights (n, m) of the highest pseudo-likelihood, with its floor and dose error (n,).

    Residuals are scaled normal variables with 1 - leverage degrees of freedom each.
    """
    line = linear(fits)
    signal, stretch = spread(line.mean)
    steep = line.jacobian[..., LOG10_DOSE] / LN10 / stretch
    used = fits.problem.weights > 0.0
    sharp = used & (blur == 0.0)
    leverage = fits.problem.weights * np.einsum("nmp,npq,nmq->nm", line.jacobian, line.inverse, line.jacobian)
    free = np.where(sharp, np.clip(1.0 - leverage, 0.0, 1.0), 0.0)
    squares = np.where(sharp, (fits.problem.response - line.mean) ** 2, 0.0)
    if heavy:
        squares, free = _replicates(fits.problem.log10_dose, fits.problem.response, sharp, (squares, free))
    degrees = np.maximum(free.sum(axis=1), 1.0)
    best, shares = np.full(degrees.size, np.inf), np.full((2, degrees.size), np.nan)
    weights = np.ones_like(signal)
    for floor, error in product(FLOORS, DOSE_ERRORS):
        variance = (floor**2 + (1.0 - floor**2) * signal**2 + error**2 * steep**2) * stretch**2
        variance = np.where(used, np.maximum(variance, np.finfo(float).tiny), 1.0)
        share = squares / variance
        scale = np.maximum(share.sum(axis=1) / degrees, np.finfo(float).tiny)
        if heavy:
            scale, misfit = _heavy(share, free, scale)
        else:
            misfit = degrees
        deviance = degrees * np.log(scale) + (free * np.log(variance)).sum(axis=1) + misfit
        lower = deviance < best
        best[lower], shares[0, lower], shares[1, lower] = deviance[lower], floor, error
        weights[lower] = 1.0 / (variance + blur**2 / scale[:, None])[lower]
    most = np.where(used, weights, 0.0).max(axis=1, keepdims=True)
    return np.maximum(weights / most, LEAST_WEIGHT), (shares[0], shares[1])


def _replicates(
    log10_dose: Floats, response: Floats, sharp: NDArray[np.bool_], about_curve: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Squares (n, m) about the median of the replicates, and their degrees of freedom; about the curve where
    a dose has one well.

    A median is followed by the one well that is far off no more than by any other.
    """
    squares, free = (part.copy() for part in about_curve)
    for i in range(log10_dose.shape[0]):
        for level in np.unique(log10_dose[i, sharp[i]]):
            here = sharp[i] & (log10_dose[i] == level)
            count = int(here.sum())
            if count > 1:
                squares[i, here] = (response[i, here] - np.median(response[i, here])) ** 2
                free[i, here] = 1.0 - 1.0 / count
    return squares, free


def _heavy(share: Floats, free: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Scale (n,) and misfit (n,) of residuals of Student's t, by the EM steps of its likelihood.

    share: (n, m) squared residuals over their relative variance.   free: (n, m) degrees of freedom of each.
    Source: Lange, Little and Taylor 1989, doi 10.1080/01621459.1989.10478852.
    """
    degrees = np.maximum(free.sum(axis=1), 1.0)
    each = np.maximum(free, LEAST_FREE)
    for _ in range(EM_STEPS):
        pull = (TAILS + 1.0) / (TAILS + share / each / scale[:, None])
        scale = np.maximum((pull * share).sum(axis=1) / degrees, np.finfo(float).tiny)
    misfit = (free * (TAILS + 1.0) * np.log1p(share / each / scale[:, None] / TAILS)).sum(axis=1)
    return scale, misfit


def _with_effects(fits: Fits, judged: Fits) -> Fits:
    """Weighted estimates with the verdict of the unweighted effect test."""
    status = np.where(np.isin(judged.status, (Status.NO_EFFECT, Status.TURNS)), judged.status, fits.status)
    return replace(fits, status=status, effect_f=judged.effect_f, effect_p=judged.effect_p)
