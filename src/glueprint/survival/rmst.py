"""Restricted mean survival time: the area under the Kaplan-Meier curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from glueprint.errors import InputError
from glueprint.survival._check import as_floats, as_level
from glueprint.survival.kaplan_meier import kaplan_meier


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time free of the event up to tau, in the unit of the times."""

    value: float
    std_error: float
    low: float
    high: float
    tau: float
    level: float


def rmst(time: ArrayLike, event: ArrayLike, tau: float, *, level: float = 0.95) -> RestrictedMean:
    """Area under the survival curve from 0 to tau.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   tau: same unit, > 0.
    Returns RestrictedMean with Greenwood's standard error and a normal interval.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for options, GP-V010 if tau is beyond follow-up.
    Source: Irwin 1949, doi:10.1017/S0022172400014443; Klein and Moeschberger section 4.5. Equal to the
    "rmean" of R survival.

    >>> rmst([2, 5, 7, 9], [1, 1, 0, 1], tau=6).value
    4.75
    """
    curve = kaplan_meier(time, event, level=level)
    tau = float(as_floats(tau, "tau", (0,)))
    if not (np.isfinite(tau) and tau > 0):
        raise InputError(
            "GP-V007",
            f"{tau!r} is not a horizon",
            where="tau",
            expected="a positive time in the unit of the times",
            next_step="choose tau inside the follow-up, e.g. 12 months",
        )
    if tau > curve.times[-1] and curve.survival[-1] > 0:
        raise InputError(
            "GP-V010",
            f"the curve is known to {curve.times[-1]:g} only, tau is {tau:g}",
            where="tau",
            expected="a time within the follow-up",
            next_step=f"use tau <= {curve.times[-1]:g} in every arm that is compared",
        )
    inside = curve.times < tau
    edges = np.concatenate([[0.0], curve.times[inside], [tau]])
    areas = np.diff(edges) * np.append(1.0, curve.survival[inside])
    after = np.cumsum(areas[::-1])[::-1][1:]
    died, at_risk = curve.events[inside], curve.at_risk[inside]
    left = at_risk - died
    # At the last time with everyone gone no area is left, so its infinite hazard counts for nothing.
    hazard = np.where(left > 0, died / (at_risk * np.maximum(left, 1).astype(np.float64)), 0.0)
    value = float(areas.sum())
    std_error = float(np.sqrt((after**2 * hazard).sum()))
    half = float(ndtri(0.5 + as_level(level) / 2)) * std_error
    return RestrictedMean(value, std_error, value - half, value + half, float(tau), level)
