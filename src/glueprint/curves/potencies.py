"""From fitted curves to potencies: relative and absolute kept apart, limits instead of extrapolation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from glueprint.curves import batch
from glueprint.curves.fitting import Fits, Status
from glueprint.curves.logistic import FRONT, LN_SLOPE, LOG10_DOSE, Floats, log10_shift
from glueprint.curves.potency import Kind, Potency, Reason
from glueprint.errors import InputError

__all__ = ["absolute", "relative"]

UNUSABLE = (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED)
# The relative status does not speak for the absolute potency, so its range reasons are said anew.
SAID = {
    Status.TOO_FEW_POINTS: Reason.TOO_FEW_POINTS,
    Status.NOT_CONVERGED: Reason.NOT_CONVERGED,
    Status.NO_EFFECT: Reason.NO_EFFECT,
    Status.NO_DEGREES: Reason.NO_DEGREES,
}

# Where a curve meets its level: at a dose, at none however high, before the lowest, or nobody can say.
LOCATED, BEYOND, PASSED, UNKNOWN = range(4)
# Step of the central differences of the delta method, on parameters of order 1.
STEP = 1e-6


@dataclass(frozen=True)
class _Found:
    """log10_dose: (n,).   bounds: (n, 2), infinite where open, NaN where unknown.   side: (n,).
    log10_se: (n,), NaN where unknown.
    """

    log10_dose: Floats
    bounds: Floats
    side: NDArray[np.int64]
    log10_se: Floats


def relative(
    fits: Fits, kind: Kind = "EC50", *, time_h: Sequence[float | None] | None = None, n: int = 1
) -> tuple[Potency, ...]:
    """The dose half way between the plateaus of every curve, in nM (doses must be in nM).

    time_h: one exposure a curve.   n: independent experiments behind each curve.
    Returns one `Potency` a curve: a limit where the EC50 is outside the tested doses or there is no effect,
    and none for a flat curve without vehicle, which may be all effect or no effect.
    Raises InputError GP-C049 (times).
    """
    bounds = np.stack([fits.log10_ec50_low, fits.log10_ec50_high], axis=1)
    vehicle = np.any(np.isneginf(fits.data.log10_dose) & (fits.data.weights > 0.0), axis=1)
    side = np.where(fits.status == Status.NO_EFFECT, np.where(vehicle, BEYOND, UNKNOWN), LOCATED)
    errors = _errors(fits, bounds, fits.standard_errors[:, LOG10_DOSE])
    found = _Found(fits.log10_ec50, bounds, side, errors)
    return _potencies(fits, found, time_h, kind=kind, definition="relative", n=n)


def absolute(
    fits: Fits, level: float | Floats, kind: Kind = "EC50", *, control: float,
    time_h: Sequence[float | None] | None = None, n: int = 1, intervals: bool = True,
) -> tuple[Potency, ...]:  # fmt: skip
    """The dose, in nM, at which every curve's response equals `level` (0.5 of a control of 1, say).

    level: response, one number or (n,).   control: response without drug, which says on which side of the
    level a curve begins.   Others as in `relative`.
    Returns one `Potency` a curve: a limit where the level is passed outside the tested doses, or not at all.
    Raises InputError GP-C049 (level, control, times).
    Source: the third parameter of the curve moves to this dose and is profiled there, docs/curves.md.
    """
    levels = _levels(level, control, len(fits.rss))
    theta = fits.theta
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        at_level = _log10_dose_at(theta, levels)
        delta = _delta(fits, levels)
        theta[:, LOG10_DOSE] = at_level
        bounds = np.full((len(fits.rss), 2), np.nan)
        if intervals:
            bounds = batch.profile_interval(fits.data, fits.pinned, theta, fits.confidence, levels)
    flat = fits.status == Status.NO_EFFECT
    height = np.where(flat, batch.mean(fits.data), theta[:, FRONT])
    begun = np.where((height - levels) * (control - levels) > 0.0, BEYOND, PASSED)
    side = np.where(flat | np.isnan(at_level), begun, LOCATED)
    found = _Found(at_level, bounds, side, _errors(fits, bounds, delta))
    return _potencies(fits, found, time_h, kind=kind, definition="absolute", n=n)


def _levels(level: float | Floats, control: float, curves: int) -> Floats:
    """One level a curve (n,), none of them the control's own: there a curve begins on neither side."""
    levels = np.asarray(level, dtype=float)
    if levels.shape not in ((), (curves,)):
        raise _refusal(f"{levels.shape} levels for {curves} curves", "one level, or one a curve")
    if not (np.isfinite(levels).all() and np.isfinite(control) and (levels != control).all()):
        raise _refusal(
            f"a level of {np.ravel(levels)[0] if levels.size == 1 else levels} with a control of {control:g}",
            "finite numbers, and a level that is not the control itself",
        )
    return np.broadcast_to(levels, (curves,))


