"""Standard distributions of the log time: what a patient's likelihood and its slopes are. Kernel.

Each is known by log F', log S, log F and the log of a difference of F, all without loss in the tails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_expit, log_ndtr, logit, logsumexp, ndtri

from glueprint.survival._check import Floats

# Gauss points in a narrow interval: exact to rounding while it is narrower than the distribution's scale.
NODES = 7
POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)
LOG_WEIGHTS = np.log(_WEIGHTS / 2)


@dataclass(frozen=True)
class Distribution:
    """A standard distribution of z = (log t - mu) / sigma.

    log_density, slope, bend: log f and its first and second derivative, (m,) -> (m,).
    log_between: log(F(b) - F(a)) for a < b, either of which may be infinite.
    quantile: z by which a fraction has had the event.   fixed_scale: sigma is 1.
    """

    log_density: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    bend: Callable[[Floats], Floats]
    log_between: Callable[[Floats, Floats], Floats]
    quantile: Callable[[Floats], Floats]
    fixed_scale: bool = False


def _extreme_between(a: Floats, b: Floats) -> Floats:
    # exp(-e^a) - exp(-e^b); an infinite b leaves the first.
    first, second = np.exp(a), np.exp(b)
    result: Floats = -first + np.log(-np.expm1(first - second))
    return result


def _logistic_between(a: Floats, b: Floats) -> Floats:
    # F(b) S(a) (1 - e^(a - b)).
    result: Floats = log_expit(b) + log_expit(-a) + np.log(-np.expm1(a - b))
    return result


def _normal_between(a: Floats, b: Floats) -> Floats:
    # In the upper tail the difference is taken between the small numbers on the other side.
    low, high = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
    top = log_ndtr(high)
    result: Floats = top + np.log1p(-np.exp(log_ndtr(low) - top))
    return result


_EXTREME = Distribution(
    log_density=lambda z: z - np.exp(z),
    slope=lambda z: 1 - np.exp(z),
    bend=lambda z: -np.exp(z),
    log_between=_extreme_between,
    quantile=lambda p: np.log(-np.log1p(-p)),
)
DISTRIBUTIONS: dict[str, Distribution] = {
    "exponential": replace(_EXTREME, fixed_scale=True),
    "weibull": _EXTREME,
    "lognormal": Distribution(
        log_density=lambda z: -(z**2) / 2 - np.log(2 * np.pi) / 2,
        slope=lambda z: -z,
        bend=lambda z: np.full_like(z, -1.0),
        log_between=_normal_between,
        quantile=ndtri,
    ),
    "loglogistic": Distribution(
        log_density=lambda z: log_expit(z) + log_expit(-z),
        slope=lambda z: -np.tanh(z / 2),
        bend=lambda z: -0.5 / np.cosh(z / 2) ** 2,
        log_between=_logistic_between,
        quantile=logit,
    ),
}


@dataclass(frozen=True)
class Observations:
    """Log times: exact (k,) with their design (k, p), and between `low` and `high`, (m,) with (m, p).

    low may be minus infinity (known only to have happened before), high infinite (censored).
    nodes: (j, NODES) Gauss points of narrow intervals, with (j, p).
    constant: what exact times and widths add to the log-likelihood whatever the model.
    """

    exact: Floats
    exact_design: Floats
    low: Floats
    high: Floats
    design: Floats
    nodes: Floats
    nodes_design: Floats
    constant: float


def evaluate(kind: Distribution, data: Observations, theta: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient (q,) and information (q, q) at theta.

    theta: delta (p,) = beta / sigma and, unless the scale is fixed, gamma = 1 / sigma last. In these the
    log-likelihood is concave for every distribution here.
    Source: Burridge 1981, doi:10.1111/j.2517-6161.1981.tb01150.x.
    """
    # Far from the maximum e^z may be infinite; the caller steps back from a value that is not finite.
    with np.errstate(all="ignore"):
        return _evaluate(kind, data, theta)


def _evaluate(kind: Distribution, data: Observations, theta: Floats) -> tuple[float, Floats, Floats]:
    p = data.design.shape[1]
    free = not kind.fixed_scale
    delta, gamma = theta[:p], float(theta[p]) if free else 1.0
    z = gamma * data.exact - data.exact_design @ delta
    row = _row(data.exact, data.exact_design, free)
    value = float(kind.log_density(z).sum()) + z.size * np.log(gamma) + data.constant
    gradient = row.T @ kind.slope(z)
    information = -(row.T * kind.bend(z)) @ row
    if free:
        gradient[p] += z.size / gamma
        information[p, p] += z.size / gamma**2
    narrow = _narrow(kind, data, delta, gamma, free)
    value, gradient, information = value + narrow[0], gradient + narrow[1], information + narrow[2]
    linear = data.design @ delta
    a, b = gamma * data.low - linear, gamma * data.high - linear
    between = kind.log_between(a, b)
    value += float(between.sum())
    at_a, at_b = (_end(kind, z, between) for z in (a, b))
    row_a, row_b = (_row(np.where(np.isfinite(y), y, 0.0), data.design, free) for y in (data.low, data.high))
    gradient = gradient + row_b.T @ at_b[0] - row_a.T @ at_a[0]
    information = (
        information
        - (row_b.T * (at_b[1] - at_b[0] ** 2)) @ row_b
        + (row_a.T * (at_a[1] + at_a[0] ** 2)) @ row_a
    )
    cross = (row_a.T * (at_a[0] * at_b[0])) @ row_b
    return value, gradient, information - cross - cross.T


def _narrow(
    kind: Distribution, data: Observations, delta: Floats, gamma: float, free: bool
) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient and information of narrow intervals: a width times the mean density.

    A difference of the distribution would leave no digits for its curvature.
    """
    z = gamma * data.nodes - (data.nodes_design @ delta)[:, None]
    log_parts = kind.log_density(z) + LOG_WEIGHTS
    log_mean = logsumexp(log_parts, axis=1)
    share = np.exp(log_parts - log_mean[:, None])
    slope = kind.slope(z)
    row = _row(data.nodes.ravel(), np.repeat(data.nodes_design, NODES, axis=0), free)
    pulls = (row * (share * slope).ravel()[:, None]).reshape(*z.shape, row.shape[1]).sum(axis=1)
    gradient = pulls.sum(axis=0)
    information = pulls.T @ pulls - (row.T * (share * (kind.bend(z) + slope**2)).ravel()) @ row
    value = float(log_mean.sum()) + z.shape[0] * np.log(gamma)
    if free:
        gradient[-1] += z.shape[0] / gamma
        information[-1, -1] += z.shape[0] / gamma**2
    return value, gradient, information


def _row(y: Floats, design: Floats, free: bool) -> Floats:
    """How z moves with theta, (m, q)."""
    return np.column_stack([-design, y]) if free else -design


def _end(kind: Distribution, z: Floats, between: Floats) -> tuple[Floats, Floats]:
    """Density at one end over the probability between, and its slope over it; 0 at an infinite end."""
    known = np.isfinite(z)
    safe = np.where(known, z, 0.0)
    ratio = np.where(known, np.exp(np.where(known, kind.log_density(safe) - between, 0.0)), 0.0)
    return ratio, ratio * np.where(known, kind.slope(safe), 0.0)
