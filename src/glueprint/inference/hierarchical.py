"""Means of groups of studies that share one standard deviation between studies, with a prior on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from glueprint.errors import InputError
from glueprint.inference.mode import Floats

__all__ = ["Hierarchical", "hierarchical_means"]

# The grid of tau in units of its prior's scale: the half-normal has 1e-8 of its mass beyond its end.
GRID = np.linspace(0.0, 5.8, 1161)[1:]


@dataclass(frozen=True)
class Hierarchical:
    """What is believed of the means of groups and of the scatter between studies.

    means, sds: (g,) of each group's mean.   prediction_sds: (g,) of one more study of the group, without its
    own error.   tau, tau_interval: median and 95 % interval of the standard deviation between studies.
    """

    means: Floats
    sds: Floats
    prediction_sds: Floats
    tau: float
    tau_interval: tuple[float, float]


def hierarchical_means(
    estimates: ArrayLike, standard_errors: ArrayLike, groups: ArrayLike, *, tau_scale: float
) -> Hierarchical:
    """Means of groups with flat priors, and one half-normal standard deviation between studies for all.

    A group of one study has an answer too: its error, widened by what is believed of the scatter. That is
    what `random_effects` cannot give, which learns the scatter from the studies alone.

    estimates, standard_errors: (k,) in one unit, errors >= 0.   groups: (k,) integers from 0 to g - 1, none
    empty.   tau_scale: scale of the half-normal prior, same unit, > 0.
    Returns Hierarchical.
    Raises InputError GP-I003 for estimates, errors and groups, GP-I004 for the scale.
    Source: Gelman 2006, doi:10.1214/06-BA117A, with the integral over tau on a grid; Röver 2020,
    doi:10.18637/jss.v093.i06.
    """
    y, se, group = _studies(estimates, standard_errors, groups)
    if not (np.isfinite(tau_scale) and tau_scale > 0):
        raise InputError(
            "GP-I004",
            f"scale {tau_scale!r} of the scatter between studies",
            where="tau_scale",
            expected="a positive number in the unit of the estimates",
            next_step="for log ratios 0.2 is a moderate scatter",
        )
    tau = GRID * tau_scale
    member = (group == np.arange(group.max() + 1)[:, None]).astype(np.float64)
    variance = se**2 + tau[:, None] ** 2
    precision = 1.0 / variance
    held = precision @ member.T
    means = (precision * y) @ member.T / held
    misfit = precision * (y - means[:, group]) ** 2
    log_density = -0.5 * (np.log(variance).sum(1) + np.log(held).sum(1) + misfit.sum(1) + GRID**2)
    weight = np.exp(log_softmax(log_density))
    mean = weight @ means
    spread = weight @ (1.0 / held + (means - mean) ** 2)
    share = np.cumsum(weight) - 0.5 * weight
    low, middle, high = (float(limit) for limit in np.interp((0.025, 0.5, 0.975), share, tau))
    return Hierarchical(
        means=mean,
        sds=np.sqrt(spread),
        prediction_sds=np.sqrt(spread + weight @ tau**2),
        tau=middle,
        tau_interval=(low, high),
    )


def _studies(
    estimates: ArrayLike, standard_errors: ArrayLike, groups: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    y, se = np.asarray(estimates, dtype=np.float64), np.asarray(standard_errors, dtype=np.float64)
    group = np.asarray(groups)
    shapes = y.ndim == 1 and y.size > 0 and y.shape == se.shape == group.shape
    usable = shapes and np.isfinite(y).all() and np.isfinite(se).all() and (se >= 0).all()
    if not usable or not np.array_equal(np.unique(group), np.arange(np.max(group) + 1)):
        raise InputError(
            "GP-I003",
            f"{y.size} estimates, {se.size} standard errors, groups {np.unique(group).tolist()}",
            where="estimates",
            expected="finite estimates, each with an error >= 0 and a group; groups from 0 without a gap",
            next_step="leave out studies without an error, and number the groups that are left",
        )
    return y, se, group
