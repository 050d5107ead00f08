"""Cumulative incidence with competing causes (Aalen-Johansen)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_floats, as_level, as_times, place, same_shape
from glueprint.survival.counts import TIE_TOLERANCE, count, tie


@dataclass(frozen=True)
class CumulativeIncidence:
    """Probability of having left by each cause; causes (k,), times (m,), the rest (m, k).

    low, high: pointwise complementary log-log limits, NaN where the incidence is 0 or 1.   at_risk: (m,).
    """

    causes: Integers
    times: Floats
    incidence: Floats
    std_error: Floats
    low: Floats
    high: Floats
    at_risk: Integers
    events: Integers
    level: float


def cumulative_incidence(time: ArrayLike, cause: ArrayLike, *, level: float = 0.95) -> CumulativeIncidence:
    """Incidence of each cause when every cause ends the follow-up.

    time: (n,) follow-up, any unit, >= 0.   cause: (n,) whole numbers, 0 censored, 1, 2, ... causes.
    Returns CumulativeIncidence; the incidences and the event-free fraction sum to 1.
    Raises InputError GP-V001 to GP-V004 for arrays, GP-V007 for the level, GP-V011 for the causes.
    Source: Aalen and Johansen 1978; variance by the delta method, Marubini and Valsecchi 1995, equal to
    the infinitesimal jackknife of R survival's multi-state survfit.
    """
    times = as_times(time)
    causes, codes = as_causes(cause, times.shape)
    level = as_level(level)
    zeros = np.zeros(times.size, dtype=np.int64)
    table = count(tie(times), codes > 0, codes, causes.size + 1, zeros)
    at_risk = table.at_risk.sum(axis=1).astype(np.float64)
    events = table.events[:, 1:]
    left = at_risk - events.sum(axis=1)
    before = np.append(1.0, np.cumprod(left / at_risk)[:-1])
    incidence = np.cumsum(before[:, None] * events / at_risk[:, None], axis=0)
    variance = np.stack(
        [_variance(incidence[:, k], before, at_risk, events, k) for k in range(causes.size)], axis=1
    )
    std_error = np.sqrt(np.maximum(variance, 0.0))
    low, high = _band(incidence, std_error, level)
    return CumulativeIncidence(
        causes, table.time, incidence, std_error, low, high, at_risk.astype(np.int64), events, level
    )


def as_causes(cause: ArrayLike, shape: tuple[int, ...]) -> tuple[Integers, Integers]:
    """Causes that happened, ascending, and the code of each patient: 0 censored, 1 the first cause, ..."""
    array = as_floats(cause, "cause")
    same_shape(array, shape, "cause")
    bad = ~((array >= 0) & (array == np.floor(array)))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            "GP-V011",
            f"{array[index]:g} is not a cause",
            where=place("cause", index),
            expected="a whole number: 0 censored, 1 or more a cause",
            next_step="number the causes from 1",
        )
    if not array.any():
        raise InputError(
            "GP-V011",
            "every patient is censored",
            where="cause",
            expected="at least one event",
            next_step="without events every incidence is 0; use kaplan_meier for the numbers at risk",
        )
    causes = np.unique(array[array > 0]).astype(np.int64)
    return causes, np.where(array > 0, np.searchsorted(causes, array) + 1, 0).astype(np.int64)


def _variance(incidence: Floats, before: Floats, at_risk: Floats, events: Integers, k: int) -> Floats:
    """Delta-method variance of one incidence at every time, (m,), from running sums.

    The sum over earlier times j of (F(t) - F_j)^2 A_j + B_j - 2 (F(t) - F_j) C_j,
    opened up in powers of F(t).
    """
    died, own = events.sum(axis=1), events[:, k]
    left = at_risk - died
    # When nobody is left the curve is flat from then on: F(t) - F_j is 0.
    a = np.where(left > 0, died / (at_risk * np.maximum(left, 1.0)), 0.0)
    b = before**2 * own * (at_risk - own) / at_risk**3
    c = before * own / at_risk**2
    f = incidence
    constant = np.cumsum(f**2 * a + b + 2 * f * c)
    linear = np.cumsum(f * a + c)
    result: Floats = f**2 * np.cumsum(a) - 2 * f * linear + constant
    return result


def _band(incidence: Floats, std_error: Floats, level: float) -> tuple[Floats, Floats]:
    # A sum of shares that is 1 but for rounding has no variance either.
    inside = (incidence > 0) & (incidence < 1 - TIE_TOLERANCE)
    f = np.where(inside, incidence, 0.5)
    half = ndtri(0.5 + level / 2) * np.where(inside, std_error, np.nan) / (f * np.log(f))
    centre = np.log(-np.log(f))
    with np.errstate(over="ignore"):
        return np.exp(-np.exp(centre - half)), np.exp(-np.exp(centre + half))
