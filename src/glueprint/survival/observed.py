"""What a curve rests on: its rows, its clusters, and when nobody was at risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glueprint.survival._check import Floats, Integers
from glueprint.survival.exposure import Exposure, Numbers
from glueprint.survival.rows import Rows, enough_clusters

ADVICE = {
    "ok": "",
    "emptied": "everybody at risk had the event while others enter later: the curve is 0 from there by "
    "arithmetic alone. Begin after it: leave out the rows that end by then, raise the other entries to it, "
    "and read the curve as survival of those who reach it; `gaps` says when nobody was at risk",
    "gap": "nobody was at risk for a while: the curve is carried level over it, which no data support; "
    "`gaps` says from when to when",
}


@dataclass(frozen=True)
class Entries:
    """Distinct times of entry and the sum of weights that enters at each, both (e,)."""

    times: Floats
    weight: Numbers

    def at_risk(self, wanted: Floats, times: Floats, leaving: Numbers) -> Numbers:
        """Sum of weights at risk just before the times wanted, (k,); at 0, those who start then.

        times, leaving: (m,) when rows end and the weight that leaves.
        """
        start = np.where(wanted == 0, np.searchsorted(self.times, 0, side="right"), 0)
        came = np.append(0, np.cumsum(self.weight))[np.maximum(np.searchsorted(self.times, wanted), start)]
        gone = np.append(0, np.cumsum(leaving))[np.searchsorted(times, wanted)]
        # Where nobody is left the two sums differ by rounding.
        return np.asarray(np.where(came - gone > 1e-12 * came, came - gone, 0))


@dataclass(frozen=True)
class Observed:
    """What a curve rests on.

    rows: rows used.   left_out: rows of weight 0.   clusters: number of clusters, None if none were given.
    begin: first entry, from which on the curve is known, 0 without delayed entry.
    gaps: (k, 2) from and to when nobody was at risk though rows enter later.
    entries: Entries, None without delayed entry.
    """

    rows: int
    left_out: int
    clusters: int | None
    begin: float
    gaps: Floats
    entries: Entries | None

    @property
    def n(self) -> int:
        """Patients: clusters where they were given, else rows."""
        return self.rows if self.clusters is None else self.clusters


class Standing:
    """What a curve says of itself, from its `status` and `observed`."""

    status: str
    observed: Observed

    @property
    def n(self) -> int:
        """Patients: clusters where they were given, else rows."""
        return self.observed.n

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the curve is in order."""
        return ADVICE[self.status]


def observed(rows: Rows, table: Exposure, cluster: Integers | None) -> Observed:
    """What a curve of these rows rests on; cluster: (n,) codes that were given, or None."""
    return Observed(
        rows=rows.time.size,
        left_out=rows.left_out,
        clusters=None if cluster is None else int(cluster.max()) + 1,
        begin=0.0 if rows.entry is None else float(rows.entry.min()),
        gaps=table.gaps,
        entries=None if rows.entry is None else _entries(rows.entry, rows.weight),
    )


def _entries(entry: Floats, weight: Floats | None) -> Entries:
    times, where = np.unique(entry, return_inverse=True)
    if weight is None:
        return Entries(times, np.bincount(where.reshape(-1)).astype(np.int64))
    return Entries(times, np.bincount(where.reshape(-1), weight).astype(np.float64))


def curve_clusters(rows: Rows, cluster: ArrayLike | None) -> Integers | None:
    """Codes of the clusters the robust variance sums over, (n,), or None for the model's variance."""
    if cluster is not None:
        _, codes = rows.codes(cluster, "cluster")
        enough_clusters(codes)
        return codes
    return None if rows.whole else np.arange(rows.time.size)


def curve_status(table: Exposure) -> str:
    """A key of ADVICE: whether the risk set empties before the last entry."""
    if (table.at_risk == table.events)[:-1].any():
        return "emptied"
    return "gap" if table.gaps.size else "ok"
