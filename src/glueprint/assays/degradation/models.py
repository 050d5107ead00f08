"""Models of dose and time for `curves.fit`: on fractions or on their logarithms, monotone or with a
hook."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from glueprint.curves.models import MODELS, Model, Parameter
from glueprint.curves.models.model import Floats, Given
from glueprint.curves.models.shapes import columns, rise

__all__ = ["WINDOW", "model"]

MONOTONE = MODELS["degradation"]
# From a hook that cuts the plateau short to one far beyond any dose.
WINDOW = Parameter("window", "", "log10", grid=(10.0, 300.0, 1e4), reach=(1.0, 1e8))
VEHICLE = Parameter("vehicle", "", "log10", grid=(1.0,), reach=(0.05, 20.0), default=1.0)


@lru_cache
def model(*, hook: bool, logarithm: bool) -> Model:
    """The model of a fraction remaining, or of its natural logarithm, over dose_nm and time_h.

    With a hook the added rate is k_max u (1 - v), u as without, v the same at window times the EC50.
    Parameters: vehicle, k_deg_per_h, k_max_per_h, ec50_nm, slope, and window with a hook.
    """
    curve = _hooked if hook else MONOTONE.curve
    parameters = (*MONOTONE.parameters, WINDOW) if hook else MONOTONE.parameters
    if logarithm:
        return Model(
            "degradation, logarithm" + (", hook" if hook else ""),
            "logarithm of the fraction remaining",
            MONOTONE.inputs,
            (VEHICLE, *parameters[1:]),
            _log_hooked if hook else _log_monotone,
        )
    return Model(
        "degradation" + (", hook" if hook else ""),
        MONOTONE.title,
        MONOTONE.inputs,
        parameters,
        curve,
        level="vehicle",
    )


def _log_monotone(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    return _logarithm(*MONOTONE.curve(theta, given))


def _log_hooked(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    return _logarithm(*_hooked(theta, given))


def _logarithm(value: Floats, jacobian: Floats) -> tuple[Floats, Floats]:
    positive = np.maximum(value, 1e-300)
    return np.log(positive), jacobian / positive[..., None]


def _hooked(theta: Floats, given: Given) -> tuple[Floats, Floats]:
    vehicle, k_deg, k_max, ec50, steep, window = columns(theta)
    time = given["time_h"]
    up, up_half, up_slope = rise(given["dose_nm"], ec50, steep)
    gone_over, over_half, over_slope = rise(given["dose_nm"], ec50 * window, steep)
    kept = 1.0 - gone_over
    share = up * kept
    added = k_max * share
    rate = k_deg + added
    gone = -np.expm1(-rate * time)
    lost = added / rate
    left = 1.0 - lost * gone
    by_k_deg = lost * gone / rate - lost * time * (1.0 - gone)
    by_added = -(k_deg / rate) * gone / rate - lost * time * (1.0 - gone)
    change = vehicle * by_added
    jacobian = [
        left,
        vehicle * by_k_deg,
        change * share,
        change * k_max * (up_half * kept - up * over_half * window),
        change * k_max * (up_slope * kept - up * over_slope),
        change * k_max * (-up * over_half * ec50),
    ]
    return vehicle * left, np.stack(jacobian, axis=-1)
