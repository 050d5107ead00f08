"""Two groups compared where hazards need not be proportional: restricted means and milestones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, as_events, as_level, as_pair, as_times
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.rmst import RestrictedMean, rmst


@dataclass(frozen=True)
class Contrast:
    """One number comparing groups[1] with groups[0]; p_value is two-sided, NaN without a variance."""

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class RestrictedMeanDifference:
    """Restricted means of two groups, in the order of `groups`, and groups[1] against groups[0].

    difference: of the means, in the unit of the times.   ratio: of the means, its interval on the log scale.
    lost_ratio: of the times lost up to tau (tau less the mean), its interval on the log scale.
    """

    groups: NDArray[Any]
    means: tuple[RestrictedMean, RestrictedMean]
    difference: Contrast
    ratio: Contrast
    lost_ratio: Contrast
    tau: float
    level: float


@dataclass(frozen=True)
class MilestoneDifference:
    """Survival of two groups at one time, in the order of `groups`, and groups[1] less groups[0].

    survival, std_error, low, high: (2,), the limits log-log; NaN where the curve is 1 or 0.
    scale: "log-log" or "plain", on which the p-value and the interval of the difference were made.
    """

    groups: NDArray[Any]
    time: float
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.int64]
    difference: Contrast
    scale: str
    level: float


def rmst_difference(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, tau: float, *, level: float = 0.95
) -> RestrictedMeanDifference:
    """Difference and ratios of the mean time free of the event up to tau, between two groups.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   group: (n,) two labels.
    tau: same unit, > 0, within the follow-up of both groups.
    Returns RestrictedMeanDifference with normal intervals.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 and GP-V020 for groups, GP-V007 for options,
    GP-V010 if tau is beyond the follow-up of a group.
    Source: Royston and Parmar 2013, doi:10.1186/1471-2288-13-152; Uno 2014, doi:10.1200/JCO.2014.55.2208.
    """
    groups, parts = _split(time, event, group)
    means = []
    for label, (t, e) in zip(groups, parts, strict=True):
        try:
            means.append(rmst(t, e, tau, level=level))
        except InputError as error:
            error.add_note(f"in group {label}")
            raise
    first, second = means
    spread = math.hypot(first.std_error, second.std_error)
    lost = [(mean.tau - mean.value, mean.std_error) for mean in means]
    return RestrictedMeanDifference(
        groups,
        (first, second),
        contrast(second.value - first.value, spread, level),
        _ratio((first.value, first.std_error), (second.value, second.std_error), level),
        _ratio(lost[0], lost[1], level),
        first.tau,
        as_level(level),
    )


def milestone_difference(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    at: float,
    *,
    scale: str = "log-log",
    level: float = 0.95,
) -> MilestoneDifference:
    """Difference of survival at one time, between two groups.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   group: (n,) two labels.
    at: same unit, > 0, within the follow-up of both groups.   scale: "log-log" compares log(-log S) and joins
    the log-log limits of the two curves to those of the difference; "plain" is normal in S itself.
    Returns MilestoneDifference; no interval where a curve is 1 or 0 at the time, for no variance is defined.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 and GP-V020 for groups, GP-V007 for options,
    GP-V022 if the time is beyond the follow-up of a group.
    Source: Klein, Logan, Harhoff and Andersen 2007, doi:10.1002/sim.2864 (tests at a fixed time); Zou and
    Donner 2008, doi:10.1002/sim.3095 (limits of a difference from those of its parts).
    """
    level = as_level(level)
    if scale not in ("log-log", "plain"):
        raise InputError(
            "GP-V007",
            f"{scale!r} is not a scale",
            where="scale",
            expected='"log-log" or "plain"',
            next_step='use "log-log" unless a comparison asks for "plain"',
        )
    groups, parts = _split(time, event, group)
    curves = [kaplan_meier(t, e, level=level) for t, e in parts]
    for label, curve in zip(groups, curves, strict=True):
        _within(curve, at, label)
    rows = np.array([curve.reading(at) for curve in curves])
    s, error, low, high = rows.T
    at_risk = np.array([int(curve.risk_table(at)) for curve in curves], dtype=np.int64)
    if scale == "plain":
        found = contrast(s[1] - s[0], math.hypot(*error), level)
    else:
        found = _log_log(s, error, low, high)
    return MilestoneDifference(groups, float(at), s, error, low, high, at_risk, found, scale, level)


def _split(
    time: ArrayLike, event: ArrayLike, group: ArrayLike
) -> tuple[NDArray[Any], list[tuple[Floats, Flags]]]:
    times = as_times(time)
    events = as_events(event, times.shape)
    groups, second = as_pair(group, times.shape)
    return groups, [(times[use], events[use]) for use in (~second, second)]


def _within(curve: KaplanMeier, at: float, label: object) -> None:
    if not (math.isfinite(at) and at > 0):
        raise InputError(
            "GP-V007",
            f"{at!r} is not a milestone",
            where="at",
            expected="a positive time in the unit of the times",
            next_step="choose a time inside the follow-up, e.g. 12 months",
        )
    if at > curve.times[-1] and curve.survival[-1] > 0:
        raise InputError(
            "GP-V022",
            f"the curve of group {label} is known to {curve.times[-1]:g} only, the milestone is {at:g}",
            where="at",
            expected="a time within the follow-up of both groups",
            next_step=f"use a milestone <= {curve.times[-1]:g}",
        )


def contrast(value: float, error: float, level: float) -> Contrast:
    """A difference with its normal interval and test of 0; NaN without a standard error."""
    if not error > 0:
        return Contrast(float(value), math.nan, math.nan, math.nan)
    half = float(ndtri(0.5 + level / 2)) * error
    p_value = 2 * float(ndtr(-abs(value) / error))
    return Contrast(float(value), float(value - half), float(value + half), p_value)


def _ratio(first: tuple[float, float], second: tuple[float, float], level: float) -> Contrast:
    """Ratio of two means with an interval symmetric on the log scale; NaN limits where one is 0."""
    (a, a_error), (b, b_error) = first, second
    if a <= 0 or b <= 0:
        return Contrast(b / a if a > 0 else math.nan, math.nan, math.nan, math.nan)
    log = contrast(math.log(b / a), math.hypot(a_error / a, b_error / b), level)
    return Contrast(b / a, math.exp(log.low), math.exp(log.high), log.p_value)


def _log_log(s: Floats, error: Floats, low: Floats, high: Floats) -> Contrast:
    """Test of equal log(-log S) and the limits of the difference joined from those of the two curves."""
    value = float(s[1] - s[0])
    if not ((s > 0) & (s < 1)).all():
        return Contrast(value, math.nan, math.nan, math.nan)
    spread = error / (s * np.abs(np.log(s)))
    z = float(np.diff(np.log(-np.log(s)))[0]) / math.hypot(*spread)
    below = math.hypot(s[1] - low[1], high[0] - s[0])
    above = math.hypot(high[1] - s[1], s[0] - low[0])
    return Contrast(value, value - below, value + above, 2 * float(ndtr(-abs(z))))
