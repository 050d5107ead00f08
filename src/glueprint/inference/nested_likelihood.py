"""The likelihood of a normal model in two levels, with values and limits. Kernel: arrays in, arrays out.

Unit i of group g: y_i ~ N(m_g, se_i^2 + tau_unit^2), m_g ~ N(mean, tau_group^2). A limit says only that y_i
lies in an interval. Every function takes "lanes": one (mean, tau_group, tau_unit) each, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import log_ndtr, ndtr

from glueprint.inference.mode import Floats

__all__ = ["Group", "group_means", "log_likelihood", "restricted"]

# Nodes over a group's mean where two or more of its units are limits; one limit has a closed form.
NODES, WEIGHTS = hermegauss(96)
LOG_WEIGHTS = np.log(WEIGHTS) - 0.5 * np.log(2.0 * np.pi)
NEWTON_STEPS = 12
# Of the width of the likelihood: differences over it are exact where the likelihood is normal.
DIFFERENCE = 0.05
LEAST_VARIANCE = 1e-20


@dataclass(frozen=True)
class Group:
    """values, errors: (a,) what was measured.   low, high, limit_errors: (b,) limits, infinite where open."""

    values: Floats
    errors: Floats
    low: Floats
    high: Floats
    limit_errors: Floats


def log_likelihood(groups: tuple[Group, ...], mean: Floats, tau_group: Floats, tau_unit: Floats) -> Floats:
    """Log likelihood (l,) of all groups in every lane."""
    mean, tau_group, tau_unit = np.broadcast_arrays(mean, tau_group, tau_unit)
    total = np.zeros(mean.shape)
    for group in groups:
        centre, variance, constant = _measured(group, mean, tau_group, tau_unit)
        total = total + constant + _limits(group, centre, variance, tau_unit)
    return total


def restricted(groups: tuple[Group, ...], tau_group: Floats, tau_unit: Floats) -> tuple[Floats, Floats]:
    """Log likelihood with the mean integrated out, and the mean at its mode: both (l,).

    Without limits this is the restricted likelihood (REML) exactly; with them Laplace's approximation, for
    which it helps that the likelihood is log-concave in the mean.
    """
    mean, width = _start(groups, tau_group, tau_unit)
    for _ in range(NEWTON_STEPS):
        step = DIFFERENCE * width
        below, here, above = (
            log_likelihood(groups, mean + shift * step, tau_group, tau_unit) for shift in (-1.0, 0.0, 1.0)
        )
        bend = np.minimum((above - 2.0 * here + below) / step**2, -1e-3 / width**2)
        move = np.clip(-(above - below) / (2.0 * step) / bend, -3.0 * width, 3.0 * width)
        mean = mean + move
        if np.all(np.abs(move) < 1e-9 * width):
            break
    peak = log_likelihood(groups, mean, tau_group, tau_unit)
    return peak + 0.5 * np.log(2.0 * np.pi / -bend), mean


def group_means(groups: tuple[Group, ...], mean: float, tau_group: float, tau_unit: float) -> Floats:
    """Expected mean of every group and its standard deviation (g, 2), given everything."""
    found = np.empty((len(groups), 2))
    lane = [np.array([value]) for value in (mean, tau_group, tau_unit)]
    for i, group in enumerate(groups):
        centre, variance, _ = _measured(group, *lane)
        at = centre + np.sqrt(variance) * NODES
        log_share = LOG_WEIGHTS + _log_inside(group, at, lane[2]).sum(axis=0)
        share = np.exp(log_share - log_share.max())
        share /= share.sum()
        found[i, 0] = share @ at
        found[i, 1] = np.sqrt(max(share @ (at - found[i, 0]) ** 2, 0.0))
    return found


def _measured(
    group: Group, mean: Floats, tau_group: Floats, tau_unit: Floats
) -> tuple[Floats, Floats, Floats]:
    """What the measured values say: centre and variance of the group's mean, and their log likelihood."""
    spread = tau_group**2
    if group.values.size == 0:
        return mean, spread, np.zeros_like(mean)
    values, errors = (_first(a, mean.ndim) for a in (group.values, group.errors))
    variance = np.maximum(errors**2 + tau_unit**2, LEAST_VARIANCE)
    precision = (1.0 / variance).sum(axis=0)
    average = (values / variance).sum(axis=0) / precision
    scatter = ((values - average) ** 2 / variance).sum(axis=0)
    own = spread + 1.0 / precision
    constant = -0.5 * (
        np.log(2.0 * np.pi * variance).sum(axis=0) + scatter
        + np.log(precision) + np.log(own) + (average - mean) ** 2 / own
    )  # fmt: skip
    return mean + (average - mean) * spread / own, spread / (precision * own), constant


def _limits(group: Group, centre: Floats, variance: Floats, tau_unit: Floats) -> Floats:
    """Log probability (l,) of the group's limits, given where its mean may lie."""
    if group.low.size == 0:
        return np.zeros_like(centre)
    if group.low.size == 1:
        width = np.sqrt(group.limit_errors[0] ** 2 + tau_unit**2 + variance)
        return _log_between(group.low[0] - centre, group.high[0] - centre, width)
    at = centre + np.sqrt(variance) * _first(NODES, centre.ndim)
    inside = _first(LOG_WEIGHTS, centre.ndim) + _log_inside(group, at, tau_unit).sum(axis=0)
    return np.asarray(np.logaddexp.reduce(inside, axis=0))


def _log_inside(group: Group, at: Floats, tau_unit: Floats) -> Floats:
    """Log probability (b, ...) that each limit holds if the group's mean is `at`."""
    if group.low.size == 0:
        return np.zeros((1, *at.shape))
    return np.stack([
        _log_between(low - at, high - at, np.sqrt(error**2 + tau_unit**2))
        for low, high, error in zip(group.low, group.high, group.limit_errors, strict=True)
    ])  # fmt: skip


def _log_between(low: Floats, high: Floats, width: Floats) -> Floats:
    width = np.maximum(width, np.sqrt(LEAST_VARIANCE))
    if np.all(np.isinf(low)):
        return np.asarray(log_ndtr(high / width))
    if np.all(np.isinf(high)):
        return np.asarray(log_ndtr(-low / width))
    return np.asarray(np.log(np.maximum(ndtr(high / width) - ndtr(low / width), 1e-300)))


def _start(groups: tuple[Group, ...], tau_group: Floats, tau_unit: Floats) -> tuple[Floats, Floats]:
    """The mean of the measured values and its standard deviation in every lane: where Newton begins."""
    weight, total = np.zeros_like(tau_group), np.zeros_like(tau_group)
    for group in groups:
        if group.values.size:
            values, errors = (_first(a, tau_group.ndim) for a in (group.values, group.errors))
            variance = np.maximum(errors**2 + tau_unit**2, LEAST_VARIANCE)
            precision = (1.0 / variance).sum(axis=0)
            own = 1.0 / (tau_group**2 + 1.0 / precision)
            weight = weight + own
            total = total + own * (values / variance).sum(axis=0) / precision
    return total / weight, 1.0 / np.sqrt(weight)


def _first(values: Floats, lanes: int) -> Floats:
    """Values (a,) along a first axis, before `lanes` axes of lanes."""
    return values.reshape(-1, *([1] * lanes))
