"""Binding constants by penalised least squares: what is stated with uncertainty is part of the fit. Kernel.

The parameters of every curve are two plateaus, the log10 of the constant sought, and then logarithms of
numbers that somebody stated. Own derivation, docs/polarization.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from glueprint.curves.descent import Descent, Evaluate, descend
from glueprint.curves.profile import by_descent, profiles

__all__ = ["LOG10_CONSTANT", "Estimates", "Problem", "cost_at", "fit", "threshold"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]

PLATEAUS = [0, 1]
# The column that `curves.profile` profiles.
LOG10_CONSTANT = 2
STATED = 3
SCAN = 60
# What is stated as exact still needs a width; at a millionth it moves nothing that is shown.
EXACT = 1e-6
# Noise below this share of the window is below the last digit of any reader, and would only make the fit
# ill-conditioned (curves that were computed, not measured).
LEAST_NOISE = 1e-4
NOISE_ROUNDS, NOISE_SETTLED = 12, 1e-3
# Responses and slopes whose squares would overflow belong to a step that went astray.
BEYOND = 1e100


@dataclass(frozen=True)
class Problem:
    """A batch of n curves of m points with p = 3 + k parameters.

    predict: (theta (j, p), rows (j,)) -> responses (j, m) and slopes (j, m, p), linear in the plateaus.
    observed: (n, m), NaN where nothing was measured.   stated, stated_sd: (n, k) logarithms and their
    standard deviations, 0 for exact.   low, high: (n,) between which the log10 of the constant is sought.
    """

    predict: Callable[[Floats, Rows], tuple[Floats, Floats]]
    observed: Floats
    stated: Floats
    stated_sd: Floats
    low: Floats
    high: Floats

    @property
    def parameters(self) -> int:
        """How many parameters a curve has."""
        return STATED + int(self.stated.shape[1])

    @property
    def used(self) -> Flags:
        """Which points (n, m) are measured."""
        return np.isfinite(self.observed)

    @property
    def width(self) -> Floats:
        """Standard deviations (n, k) of the stated logarithms, none of them zero."""
        return np.maximum(self.stated_sd, EXACT)

    @property
    def size(self) -> Floats:
        """Sum of squares (n,) of the observations."""
        return np.asarray(np.sum(np.where(self.used, self.observed, 0.0) ** 2, axis=1))

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Low and high (n, p) of the parameters; only the constant is bounded."""
        low = np.full((len(self.observed), self.parameters), -np.inf)
        high = -low
        low[:, LOG10_CONSTANT], high[:, LOG10_CONSTANT] = self.low, self.high
        return low, high


@dataclass(frozen=True)
class Estimates:
    """A batch of fitted curves.

    theta: (n, p).   covariance: (n, p, p).   noise_sd: (n,) of one point.
    dof: (n,) points less the parameters that the points determine.   t_dof: (n,) behind the interval.
    log10_low, log10_high: (n,) profile interval of the constant, infinite where open.
    budget: (n, 1 + k) shares of the variance of its log10 from the points and from each stated number.
    rss: (n,) of the points alone.   points: (n,).   converged: (n,).
    """

    theta: Floats
    covariance: Floats
    noise_sd: Floats
    dof: Floats
    t_dof: Floats
    log10_low: Floats
    log10_high: Floats
    budget: Floats
    rss: Floats
    points: NDArray[np.int64]
    converged: Flags
    confidence: float


def fit(problem: Problem, *, confidence: float = 0.95) -> Estimates:
    """Fit both plateaus, the constant and, within what is said about them, the stated numbers.

    The cost is the sum of squares over the noise variance plus the squared distance of the stated numbers
    from their statement in standard deviations; the noise is what the points scatter, found in turn with it.
    Returns `Estimates`.
    Source: penalised profile likelihood; t quantile with Welch-Satterthwaite degrees of freedom (Welch 1947,
    doi 10.1093/biomet/34.1-2.28); docs/polarization.md.
    """
    theta, noise = _start(problem)
    points = problem.used.sum(axis=1)
    for _ in range(NOISE_ROUNDS):
        theta = _minimum(problem, theta, noise).theta
        data, whole, rss = _information(problem, theta, noise)
        dof = points - np.einsum("nij,nji->n", data, _inverse(whole))
        before, noise = noise, _noise(rss, dof, theta)
        if np.all(np.abs(noise / before - 1.0) < NOISE_SETTLED):
            break
    end = _minimum(problem, theta, noise)
    data, whole, rss = _information(problem, end.theta, noise)
    inverse = _inverse(whole)
    budget, t_dof = _budget(data, inverse, noise, problem.width, dof)
    found = Estimates(
        theta=end.theta, covariance=inverse * noise[:, None, None] ** 2, noise_sd=noise, dof=dof, t_dof=t_dof,
        log10_low=np.full_like(noise, np.nan), log10_high=np.full_like(noise, np.nan), budget=budget,
        rss=rss, points=points, converged=end.converged, confidence=confidence,
    )  # fmt: skip
    free = np.ones(end.theta.shape, dtype=bool)
    wanted = free & (np.arange(problem.parameters) == LOG10_CONSTANT)
    bounds = profiles(
        by_descent(_evaluator(problem, noise), free, problem.bounds, problem.size), end.theta, wanted,
        problem.bounds, heights=np.stack([end.cost, end.cost + threshold(found)], axis=1), inverse=inverse,
    ).intervals[:, LOG10_CONSTANT]  # fmt: skip
    return replace(found, log10_low=bounds[:, 0], log10_high=bounds[:, 1])


