"""Two-stage estimation: what switching did to those who could switch, taken away again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import (
    Flags,
    Floats,
    Integers,
    as_codes,
    as_floats,
    as_level,
    as_matrix,
    place,
    same_shape,
)
from glueprint.survival.cox import Cox, cox
from glueprint.survival.parametric import Parametric, parametric
from glueprint.survival.switching.cohort import Cohort, Lives, as_cohort

__all__ = ["TwoStage", "two_stage"]

ADVICE = {
    "ok": "",
    "nobody to compare": "of the patients with a second baseline all switched, or none did, or the "
    "covariates say exactly who did: nothing tells what switching does; use rpsft, or a second baseline at "
    "which some switch and some do not",
    "no hazard ratio": "without switches an arm has no event left to compare, mostly because recensoring "
    "ends its follow-up early; read `psi`, or leave `follow_up` out",
    "no maximum": "the model of the time after the second baseline has no maximum; fewer covariates",
}
# Step of psi over which the hazard ratio's dependence on it is taken.
STEP = 0.05


@dataclass(frozen=True)
class TwoStage:
    """Control as if nobody had switched, by a model of the time after a second baseline.

    psi: log ratio of the time without the switch to the time with it; below 0 where switching prolongs life.
    psi_interval: its limits.   model: the fit, coefficients after the intercept: the switch, the covariates.
    lives: as observed in the experimental arm, and in control without switches.   hazard_ratio, interval: of
    these; the error of psi is in the interval.   randomised: Cox fit of the arms as randomised.
    second_baseline: patients of control with one.   left_out: of these, patients whose time ended there.
    switched: patients of control.   status: a key of ADVICE.
    """

    psi: float
    psi_interval: tuple[float, float]
    model: Parametric | None
    lives: Lives
    hazard_ratio: float
    interval: tuple[float, float]
    p_value: float
    randomised: Cox
    n: int
    second_baseline: int
    left_out: int
    switched: int
    recensored: bool
    status: str
    level: float

    @property
    def time_ratio(self) -> float:
        """How many times longer the rest of life lasts after a switch."""
        return math.exp(-self.psi)

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the fit is in order."""
        return ADVICE[self.status]

    def summary(self) -> str:
        """The result in words."""
        low, high = (math.exp(-end) for end in reversed(self.psi_interval))
        percent = f"{100 * self.level:g} %"
        lines = [
            f"two-stage estimation, {self.switched} switched of {self.second_baseline} control patients with "
            f"a second baseline ({self.left_out} of them ended there)",
            f"the rest of life lasts {self.time_ratio:.3g} times as long after a switch ({percent} {low:.3g} "
            f"to {high:.3g})",
            f"hazard ratio without switching {self.hazard_ratio:.3g} ({self.interval[0]:.3g} to "
            f"{self.interval[1]:.3g}), as randomised {float(self.randomised.hazard_ratio[0]):.3g}",
            f"recensored: {self.lives.recensored} events" if self.recensored else "not recensored",
            "assumes that the covariates hold all that decides both switch and survival, and that those who "
            "switch do so at their second baseline",
        ]
        return "\n".join([*lines, *([f"{self.status}: {self.advice}"] if self.advice else [])])


