"""Published and simulated summaries of trials as vectors on scales where they are nearly normal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration.targets import RATE, Target

__all__ = ["Summary", "observed", "published", "simulated", "spread_of_readings"]

Floats = NDArray[np.float64]
# A median that a simulated trial does not reach lies beyond its follow-up; it is put this far out.
NOT_REACHED_MONTHS = 40.0


@dataclass(frozen=True)
class Summary:
    """One summary of one arm: the readings that were printed of it, and the claims that print them.

    kind: "rate" (natural scale: per cent; fitted as log odds), or "median" (months; natural log).
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

    def scaled(self, value: float) -> float:
        """The value on the scale of the fit."""
        if self.kind != RATE:
            return float(np.log(value))
        events = value / 100.0 * self.n
        return float(np.log((events + 0.5) / (self.n - events + 0.5)))

    def natural(self, scaled: Floats) -> Floats:
        """Per cent or months of numbers on the scale of the fit."""
        if self.kind != RATE:
            return np.exp(scaled)
        odds = np.exp(scaled)
        return np.asarray(100.0 * odds / (1.0 + odds))


def published(targets: Iterable[Target]) -> tuple[Summary, ...]:
    """The targets with all readings of one endpoint together, in the order of the targets."""
    together: defaultdict[tuple[str, str, str], list[Target]] = defaultdict(list)
    for target in targets:
        together[target.trial, target.arm, target.endpoint].append(target)
    return tuple(
        Summary(
            *key,
            kind=same[0].kind,
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
    """(q,) variance of the mean reading, where several readings of the same patients disagree; else 0."""
    return np.array(
        [
            np.var([s.scaled(v) for v in s.readings], ddof=1) / len(s.readings)
            if len(s.readings) > 1
            else 0.0
            for s in summaries
        ]
    )


def simulated(summaries: Sequence[Summary], endpoints: pl.DataFrame) -> Floats:
    """(q,) the summaries of one simulated replicate of each trial, on the scale of the fit; NaN if missing.

    endpoints: the endpoints tables of the trials, one replicate each.
    """
    wanted = ("trial", "arm", "endpoint", "value", "n", "events")
    table = {
        (trial, arm, endpoint): (value, n, events)
        for trial, arm, endpoint, value, n, events in endpoints.select(wanted).iter_rows()
    }
    found = np.full(len(summaries), np.nan)
    for k, summary in enumerate(summaries):
        if summary.key not in table:
            continue
        value, n, events = table[summary.key]
        if summary.kind == RATE:
            found[k] = np.log((events + 0.5) / (n - events + 0.5))
        else:
            months = NOT_REACHED_MONTHS if value is None or not np.isfinite(value) else float(value)
            found[k] = np.log(max(months, 1.0 / 30.4375))
    return found