def threshold(estimates: Estimates) -> Floats:
    """How far (n,) the cost may rise within the interval: (t sd)^2."""
    quantile = student.ppf(0.5 + 0.5 * estimates.confidence, estimates.t_dof)
    return np.asarray((quantile * estimates.noise_sd) ** 2)


def cost_at(problem: Problem, theta: Floats, noise: Floats, log10_constant: Floats) -> Floats:
    """The least cost (n,) with the constant held at `log10_constant` (n,); theta: (n, p) to start from."""
    start, free = theta.copy(), np.ones(theta.shape, dtype=bool)
    start[:, LOG10_CONSTANT], free[:, LOG10_CONSTANT] = log10_constant, False
    return descend(_evaluator(problem, noise), start, free, problem.bounds, size=problem.size).cost


def _minimum(problem: Problem, theta: Floats, noise: Floats) -> Descent:
    free = np.ones(theta.shape, dtype=bool)
    return descend(_evaluator(problem, noise), theta, free, problem.bounds, size=problem.size)


def _evaluator(problem: Problem, noise: Floats) -> Evaluate:
    """Residuals of the points and, as k more rows, of the stated numbers in the unit of the response."""
    used = problem.used
    observed = np.where(used, problem.observed, 0.0)
    count = problem.stated.shape[1]

    def evaluate(theta: Floats, rows: Rows) -> tuple[Floats, Floats]:
        # A trial step may leave what floating point holds: the minimiser counts NaN as uphill.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            fitted, slopes = problem.predict(theta, rows)
        keep = used[rows]
        scale = noise[rows, None] / problem.width[rows]
        away = (theta[:, STATED:] - problem.stated[rows]) * scale
        penalty = np.zeros((len(rows), count, problem.parameters))
        penalty[:, np.arange(count), STATED + np.arange(count)] = scale
        lost = ~(np.abs(fitted) < BEYOND) | ~(np.abs(slopes) < BEYOND).all(axis=2)
        residual = np.where(keep, np.where(lost, np.nan, fitted - observed[rows]), 0.0)
        slopes = np.where((keep & ~lost)[..., None], slopes, 0.0)
        return np.concatenate([residual, away], axis=1), np.concatenate([slopes, penalty], axis=1)

    return evaluate


def _start(problem: Problem) -> tuple[Floats, Floats]:
    """Plateaus by least squares at every constant of a scan with the rest as stated; the best is kept."""
    n, used = len(problem.observed), problem.used
    best, cost = np.zeros((n, problem.parameters)), np.full(n, np.inf)
    observed = np.where(used, problem.observed, 0.0)
    rows: Rows = np.arange(n)
    for step in np.linspace(0.0, 1.0, SCAN):
        theta = np.zeros((n, problem.parameters))
        theta[:, STATED:] = problem.stated
        theta[:, LOG10_CONSTANT] = problem.low + step * (problem.high - problem.low)
        basis = np.where(used[..., None], problem.predict(theta, rows)[1][..., PLATEAUS], 0.0)
        plateaus = np.einsum("npm,nm->np", np.linalg.pinv(basis), observed)
        rss = np.sum((np.einsum("nmp,np->nm", basis, plateaus) - observed) ** 2, axis=1)
        theta[:, PLATEAUS] = plateaus
        better = rss < cost
        best[better], cost[better] = theta[better], rss[better]
    return best, _noise(cost, used.sum(axis=1) - float(STATED), best)


def _noise(rss: Floats, dof: Floats, theta: Floats) -> Floats:
    least = LEAST_NOISE * np.abs(theta[:, 1] - theta[:, 0])
    return np.asarray(np.maximum(np.sqrt(rss / np.maximum(dof, 1.0)), np.maximum(least, 1e-12)))


def _information(problem: Problem, theta: Floats, noise: Floats) -> tuple[Floats, Floats, Floats]:
    """J'J of the points alone, and of points and statements (n, p, p); sum of squares of the points (n,)."""
    fitted, slopes = problem.predict(theta, np.arange(len(theta)))
    slopes = np.where(problem.used[..., None], slopes, 0.0)
    data = np.einsum("nmi,nmj->nij", slopes, slopes)
    whole = data.copy()
    place = np.arange(STATED, problem.parameters)
    whole[:, place, place] += (noise[:, None] / problem.width) ** 2
    return data, whole, np.sum(np.where(problem.used, fitted - problem.observed, 0.0) ** 2, axis=1)


def _inverse(matrix: Floats) -> Floats:
    """Inverse (n, p, p) after scaling to a unit diagonal; the pseudo-inverse where a column is dead."""
    diagonal = np.einsum("npp->np", matrix)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.linalg.pinv(scaled, hermitian=True) * scale[:, :, None] * scale[:, None, :])


def _budget(
    data: Floats, inverse: Floats, noise: Floats, width: Floats, dof: Floats
) -> tuple[Floats, Floats]:
    """Shares of the variance of the log10 constant (n, 1 + k), and the degrees of freedom behind it (n,).

    Source: H^-1 = H^-1 (J'J + W) H^-1: the estimate moves by H^-1 J' with the points and by H^-1 W with the
    statements. Only the points' part has a variance that is itself estimated, with dof degrees of freedom.
    """
    row = inverse[:, LOG10_CONSTANT]
    points = np.einsum("ni,nij,nj->n", row, data, row) * noise**2
    stated = row[:, STATED:] ** 2 * noise[:, None] ** 4 / width**2
    parts = np.concatenate([points[:, None], stated], axis=1)
    shares = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)
    return shares, np.maximum(dof, 1.0) / np.clip(shares[:, 0], 1e-3, 1.0) ** 2
