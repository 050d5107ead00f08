"""Published and simulated summaries of trials as vectors on scales where they are nearly normal.

A median of times that are seen at visits jumps from one visit to the next when parameters move a little. What
a published median says without jumps is that half of the patients are free of the event at that time: a
simulated trial is asked for that share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration.targets import Target
from glueprint.trials import MEDIAN, MONTH_DAYS, RATE, RATIO, reported

__all__ = ["Summary", "observed", "published", "simulated", "spread_of_readings"]

Floats = NDArray[np.float64]
SHARE = "share without event"
# A curve is read as its mean over this time, one interval between assessments: it falls in steps there.
WINDOW_MONTHS = 28 / MONTH_DAYS
# How far the published curve may lie from one half, on its own step: a share of patients, standard deviation.
STEP_SD = 0.02
# Exponential times: the log odds of the share fall by 2 ln 2 for each unit of log time at the median.
SLOPE = 2.0 * np.log(2.0)
LEAST = 1.0 / MONTH_DAYS  # keeps the logarithm of a time of 0 finite


def _curve_of(endpoint: str) -> str:
    """The survival curve that a median is read off; empty where it is read off none."""
    row = reported()[endpoint]
    return row.endpoint.name if row.summary == MEDIAN and row.endpoint.curve else ""


@dataclass(frozen=True)
class Summary:
    """One summary of one arm: the readings that were printed of it, and the claims that print them.

    kind: "rate" (per cent; fitted as log odds), "share without event" (readings are medians in months; fitted
    is the log odds of being without the event then), "median" (of times to a hold, weeks; natural log), or
    "hazard ratio" (natural log).
    """

    trial: str
    arm: str
    endpoint: str
    kind: str
    readings: tuple[float, ...]
    claim_ids: tuple[str, ...]
    n: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Where it stands in a table of endpoints."""
        return (self.trial, self.arm, self.endpoint)

    @property
    def median_months(self) -> float:
        """Geometric mean of the readings, where they are medians."""
        return float(np.exp(np.mean(np.log(self.readings))))

    @property
    def unit(self) -> str:
        """Of `natural`."""
        if self.kind == SHARE:
            return "% without event at the published median"
        return {RATE: "%", RATIO: "1"}.get(self.kind, "weeks")

    def scaled(self, value: float) -> float:
        """A reading on the scale of the fit."""
        if self.kind == SHARE:
            return float(-SLOPE * np.log(value / self.median_months))
        if self.kind != RATE:
            return float(np.log(value))
        events = value / 100.0 * self.n
        return float(np.log((events + 0.5) / (self.n - events + 0.5)))

    def natural(self, scaled: Floats) -> Floats:
        """Per cent, weeks or ratio of numbers on the scale of the fit."""
        if self.kind not in (RATE, SHARE):
            return np.exp(scaled)
        odds = np.exp(scaled)
        return np.asarray(100.0 * odds / (1.0 + odds))


def published(targets: Iterable[Target], scope: str = "trials") -> tuple[Summary, ...]:
    """The targets with all readings of one endpoint together, in the order of the targets.

    scope: "trials", "arms" without the hazard ratios between arms, or the name of a trial for its own alone.
    """
    together: defaultdict[tuple[str, str, str], list[Target]] = defaultdict(list)
    for target in targets:
        if scope in ("trials", target.trial) or (scope == "arms" and target.kind != RATIO):
            together[target.trial, target.arm, target.endpoint].append(target)
    return tuple(
        Summary(
            *key,
            kind=SHARE if _curve_of(key[2]) else same[0].kind,
            readings=tuple(t.value for t in same),
            claim_ids=tuple(i for t in same for i in t.claim_ids),
            n=max(t.n for t in same),
        )
        for key, same in together.items()
    )


def observed(summaries: Sequence[Summary]) -> Floats:
    """(q,) the mean of the readings of each, on the scale of the fit."""
    return np.array([np.mean([s.scaled(value) for value in s.readings]) for s in summaries])


def spread_of_readings(summaries: Sequence[Summary]) -> Floats:
    """(q,) variance of the mean reading: where several readings disagree, and where a median is of steps."""

    def variance(summary: Summary) -> float:
        readings = [summary.scaled(value) for value in summary.readings]
        between = float(np.var(readings, ddof=1)) / len(readings) if len(readings) > 1 else 0.0
        return between + ((STEP_SD / 0.25) ** 2 if summary.kind == SHARE else 0.0)

    return np.array([variance(summary) for summary in summaries])


def simulated(summaries: Sequence[Summary], endpoints: pl.DataFrame, curves: pl.DataFrame) -> Floats:
    """(q,) the summaries of one simulated replicate of each trial, on the scale of the fit; NaN if missing.

    endpoints, curves: the tables of the trials, one replicate each.
    """
    wanted = ("trial", "arm", "endpoint", "value", "n", "events")
    table = {
        (trial, arm, endpoint): (value, n, events)
        for trial, arm, endpoint, value, n, events in endpoints.select(wanted).iter_rows()
    }
    parts = curves.partition_by("trial", "arm", "endpoint", as_dict=True)
    found = np.full(len(summaries), np.nan)
    for k, summary in enumerate(summaries):
        value, n, events = table.get(summary.key, (None, 0, 0))
        if summary.kind == SHARE:
            curve = parts.get((summary.trial, summary.arm, _curve_of(summary.endpoint)))
            if curve is not None and n:
                # Half a patient keeps a curve that has ended, or not begun to fall, finite.
                share = np.clip(_share(curve, summary.median_months), 0.5 / n, 1.0 - 0.5 / n)
                found[k] = np.log(share / (1.0 - share))
        elif summary.kind == RATE and n:
            found[k] = np.log((events + 0.5) / (n - events + 0.5))
        elif value is not None and np.isfinite(value):
            found[k] = np.log(max(float(value), LEAST))
    return found


def _share(curve: pl.DataFrame, months: float) -> float:
    """Mean of a survival curve over the window about a time."""
    times, survival = curve["time_months"].to_numpy(), curve["survival"].to_numpy()
    low, high = max(months - 0.5 * WINDOW_MONTHS, 0.0), months + 0.5 * WINDOW_MONTHS
    inner = times[(times > low) & (times < high)]
    edges = np.concatenate([[low], inner, [high]])
    level = np.concatenate([[1.0], survival])[np.searchsorted(times, edges[:-1], side="right")]
    return float((level * np.diff(edges)).sum() / (high - low))
