"""The Kaplan-Meier curve with Greenwood's variance, log-log bands and quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from glueprint.survival._check import (
    Floats,
    Integers,
    as_floats,
    as_level,
    as_probability,
)
from glueprint.survival.counts import TIE_TOLERANCE
from glueprint.survival.exposure import Exposure, Numbers, exposure
from glueprint.survival.jackknife import jackknife_variance
from glueprint.survival.observed import Observed, Standing, curve_clusters, curve_status, observed
from glueprint.survival.rows import Rows, as_rows


@dataclass(frozen=True)
class KaplanMeier(Standing):
    """A survival curve; every array has one entry per distinct time, (m,), in the unit of the times given.

    survival: probability of no event up to and with the time.   std_error: of survival; `variance` says
    whether it is Greenwood's ("greenwood") or the infinitesimal jackknife ("robust").
    low, high: pointwise log-log band, NaN where survival is 0 or 1 (no variance is defined there).
    at_risk: just before the time.   events, censored: at the time.   All three are patients, or sums of
    weights where weights were given.   status: a key of observed.ADVICE; `advice` is its text.
    """

    times: Floats
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats
    at_risk: Numbers
    events: Numbers
    censored: Numbers
    level: float
    variance: str
    status: str
    observed: Observed

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
        probability = as_probability(probability)
        curves = (self.survival, self.low, self.high)
        value, low, high = (_crossing(self.times, curve, probability) for curve in curves)
        return value, low, high

    def at(self, times: ArrayLike) -> Floats:
        """Survival at the given times, (k,); NaN after the last follow-up unless the curve has reached 0."""
        wanted = as_floats(times, "times", (0, 1))
        step = np.searchsorted(self.times, wanted, side="right")
        value = np.append(1.0, self.survival)[step]
        return np.where((wanted > self.times[-1]) & (self.survival[-1] > 0), np.nan, value)

    def reading(self, time: float) -> tuple[float, float, float, float]:
        """Survival at a time within the follow-up, its standard error and limits.

        Before the first time nothing has varied: 1, 0 and no limits.
        """
        step = int(np.searchsorted(self.times, time, side="right")) - 1
        if step < 0:
            return 1.0, 0.0, math.nan, math.nan
        columns = (self.survival, self.std_error, self.low, self.high)
        value, error, low, high = (float(column[step]) for column in columns)
        return value, error, low, high

    def risk_table(self, times: ArrayLike) -> Numbers:
        """Patients (or weights) at risk just before each of the given times, (k,); at 0, those who start."""
        wanted = as_floats(times, "times", (0, 1))
        if self.observed.entries is not None:
            return self.observed.entries.at_risk(wanted, self.times, self.events + self.censored)
        step = np.searchsorted(self.times, wanted, side="left")
        return np.append(self.at_risk, 0)[step]


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> KaplanMeier:
    """The product-limit estimate of the survival curve.

    time: (n,) follow-up, any unit, >= 0.   event: (n,) 1 event, 0 censored.   level: of the bands.
    entry: (n,) delayed entry (left truncation), same unit: a row is at risk if entry < t <= time.
    weights: (n,) >= 0; rows of weight 0 are left out and counted.   cluster: (n,) labels of rows that belong
    together, e.g. the patient of several rows.
    Returns KaplanMeier. Its variance is Greenwood's, with whole weights as numbers of equal patients; with
    cluster or a weight that is no whole number it is the infinitesimal jackknife, by cluster or by row.
    A risk set that empties before the last entry is the status "emptied" or "gap".
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V007 for the level, GP-V008 and GP-V018 for clusters,
    GP-V014 for entries, GP-V015 and GP-V016 for weights.
    Source: Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452; Greenwood 1926; the log-log band of
    Kalbfleisch and Prentice; Tsai, Jewell and Wang 1987, doi:10.1093/biomet/74.4.883 for delayed entry.
    Equal to R survival's survfit(conf.type = "log-log"), which chooses the variance in the same way; where
    the curve is 0 R gives a robust error of 0, and we none.

    >>> kaplan_meier([2, 5, 7, 9], [1, 1, 0, 1]).survival.round(2).tolist()
    [0.75, 0.5, 0.5, 0.0]
    """
    rows = as_rows(time, event, entry, weights)
    level = as_level(level)
    table = exposure(rows)
    clusters = curve_clusters(rows, cluster)
    at_risk, died = table.at_risk, table.events
    survival = np.cumprod((at_risk - died) / at_risk).astype(np.float64)
    log_error = np.sqrt(greenwood(at_risk, died) if clusters is None else _robust(rows, table, clusters))
    low, high = log_log_band(survival, log_error, level)
    std_error = np.where(survival > 0, survival * np.where(survival > 0, log_error, 0.0), np.nan)
    return KaplanMeier(
        times=table.time,
        survival=survival,
        std_error=std_error,
        low=low,
        high=high,
        at_risk=at_risk,
        events=died,
        censored=table.censored,
        level=level,
        variance="greenwood" if clusters is None else "robust",
        status=curve_status(table),
        observed=observed(rows, table, None if cluster is None else clusters),
    )


def _robust(rows: Rows, table: Exposure, clusters: Integers) -> Floats:
    """Jackknife variance of the log survival, (m,); infinite from where survival is 0."""
    at_risk, died = table.at_risk.astype(np.float64), table.events.astype(np.float64)
    left = at_risk - died
    alive = np.cumprod(left > 0).astype(np.bool_)
    safe = np.where(alive, left, 1.0)
    climb = np.cumsum(np.where(alive, died / (at_risk * safe), 0.0))
    variance = jackknife_variance(rows, table, clusters, climb, np.where(alive, 1 / safe, 0.0))
    return np.where(alive, variance, np.inf)


def greenwood(at_risk: Numbers, events: Numbers) -> Floats:
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
