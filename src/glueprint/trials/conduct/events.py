"""When a cumulative hazard passes its draw, and when a rising marker passes its threshold. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["crossing_day", "hazard_day"]

Floats = NDArray[np.float64]


def hazard_day(start_day: Floats, end_day: Floats, hazard: tuple[Floats, Floats], draw: Floats) -> Floats:
    """(n,) day on which the cumulative hazard passes the exponential draw; inf where it does not in the
    interval.

    hazard: cumulative hazard at the start and at the end, (n,) each; linear between them, that is a constant
    hazard.
    Source: time change of a Poisson process; own derivation, see docs/trials.md.
    """
    before, after = hazard
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (draw - before) / (after - before)
        day = start_day + np.clip(part, 0.0, 1.0) * (end_day - start_day)
        return np.asarray(np.where((after >= draw) & (before < draw), day, np.inf))


def crossing_day(
    start_day: Floats, end_day: Floats, marker: tuple[Floats, Floats], threshold: Floats
) -> Floats:
    """(n,) day on which a positive marker rises to the threshold; log-linear inside the interval, inf where
    it does not.

    marker: values at the start and at the end, (n,) each.   threshold: (n,).
    """
    before, after = marker
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (np.log(threshold) - np.log(before)) / (np.log(after) - np.log(before))
        day = start_day + np.clip(part, 0.0, 1.0) * (end_day - start_day)
        return np.asarray(np.where((after >= threshold) & (before < threshold), day, np.inf))
