"""The domain of validity of an experiment: the designs and the priors that the evidence speaks for.

The readings that stand beside evidence come from the designs as they are by default. A higher dose, a longer
culture or a parameter beyond its prior is computed by the same equations, and nothing speaks for the result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtri

from glueprint.experiments.description import Description
from glueprint.mechanism import Outside, Quantity, believed

__all__ = ["outside"]

CODE = "GP-L005"
# How much of a prior counts as covered.
INSIDE = 0.99
# Settings that are doses, times and other amounts of the design -> the unit in words.
UNITS: Mapping[str, str] = {
    "doses_nm": "nM",
    "dose_nm": "nM",
    "arm_dose_nm": "nM",
    "times_h": "h",
    "time_h": "h",
    "read_h": "h",
    "days": "h",
    "levels": "x the usual cereblon",
    "folds": "x the substrate",
}
HOURS = {"days": 24.0}


def outside(
    settings: Mapping[str, Any],
    values: Mapping[str, float],
    quantities: Mapping[str, Quantity],
    designs: Collection[Description],
) -> tuple[Outside, ...]:
    """Everything in which an experiment goes beyond its usual designs and beyond what is believed.

    settings: as they were used.   values: parameters of the model that were given.   quantities: the model's
    own.   designs: all experiments of the kind, in cells or without; the widest of them is the limit.
    Source: own derivation, docs/experiments.md, "Beyond the evidence".
    """
    return (*_design(settings, designs), *_parameters(values, quantities))


def _design(settings: Mapping[str, Any], designs: Collection[Description]) -> Iterator[Outside]:
    most: dict[str, float] = {}
    for design in designs:
        for name, setting in design.settings.items():
            if (amount := _most(name, setting.default)) is not None:
                most[UNITS[name]] = max(most.get(UNITS[name], 0.0), amount)
    for name, value in settings.items():
        amount = _most(name, value)
        if amount is not None and amount > (limit := most[UNITS[name]]):
            unit = UNITS[name]
            yield Outside(name, f"up to {amount:g} {unit}", f"up to {limit:g} {unit}", CODE, "usual designs")


def _most(name: str, value: Any) -> float | None:
    """The largest amount of a setting in the unit of `UNITS`; None where it is no amount, or left out."""
    if name not in UNITS or value is None:
        return None
    return float(np.max(np.asarray(value, dtype=float))) * HOURS.get(name, 1.0)


def _parameters(values: Mapping[str, float], quantities: Mapping[str, Quantity]) -> Iterator[Outside]:
    for name, value in values.items():
        span = _span(quantities[name]) if name in quantities else None
        if span and not span[0] <= value <= span[1]:
            covered = f"{span[0]:.3g} to {span[1]:.3g} {quantities[name].unit}"
            yield Outside(name, f"{value:g}", covered, CODE, f"{INSIDE:.0%} of its prior")


def _span(quantity: Quantity) -> tuple[float, float] | None:
    """What a prior holds for possible; None where it is fixed, as the switches of a protocol are."""
    prior, far = believed(quantity), float(ndtri(0.5 + INSIDE / 2.0))
    if prior.distribution == "uniform":
        return prior.low, prior.high
    if prior.distribution == "lognormal":
        factor = 10.0 ** (far * prior.sd_log10)
        return quantity.typical / factor, quantity.typical * factor
    if prior.distribution == "logit-normal":
        middle, reach = logit(quantity.typical), far * prior.sd_logit
        return float(expit(middle - reach)), float(expit(middle + reach))
    return None