def _refusal(message: str, expected: str) -> InputError:
    return InputError(
        "GP-C049", message, where="potencies of fitted curves", expected=expected,
        next_step="correct the call; 0.5 of a control of 1 is level=0.5, control=1.0",
    )  # fmt: skip


def _log10_dose_at(theta: Floats, levels: Floats) -> Floats:
    """Log10 dose (n,) at which the curve equals its level; NaN where its plateaus do not enclose it."""
    return np.asarray(theta[:, LOG10_DOSE] + log10_shift(theta, levels))


def _delta(fits: Fits, levels: Floats) -> Floats:
    """Standard error (n,) of the log10 dose at the level by the delta method; NaN where unknown."""
    theta, count = fits.theta, fits.theta.shape[1]
    gradient = np.empty_like(theta)
    for i in range(count):
        step = np.zeros(count)
        step[i] = STEP
        gradient[:, i] = (_log10_dose_at(theta + step, levels) - _log10_dose_at(theta - step, levels)) / (
            2.0 * STEP
        )
    # The covariance speaks of slope and asymmetry, theta of their logarithms.
    gradient[:, LN_SLOPE:] /= fits.estimates[:, LN_SLOPE:]
    held = ~np.isnan(fits.pinned)
    gradient[:, held] = 0.0
    covariance = np.where(held[:, None] | held[None, :], 0.0, fits.covariance)
    return np.asarray(np.sqrt(np.einsum("ni,nij,nj->n", gradient, covariance, gradient)))


def _errors(fits: Fits, bounds: Floats, wald: Floats) -> Floats:
    """Standard errors (n,) on log10 from the width of the profile, or where it is open from the curvature."""
    width = bounds[:, 1] - bounds[:, 0]
    quantile = stdtrit(np.maximum(fits.dof, 1), 0.5 + 0.5 * fits.confidence)
    return np.where(np.isfinite(width), width / (2.0 * quantile), wald)


def _potencies(
    fits: Fits, found: _Found, time_h: Sequence[float | None] | None, **common: Any
) -> tuple[Potency, ...]:
    """One potency a curve."""
    times = [None] * len(fits.rss) if time_h is None else list(time_h)
    if len(times) != len(fits.rss):
        raise _refusal(f"{len(times)} times for {len(fits.rss)} curves", "one time a curve, None where none")
    return tuple(_potency(fits, i, found, {**common, "time_h": times[i]}) for i in range(len(fits.rss)))


def _potency(fits: Fits, i: int, found: _Found, fields: Mapping[str, Any]) -> Potency:
    status, side = Status(int(fits.status[i])), int(found.side[i])
    bounds, log10_dose = found.bounds[i], float(found.log10_dose[i])
    lowest, highest = float(fits.lowest_dose[i]), float(fits.highest_dose[i])
    common = {"confidence": fits.confidence, **fields}
    reasons: tuple[Reason, ...] = (SAID[status],) if status in SAID else ()
    low = float(10.0 ** bounds[0]) if np.isfinite(bounds[0]) else None
    high = float(10.0 ** bounds[1]) if np.isfinite(bounds[1]) else None
    if status in UNUSABLE or side == UNKNOWN or np.isnan(highest):
        if status not in UNUSABLE:
            reasons = (Reason.FLAT_WITHOUT_VEHICLE if side == UNKNOWN else Reason.NO_POSITIVE_DOSE,)
        return Potency(value_nm=None, low_nm=None, high_nm=None, relation="none", reasons=reasons, **common)
    if side == PASSED:
        reasons = (Reason.ALWAYS_PAST,)
        return Potency(value_nm=lowest, low_nm=None, high_nm=None, relation="<", reasons=reasons, **common)
    if side == BEYOND:
        if status != Status.NO_EFFECT:
            reasons = (*reasons, Reason.NOT_REACHED)
        return Potency(value_nm=highest, low_nm=None, high_nm=None, relation=">", reasons=reasons, **common)
    # Beyond the tested doses a bound would be an extrapolation too, so it stops at their edge.
    if log10_dose < np.log10(lowest):
        reasons = (*reasons, Reason.BELOW_TESTED)
        high = None if high is None else max(high, lowest)
        return Potency(value_nm=lowest, low_nm=None, high_nm=high, relation="<", reasons=reasons, **common)
    if log10_dose > np.log10(highest):
        reasons = (*reasons, Reason.ABOVE_TESTED)
        low = None if low is None else min(low, highest)
        return Potency(value_nm=highest, low_nm=low, high_nm=None, relation=">", reasons=reasons, **common)
    for bound, reason in zip(bounds, (Reason.OPEN_LOW, Reason.OPEN_HIGH), strict=True):
        if np.isinf(bound):
            reasons = (*reasons, reason)
    error = float(found.log10_se[i])
    return Potency(
        value_nm=float(10.0**log10_dose), low_nm=low, high_nm=high, reasons=reasons,
        log10_se=error if np.isfinite(error) else None, **common,
    )  # fmt: skip
