"""One experiment over dose and time, fitted together: the turnover model, its effect and hook tests, its
profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

from glueprint import curves
from glueprint.assays.degradation import quantities
from glueprint.assays.degradation.kinetics import HALF
from glueprint.assays.degradation.likelihood import Fit, Floats, Sample, bounds, minimise
from glueprint.assays.degradation.models import model
from glueprint.assays.degradation.quantities import (
    EC50,
    K_DEG,
    K_MAX,
    LONG,
    NO_HOOK,
    SHAPE,
    SLOPE,
    VEHICLE,
    WINDOW,
    Quantity,
)
from glueprint.assays.degradation.reading import Lanes
from glueprint.assays.degradation.settings import Settings
from glueprint.curves import Potency
from glueprint.curves.evidence import f_test, lack_of_fit
from glueprint.curves.potency import Reason, Relation

__all__ = ["Joint", "Measured", "can", "fit", "likelier", "measure", "potency"]

# A slope is fitted where the doses can show one; below that the binding is simple.
DOSES_FOR_SLOPE, DOSES_FOR_HOOK = 4, 5
# How far beyond the doses a DC50 is looked for, decades; where a hook may begin, multiples of the EC50.
REACH, WINDOWS = 4.0, (10.0, 100.0, 3e3)
EFFECT_ALPHA = 0.05
LN10 = math.log(10.0)
# Log odds of a loss of no and of every molecule.
DMAX_ENDS = (-12.0, 14.0)
Name = tuple[str | float | None, ...]
Asked = tuple[Quantity, tuple[float, float]]


@dataclass(frozen=True)
class Measured:
    """A quantity with its interval; None where unknown or open.   error: on the scale of the profile."""

    value: float
    low: float | None
    high: float | None
    error: float | None


@dataclass(frozen=True)
class Joint:
    """The fit of one experiment.

    fit: the model taken, with a hook if that was shown.   effect_p, hook_p, lack_p: F tests (NaN: not
    tested).
    slope_held: whether the doses are too few for a slope.
    """

    lanes: Lanes
    sample: Sample
    fit: Fit
    effect_p: float
    hook_p: float
    lack_p: float
    slope_held: bool
    confidence: float

    @property
    def shown(self) -> bool:
        """Whether there is an effect."""
        return not self.effect_p > EFFECT_ALPHA

    @cached_property
    def measured(self) -> Mapping[Name, Measured]:
        """Everything that is read off the fit, by the name of the quantity, profiled at once."""
        asked = _asked(self)
        found = bounds(self.sample, self.fit, asked, self.confidence).tolist()
        return {
            quantity.name: Measured(
                quantity.value(self.fit.theta), *(end if math.isfinite(end) else None for end in ends)
            )
            for (quantity, _), ends in zip(asked, found, strict=True)
        }

    @property
    def hooked(self) -> bool:
        """Whether the model with a hook was taken."""
        return bool(self.fit.theta[WINDOW] < NO_HOOK)


def can(lanes: Lanes) -> bool:
    """Whether dose and time can be fitted together: two times, two doses, more readings than parameters."""
    places = {(d, t) for d, t in zip(lanes.dose_nm, lanes.time_h, strict=True) if d > 0.0 and t > 0.0}
    parameters = 3 + int(lanes.has_vehicle) + int(lanes.doses_nm.size >= DOSES_FOR_SLOPE)
    enough = len(places) > parameters - int(lanes.has_vehicle)
    return bool(
        min(lanes.times_h.size, lanes.doses_nm.size) >= 2 and enough and (lanes.side == 0).sum() > parameters
    )


def likelier(lanes: Lanes) -> float:
    """Twice the log likelihood of proportional errors over that of constant ones; negative infinity where
    logarithms
    cannot be."""
    if (lanes.fraction <= 0.0).any():
        return -math.inf
    known = lanes.side == 0
    plain, logs = (_monotone(_sample(lanes, logarithm)) for logarithm in (False, True))
    # Logarithms change the density of a reading by 1/y.
    return plain.deviance - (logs.deviance + 2.0 * float(np.log(lanes.fraction[known]).sum()))


def fit(lanes: Lanes, settings: Settings, *, logarithm: bool) -> Joint:
    """Fit the turnover model, and the one with a hook where that is tested and shown."""
    sample = _sample(lanes, logarithm)
    best = _monotone(sample)
    nothing = best.theta.copy()
    nothing[K_MAX] = -60.0
    flat = replace(sample, free=sample.free & (np.arange(sample.free.size) != K_MAX) & _levels(sample))
    extra = int(sample.free.sum() - flat.free.sum())
    effect = _f_test(sample, minimise(flat, nothing), best, extra)
    hook_p, chosen, taken = math.nan, best, sample
    if settings.hook == "test" and lanes.doses_nm.size >= DOSES_FOR_HOOK and sample.dof > 2:
        wider = replace(
            sample,
            model=model(hook=True, logarithm=logarithm),
            free=sample.free | (np.arange(sample.free.size) == WINDOW),
        )
        hooked = min((minimise(wider, start) for start in _hooks(best.theta)), key=_deviance)
        hook_p = _f_test(wider, best, hooked, 1)
        if hook_p < settings.hook_alpha:
            chosen, taken = hooked, wider
    return Joint(
        lanes,
        taken,
        chosen,
        effect,
        hook_p,
        _lack_of_fit(taken, chosen),
        not sample.free[SLOPE],
        settings.confidence,
    )


def measure(joint: Joint, quantity: Quantity) -> Measured:
    """A quantity on the scale of its profile."""
    return joint.measured[quantity.name]


def _asked(joint: Joint) -> list[Asked]:
    """All that is read off a fit, with where the search for each ends."""
    sample, doses = joint.sample, joint.lanes.doses_nm
    ends = math.log(doses[0]) - REACH * LN10, math.log(doses[-1]) + REACH * LN10
    times = joint.lanes.times_h.tolist()
    asked: list[Asked] = [(quantities.dmax(time_h), DMAX_ENDS) for time_h in (*times, LONG)]
    asked += [(quantities.dc50(time_h, level), ends) for time_h in times for level in (None, HALF)]
    rates = [quantity for quantity, _ in RATES.values() if sample.free[quantity.solved]]
    rates += [quantities.observed(dose) for dose in doses.tolist()]
    asked += [(q, (float(sample.low[q.solved]), float(sample.high[q.solved]))) for q in rates]
    return asked


def dmax_of(joint: Joint, time_h: float) -> Measured | None:
    """Loss at the far plateau of the fit (or the top of its hook) at a time, as a share; None without
    effect."""
    if not joint.shown:
        return None
    found = measure(joint, quantities.dmax(time_h))
    value, low, high = (
        None if part is None else float(expit(part)) for part in (found.value, found.low, found.high)
    )
    return Measured(value or 0.0, low, high, found.error)


def potency(joint: Joint, time_h: float, definition: str) -> Potency:
    """The DC50 at a time, "relative" or "absolute": a value between the doses, or a limit."""
    doses = joint.lanes.doses_nm
    lowest, highest = float(doses[0]), float(doses[-1])
    common: dict[str, Any] = {"kind": "DC50", "definition": definition, "time_h": time_h}
    common["confidence"] = joint.confidence
    if not joint.shown:
        return _limit(common, ">", highest, (Reason.NO_EFFECT,))
    level = None if definition == "relative" else HALF
    quantity = quantities.dc50(time_h, level)
    ln_dose = quantity.value(joint.fit.theta)
    if math.isnan(ln_dose):
        return _limit(common, ">", highest, (Reason.NOT_REACHED,))
    found = measure(joint, quantity)
    low, high = (None if part is None else math.exp(part) for part in (found.low, found.high))
    if ln_dose < math.log(lowest):
        return _limit(
            common, "<", lowest, (Reason.BELOW_TESTED,), high=None if high is None else max(high, lowest)
        )
    if ln_dose > math.log(highest):
        return _limit(
            common, ">", highest, (Reason.ABOVE_TESTED,), low=None if low is None else min(low, highest)
        )
    reasons = (*((Reason.OPEN_LOW,) if low is None else ()), *((Reason.OPEN_HIGH,) if high is None else ()))
    value = math.exp(ln_dose)
    return Potency(
        **common,
        value_nm=value,
        low_nm=None if low is None else min(low, value),
        high_nm=None if high is None else max(high, value),
        reasons=reasons,
        log10_se=None if found.error is None else found.error / LN10,
    )


def _limit(
    common: Mapping[str, Any],
    relation: Relation,
    edge: float,
    reasons: tuple[Reason, ...],
    *,
    low: float | None = None,
    high: float | None = None,
) -> Potency:
    return Potency(**common, relation=relation, value_nm=edge, low_nm=low, high_nm=high, reasons=reasons)


def _levels(sample: Sample) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which parameters are levels of membranes."""
    index = np.arange(sample.free.size)
    return np.asarray((index == VEHICLE) | (index >= SHAPE))


