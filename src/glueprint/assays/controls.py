"""Potencies with the errors of controls, which all wells of a curve share. Kernel: fits in, potencies out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

from glueprint.assays.scatter import Linear, linear
from glueprint.curves import Fits, Potency
from glueprint.curves.logistic import LOG10_DOSE, Floats, curve

__all__ = ["SharedError", "widened"]


@dataclass(frozen=True)
class SharedError:
    """The error of the mean of a control, by which every response of a curve was normalised.

    sd, degrees: (n,) standard error of that mean and the degrees of freedom behind it; a NaN adds nothing
    beyond what the fit itself says of these wells.
    moves: (n, m) d response / d error.   level: (n,) d level / d error.
    wells: (n, m) d response / d error of the control's wells where the fit holds them too, else 0; each of k
    wells has a k-th share in the mean.
    """

    sd: Floats
    degrees: Floats
    moves: Floats
    level: Floats | float = 0.0
    wells: Floats | None = None


def widened(found: Sequence[Potency], fits: Fits, errors: Sequence[SharedError]) -> list[Potency]:
    """Potencies whose intervals and errors also hold what the controls do to all wells at once.

    found: of one definition, one a curve of the fits.
    With q = d log10 dose / d parameters and C = inv(J'WJ), an error e of a mean of k wells moves the log10
    dose by (N + D) e: N = q C J'W moves + level / steepness by the normalisation, D = q C J'W wells by the
    fit. D is in the profile already, so the variance grows by (N^2 + 2 N D) var(e).
    Source: own derivation, docs/growth.md.
    """
    line = linear(fits)
    value = np.array([1.0 if one.value_nm is None else one.value_nm for one in found])
    gradient, steepness = _gradient(fits, value, relative=found[0].definition == "relative")
    per_well = np.einsum("np,npq,nmq,nm->nm", gradient, line.inverse, line.jacobian, fits.problem.weights)
    own, spare = _own(fits, gradient, line), np.zeros_like(value)
    grown, degrees = np.zeros_like(value), np.full_like(value, np.inf)
    # Flat curves without a potency may be as steep or as shallow as numbers go.
    with np.errstate(all="ignore"):
        for error in errors:
            moved = (per_well * error.moves).sum(axis=1) + np.nan_to_num(error.level / steepness)
            inside, variance = _in_fit(fits, per_well, error)
            grown += (moved**2 + 2.0 * moved * inside) * variance
            beyond = moved**2 * np.maximum(np.nan_to_num(error.sd) ** 2 - variance, 0.0)
            spare += beyond
            degrees = np.where(beyond > 0.0, np.fmin(degrees, error.degrees), degrees)
        factor = np.sqrt(np.maximum(1.0 + grown / own, 0.0))
    factor = np.where(np.isfinite(factor), factor, 1.0)
    return [
        _wider(one, float(factor[i]), float(np.sqrt(spare[i])), float(degrees[i]))
        for i, one in enumerate(found)
    ]


def _gradient(fits: Fits, value: Floats, *, relative: bool) -> tuple[Floats, Floats]:
    """d log10 dose / d parameters (n, 5), and d response / d log10 dose (n,) there; NaN for relative ones."""
    if relative:
        gradient = np.zeros((value.size, 5))
        gradient[:, LOG10_DOSE] = 1.0
        return gradient, np.full_like(value, np.nan)
    by_parameter = curve(np.nan_to_num(fits.theta), np.log10(value)[:, None])[1][:, 0, :]
    # The dose stands beside the EC50 only as a difference of logarithms, so the one derivative is minus the
    # other.
    steepness = -by_parameter[:, LOG10_DOSE]
    safe = np.where(steepness == 0.0, np.nan, steepness)
    return np.nan_to_num(-by_parameter / safe[:, None]), safe


def _own(fits: Fits, gradient: Floats, line: Linear) -> Floats:
    """Variance (n,) of the log10 dose by the scatter of the wells about the curve."""
    return np.asarray(np.einsum("np,npq,nq->n", gradient, line.inverse, gradient) * _scale(fits))


def _in_fit(fits: Fits, per_well: Floats, error: SharedError) -> tuple[Floats, Floats]:
    """D of a shared error, and what the fit says of its variance (0 where the wells are not in the fit)."""
    if error.wells is None:
        return np.zeros(len(fits.rss)), np.zeros(len(fits.rss))
    held = (error.wells != 0.0) & (fits.problem.weights > 0.0)
    count = held.sum(axis=1)
    weight = np.where(held, fits.problem.weights, 0.0).sum(axis=1)
    variance = np.where(count > 0, _scale(fits) / np.where(weight > 0.0, weight, 1.0), 0.0)
    return (per_well * np.where(held, error.wells, 0.0)).sum(axis=1), variance


def _scale(fits: Fits) -> Floats:
    return np.asarray(np.nan_to_num(fits.rss) / np.maximum(fits.dof, 1))


def _wider(one: Potency, factor: float, error: float, degrees: float) -> Potency:
    """Each bound moved out: its own reach times `factor`, joined with the t quantile of `error`."""
    if one.relation != "=" or one.value_nm is None:
        return one
    centre = float(np.log10(one.value_nm))
    quantile = float(student.ppf(0.5 + 0.5 * one.confidence, max(degrees, 1.0)))
    low, high = (
        None
        if bound is None
        else float(10.0 ** (centre + sign * np.hypot(factor * (np.log10(bound) - centre), quantile * error)))
        for bound, sign in ((one.low_nm, -1.0), (one.high_nm, 1.0))
    )
    wider = None if one.log10_se is None else float(np.hypot(factor * one.log10_se, error))
    return replace(one, low_nm=low, high_nm=high, log10_se=wider)
