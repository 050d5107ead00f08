"""A quadratic response surface of noisy simulations, with its own uncertainty and their scatter about it.

A simulation that draws its own random numbers scatters as an experiment of its size does. A regression over
many of them, each at parameters of its own, gives what is expected there; what is left over is the scatter.
Linear, square and mixed terms are shrunk towards zero, each kind by the variance of highest evidence.

Source: Bayesian linear regression with grouped priors, MacKay 1992, doi:10.1162/neco.1992.4.3.415; synthetic
likelihood, Wood 2010, doi:10.1038/nature09319.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ResponseSurface", "features", "response_surface"]

Floats = NDArray[np.float64]
ROUNDS, LEAST_VARIANCE, SETTLED = 60, 1e-8, 1e-4
# Variances of the weights over that of the output, to begin with; the constant stays free.
FIRST_PRIOR = (1e6, 0.1, 0.01, 0.01)


@dataclass(frozen=True)
class ResponseSurface:
    """Expected outputs at coordinates, how sure that is, and how one simulation scatters about it.

    centre: (p,).   weights: (f, q) of the features.   spread: (q, f, f) covariance of the weights in units of
    each output's residual variance.   covariance: (q, q) of one simulation about its expectation.
    """

    centre: Floats
    weights: Floats
    spread: Floats
    covariance: Floats

    def mean(self, z: Floats) -> Floats:
        """(n, q) expected outputs at (n, p) coordinates."""
        return np.asarray(features(z - self.centre) @ self.weights)

    def variance(self, z: Floats) -> Floats:
        """(n, q) variance of `mean`."""
        phi = features(z - self.centre)
        scale = np.diag(self.covariance)
        return np.stack(
            [
                scale[k] * np.einsum("nf,nf->n", phi @ self.spread[k], phi)
                for k in range(self.weights.shape[1])
            ],
            axis=1,
        )


def features(x: Floats) -> Floats:
    """(n, f) one, x, squares and products of (n, p) centred coordinates."""
    p = x.shape[1]
    first, second = np.triu_indices(p, 1)
    return np.concatenate([np.ones((x.shape[0], 1)), x, x**2 - 1.0, x[:, first] * x[:, second]], axis=1)


def _groups(p: int) -> NDArray[np.int64]:
    """(f,) kind of each feature: 0 constant, 1 linear, 2 square, 3 product."""
    return np.repeat(np.arange(4), [1, p, p, p * (p - 1) // 2])


def response_surface(z: Floats, outputs: Floats, centre: Floats) -> ResponseSurface:
    """Regress simulated outputs (n, q) on coordinates (n, p).

    centre: (p,) where the surface is expanded.   n must exceed the linear terms; rows with NaN are left out.
    """
    fine = np.isfinite(outputs).all(axis=1)
    phi, groups = features(z[fine] - centre), _groups(z.shape[1])
    gram = phi.T @ phi
    weights, spreads, residuals = [], [], []
    for k in range(outputs.shape[1]):
        y = outputs[fine, k]
        weight, spread, effective = _shrunk(phi, gram, groups, y)
        weights.append(weight)
        spreads.append(spread)
        residuals.append((y - phi @ weight) / np.sqrt(1.0 - effective / y.size))
    matrix = np.stack(residuals, axis=1)
    covariance = matrix.T @ matrix / matrix.shape[0]
    return ResponseSurface(centre, np.stack(weights, axis=1), np.stack(spreads), covariance)


def _shrunk(phi: Floats, gram: Floats, groups: NDArray[np.int64], y: Floats) -> tuple[Floats, Floats, float]:
    """Weights (f,), their covariance over the noise variance (f, f), and the effective number of weights."""
    n = y.size
    noise = max(float(np.var(y)), LEAST_VARIANCE)
    prior: Floats = noise * np.array(FIRST_PRIOR)
    projected = phi.T @ y
    weight: Floats = np.zeros(phi.shape[1])
    inverse: Floats = np.eye(phi.shape[1])
    gamma = 0.0
    for _ in range(ROUNDS):
        inverse = np.asarray(np.linalg.inv(gram / noise + np.diag(1.0 / prior[groups])), dtype=np.float64)
        weight = inverse @ projected / noise
        determined = 1.0 - np.diag(inverse) / prior[groups]
        gamma = float(determined.sum())
        before = np.append(prior[1:], noise)
        for group in (1, 2, 3):
            mine = groups == group
            prior[group] = max(
                float(np.sum(weight[mine] ** 2) / max(determined[mine].sum(), 1e-3)), LEAST_VARIANCE
            )
        noise = max(float(np.sum((y - phi @ weight) ** 2)) / max(n - gamma, 1.0), LEAST_VARIANCE)
        after = np.append(prior[1:], noise)
        if np.all(np.abs(np.log(after / before)) < SETTLED):
            break
    return weight, inverse / noise, gamma