def two_stage(
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    switch: ArrayLike,
    baseline: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    reference: object = None,
    follow_up: ArrayLike | None = None,
    distribution: str = "weibull",
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> TwoStage:
    """Survival of the control arm had nobody switched, from those who could have and did not.

    time, event: (n,) follow-up in any unit and 1 for the event.   arm: (n,) two labels.   switch: (n,) when
    a patient of control began the experimental treatment, NaN for never.   baseline: (n,) the second
    baseline, mostly progression, NaN for patients who did not come to it; a patient who switched has one, at
    the switch or before.   covariates: (n, p) at the second baseline; read for control patients who have one.
    reference: label of control.   follow_up: (n,) time to the data cut, to recensor the arm.
    distribution: of the time after the second baseline, as in `parametric`.   strata: of the hazard ratio.
    Returns TwoStage.
    Raises InputError GP-V001 to GP-V008, GP-V020 and GP-V034 (arms), GP-V037 to GP-V040 (switches), GP-V041
    (second baseline).
    Source: Latimer et al. 2014, doi:10.1177/0272989X13492824; 2017, doi:10.1177/0962280214557578. Interval of
    the hazard ratio: own derivation, docs/survival.md, "Patients who change treatment".
    """
    level = as_level(level)
    cohort = as_cohort(time, event, arm, switch, reference=reference, follow_up=follow_up)
    begin = _baselines(baseline, cohort)
    x = np.zeros((begin.size, 0)) if covariates is None else _covariates(covariates, begin, cohort)
    eligible = ~cohort.new & np.isfinite(begin)
    used = eligible & (begin < cohort.time)
    moved = cohort.switched[used]
    blocks = None if strata is None else as_codes(strata, cohort.time.shape, "strata")[1]
    group = cohort.new.astype(np.float64)
    randomised = cox(cohort.time, cohort.event, group, strata=blocks, level=level)
    model, status = None, "nobody to compare"
    if moved.any() and not moved.all():
        design = np.column_stack([moved.astype(np.float64), x[used]])
        rest = cohort.time[used] - begin[used]
        model = parametric(rest, cohort.event[used], design, distribution=distribution, level=level)
        status = "ok" if model.status in ("ok", "aliased") else "no maximum"
        status = "nobody to compare" if status == "ok" and _told(moved, x[used]) else status
    psi, ends = math.nan, (math.nan, math.nan)
    lives, ratio, interval = Lives(cohort.time, cohort.event), math.nan, (math.nan, math.nan)
    p_value = math.nan
    if model is not None and status == "ok":
        psi, error = -float(model.coefficients[1]), float(model.std_error[1])
        ends = (-float(model.high[1]), -float(model.low[1]))
        lives = _without(cohort, psi)
        log_ratio, spread = _hazard_ratio(cohort, psi, error, blocks)
        if math.isfinite(log_ratio) and math.isfinite(spread):
            half = float(ndtri(0.5 + level / 2)) * spread
            ratio, interval = math.exp(log_ratio), (math.exp(log_ratio - half), math.exp(log_ratio + half))
            p_value = 2 * float(ndtr(-abs(log_ratio) / spread))
        else:
            status = "no hazard ratio"
    return TwoStage(
        psi=psi,
        psi_interval=ends,
        model=model,
        lives=lives,
        hazard_ratio=ratio,
        interval=interval,
        p_value=p_value,
        randomised=randomised,
        n=cohort.time.size,
        second_baseline=int(eligible.sum()),
        left_out=int((eligible & ~used).sum()),
        switched=int(cohort.switched.sum()),
        recensored=cohort.follow_up is not None,
        status=status,
        level=level,
    )


def _told(moved: Flags, x: Floats) -> bool:
    """Whether the covariates say exactly who switched, so that no two patients alike differ in it."""
    design = np.column_stack([np.ones(moved.size), (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-300)])
    fitted = design @ np.linalg.lstsq(design, moved.astype(np.float64), rcond=None)[0]
    return bool(np.abs(fitted - moved).max() < 1e-8)


def _without(cohort: Cohort, psi: float) -> Lives:
    """Control without its switches, recensored whatever the time of the switch; the other arm as it was."""
    control = ~cohort.new
    return cohort.lived(psi, treated=False, arm=control, recensored=control)


def _hazard_ratio(cohort: Cohort, psi: float, error: float, strata: Integers | None) -> tuple[float, float]:
    """Log hazard ratio at psi, and its error with the part that psi brings in."""
    group = cohort.new.astype(np.float64)

    def fit(value: float) -> Cox:
        lives = _without(cohort, value)
        return cox(lives.time, lives.event, group, strata=strata)

    at, *beside = (fit(value) for value in (psi, psi + STEP, psi - STEP))
    above, below = (float(one.coefficients[0]) for one in beside)
    if not (math.isfinite(above) and math.isfinite(below)):
        return math.nan, math.nan
    slope = (above - below) / (2 * STEP)
    return float(at.coefficients[0]), math.hypot(float(at.std_error[0]), slope * error)


def _baselines(baseline: ArrayLike, cohort: Cohort) -> Floats:
    """The second baseline of each patient, infinite for none."""
    values = as_floats(baseline, "baseline")
    same_shape(values, cohort.time.shape, "baseline")
    begin = np.where(np.isnan(values), np.inf, values)
    outside = (begin < 0) | (np.isfinite(begin) & (begin > cohort.time + 1e-9))
    missing = cohort.switched & ~cohort.new & ~(begin <= cohort.switch + 1e-9)
    bad = np.flatnonzero((outside | missing) & ~cohort.new)
    if bad.size:
        index = int(bad[0])
        said = f"a second baseline at {values[index]:g} in a follow-up of {cohort.time[index]:g}"
        if missing[index]:
            said = f"a switch at {cohort.switch[index]:g} with a second baseline at {values[index]:g}"
        raise InputError(
            "GP-V041",
            said,
            where=place("baseline", (index,)),
            expected="0 <= baseline <= time, and no later than the switch of a patient who switched",
            next_step="take progression, or the switch itself where it came before, as the second baseline",
        )
    return begin


def _covariates(covariates: ArrayLike, begin: Floats, cohort: Cohort) -> Floats:
    """Covariates (n, p); those of patients who never came to the second baseline do not count."""
    values = np.asarray(covariates, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    counts: Flags = np.isfinite(begin) & ~cohort.new
    if values.shape[:1] == counts.shape:
        values = np.where(counts[:, None], values, 0.0)
    return as_matrix(values, begin.size)
