"""The Kaplan-Meier curve with Greenwood's variance, log-log bands and quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_events, as_floats, as_level, as_times
from glueprint.survival.counts import TIE_TOLERANCE, count, tie


@dataclass(frozen=True)
class KaplanMeier:
    """A survival curve; every array has one entry per distinct time, (m,), in the unit of the times given.

    survival: probability of no event up to and with the time.   std_error: Greenwood's, of survival.
    low, high: pointwise log-log band, NaN where survival is 0 or 1 (no variance is defined there).
    at_risk: patients just before the time.   events, censored: patients at the time.
    """

    times: Floats
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats
    at_risk: Integers
    events: Integers
    censored: Integers
    level: float

    @property
    def n(self) -> int:
        """Patients."""
        return int(self.at_risk[0])

    @property
    def median(self) -> float:
        """Median time, NaN when the curve stays above one half."""
        return self.quantile(0.5)[0]

    @property
    def median_interval(self) -> tuple[float, float]:
        """Lower and upper limit of the median; NaN is an open end (the band never comes down to one half)."""
        return self.quantile(0.5)[1:]

    def quantile(self, probability: float) -> tuple[float, float, float]:
        """Time by which the fraction `probability` has had the event, with its limits.

        probability: in (0, 1).
        Returns (time, low, high), NaN where the curve or the band does not come down so far.
        Source: Brookmeyer and Crowley 1982, doi:10.2307/2530286; a curve that is flat at the quantile gives
        the middle of the flat step, as R survival's quantile does.
        """
        if not 0 < probability < 1:
            raise InputError(
                "GP-V007",
                f"{probability!r} is not a probability",
                where="probability",
                expected="a number between 0 and 1, e.g. 0.5 for the median",
                next_step="write the median as 0.5",
            )
        curves = (self.survival, self.low, self.high)
        value, low, high = (_crossing(self.times, curve, probability) for curve in curves)
        return value, low, high

    def at(self, times: ArrayLike) -> Floats:
        """Survival at the given times, (k,); NaN after the last follow-up unless the curve has reached 0."""
        wanted = as_floats(times, "times", (0, 1))
        step = np.searchsorted(self.times, wanted, side="right")
        value = np.append(1.0, self.survival)[step]
        return np.where((wanted > self.times[-1]) & (self.survival[-1] > 0), np.nan, value)

    def risk_table(self, times: ArrayLike) -> Integers:
        """Patients still at risk just before each of the given times, (k,)."""
        wanted = as_floats(times, "times", (0, 1))
        step = np.searchsorted(self.times, wanted, side="left")
        return np.append(self.at_risk, 0)[step]


def kaplan_meier(time: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> KaplanMeier:
    """The product-limit estimate of the survival curve.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   level: of the bands.
    Returns KaplanMeier.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for the level.
    Source: Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452; Greenwood 1926; the log-log band of
    Kalbfleisch and Prentice. Equal to R survival's survfit(conf.type = "log-log").
    """
    times = as_times(time)
    events = as_events(event, times.shape)
    level = as_level(level)
    zeros = np.zeros(times.size, dtype=np.int64)
    table = count(tie(times), events, zeros, 1, zeros)
    at_risk, died = table.at_risk[:, 0], table.events[:, 0]
    survival = np.cumprod((at_risk - died) / at_risk).astype(np.float64)
    log_error = np.sqrt(greenwood(at_risk, died))
    low, high = log_log_band(survival, log_error, level)
    std_error = np.where(survival > 0, survival * np.where(survival > 0, log_error, 0.0), np.nan)
    return KaplanMeier(table.time, survival, std_error, low, high, at_risk, died, table.censored[:, 0], level)


def greenwood(at_risk: Integers, events: Integers) -> Floats:
    """Greenwood's variance of the log survival, (m,); infinite from where survival is 0."""
    left = at_risk - events
    with np.errstate(divide="ignore"):
        return np.cumsum(np.where(events > 0, events / (at_risk * left.astype(np.float64)), 0.0))


def log_log_band(survival: Floats, log_error: Floats, level: float) -> tuple[Floats, Floats]:
    """Limits that are symmetric for log(-log S), (m,); NaN where S is 0 or 1."""
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    centre = np.log(-np.log(s))
    half = ndtri(0.5 + level / 2) * np.where(inside, log_error, np.nan) / np.log(s)
    return np.exp(-np.exp(centre - half)), np.exp(-np.exp(centre + half))


def _crossing(times: Floats, curve: Floats, probability: float) -> float:
    """First time the curve is at or below 1 - probability; the middle of the step where it equals it."""
    known = np.isfinite(curve)
    x = np.append(0.0, times[known])
    lost = np.append(0.0, 1.0 - curve[known])
    reached = np.flatnonzero(lost >= probability - TIE_TOLERANCE)
    if reached.size == 0:
        return math.nan
    beyond = np.flatnonzero(lost >= probability + TIE_TOLERANCE)
    if beyond.size:
        return float((x[reached[0]] + x[beyond[0]]) / 2)
    # Flat at the quantile to the end: the step ends with the follow-up.
    return float((x[reached[0]] + times[-1]) / 2) if known[-1] else math.nan