def _sample(lanes: Lanes, logarithm: bool) -> Sample:
    """The readings as the model takes them, with what is free and where the search ends."""
    count = SHAPE + int(lanes.membrane.max())
    free = np.ones(count, bool)
    free[VEHICLE], free[WINDOW] = lanes.has_vehicle, False
    free[SLOPE] = lanes.doses_nm.size >= DOSES_FOR_SLOPE
    low, high = np.full(count, -3.0), np.full(count, 3.0)
    first, last = float(lanes.times_h[0]), float(lanes.times_h[-1])
    lowest, highest = (math.log(lanes.doses_nm[i]) for i in (0, -1))
    low[K_DEG], high[K_DEG] = math.log(1e-4 / last), math.log(1e3 / first)
    low[K_MAX], high[K_MAX] = math.log(1e-4 / last), math.log(1e4 / first)
    low[EC50], high[EC50] = lowest - REACH * LN10, highest + REACH * LN10
    low[SLOPE], high[SLOPE] = math.log(0.05), math.log(50.0)
    low[WINDOW], high[WINDOW] = 0.0, math.log(1e8)
    return Sample(
        model(hook=False, logarithm=logarithm),
        lanes.dose_nm,
        lanes.time_h,
        np.log(lanes.fraction) if logarithm else lanes.fraction,
        lanes.side,
        lanes.membrane,
        logarithm,
        free,
        low,
        high,
    )


