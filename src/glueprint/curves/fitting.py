"""Fit dose-response curves in a batch: estimates, errors, an effect test and a status with its remedy for
each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves import batch
from glueprint.curves.confined import confine
from glueprint.curves.data import Data, prepare
from glueprint.curves.logistic import BACK, FRONT, LN_ASYMMETRY, LN_SLOPE, LOG10_DOSE, Floats, curve
from glueprint.curves.models import LOGISTIC, MODELS
from glueprint.curves.status import Status
from glueprint.errors import InputError, nearest

__all__ = ["Fits", "Status", "fit"]

# What each model of the family holds.
HELD: Mapping[str, Mapping[str, float]] = {
    model.name: {one.name: one.default for one in model.parameters if one.default is not None}
    for model in LOGISTIC
}
FIXABLE = {"front": FRONT, "back": BACK, "slope": LN_SLOPE, "asymmetry": LN_ASYMMETRY}
POSITIVE = (LN_SLOPE, LN_ASYMMETRY)  # fitted as logarithms


@dataclass(frozen=True)
class Fits:
    """A batch of fitted curves; every array has one row a curve.

    estimates, standard_errors: (n, 5) front, back, log10 EC50, slope, asymmetry (error NaN where fixed, at
    a bound or unknown).
    covariance: (n, 5, 5) of the estimates, NaN where an error is.
    rss: (n,) weighted residual sum of squares.   points, dof: (n,).
    log10_ec50_low, log10_ec50_high: (n,) profile interval at `confidence`, infinite where open, NaN where
    unknown.
    effect_f, effect_p: (n,) F test against the flat line.   status: (n,) `Status`.
    lowest_dose, highest_dose: (n,) tested doses above zero.   data: what was fitted.
    pinned: (5,) values of fixed parameters as the kernels take them, NaN where free.   reach: least and
    largest parameters (n, 5) that each fit was allowed.   plateau: (n,) `Plateau`: whether a plateau was
    seen, or where it was held.
    """

    model: str
    estimates: Floats
    standard_errors: Floats
    covariance: Floats
    rss: Floats
    points: NDArray[np.int64]
    dof: NDArray[np.int64]
    log10_ec50_low: Floats
    log10_ec50_high: Floats
    effect_f: Floats
    effect_p: Floats
    status: NDArray[np.int64]
    lowest_dose: Floats
    highest_dose: Floats
    confidence: float
    data: Data
    pinned: Floats
    reach: batch.Reach
    plateau: NDArray[np.int64]

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """What each status means and what to do (n,); empty where a curve is fine."""
        return tuple(Status(code).text for code in self.status.tolist())

    @property
    def front(self) -> Floats:
        """Plateau without drug (n,)."""
        return np.asarray(self.estimates[:, FRONT])

    @property
    def back(self) -> Floats:
        """Plateau at infinite dose (n,)."""
        return np.asarray(self.estimates[:, BACK])

    @property
    def log10_ec50(self) -> Floats:
        """Log10 of the relative EC50 (n,)."""
        return np.asarray(self.estimates[:, LOG10_DOSE])

    @property
    def ec50(self) -> Floats:
        """Relative EC50 (n,) in the unit of the doses; `curves.relative` adds limits and reasons."""
        return np.asarray(10.0**self.log10_ec50)

    @property
    def slope(self) -> Floats:
        """Hill slope (n,), above 0."""
        return np.asarray(self.estimates[:, LN_SLOPE])

    @property
    def asymmetry(self) -> Floats:
        """Asymmetry (n,), above 0; 1 for a symmetric curve."""
        return np.asarray(self.estimates[:, LN_ASYMMETRY])

    @property
    def theta(self) -> Floats:
        """The estimates as the kernels take them: (n, 5) in the order of `logistic.NAMES`."""
        theta = self.estimates.copy()
        theta[:, POSITIVE] = np.log(theta[:, POSITIVE])
        return theta

    def predict(self, dose: ArrayLike) -> Floats:
        """Fitted responses (n, m) at doses (m,) or (n, m) in the unit of the data, zero allowed."""
        with np.errstate(divide="ignore"):
            log10_dose = np.log10(np.asarray(dose, dtype=float))
        return curve(self.theta, np.broadcast_to(log10_dose, (len(self.rss), log10_dose.shape[-1])))[0]


def fit(
    dose: ArrayLike,
    response: ArrayLike,
    *,
    model: str = "4pl",
    weights: ArrayLike | None = None,
    fixed: Mapping[str, float] | None = None,
    within: tuple[float | None, float | None] = (None, None),
    intervals: bool = True,
    confidence: float = 0.95,
    alpha: float = 0.05,
) -> Fits:
    """Fit every curve of a batch by weighted least squares on the log10 EC50.

    dose: (m,) or (n, m), any unit, >= 0; zero is the front plateau.   response: (m,) or (n, m), NaN: missing.
    model: "4pl", "5pl" with asymmetry, "3pl" with slope 1, or "hill" with front 0.
    weights: shape of response, >= 0, relative.   fixed: values for "front", "back", "slope" or "asymmetry".
    within: least and largest response that are possible, such as (0, None) for a viability; a plateau that
    the doses do not show is held there, and `plateau` says so.
    intervals: also the profile interval of the EC50.   alpha: level of the effect test.
    Returns `Fits`; a curve that cannot be fitted has a status, never an exception.
    Raises InputError GP-C001 (shapes), GP-C002 (dose), GP-C003 (response, weight), GP-C004 (model, fixed,
    within, confidence, alpha).
    Source: own derivation, docs/curves.md.
    """
    for name, share in (("confidence", confidence), ("alpha", alpha)):
        if not 0.0 < share < 1.0:
            _refuse(f"{name} {share:g}", "a number between 0 and 1, such as 0.95 and 0.05")
    data, pinned, ends = prepare(dose, response, weights), _pinned(model, fixed or {}), _ends(within)
    level = confidence if intervals else None
    block = batch.solve(data, pinned, level)
    effect_f, effect_p = batch.effect(data, block.rss, pinned)
    free = int(np.isnan(pinned).sum())
    wanted = ((effect_p < alpha) | (data.points == free)) & (data.distinct_doses >= free)
    confined = confine(data, pinned, block, wanted, within=ends, confidence=level)
    block = confined.block
    status = _status(data, block, effect_p < alpha, pinned)
    estimates, covariance = _on_slope(block)
    for array in (estimates, covariance, block.rss, block.interval, effect_f, effect_p):
        array[status == Status.TOO_FEW_POINTS] = np.nan
    return Fits(
        model=model,
        estimates=estimates,
        standard_errors=np.sqrt(np.einsum("npp->np", covariance)),
        covariance=covariance,
        rss=block.rss,
        points=data.points,
        dof=data.points - int(np.isnan(pinned).sum()),
        log10_ec50_low=block.interval[:, 0],
        log10_ec50_high=block.interval[:, 1],
        effect_f=effect_f,
        effect_p=effect_p,
        status=status,
        lowest_dose=data.lowest_dose,
        highest_dose=data.highest_dose,
        confidence=confidence,
        data=data,
        pinned=pinned,
        reach=confined.reach,
        plateau=confined.plateau,
    )


def _ends(within: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """The possible responses, checked."""
    low, high = within
    if any(end is not None and not np.isfinite(end) for end in within) or (
        low is not None and high is not None and not low < high
    ):
        _refuse(f"within ({low}, {high})", "two finite responses in order, None where nothing limits them")
    return low, high


def _pinned(model: str, fixed: Mapping[str, float]) -> Floats:
    """Values of the fixed parameters (5,) as the kernels take them, NaN where free."""
    if model not in HELD:
        other = f'; "{model}" is fitted by `curves.regress`' if model in MODELS else nearest(model, HELD)
        _refuse(f'no logistic model "{model}"{other}', "one of " + ", ".join(HELD))
    pinned = np.full(5, np.nan)
    for name, value in {**HELD[model], **fixed}.items():
        if name not in FIXABLE:
            _refuse(f'cannot fix "{name}"{nearest(name, FIXABLE)}', "one of " + ", ".join(FIXABLE))
        positive = FIXABLE[name] in POSITIVE
        number = isinstance(value, (int, float, np.number))
        if not number or not np.isfinite(value) or (positive and value <= 0.0):
            _refuse(f"cannot fix {name} at {value}", "a finite number, above 0 for slope and asymmetry")
        pinned[FIXABLE[name]] = np.log(value) if positive else value
    return pinned


def _refuse(message: str, expected: str) -> None:
    raise InputError("GP-C004", message, expected=expected, next_step="see docs/curves.md for the models")


def _on_slope(block: batch.Block) -> tuple[Floats, Floats]:
    """Estimates (n, 5) and covariance (n, 5, 5) with slope and asymmetry in place of their logarithms."""
    estimates, covariance = block.theta.copy(), block.covariance.copy()
    for i in POSITIVE:
        estimates[:, i] = np.exp(block.theta[:, i])
        covariance[:, i] *= estimates[:, i, None]
        covariance[:, :, i] *= estimates[:, i, None]
    return estimates, covariance


def _status(data: Data, block: batch.Block, effect: NDArray[np.bool_], pinned: Floats) -> NDArray[np.int64]:
    """The gravest status of every curve (n,)."""
    parameters = int(np.isnan(pinned).sum())
    status = np.full(block.rss.size, int(Status.FINE))
    with np.errstate(invalid="ignore"):
        half = block.theta[:, LOG10_DOSE]
        status[half < np.log10(data.lowest_dose)] = Status.BELOW_TESTED
        status[half > np.log10(data.highest_dose)] = Status.ABOVE_TESTED
    status[~block.converged] = Status.NOT_CONVERGED
    # A fit still creeping along a ridge of flat data is no better than the flat line: that is what matters.
    status[~effect] = Status.NO_EFFECT
    status[data.points == parameters] = Status.NO_DEGREES
    status[(data.points == parameters) & ~block.converged] = Status.NOT_CONVERGED
    status[data.distinct_doses < parameters] = Status.TOO_FEW_POINTS
    return status
