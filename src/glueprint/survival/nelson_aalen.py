"""The Nelson-Aalen estimate of the cumulative hazard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from glueprint.survival._check import Floats, as_floats, as_level
from glueprint.survival.exposure import Numbers, exposure
from glueprint.survival.jackknife import jackknife_variance
from glueprint.survival.observed import Observed, Standing, curve_clusters, curve_status, observed
from glueprint.survival.rows import as_rows


@dataclass(frozen=True)
class NelsonAalen(Standing):
    """A cumulative hazard; every array has one entry per distinct time, (m,), in the unit of the times given.

    cumulative_hazard: up to and with the time.   std_error: of it; `variance` says whether it is Aalen's
    ("aalen") or the infinitesimal jackknife ("robust").   low, high: interval symmetric for its logarithm,
    NaN before the first event.   at_risk, events, censored: as in KaplanMeier.
    status: a key of observed.ADVICE; `advice` is its text.
    """

    times: Floats
    cumulative_hazard: Floats
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

    def at(self, times: ArrayLike) -> Floats:
        """Cumulative hazard at the given times, (k,); NaN after the last follow-up."""
        wanted = as_floats(times, "times", (0, 1))
        value = np.append(0.0, self.cumulative_hazard)[np.searchsorted(self.times, wanted, side="right")]
        return np.where(wanted > self.times[-1], np.nan, value)


def nelson_aalen(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> NelsonAalen:
    """The cumulative hazard: events over those at risk, summed over time.

    time, event, entry, weights, cluster, level: as in kaplan_meier; so is the choice of the variance.
    Returns NelsonAalen.
    Raises InputError as kaplan_meier does.
    Source: Nelson 1972, doi:10.1080/00401706.1972.10488991; Aalen 1978, doi:10.1214/aos/1176344247, variance
    d / n^2 summed over time. Equal to cumhaz and std.chaz of R survival's survfit (ctype = 1).
    """
    rows = as_rows(time, event, entry, weights)
    level = as_level(level)
    table = exposure(rows)
    clusters = curve_clusters(rows, cluster)
    at_risk = table.at_risk.astype(np.float64)
    hazard = np.cumsum(table.events / at_risk)
    climb = np.cumsum(table.events / at_risk**2)
    spread = climb if clusters is None else jackknife_variance(rows, table, clusters, climb, 1 / at_risk)
    std_error = np.sqrt(spread)
    begun = hazard > 0
    relative = ndtri(0.5 + level / 2) * std_error / np.where(begun, hazard, np.nan)
    return NelsonAalen(
        times=table.time,
        cumulative_hazard=hazard,
        std_error=std_error,
        low=hazard * np.exp(-relative),
        high=hazard * np.exp(relative),
        at_risk=table.at_risk,
        events=table.events,
        censored=table.censored,
        level=level,
        variance="aalen" if clusters is None else "robust",
        status=curve_status(table),
        observed=observed(rows, table, None if cluster is None else clusters),
    )