def _monotone(sample: Sample) -> Fit:
    """The best fit without a hook: starts from `curves.fit`, limits and membranes by the likelihood."""
    y = np.where(sample.side < 0, sample.y - math.log(2.0) if sample.logarithm else 0.5 * sample.y, sample.y)
    fixed: dict[str, float | None] = {"vehicle": None if sample.free[VEHICLE] else 1.0}
    if not sample.free[SLOPE]:
        fixed["slope"] = 1.0
    found = curves.fit(
        sample.model, {"dose_nm": sample.dose_nm, "time_h": sample.time_h}, y, fixed=fixed, intervals=False
    )
    theta = np.zeros(sample.free.size)
    estimates = found.estimates[0]
    if np.isfinite(estimates).all():
        theta[: estimates.size] = np.log(np.maximum(estimates, 1e-12))
    else:
        last = float(sample.time_h.max())
        theta[: SHAPE - 1] = (
            0.0,
            -math.log(last),
            -math.log(last),
            float(sample.low[EC50] + sample.high[EC50]) / 2,
            0.0,
        )
    theta[WINDOW] = NO_HOOK
    theta = np.where(sample.free, np.clip(theta, sample.low, sample.high), theta)
    return minimise(sample, theta)


def _hooks(theta: Floats) -> list[Floats]:
    starts = []
    for window in WINDOWS:
        start = theta.copy()
        start[WINDOW] = math.log(window)
        starts.append(start)
    return starts


def _deviance(fit: Fit) -> float:
    return fit.deviance


def _f_test(sample: Sample, simple: Fit, full: Fit, extra: int) -> float:
    """p of the simpler model: F from the ratio of the sums of squares that the deviances stand for."""
    if sample.dof < 1 or extra < 1:
        return math.nan
    ratio = math.exp(min(max(simple.deviance - full.deviance, 0.0) / sample.y.size, 300.0))
    return float(f_test(ratio - 1.0, extra, 1.0, sample.dof)[1])


def _lack_of_fit(sample: Sample, best: Fit) -> float:
    """p of the model against free means of replicates; NaN where there are none, or limits."""
    time = np.where(sample.dose_nm > 0.0, sample.time_h, 0.0)
    place = np.stack([sample.dose_nm, time, sample.membrane], axis=1)
    found = lack_of_fit(place, sample.y, best.sigma**2 * sample.y.size, sample.dof, np.ones_like(sample.y))
    return math.nan if found.pure_dof < 3 or sample.side.any() else found.p


def ln(quantity: Quantity, joint: Joint) -> Measured:
    """A rate, concentration or slope in natural units, profiled as its logarithm."""
    found = measure(joint, quantity)
    low, high = (None if part is None else math.exp(part) for part in (found.low, found.high))
    return Measured(math.exp(found.value), low, high, found.error)


RATES: Mapping[str, tuple[Quantity, str]] = {
    "k_deg": (quantities.own(K_DEG), "1/h"),
    "k_max": (quantities.own(K_MAX), "1/h"),
    "ec50_of_rate": (quantities.own(EC50), "nM"),
    "slope": (quantities.own(SLOPE), ""),
    "vehicle": (quantities.own(VEHICLE), ""),
    "rate_at_full_dose": (quantities.observed(math.inf), "1/h"),
}
