"""From fitted curves to potencies: relative and absolute kept apart, limits instead of extrapolation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import batch
from glueprint.curves.fitting import Fits, Status
from glueprint.curves.logistic import BACK, FRONT, LN_SLOPE, LOG10_DOSE, Floats
from glueprint.curves.potency import Kind, Potency

__all__ = ["absolute", "relative"]

UNUSABLE = (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED)
# The relative status does not speak for the absolute potency, so its range reasons are said anew.
SAID = (*UNUSABLE, Status.NO_EFFECT, Status.NO_DEGREES)

# Where a curve meets its level: at a dose, at none however high, before the lowest, or nobody can say.
LOCATED, BEYOND, PASSED, UNKNOWN = range(4)


def relative(
    fits: Fits, kind: Kind = "EC50", *, time_h: Sequence[float | None] | None = None, n: int = 1
) -> tuple[Potency, ...]:
    """The dose half way between the plateaus of every curve, in nM (doses must be in nM).

    time_h: one exposure a curve.   n: independent experiments behind each curve.
    Returns one `Potency` a curve: a limit where the EC50 is outside the tested doses or there is no effect,
    and
    none for a flat curve without vehicle, which may be all effect or no effect.
    """
    bounds = np.stack([fits.log10_ec50_low, fits.log10_ec50_high], axis=1)
    vehicle = np.any(np.isneginf(fits.data.log10_dose) & (fits.data.weights > 0.0), axis=1)
    side = np.where(fits.status == Status.NO_EFFECT, np.where(vehicle, BEYOND, UNKNOWN), LOCATED)
    return _potencies(fits, (fits.log10_ec50, bounds, side), time_h, kind=kind, definition="relative", n=n)


def absolute(
    fits: Fits, level: float | Floats, kind: Kind = "EC50", *, control: float,
    time_h: Sequence[float | None] | None = None, n: int = 1, intervals: bool = True,
) -> tuple[Potency, ...]:  # fmt: skip
    """The dose, in nM, at which every curve's response equals `level` (0.5 of a control of 1, say).

    level: response, one number or (n,).   control: response without drug, which says on which side of the
    level
    a curve begins.   Others as in `relative`.
    Returns one `Potency` a curve: a limit where the level is passed outside the tested doses, or not at all.
    Source: the third parameter of the curve moves to this dose and is profiled there, docs/curves.md.
    """
    levels = np.broadcast_to(np.asarray(level, dtype=float), fits.rss.shape)
    theta = fits.theta
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        odds = (theta[:, FRONT] - levels) / (levels - theta[:, BACK])
        theta[:, LOG10_DOSE] += np.where(odds > 0.0, np.log10(odds), np.nan) / np.exp(theta[:, LN_SLOPE])
        bounds = np.full((len(fits.rss), 2), np.nan)
        if intervals:
            bounds = batch.profile_interval(fits.data, fits.pinned, theta, fits.confidence, levels)
    flat = fits.status == Status.NO_EFFECT
    height = np.where(flat, batch.mean(fits.data), theta[:, FRONT])
    begun = np.where((height - levels) * (control - levels) > 0.0, BEYOND, PASSED)
    side = np.where(flat | ~(odds > 0.0), begun, LOCATED)
    found = (theta[:, LOG10_DOSE], bounds, side)
    return _potencies(fits, found, time_h, kind=kind, definition="absolute", n=n)


def _potencies(
    fits: Fits,
    found: tuple[Floats, Floats, NDArray[np.int64]],
    time_h: Sequence[float | None] | None,
    **common: Any,
) -> tuple[Potency, ...]:
    """One potency a curve from log10 doses (n,), their bounds (n, 2) and on which side they lie (n,)."""
    times = time_h or [None] * len(fits.rss)
    return tuple(
        _potency(fits, i, (float(log10_dose), bounds, int(side)), {**common, "time_h": times[i]})
        for i, (log10_dose, bounds, side) in enumerate(zip(*found, strict=True))
    )


def _potency(fits: Fits, i: int, found: tuple[float, Floats, int], fields: Mapping[str, Any]) -> Potency:
    log10_dose, bounds, side = found
    status = Status(int(fits.status[i]))
    lowest, highest = float(fits.lowest_dose[i]), float(fits.highest_dose[i])
    common = {"confidence": fits.confidence, **fields}
    reasons = tuple(reason for reason in (fits.reasons[i],) if reason and status in SAID)
    low = float(10.0 ** bounds[0]) if np.isfinite(bounds[0]) else None
    high = float(10.0 ** bounds[1]) if np.isfinite(bounds[1]) else None
    if status in UNUSABLE or side == UNKNOWN or np.isnan(highest):
        why = "flat without vehicle: no effect or full effect; add a dose of zero"
        reasons = (why,) if side == UNKNOWN else reasons
        return Potency(value_nm=None, low_nm=None, high_nm=None, relation="none", reasons=reasons, **common)
    if side == PASSED:
        reasons = ("past the level at every tested dose; add lower doses",)
        return Potency(value_nm=lowest, low_nm=None, high_nm=None, relation="<", reasons=reasons, **common)
    if side == BEYOND:
        if status != Status.NO_EFFECT:
            reasons = (*reasons, "the fitted curve does not reach the level")
        return Potency(value_nm=highest, low_nm=None, high_nm=None, relation=">", reasons=reasons, **common)
    # Beyond the tested doses a bound would be an extrapolation too, so it stops at their edge.
    if log10_dose < np.log10(lowest):
        reasons = (*reasons, "below the lowest tested dose; add lower doses")
        high = None if high is None else max(high, lowest)
        return Potency(value_nm=lowest, low_nm=None, high_nm=high, relation="<", reasons=reasons, **common)
    if log10_dose > np.log10(highest):
        reasons = (*reasons, "above the highest tested dose; add higher doses")
        low = None if low is None else min(low, highest)
        return Potency(value_nm=highest, low_nm=low, high_nm=None, relation=">", reasons=reasons, **common)
    for bound, name in zip(bounds, ("lower", "upper"), strict=True):
        if np.isinf(bound):
            reasons = (*reasons, f"the profile does not cross on the {name} side: that bound is open")
    return Potency(value_nm=float(10.0**log10_dose), low_nm=low, high_nm=high, reasons=reasons, **common)
