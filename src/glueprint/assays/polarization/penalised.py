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

from glueprint.curves import Model, Parameter, search
from glueprint.curves.models import Given
from glueprint.curves.problem import Problem

__all__ = ["LOG10_CONSTANT", "Estimates", "cost_at", "fit", "problem_of", "threshold", "widths"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PLATEAUS = (0, 1)
LOG10_CONSTANT = 2
STATED = 3
SCAN = 60
# What is stated as exact still needs a width; at a millionth it moves nothing that is shown.
EXACT = 1e-6
# Noise below this share of the window is below the last digit of any reader, and would only make the fit
# ill-conditioned (curves that were computed, not measured).
LEAST_NOISE = 1e-4
NOISE_ROUNDS, NOISE_SETTLED = 12, 1e-3


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


def problem_of(
    curve: Callable[[Floats, Floats], tuple[Floats, Floats]],
    data: tuple[Floats, Floats],
    stated: tuple[Floats, Floats],
    ends: tuple[Floats, Floats],
) -> Problem:
    """A batch of n curves of m points with p = 3 + k parameters, as `curves` takes it.

    curve: (theta (j, p), doses (j, m)) -> responses (j, m) and slopes (j, m, p), linear in the plateaus.
    data: doses and responses (n, m), NaN where nothing was measured.   stated: (n, k) logarithms and their
    standard deviations, 0 for exact.   ends: (n,) between which the log10 of the constant is sought.
    """
    dose, response = data
    used, shape = np.isfinite(response), (len(response), STATED + stated[0].shape[1])
    names = ("free", "top", "log10_constant", *(f"stated_{i}" for i in range(shape[1] - STATED)))
    parameters = tuple(Parameter(name, linear=i in PLATEAUS) for i, name in enumerate(names))
    model = Model("binding", "binding", ("dose",), parameters, lambda at, given: curve(at, given["dose"]))
    centre = np.zeros(shape)
    centre[:, STATED:] = stated[0]
    lines = np.eye(shape[1])[STATED:] / widths(stated[1])[..., None]
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    low[:, LOG10_CONSTANT], high[:, LOG10_CONSTANT] = ends
    return Problem(
        model, Given({"dose": dose}, used), np.where(used, response, 0.0), used.astype(float),
        np.full(shape, np.nan), reach=(low, high), prior=(centre, lines, np.zeros(stated[0].shape)),
    )  # fmt: skip


def widths(stated_sd: Floats) -> Floats:
    """Standard deviations of the stated logarithms, none of them zero."""
    return np.maximum(stated_sd, EXACT)


def fit(problem: Problem, *, confidence: float = 0.95) -> Estimates:
    """Fit both plateaus, the constant and, within what is said about them, the stated numbers.

    The cost is the sum of squares over the noise variance plus the squared distance of the stated numbers
    from their statement in standard deviations; the noise is what the points scatter, found in turn with it.
    Returns `Estimates`.
    Source: penalised profile likelihood; t quantile with Welch-Satterthwaite degrees of freedom (Welch 1947,
    doi 10.1093/biomet/34.1-2.28); docs/polarization.md.
    """
    theta, noise = _start(problem)
    points, rows = problem.points, np.arange(len(theta))
    for _ in range(NOISE_ROUNDS):
        theta = search.minimise(_with(problem, noise), theta, rows).theta
        data, whole, rss = _information(_with(problem, noise), theta)
        dof = points - np.einsum("nij,nji->n", data, _inverse(whole))
        before, noise = noise, _noise(rss, dof, theta)
        if np.all(np.abs(noise / before - 1.0) < NOISE_SETTLED):
            break
    at = _with(problem, noise)
    end = search.minimise(at, theta, rows)
    data, whole, rss = _information(at, end.theta)
    inverse = _inverse(whole)
    budget, t_dof = _budget(data, inverse, at, noise, dof)
    found = Estimates(
        theta=end.theta, covariance=inverse * noise[:, None, None] ** 2, noise_sd=noise, dof=dof, t_dof=t_dof,
        log10_low=np.full_like(noise, np.nan), log10_high=np.full_like(noise, np.nan), budget=budget,
        rss=rss, points=points, converged=end.converged, confidence=confidence,
    )  # fmt: skip
    heights = np.stack([end.cost, end.cost + threshold(found)], axis=1)
    sought = np.arange(end.theta.shape[1]) == LOG10_CONSTANT
    bounds = search.profiled(at, end.theta, sought, heights, inverse).intervals[:, LOG10_CONSTANT]
    return replace(found, log10_low=bounds[:, 0], log10_high=bounds[:, 1])


def threshold(estimates: Estimates) -> Floats:
    """How far (n,) the cost may rise within the interval: (t sd)^2."""
    quantile = student.ppf(0.5 + 0.5 * estimates.confidence, estimates.t_dof)
    return np.asarray((quantile * estimates.noise_sd) ** 2)


def cost_at(problem: Problem, theta: Floats, noise: Floats, log10_constant: Floats) -> Floats:
    """The least cost (n,) with the constant held at `log10_constant` (n,); theta: (n, p) to start from."""
    start, pinned = theta.copy(), problem.pinned.copy()
    start[:, LOG10_CONSTANT] = pinned[:, LOG10_CONSTANT] = log10_constant
    held = replace(_with(problem, noise), pinned=pinned)
    return search.minimise(held, start, np.arange(len(start))).cost


def _with(problem: Problem, noise: Floats) -> Problem:
    """What is stated in the unit of the response, whose noise (n,) is known."""
    assert problem.prior is not None
    centre, lines, off = problem.prior
    return replace(problem, prior=(centre, lines * noise[:, None, None], off))


def _start(problem: Problem) -> tuple[Floats, Floats]:
    """Plateaus by least squares at every constant of a scan with the rest as stated; the best is kept."""
    assert problem.prior is not None
    (low, high), scan = problem.limits(), np.linspace(0.0, 1.0, SCAN)[:, None]
    begun = np.tile(problem.prior[0], (SCAN, 1, 1))
    begun[..., LOG10_CONSTANT] = low[:, LOG10_CONSTANT] + scan * (high - low)[:, LOG10_CONSTANT]
    best = problem.ranked(begun, PLATEAUS, 1)[0]
    rss = np.square(problem.evaluate(best, np.arange(len(best)))[0]).sum(axis=1)
    return best, _noise(rss, problem.points.astype(float) - STATED, best)


def _noise(rss: Floats, dof: Floats, theta: Floats) -> Floats:
    least = LEAST_NOISE * np.abs(theta[:, 1] - theta[:, 0])
    return np.asarray(np.maximum(np.sqrt(rss / np.maximum(dof, 1.0)), np.maximum(least, 1e-12)))


def _information(problem: Problem, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """J'J of the points alone, and of points and statements (n, p, p); sum of squares of the points (n,)."""
    residual, slopes = problem.evaluate(theta, np.arange(len(theta)))
    points = slice(problem.response.shape[1])
    data = np.einsum("nmi,nmj->nij", slopes[:, points], slopes[:, points])
    return data, np.einsum("nmi,nmj->nij", slopes, slopes), np.square(residual[:, points]).sum(axis=1)


def _inverse(matrix: Floats) -> Floats:
    """Inverse (n, p, p) after scaling to a unit diagonal; the pseudo-inverse where a column is dead."""
    diagonal = np.einsum("npp->np", matrix)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.linalg.pinv(scaled, hermitian=True) * scale[:, :, None] * scale[:, None, :])


def _budget(
    data: Floats, inverse: Floats, problem: Problem, noise: Floats, dof: Floats
) -> tuple[Floats, Floats]:
    """Shares of the variance of the log10 constant (n, 1 + k), and the degrees of freedom behind it (n,).

    Source: H^-1 = H^-1 (J'J + W) H^-1: the estimate moves by H^-1 J' with the points and by H^-1 W with the
    statements. Only the points' part has a variance that is itself estimated, with dof degrees of freedom.
    """
    row = inverse[:, LOG10_CONSTANT]
    points = np.einsum("ni,nij,nj->n", row, data, row) * noise**2
    assert problem.prior is not None
    stated = (np.einsum("nkp,np->nk", problem.prior[1], row) * noise[:, None]) ** 2
    parts = np.concatenate([points[:, None], stated], axis=1)
    shares = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)
    return shares, np.maximum(dof, 1.0) / np.clip(shares[:, 0], 1e-3, 1.0) ** 2
