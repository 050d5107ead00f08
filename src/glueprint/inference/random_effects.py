"""One mean over studies that differ by more than their own errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtri, stdtrit

from glueprint.errors import InputError
from glueprint.inference.mode import Floats

# Estimates that differ by less than this share are equal but for rounding.
ROUNDING = 8.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class RandomEffects:
    """The hierarchical mean and how the studies scatter around it, on the scale of the estimates.

    mean, std_error, interval: of the mean (Hartung-Knapp, t with k - 1 degrees of freedom).
    tau, tau_interval: standard deviation between studies (Q-profile).   prediction: for one more study.
    weights: (k,) share of each study in the mean.   q: heterogeneity statistic on k - 1 degrees of freedom.
    """

    mean: float
    std_error: float
    interval: tuple[float, float]
    tau: float
    tau_interval: tuple[float, float]
    prediction: tuple[float, float]
    weights: Floats
    q: float
    method: str
    level: float


def random_effects(
    estimates: ArrayLike, standard_errors: ArrayLike, *, method: str = "REML", level: float = 0.95
) -> RandomEffects:
    """Mean of studies with a between-study standard deviation.

    estimates: (k,) k >= 2, any unit.   standard_errors: (k,) same unit, >= 0; 0 says that the study's own
    error is unknown or lost, and leaves all its scatter to tau.
    method: "REML" (restricted maximum likelihood) or "DL" (DerSimonian-Laird).
    Returns RandomEffects.
    Raises InputError GP-I003 for estimates and errors, GP-I004 for options.
    Source: DerSimonian and Laird 1986, doi:10.1016/0197-2456(86)90046-2; Viechtbauer 2005,
    doi:10.3102/10769986030003261 (REML), 2007, doi:10.1002/sim.2514 (Q-profile); Hartung and Knapp 2001,
    doi:10.1002/sim.791.
    """
    y, variance = _studies(estimates, standard_errors)
    if method not in ("REML", "DL") or not 0 < level < 1:
        raise InputError(
            "GP-I004",
            f"method {method!r} with level {level!r}",
            where="method",
            expected='"REML" or "DL", and a level between 0 and 1',
            next_step='use "REML" unless a comparison asks for DerSimonian-Laird',
        )
    tau2 = _restricted_likelihood(y, variance) if method == "REML" else _moments(y, variance)
    k = y.size
    weights = _weights(variance, tau2)
    mean = float(weights @ y)
    std_error = float(np.sqrt(weights @ (y - mean) ** 2 / (k - 1)))
    t = float(stdtrit(k - 1, 0.5 + level / 2))
    ahead = t * float(np.sqrt(tau2 + std_error**2))
    return RandomEffects(
        mean=mean,
        std_error=std_error,
        interval=(mean - t * std_error, mean + t * std_error),
        tau=float(np.sqrt(tau2)),
        tau_interval=_q_profile(y, variance, level),
        prediction=(mean - ahead, mean + ahead),
        weights=weights,
        q=_q(y, variance, 0.0) if (variance > 0).all() else float("nan"),
        method=method,
        level=level,
    )


def _studies(estimates: ArrayLike, standard_errors: ArrayLike) -> tuple[Floats, Floats]:
    y, error = np.asarray(estimates, dtype=np.float64), np.asarray(standard_errors, dtype=np.float64)
    fits = y.ndim == 1 and y.shape == error.shape and y.size >= 2
    if not fits or not np.isfinite(y).all() or not np.isfinite(error).all() or (error < 0).any():
        raise InputError(
            "GP-I003",
            f"{y.size} estimates with {error.size} standard errors",
            where="estimates",
            expected="two or more finite estimates, each with a finite standard error >= 0",
            next_step="give 0 where a study printed no error; one study alone has no scatter to learn from",
        )
    return y, error**2


def _weights(variance: Floats, tau2: float) -> Floats:
    total = variance + tau2
    if (total == 0).any():
        # Studies without any error, and no scatter between them: they share the mean.
        share = (total == 0).astype(np.float64)
        return np.asarray(share / share.sum())
    weights = 1 / total
    return np.asarray(weights / weights.sum())


def _q(y: Floats, variance: Floats, tau2: float) -> float:
    """Weighted scatter around the weighted mean."""
    weights = 1 / (variance + tau2)
    mean = weights @ y / weights.sum()
    return float(weights @ (y - mean) ** 2)


def _moments(y: Floats, variance: Floats) -> float:
    if (variance == 0).any():
        raise InputError(
            "GP-I003",
            "a standard error is 0",
            where="standard_errors",
            expected="positive standard errors for DerSimonian-Laird",
            next_step='use method "REML", which takes a study without an error',
        )
    w = 1 / variance
    excess = _q(y, variance, 0.0) - (y.size - 1)
    return max(0.0, float(excess / (w.sum() - (w**2).sum() / w.sum())))


def _restricted_likelihood(y: Floats, variance: Floats) -> float:
    """Between-study variance at the highest point of the restricted likelihood."""
    spread = float(np.var(y, ddof=1))
    # Studies that differ by rounding alone do not differ.
    if np.sqrt(spread) <= ROUNDING * float(np.abs(y).max()):
        return 0.0
    # The restricted likelihood may have several hills, so a grid finds the right one before the root.
    grid = spread * np.concatenate([[0.0] if (variance > 0).all() else [], np.geomspace(1e-8, 1e3, 400)])
    best = int(np.argmax([_likelihood(y, variance, t) for t in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    if _slope(y, variance, low) <= 0:
        return float(low)
    return float(brentq(lambda t: _slope(y, variance, t), low, high, xtol=1e-15 * spread, rtol=1e-14))


def _likelihood(y: Floats, variance: Floats, tau2: float) -> float:
    total = variance + tau2
    return -0.5 * (float(np.log(total).sum() + np.log((1 / total).sum())) + _q(y, variance, tau2))


def _slope(y: Floats, variance: Floats, tau2: float) -> float:
    """Twice the derivative of the restricted likelihood in the between-study variance."""
    w = 1 / (variance + tau2)
    mean = w @ y / w.sum()
    return float(w**2 @ (y - mean) ** 2 - w.sum() + (w**2).sum() / w.sum())


def _q_profile(y: Floats, variance: Floats, level: float) -> tuple[float, float]:
    """Interval of tau: the scatter Q falls with tau and is chi-square at the true one."""
    spread = float(np.var(y, ddof=1))
    tail = (1 - level) / 2

    def end(probability: float) -> float:
        wanted = float(chdtri(y.size - 1, probability))
        floor = 0.0 if (variance > 0).all() else 1e-12 * max(spread, 1e-300)
        if spread == 0 or _q(y, variance, floor) <= wanted:
            return 0.0
        high = spread
        while _q(y, variance, high) > wanted:
            high *= 4
        root = brentq(lambda t: _q(y, variance, t) - wanted, floor, high, xtol=1e-15 * high, rtol=1e-14)
        return float(np.sqrt(root))

    return end(tail), end(1 - tail)
