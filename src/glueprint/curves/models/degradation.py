"""Degradation over dose and time: natural turnover and a loss that the drug adds."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats, Given, Grid, Model, Parameter, Reach
from glueprint.curves.models.shapes import columns, concentration, plateau, rise, slope

__all__ = ["DEGRADATION"]


def curve(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    """vehicle (F + (1 - F) exp(-k t)), k = k_deg + k_max x^s/(x^s + ec50^s), F = k_deg / k.

    Source: dP/dt = k_syn - k P from the untreated steady state; own derivation, docs/regression.md.
    """
    vehicle, k_deg, k_max, ec50, steep = columns(theta)
    time = given["time_h"]
    up, by_half, by_slope = rise(given["dose_nm"], ec50, steep)
    added = k_max * up
    rate = k_deg + added
    gone = -np.expm1(-rate * time)
    lost = added / rate
    left = 1.0 - lost * gone
    # The loss is added / rate gone(rate): derivatives by the natural and by the added rate.
    pace = lost * time * (1.0 - gone)
    by_k_deg = lost * gone / rate - pace
    by_added = -(k_deg / rate) * gone / rate - pace
    jacobian = [
        left,
        vehicle * by_k_deg,
        vehicle * by_added * up,
        vehicle * by_added * k_max * by_half,
        vehicle * by_added * k_max * by_slope,
    ]
    return vehicle * left, np.stack(jacobian, axis=-1)


def _rates(multiples: tuple[float, ...]) -> Grid:
    def grid(given: Given) -> Floats:
        shortest, longest = given.positive_range("time_h")
        return np.asarray(np.asarray(multiples)[:, None] / np.sqrt(shortest * longest))

    return grid


def _reach(least: float, most: float) -> Reach:
    def reach(given: Given) -> tuple[Floats, Floats]:
        shortest, longest = given.positive_range("time_h")
        return least / longest, most / shortest

    return reach


DEGRADATION = Model(
    name="degradation",
    title="degradation over dose and time",
    inputs=("dose_nm", "time_h"),
    parameters=(
        plateau("vehicle", default=1.0),
        Parameter("k_deg_per_h", "1/h", "log10", grid=_rates((0.03, 0.2, 1.0)), reach=_reach(1e-4, 1e3)),
        Parameter("k_max_per_h", "1/h", "log10", grid=_rates((0.2, 1.0, 5.0)), reach=_reach(1e-4, 1e4)),
        concentration("ec50_nm", "nM", "dose_nm", 6),
        slope((1.0,)),
    ),
    curve=curve,
    level="vehicle",
)
